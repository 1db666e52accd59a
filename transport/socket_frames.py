"""The frames of a connection.  All numbers are little-endian and unsigned.

    frame = kind:u8 channel:u32 length:u32 body:length bytes

    MESSAGE  a whole message without attachments: its payload
    BEGIN    the first fragment of a message: its table, whole, and as much of the rest as there is room for
    MORE     further bytes of the message that is under way on the channel
    END      reason:u8; the last frame of its channel in this direction
    ACK      credit:u64 taken:u64; more bytes may be sent; bytes of messages that were taken
    PROBE    nothing: "tell me soon what was taken"
    PING     nothing, on channel 0: "are you there?"
    PONG     nothing, on channel 0: "yes"
    ABORT    UTF-8, on channel 0: what rule was broken; the connection ends here

    table = payload:u64 ports:u32 buffers:u32 (channel:u32)*ports buffer*buffers
    buffer = byte_length:u64 max_byte_length:u64

Behind the table come the payload and the bytes of each buffer, with nothing in between.  A buffer that cannot
be resized has a ``max_byte_length`` of FIXED.  The bodies of MESSAGE, BEGIN and MORE count against credit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from transport.message import CloseReason
from transport.socket_limits import MOST_ATTACHMENTS

MESSAGE: Final = 1
BEGIN: Final = 2
MORE: Final = 3
END: Final = 4
ACK: Final = 5
PROBE: Final = 6
PING: Final = 7
PONG: Final = 8
ABORT: Final = 9

HEADER: Final = struct.Struct("<BII")
TABLE: Final = struct.Struct("<QII")
BUFFER: Final = struct.Struct("<QQ")
ACKNOWLEDGED: Final = struct.Struct("<QQ")

FIXED: Final = (1 << 64) - 1
MOST: Final = 1 << 60
"""No number of bytes is larger than this one."""

CONTROL: Final = {END: (1, 1), ACK: (16, 16), PROBE: (0, 0), PING: (0, 0), PONG: (0, 0), ABORT: (0, 1024)}
"""How long the body of a frame that is no part of a message is: at least, at most."""

REASONS: Final = {
    0: CloseReason.PEER,
    1: CloseReason.LOST,
    2: CloseReason.PEER_DIED,
    3: CloseReason.PROTOCOL_ERROR,
}
"""What END says, and what the port's ``close_reason`` is at the side that hears it."""

REASON_CODES: Final = {
    CloseReason.LOCAL: 0,
    CloseReason.PEER: 0,
    CloseReason.LOST: 1,
    CloseReason.PEER_DIED: 2,
    CloseReason.PROTOCOL_ERROR: 3,
}


class ProtocolError(Exception):
    """The other side broke a rule; the text says which."""


class Table(NamedTuple):
    """What comes behind the table of a message."""

    payload: int
    ports: tuple[int, ...]
    buffers: tuple[tuple[int, int | None], ...]
    """``byte_length`` and ``max_byte_length`` of each."""
    size: int
    """Bytes of the table itself."""
    total: int
    """Bytes of the message, with the table."""


def frame(kind: int, channel: int, body: bytes = b"") -> bytes:
    """A whole frame."""
    return HEADER.pack(kind, channel, len(body)) + body


def pack_table(payload: int, ports: Sequence[int], buffers: Sequence[tuple[int, int | None]]) -> bytes:
    """The table of a message."""
    parts = [TABLE.pack(payload, len(ports), len(buffers)), struct.pack(f"<{len(ports)}I", *ports)]
    parts += [BUFFER.pack(size, FIXED if most is None else most) for size, most in buffers]
    return b"".join(parts)


def read_table(data: bytes, start: int, stop: int, *, most: int, ports: int) -> Table:
    """Read the table between *start* and *stop*, where the body of a BEGIN frame stands.

    Args:
        most: the longest message that is taken.
        ports: the most ports that are taken.

    Raises:
        ProtocolError: it is not whole, or past a limit.
    """
    if stop - start < TABLE.size:
        raise ProtocolError("a BEGIN frame without a whole table")
    payload, port_count, buffer_count = TABLE.unpack_from(data, start)
    if port_count > ports:
        raise ProtocolError(f"{port_count} ports in a message; {ports} are taken")
    if buffer_count > MOST_ATTACHMENTS:
        raise ProtocolError(f"{buffer_count} buffers in a message; {MOST_ATTACHMENTS} are taken")
    size = TABLE.size + 4 * port_count + BUFFER.size * buffer_count
    if stop - start < size:
        raise ProtocolError("a BEGIN frame without a whole table")
    offset = start + TABLE.size
    numbers = struct.unpack_from(f"<{port_count}I", data, offset)
    offset += 4 * port_count
    buffers: list[tuple[int, int | None]] = []
    total = size + payload
    for _ in range(buffer_count):
        length, longest = BUFFER.unpack_from(data, offset)
        offset += BUFFER.size
        if length > longest:
            raise ProtocolError("a buffer that is longer than it can be")
        buffers.append((length, None if longest == FIXED else longest))
        total += length
    if total > most:
        raise ProtocolError(f"a message of {total} bytes; {most} are taken")
    return Table(payload, numbers, tuple(buffers), size, total)

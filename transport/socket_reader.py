"""What comes in on a connection: bytes to frames, frames to messages.

Small frames are parsed out of what one ``recv`` brought.  A long body is read straight into the memory where
it stays, together with the head of whatever follows it.  Whole messages for one channel go into its
queue together, so that a reader is woken once.

Nothing in here trusts a number: a body is as long as its limits allow, and memory is set aside as bytes come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clonecodec.plain import loads_plain
from transport.socket_frames import (
    ABORT,
    ACK,
    ACKNOWLEDGED,
    BEGIN,
    CONTROL,
    END,
    HEADER,
    MESSAGE,
    MORE,
    MOST,
    PING,
    PONG,
    PROBE,
    REASONS,
    ProtocolError,
    read_table,
)
from transport.socket_limits import SHORT, SMALLEST_FRAME
from transport.socket_message import Arrived, Assembly

if TYPE_CHECKING:
    from transport.socket_connection import Connection
    from transport.socket_link import SocketLink
    from transport.socket_stream import Stream

unpack_header: Final = HEADER.unpack_from
HEADER_SIZE: Final = HEADER.size

READ: Final = 64 << 10
"""Bytes that are read at once when frames are short."""

AHEAD: Final = 16 << 10
"""Bytes that are read behind a long body, to have the next header."""

TURN: Final = 1 << 20
"""Bytes after which other descriptors have their turn."""


class Reader:
    """The way in."""

    def __init__(self, connection: Connection, stream: Stream) -> None:
        self._connection: Final = connection
        self._stream: Final = stream
        self._rest = b""
        """The beginning of a frame that has not come whole."""
        self._body: Assembly | None = None
        """Where the bytes of the frame that is under way go."""
        self._link: SocketLink | None = None
        self._left = 0
        """Bytes of that frame that have not come yet."""
        self._ahead: Final = bytearray(AHEAD)

    def read(self) -> bool:
        """Read what there is, but not without end.  False when the other side has ended the connection.

        Raises:
            ProtocolError, HandshakeError: it broke a rule.
            OSError: the connection is broken.
        """
        budget = TURN
        connection = self._connection
        while budget > 0 or self._stream.buffered():
            try:
                size = self._read_body() if self._left else self._read_frames()
            except BlockingIOError:
                return True
            except InterruptedError:
                continue
            if size == 0:
                return False
            connection.heard()
            if size < AHEAD and not self._stream.buffered():
                return True  # that was all; if it was not, we are called again
            budget -= size
        return True

    def _read_frames(self) -> int:
        data = self._stream.recv(READ)
        size = len(data)
        if size:
            self._feed(data)
        return size

    def _read_body(self) -> int:
        """Read into the memory of the message itself, and a little further."""
        assert self._body is not None
        room = self._body.room(self._left)
        with memoryview(self._ahead) as ahead:
            try:
                size = self._stream.recv_into(room, ahead)
                inside = min(size, len(room))
            finally:
                room.release()
            rest = bytes(ahead[: size - inside])
        if size == 0:
            return 0
        self._body.filled(inside)
        self._left -= inside
        if rest and self._left:  # the room was shorter than the body: there is a part behind this one
            more = rest[: self._left]
            self._body.write(memoryview(more))
            self._left -= len(more)
            rest = rest[len(more) :]
        if not self._left:
            assert self._link is not None
            self._body_ended(self._link, self._body)
        if rest:
            self._feed(rest)
        return size

    def _body_ended(self, link: SocketLink, body: Assembly) -> None:
        self._body = self._link = None
        if body.whole:
            link.assembly = None
            link.arrived(body.arrived(link))
        else:
            link.grant()

    def _feed(self, data: bytes) -> None:
        connection = self._connection
        if not connection.established:
            rest = connection.read_handshake(data)
            if rest is None:
                return
            data = rest
        elif self._rest:
            data = self._rest + data
        self._rest = b""
        offset = self._frames(data)
        if offset < len(data):
            self._rest = data[offset:]

    def _frames(self, data: bytes) -> int:
        """Parse the frames in *data*; return where one begins that is not whole."""
        links = self._connection.links
        limit = self._connection.limits.frame_size
        offset, size = 0, len(data)
        while size - offset >= HEADER_SIZE:
            kind, number, length = unpack_header(data, offset)
            start = offset + HEADER_SIZE
            stop = start + length
            if length > limit:
                raise ProtocolError(f"a frame of {length} bytes; {limit} are taken")
            if kind == MESSAGE and stop <= size:
                offset = self._messages(self._data_link(links.get(number), number), data, offset, stop)
            elif kind in CONTROL:
                self._check_length(kind, length)
                if stop > size:
                    return offset
                self._control(kind, number, data[start:stop])
                offset = stop
            else:
                offset = self._long(kind, number, data, start, stop)
                if offset < start:
                    return offset
        return offset

    def _messages(self, link: SocketLink, data: bytes, offset: int, stop: int) -> int:
        """Take the message between *offset* and *stop*, and short ones for the same channel right behind it.

        Returns:
            Where the next frame begins.
        """
        unpack, read, head = unpack_header, loads_plain, HEADER_SIZE
        number, alone = link.number, link.alone
        size = len(data)
        messages: list[object] = []
        sizes: list[int] = []
        while True:
            payload = data[offset + head : stop]
            length = stop - offset - head
            value = read(payload) if alone and length <= SHORT else NotImplemented
            messages.append(Arrived(payload, link) if value is NotImplemented else value)
            sizes.append(length)
            offset = stop
            if size - offset < head:
                break
            kind, channel, length = unpack(data, offset)
            stop = offset + head + length
            if kind != MESSAGE or channel != number or length > SHORT or stop > size:
                break
        link.arrived_together(messages, sizes)
        return offset

    @staticmethod
    def _data_link(link: SocketLink | None, number: int) -> SocketLink:
        if link is None:
            raise ProtocolError(f"a message on channel {number}, which is not open")
        if link.assembly is not None:
            raise ProtocolError(f"a message on channel {number} within another")
        return link

    @staticmethod
    def _check_length(kind: int, length: int) -> None:
        least, most = CONTROL[kind]
        if not least <= length <= most:
            raise ProtocolError(f"a frame of kind {kind} with {length} bytes")

    def _long(self, kind: int, number: int, data: bytes, start: int, stop: int) -> int:
        """A fragment, or a message that has not come whole.  Where to go on; before *start* means: wait."""
        link = self._connection.links.get(number)
        begin = start
        if kind == MORE:
            if link is None or link.assembly is None:
                raise ProtocolError(f"a fragment on channel {number}, where no message is under way")
            assembly = link.assembly
            if stop - start > assembly.left:
                raise ProtocolError("a fragment that is longer than its message")
            link.came(stop - start)
        elif kind == MESSAGE:
            link = self._data_link(link, number)
            if stop - start > self._connection.limits.message_size:
                raise ProtocolError(f"a message of {stop - start} bytes is too long")
            link.came(stop - start)
            assembly = link.assembly = Assembly.of_payload(stop - start)
        elif kind == BEGIN:
            link = self._data_link(link, number)
            limits = self._connection.limits
            table_end = min(stop, len(data))
            if table_end < stop and table_end - start < SMALLEST_FRAME:
                return start - HEADER_SIZE  # the table may not have come whole
            table = read_table(
                data, start, table_end, most=limits.message_size, ports=limits.ports_per_message
            )
            if stop - start > table.total:
                raise ProtocolError("a fragment that is longer than its message")
            link.came(stop - start, table=table.size)
            ends = [self._connection.accept_channel(channel) for channel in table.ports]
            assembly = link.assembly = Assembly.of_table(table, ends)
            begin += table.size
        else:
            raise ProtocolError(f"a frame of kind {kind}, which there is not")
        return self._body_begins(link, assembly, data, begin, stop)

    def _body_begins(self, link: SocketLink, assembly: Assembly, data: bytes, start: int, stop: int) -> int:
        """Move what there is of a body to its place; the rest is read there."""
        there = min(stop, len(data))
        assembly.write(memoryview(data)[start:there])
        self._left = stop - there
        if self._left:
            self._link, self._body = link, assembly
        else:
            self._body_ended(link, assembly)
        return there

    def _control(self, kind: int, number: int, body: bytes) -> None:
        connection = self._connection
        if kind == PING:
            connection.writer.call(connection.writer.pong)
        elif kind == ABORT:
            raise ProtocolError(body.decode(errors="replace"))
        elif kind != PONG:
            link = connection.links.get(number)
            if link is None or link.heard_end:
                raise ProtocolError(f"a frame of kind {kind} on channel {number}, which is not open")
            if kind == END:
                reason = REASONS.get(body[0])
                if reason is None:
                    raise ProtocolError(f"an end for reason {body[0]}, which there is not")
                connection.heard_end(link, reason)
            elif kind == ACK:
                credit, taken = ACKNOWLEDGED.unpack(body)
                if credit > MOST or link.credit > MOST:
                    raise ProtocolError("more credit than there are bytes")
                link.on_ack(credit, taken)
            else:
                assert kind == PROBE
                link.on_probe()

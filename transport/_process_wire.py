"""What goes through the socketpair of a process channel: frames, some with file descriptors.

    frame    = header  body  segment*
    header   = kind:u8  lost:u8  descriptors:u16  records:u32  length:u64  taken:u64    24 bytes
    body     = record*  payload                                                         *length* bytes
             | size:u32 *records*  payload*                                             of a BATCH
    record   = kind:u32  descriptors:u32  size:u64  length:u64  maximum:u64             an attachment
    segment  = *size* bytes of the record at its place: big buffers, out of band, never joined with
               anything

Both ends are on one machine, so numbers are in its byte order.  *taken* tells, in whatever frame comes next,
how many bytes of messages have been taken since the last one told.

Descriptors go with the first byte of the frame that counts them, so they never arrive later than it.  One
``sendmsg`` takes 253 at most: a frame that has more is preceded by MORE frames with 253 each.  Several frames
that go together are preceded by one MORE with all their descriptors; *records* says how many frames.  *lost*
is 1 if some were lost on their way, because a process had no room for more.
"""

from __future__ import annotations

import os
import struct
from array import array
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

from transport.message import CloseReason

HEADER: Final = struct.Struct("=BBHIQQ")
RECORD: Final = struct.Struct("=IIQQQ")

MESSAGE: Final = 1  # a clone, with its attachments                    payload: V8's format
ACK: Final = 2  # nothing but *taken*                              no body
ASK: Final = 3  # "acknowledge at once what you take": somebody waits for it
END: Final = 4  # records: index into REASONS                     no body
MORE: Final = 5  # descriptors of the next frame, or of *records*  no body
BAD: Final = 6  # a message that could not be packed on its way   payload: why, in UTF-8
CLAIM: Final = 7  # length: pid of the process that owns this end   its pidfd, no body
DISOWN: Final = 8  # the process that claimed the end has passed it on
BATCH: Final = 9  # *records* clones without attachments             payloads, and their sizes before them
KINDS: Final = frozenset(range(MESSAGE, BATCH + 1))

BODILESS: Final = frozenset({ACK, ASK, END, MORE, CLAIM, DISOWN})

REASONS: Final = tuple(CloseReason)

MAX_DESCRIPTORS: Final = 253
"""In one ``sendmsg``: the kernel's SCM_MAX_FD."""

SMALL: Final = 1 << 16
"""Buffers of at least so many bytes are segments.  (A copy of less costs no more than a system call.)"""

_SIZE: Final = array("I").itemsize

Octets: TypeAlias = "bytes | bytearray | memoryview"


class Descriptor:
    """A file descriptor with one owner, closed when that goes."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def release(self) -> int:
        """Give it up: the caller closes it."""
        number, self.number = self.number, -1
        return number

    def close(self) -> None:
        if self.number >= 0:
            os.close(self.release())

    __del__ = close


class Borrowed:
    """A file descriptor of *keeper*, which is kept alive until this goes."""

    __slots__ = ("keeper", "number")

    def __init__(self, number: int, keeper: object) -> None:
        self.number = number
        self.keeper = keeper


Handle: TypeAlias = "Descriptor | Borrowed"


class Record(NamedTuple):
    """An attachment of a message, as its frame describes it."""

    kind: int
    descriptors: int = 0
    size: int = 0
    length: int = 0
    maximum: int = 0
    """One more than a resizable buffer's; 0 for any other."""


class Chunk(NamedTuple):
    """What one ``sendmsg`` begins with: the descriptors, and the bytes that follow them."""

    views: Sequence[Octets]
    handles: Sequence[Handle] = ()


def control(kind: int, records: int = 0, taken: int = 0) -> bytes:
    """A frame without body and descriptors."""
    return HEADER.pack(kind, 0, 0, records, 0, taken)


def framed(payload: bytes, taken: int = 0) -> bytes:
    """A message without attachments."""
    return HEADER.pack(MESSAGE, 0, 0, 0, len(payload), taken) + payload


def batch(payloads: Sequence[bytes], taken: int = 0) -> bytes:
    """Messages without attachments, as one frame."""
    sizes = array("I", map(len, payloads)).tobytes()
    body = b"".join(payloads)
    return HEADER.pack(BATCH, 0, 0, len(payloads), len(sizes) + len(body), taken) + sizes + body


def unbatch(body: bytes, count: int) -> list[bytes]:
    """The payloads in the body of a BATCH.

    Raises:
        FrameError: it contradicts itself.
    """
    start = count * _SIZE
    sizes = array("I", body[:start]) if start <= len(body) else ()
    if len(sizes) != count or start + sum(sizes) != len(body):
        raise FrameError("the messages of a batch are not of the sizes that it says")
    payloads = []
    for size in sizes:
        stop = start + size
        payloads.append(body[start:stop])
        start = stop
    return payloads


def chunks(
    kind: int,
    payload: Octets,
    records: Sequence[Record],
    segments: Sequence[Octets],
    handles: Sequence[Handle],
    *,
    lost: bool = False,
    taken: int = 0,
) -> list[Chunk]:
    """A frame with attachments: one chunk, or several if it has too many descriptors for one."""
    result = []
    while len(handles) > MAX_DESCRIPTORS:
        result.append(Chunk([HEADER.pack(MORE, 0, MAX_DESCRIPTORS, 0, 0, 0)], handles[:MAX_DESCRIPTORS]))
        handles = handles[MAX_DESCRIPTORS:]
    manifest = b"".join([RECORD.pack(*record) for record in records])
    head = HEADER.pack(kind, lost, len(handles), len(records), len(manifest) + len(payload), taken) + manifest
    views: list[Octets] = [head + payload] if len(payload) < SMALL else [head, payload]
    views += filter(len, segments)
    result.append(Chunk(views, handles))
    return result


def together(entries: Sequence[Chunk]) -> Chunk:
    """Whole frames, each with its descriptors, as one chunk."""
    handles = [handle for entry in entries for handle in entry.handles]
    views = [view for entry in entries for view in entry.views]
    return Chunk([HEADER.pack(MORE, 0, len(handles), len(entries), 0, 0), *views], handles)


class Frame:
    """A frame that came in."""

    __slots__ = ("body", "handles", "kind", "length", "lost", "payload_start", "records", "segments")

    def __init__(self, kind: int, records: int, length: int) -> None:
        self.kind = kind
        self.length = length
        self.payload_start = records * RECORD.size
        """Where in the body the payload begins; for END, the body is empty, and this tells the reason."""
        self.body: bytes | bytearray = b""
        self.records: list[Record] = []
        self.segments: list[bytearray] = []
        self.handles: list[Descriptor] = []
        self.lost = False
        """Did descriptors get lost, as this process has no room for more?"""

    def payload(self) -> bytes | bytearray:
        return self.body[self.payload_start :] if self.payload_start else self.body

    def read_records(self) -> None:
        """Look at the attachments, for which memory is needed.

        Raises:
            FrameError: the frame contradicts itself.
        """
        if self.payload_start > len(self.body):
            raise FrameError("a frame's records do not fit in its body")
        count = 0
        for fields in RECORD.iter_unpack(self.body[: self.payload_start]):
            record = Record(*fields)
            self.records.append(record)
            count += record.descriptors
        if count != len(self.handles) and not self.lost:
            raise FrameError("a frame's descriptors are not those of its records")


class FrameError(Exception):
    """The other side broke the protocol."""

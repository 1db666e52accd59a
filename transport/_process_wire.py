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
``sendmsg`` takes 253 at most: a frame that has more is preceded by MORE frames with 253 each.  *lost* is 1 if
some were lost on their way, because a process had no room for more.
"""

from __future__ import annotations

import os
import struct
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from transport.message import CloseReason

HEADER: Final = struct.Struct("=BBHIQQ")
RECORD: Final = struct.Struct("=IIQQQ")

MESSAGE: Final = 1  # a clone, with its attachments                    payload: V8's format
ACK: Final = 2  # nothing but *taken*                              no body
ASK: Final = 3  # "acknowledge at once what you take": somebody waits for it
END: Final = 4  # records: index into REASONS                     no body
MORE: Final = 5  # descriptors of the next frame                   no body
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


def control(kind: int, records: int = 0, length: int = 0, taken: int = 0) -> bytes:
    """A frame without body and descriptors."""
    return HEADER.pack(kind, 0, 0, records, length, taken)


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
    manifest = b"".join(RECORD.pack(*record) for record in records)
    header = HEADER.pack(kind, lost, len(handles), len(records), len(manifest) + len(payload), taken)
    head: list[Octets] = (
        [header + manifest + payload] if len(payload) < SMALL else [header + manifest, payload]
    )
    result.append(Chunk(head + [segment for segment in segments if len(segment)], handles))
    return result


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

    def payload(self) -> bytes:
        return bytes(memoryview(self.body)[self.payload_start :])

    def read_records(self) -> None:
        """Look at the attachments, for which memory is needed.

        Raises:
            FrameError: the frame contradicts itself.
        """
        if self.payload_start > len(self.body):
            raise FrameError("a frame's records do not fit in its body")
        self.records = [Record(*fields) for fields in RECORD.iter_unpack(self.body[: self.payload_start])]
        if sum(record.descriptors for record in self.records) != len(self.handles) and not self.lost:
            raise FrameError("a frame's descriptors are not those of its records")


class FrameError(Exception):
    """The other side broke the protocol."""


class FrameReader:
    """Takes a stream apart into frames, however it is cut.

    ``feed`` takes what was read, unless there is memory in ``unfilled``: that is where it should be read to,
    and ``filled`` is told of it.
    """

    def __init__(
        self,
        on_messages: Callable[[Sequence[bytes]], None],
        on_frame: Callable[[Frame], None],
        on_taken: Callable[[int], None],
    ) -> None:
        self._on_messages: Final = on_messages
        """Called with the payloads of messages without attachments: nearly all of them."""
        self._on_frame: Final = on_frame
        """Called with every other frame."""
        self._on_taken: Final = on_taken
        """Called when a frame says that the other side has taken so many bytes."""
        self._rest = b""
        """The beginning of a header or of a short body."""
        self._frame: Frame | None = None
        self.unfilled: Final[deque[memoryview]] = deque()
        """Memory that the next bytes belong in, if big pieces of a frame are awaited."""
        self._groups: Final[deque[tuple[list[Descriptor], bool]]] = deque()
        self._more: list[Descriptor] = []
        self._lost = False

    # ------------------------------------------------------------------ descriptors

    def feed_handles(self, handles: list[Descriptor], *, lost: bool = False) -> None:
        """The descriptors that one ``recvmsg`` gave; *lost* if there were more, but no room."""
        self._groups.append((handles, lost))

    def _group(self, count: int) -> list[Descriptor]:
        if not self._groups:
            raise FrameError("a frame's descriptors did not come")
        handles, lost = self._groups.popleft()
        if len(handles) != count and not lost:
            raise FrameError(f"a frame of {count} descriptors came with {len(handles)}")
        self._lost |= lost
        return handles

    # ------------------------------------------------------------------ bytes

    def filled(self, count: int) -> None:
        """*count* bytes were read into the first of ``unfilled``."""
        target = self.unfilled[0]
        if count < len(target):
            self.unfilled[0] = target[count:]
            return
        self.unfilled.popleft()
        self._piece_done()

    def feed(self, data: memoryview) -> None:
        """Bytes that were read.  They are copied where they are kept.

        Raises:
            FrameError: they are not what a peer of ours sends.
        """
        if self._rest:
            data = memoryview(self._rest + data)
            self._rest = b""
        offset, size = 0, len(data)
        unpack = HEADER.unpack_from
        while True:
            if self.unfilled:
                target = self.unfilled[0]
                count = min(len(target), size - offset)
                target[:count] = data[offset : offset + count]
                offset += count
                if count:
                    self.filled(count)
                if self.unfilled and offset == size:
                    return
                continue
            if size - offset < HEADER.size:
                break
            kind, lost, descriptors, records, length, taken = unpack(data, offset)
            start = offset + HEADER.size
            stop = start + length
            if stop <= size and not descriptors:
                if kind == MESSAGE and not records:
                    if taken:
                        self._on_taken(taken)
                    self._on_messages((data[start:stop].tobytes(),))
                    offset = stop
                    continue
                if kind == BATCH:
                    if taken:
                        self._on_taken(taken)
                    self._on_messages(unbatch(data[start:stop].tobytes(), records))
                    offset = stop
                    continue
            if kind in BODILESS or stop <= size:
                self._begin(kind, descriptors, records, length, bool(lost), taken)
                if kind not in BODILESS:
                    self._body(data[start:stop].tobytes())
                    offset = stop
                else:
                    offset = start
            elif length < SMALL:
                break
            else:
                self._begin(kind, descriptors, records, length, bool(lost), taken)
                body = self._allocate(length)
                assert self._frame is not None
                self._frame.body = body
                self.unfilled.append(memoryview(body))
                offset = start
        if offset < size:
            self._rest = data[offset:].tobytes()

    @staticmethod
    def _allocate(length: int) -> bytearray:
        try:
            return bytearray(length)
        except (MemoryError, OverflowError):
            raise FrameError(f"a frame claims {length} bytes") from None

    def _begin(self, kind: int, descriptors: int, records: int, length: int, lost: bool, taken: int) -> None:
        if kind not in KINDS:
            raise FrameError(f"a frame of unknown kind {kind}")
        if taken:
            self._on_taken(taken)
        handles = self._group(descriptors) if descriptors else []
        if kind == MORE:
            self._more += handles
            self._lost |= lost
            return
        frame = Frame(kind, records, length)
        if self._more:
            handles, self._more = self._more + handles, []
        frame.handles = handles
        frame.lost, self._lost = self._lost or lost, False
        if kind in BODILESS:
            if kind == END:
                if records >= len(REASONS):
                    raise FrameError("a channel ends for no known reason")
                frame.payload_start = records
            self._on_frame(frame)
        else:
            self._frame = frame

    def _body(self, body: bytes | bytearray) -> None:
        frame = self._frame
        assert frame is not None
        frame.body = body
        if frame.kind == BATCH:
            self._frame = None
            self._on_messages(unbatch(bytes(body), frame.payload_start // RECORD.size))
            return
        frame.read_records()
        for record in frame.records:
            segment = self._allocate(record.size)
            frame.segments.append(segment)
            if segment:
                self.unfilled.append(memoryview(segment))
        if not self.unfilled:
            self._done()

    def _piece_done(self) -> None:
        frame = self._frame
        assert frame is not None
        if isinstance(frame.body, bytearray) and not frame.records:
            self._body(frame.body)
        elif not self.unfilled:
            self._done()

    def _done(self) -> None:
        frame, self._frame = self._frame, None
        assert frame is not None
        self._on_frame(frame)

    # ------------------------------------------------------------------ moving

    def half_read(self) -> Iterator[Chunk]:
        """All that was read and is no whole frame yet, for another reader to go on with."""
        frame, self._frame = self._frame, None
        if frame is not None:
            yield from _again(frame, self.unfilled)
            self.unfilled.clear()
        if self._more:
            yield Chunk([HEADER.pack(MORE, self._lost, len(self._more), 0, 0, 0)], self._more)
            self._more = []
        rest, self._rest = self._rest, b""
        groups = list(self._groups)
        self._groups.clear()
        for number, (handles, _) in enumerate(groups):
            yield Chunk([rest] if number == 0 else [], handles)
        if rest and not groups:
            yield Chunk([rest])


def _again(frame: Frame, unfilled: Sequence[memoryview]) -> Iterator[Chunk]:
    """The part of a frame that has come, as it came."""
    left = sum(map(len, unfilled))
    whole: list[Octets] = [frame.body, *frame.segments]
    total = sum(map(len, whole)) - left
    pieces: list[Octets] = []
    for piece in whole:
        count = min(total, len(piece))
        total -= count
        if count:
            pieces.append(memoryview(piece)[:count])
    handles: Sequence[Descriptor] = frame.handles
    while len(handles) > MAX_DESCRIPTORS:
        yield Chunk([HEADER.pack(MORE, 0, MAX_DESCRIPTORS, 0, 0, 0)], handles[:MAX_DESCRIPTORS])
        handles = handles[MAX_DESCRIPTORS:]
    records = frame.payload_start // RECORD.size
    header = HEADER.pack(frame.kind, frame.lost, len(handles), records, frame.length, 0)
    yield Chunk([header, *pieces], handles)


def handles_in(ancillary: Sequence[tuple[int, int, bytes]]) -> list[Descriptor]:
    """The descriptors in what ``recvmsg`` returned."""
    import socket  # who calls this has it

    numbers = array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            numbers.frombytes(data[: len(data) // numbers.itemsize * numbers.itemsize])
    return [Descriptor(number) for number in numbers]

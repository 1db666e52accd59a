"""A process channel's stream, taken apart into frames, however it is cut.

    recvmsg ─┬─ descriptors ─ feed_handles ─> groups ─┐
             └─ bytes ─ feed, or filled ──────────────┴─> on_messages  on_frame  on_taken

The descriptors of a frame never come later than its first byte, and in the order of the frames.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from socket import SCM_RIGHTS, SOL_SOCKET
from typing import Final

from transport._process_wire import (
    BATCH,
    BODILESS,
    END,
    HEADER,
    KINDS,
    MAX_DESCRIPTORS,
    MESSAGE,
    MORE,
    REASONS,
    RECORD,
    SMALL,
    Chunk,
    Descriptor,
    Frame,
    FrameError,
    Octets,
    unbatch,
)

_unpack: Final = HEADER.unpack_from
_BEFORE: Final = HEADER.size
_NOTHING: Final = memoryview(b"")
_INT: Final = array("i").itemsize


class FrameReader:
    """Takes a stream apart into frames.

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
        self._common: _Common | None = None
        self._lost = False

    # ------------------------------------------------------------------ descriptors

    def feed_handles(self, handles: list[Descriptor], *, lost: bool = False) -> None:
        """The descriptors that one ``recvmsg`` gave; *lost* if there were more, but no room."""
        self._groups.append((handles, lost))

    def _group(self, count: int) -> tuple[list[Descriptor], bool]:
        """Those of the next frame, and whether some of them are lost."""
        if self._common is not None:
            handles, lost = self._common.take(count)
            if not self._common.frames:
                self._common = None
        elif self._groups:
            handles, lost = self._groups.popleft()
        else:
            raise FrameError("a frame's descriptors did not come")
        if len(handles) != count and not lost:
            raise FrameError(f"a frame of {count} descriptors came with {len(handles)}")
        return handles, lost

    # ------------------------------------------------------------------ bytes

    def filled(self, count: int) -> None:
        """*count* bytes were read into the first of ``unfilled``."""
        target = self.unfilled[0]
        if count < len(target):
            self.unfilled[0] = target[count:]
            return
        self.unfilled.popleft()
        self._piece_done()

    def came(self, data: memoryview, size: int) -> None:
        """What one call has read, at the beginning of *data*: one whole frame, nearly always.

        Raises:
            FrameError: as ``feed``.
        """
        if size > _BEFORE and not (self._rest or self.unfilled):
            kind, lost, descriptors, records, length, taken = _unpack(data)
            if kind == MESSAGE and length == size - _BEFORE:
                if descriptors or records:
                    self._begin(kind, descriptors, records, length, bool(lost), taken)
                    self._body(data[_BEFORE:size].tobytes())
                    return
                if taken:
                    self._on_taken(taken)
                self._on_messages((data[_BEFORE:size].tobytes(),))
                return
        self.feed(data[:size])

    def feed(self, data: memoryview) -> None:
        """Bytes that were read.  They are copied where they are kept.

        Raises:
            FrameError: they are not what a peer of ours sends.
        """
        if self._rest:
            data = memoryview(self._rest + data)
            self._rest = b""
        offset, size = 0, len(data)
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
            kind, lost, descriptors, records, length, taken = _unpack(data, offset)
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
                    offset = stop + self._body(data[start:stop].tobytes(), data[stop:])
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
        handles, gone = self._group(descriptors) if descriptors else ([], False)
        lost |= gone
        if kind == MORE and records:
            self._common = _Common(handles, records, lost=lost)
            return
        lost |= self._lost
        if self._more:
            handles, self._more = self._more + handles, []
        if kind == MORE:
            self._more, self._lost = handles, lost
            return
        frame = Frame(kind, records, length)
        frame.handles = handles
        frame.lost, self._lost = lost, False
        if kind in BODILESS:
            if kind == END:
                if records >= len(REASONS):
                    raise FrameError("a channel ends for no known reason")
                frame.payload_start = records
            self._on_frame(frame)
        else:
            self._frame = frame

    def _body(self, body: bytes | bytearray, behind: memoryview = _NOTHING) -> int:
        """All of the body is here; the segments, too, as far as they are whole in what came *behind* it.

        Returns:
            How much of that they took.
        """
        frame = self._frame
        assert frame is not None
        frame.body = body
        if frame.kind == BATCH:
            self._frame = None
            self._on_messages(unbatch(bytes(body), frame.payload_start // RECORD.size))
            return 0
        frame.read_records()
        start = 0
        for record in frame.records:
            stop = start + record.size
            if stop <= len(behind) and not self.unfilled:
                frame.segments.append(bytearray(behind[start:stop]))
                start = stop
                continue
            segment = self._allocate(record.size)
            frame.segments.append(segment)
            if segment:
                self.unfilled.append(memoryview(segment))
        if not self.unfilled:
            self._done()
        return start

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
        entries = [] if frame is None else [*_again(frame, self.unfilled)]
        self.unfilled.clear()
        if self._more or self._lost:  # of a frame that has not begun, the first of those with common ones
            yield Chunk([HEADER.pack(MORE, self._lost, len(self._more), 0, 0, 0)], self._more)
            self._more, self._lost = [], False
        common, self._common = self._common, None
        if common is not None:
            handles = [*(handle for entry in entries for handle in entry.handles), *common.handles]
            frames = len(entries) + common.frames
            yield Chunk([HEADER.pack(MORE, common.lost, len(handles), frames, 0, 0)], handles)
            entries = [Chunk(entry.views) for entry in entries]
        yield from entries
        rest, self._rest = self._rest, b""
        groups = list(self._groups)
        self._groups.clear()
        for number, (group, _) in enumerate(groups):
            yield Chunk([rest] if number == 0 else [], group)
        if rest and not groups:
            yield Chunk([rest])


class _Common:
    """The descriptors of *frames* that were written together, as far as they have not been read."""

    def __init__(self, handles: list[Descriptor], frames: int, *, lost: bool) -> None:
        self.handles = handles
        self.frames = frames
        self.lost: Final = lost

    def take(self, count: int) -> tuple[list[Descriptor], bool]:
        """Those of the next frame, and whether some of them are lost."""
        mine, self.handles = self.handles[:count], self.handles[count:]
        self.frames -= 1
        return mine, self.lost and len(mine) < count


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
    return [
        Descriptor(number)
        for level, kind, data in ancillary
        if level == SOL_SOCKET and kind == SCM_RIGHTS
        for number in array("i", data[: len(data) // _INT * _INT])
    ]

"""A message between processes: packed by the poster, queued by the reader, opened by who takes it.

    pack    value, transfer list  ──>  chunks to be written; the listed objects are dead then
    Plain   the payload of a message without attachments: ``open`` makes the value of it
    Parcel  a frame with attachments: ``open`` makes value, ports and buffers of it

How an end is put into a message and becomes an end again is the link's affair: it passes functions for that.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol, TypeAlias

from clonecodec import (
    ArrayBuffer,
    BufferToken,
    DataCloneError,
    DecodeError,
    SharedArrayBuffer,
    Transferable,
    check_transfer_list,
    take_all,
)
from clonecodec.plain import loads_plain
from transport._drop import drop, drop_all
from transport._end import End
from transport._process_codec import (
    COPIED_BYTES,
    LISTED,
    MOVED_BYTES,
    MOVED_MEMFD,
    MOVED_PORT,
    SHARED,
    PortDeserializer,
    PortSerializer,
)
from transport._process_reader import FrameReader
from transport._process_socket import Side
from transport._process_wire import (
    BAD,
    MESSAGE,
    Borrowed,
    Chunk,
    Descriptor,
    Frame,
    Handle,
    Octets,
    Record,
    chunks,
)
from transport.link import NOTHING_LISTED
from transport.message import Opened, Sealed
from transport.port import open_port

Shipped: TypeAlias = tuple[bytes, Sequence[Handle]]
"""An end, as it travels: its state, and descriptors of which the first is the socket."""

Adopt: TypeAlias = Callable[[bytes, "list[Descriptor]"], End]


ALONE: Final = b"\0"
"""The payload of a message that is nothing but the first of what it moves.  (V8's format begins with ff.)"""


class Freight(Protocol):
    """Who puts ends into messages, and takes them out."""

    def reserve(self, items: Sequence[object]) -> list[Side]:
        """Sockets enough to ship *items* of a transfer list.  OSError if there are no descriptors."""

    def ship(self, tokens: Sequence[object], reserved: list[Side]) -> list[Shipped]:
        """Take the ends among *tokens* apart, so that they can be put together elsewhere."""

    def adopt(self, state: bytes, handles: list[Descriptor]) -> End:
        """Put an end together."""


class Packed:
    """A message that has been serialized; the transfer has not been made yet."""

    __slots__ = ("_payload", "_serializer", "items", "size", "tokens")

    def __init__(
        self, payload: bytes, serializer: PortSerializer | None, items: Sequence[Transferable]
    ) -> None:
        """What *serializer* has written, and *items* of its transfer list."""
        self.items: Final = items
        self._payload: Final = payload
        self._serializer: Final = serializer
        self.size = len(payload)
        self.tokens: Sequence[object] = ()

    def take(self) -> None:
        """Make the transfer.

        Raises:
            DataCloneError: something cannot be moved; nothing has been.
        """
        for buffer in self._serializer.copied() if self._serializer is not None else ():
            if buffer.detached:
                raise DataCloneError("the ArrayBuffer is detached and cannot be cloned")
        self.tokens = take_all(self.items)

    def chunks(self, shipped: Iterable[Shipped], taken: int = 0) -> list[Chunk]:
        """The frame; *shipped* has each end among the tokens, in their order."""
        ends = iter(shipped)
        records: list[Record] = []
        segments: list[Octets] = []
        handles: list[Handle] = []
        for token in self.tokens:
            if not isinstance(token, BufferToken):
                state, descriptors = next(ends)
                records.append(Record(MOVED_PORT, len(descriptors), len(state)))
                segments.append(state)
                handles += descriptors
                continue
            maximum = 0 if token.max_byte_length is None else token.max_byte_length + 1
            fd = token.fd
            if fd is not None:
                records.append(Record(MOVED_MEMFD, 1, 0, token.byte_length, maximum))
                handles.append(Borrowed(fd, token))
            else:
                octets = memoryview(token.memory)[: token.byte_length].toreadonly()
                records.append(Record(MOVED_BYTES, 0, len(octets), len(octets), maximum))
                segments.append(octets)
        serializer = self._serializer
        if serializer is not None:
            records += serializer.records
            segments += serializer.segments
            handles += serializer.handles
        self.size += sum(map(len, segments))
        return chunks(MESSAGE, self._payload, records, segments, handles, taken=taken)


def pack(value: object, transfer: Iterable[object] = NOTHING_LISTED) -> Packed:
    """Check the list and serialize.

    Raises:
        DataCloneError: it cannot be done; nothing has changed.
    """
    items = () if transfer is NOTHING_LISTED else check_transfer_list(transfer)
    if len(items) == 1 and value is items[0]:
        return Packed(ALONE, None, items)
    serializer = PortSerializer(items)
    serializer.look_for_big_buffers(value)
    serializer.write_header()
    serializer.write_value(value)
    return Packed(serializer.release_buffer(), serializer, items)


def bad(reason: str) -> list[Chunk]:
    """The frame of a message that could not be packed on its way: a 'messageerror' for who takes it."""
    return chunks(BAD, reason.encode("utf-8", "replace"), (), (), ())


def _read(payload: Octets, live: Sequence[object]) -> object:
    """The value, with *live* for what is beside it."""
    value = NotImplemented if live else loads_plain(payload)
    if value is NotImplemented:
        deserializer = PortDeserializer(payload, live)
        deserializer.read_header()
        value = deserializer.read_value()
    return value


class Plain(Sealed, bytes):
    """A message that came in without attachments: nearly all of them.

    (A subclass of bytes, so that the garbage collector does not look through those that wait.)
    """

    __slots__ = ()

    @property
    def size(self) -> int:  # type: ignore[override]  # nobody sets it
        return len(self)

    def open(self) -> Opened:
        value = loads_plain(self)  # as ``_read``: this is the path of nearly every message
        return _read(self, ()) if value is NotImplemented else value, ()

    def dispose(self) -> Sequence[object]:
        return ()

    def again(self) -> list[Chunk]:
        """The frame that it came in, to be passed on."""
        return chunks(MESSAGE, self, (), (), ())


class Parcel(Sealed):
    """A message that came in with attachments, or instead of one that could not be packed."""

    __slots__ = ("_adopt", "_frame", "_payload", "size")

    def __init__(self, frame: Frame, adopt: Adopt) -> None:
        self._payload = frame.payload()
        self._frame: Frame | None = frame
        self._adopt = adopt
        self.size = len(self._payload) + sum(map(len, frame.segments))

    def open(self) -> Opened:
        frame = self._frame
        assert frame is not None
        live: list[object] = []
        try:
            if frame.kind == BAD:
                raise DecodeError(self._payload.decode("utf-8", "replace"), 0)
            listed = self._build(frame, live)
            value = live[0] if self._payload == ALONE and listed else _read(self._payload, live)
        except BaseException:
            drop_all([*live, *self.dispose()])
            raise
        self._frame = None
        return value, live[:listed]

    def _build(self, frame: Frame, live: list[object]) -> int:
        """Make the objects beside the message, in *live*; how many of them were listed."""
        if frame.lost:
            raise DecodeError("descriptors were lost: this process has too many files open", 0)
        records, segments = frame.records, frame.segments
        frame.records, frame.segments = [], []
        listed = 0
        try:
            for record, segment in zip(records, segments, strict=True):
                count = record.descriptors
                handles, frame.handles = frame.handles[:count], frame.handles[count:]
                live.append(_build(record, segment, handles, self._adopt))
                if record.kind in LISTED:
                    listed += 1
        except (ValueError, OSError, ImportError, IndexError, struct.error) as error:
            # (ImportError: there is no descriptor to load the module mmap.)
            frame.records, frame.segments = records[len(live) + 1 :], segments[len(live) + 1 :]
            raise DecodeError(f"an attachment of the message is of no use: {error}", 0) from None
        return listed

    def dispose(self) -> Sequence[object]:
        frame, self._frame = self._frame, None
        if frame is None:
            return ()
        ends: list[object] = []
        handles = frame.handles
        for record, segment in zip(frame.records, frame.segments, strict=True):
            mine, handles = handles[: record.descriptors], handles[record.descriptors :]
            if record.kind == MOVED_PORT and mine and len(mine) == record.descriptors:
                ends.append(self._adopt(bytes(segment), mine))
        frame.handles = []
        return ends

    def again(self) -> list[Chunk]:
        """The frame that it came in, to be passed on."""
        frame = self._frame
        assert frame is not None
        return chunks(
            frame.kind, self._payload, frame.records, frame.segments, list(frame.handles), lost=frame.lost
        )


def _build(record: Record, segment: bytearray, handles: list[Descriptor], adopt: Adopt) -> object:
    """The object that *record* describes."""
    maximum = record.maximum - 1 if record.maximum else None
    if record.kind == MOVED_PORT:
        return open_port(adopt(bytes(segment), handles), arrived=True)
    if record.kind == MOVED_MEMFD:
        token = BufferToken.from_fd(handles[0].release(), record.length, maximum)
        return ArrayBuffer.transfer_build(token)
    if record.kind in (MOVED_BYTES, COPIED_BYTES):
        return ArrayBuffer.transfer_build(BufferToken(segment, len(segment), maximum))
    if record.kind == SHARED:
        return SharedArrayBuffer.from_fd(handles[0].release(), record.length)
    return segment


def drop_frames(entries: Iterable[Chunk], adopt: Adopt) -> tuple[int, int]:
    """Close the ports in frames that will not be written.

    Returns:
        How much the messages in them counted for, and how much they said had been taken.
    """
    sizes: list[int] = []
    taken: list[int] = []

    def hear_frame(frame: Frame) -> None:
        if frame.kind == MESSAGE:
            parcel = Parcel(frame, adopt)
            sizes.append(parcel.size)
            drop(parcel)

    reader = FrameReader(lambda payloads: sizes.extend(map(len, payloads)), hear_frame, taken.append)
    for entry in entries:
        if entry.handles:
            reader.feed_handles([_owned(handle) for handle in entry.handles])
        for view in entry.views:
            reader.feed(memoryview(view))
    return sum(sizes), sum(taken)


def _owned(handle: Handle) -> Descriptor:
    """*handle*, if it is to be disposed of; a stand-in if it is only lent."""
    return handle if isinstance(handle, Descriptor) else Descriptor(-1)

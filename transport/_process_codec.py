"""What a value is between processes: V8's format, with host objects for ports and for views.

    host object = PORT         record
                | FROZEN       length bytes      bytes, which come back as a read-only memoryview
                | FROZEN_APART record            ... out of band, as they are big
                | OWN          kind length bytes any other view that has a buffer of its own
                | OWN_APART    kind record
                | ON           kind value offset length+1      on a buffer, which is a value; with 0 for the
                                                               length, up to the end of a resizable one

Views are host objects, so that big ones stay out of the payload and are never copied in Python; the codec
asks for nothing else, so that a message without views or ports costs nothing more.  (Short ``bytes`` of a
message that is ``plain`` are V8's views with a mark, which come back as the same.)  ArrayBuffers that move,
and big ones that are copied, are V8's own transferred buffers ('t'), with the number of their record.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from clonecodec import (
    ArrayBuffer,
    BufferToken,
    DataCloneError,
    DataView,
    DecodeError,
    Deserializer,
    Float16Array,
    Serializer,
    SharedArrayBuffer,
    Transferable,
    Uint8ClampedArray,
)
from clonecodec.buffers import view_of
from transport._process_wire import SMALL, Borrowed, Octets, Record

PORT, FROZEN, FROZEN_APART, OWN, OWN_APART, ON = range(6)

MOVED_PORT: Final = 1  # the state of an end, and its descriptors
MOVED_MEMFD: Final = 2  # an ArrayBuffer in a memfd: the descriptor
MOVED_BYTES: Final = 3  # any other ArrayBuffer that moves
LISTED: Final = frozenset({MOVED_PORT, MOVED_MEMFD, MOVED_BYTES})
COPIED_BYTES: Final = 4  # an ArrayBuffer that was not listed
SHARED: Final = 5  # a SharedArrayBuffer: the descriptor
APART: Final = 6  # what a view shows

FORMATS: Final = ("b", "B", "h", "H", "i", "I", "q", "Q", "f", "d")
CLASSES: Final = (DataView, Uint8ClampedArray, Float16Array)
"""The kinds of views: an index into FORMATS or, behind those, into CLASSES."""

_LONG: Final = "q" if struct.calcsize("l") == 8 else "i"
_KINDS: Final = {code: number for number, code in enumerate(FORMATS)}
_KINDS["l"] = _KINDS[_LONG]
_KINDS["L"] = _KINDS[_LONG.upper()]
_SIZES: Final = (1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 1, 1, 2)


_NOTHING: Final[Mapping[int, int]] = {}
_NO_BUFFERS: Final[Mapping[int, ArrayBuffer]] = {}


class PortSerializer(Serializer):
    """Writes a value, and gathers what goes beside it as records."""

    mark_read_only_bytes = True
    treat_array_buffer_views_as_host_objects = True

    def __init__(self, transfer: Sequence[Transferable] = ()) -> None:
        super().__init__(version=15)
        self.records: Sequence[Record] = ()
        """Of what is beside the value but not in the transfer list: those come first, and are numbered so."""
        self.segments: Sequence[Octets] = ()
        self.handles: Sequence[Borrowed] = ()
        self._listed: Mapping[int, int] = _NOTHING
        self._shared: Mapping[int, int] = _NOTHING
        self._apart: Mapping[int, ArrayBuffer] = _NO_BUFFERS
        if transfer:
            self._listed = {id(item): number for number, item in enumerate(transfer)}
            for number, item in enumerate(transfer):
                if isinstance(item, ArrayBuffer):
                    self.transfer_array_buffer(number, item)

    def _record(self, record: Record, segment: Octets) -> int:
        self.records = [*self.records, record]
        self.segments = [*self.segments, segment]
        return len(self._listed) + len(self.records) - 1

    def copy_apart(self, buffer: ArrayBuffer) -> None:
        """Have *buffer*, which is not listed, copied out of band, wherever it occurs."""
        if id(buffer) in self._listed or id(buffer) in self._apart or buffer.detached:
            return
        self._apart = {**self._apart, id(buffer): buffer}
        maximum = buffer.max_byte_length + 1 if buffer.resizable else 0
        record = Record(COPIED_BYTES, 0, buffer.byte_length, buffer.byte_length, maximum)
        self.transfer_array_buffer(self._record(record, buffer.view()), buffer)

    def copied(self) -> Iterable[ArrayBuffer]:
        """The buffers of ``copy_apart``."""
        return self._apart.values()

    def look_for_big_buffers(self, value: object) -> None:
        """Keep the big ArrayBuffers that lie at the top of *value* out of the payload."""
        kind = type(value)
        if kind is dict:
            items: Collection[object] = value.values()  # type: ignore[attr-defined]
        elif kind is list or kind is tuple:
            items = value  # type: ignore[assignment]
        else:
            items = (value,)
        if ArrayBuffer not in map(type, items):
            return
        for item in items:
            if type(item) is ArrayBuffer and item.byte_length >= SMALL:
                self.copy_apart(item)

    def get_shared_array_buffer_id(self, buffer: SharedArrayBuffer) -> int:
        number = self._shared.get(id(buffer))
        if number is None:
            if buffer.fd is None:
                raise DataCloneError("a SharedArrayBuffer is shared between processes on Linux only")
            self.handles = [*self.handles, Borrowed(buffer.fd, buffer)]
            number = self._record(Record(SHARED, 1, 0, buffer.byte_length), b"")
            self._shared = {**self._shared, id(buffer): number}
        return number

    def write_host_object(self, value: object) -> None:
        if isinstance(value, (bytes, bytearray)):
            frozen = isinstance(value, bytes)
            self._write_own(FROZEN if frozen else OWN, _KINDS["B"], value if frozen else memoryview(value))
            return
        number = self._listed.get(id(value))
        if number is not None and not isinstance(value, ArrayBuffer):
            self.write_uint32(PORT)
            self.write_uint32(number)
            return
        for number, kind in enumerate(CLASSES):
            if isinstance(value, kind):
                self._write_view(value, len(FORMATS) + number, value.view)
                return
        try:
            view = value if isinstance(value, memoryview) else memoryview(value)  # type: ignore[arg-type]
        except TypeError:
            super().write_host_object(value)
            return
        self._write_view(value, _KINDS.get(_format(view), -1), view)

    def _write_view(self, value: object, kind: int, view: memoryview) -> None:
        if kind < 0 or _format(view) == "":
            self._refuse(value)
        what = view_of(view)
        if what is None:
            octets = view.cast("B") if view.nbytes and view.c_contiguous else memoryview(view.tobytes())
            self._write_own(OWN, kind, octets)
            return
        buffer = what.buffer
        if isinstance(buffer, ArrayBuffer) and buffer.byte_length >= SMALL:
            self.copy_apart(buffer)
        self.write_uint32(ON)
        self.write_uint32(kind)
        self.write_value(buffer)
        self.write_uint64(what.offset)
        self.write_uint64(0 if what.tracking else view.nbytes // _SIZES[kind] + 1)

    @staticmethod
    def _refuse(value: object) -> None:
        """Raise what the codec itself says of a buffer that is no typed array, or that is gone."""
        try:
            Serializer(version=15).write_value(value)
        except DataCloneError as error:
            raise DataCloneError(error.reason) from None
        raise DataCloneError(f"a {type(value).__name__} cannot be cloned")

    def _write_own(self, tag: int, kind: int, octets: Octets) -> None:
        big = len(octets) >= SMALL
        self.write_uint32(tag + 1 if big else tag)
        if tag == OWN:
            self.write_uint32(kind)
        if big:
            self.write_uint32(self._record(Record(APART, 0, len(octets)), octets))
        else:
            self.write_uint64(len(octets))
            self.write_raw_bytes(octets)


def _format(view: memoryview) -> str:
    """The format of a view that may be cloned, else ''."""
    try:
        return view.format if view.ndim == 1 else ""
    except ValueError:  # it was released
        return ""


class PortDeserializer(Deserializer):
    """Reads a value; *live* has the object or the memory for each record."""

    def __init__(self, payload: Octets, live: Sequence[object] = ()) -> None:
        super().__init__(payload)
        self._live: Final = live
        for number, thing in enumerate(live):
            if isinstance(thing, (ArrayBuffer, SharedArrayBuffer)):
                self.transfer_array_buffer(number, thing)

    def read_host_object(self) -> object:
        start = self.offset
        tag = self.read_uint32()
        if tag == PORT:
            port = self._beside(start)
            if isinstance(port, (ArrayBuffer, SharedArrayBuffer, bytearray)):
                raise DecodeError("a port that is none", start)
            return port
        if tag == FROZEN:
            return memoryview(self.read_raw_bytes(self.read_uint64()))
        if tag == FROZEN_APART:
            return memoryview(self._memory(start)).toreadonly()
        kind = self.read_uint32()
        if tag not in (OWN, OWN_APART, ON) or kind >= len(_SIZES):
            raise DecodeError(f"a host object of no known kind, {tag} {kind}", start)
        try:
            if tag == OWN:
                return _view(kind, ArrayBuffer(self.read_raw_bytes(self.read_uint64())), 0, None)
            if tag == OWN_APART:
                memory = self._memory(start)
                token = BufferToken(memory, len(memory))
                return _view(kind, ArrayBuffer.transfer_build(token), 0, None)
            buffer = self.read_value()
            if not isinstance(buffer, (ArrayBuffer, SharedArrayBuffer)):
                raise DecodeError("a view on something that is no buffer", start)
            offset, length = self.read_uint64(), self.read_uint64()
            return _view(kind, buffer, offset, length - 1 if length else None)
        except ValueError as error:
            if isinstance(error, DecodeError):
                raise
            raise DecodeError(str(error), start) from None

    def _beside(self, start: int) -> object:
        number = self.read_uint32()
        if number >= len(self._live):
            raise DecodeError(f"there is nothing beside the message with the number {number}", start)
        return self._live[number]

    def _memory(self, start: int) -> bytearray:
        memory = self._beside(start)
        if not isinstance(memory, bytearray):
            raise DecodeError("a view on something that is no memory", start)
        return memory


def _view(kind: int, buffer: ArrayBuffer | SharedArrayBuffer, offset: int, length: int | None) -> object:
    if kind < len(FORMATS):
        return buffer.view(FORMATS[kind], offset, length)
    return CLASSES[kind - len(FORMATS)](buffer, offset, length)

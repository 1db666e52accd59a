"""Values to payloads and back: V8's format, version 15, with what it has no tag for as host objects.

    host object = tag \\  kind:uint ...
        PORT      index:uint      the port of that number in the message's table
        FROZEN    index:uint      bytes, as a read-only Uint8Array over the buffer of that number
        OWN       index:uint      a bytearray, as a Uint8Array over the buffer of that number
        VIEW      view:uint index:uint   any other, as a view of one of the kinds 0 to 13 over that buffer
        HERE      length:uint raw bytes, as a read-only Uint8Array: a message that is nothing else
        0 to 13   length:uint raw a view, as Node's ``v8.serialize`` writes it (read, never written)

Views are written as V8 writes them, with their buffer, so that any V8 reads them.  Only big ones stay out of
the payload (FROZEN, OWN, VIEW), so that they are copied but once, when they are posted, and ``bytes`` not at
all.  An ArrayBuffer that was transferred is V8's ``t``, and its index is that of the table's buffers; so are
big ones that are copied, if they lie near the top of the value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from struct import calcsize
from typing import Any, Final, NamedTuple

from clonecodec import (
    ArrayBuffer,
    BufferToken,
    DataCloneError,
    DataView,
    DecodeError,
    Deserializer,
    Float16Array,
    Map,
    Serializer,
    SharedArrayBuffer,
    Transferable,
    Uint8ClampedArray,
)
from clonecodec.buffers import view_of
from transport.socket_limits import MOST_ATTACHMENTS

PORT: Final = 64
FROZEN: Final = 65
OWN: Final = 66
VIEW: Final = 67
HERE: Final = 68

BARE_BYTES: Final = b"\xff\x0f\\" + bytes((HERE,))
"""How a message begins that is nothing but bytes."""

NODE_FORMATS: Final = ("b", "B", "", "h", "H", "i", "I", "f", "d", "", "B", "q", "Q", "")
"""The formats of Node's kinds of view; "" for those that memoryview has no format for."""
NODE_CLASSES: Final = {2: Uint8ClampedArray, 9: DataView, 13: Float16Array}
OWN_VIEWS: Final = (Uint8ClampedArray, DataView, Float16Array)
KINDS: Final = {code: kind for kind, code in reversed(tuple(enumerate(NODE_FORMATS))) if code}
"""The kind of a memoryview's format.  (Of the two that are "B", the first is a plain Uint8Array.)"""
KINDS["l"] = KINDS["q" if calcsize("l") == 8 else "i"]
KINDS["L"] = KINDS["Q" if calcsize("L") == 8 else "I"]

PLAIN: Final = frozenset((dict, list, tuple, set, frozenset, str, int, float, bool, type(None), Map))
NO_VIEWS: Final = PLAIN | {ArrayBuffer, SharedArrayBuffer, *OWN_VIEWS}
"""Types that are asked about often and show no bytes, or not by the buffer protocol alone."""

APART: Final = 64 << 10
"""Bytes from which on a view stays out of the payload: below, one copy costs less than a segment."""
LOOK: Final = 16
"""Items of a value that are looked at, to see whether it holds anything big."""


class Packed(NamedTuple):
    """A value as bytes."""

    payload: bytes
    buffers: Sequence[tuple[bytes | memoryview, int | None]]
    """The bytes of each buffer that stands behind the payload, and its ``max_byte_length``."""


class _Serializer(Serializer):
    mark_read_only_bytes = True

    def __init__(self, ports: Mapping[int, int]) -> None:
        super().__init__()
        self._ports: Final = ports
        """By ``id``: the number of each port that is transferred."""

    def write_host_object(self, value: object) -> None:
        number = self._ports.get(id(value))
        if number is None:
            super().write_host_object(value)
        else:
            self.write_uint32(PORT)
            self.write_uint32(number)

    def get_shared_array_buffer_id(self, buffer: SharedArrayBuffer) -> int:
        raise DataCloneError("a SharedArrayBuffer cannot be shared over a socket; send a copy of its bytes")


class _ApartSerializer(_Serializer):
    """For a value with something big in it, which is then not copied into the payload."""

    def __init__(self, ports: Mapping[int, int], buffers: int) -> None:
        super().__init__(ports)
        self._first: Final = buffers
        self.apart: Final[list[tuple[bytes, int | None]]] = []
        """The bytes of each buffer beside the payload, and its ``max_byte_length``."""

    def _put_apart(self, octets: bytes, most: int | None = None) -> int:
        self.apart.append((octets, most))
        return self._first + len(self.apart) - 1

    def copy_apart(self, buffer: ArrayBuffer) -> None:
        """Have *buffer*, which is not transferred, written as if it were: a copy of it."""
        most = buffer.max_byte_length if buffer.resizable else None
        self.transfer_array_buffer(self._put_apart(bytes(buffer.view()), most), buffer)

    def is_host_object(self, value: object) -> bool:
        return _is_big(value) and self._first + len(self.apart) < MOST_ATTACHMENTS

    def write_host_object(self, value: object) -> None:
        if type(value) is bytes:
            self.write_uint32(FROZEN)
            self.write_uint32(self._put_apart(value))
        elif type(value) is bytearray:
            self.write_uint32(OWN)
            self.write_uint32(self._put_apart(bytes(value)))
        elif _is_big(value):
            view = memoryview(value)  # type: ignore[arg-type]
            self.write_uint32(VIEW)
            self.write_uint32(KINDS[view.format])
            self.write_uint32(self._put_apart(view.tobytes()))
        else:
            super().write_host_object(value)


def _is_big(value: object) -> bool:
    """Is *value* a view of many bytes, with no ArrayBuffer behind it that may occur elsewhere, too?"""
    kind = type(value)
    if kind is bytes or kind is bytearray:
        return len(value) >= APART  # type: ignore[arg-type]
    if kind in NO_VIEWS or isinstance(value, (bytes, bytearray)):
        return False
    try:
        view = value if isinstance(value, memoryview) else memoryview(value)  # type: ignore[arg-type]
        return view.nbytes >= APART and view.ndim == 1 and view.format in KINDS and view_of(view) is None
    except (TypeError, ValueError):  # it is no view, or was released
        return False


def _buffer_of(value: object) -> ArrayBuffer | None:
    """The big ArrayBuffer that *value* is, or shows a part of."""
    if isinstance(value, memoryview):
        what = view_of(value)
        value = None if what is None else what.buffer
    elif isinstance(value, OWN_VIEWS):
        value = value.buffer
    return value if isinstance(value, ArrayBuffer) and value.byte_length >= APART else None


def _big_things(value: Any) -> list[object]:
    """The big views in *value* with no ArrayBuffer behind them, and the big ArrayBuffers behind others.

    As far as a quick look tells.
    """
    kind = type(value)
    if kind is dict:
        items = value.values()
    elif kind is list or kind is tuple:
        items = value
    else:
        items = (value,)
    try:
        some = items if len(items) <= LOOK else islice(items, LOOK)
        found = [item if _is_big(item) else _buffer_of(item) for item in some if type(item) not in PLAIN]
    except RuntimeError:  # another thread adds to the dict: what counts is what the serializer sees
        return []
    return [thing for thing in found if thing is not None]


def pack(value: object, items: Sequence[Transferable] = ()) -> Packed:
    """Serialize *value*; what is to be transferred is left as it is, and its buffers are not in the result.

    Raises:
        DataCloneError: it cannot be cloned.
    """
    if type(value) is bytes and not items and len(value) < APART:
        return Packed(BARE_BYTES + _varint(len(value)) + value, ())
    ports: dict[int, int] = {}
    buffers = 0
    for item in items:
        if isinstance(item, ArrayBuffer):
            buffers += 1
        else:
            ports[id(item)] = len(ports)
    big = _big_things(value)
    serializer = _ApartSerializer(ports, buffers) if big else _Serializer(ports)
    if buffers:
        number = 0
        for item in items:
            if isinstance(item, ArrayBuffer):
                serializer.transfer_array_buffer(number, item)
                number += 1
    if not isinstance(serializer, _ApartSerializer):
        return Packed(_written(serializer, value), ())
    copied = {id(thing): thing for thing in big if isinstance(thing, ArrayBuffer)}
    for item in items:
        copied.pop(id(item), None)
    for buffer in islice(copied.values(), MOST_ATTACHMENTS - buffers):
        serializer.copy_apart(buffer)
    return Packed(_written(serializer, value), serializer.apart)


def _written(serializer: Serializer, value: object) -> bytes:
    serializer.write_header()
    serializer.write_value(value)
    return serializer.release_buffer()


def _varint(number: int) -> bytes:
    """The length of what is not apart, which is below 2 ** 21."""
    if number < 0x80:
        return bytes((number,))
    if number < 0x4000:
        return bytes((number & 0x7F | 0x80, number >> 7))
    return bytes((number & 0x7F | 0x80, number >> 7 & 0x7F | 0x80, number >> 14))


def octets_of(token: BufferToken) -> tuple[memoryview, int | None]:
    """The bytes of a buffer that was transferred, and its ``max_byte_length``."""
    return memoryview(token.memory)[: token.byte_length], token.max_byte_length


class Unpacker(Deserializer):
    """Reads one payload.  *ports* and *buffers* are what its message carries, in the order of its table."""

    def __init__(
        self,
        payload: bytes | bytearray,
        ports: Sequence[object] = (),
        buffers: Sequence[tuple[bytearray, int | None]] = (),
    ) -> None:
        super().__init__(payload)
        self._carried: Final = ports
        self._buffers: Final = buffers
        self._built: Final[dict[int, ArrayBuffer]] = {}
        for number in range(len(buffers)):
            self.transfer_array_buffer(number, self._buffer(number))

    def _buffer(self, number: int) -> ArrayBuffer:
        buffer = self._built.get(number)
        if buffer is None:
            memory, most = self._buffers[number]
            token = BufferToken(memory, len(memory), most)
            buffer = self._built[number] = ArrayBuffer.transfer_build(token)
        return buffer

    def read_host_object(self) -> object:
        start = self.offset
        kind = self.read_uint32()
        if kind < len(NODE_FORMATS):
            return self._node_view(kind, ArrayBuffer(self.read_raw_bytes(self.read_uint32())), start)
        if kind == HERE:
            return memoryview(self.read_raw_bytes(self.read_uint32())).toreadonly()
        view = self.read_uint32() if kind == VIEW else 0
        number = self.read_uint32()
        if kind == PORT:
            if number < len(self._carried):
                return self._carried[number]
        elif number < len(self._buffers):
            if kind == FROZEN:
                return memoryview(self._buffers[number][0]).toreadonly()
            if kind == OWN:
                return self._buffer(number).view()
            if kind == VIEW and view < len(NODE_FORMATS):
                return self._node_view(view, self._buffer(number), start)
        raise DecodeError(f"a host object of kind {kind}, number {number}, which did not come along", start)

    @staticmethod
    def _node_view(kind: int, buffer: ArrayBuffer, start: int) -> object:
        try:
            if kind in NODE_CLASSES:
                return NODE_CLASSES[kind](buffer)
            return buffer.view(NODE_FORMATS[kind])
        except ValueError as error:
            raise DecodeError(str(error), start) from None


def unpack(
    payload: bytes | bytearray,
    ports: Sequence[object] = (),
    buffers: Sequence[tuple[bytearray, int | None]] = (),
) -> object:
    """The value in a payload.

    Raises:
        DecodeError: it is none.
    """
    if payload.startswith(BARE_BYTES) and type(payload) is bytes:
        # One byte of length, or two: as for nearly all of them.
        head = len(BARE_BYTES)
        length = payload[head] if len(payload) > head else 0
        start = head + 1
        if length >= 0x80 and len(payload) > start:
            length += (payload[start] - 1) << 7
            start += 1
        if length < 0x4000 and start + length == len(payload):
            return memoryview(payload)[start:]
    reader = Unpacker(payload, ports, buffers)
    reader.read_header()
    return reader.read_value()

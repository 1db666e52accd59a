"""Values to payloads and back: V8's format, version 15, with what it has no tag for as host objects.

    host object = tag \\  kind:uint ...
        PORT      index:uint      the port of that number in the message's table
        FROZEN    index:uint      bytes, as a read-only Uint8Array over the buffer of that number
        OWN       index:uint      any other bytes, as a Uint8Array over the buffer of that number
        0 to 13   length:uint raw a view, as Node's ``v8.serialize`` writes it (read, never written)

Views are written as V8 writes them, with their buffer, so that any V8 reads them.  Only big ``bytes`` and
``bytearray`` stay out of the payload (FROZEN, OWN), so that they are not copied on their way.  An
ArrayBuffer that was transferred is V8's ``t``, and its index is that of the table's buffers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

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

PORT: Final = 64
FROZEN: Final = 65
OWN: Final = 66

NODE_FORMATS: Final = ("b", "B", "", "h", "H", "i", "I", "f", "d", "", "B", "q", "Q", "")
"""The formats of Node's kinds of view; "" for those that memoryview has no format for."""
NODE_CLASSES: Final = {2: Uint8ClampedArray, 9: DataView, 13: Float16Array}

APART: Final = 64 << 10
"""Bytes from which on a bytes object stays out of the payload: below, one copy costs less than a segment."""
LOOK: Final = 16
"""Items of a value that are looked at, to see whether it holds anything big."""


class Packed(NamedTuple):
    """A value as bytes."""

    payload: bytes
    buffers: list[tuple[bytes | memoryview, int | None]]
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
        self.apart: Final[list[bytes | memoryview]] = []

    def is_host_object(self, value: object) -> bool:
        return _is_big(value)

    def write_host_object(self, value: object) -> None:
        if type(value) is bytes:
            self.write_uint32(FROZEN)
            self.write_uint32(self._first + len(self.apart))
            self.apart.append(value)
        elif type(value) is bytearray:
            self.write_uint32(OWN)
            self.write_uint32(self._first + len(self.apart))
            self.apart.append(bytes(value))
        else:
            super().write_host_object(value)


def _is_big(value: object) -> bool:
    kind = type(value)
    return (kind is bytes or kind is bytearray) and len(value) >= APART  # type: ignore[arg-type]


def _holds_big(value: Any) -> bool:
    """Is there something big in *value*, as far as a quick look tells?"""
    kind = type(value)
    if kind is dict:
        items = value.values()
    elif kind is list or kind is tuple:
        items = value
    else:
        return _is_big(value)
    try:
        for item in items if len(items) <= LOOK else islice(items, LOOK):
            kind = type(item)
            if (kind is bytes or kind is bytearray) and len(item) >= APART:
                return True
    except RuntimeError:  # another thread adds to the dict: what counts is what the serializer sees
        pass
    return False


def pack(value: object, items: Sequence[Transferable] = ()) -> Packed:
    """Serialize *value*; what is to be transferred is left as it is, and its buffers are not in the result.

    Raises:
        DataCloneError: it cannot be cloned.
    """
    ports: dict[int, int] = {}
    buffers = 0
    for item in items:
        if isinstance(item, ArrayBuffer):
            buffers += 1
        else:
            ports[id(item)] = len(ports)
    serializer = _ApartSerializer(ports, buffers) if _holds_big(value) else _Serializer(ports)
    if buffers:
        number = 0
        for item in items:
            if isinstance(item, ArrayBuffer):
                serializer.transfer_array_buffer(number, item)
                number += 1
    serializer.write_header()
    serializer.write_value(value)
    payload = serializer.release_buffer()
    if isinstance(serializer, _ApartSerializer):
        return Packed(payload, [(octets, None) for octets in serializer.apart])
    return Packed(payload, [])


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
            return self._node_view(kind)
        number = self.read_uint32()
        if kind == PORT:
            if number < len(self._carried):
                return self._carried[number]
        elif number < len(self._buffers):
            if kind == FROZEN:
                return memoryview(self._buffers[number][0]).toreadonly()
            if kind == OWN:
                return self._buffer(number).view()
        raise DecodeError(f"a host object of kind {kind}, number {number}, which did not come along", start)

    def _node_view(self, kind: int) -> object:
        start = self.offset
        buffer = ArrayBuffer(self.read_raw_bytes(self.read_uint32()))
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
    reader = Unpacker(payload, ports, buffers)
    reader.read_header()
    return reader.read_value()

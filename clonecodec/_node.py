"""What Node adds to V8's format in ``v8.serialize``: views and Buffers as host objects.

    host object = tag \\  index:uint  length:uint  bytes        (lib/v8.js, DefaultSerializer)

The index is that of the view's type, 10 a Buffer.  Only the bytes that a view shows are written, without its
buffer, so that two views on one buffer become independent.
"""

from __future__ import annotations

from ._accelerate import accelerator
from ._kinds import BY_FORMAT, BY_INDEX, NODE_BUFFER
from ._payloads import LEAVES
from ._reader import Deserializer
from ._rows import VIEW_ROWS, row_of
from ._tags import HOST_OBJECT, WRITTEN_VERSION
from ._views import cast_view, make_view, view_on
from ._writer import MAX_DEPTH, Serializer
from .buffers import ArrayBuffer
from .errors import DecodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._accelerator import Core
    from .buffers import Octets


class DefaultSerializer(Serializer):
    """Writes views and Buffers as Node's ``v8.serialize`` does: as host objects, each with its own bytes.

    ``dumps`` uses it.  ``bytes`` and ``bytearray`` are Buffers.
    """

    treat_array_buffer_views_as_host_objects = True
    _hint_bytearrays = True

    def write_host_object(self, value: object) -> None:
        """Write a view: type index, byte length, bytes; refuse anything else."""
        if row_of(value) not in VIEW_ROWS:
            super().write_host_object(value)
        elif isinstance(value, (bytes, bytearray)):
            self._node_view(NODE_BUFFER, value)
        else:
            view = view_on(value)
            self._node_view(view.kind.type_index, view.octets)

    def _node_view(self, index: int, octets: bytes | bytearray | memoryview) -> None:
        self.write_uint32(index)
        self._out += self._length(len(octets))
        self._out += octets


class DefaultDeserializer(Deserializer):
    """Reads what ``DefaultSerializer`` and Node's ``v8.serialize`` write.  ``loads`` uses it."""

    def read_host_object(self) -> Any:
        """Read a view, or a Buffer as bytes; a bytearray if it is hinted."""
        hinted = self._hinted
        start = self.offset
        index = self.read_uint32()
        kind = BY_INDEX.get(index)
        if kind is None and index != NODE_BUFFER:
            raise DecodeError(f"a host object of type {index}, which is not one of Node's", start)
        octets = self._wire.show(self._wire.uint64())
        if kind is None:
            if self._zero_copy:
                return self._shown(octets)
            if hinted:
                return bytearray(octets)
            # Python has one object for all bytes(1) that are equal, except for those made like this; two
            # Buffers that were two stay two.
            return octets[0].to_bytes(1, "little") if len(octets) == 1 else bytes(octets)
        whole = len(octets) // kind.size * kind.size  # Node rounds down, without a word
        if BY_FORMAT.get(kind.format) is not kind:
            return make_view(kind, ArrayBuffer(octets[:whole]), 0, whole, False)
        view = self._shown(octets) if self._zero_copy else memoryview(bytearray(octets))
        return cast_view(view[:whole], kind.format)

    def _shown(self, octets: memoryview) -> memoryview:
        """The input's own memory, where *octets* have just been read."""
        return self._source[self.offset - len(octets) : self.offset]


def dumps(
    value: object, *, hints: bool = True, version: int = WRITTEN_VERSION, max_depth: int = MAX_DEPTH
) -> bytes:
    """Return *value* as bytes, those of Node's ``v8.serialize``.

    Args:
        value: anything of the value table; cycles and sharing are kept.
        hints: mark Python's own kinds, invisibly to JavaScript, so that ``loads`` gives them back.
        version: of the wire format, 13 to 16; every Node since 18 writes 15 and reads 13 to 15.
        max_depth: how many containers may lie within each other.

    Raises:
        DataCloneError: something in it cannot be cloned; ``.path`` says where it is.
        ValueError: that version is not written.

    >>> dumps([1, "two"]).hex(" ")
    'ff 0f 41 02 49 02 22 03 74 77 6f 24 00 02'
    """
    serializer = DefaultSerializer(hints=hints, version=version, max_depth=max_depth)
    serializer.write_header()
    serializer.write_value(value)
    return serializer.release_buffer()


def loads(data: Octets, *, legacy: bool = False, zero_copy: bool = False, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value in *data*, which Node's ``v8.serialize`` or ``dumps`` wrote.

    Args:
        data: bytes-like: one message.  What comes after the value is ignored, as Node ignores it.
        legacy: read versions 0 to 12 too, which Chrome once wrote.
        zero_copy: let Buffers and typed arrays be memoryviews of *data* itself, read-only if it is.
        max_depth: how many containers may lie within each other.

    Raises:
        DecodeError: it is no value; ``.offset`` and ``.reason`` tell.  Nothing else is raised for any bytes.
        TruncatedError: it ends too soon.  (That is a DecodeError too.)

    >>> loads(bytes.fromhex("ff0f 4102 4902 220374776f 240002"))
    [1, 'two']
    """
    deserializer = DefaultDeserializer(data, legacy=legacy, zero_copy=zero_copy, max_depth=max_depth)
    deserializer.read_header()
    return deserializer.read_value()


def _serializer(core: Core, hints: bool, version: int, max_depth: int) -> DefaultSerializer:
    """Return the serializer of a ``dumps`` in C, which began without one, and has written to *core*."""
    serializer = DefaultSerializer(hints=hints, version=version, max_depth=max_depth)
    serializer._core, serializer._out, serializer._ids, serializer._objects = core
    return serializer


def _deserializer(data: Octets, objects: list[object], zero_copy: bool) -> DefaultDeserializer:
    """Return the deserializer of a ``loads`` in C, which began without one, and has begun *objects*."""
    deserializer = DefaultDeserializer(data, zero_copy=zero_copy)
    deserializer.read_header()
    deserializer._objects = objects
    return deserializer


def _host_object(deserializer: Deserializer, hinted: bool) -> object:
    return deserializer._unknown(HOST_OBJECT, hinted)


def _format_and_size(index: int) -> tuple[str, int] | None:
    """What a memoryview needs to know to be the typed array of that index, if it can be."""
    kind = BY_INDEX.get(index)
    return (kind.format, kind.size) if kind is not None and BY_FORMAT[kind.format] is kind else None


if accelerator is not None:
    accelerator.know(
        DefaultDeserializer=DefaultDeserializer,
        DefaultSerializer=DefaultSerializer,
        deserializer=_deserializer,
        leaves=LEAVES | {HOST_OBJECT: _host_object},
        serializer=_serializer,
        view_formats=tuple(map(_format_and_size, range(NODE_BUFFER + 3))),
    )

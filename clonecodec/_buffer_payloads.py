"""The buffers among the payloads, and the view that may follow one: the mirror of ``_buffer_encodings``.

    buffer  B, C, ~, t or u, and what stands behind the tag: see ``_tags``; it is an object with a number
    view    V  subtag:uint8  offset:uint  length:uint  [flags:uint]   right behind a buffer or a reference

Offset and length of a view are bytes.  A buffer whose only use is the view on the whole of it is not made.
"""

from __future__ import annotations

from . import _tags as tags
from ._builders import NOT_YET
from ._kinds import BY_FORMAT, BY_SUBTAG, UINT8
from ._views import cast_view, make_view
from .buffers import ArrayBuffer, SharedArrayBuffer
from .errors import DecodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._wire import WireReader


class Octets:
    """In the table of objects: a buffer that nobody has asked for, only for the view on it."""

    __slots__ = ("octets",)

    def __init__(self, octets: memoryview) -> None:
        self.octets = octets


class BufferPayloads:
    """What ``Deserializer`` has from the tags of buffers and views."""

    _wire: WireReader
    _source: memoryview
    _version: int
    _flags_in_13: bool
    _zero_copy: bool
    _stack: list[tuple[Any, ...]]
    _objects: list[Any]
    _transferred: dict[int, ArrayBuffer | SharedArrayBuffer]

    # What an embedder may override

    def get_shared_array_buffer(self, id: int) -> ArrayBuffer | SharedArrayBuffer:
        """Return the shared buffer *id*: override this, or call ``transfer_array_buffer`` before."""
        return self._transfer(id, "SharedArrayBuffer")

    def _transfer(self, id: int, kind: str) -> ArrayBuffer | SharedArrayBuffer:
        buffer = self._transferred.get(id)
        if buffer is None:
            raise DecodeError(f"a transferred {kind}, number {id}, which was not supplied", self._wire.offset)
        return buffer

    # Buffers

    def _numbered(self, value: object) -> object:
        self._objects.append(value)
        return value

    def _next_number(self) -> int:
        """Give the object that begins here its number, before what is inside it."""
        self._objects.append(NOT_YET)
        return len(self._objects) - 1

    def _array_buffer(self, hinted: bool) -> object:
        octets = self._wire.show(self._wire.uint64())
        if hinted or self._zero_copy:
            view = self._view_of_bytes(octets, hinted)
            if view is not None:
                return view
        return self._view_or(ArrayBuffer(octets), True)

    def _resizable_array_buffer(self, hinted: bool) -> object:
        wire = self._wire
        length = wire.uint64()
        start = wire.offset
        maximum = wire.uint64()
        if length > maximum:
            raise DecodeError(f"a resizable buffer of {length} bytes and {maximum} at most", start)
        return self._view_or(ArrayBuffer(wire.show(length), max_byte_length=maximum), True)

    def _transferred_array_buffer(self, hinted: bool) -> object:
        return self._view_or(self._transfer(self._wire.varint(), "ArrayBuffer"), True)

    def _shared_array_buffer(self, hinted: bool) -> object:
        return self._view_or(self.get_shared_array_buffer(self._wire.varint()), True)

    def _view_or(self, buffer: ArrayBuffer | SharedArrayBuffer, new: bool) -> object:
        """Return *buffer*, or the view on it if one follows."""
        if new:
            self._objects.append(buffer)
        if not self._view_follows():
            return buffer
        wire = self._wire
        start = wire.offset
        resizable = isinstance(buffer, ArrayBuffer) and buffer.resizable
        subtag, offset, length, flags = self._view_header()
        if offset > buffer.byte_length or length > buffer.byte_length - offset:
            raise DecodeError(
                f"a view of {length} bytes from {offset} on, in a buffer of {buffer.byte_length} bytes", start
            )
        number = self._next_number()  # from here on, even if it cannot be made
        kind = BY_SUBTAG.get(subtag)
        if kind is None:
            raise DecodeError(f"unknown kind of view, 0x{subtag:02x}", start)
        if offset % kind.size or length % kind.size:
            raise DecodeError(f"a view from {offset} on of {length} bytes, in elements of {kind.size}", start)
        tracking = bool(flags & tags.VIEW_TRACKS_LENGTH)
        if bool(flags & tags.VIEW_BUFFER_RESIZABLE) != resizable or (tracking and not resizable):
            what = "resizable" if resizable else "fixed"
            raise DecodeError(f"a view with flags {flags} on a {what} buffer", start)
        if tracking:
            length = (buffer.byte_length - offset) // kind.size * kind.size
        view = self._objects[number] = make_view(kind, buffer, offset, length, tracking)
        return view

    def _view_follows(self) -> bool:
        # Behind a value that ends here, and where looking could wait for ever, nothing is looked for.
        if self._wire.blind and not self._stack:
            return False
        return self._wire.ends(tags.ARRAY_BUFFER_VIEW)

    def _view_header(self) -> tuple[int, int, int, int]:
        wire = self._wire
        subtag, offset, length = wire.uint8(), wire.uint64(), wire.uint64()
        if self._version >= 14 or (self._version == 13 and self._flags_in_13):
            return subtag, offset, length, wire.varint()
        looking = not wire.blind or bool(self._stack)
        if looking and wire.has(wire.offset + 1) and wire.data[wire.offset] == tags.PADDING:
            wire.offset += 1  # flags of 0 that should not be there; never a hint
        return subtag, offset, length, 0

    def _view_of_bytes(self, octets: memoryview, hinted: bool) -> object | None:
        """Read a view over the whole of a buffer without making the buffer; None if no such view follows."""
        wire = self._wire
        start = wire.offset
        if not self._view_follows():
            return None
        subtag, offset, length, flags = self._view_header()
        kind = BY_SUBTAG.get(subtag)
        plain = kind is not None and BY_FORMAT.get(kind.format) is kind and not flags
        if kind is None or not plain or (hinted and kind is not UINT8 and not self._zero_copy):
            wire.offset = start
            return None
        if offset or length != len(octets) or length % kind.size:
            wire.offset = start
            return None
        self._objects.append(Octets(octets))
        if self._zero_copy:
            view = self._source[start - length : start]
        else:
            view = memoryview(bytes(octets))
        return self._numbered(cast_view(view.toreadonly() if hinted else view, kind.format))

"""The buffers and views among the encodings, and host objects, which Node makes of views.

The mirror of ``_buffer_payloads``: see there for the grammar.
"""

from __future__ import annotations

from . import _tags as tags
from ._views import view_on
from ._wire import varint
from .buffers import ArrayBuffer, SharedArrayBuffer
from .errors import DataCloneError


class BufferEncodings:
    """What ``Serializer`` has for buffers, views and what only its embedder can write."""

    treat_array_buffer_views_as_host_objects: bool = False
    """Hand every view, bytes and bytearray among them, to ``write_host_object``."""

    mark_read_only_bytes: bool = False
    """Write ``bytes`` with a hint, by which a Deserializer makes a read-only memoryview of them."""

    _hint_bytearrays: bool = False

    _version: int
    _hint: bytes
    _out: bytearray
    _ids: dict[int, int]
    _objects: list[object]
    _transferred: dict[int, tuple[int, ArrayBuffer]]

    # What an embedder may override

    def is_host_object(self, value: object) -> bool:
        """Whether ``write_host_object`` is to write *value*, an object that could be written without it."""
        return False

    def write_host_object(self, value: object) -> None:
        """Write what the format has no tag for: override this.  The tag of a host object has been written.

        Raises:
            Exception: what ``data_clone_error`` returns, unless it is overridden.
        """
        from ._instances import refusal
        from .transfer import Transferable

        if isinstance(value, Transferable):
            raise self.data_clone_error(f"the {type(value).__name__} is not in the transfer list")
        raise self.data_clone_error(refusal(value).reason)

    def get_shared_array_buffer_id(self, buffer: SharedArrayBuffer) -> int:
        """Return the number by which the receiver finds *buffer*: override this."""
        raise self.data_clone_error(
            "a SharedArrayBuffer cannot be written as bytes; structured_clone and ports can share it"
        )

    def data_clone_error(self, message: str) -> Exception:
        """Return the exception to raise for a value that cannot be cloned."""
        return DataCloneError(message)

    # Numbers

    def _begin(self, value: object) -> None:
        """Give *value* the next number, before what is inside it, which may refer to it."""
        self._ids[id(value)] = len(self._objects)
        self._objects.append(value)

    # Buffers and views

    def _array_buffer(self, buffer: ArrayBuffer) -> None:
        transfer = self._transferred.get(id(buffer))
        if transfer is not None:
            self._begin(buffer)
            self._out += b"t" + varint(transfer[0])
            return
        if buffer.detached:
            raise DataCloneError("the ArrayBuffer is detached and cannot be cloned")
        self._begin(buffer)
        with buffer.view() as octets:
            if buffer.resizable and self._version >= 14:
                self._out += b"~" + self._length(len(octets)) + self._length(buffer.max_byte_length)
                self._out += octets
            else:
                self._plain_buffer(octets)

    def _plain_buffer(self, octets: bytes | bytearray | memoryview) -> None:
        self._out += b"B" + self._length(len(octets))
        self._out += octets

    def _length(self, number: int) -> bytes:
        """Return the code of a length in bytes: 32 bits, 64 in version 16."""
        if number >= 1 << 32 and self._version < 16:
            raise DataCloneError(f"{number} bytes do not fit in version {self._version}, only in 16")
        return varint(number)

    def _shared_array_buffer(self, buffer: SharedArrayBuffer) -> None:
        number = self.get_shared_array_buffer_id(buffer)
        self._begin(buffer)
        self._out += b"u" + varint(number)

    def _bytes(self, value: bytes) -> None:
        if self.mark_read_only_bytes and not self.treat_array_buffer_views_as_host_objects:
            self._out += self._hint
        self._view(value)

    def _bytearray(self, value: bytearray) -> None:
        if self._hint_bytearrays:
            self._out += self._hint
        self._view(value)

    def _view(self, value: object) -> None:
        if self.treat_array_buffer_views_as_host_objects:
            self._host_object(value)
        else:
            self._native_view(value)

    def _native_view(self, value: object) -> None:
        view = view_on(value)
        buffer = view.buffer
        if buffer is None:
            self._objects.append(None)  # the number of a buffer that is no object here
            self._plain_buffer(view.octets)
        elif id(buffer) in self._ids:
            self._out += b"^" + varint(self._ids[id(buffer)])
        elif isinstance(buffer, ArrayBuffer):
            self._array_buffer(buffer)
        else:
            self._shared_array_buffer(buffer)
        self._begin(value)
        self._out += bytes((tags.ARRAY_BUFFER_VIEW, view.kind.subtag))
        # A view that tracks its buffer's length has none of its own: V8 writes 0.
        length = 0 if view.tracking and self._version >= 14 else len(view.octets)
        self._out += self._length(view.offset) + self._length(length)
        if self._version >= 14:
            resizable = isinstance(buffer, ArrayBuffer) and buffer.resizable
            self._out.append(resizable * tags.VIEW_BUFFER_RESIZABLE + view.tracking * tags.VIEW_TRACKS_LENGTH)

    # The rest

    def _host_object(self, value: object) -> None:
        self._begin(value)
        self._out.append(tags.HOST_OBJECT)
        self.write_host_object(value)

"""ArrayBuffer and SharedArrayBuffer: bytes that JavaScript's views look into.

    ArrayBuffer         bytes that can be handed over: detached here, alive there, never copied
    SharedArrayBuffer   bytes that everybody sees who was sent it

A buffer hands out memoryviews (``.view("d")``) and remembers them: detaching releases them all, so that every
later use raises.  ``view_of`` tells of a memoryview which buffer handed it out, if one did.
"""

from __future__ import annotations

import sys
from _weakref import ref  # the one thing of weakref's, which takes as long to import as all of this

from ._exports import looked_into
from ._kinds import BY_FORMAT, Kind
from ._memory import HAVE_MEMFD, Descriptor, Memory, map_memfd, new_memfd
from .errors import DataCloneError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    if sys.version_info >= (3, 12):
        from collections.abc import Buffer
    else:
        from typing_extensions import Buffer

    Octets: TypeAlias = "bytes | bytearray | memoryview[int] | Buffer"

__all__ = [
    "ArrayBuffer",
    "BufferToken",
    "SharedArrayBuffer",
    "ViewOf",
    "view_of",
]


class ViewOf:
    """What a buffer remembers of a memoryview that it handed out.

    Attributes:
        buffer: the buffer, which lives as long as the view.
        offset: where in it the view begins, in bytes.
        tracking: whether it was asked for up to the end of a resizable buffer (a length-tracking array).
    """

    __slots__ = ("buffer", "offset", "tracking")

    def __init__(self, buffer: ArrayBuffer | SharedArrayBuffer, offset: int, tracking: bool) -> None:
        self.buffer = buffer
        self.offset = offset
        self.tracking = tracking


_handed_out: dict[int, tuple[ref[memoryview], ViewOf]] = {}
"""By ``id``: every living memoryview that a buffer has handed out.  It keeps its buffer alive, as in
JavaScript."""


_EMPTY: dict[str, memoryview] = {}
"""By format: a memoryview of no elements."""


def empty_view(format: str) -> memoryview:
    """Return a new memoryview of no elements, which no cast can make."""
    if format not in _EMPTY:
        from array import array

        _EMPTY[format] = memoryview(array(format))
    return _EMPTY[format][:]


def view_of(view: memoryview) -> ViewOf | None:
    """Which buffer handed out *view*, and for which part of it; None if no buffer did."""
    entry = _handed_out.get(id(view))
    return entry[1] if entry is not None and entry[0]() is view else None


class _Reference(ref[memoryview]):
    """To a memoryview that was handed out; it is forgotten when it dies.  (Smaller than a closure.)"""

    __slots__ = ("key", "views")

    key: int
    views: set[int]


def _forget(reference: ref[memoryview]) -> None:
    assert isinstance(reference, _Reference)
    entry = _handed_out.get(reference.key)
    if entry is not None and entry[0] is reference:
        del _handed_out[reference.key]
        reference.views.discard(reference.key)


class _Buffer:
    """What ArrayBuffer and SharedArrayBuffer have in common: memory, and the views handed out over it."""

    __slots__ = ("__weakref__", "_descriptor", "_length", "_memory", "_root", "_views")

    _memory: Memory | None
    _root: memoryview
    _length: int
    _descriptor: Descriptor | None
    _views: set[int]
    """Keys into ``_handed_out``."""

    def _adopt(self, memory: Memory, length: int, descriptor: Descriptor | None) -> None:
        self._memory = memory
        self._length = length
        self._descriptor = descriptor
        self._root = memoryview(memory)
        self._views = set()

    @property
    def byte_length(self) -> int:
        """How many bytes it holds; 0 once detached."""
        return self._length

    @property
    def fd(self) -> int | None:
        """The memfd that the bytes live in, or None.  It is closed with the buffer."""
        return None if self._descriptor is None else self._descriptor.number

    @property
    def resizable(self) -> bool:
        return False

    def view(self, format: str = "B", offset: int = 0, length: int | None = None) -> memoryview:
        """Return a memoryview of the bytes, as JavaScript's typed arrays are views of a buffer.

        Args:
            format: ``b B h H i I q Q f d``: a native format with a typed array of JavaScript's.
            offset: in bytes, a multiple of the element's size.
            length: in elements; up to the end if None.

        Raises:
            ValueError: no such format, misaligned, out of range, or the buffer is detached.

        >>> ArrayBuffer(b"\\x01\\x02\\x03\\x04").view("H", 2).tolist() == [0x0403]
        True
        """
        kind = BY_FORMAT.get(format)
        if kind is None:
            raise ValueError(f"no typed array has the format {format!r}")
        return self.hand_out(kind, offset, length)

    def hand_out(
        self, kind: Kind, offset: int, length: int | None, tracking: bool | None = None
    ) -> memoryview:
        """Return the memoryview for a typed array of *kind*, as ``view`` does; *tracking* if it is to be
        length-tracking."""
        if self._memory is None:
            raise ValueError("the ArrayBuffer is detached")
        size = kind.size
        if offset < 0 or offset > self._length:
            raise ValueError(f"offset {offset} is outside a buffer of {self._length} bytes")
        if offset % size:
            raise ValueError(f"offset {offset} is no multiple of {size}, the size of an element")
        if length is None:
            count = (self._length - offset) // size
            if not self.resizable and (self._length - offset) % size:
                raise ValueError(f"{self._length - offset} bytes are no whole number of elements of {size}")
        else:
            count = length
            if length < 0 or length * size > self._length - offset:
                raise ValueError(
                    f"{length} elements of {size} bytes from {offset} on do not fit in {self._length} bytes"
                )
        if kind.format == "B":
            view = self._root[offset : offset + count]
        elif count:
            view = self._root[offset : offset + count * size].cast(kind.format)  # type: ignore[call-overload]
        else:  # an empty memoryview cannot be cast
            view = empty_view(kind.format)
        if tracking is None:
            tracking = length is None and self.resizable
        self._remember(view, ViewOf(self, offset, tracking))  # type: ignore[arg-type]  # one of its two subclasses
        return view

    def _remember(self, view: memoryview, what: ViewOf) -> None:
        key = id(view)
        reference = _Reference(view, _forget)
        reference.key = key
        reference.views = self._views
        _handed_out[key] = reference, what
        self._views.add(key)

    def _living(self) -> list[memoryview]:
        if not self._views:
            return []
        entries = [_handed_out.get(key) for key in tuple(self._views)]
        views = [entry[0]() for entry in entries if entry is not None]
        return [view for view in views if view is not None]

    def __len__(self) -> int:
        return self._length

    def __bool__(self) -> bool:
        return True

    def __bytes__(self) -> bytes:
        if self._memory is None:
            raise ValueError("the ArrayBuffer is detached")
        return bytes(self._root[: self._length])

    def __buffer__(self, flags: int) -> memoryview:  # Python 3.12 asks for it
        if self._memory is None:
            raise ValueError("the ArrayBuffer is detached")
        return self._root[: self._length]

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self) or not isinstance(other, _Buffer):
            return NotImplemented
        if self is other:
            return True
        if self._memory is None or other._memory is None:
            return False
        return self._root[: self._length] == other._root[: other._length]

    def __repr__(self) -> str:
        name = type(self).__name__
        if self._memory is None:
            return f"<{name}, detached>"
        if self._length > 32:
            return f"<{name} of {self._length} bytes>"
        return f"{name}({bytes(self)!r})"


class BufferToken:
    """What a detached ArrayBuffer owned: its memory, on the way to another ArrayBuffer.

    Attributes:
        memory: a bytearray, or an mmap of ``fd``; at least *byte_length* bytes.
        byte_length: how many of them count.
        max_byte_length: None unless the buffer can be resized.
        fd: the sealed memfd that the memory lives in, or None.  The token owns it.
    """

    __slots__ = ("_descriptor", "byte_length", "max_byte_length", "memory")

    def __init__(
        self, memory: Memory, byte_length: int, max_byte_length: int | None = None, fd: int | None = None
    ) -> None:
        self.memory = memory
        self.byte_length = byte_length
        self.max_byte_length = max_byte_length
        self._descriptor = None if fd is None else Descriptor(fd)

    @property
    def fd(self) -> int | None:
        return None if self._descriptor is None else self._descriptor.number

    @classmethod
    def from_fd(cls, fd: int, byte_length: int, max_byte_length: int | None = None) -> BufferToken:
        """Map a memfd that came from another process; the token owns *fd* from then on.

        Raises:
            ValueError: it is not sealed against shrinking, or is too small; or the lengths cannot be.
            OSError: it is no memfd, or cannot be mapped.
        """
        descriptor = Descriptor(fd)
        longest = byte_length if max_byte_length is None else max_byte_length
        if not 0 <= byte_length <= longest:
            raise ValueError(f"a buffer of {longest} bytes at most has no {byte_length} bytes")
        memory = map_memfd(descriptor, longest)
        token = cls(memory, byte_length, max_byte_length)
        token._descriptor = descriptor
        return token


class ArrayBuffer(_Buffer):
    """JavaScript's ArrayBuffer: bytes that can be transferred.

    Args:
        size_or_bytes: how many zero bytes, or the bytes (copied).
        max_byte_length: makes it resizable up to that many bytes.
        movable: keep the bytes in a memfd, so that handing them to another process copies nothing.

    Raises:
        ValueError: a negative size, or more bytes than *max_byte_length*.
        NotImplementedError: *movable* on a platform without memfd.

    >>> buffer = ArrayBuffer(8)
    >>> buffer.view("d")[0] = 1.5
    >>> bytes(buffer).hex()
    '000000000000f83f'
    """

    __slots__ = ("_max",)

    _max: int | None

    def __init__(
        self, size_or_bytes: int | Octets = 0, *, max_byte_length: int | None = None, movable: bool = False
    ) -> None:
        size, content = _size_and_content(size_or_bytes)
        if max_byte_length is not None and max_byte_length < size:
            raise ValueError(f"{size} bytes are more than the maximum, {max_byte_length}")
        self._max = max_byte_length
        if movable:
            if not HAVE_MEMFD:
                raise NotImplementedError("movable=True needs memfd_create, which is Linux's")
            memory, descriptor = new_memfd(size if max_byte_length is None else max_byte_length)
            memory[:size] = bytes(size) if content is None else content
            self._adopt(memory, size, descriptor)
        else:
            self._adopt(bytearray(size) if content is None else bytearray(content), size, None)

    @property
    def max_byte_length(self) -> int:
        """How far it can grow; its length if it is not resizable, 0 once detached."""
        return self._length if self._max is None or self._memory is None else self._max

    @property
    def resizable(self) -> bool:
        """Whether it was made with a ``max_byte_length``."""
        return self._max is not None

    @property
    def detached(self) -> bool:
        """Whether its bytes have been handed over."""
        return self._memory is None

    def resize(self, byte_length: int) -> None:
        """Change the length; new bytes are zero.

        Raises:
            ValueError: not resizable, detached, or beyond ``max_byte_length``.
            BufferError: there are views on it; nothing has changed.
        """
        if self._memory is None:
            raise ValueError("the ArrayBuffer is detached")
        if self._max is None:
            raise ValueError("the ArrayBuffer is not resizable")
        if not 0 <= byte_length <= self._max:
            raise ValueError(f"{byte_length} is not between 0 and the maximum, {self._max}")
        if self._living() or looked_into(self._root, ()):
            raise BufferError("an ArrayBuffer with living views cannot be resized")
        if isinstance(self._memory, bytearray):
            self._root.release()
            try:
                if byte_length < self._length:
                    del self._memory[byte_length:]
                else:
                    self._memory.extend(bytes(byte_length - self._length))
            finally:
                self._root = memoryview(self._memory)
        elif byte_length < self._length:
            self._memory[byte_length : self._length] = bytes(self._length - byte_length)
        self._length = byte_length

    def slice(self, begin: int = 0, end: int | None = None) -> ArrayBuffer:
        """Return a new ArrayBuffer with a copy of some of the bytes; negative numbers count from the end."""
        if self._memory is None:
            raise ValueError("the ArrayBuffer is detached")
        return ArrayBuffer(self._root[: self._length][begin:end])

    # Transferable

    def transfer_check(self) -> None:
        """Raise DataCloneError if it is detached, or if a view is exported to where it cannot be revoked."""
        if self._memory is None:
            raise DataCloneError("the ArrayBuffer is already detached")
        if looked_into(self._root, self._living()):
            raise DataCloneError(
                "the ArrayBuffer cannot be transferred while something else looks into it "
                "(a slice or cast of a view, a numpy array, a ctypes object): drop that first, or send a copy"
            )

    def transfer_take(self) -> BufferToken:
        """Detach: release every view that was handed out, and return what was owned."""
        memory = self._memory
        assert memory is not None, "transfer_check comes first"
        for view in self._living():
            view.release()
        self._root.release()
        token = BufferToken(memory, self._length, self._max)
        token._descriptor = self._descriptor
        self._memory = self._descriptor = None
        self._length = 0
        return token

    @classmethod
    def transfer_build(cls, token: object) -> ArrayBuffer:
        """Return a new ArrayBuffer that owns what the token owned."""
        assert isinstance(token, BufferToken)
        buffer = cls.__new__(cls)
        buffer._max = token.max_byte_length
        buffer._adopt(token.memory, token.byte_length, token._descriptor)
        return buffer

    def transfer_restore(self, token: object) -> None:
        """Take back what ``transfer_take`` gave away; the views that it released stay released."""
        assert isinstance(token, BufferToken)
        self._adopt(token.memory, token.byte_length, token._descriptor)


class SharedArrayBuffer(_Buffer):
    """JavaScript's SharedArrayBuffer: cloning one gives another object over the same bytes.

    On Linux the bytes live in a memfd, so that other processes can be sent it too.

    Args:
        size_or_bytes: how many zero bytes, or the bytes (copied).
    """

    __slots__ = ()

    def __init__(self, size_or_bytes: int | Octets = 0) -> None:
        size, content = _size_and_content(size_or_bytes)
        memory: Memory = bytearray()
        descriptor: Descriptor | None = None
        if HAVE_MEMFD:
            memory, descriptor = new_memfd(size)
        else:
            memory = bytearray(size)
        if content is not None:
            memory[:size] = content
        self._adopt(memory, size, descriptor)

    @classmethod
    def from_fd(cls, fd: int, byte_length: int) -> SharedArrayBuffer:
        """Map the memory of a SharedArrayBuffer of another process; the buffer owns *fd* from then on.

        Raises:
            ValueError: it is not sealed against shrinking, or is too small.
            OSError: it is no memfd, or cannot be mapped.
        """
        descriptor = Descriptor(fd)
        shared = cls.__new__(cls)
        shared._adopt(map_memfd(descriptor, byte_length), byte_length, descriptor)
        return shared

    def alias(self) -> SharedArrayBuffer:
        """Return another object over the same bytes, which is what a clone of it is."""
        shared = SharedArrayBuffer.__new__(SharedArrayBuffer)
        assert self._memory is not None
        shared._adopt(self._memory, self._length, self._descriptor)
        return shared


def _size_and_content(size_or_bytes: int | Octets) -> tuple[int, bytes | memoryview | None]:
    if isinstance(size_or_bytes, int):
        if size_or_bytes < 0:
            raise ValueError(f"a buffer has no {size_or_bytes} bytes")
        return size_or_bytes, None
    if isinstance(size_or_bytes, _Buffer):
        content = bytes(size_or_bytes)
        return len(content), content
    octets = memoryview(size_or_bytes)
    if not octets.c_contiguous:
        content = octets.tobytes()
        return len(content), content
    return octets.nbytes, octets.cast("B") if octets.nbytes else b""


def is_released(view: memoryview) -> bool:
    """Whether *view* has been released, as detaching a buffer releases the views that it handed out."""
    try:
        view.nbytes  # noqa: B018  # a released memoryview raises
    except ValueError:
        return True
    return False

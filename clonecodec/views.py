"""The views that memoryview is no match for: their kind, or their elements, it cannot tell.

    DataView            bytes to be read as anything
    Uint8ClampedArray   the pixels of a canvas
    Float16Array        half-precision floats

Every other typed array is a memoryview that ``ArrayBuffer.view`` hands out.
"""

from __future__ import annotations

import struct

from ._kinds import DATA_VIEW, FLOAT16, UINT8_CLAMPED, Kind
from .buffers import ArrayBuffer, SharedArrayBuffer, is_released, view_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Self

    from .buffers import Octets

__all__ = ["DataView", "Float16Array", "Uint8ClampedArray"]


class _View:
    """What the views that are no memoryview have in common."""

    __slots__ = ("_view", "buffer")

    kind: Kind
    buffer: ArrayBuffer | SharedArrayBuffer

    def __init__(
        self,
        source: ArrayBuffer | SharedArrayBuffer | Octets | Iterable[float] | int,
        offset: int = 0,
        length: int | None = None,
    ) -> None:
        if isinstance(source, (ArrayBuffer, SharedArrayBuffer)):
            self.buffer = source
        elif isinstance(source, int):
            self.buffer = ArrayBuffer(source * self.kind.size)
        else:
            self.buffer = ArrayBuffer(self._octets(source))
        self._view = self.buffer.hand_out(self.kind, offset, length)

    @classmethod
    def _octets(cls, source: object) -> memoryview:
        return memoryview(source).cast("B")  # type: ignore[arg-type]  # TypeError if it is no buffer

    @classmethod
    def over(
        cls, buffer: ArrayBuffer | SharedArrayBuffer, offset: int, length: int | None, tracking: bool
    ) -> Self:
        """Make one as the codec does, which knows whether it is to track the buffer's length."""
        self = cls.__new__(cls)
        self.buffer = buffer
        self._view = buffer.hand_out(cls.kind, offset, length, tracking)
        return self

    @property
    def view(self) -> memoryview:
        """The memoryview of what it shows; using it raises ValueError once the buffer is detached."""
        return self._view

    @property
    def byte_offset(self) -> int:
        """Where in the buffer it begins, in bytes; 0 once the buffer is detached."""
        what = view_of(self._view)
        return what.offset if what is not None and not is_released(self._view) else 0

    @property
    def byte_length(self) -> int:
        """How many bytes it shows; 0 once the buffer is detached."""
        return 0 if is_released(self._view) else self._view.nbytes

    def __len__(self) -> int:
        return self.byte_length // self.kind.size

    def __bool__(self) -> bool:
        return True

    def __bytes__(self) -> bytes:
        return self._view.tobytes()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self) or not isinstance(other, _View):
            return NotImplemented
        return self is other or bytes(self) == bytes(other)

    def __repr__(self) -> str:
        name = type(self).__name__
        if is_released(self._view):
            return f"<{name}, detached>"
        return f"<{name} of {self.byte_length} bytes at {self.byte_offset} of {self.buffer!r}>"


class DataView(_View):
    """JavaScript's DataView: bytes of a buffer, to be read as anything (with ``struct``, in Python).

    Args:
        source: the buffer, or bytes to copy into a new one.
        offset, length: the part of it, in bytes; up to the end if *length* is None.

    >>> DataView(ArrayBuffer(b"abcd"), 1, 2).view.tobytes()
    b'bc'
    """

    __slots__ = ()
    kind: Kind = DATA_VIEW


class Uint8ClampedArray(_View):
    """JavaScript's Uint8ClampedArray, the pixels of a canvas.

    Args:
        source: a buffer to look into, bytes to copy, numbers (rounded, and clamped to 0..255), or a size.
        offset, length: the part of the buffer; up to the end if *length* is None.

    >>> Uint8ClampedArray([0, 300]).view.tolist()
    [0, 255]
    """

    __slots__ = ()
    kind: Kind = UINT8_CLAMPED

    @classmethod
    def _octets(cls, source: Any) -> memoryview:
        try:
            return super()._octets(source)
        except TypeError:
            return memoryview(bytes(_clamped(number) for number in source))

    def __getitem__(self, index: int) -> int:
        return int(self._view[index])

    def __iter__(self) -> Iterator[int]:
        return iter(self._view.tolist())

    def tolist(self) -> list[int]:
        """The numbers, as a list."""
        return self._view.tolist()


def _clamped(number: float) -> int:
    if number != number:
        return 0
    return max(0, min(255, round(min(max(number, -1), 256))))


class Float16Array(_View):
    """JavaScript's Float16Array: half-precision floats, for which memoryview has no format.

    Args:
        source: a buffer to look into, bytes to copy, numbers, or a size.
        offset, length: the part of the buffer: *offset* in bytes, *length* in elements.

    >>> list(Float16Array([1.5, -2.0]))
    [1.5, -2.0]
    """

    __slots__ = ()
    kind: Kind = FLOAT16

    @classmethod
    def _octets(cls, source: Any) -> memoryview:
        try:
            return super()._octets(source)
        except TypeError:
            return memoryview(b"".join(_half(number) for number in source))

    def __getitem__(self, index: int) -> float:
        return float(struct.unpack("<e", struct.pack("<H", self._view[index]))[0])

    def __setitem__(self, index: int, number: float) -> None:
        self._view[index] = struct.unpack("<H", _half(number))[0]

    def __iter__(self) -> Iterator[float]:
        return iter(self.tolist())

    def tolist(self) -> list[float]:
        """The numbers, as a list."""
        return list(struct.unpack(f"<{len(self._view)}e", self._view.tobytes()))


def _half(number: float) -> bytes:
    try:
        return struct.pack("<e", number)
    except OverflowError:  # JavaScript rounds to infinity
        return struct.pack("<e", float("inf") if number > 0 else float("-inf"))

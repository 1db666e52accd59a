"""Values to bytes: V8's ValueSerializer.

One loop (``_walk``) writes the scalars itself, since there are so many, and asks a method for everything
else: one for each line of the value table, in its order.  A method writes its value whole, or begins a
container and returns a frame of what is inside; the loop goes down into it and comes back.  Nothing
recurses.
"""

from __future__ import annotations

from itertools import chain

from . import _tags as tags
from ._accelerate import accelerator
from ._encodings import METHODS, Encodings, Frame, Method
from ._paths import MAP, OBJECT, SET, TRANSPARENT, inside
from ._properties import codes
from ._rows import PRIMITIVE_ROWS, row_of
from ._wire import NAN, double, pack_double, varint
from .buffers import ArrayBuffer
from .errors import DataCloneError
from .values import (
    BigInt,
    ByIdentity,
    Map,
    hole,
    no_item,
    undefined,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final

    from ._accelerator import Writer
    from .buffers import Octets

MAX_DEPTH: Final = 100_000  # containers within containers; each costs a frame of about 100 bytes

_INT_CODES: Final = [bytes((tags.INT32, code)) for code in (*range(0, 0x80, 2), *range(0x7F, 0, -2))]
"""The code of an int that takes one byte, which is also its index: negative ones count from the end."""

_LONG_INT_BEGINS: Final = [bytes((tags.INT32, 0x80 | low)) for low in range(0x80)]
_TEXT_BEGINS: Final = [bytes((tags.ONE_BYTE_STRING, length)) for length in range(0x80)]


class Serializer(Encodings):
    """Writes values in V8's wire format; a subclass may say what V8's embedder may (Node: ``v8.Serializer``).

    Args:
        hints: mark Python's own kinds (int beyond 32 bits, tuple, frozenset) with a padding byte, which
            JavaScript skips, so that they come back as themselves.
        version: of the wire format, 13 to 16.
        max_depth: how many containers may lie within each other.

    Views are written with their buffer, as V8 itself writes them; ``DefaultSerializer`` writes them as Node's
    ``v8.serialize`` does.

    >>> serializer = Serializer()
    >>> serializer.write_header()
    >>> serializer.write_value([1, 2])
    >>> serializer.release_buffer().hex(" ")
    'ff 0f 41 02 49 02 49 04 24 00 02'
    """

    def __init__(
        self, *, hints: bool = True, version: int = tags.WRITTEN_VERSION, max_depth: int = MAX_DEPTH
    ) -> None:
        if not 13 <= version <= tags.LATEST_VERSION:
            raise ValueError(f"version {version} is not written; 13 to {tags.LATEST_VERSION} are")
        self._version = version
        # Below version 14 one padding byte after a view would be taken for a stray byte of flags.
        self._hint = (b"\0" if version >= 14 else b"\0\0") if hints else b""
        self._max_depth = max_depth
        self._out = bytearray()
        self._ids: dict[int, int] = {}
        self._objects: list[object] = []  # by number; held, so that no id is used again
        self._transferred: dict[int, tuple[int, ArrayBuffer]] = {}
        self._methods: dict[type, Method] = {}
        self._stack: list[Frame] = []
        self._core: Writer | None = None  # does the walking in C; and holds the bytes and the numbers
        if accelerator is not None:
            self._core, self._out, self._ids, self._objects = accelerator.writer(
                len(self._hint), version, max_depth
            )

    # What an embedder calls

    def write_header(self) -> None:
        """Write ``FF`` and the version."""
        self._out += bytes((tags.VERSION, self._version))

    def write_value(self, value: object) -> None:
        """Write *value*.  Several values may be written; they share the numbers of objects.

        Raises:
            DataCloneError: it cannot be cloned, or is nested too deeply; ``.path`` says where.
        """
        self._run(value)

    def release_buffer(self) -> bytes:
        """Return what has been written since the last call."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def transfer_array_buffer(self, id: int, buffer: ArrayBuffer) -> None:
        """Write *buffer*, where it occurs, as a reference to the transferred buffer *id*.

        Raises:
            TypeError: it is no ArrayBuffer.
            ValueError: *id* is not within 32 bits.
        """
        if not isinstance(buffer, ArrayBuffer):
            raise TypeError(f"an ArrayBuffer can be transferred, not {type(buffer).__name__}")
        if not 0 <= id < 1 << 32:
            raise ValueError(f"{id} is no unsigned number of 32 bits")
        self._transferred[_identity(buffer)] = id, buffer

    def write_uint32(self, number: int) -> None:
        """Write a varint.  ValueError if it is not within 32 bits."""
        if not 0 <= number < 1 << 32:
            raise ValueError(f"{number} is no unsigned number of 32 bits")
        self._out += varint(number)

    def write_uint64(self, number: int) -> None:
        """Write a varint.  ValueError if it is not within 64 bits."""
        if not 0 <= number < 1 << 64:
            raise ValueError(f"{number} is no unsigned number of 64 bits")
        self._out += varint(number)

    def write_double(self, number: float) -> None:
        """Write 8 bytes, little-endian."""
        self._out += double(number)

    def write_raw_bytes(self, octets: Octets) -> None:
        """Write the bytes of a bytes-like object, as they are."""
        self._out += memoryview(octets).tobytes()

    # The loop

    def _run(self, value: object) -> None:
        if self._core is not None:
            self._core.write(self, value, type(self).is_host_object is not Serializer.is_host_object)
            return
        stack = self._stack
        base = len(stack)
        try:
            self._walk((iter((value,)), b"", TRANSPARENT, (value,)))
        except DataCloneError as error:
            steps = [
                (layout, flat, len(flat) - items.__length_hint__() - 1)  # type: ignore[attr-defined]
                for items, _, layout, flat in stack[base:]
            ]
            raise inside(error, steps) from error.__cause__
        finally:
            del stack[base:]

    def _walk(self, frame: Frame) -> None:
        """Write the items of *frame* and all that is inside."""
        out, ids, methods, stack = self._out, self._ids, self._methods, self._stack
        code_of, names, max_depth = codes.get, codes.keys(), self._max_depth
        claims = None if type(self).is_host_object is Serializer.is_host_object else self.is_host_object
        base = len(stack)
        stack.append(frame)
        items: Iterator[Any] = frame[0]
        while True:
            for item in items:
                kind = type(item)
                if kind is str:
                    code = code_of(item)
                    if code is not None:
                        out += code
                    elif len(item) < 0x80 and item.isascii():
                        out += _TEXT_BEGINS[len(item)]
                        out += item.encode()
                    else:
                        self._str(item)
                elif kind is int:
                    if -0x40 <= item < 0x40:
                        out += _INT_CODES[item]
                    elif -0x2000 <= item < 0x2000:
                        bits = item << 1 ^ item >> 31
                        out += _LONG_INT_BEGINS[bits & 0x7F]
                        out.append(bits >> 7)
                    else:
                        self._int(item)
                elif kind is float:
                    out += b"N"
                    out += pack_double(item) if item == item else NAN
                elif item is None:
                    out += b"0"
                elif item is True:
                    out += b"T"
                elif item is False:
                    out += b"F"
                else:
                    number = ids.get(id(item))
                    if number is not None:
                        out += b"^" + varint(number)
                        continue
                    if kind is dict and claims is None and item.keys() <= names:
                        inner: Frame | None = self._object(item, list(chain.from_iterable(item.items())))
                    else:
                        method = methods.get(kind)
                        if method is None:
                            method = methods[kind] = METHODS[row_of(item)]
                        if claims is not None and row_of(item) not in PRIMITIVE_ROWS and claims(item):
                            method = Encodings._host_object
                        inner = method(self, item)
                    if inner is not None:
                        if len(stack) > max_depth:
                            raise DataCloneError(f"nested more than {max_depth} deep")
                        stack.append(inner)
                        break
            else:
                out += stack.pop()[1]
                if len(stack) == base:
                    return
            items = stack[-1][0]

    def _other(self, value: object) -> Frame | None:
        """Write an object, or return its frame: what ``_walk`` does with one that has no number yet."""
        method = self._methods.get(type(value))
        if method is None:
            method = self._methods[type(value)] = METHODS[row_of(value)]
        if type(self).is_host_object is not Serializer.is_host_object:  # noqa: SIM102
            if row_of(value) not in PRIMITIVE_ROWS and self.is_host_object(value):
                method = Encodings._host_object
        return method(self, value)


def _identity(value: object) -> int:
    return id(value)


if accelerator is not None:
    accelerator.know(
        Map=Map,
        BigInt=BigInt,
        ByIdentity=ByIdentity,
        hole=hole,
        undefined=undefined,
        DataCloneError=DataCloneError,
        inside=inside,
        no_item=no_item,
        OBJECT=OBJECT,
        MAP=MAP,
        SET=SET,
    )

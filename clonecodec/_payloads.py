"""What stands behind each tag, and is read whole: one method a tag, in the order of the tag table.

The mirror of ``_encodings``; buffers and views are in ``_buffer_payloads``.  ``_loop`` calls them, and fills
the containers for which some of them make a frame.  A method is told whether padding stands right before its
tag, which is the hint that Python's flavour of the value is meant.
"""

from __future__ import annotations

from . import _tags as tags
from ._buffer_payloads import BufferPayloads, Octets
from ._builders import NOT_YET, Unfinished
from ._dates import from_milliseconds
from ._frames import ErrorFrame, Frame, FrozenSetFrame, MapFrame, SetFrame, SparseFrame
from ._names import number_name, remember
from ._tags import ONE_BYTE_STRING
from .buffers import ArrayBuffer, SharedArrayBuffer
from .errors import DecodeError
from .regexp import RegExp, flags_of
from .values import MAX_SAFE_INTEGER, BigInt, Boxed, undefined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, TypeAlias

Method: TypeAlias = "Callable[[Payloads, bool], object]"

HINTED: Final = 7
"""Where the state of a suspended container says whether it is to be a tuple."""

MAX_STRING_LENGTH: Final = 2**29 - 24  # characters; V8's own, on 64-bit machines


class Payloads(BufferPayloads):
    """What ``Deserializer`` has from each tag: see there for what is public."""

    _floor: int
    _hinted: bool

    @property
    def offset(self) -> int:
        """Where the next byte is read."""
        return self._wire.offset

    def read_uint8(self) -> int:
        """Read a varint of 8 bits.  TruncatedError if the data ends."""
        return self._wire.uint8()

    # What an embedder may override

    def read_host_object(self) -> Any:
        """Read what ``write_host_object`` wrote, and return the object: override this.

        It may read values; they take numbers after the host object's own.
        """
        raise DecodeError("a host object, which only its embedder can read", self._wire.offset)

    def get_wasm_module(self, id: int) -> Any:
        """Return the WebAssembly module *id*: override this."""
        raise DecodeError(
            f"a WebAssembly module, number {id}, which only its embedder has", self._wire.offset
        )

    def get_shared_object(self, id: int) -> Any:
        """Return the shared object (of V8's shared heap) *id*: override this."""
        raise DecodeError(f"a shared object, number {id}, which only its embedder has", self._wire.offset)

    # Parts of values

    def ends(self, end: int) -> bool:
        """Whether the tag *end* comes next; if so, read it."""
        return self._wire.ends(end)

    def check_count(self, actual: int, what: str) -> None:
        """Read a number at the end of a container, which must be *actual*."""
        start = self._wire.offset
        claimed = self._wire.varint()
        if claimed != actual & 0xFFFF_FFFF:
            raise DecodeError(f"{actual} {what} close with the count {claimed}", start)

    def key(self) -> str:
        """Read a property key: text or a number."""
        wire = self._wire
        tag = wire.tag()
        start = wire.offset - 1
        while tag == tags.VERIFY_OBJECT_COUNT:
            wire.varint()
            tag = wire.tag()
            start = wire.offset - 1
        if tag == ONE_BYTE_STRING:
            octets = wire.raw(wire.varint())
            name = str(octets, "latin-1")
            remember(name)
            return name
        method = _KEY_METHODS.get(tag)
        if method is None:
            raise DecodeError(f"a property key is a string or a number, not {say(tag)}", start)
        value: Any = method(self, False)
        return value if isinstance(value, str) else number_name(value)

    def string(self) -> str:
        """Read a string that is part of something: a value, or before version 12 bare UTF-8."""
        if self._version < 12:
            return self._utf8_string(False)
        wire = self._wire
        tag = wire.tag()
        while tag == tags.VERIFY_OBJECT_COUNT:
            wire.varint()
            tag = wire.tag()
        method = _STRING_METHODS.get(tag)
        if method is None:
            raise DecodeError(f"expected a string, not {say(tag)}", wire.offset - 1)
        text = method(self, False)
        assert isinstance(text, str)
        return text

    def _unknown(self, tag: int, padded: bool) -> object:
        """A host object, or nothing that V8 knows; before version 13, host objects had no tag."""
        wire = self._wire
        if tag != tags.HOST_OBJECT:
            if self._version >= 13:
                raise DecodeError(f"expected a value, not {say(tag)}", wire.offset - 1)
            wire.offset -= 1
        self._objects.append(NOT_YET)
        number = len(self._objects) - 1
        self._hinted = padded
        value = self._objects[number] = self.read_host_object()
        return value

    # Primitives, which have no number

    def _undefined(self, hinted: bool) -> object:
        return undefined

    def _null(self, hinted: bool) -> None:
        return None

    def _true(self, hinted: bool) -> bool:
        return True

    def _false(self, hinted: bool) -> bool:
        return False

    def _int32(self, hinted: bool) -> int:
        return self._wire.zigzag()

    def _uint32(self, hinted: bool) -> int:
        return self._wire.varint()

    def _double(self, hinted: bool) -> int | float:
        number = self._wire.double()
        if hinted and number.is_integer() and abs(number) <= MAX_SAFE_INTEGER:
            return int(number)
        return number

    def _big_int(self, hinted: bool) -> int:
        number = self._wire.big_int()
        return BigInt(number) if abs(number) <= MAX_SAFE_INTEGER else number

    def _utf8_string(self, hinted: bool) -> str:
        return str(self._characters(1), "utf-8", "replace")

    def _one_byte_string(self, hinted: bool) -> str:
        return str(self._characters(1), "latin-1")

    def _two_byte_string(self, hinted: bool) -> str:
        return str(self._characters(2), "utf-16-le", "surrogatepass")

    def _characters(self, width: int) -> bytes | memoryview:
        wire = self._wire
        start = wire.offset
        length = wire.varint()
        if length % width:
            raise DecodeError(f"a two-byte string of {length} bytes", start)
        if length // width > MAX_STRING_LENGTH:
            raise DecodeError(f"{length // width} characters are more than JavaScript's strings have", start)
        return wire.raw(length)

    # Objects

    def _reference(self, hinted: bool) -> object:
        start = self._wire.offset
        number = self._wire.varint()
        if number >= len(self._objects):
            raise DecodeError(f"reference to object {number}, not yet begun", start)
        value = self._objects[number]
        if value is NOT_YET:
            raise DecodeError(f"reference to object {number}, not yet there", start)
        if number < self._floor and self._hidden(value):
            raise DecodeError(f"reference to object {number}, which its embedder would see unfinished", start)
        if isinstance(value, Octets):
            value = self._objects[number] = ArrayBuffer(value.octets)
        if isinstance(value, (ArrayBuffer, SharedArrayBuffer)):
            return self._view_or(value, False)
        return value

    def _hidden(self, value: object) -> bool:
        """Whether *value*, from the table of objects, is a container that nothing can stand for yet."""
        if type(value) is int:  # an array that is open
            return bool(self._stack[value][HINTED])
        return isinstance(value, Unfinished) and value.provisional() is None

    def _sparse_array(self, hinted: bool) -> Frame:
        return SparseFrame(self._objects, self._next_number(), self._wire.varint())

    def _map(self, hinted: bool) -> Frame:
        frame = MapFrame()
        self._objects.append(frame.target)
        return frame

    def _set(self, hinted: bool) -> Frame:
        if hinted:
            return FrozenSetFrame(self._objects, self._next_number())
        frame = SetFrame()
        self._objects.append(frame.target)
        return frame

    def _error(self, hinted: bool) -> Frame:
        return ErrorFrame(self._objects, self._next_number())

    def _date(self, hinted: bool) -> object:
        return self._numbered(from_milliseconds(self._wire.double()))

    def _true_object(self, hinted: bool) -> object:
        return self._numbered(Boxed(True))

    def _false_object(self, hinted: bool) -> object:
        return self._numbered(Boxed(False))

    def _number_object(self, hinted: bool) -> object:
        return self._numbered(Boxed(self._wire.double()))

    def _big_int_object(self, hinted: bool) -> object:
        return self._numbered(Boxed(self._big_int(False)))

    def _string_object(self, hinted: bool) -> object:
        return self._numbered(Boxed(self.string()))

    def _regexp(self, hinted: bool) -> object:
        source = self.string()
        start = self._wire.offset
        bits = self._wire.varint()
        try:
            flags = flags_of(bits)
        except ValueError as error:
            raise DecodeError(str(error), start) from None
        return self._numbered(RegExp(source, flags))

    # What only an embedder has

    def _shared_object(self, hinted: bool) -> object:
        return self.get_shared_object(self._wire.varint())

    def _wasm_module(self, hinted: bool) -> object:
        return self._numbered(self.get_wasm_module(self._wire.varint()))

    def _wasm_memory(self, hinted: bool) -> object:
        raise DecodeError("a WebAssembly memory, which Python has not", self._wire.offset - 1)


def say(tag: int) -> str:
    name = tags.NAMES.get(tag)
    return f"tag 0x{tag:02x}" if name is None else f"0x{tag:02x} ({name})"


METHODS: Final[dict[int, Method]] = {
    tags.UNDEFINED: Payloads._undefined,
    tags.NULL: Payloads._null,
    tags.TRUE: Payloads._true,
    tags.FALSE: Payloads._false,
    tags.INT32: Payloads._int32,
    tags.UINT32: Payloads._uint32,
    tags.DOUBLE: Payloads._double,
    tags.BIG_INT: Payloads._big_int,
    tags.UTF8_STRING: Payloads._utf8_string,
    tags.ONE_BYTE_STRING: Payloads._one_byte_string,
    tags.TWO_BYTE_STRING: Payloads._two_byte_string,
    tags.OBJECT_REFERENCE: Payloads._reference,
    tags.DATE: Payloads._date,
    tags.TRUE_OBJECT: Payloads._true_object,
    tags.FALSE_OBJECT: Payloads._false_object,
    tags.NUMBER_OBJECT: Payloads._number_object,
    tags.BIG_INT_OBJECT: Payloads._big_int_object,
    tags.STRING_OBJECT: Payloads._string_object,
    tags.REGEXP: Payloads._regexp,
    tags.ARRAY_BUFFER: Payloads._array_buffer,
    tags.RESIZABLE_ARRAY_BUFFER: Payloads._resizable_array_buffer,
    tags.IMMUTABLE_ARRAY_BUFFER: Payloads._array_buffer,
    tags.ARRAY_BUFFER_TRANSFER: Payloads._transferred_array_buffer,
    tags.SHARED_ARRAY_BUFFER: Payloads._shared_array_buffer,
    tags.SHARED_OBJECT: Payloads._shared_object,
    tags.WASM_MODULE_TRANSFER: Payloads._wasm_module,
    tags.WASM_MEMORY_TRANSFER: Payloads._wasm_memory,
}
METHODS_BEFORE_15: Final = {tag: method for tag, method in METHODS.items() if tag != tags.SHARED_OBJECT}

CONTAINERS: Final[dict[int, Callable[[Payloads, bool], Frame]]] = {
    tags.BEGIN_SPARSE_ARRAY: Payloads._sparse_array,
    tags.BEGIN_MAP: Payloads._map,
    tags.BEGIN_SET: Payloads._set,
    tags.ERROR: Payloads._error,
}
"""Containers of which each has a frame; objects and dense arrays are begun by the loop itself."""

_STRING_TAGS: Final = (tags.UTF8_STRING, tags.ONE_BYTE_STRING, tags.TWO_BYTE_STRING)
_STRING_METHODS: Final = {tag: METHODS[tag] for tag in _STRING_TAGS}
_KEY_METHODS: Final = {tag: METHODS[tag] for tag in (tags.INT32, tags.UINT32, tags.DOUBLE, *_STRING_TAGS)}

LEAVES: Final[dict[int, Method]] = {
    tag: METHODS[tag]
    for tag in (
        tags.BIG_INT,
        tags.UTF8_STRING,
        tags.OBJECT_REFERENCE,
        tags.DATE,
        tags.TRUE_OBJECT,
        tags.FALSE_OBJECT,
        tags.NUMBER_OBJECT,
        tags.BIG_INT_OBJECT,
        tags.STRING_OBJECT,
        tags.REGEXP,
        tags.ARRAY_BUFFER,
        tags.RESIZABLE_ARRAY_BUFFER,
        tags.IMMUTABLE_ARRAY_BUFFER,
        tags.ARRAY_BUFFER_TRANSFER,
    )
}
"""What the loop in C asks for a single value: methods that call nothing that a subclass may override."""

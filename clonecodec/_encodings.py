"""What each row of the value table is written as: one method a row, in the table's order.

The mirror of ``_payloads``.  A method writes its value whole, or begins a container and returns a frame of
what is inside, which the loop in ``_writer`` goes down into:

    frame = (iterator, end, layout, items)

the items left to write; the bytes that close the container; what its items are, for the path of an error; and
all of them.

Every object that V8 numbers gets a number here, in V8's order: see ``_begin``.
"""

from __future__ import annotations

from datetime import datetime
from itertools import chain

from . import _tags as tags
from ._buffer_encodings import BufferEncodings
from ._dates import to_milliseconds
from ._keys import check_keys
from ._paths import ERROR, MAP, OBJECT, SET, SPARSE, TRANSPARENT, Layout
from ._properties import check_array_properties, check_indices, index_key, property_list
from ._rows import Movable
from ._wire import big_int, double, varint
from .buffers import ArrayBuffer, SharedArrayBuffer
from .errors import DataCloneError
from .regexp import RegExp, bits_of, from_pattern
from .values import (
    MAX_SAFE_INTEGER,
    Array,
    BigInt,
    Boxed,
    ByIdentity,
    Date,
    Hole,
    Map,
    SparseArray,
    Undefined,
    hole,
    no_item,
)
from .views import DataView, Float16Array, Uint8ClampedArray

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, Final, TypeAlias


Frame: TypeAlias = "tuple[Iterator[object], bytes, Layout, Sequence[object]]"
Method: TypeAlias = "Callable[[Encodings, Any], Frame | None]"

_PROTOTYPES: Final = {name: bytes((tag,)) for tag, name in tags.ERROR_PROTOTYPES.items()}


class Encodings(BufferEncodings):
    """What ``Serializer`` has for each row: see there for what is public."""

    _stack: list[Frame]

    # Primitives, which have no number

    def _undefined(self, value: Undefined) -> None:
        self._out.append(tags.UNDEFINED)

    def _int(self, value: int) -> None:
        out = self._out
        value = int.__index__(value)  # of a subclass, the int that it is
        if -0x8000_0000 <= value <= 0x7FFF_FFFF:
            out.append(tags.INT32)
            code = value << 1 ^ value >> 31
            while code > 0x7F:
                out.append(code & 0x7F | 0x80)
                code >>= 7
            out.append(code)
        elif -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
            out += self._hint + b"N" + double(value)
        else:
            self._big_int(value)

    def _big_int(self, value: int) -> None:
        self._out += b"Z" + big_int(value)

    def _float(self, value: float) -> None:
        self._out += b"N" + double(value)

    def _str(self, value: str) -> None:
        out = self._out
        try:
            octets = str.encode(value, "latin-1")
        except UnicodeEncodeError:
            octets = str.encode(value, "utf-16-le", "surrogatepass")
            length = varint(len(octets))
            # V8 has its two-byte characters start at an even offset from the start of the buffer.
            out += b"\0c" if (len(out) + 1 + len(length)) & 1 else b"c"
            out += length
        else:
            out += b'"' + varint(len(octets))
        out += octets

    # Containers

    def _dict(self, value: dict[object, object]) -> Frame:
        flat = property_list(value if type(value) is dict else dict(value))
        if flat is None:
            return self._map(value)
        return self._object(value, flat)

    def _object(self, value: object, flat: list[object]) -> Frame:
        self._ids[id(value)] = len(self._objects)
        self._objects.append(value)
        self._out.append(tags.BEGIN_OBJECT)
        return iter(flat), b"{" + varint(len(flat) // 2), OBJECT, flat

    def _map(self, value: dict[object, object]) -> Frame:
        check_keys(value)
        self._begin(value)
        self._out.append(tags.BEGIN_MAP)
        flat = list(chain.from_iterable(value.items()))
        if ByIdentity in map(type, value):
            flat[::2] = _unwrapped(flat[::2])
        return iter(flat), b":" + varint(len(flat)), MAP, flat

    def _list(self, value: list[object]) -> Frame:
        self._begin(value)
        flat = list(value)
        if Hole in map(type, flat):
            return self._sparse(len(flat), enumerate(flat), {})
        length = len(flat)
        code = varint(length)
        self._out += b"A" + code
        return iter(flat), b"$\0" + code, length, flat

    def _hole(self, value: Hole) -> Frame:
        raise no_item()  # ``_list`` and ``_array`` look for them

    def _tuple(self, value: tuple[object, ...]) -> Frame:
        self._begin(value)
        flat = tuple(value)
        self._out += self._hint + b"A" + varint(len(flat))
        return iter(flat), b"$\0" + varint(len(flat)), len(flat), flat

    def _array(self, value: Array) -> Frame:
        flat = list(value)
        properties = dict(value.properties)
        check_array_properties(properties)
        self._begin(value)
        if any(item is hole for item in flat):
            return self._sparse(len(flat), enumerate(flat), properties)
        length = len(flat)
        self._out += b"A" + varint(length)
        flat += property_list(properties) or ()
        return iter(flat), b"$" + varint(len(properties)) + varint(length), length, flat

    def _sparse_array(self, value: SparseArray) -> Frame:
        items, properties = dict(value.items), dict(value.properties)
        check_array_properties(properties)
        check_indices(items, value.length)
        self._begin(value)
        return self._sparse(value.length, sorted(items.items(), key=_first), properties)

    def _sparse(
        self, length: int, items: Iterable[tuple[int, object]], properties: dict[str, object]
    ) -> Frame:
        flat: list[object] = []
        for index, item in items:
            if item is not hole:
                flat += (index_key(index), item)
        flat += property_list(properties) or ()
        self._out += b"a" + varint(length)
        return iter(flat), b"@" + varint(len(flat) // 2) + varint(length), SPARSE, flat

    def _set(self, value: set[object]) -> Frame:
        self._begin(value)
        self._out.append(tags.BEGIN_SET)
        flat = list(value)
        if ByIdentity in map(type, flat):
            flat = _unwrapped(flat)
        return iter(flat), b"," + varint(len(flat)), SET, flat

    def _frozenset(self, value: frozenset[object]) -> Frame:
        self._out += self._hint
        return self._set(value)  # type: ignore[arg-type]  # it is only read

    def _by_identity(self, value: ByIdentity) -> Frame:
        flat = (value.content(),)
        return iter(flat), b"", TRANSPARENT, flat

    def _instance(self, value: object) -> Frame | None:
        from ._instances import attributes_of

        try:
            attributes = attributes_of(value)
        except DataCloneError:
            self._host_object(value)
            return None
        return self._object(value, property_list(attributes) or [])

    # Objects without items

    def _date(self, value: datetime) -> None:
        self._begin(value)
        self._out += b"D" + double(to_milliseconds(value))

    def _far_date(self, value: Date) -> None:
        self._begin(value)
        self._out += b"D" + double(value.milliseconds)

    def _boxed(self, value: Boxed) -> None:
        self._begin(value)
        content = value.value
        if isinstance(content, bool):
            self._out.append(tags.TRUE_OBJECT if content else tags.FALSE_OBJECT)
        elif isinstance(content, str):
            self._out.append(tags.STRING_OBJECT)
            self._str(content)
        elif isinstance(content, BigInt) or (isinstance(content, int) and abs(content) > MAX_SAFE_INTEGER):
            self._out += b"z" + big_int(content)
        else:
            self._out += b"n" + double(content)

    def _regexp(self, value: RegExp | re.Pattern[str]) -> None:
        regexp = value if isinstance(value, RegExp) else from_pattern(value)
        self._begin(value)
        self._out.append(tags.REGEXP)
        self._str(regexp.source)
        self._out += varint(bits_of(regexp.flags))

    def _error(self, error: BaseException) -> Frame:
        from .jserrors import cause_of, message_of, name_of, stack_of

        name, message, stack, cause = name_of(error), message_of(error), stack_of(error), cause_of(error)
        self._begin(error)
        self._out += b"r" + _PROTOTYPES.get(name, b"")
        # Message, stack, cause: the order of V8 12 and later, which every V8 reads.
        if message is not None:
            self._out.append(tags.ERROR_MESSAGE)
            self._str(message)
        if stack is not None:
            self._out.append(tags.ERROR_STACK)
            self._str(stack)
        if cause:
            self._out.append(tags.ERROR_CAUSE)
        return iter(cause), b".", ERROR, cause


def _first(pair: tuple[int, object]) -> int:
    return pair[0]


def _unwrapped(keys: list[object]) -> list[object]:
    """The keys themselves; one that cannot be is left for ``_by_identity`` to say so, at its place."""
    return [
        key.value if type(key) is ByIdentity and type(key.value) is not ByIdentity else key for key in keys
    ]


METHODS: Final[dict[type, Method]] = {
    object: Encodings._instance,
    Movable: Encodings._host_object,
    Undefined: Encodings._undefined,
    Hole: Encodings._hole,
    BigInt: Encodings._big_int,
    int: Encodings._int,
    float: Encodings._float,
    str: Encodings._str,
    dict: Encodings._dict,
    Map: Encodings._map,
    list: Encodings._list,
    tuple: Encodings._tuple,
    Array: Encodings._array,
    SparseArray: Encodings._sparse_array,
    set: Encodings._set,
    frozenset: Encodings._frozenset,
    ByIdentity: Encodings._by_identity,
    datetime: Encodings._date,
    Date: Encodings._far_date,
    Boxed: Encodings._boxed,
    RegExp: Encodings._regexp,
    BaseException: Encodings._error,
    ArrayBuffer: Encodings._array_buffer,
    SharedArrayBuffer: Encodings._shared_array_buffer,
    bytes: Encodings._bytes,
    bytearray: Encodings._bytearray,
    memoryview: Encodings._view,
    DataView: Encodings._view,
    Uint8ClampedArray: Encodings._view,
    Float16Array: Encodings._view,
}
"""One line for each row of the value table."""

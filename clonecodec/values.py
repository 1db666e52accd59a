"""Values of JavaScript that Python has no type for.

    undefined, hole     singletons
    BigInt              an int that is a bigint in JavaScript, however small
    Map                 a dict that is a Map in JavaScript, also when its keys are all str
    Array, SparseArray  arrays with holes, with properties beside the items, or mostly empty
    Date                a Date that no datetime can hold
    Boxed               new Number(1), new String("a"), new Boolean(true), Object(1n)
    ByIdentity          a key that Python would merge with another or cannot hash

RegExp has a module of its own, so have errors (``jserrors``) and buffers (``buffers``).
"""

from __future__ import annotations

import math

from .errors import DataCloneError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Final, final
else:

    def final(kind: type) -> type:
        return kind


__all__ = [
    "Array",
    "BigInt",
    "Boxed",
    "ByIdentity",
    "Date",
    "Hole",
    "Map",
    "SparseArray",
    "Undefined",
    "hole",
    "undefined",
]

MAX_SAFE_INTEGER: Final = 2**53 - 1
"""The largest int that is one JavaScript number (Number.MAX_SAFE_INTEGER)."""

MAX_ARRAY_LENGTH: Final = 2**32 - 1
"""The largest length of a JavaScript array; its largest index is one less."""

MAX_TIME: Final = 8.64e15
"""The farthest a JavaScript Date goes from 1970, in milliseconds."""


@final
class Undefined:
    """The type of ``undefined``.  There is one, it is false, and it survives copy and pickle."""

    __slots__ = ()
    _only: Undefined | None = None

    def __new__(cls) -> Undefined:
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "undefined"

    def __reduce__(self) -> str:
        return "undefined"

    def __copy__(self) -> Undefined:
        return self

    def __deepcopy__(self, memo: object) -> Undefined:
        return self


@final
class Hole:
    """The type of ``hole``: no value at all, in an Array.  Reading it in JavaScript gives undefined."""

    __slots__ = ()
    _only: Hole | None = None

    def __new__(cls) -> Hole:
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "hole"

    def __reduce__(self) -> str:
        return "hole"

    def __copy__(self) -> Hole:
        return self

    def __deepcopy__(self, memo: object) -> Hole:
        return self


undefined: Final = Undefined()
"""JavaScript's ``undefined``, which is not ``null`` (None)."""

hole: Final = Hole()
"""A missing item of an ``Array``: ``Array([1, hole, 3])`` is JavaScript's ``[1, , 3]``."""


def no_item() -> DataCloneError:
    """What there is to say of a hole anywhere else."""
    return DataCloneError("a hole is no value, only a missing item of a list")


class BigInt(int):
    """An int that is a ``bigint`` in JavaScript, however small it is.

    Ints beyond ±(2**53 - 1) are bigints anyway.

    >>> BigInt(5)
    BigInt(5)
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"BigInt({int(self)})"

    def __str__(self) -> str:
        return int.__repr__(self)


class Map(dict[object, object]):
    """A dict that is a ``Map`` in JavaScript.

    A dict with a key that is not a str is written as a Map anyway; this class says it for the others,
    and is what every Map is read as.

    >>> Map({"a": 1})
    Map({'a': 1})
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Map({dict.__repr__(self)})"

    def copy(self) -> Map:
        return Map(self)


class Array(list[object]):
    """A list with what JavaScript's arrays may have besides: holes, and properties beside the items.

    Args:
        items: the items; ``hole`` where there is none.
        properties: what ``array.name = value`` would set; keys are str and no array index.

    >>> Array([1, hole, 3], {"index": 0})
    Array([1, hole, 3], {'index': 0})
    """

    __slots__ = ("properties",)

    properties: dict[str, object]
    """The properties that are no items, in order."""

    def __init__(self, items: Iterable[object] = (), properties: Mapping[str, object] | None = None) -> None:
        super().__init__(items)
        self.properties = dict(properties) if properties else {}

    def __repr__(self) -> str:
        more = f", {self.properties!r}" if self.properties else ""
        return f"Array({list.__repr__(self)}{more})"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Array):
            return list.__eq__(self, other) and self.properties == other.properties
        return not self.properties and list.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __reduce__(self) -> tuple[object, ...]:
        return Array, (), (None, {"properties": dict(self.properties)}), iter(self)

    def copy(self) -> Array:
        return Array(self, self.properties)


class SparseArray:
    """An array that is mostly empty: ``a = []; a[1_000_000_000] = 1``.

    Args:
        length: JavaScript's ``length``, 0 to 2**32 - 1.
        items: index to item, for those that are there.
        properties: as in ``Array``.

    Raises:
        ValueError: the length or an index is out of range.

    >>> SparseArray(1000, {500: "here"})
    SparseArray(1000, {500: 'here'})
    """

    __slots__ = ("items", "length", "properties")

    def __init__(
        self,
        length: int = 0,
        items: Mapping[int, object] | None = None,
        properties: Mapping[str, object] | None = None,
    ) -> None:
        if not 0 <= length <= MAX_ARRAY_LENGTH:
            raise ValueError(f"an array's length is 0 to 2**32 - 1, not {length}")
        self.length = length
        self.items: dict[int, object] = dict(items) if items else {}
        self.properties: dict[str, object] = dict(properties) if properties else {}
        for index in self.items:
            if not 0 <= index < length:
                raise ValueError(f"index {index} is outside an array of length {length}")

    def __repr__(self) -> str:
        more = f", {self.properties!r}" if self.properties else ""
        return f"SparseArray({self.length}, {self.items!r}{more})"

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> object:
        """The item, or ``hole``; IndexError past the length."""
        place = index + self.length if index < 0 else index
        if not 0 <= place < self.length:
            raise IndexError(f"index {index} is outside an array of length {self.length}")
        return self.items.get(place, hole)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SparseArray):
            return NotImplemented
        mine = (self.length, self.items, self.properties)
        return mine == (other.length, other.items, other.properties)


@final
class Date:
    """A JavaScript Date that no ``datetime`` can hold: invalid, or outside the years 1 to 9999.

    Args:
        milliseconds: since 1970-01-01T00:00:00Z; clipped as JavaScript clips (ECMA-262 TimeClip): to a
            whole number towards zero, and to nan (Invalid Date) beyond ±8.64e15.

    >>> Date(float("nan"))
    Date(nan)
    """

    __slots__ = ("milliseconds",)

    milliseconds: float

    def __init__(self, milliseconds: float) -> None:
        object.__setattr__(self, "milliseconds", time_clip(milliseconds))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Date does not change")

    def __repr__(self) -> str:
        return f"Date({self.milliseconds!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Date):
            return NotImplemented
        mine, theirs = self.milliseconds, other.milliseconds
        return mine == theirs or (mine != mine and theirs != theirs)

    def __hash__(self) -> int:
        return hash((Date, None if self.milliseconds != self.milliseconds else self.milliseconds))

    def __reduce__(self) -> tuple[object, ...]:
        return Date, (self.milliseconds,)


def time_clip(milliseconds: float) -> float:
    """What JavaScript makes of a time value (ECMA-262, TimeClip): whole, never -0, nan out of range."""
    if not abs(milliseconds) <= MAX_TIME:  # also true of nan
        return math.nan
    return float(int(milliseconds))


@final
class Boxed:
    """A primitive in an object of its own, which JavaScript makes with ``new Number(1)`` and the like.

    Args:
        value: a bool, int, float or str.  An int becomes a float, which is what a ``new Number`` holds,
            unless it is a ``BigInt`` or beyond ±(2**53 - 1): then it is an ``Object(1n)``.

    Raises:
        TypeError: *value* is of another type.

    >>> Boxed("abc")
    Boxed('abc')
    """

    __slots__ = ("value",)

    value: bool | int | float | str

    def __init__(self, value: bool | int | float | str) -> None:
        if not isinstance(value, (int, float, str)):
            raise TypeError(f"a bool, int, float or str can be boxed, not {type(value).__name__}")
        if isinstance(value, int) and not isinstance(value, bool):
            small = -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER
            if not isinstance(value, BigInt):
                value = float(value) if small else int(value)
            elif not small:
                value = int(value)
        object.__setattr__(self, "value", value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Boxed does not change")

    def __repr__(self) -> str:
        return f"Boxed({self.value!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Boxed):
            return NotImplemented
        mine, theirs = self.value, other.value
        if type(mine) is not type(theirs):
            return False
        return mine == theirs or (mine != mine and theirs != theirs)

    def __hash__(self) -> int:
        return hash((type(self.value), None if self.value != self.value else self.value))

    def __reduce__(self) -> tuple[object, ...]:
        return Boxed, (self.value,)


@final
class ByIdentity:
    """A Map's key or a set's member that stands for one object and not for all that equal it.

    JavaScript keeps ``1`` and ``true`` apart, and takes any object as a key.  Where Python would merge two
    keys, or cannot hash one, and only there, the key that is read is wrapped; writing unwraps it.

    >>> ByIdentity([1]) == ByIdentity([1])
    False
    """

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def content(self) -> object:
        """Return the value to clone.  DataCloneError if that is another wrapper, which stands for nothing."""
        if type(self.value) is ByIdentity:
            raise DataCloneError("a ByIdentity within a ByIdentity stands for nothing")
        return self.value

    def __repr__(self) -> str:
        return f"ByIdentity({self.value!r})"

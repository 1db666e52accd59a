"""Values to CBOR.

One walk over the value, on a stack of its own, writes everything.  Where an object is met again it notes a
reference, and ``_shares`` puts those in at the end: each container is looked at once, so that user code which
runs in between cannot make two walks differ.

cbor2 writes the lists and dicts that hold nothing but plain leaves, in one call.  The heads of other
containers are written here, because cbor2's encoder recurses, and kills the process when the stack overflows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final, TypeAlias

from .._instances import attributes_of
from .._paths import ERROR, MAP, OBJECT, SET, SPARSE, TRANSPARENT, Layout, inside
from .._properties import check_array_properties, check_distinct
from ..buffers import ArrayBuffer, SharedArrayBuffer
from ..errors import DataCloneError
from ..jserrors import cause_of, message_of, name_of, stack_of
from ..regexp import RegExp
from ..values import Array, BigInt, Boxed, ByIdentity, Date, Hole, Map, SparseArray, Undefined, hole
from ..views import DataView, Float16Array, Uint8ClampedArray
from . import _tags as tags
from ._output import UNDEFINED, Output
from ._tags import head, tag

Frame: TypeAlias = "tuple[Iterator[object], Layout, Sequence[object]]"
"""A container being written: what is left of it; its layout and all of it, for the path of an error."""

Method: TypeAlias = "Callable[[Writer, Any], Frame | None]"


class Writer(Output):
    """Writes one value.

    Args:
        hints: write FLAVOUR in front of what only Python tells apart.
        max_depth: how many containers may lie within each other.
    """

    def __init__(self, *, hints: bool, max_depth: int) -> None:
        super().__init__(hints=hints, room=max_depth)

    def write(self, value: object) -> bytes:
        """Return *value* as CBOR.  Raises DataCloneError if it cannot be cloned."""
        stack: list[Frame] = []
        try:
            self._walk((iter((value,)), TRANSPARENT, (value,)), stack)
        except DataCloneError as error:
            steps = [
                (layout, items, len(items) - left.__length_hint__() - 1)  # type: ignore[attr-defined]
                for left, layout, items in stack
            ]
            raise inside(error, steps) from error.__cause__
        return self._message()

    def _walk(self, frame: Frame, stack: list[Frame]) -> None:
        stack.append(frame)
        while stack:
            for item in stack[-1][0]:
                method = _METHODS.get(type(item)) or _method_for(item)
                inner = method(self, item)
                if inner is not None:
                    if inner[1] is not TRANSPARENT:
                        self._need_room()
                        self._room -= 1
                    stack.append(inner)
                    break
            else:
                if stack.pop()[1] is not TRANSPARENT:
                    self._room += 1

    # Containers

    def _list(self, value: list[object]) -> Frame | None:
        items = list(value)
        # An array with holes says so at once: a reader can make the right object before it is complete.
        holey = Hole in set(map(type, items))
        return None if self._again(value, self._hint * 2 if holey else b"") else self._items(items)

    def _array(self, value: Array) -> Frame | None:
        if not value.properties:
            return self._list(value)
        if self._again(value):
            return None
        properties = value.properties.copy()
        check_array_properties(properties)
        items = list(value)
        self._out += tag(tags.CLONE) + head(4, 3) + self._leaf("Array")
        inner = [_Items(items), _Properties(properties)]
        return iter(inner), TRANSPARENT, inner

    def _tuple(self, value: tuple[object, ...]) -> Frame | None:
        return None if self._again(value, self._hint) else self._items(list(value))

    def _items(self, items: list[object]) -> Frame | None:
        if self._plain(items, items):
            return None
        self._out += head(4, len(items))
        if Hole in set(map(type, items)):
            items = [_ABSENT_ITEM if item is hole else item for item in items]
        return iter(items), len(items), items

    def _absent_item(self, value: _AbsentItem) -> None:
        self._out += tag(tags.ABSENT) + UNDEFINED

    def _sparse_array(self, value: SparseArray) -> Frame | None:
        if self._again(value):
            return None
        properties = value.properties.copy()
        check_array_properties(properties)
        self._out += tag(tags.CLONE) + head(4, 4) + self._leaf("SparseArray") + self._leaf(value.length)
        inner = [_Sparse(value.items), _Properties(properties)]
        return iter(inner), TRANSPARENT, inner

    def _dict(self, value: dict[object, object]) -> Frame | None:
        if self._again(value):
            return None
        entries = dict(value)
        kinds = set(map(type, entries))
        if kinds <= {str}:
            return self._object(entries)
        if all(issubclass(kind, str) for kind in kinds):
            return self._object({str.__str__(key): item for key, item in entries.items()})
        return self._entries(entries, MAP)

    def _instance(self, value: object) -> Frame | None:
        return None if self._again(value) else self._object(dict(attributes_of(value)))

    def _object(self, entries: dict[Any, object]) -> Frame | None:
        if self._plain(entries, entries.values()):
            return None
        check_distinct(entries)
        self._out += head(5, len(entries))
        flat = list(chain.from_iterable(entries.items()))
        return iter(flat), OBJECT, flat

    def _map(self, value: Map) -> Frame | None:
        return None if self._again(value) else self._entries(dict(value), MAP)

    def _entries(self, entries: dict[Any, object], layout: Layout) -> Frame:
        self._out += tag(tags.MAP) + head(5, len(entries))
        keys = map(_unwrapped, entries)
        flat = list(chain.from_iterable(zip(keys, entries.values(), strict=True)))
        return iter(flat), layout, flat

    def _set(self, value: set[object]) -> Frame | None:
        return None if self._again(value) else self._members(value)

    def _frozenset(self, value: frozenset[object]) -> Frame | None:
        return None if self._again(value, self._hint) else self._members(value)

    def _members(self, value: Iterable[object]) -> Frame:
        members = list(map(_unwrapped, list(value)))
        self._out += tag(tags.SET) + head(4, len(members))
        return iter(members), SET, members

    # Objects with a value inside

    def _boxed(self, value: Boxed) -> Frame | None:
        if self._again(value):
            return None
        self._out += tag(tags.INDIRECT)
        return iter((value.value,)), TRANSPARENT, (value.value,)

    def _error(self, value: BaseException) -> Frame | None:
        if self._again(value):
            return None
        message, stack, cause = message_of(value), stack_of(value), cause_of(value)
        said = (stack is not None) + len(cause)
        self._out += tag(tags.GENERIC) + head(4, 3 if said else 2)
        self._str(name_of(value))
        if message is None:
            self._out += UNDEFINED
        else:
            self._str(message)
        if said:
            self._need_room()
            self._out += head(5, said)
        if stack is not None:
            self._str("stack")
            self._str(stack)
        if not cause:
            return None
        self._str("cause")
        return iter(cause), ERROR, cause

    # Parts of the above

    def _wrapped_items(self, value: _Items) -> Frame | None:
        return self._items(value.parts)

    def _wrapped_properties(self, value: _Properties) -> Frame | None:
        return self._object(value.parts)

    def _wrapped_sparse(self, value: _Sparse) -> Frame:
        return self._entries(value.parts, SPARSE)


class _Part:
    """A piece of an object that is written in several: it is no object itself, so nothing refers to it."""

    __slots__ = ("parts",)

    def __init__(self, parts: Any) -> None:
        self.parts = parts


class _Items(_Part):
    __slots__ = ()


class _Properties(_Part):
    __slots__ = ()


class _Sparse(_Part):
    __slots__ = ()


class _AbsentItem:
    __slots__ = ()


_ABSENT_ITEM: Final = _AbsentItem()
"""What ``_items`` puts where a hole may stand, so that a hole elsewhere is told."""


def _unwrapped(key: object) -> object:
    return key.value if type(key) is ByIdentity else key


_METHODS: Final[dict[type, Method]] = {
    type(None): Writer._constant,
    bool: Writer._constant,
    Undefined: Writer._undefined,
    Hole: Writer._hole,
    int: Writer._int,
    BigInt: Writer._big,
    float: Writer._float,
    str: Writer._str,
    list: Writer._list,
    Array: Writer._array,
    tuple: Writer._tuple,
    SparseArray: Writer._sparse_array,
    dict: Writer._dict,
    Map: Writer._map,
    set: Writer._set,
    frozenset: Writer._frozenset,
    datetime: Writer._datetime,
    Date: Writer._date,
    Boxed: Writer._boxed,
    RegExp: Writer._regexp,
    bytes: Writer._bytes,
    bytearray: Writer._bytearray,
    ArrayBuffer: Writer._array_buffer,
    SharedArrayBuffer: Writer._shared_array_buffer,
    memoryview: Writer._view,
    DataView: Writer._view,
    Uint8ClampedArray: Writer._view,
    Float16Array: Writer._view,
    ByIdentity: Writer._by_identity,
    _AbsentItem: Writer._absent_item,
    _Items: Writer._wrapped_items,
    _Properties: Writer._wrapped_properties,
    _Sparse: Writer._wrapped_sparse,
}

_BASES: Final = (
    BigInt, int, float, str, Array, list, tuple, SparseArray, Map, dict, set, frozenset, datetime, bytes,
    bytearray, ArrayBuffer, SharedArrayBuffer, DataView, Uint8ClampedArray, Float16Array,
)  # fmt: skip
"""Classes whose subclasses are written as they are."""


def _method_for(value: object) -> Method:
    kind = type(value)
    for base in _BASES:
        if issubclass(kind, base):
            return _METHODS[base]
    if issubclass(kind, BaseException):
        return Writer._error
    if kind.__name__ == "Pattern" and kind.__module__ == "re":
        return Writer._pattern
    try:
        memoryview(value).release()  # type: ignore[arg-type]  # that is the question
    except TypeError:
        return Writer._instance
    return Writer._view

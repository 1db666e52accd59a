"""Cloning in memory, without bytes: what writing and reading would give, and nothing of the original.

One loop (``_walk``), as in the writer: scalars are shared, a method for each row of the value table makes
everything else, and a container's items are walked in a frame on a stack.  The containers are built as the
reader builds them (``_builders``), so that cycles, hints and keys come out alike.

What is transferred, and views on it, cannot be there before the whole value has been looked at: they are
unfinished until then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from ._builders import (
    Builder,
    ErrorBuilder,
    ListBuilder,
    ObjectBuilder,
    Root,
    TupleBuilder,
    Unfinished,
)
from ._dates import from_milliseconds, to_milliseconds
from ._instances import attributes_of
from ._keyed_builders import FrozenSetBuilder, MapBuilder, SetBuilder
from ._keys import check_keys
from ._kinds import Kind
from ._paths import ERROR, MAP, OBJECT, SET, SPARSE, TRANSPARENT, Layout, inside
from ._properties import check_array_properties, check_indices, property_list
from ._rows import Movable, row_of
from ._views import View, make_view, view_on
from .buffers import ArrayBuffer, SharedArrayBuffer
from .errors import DataCloneError
from .jserrors import cause_of, message_of, name_of, stack_of
from .regexp import RegExp, from_pattern
from .transfer import Transferable, move_all
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

if TYPE_CHECKING:
    import re

Frame: TypeAlias = (
    "tuple[Iterator[object], Builder, Iterator[object] | None, Layout, Sequence[object], Sequence[object]]"
)
"""Values left to clone, what they go into, their keys; and for the path of an error: the layout, the flat
items with their keys, and the values."""
U = TypeVar("U", bound=Unfinished)
Method: TypeAlias = "Callable[[Cloner, Any], object]"

MAX_DEPTH: Final = 100_000  # containers within containers; see _writer

FRAME: Final = object()
"""Of a method: the value is a container, whose frame is now on the stack."""

_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
"""Types whose values are their own clones."""

_UNSEEN: Final = object()


class _Later(Unfinished):
    """Something that is there when the transfer has succeeded."""

    __slots__ = ()


class Cloner:
    """One clone of one value.

    Args:
        transfer: what is moved instead of cloned, as ``check_transfer_list`` returned it.
        max_depth: how many containers may lie within each other.
    """

    def __init__(self, transfer: Sequence[Transferable], max_depth: int) -> None:
        self._transfer = transfer
        self._max_depth = max_depth
        self._clones: dict[int, object] = {}
        self._held: list[object] = []  # what has been cloned, so that no id is used again
        self._stack: list[Frame] = []
        self._moved: list[_Later] = []
        self._views: list[tuple[_Later, int, Callable[[ArrayBuffer], object]]] = []
        for item in transfer:
            later = self._unfinished(_Later, item)
            self._moved.append(later)

    def clone(self, value: object) -> tuple[object, list[object]]:
        """Return the clone of *value*, and what the items of the transfer list have become."""
        root = Root()
        try:
            self._walk(value, root)
        except DataCloneError as error:
            steps = [
                (layout, flat, _position(layout, len(values) - items.__length_hint__() - 1))  # type: ignore[attr-defined]
                for items, _, _, layout, flat, values in self._stack
            ]
            raise inside(error, steps) from error.__cause__
        built = move_all(self._transfer)
        for later, item in zip(self._moved, built, strict=True):
            later.finish(item)
        for later, key, make in self._views:
            buffer = self._clones[key]
            assert isinstance(buffer, ArrayBuffer)
            later.finish(make(buffer))
        return root.items[0], built

    def leaf(self, value: object) -> object:
        """Clone *value*, which holds no other values: for the loop in C."""
        copy = self._clones.get(id(value), _UNSEEN)
        return _METHODS[row_of(value)](self, value) if copy is _UNSEEN else copy

    # The loop

    def _walk(self, value: object, root: Root) -> None:
        stack, clones = self._stack, self._clones
        stack.append((iter((value,)), root, None, TRANSPARENT, (value,), (value,)))
        while True:
            items, builder, keys, *_ = stack[-1]
            take = builder.take
            for item in items:
                if keys is not None:
                    builder.key = next(keys)  # type: ignore[attr-defined]  # such builders have one
                kind = type(item)
                if kind is ByIdentity:
                    item = _unwrapped(item)  # type: ignore[arg-type]  # it has just been asked
                    kind = type(item)
                if kind in _SCALARS:
                    take(item)
                    continue
                copy = clones.get(id(item), _UNSEEN)
                if copy is _UNSEEN:
                    copy = _METHODS[row_of(item)](self, item)
                    if copy is FRAME:
                        break
                if isinstance(copy, Unfinished):
                    copy.referred_from(builder.anchor)
                    builder.take_unfinished(copy)
                else:
                    take(copy)
            else:
                stack.pop()
                if not stack:
                    return
                copy = builder.close()
                if isinstance(copy, Unfinished):
                    stack[-1][1].take_unfinished(copy)
                else:
                    stack[-1][1].take(copy)

    def _enter(
        self,
        builder: Builder,
        values: Sequence[object],
        layout: Layout,
        keys: Iterable[object] | None = None,
        flat: Sequence[object] | None = None,
    ) -> object:
        """Begin a container of *values*; those that belong under a key have it in *keys*."""
        stack = self._stack
        if len(stack) > self._max_depth:
            raise DataCloneError(f"nested more than {self._max_depth} deep")
        builder.lie_in(len(stack), stack[-1][1].anchor)
        stack.append(
            (
                iter(values),
                builder,
                None if keys is None else iter(keys),
                layout,
                values if flat is None else flat,
                values,
            )
        )
        return FRAME

    def _cloned(self, value: object, copy: object) -> object:
        """Remember that *copy* is what *value* becomes, before what is inside it, which may refer to it."""
        self._clones[id(value)] = copy
        self._held.append(value)
        return copy

    def _unfinished(self, kind: type[U], value: object) -> U:
        """Return a builder that stands for the clone of *value* until that is there."""
        self._held.append(value)
        return kind(self._clones, id(value))

    # Primitives

    def _itself(self, value: object) -> object:
        return value

    def _hole(self, value: Hole) -> object:
        builder = self._stack[-1][1]
        if (
            not isinstance(builder, ListBuilder)
            or isinstance(builder, TupleBuilder)
            or builder.key is not None
        ):
            raise no_item()
        builder.holey = True
        return hole

    def _int(self, value: int) -> int:
        return int.__index__(value)

    def _big_int(self, value: int) -> int:
        return BigInt(value) if abs(value) <= MAX_SAFE_INTEGER else int.__index__(value)

    def _float(self, value: float) -> float:
        return float.__float__(value)

    def _str(self, value: str) -> str:
        return str.__str__(value)

    # Containers

    def _dict(self, value: dict[object, object]) -> object:
        flat = property_list(value if type(value) is dict else dict(value))
        return self._map(value) if flat is None else self._object(value, flat)

    def _object(self, value: object, flat: list[object]) -> object:
        builder = ObjectBuilder()
        self._cloned(value, builder.target)
        return self._enter(builder, flat[1::2], OBJECT, map(_name, flat[::2]), flat)

    def _map(self, value: dict[object, object]) -> object:
        check_keys(value)
        builder = MapBuilder()
        self._cloned(value, builder.target)
        return self._enter(builder, list(chain.from_iterable(value.items())), MAP)

    def _list(self, value: list[object]) -> object:
        builder = self._unfinished(ListBuilder, value)
        items = list(value)
        return self._enter(builder, items, len(items))

    def _tuple(self, value: tuple[object, ...]) -> object:
        builder = self._unfinished(TupleBuilder, value)
        items = tuple(value)
        return self._enter(builder, items, len(items))

    def _array(self, value: Array) -> object:
        items, properties = list(value), dict(value.properties)
        check_array_properties(properties)
        builder = self._unfinished(ListBuilder, value)
        if not properties:
            return self._enter(builder, items, len(items))
        flat = property_list(properties) or []
        keys = chain([None] * len(items), flat[::2])
        return self._enter(builder, [*items, *flat[1::2]], len(items), keys, items + flat)

    def _sparse_array(self, value: SparseArray) -> object:
        items, properties = dict(value.items), dict(value.properties)
        check_array_properties(properties)
        check_indices(items, value.length)
        builder = self._unfinished(ListBuilder, value)
        builder.length = value.length
        flat: list[object] = []
        for index in sorted(items):
            if items[index] is not hole:
                flat += (index, items[index])
        flat += property_list(properties) or []
        return self._enter(builder, flat[1::2], SPARSE, flat[::2], flat)

    def _set(self, value: set[object]) -> object:
        builder = SetBuilder()
        self._cloned(value, builder.target)
        return self._enter(builder, list(value), SET)

    def _frozenset(self, value: frozenset[object]) -> object:
        builder = self._unfinished(FrozenSetBuilder, value)
        return self._enter(builder, list(value), SET)

    def _error(self, value: BaseException) -> object:
        builder = self._unfinished(ErrorBuilder, value)
        builder.name, builder.message, builder.stack = name_of(value), message_of(value), stack_of(value)
        return self._enter(builder, cause_of(value), ERROR)

    def _instance(self, value: object) -> object:
        return self._object(value, property_list(attributes_of(value)) or [])

    # Objects without items, of which most never change

    def _date(self, value: datetime) -> object:
        return self._cloned(value, from_milliseconds(to_milliseconds(value)))

    def _far_date(self, value: Date) -> object:
        return self._cloned(value, from_milliseconds(value.milliseconds))

    def _regexp(self, value: RegExp | re.Pattern[str]) -> object:
        return self._cloned(value, value if isinstance(value, RegExp) else from_pattern(value))

    # Buffers and views

    def _array_buffer(self, value: ArrayBuffer) -> object:
        if value.detached:
            raise DataCloneError("the ArrayBuffer is detached and cannot be cloned")
        maximum = value.max_byte_length if value.resizable else None
        with value.view() as octets:
            return self._cloned(value, ArrayBuffer(octets, max_byte_length=maximum))

    def _shared_array_buffer(self, value: SharedArrayBuffer) -> object:
        return self._cloned(value, value.alias())

    def _bytes(self, value: bytes) -> object:
        return self._cloned(value, memoryview(bytes(value)))

    def _view(self, value: object) -> object:
        view = view_on(value)
        buffer = self._buffer_of(view)
        make = partial(_view_like, view.kind, view.offset, len(view.octets), view.tracking)
        if isinstance(buffer, _Later):
            later = self._unfinished(_Later, value)
            self._views.append((later, id(view.buffer), make))
            return later
        return self._cloned(value, make(buffer))

    def _buffer_of(self, view: View) -> ArrayBuffer | SharedArrayBuffer | _Later:
        """The clone of the buffer that *view* is on."""
        if view.buffer is None:
            return ArrayBuffer(view.octets)
        copy = self._clones.get(id(view.buffer))
        if copy is None:
            copy = _METHODS[row_of(view.buffer)](self, view.buffer)
        assert isinstance(copy, (ArrayBuffer, SharedArrayBuffer, _Later))
        return copy

    def _refused(self, value: Transferable) -> object:
        raise DataCloneError(f"the {type(value).__name__} is not in the transfer list")


def _view_like(
    kind: Kind, offset: int, length: int, tracking: bool, buffer: ArrayBuffer | SharedArrayBuffer
) -> object:
    return make_view(kind, buffer, offset, length, tracking)


def _name(key: object) -> str:
    return f"{key:.0f}" if isinstance(key, (int, float)) else str(key)


def _unwrapped(wrapper: ByIdentity) -> object:
    value = wrapper.content()
    if value is hole:
        raise no_item()
    return value


def _position(layout: Layout, index: int) -> int:
    """Where in the flat items of a frame its value number *index* is."""
    if isinstance(layout, int):
        return index if index < layout else layout + 2 * (index - layout) + 1
    return 2 * index + 1 if layout in (OBJECT, SPARSE) else index


_METHODS: Final[dict[type, Method]] = {
    object: Cloner._instance,
    Movable: Cloner._refused,
    Undefined: Cloner._itself,
    Hole: Cloner._hole,
    BigInt: Cloner._big_int,
    int: Cloner._int,
    float: Cloner._float,
    str: Cloner._str,
    dict: Cloner._dict,
    Map: Cloner._map,
    list: Cloner._list,
    tuple: Cloner._tuple,
    Array: Cloner._array,
    SparseArray: Cloner._sparse_array,
    set: Cloner._set,
    frozenset: Cloner._frozenset,
    datetime: Cloner._date,
    Date: Cloner._far_date,
    Boxed: Cloner._itself,
    RegExp: Cloner._regexp,
    BaseException: Cloner._error,
    ArrayBuffer: Cloner._array_buffer,
    SharedArrayBuffer: Cloner._shared_array_buffer,
    bytes: Cloner._bytes,
    bytearray: Cloner._view,
    memoryview: Cloner._view,
    DataView: Cloner._view,
    Uint8ClampedArray: Cloner._view,
    Float16Array: Cloner._view,
}
"""One line for each row of the value table."""

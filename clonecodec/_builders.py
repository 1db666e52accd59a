"""Values under construction, for the reader and for the clone: containers that are filled item by item.

A dict, a Map and a set are there from the start.  An array may turn out to need another class than list, a
tuple and a frozenset cannot be filled at all, an error's class may come last: these are *unfinished* until
they are closed.  Whoever is given one meanwhile, because the value is cyclic, leaves a *site* with it: a
function and a key by which the finished value is put in its place.

    take(value)             the next item, or the next value for ``key``
    take_unfinished(other)  the same, of a value that is still to come
    close()                 the value; or the builder itself, if it waits for another one that is unfinished
"""

from __future__ import annotations

from ._properties import in_order
from .values import Array, SparseArray, hole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from typing import Final, TypeAlias

    from .jserrors import JSError

Site: TypeAlias = "tuple[Callable[[object, object], Unfinished | None], object]"
Table: TypeAlias = "MutableMapping[int, object] | list[object]"

NOT_YET: Final = object()
"""In the table of objects: one that has begun, but that nothing can refer to yet."""


class Builder:
    """A container that is being filled.

    Attributes:
        depth: how many containers it lies in.
        anchor: the depth of the innermost list, dict, Map or error that it lies in or is.
    """

    __slots__ = ("anchor", "depth")

    anchored = True
    """Whether a reference from inside can be patched later, as it cannot in a tuple."""

    depth: int
    anchor: int

    def lie_in(self, depth: int, anchor: int) -> None:
        """Say where it lies: how deep, and how deep the innermost anchor around it is."""
        self.depth = depth
        self.anchor = depth if self.anchored else anchor

    def take(self, value: object) -> None:
        raise NotImplementedError

    def take_unfinished(self, other: Unfinished) -> None:
        raise NotImplementedError

    def close(self) -> object:
        raise NotImplementedError


class Unfinished(Builder):
    """A builder whose value is not there before it is closed.

    Args:
        table: of all objects; the builder stands in it, under *number*, until its value does.
    """

    __slots__ = ("number", "sites", "table", "value")

    def __init__(self, table: Table, number: int) -> None:
        self.table = table
        self.number = number
        table[number] = self
        self.sites: list[Site] | None = None
        self.value: object = self

    def provisional(self) -> object:
        """What stands for the value until it is there; if it can, it will be the value."""
        return None

    def referred_from(self, anchor: int) -> None:
        """Hear that something inside, whose innermost anchor is *anchor* deep, holds a reference to it."""

    def add_site(self, put: Callable[[object, object], Unfinished | None], key: object) -> None:
        if self.sites is None:
            self.sites = []
        self.sites.append((put, key))

    def finish(self, value: object) -> object:
        """Say that *value* is the value: put it wherever it is waited for, and whatever that finishes too."""
        self.value = value
        self.table[self.number] = value
        if self.sites is None:
            return value
        ready: list[Unfinished] = [self]
        while ready:
            builder = ready.pop()
            sites, builder.sites = builder.sites, None
            for put, key in sites or ():
                waiting = put(key, builder.value)
                if waiting is not None:
                    waiting.value = waiting.build()
                    waiting.table[waiting.number] = waiting.value
                    ready.append(waiting)
        return value

    def build(self) -> object:
        raise NotImplementedError


class Root(Builder):
    """Where the value goes in the end: the one item of ``items``."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.depth = self.anchor = 0
        self.items: list[object] = []

    def take(self, value: object) -> None:
        self.items.append(value)

    def take_unfinished(self, other: Unfinished) -> None:
        self.items.append(other.provisional())
        other.add_site(self.items.__setitem__, 0)  # type: ignore[arg-type]  # the key is an int


class ObjectBuilder(Builder):
    """A dict with str keys.  ``key`` is where the next value goes; ``indexed``: use JavaScript's order."""

    __slots__ = ("indexed", "key", "target")

    def __init__(self) -> None:
        self.target: dict[str, object] = {}
        self.key = ""
        self.indexed = False

    def take(self, value: object) -> None:
        self.target[self.key] = value

    def take_unfinished(self, other: Unfinished) -> None:
        self.target[self.key] = other.provisional()
        other.add_site(self.target.__setitem__, self.key)  # type: ignore[arg-type]  # the key is a str

    def close(self) -> dict[str, object]:
        if self.indexed:
            ordered = in_order(self.target)
            self.target.clear()
            self.target.update(ordered)
        return self.target


class ListBuilder(Unfinished):
    """An array: a list, an Array or a SparseArray, whichever holds what has come.

    Args:
        table, number: see ``Unfinished``.
        length: JavaScript's length, for a sparse array.

    Items are taken one after the other; an item or a property is set by ``key``, once there is one.
    """

    __slots__ = ("holey", "items", "key", "length", "more", "properties")

    def __init__(self, table: Table, number: int, length: int = 0) -> None:
        super().__init__(table, number)
        self.items: list[object] = []
        self.length = length
        self.holey = False  # whether an item is a hole
        self.key: int | str | None = None
        self.more: dict[int, object] | None = None
        """Items that came with their index."""
        self.properties: dict[str, object] | None = None

    def provisional(self) -> object:
        return self.items

    def has(self, key: int | str) -> bool:
        """Whether there is such an item or property already."""
        if isinstance(key, str):
            return key == "length" or (self.properties is not None and key in self.properties)
        if self.more is not None and key in self.more:
            return True
        return key < len(self.items) and self.items[key] is not hole

    def take(self, value: object) -> None:
        if self.key is None:
            self.items.append(value)
        else:
            self._set(value)

    def _set(self, value: object) -> object:
        """Set the item or property called ``key``, and return the key."""
        key = self.key
        if isinstance(key, str):
            if self.properties is None:
                self.properties = {}
            self.properties[key] = value
        elif key is not None:
            if self.more is None:
                self.more = {}
            self.more[key] = value
        return key

    def take_unfinished(self, other: Unfinished) -> None:
        if self.key is None:
            other.add_site(self._put, len(self.items))
            self.items.append(other.provisional())
        else:
            other.add_site(self._put, self._set(other.provisional()))

    def _put(self, key: object, value: object) -> Unfinished | None:
        array = self.value
        if isinstance(key, str):
            properties = array.properties if isinstance(array, (Array, SparseArray)) else self.properties
            assert properties is not None
            properties[key] = value
        elif isinstance(key, int):
            if isinstance(array, SparseArray):
                array.items[key] = value
            elif isinstance(array, list):
                array[key] = value
            elif self.more is not None and key in self.more:
                self.more[key] = value
            else:
                self.items[key] = value
        return None

    def close(self) -> object:
        """Return a list if nothing needs more; an Array; or a SparseArray where a list would waste memory."""
        items, more, properties = self.items, self.more, self.properties
        if self.holey or more is not None or properties is not None or self.length > len(items):
            return self.finish(self._array(items, more or {}, properties))
        return self.finish(items)

    def _array(
        self, items: list[object], more: dict[int, object], properties: dict[str, object] | None
    ) -> object:
        length = max(self.length, len(items), max(more, default=-1) + 1)
        present = {index: item for index, item in enumerate(items) if item is not hole}
        present.update(more)
        if length > 16 * (len(present) + 4):
            return SparseArray(length, dict(sorted(present.items())), properties)
        items += [hole] * (length - len(items))
        for index, item in more.items():
            items[index] = item
        if properties is None and not any(item is hole for item in items):
            return items
        return Array(items, properties)


class TupleBuilder(ListBuilder):
    """A tuple; a list if it is referred to from inside and nothing in between can be patched.

    A tuple that holds another one which is still to come waits for it: Python cannot fill it later.
    """

    __slots__ = ("_closed", "_missing", "_thawed")

    anchored = False

    def __init__(self, table: Table, number: int) -> None:
        super().__init__(table, number)
        self._thawed = False
        self._closed = False
        self._missing = 0

    def provisional(self) -> object:
        return self.items if self._thawed else None

    def referred_from(self, anchor: int) -> None:
        if not self._closed and anchor <= self.depth:
            self._thawed = True

    def take_unfinished(self, other: Unfinished) -> None:
        super().take_unfinished(other)
        self._missing += 1

    def _put(self, key: object, value: object) -> Unfinished | None:
        super()._put(key, value)
        self._missing -= 1
        return self if self._closed and not self._missing else None

    def close(self) -> object:
        if self._thawed or self.holey or self.more is not None or self.properties is not None:
            return super().close()
        self._closed = True
        return self if self._missing else self.finish(self.build())

    def build(self) -> object:
        return tuple(self.items)


class ErrorBuilder(Unfinished):
    """An error, whose class is known when all has been said."""

    __slots__ = ("_awaited", "cause", "message", "name", "stack")

    def __init__(self, table: Table, number: int) -> None:
        super().__init__(table, number)
        self._awaited: Unfinished | None = None  # the cause, until another one comes
        self.name = "Error"
        self.message: str | None = None
        self.stack: str | None = None
        self.cause: tuple[()] | tuple[object] = ()

    def take(self, value: object) -> None:
        self.cause = (value,)
        self._awaited = None

    def take_unfinished(self, other: Unfinished) -> None:
        self.cause = (other.provisional(),)
        self._awaited = other
        other.add_site(self._put, other)

    def _put(self, key: object, value: object) -> None:
        if self._awaited is not key:  # the last cause wins
            return
        from .jserrors import JSError

        if isinstance(self.value, JSError):
            self.value.cause = value
        else:
            self.cause = (value,)

    def close(self) -> JSError:
        from .jserrors import BY_NAME  # not before there is an error

        error = BY_NAME[self.name](self.message, stack=self.stack)
        if self.cause:
            error.cause = self.cause[0]
        self.finish(error)
        return error

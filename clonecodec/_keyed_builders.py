"""Maps and sets under construction: their keys and members are admitted one by one (``_keys``).

One that is still to come itself is put in wrapped, and the wrapper is filled when it is there.
"""

from __future__ import annotations

from ._builders import Builder, Unfinished
from ._keys import Keys
from .values import ByIdentity, Map, hole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._builders import Table


class _UnfinishedKeys:
    """The keys of one Map or set that are still to come: a wrapper for each, in which it is put."""

    __slots__ = ("_wrappers",)

    def __init__(self) -> None:
        self._wrappers: dict[Unfinished, ByIdentity] = {}

    def wrapper_of(self, other: Unfinished) -> ByIdentity:
        wrapper = self._wrappers.get(other)
        if wrapper is None:
            wrapper = self._wrappers[other] = ByIdentity(other.provisional())
            other.add_site(wrapper.__setattr__, "value")  # type: ignore[arg-type]  # the key is a str
        return wrapper


class MapBuilder(Builder):
    """A Map; keys and values are taken in turn."""

    __slots__ = ("_awaited", "_key", "_keys", "_unfinished", "target")

    def __init__(self) -> None:
        self.target = Map()
        self._awaited: dict[object, Unfinished] | None = None  # by key, until another value comes for it
        self._keys: Keys | None = None
        self._unfinished: _UnfinishedKeys | None = None
        self._key: object = hole  # none yet

    def take(self, value: object) -> None:
        if self._key is hole:
            if self._keys is None:  # not before it is needed: of 100,000 open Maps, few have a key
                self._keys = Keys(self.target)
            self._key = self._keys.admit(value)
        else:
            self.target[self._key] = value
            if self._awaited is not None:
                self._awaited.pop(self._key, None)
            self._key = hole

    def take_unfinished(self, other: Unfinished) -> None:
        if self._key is hole:
            if self._unfinished is None:
                self._unfinished = _UnfinishedKeys()
            self._key = self._unfinished.wrapper_of(other)
        else:
            self.target[self._key] = other.provisional()
            if self._awaited is None:
                self._awaited = {}
            self._awaited[self._key] = other
            other.add_site(self._put, (self._key, other))
            self._key = hole

    def _put(self, key: object, value: object) -> None:
        assert isinstance(key, tuple)
        key, other = key
        if self._awaited is not None and self._awaited.get(key) is other:  # the last value of a key wins
            self.target[key] = value

    def close(self) -> Map:
        return self.target


class SetBuilder(Builder):
    """A set."""

    __slots__ = ("_keys", "_unfinished", "target")

    anchored = False

    def __init__(self) -> None:
        self.target: set[object] = set()
        self._keys: Keys | None = None
        self._unfinished: _UnfinishedKeys | None = None

    def take(self, value: object) -> None:
        if self._keys is None:
            self._keys = Keys(self.target)
        self.target.add(self._keys.admit(value))

    def take_unfinished(self, other: Unfinished) -> None:
        if self._unfinished is None:
            self._unfinished = _UnfinishedKeys()
        self.target.add(self._unfinished.wrapper_of(other))

    def close(self) -> object:
        return self.target


class FrozenSetBuilder(Unfinished):
    """A frozenset; a set if it is referred to from inside and nothing in between can be patched."""

    __slots__ = ("_set", "_thawed")

    anchored = False

    def __init__(self, table: Table, number: int) -> None:
        super().__init__(table, number)
        self._set = SetBuilder()
        self._thawed = False

    def take(self, value: object) -> None:
        self._set.take(value)

    def take_unfinished(self, other: Unfinished) -> None:
        self._set.take_unfinished(other)

    def provisional(self) -> object:
        return self._set.target if self._thawed else None

    def referred_from(self, anchor: int) -> None:
        if anchor <= self.depth:
            self._thawed = True

    def close(self) -> object:
        return self.finish(self._set.target if self._thawed else frozenset(self._set.target))

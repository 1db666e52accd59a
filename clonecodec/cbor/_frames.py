"""Containers being read: what has been read of one, and how the next item goes in.

Shape.ARRAY   list, or Array where a hole is met; also the arguments in a GENERIC or CLONE
Shape.TUPLE   its items are gathered in a list
Shape.SET     set; a frozenset is made of it at the end
Shape.MAP     Map
Shape.OBJECT  dict, or Map where a key is met that is no text
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from .._keys import Keys
from ..buffers import ArrayBuffer
from ..errors import DecodeError
from ..values import Array, ByIdentity, Map, hole
from ._unbuilt import Patch, Unbuilt

ARRAY: Final = "array"
HOLEY: Final = "array with holes"
TUPLE: Final = "tuple"
SET: Final = "set"
FROZENSET: Final = "frozenset"
OBJECT: Final = "object"
MAP: Final = "map"
GENERIC: Final = "generic object"
CLONE: Final = "clonecodec object"

INNER: Final = frozenset({GENERIC, CLONE})
"""Arrays that are only the outer part of another value, and do not count as a level of depth."""

_NO_KEY: Final = object()


class Content:
    """A byte string, and the one ArrayBuffer that all views of it share."""

    __slots__ = ("_buffer", "octets", "shared")

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.shared = False
        """Whether there may be another view."""
        self._buffer: ArrayBuffer | None = None

    def buffer(self) -> ArrayBuffer:
        if self._buffer is None:
            self._buffer = ArrayBuffer(self.octets)
        return self._buffer


class Slot:
    """What a SHAREABLE tag stands for."""

    __slots__ = ("content", "frame", "ready", "value")

    def __init__(self) -> None:
        self.ready = False
        self.value: object = None
        self.frame: Frame | None = None
        """The container that it is, as long as it is not complete."""
        self.content: Content | None = None
        """The bytes that it is, of which views may be made."""


class Frame:
    """A container being read."""

    __slots__ = (
        "add",
        "early",
        "holey",
        "hooked",
        "key",
        "keys",
        "kind",
        "outer",
        "referenced",
        "remaining",
        "slots",
        "start",
        "target",
        "unbuilt",
    )

    def __init__(
        self, kind: str, remaining: int, start: int, slots: list[Slot], outer: list[Any], hooked: int
    ) -> None:
        self.kind = kind
        self.remaining = remaining
        """Items to come; negative if a break will tell."""
        self.start = start
        self.slots = slots
        self.outer = outer
        """Tags around it that are left to be applied."""
        self.hooked = hooked
        """How many of those are for the hook."""
        self.holey = False
        self.referenced = False
        """Whether something inside refers to it."""
        self.unbuilt: Unbuilt | None = None
        self.early: Any = None
        """The object of a GENERIC or CLONE, made because something inside refers to it."""
        self.key: object = _NO_KEY
        self.target: Any
        self.add: Callable[[Any], object]
        if kind in (SET, FROZENSET):
            self.target = set()
            self.keys = Keys(self.target)
            self.add = self._add_member
        elif kind in (MAP, OBJECT):
            self.target = Map() if kind == MAP else {}
            self.keys = Keys(self.target)
            self.add = self._add_entry
        else:
            self.target = Array() if kind == HOLEY else []
            self.add = self.target.append
        for slot in slots:
            slot.frame = self
            if kind not in (TUPLE, FROZENSET, GENERIC, CLONE):
                slot.value, slot.ready = self.target, True

    def _add_member(self, value: object) -> None:
        self.target.add(self.keys.admit(value))

    def _add_entry(self, value: object) -> None:
        if self.key is not _NO_KEY:
            self.target[self.key] = value
            self.key = _NO_KEY
        elif self.kind == MAP:
            self.key = self.keys.admit(value)
        elif type(value) is not str:
            self._become_map()
            self.key = self.keys.admit(value)
        elif value in self.target:
            raise DecodeError(f"the key {value!a} is repeated", self.start)
        else:
            self.key = value

    def _become_map(self) -> None:
        """A map without MAP whose keys are no names, as other writers than JavaScript's have it."""
        self.kind = MAP
        if self.referenced:
            return  # it stays a dict, which holds such keys as well
        self.target = Map(self.target)
        self.keys = Keys(self.target)
        for slot in self.slots:
            slot.value = self.target

    def add_special(self, value: object, patches: list[Patch]) -> None:
        """Add a hole, or what is not built yet."""
        if value is hole:
            if self.kind not in (ARRAY, HOLEY, TUPLE):
                raise DecodeError("a hole can only be an item of an array", self.start)
            self.holey = True
            self.add(value)
            return
        assert isinstance(value, Unbuilt)
        put: Callable[[object], object]
        if self.kind in (SET, FROZENSET):
            member = ByIdentity(value)
            self.target.add(member)
            put = partial(setattr, member, "value")
        elif self.kind in (MAP, OBJECT):
            if self.key is _NO_KEY:
                if self.kind == OBJECT:
                    self._become_map()
                self.key = ByIdentity(value)
                put = partial(setattr, self.key, "value")
            else:
                put = partial(self.target.__setitem__, self.key)
                self.add(value)
        else:
            put = partial(self.target.__setitem__, len(self.target))
            self.add(value)
        patches.append((put, value))

    def is_between(self) -> bool:
        """Whether a key still waits for its value."""
        return self.key is not _NO_KEY

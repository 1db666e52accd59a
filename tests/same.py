"""Are two values the same: type for type, bit for bit, and one object where the other has one object?

``==`` does not tell: in Python 1 equals True and 1.0, nan does not equal itself, -0.0 equals 0.0, a Map's
order does not count, and two equal lists are as good as one list twice.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime
from reprlib import repr as brief
from typing import Final, TypeAlias

from clonecodec import (
    Array,
    ArrayBuffer,
    Boxed,
    ByIdentity,
    DataView,
    Date,
    Float16Array,
    JSError,
    RegExp,
    SharedArrayBuffer,
    SparseArray,
    Uint8ClampedArray,
    hole,
    undefined,
)

Place: TypeAlias = "tuple[Place, str] | None"
"""Where a value is: its container's place, and a label; made into text only for a complaint."""

SCALARS: Final = (type(None), bool, int, float, str, type(undefined), type(hole))


def same(left: object, right: object) -> bool:
    """Whether nothing tells *left* from *right*."""
    return difference(left, right) is None


def difference(left: object, right: object) -> str | None:
    """The first difference, with its place; None if there is none."""
    return _Comparison().run([(None, left, right)])


@dataclass
class _Comparison:
    """Two graphs, walked side by side with a stack of what is still to compare."""

    pairs: dict[int, int] = field(default_factory=dict)
    """By id: each object met on the left and its counterpart on the right."""
    reverse: dict[int, int] = field(default_factory=dict)
    held: list[object] = field(default_factory=list)
    """Keeps what was made on the way alive, so that no id is used twice."""

    def run(self, todo: list[tuple[Place, object, object]]) -> str | None:
        while todo:
            place, left, right = todo.pop()
            if type(left) is not type(right):
                names = type(left).__name__, type(right).__name__
                return f"{_text(place)}: {names[0]} {brief(left)}, not {names[1]} {brief(right)}"
            if isinstance(left, SCALARS):
                if _scalar(left) != _scalar(right):
                    return f"{_text(place)}: {left!r}, not {right!r}"
                continue
            if self._has_identity(left):
                met = self._meet(left, right)
                if met is None:
                    return f"{_text(place)}: one object here, two there"
                if met:
                    continue
            wrong = self._children(place, left, right, todo)
            if wrong is not None:
                return wrong
        return None

    def _has_identity(self, value: object) -> bool:
        # CPython has one empty tuple, one empty frozenset and one of each bytes shorter than two.
        if isinstance(value, (tuple, frozenset)):
            return bool(value)
        return not isinstance(value, bytes) or len(value) > 1

    def _meet(self, left: object, right: object) -> bool | None:
        """Whether these two met before; None if one of them met another."""
        known, back = self.pairs.get(id(left)), self.reverse.get(id(right))
        if known is None and back is None:
            self.pairs[id(left)], self.reverse[id(right)] = id(right), id(left)
            self.held += (left, right)
            return False
        return True if known == id(right) and back == id(left) else None

    def _children(
        self, place: Place, left: object, right: object, todo: list[tuple[Place, object, object]]
    ) -> str | None:
        facts = _facts(left), _facts(right)
        if facts[0] != facts[1]:
            return f"{_text(place)}: {facts[0]}, not {facts[1]}"
        if isinstance(left, (set, frozenset)):
            assert isinstance(right, (set, frozenset))
            return self._members(place, list(left), list(right), todo)
        parts = zip(_parts(left), _parts(right), strict=True)
        todo.extend(((place, label), a, b) for (label, a), (_, b) in parts)
        memory = _memory(left), _memory(right)
        if memory[0] is not None and self._meet(*memory) is None:
            return f"{_text(place)}: one memory here, two there"
        return None

    def _members(
        self, place: Place, left: list[object], right: list[object], todo: list[tuple[Place, object, object]]
    ) -> str | None:
        """Sets have no order: each member on the left takes the first that is the same on the right.

        Of two scalars that Python would merge the one that comes later is wrapped: either is the same.
        """
        plain = [_unwrapped(item) for item in left], [_unwrapped(item) for item in right]
        scalars = [{_scalar(item) for item in items if isinstance(item, SCALARS)} for items in plain]
        if scalars[0] != scalars[1]:
            return f"{_text(place)}: members {brief(left)}, not {brief(right)}"
        rest = [item for item in right if not isinstance(_unwrapped(item), SCALARS)]
        for item in left:
            if isinstance(_unwrapped(item), SCALARS):
                continue
            for candidate in rest:
                trial = _Comparison(dict(self.pairs), dict(self.reverse), self.held)
                if trial.run([(None, item, candidate)]) is None:
                    rest.remove(candidate)
                    self.pairs, self.reverse = trial.pairs, trial.reverse
                    break
            else:
                return f"{_text(place)}: no member {brief(item)} in {brief(right)}"
        return None


def _text(place: Place) -> str:
    labels = []
    while place is not None:
        place, label = place
        labels.append(label)
    return "$" + "".join(reversed(labels))


def _unwrapped(value: object) -> object:
    return value.value if isinstance(value, ByIdentity) else value


def _scalar(value: object) -> Hashable:
    if isinstance(value, float):
        return float, "nan" if math.isnan(value) else struct.pack("<d", value)
    return type(value), value


def _facts(value: object) -> object:
    """All of *value* that is not itself a value to compare."""
    match value:
        case bytes() | bytearray():
            return bytes(value)
        case memoryview():
            return value.format, value.tobytes(), value.readonly
        case ArrayBuffer():
            return bytes(value), value.resizable, value.max_byte_length
        case SharedArrayBuffer():
            return bytes(value)
        case DataView() | Uint8ClampedArray() | Float16Array():
            return value.byte_offset, value.byte_length
        case Array():
            return len(value), list(value.properties)
        case SparseArray():
            return value.length, list(value.items), list(value.properties)
        case list() | tuple() | set() | frozenset() | dict():
            return len(value)
        case datetime():
            return value, value.utcoffset()
        case Date():
            return _scalar(value.milliseconds)
        case RegExp():
            return value.source, value.flags
        case JSError():
            return value.message, value.stack, value.has_cause
        case Boxed() | ByIdentity():
            return None
    raise TypeError(f"no comparison for {type(value).__name__}")


def _parts(value: object) -> list[tuple[str, object]]:
    """The values in *value*, each with a label for messages."""
    match value:
        case Array():
            items: list[tuple[str, object]] = [(f"[{index}]", item) for index, item in enumerate(value)]
            return items + [(f".{name}", item) for name, item in value.properties.items()]
        case SparseArray():
            items = [(f"[{index}]", item) for index, item in value.items.items()]
            return items + [(f".{name}", item) for name, item in value.properties.items()]
        case list() | tuple():
            return [(f"[{index}]", item) for index, item in enumerate(value)]
        case dict():
            keys = [(f".key({index})", key) for index, key in enumerate(value)]
            return keys + [(f"[{key!r:.40}]", item) for key, item in value.items()]
        case JSError():
            return [(".cause", value.cause)] if value.has_cause else []
        case Boxed() | ByIdentity():
            return [(".value", value.value)]
        case DataView() | Uint8ClampedArray() | Float16Array():
            return [(".buffer", value.buffer)]
    return []


def _memory(value: object) -> object:
    """What a view shows or a buffer owns, if that can be told."""
    match value:
        case memoryview() if value.nbytes:  # without bytes, no memory
            return value.obj
        case ArrayBuffer() | SharedArrayBuffer():
            return value.view().obj
    return None

"""``diff``: where two values differ, by path.

Two values are the same if a program could not tell them apart: types, key order in Maps and sets, and
sharing count; the order of an object's properties is told by itself.  Keys of objects and plain keys of
Maps are matched by what they are, everything else by its place.  Whether a list came as an Array without
holes is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from clonecodec import JSError, Map, SparseArray
from clonecodec.cli import outline
from clonecodec.cli.rows import shortened

_LEAF: Final = 60  # characters of a value in a line


class Difference(NamedTuple):
    """One place where two values are not the same."""

    path: str
    left: str | None
    """The text of the value there; None if there is none."""
    right: str | None
    note: str = ""
    """Said instead of two values, where they look alike."""

    def __str__(self) -> str:
        if self.note:
            return f"{self.path}: {self.note}"
        if self.left is None:
            return f"{self.path}: only in the second: {self.right}"
        if self.right is None:
            return f"{self.path}: only in the first: {self.left}"
        return f"{self.path}: {self.left} -> {self.right}"


class _Place(NamedTuple):
    """A path that is made only when it is told."""

    parent: _Place | None
    step: str

    def __str__(self) -> str:
        steps: list[str] = []
        place: _Place | None = self
        while place is not None:
            steps.append(place.step)
            place = place.parent
        return shortened("".join(reversed(steps)))


def differences(left: object, right: object, root: str = "$") -> Iterator[Difference]:
    """Every place where *left* and *right* differ, in the order of *left*."""
    partners: dict[int, tuple[int, _Place]] = {}  # an object of left to the one it has been compared with
    partners_of_right: dict[int, tuple[int, _Place]] = {}
    alive: list[object] = []
    stack: list[tuple[object, object, _Place]] = [(left, right, _Place(None, root))]
    while stack:
        one, other, place = stack.pop()
        if outline.is_object(one) and outline.is_object(other):
            met, met_right = partners.get(id(one)), partners_of_right.get(id(other))
            if met and met_right and met[0] == id(other):
                continue
            if met or met_right:
                which, at = ("first", met[1]) if met else ("second", (met_right or (0, place))[1])
                yield Difference(str(place), None, None, f"the same object as {at} only in the {which}")
            if met:
                continue
            partners[id(one)] = (id(other), place)
            partners_of_right.setdefault(id(other), (id(one), place))
            alive += (one, other)
        inside, inside_right = outline.parts(one), outline.parts(other)
        if outline.kind(one) != outline.kind(other):
            yield Difference(str(place), brief(one), brief(other))
            continue
        if inside is None or inside_right is None:
            if not _is_same_leaf(one, other):
                yield Difference(str(place), *_told_apart(one, other))
            continue
        yield from _compare(one, list(inside), other, list(inside_right), place, stack)


def _compare(
    one: object,
    inside: list[outline.Part],
    other: object,
    inside_right: list[outline.Part],
    place: _Place,
    stack: list[tuple[object, object, _Place]],
) -> Iterator[Difference]:
    """Match the parts of two containers of one kind; what both have is compared later."""
    keys, keys_right = _keys(one, inside), _keys(other, inside_right)
    rights = dict(zip(keys_right, inside_right, strict=True))
    lefts = set(keys)
    if isinstance(one, SparseArray) and isinstance(other, SparseArray) and one.length != other.length:
        yield Difference(f"{place}.length", str(one.length), str(other.length))
    later = []
    for key, part in zip(keys, inside, strict=True):
        match = rights.get(key)
        if match is None:
            yield Difference(str(_Place(place, part.step)), brief(part.value), None)
        else:
            later.append((part.value, match.value, _Place(place, part.step)))
    for key, part in zip(keys_right, inside_right, strict=True):
        if key not in lefts:
            yield Difference(str(_Place(place, part.step)), None, brief(part.value))
    if isinstance(one, (dict, set, frozenset)):
        common = [key for key in keys if key in rights]
        if common != [key for key in keys_right if key in lefts]:
            yield Difference(str(place), None, None, f"the order of {_what(one)} differs")
    stack.extend(reversed(later))


def _what(value: object) -> str:
    return "members" if isinstance(value, (set, frozenset)) else "keys"


def _keys(value: object, inside: list[outline.Part]) -> list[object]:
    """By what a part is matched: plain keys of Maps and members of sets by themselves, the rest by steps."""
    if isinstance(value, Map):
        return [("key", part.label) if part.label not in ("key", "value") else part.step for part in inside]
    if isinstance(value, (set, frozenset)):
        return [
            ("member", outline.kind(part.value), outline.leaf(part.value))
            if not outline.is_object(part.value)
            else part.step
            for part in inside
        ]
    if isinstance(value, JSError):
        return [part.label for part in inside]
    return [part.step for part in inside]


def _is_same_leaf(one: object, other: object) -> bool:
    if isinstance(one, memoryview) and isinstance(other, memoryview):
        return one.tobytes() == other.tobytes() and one.format == other.format
    if isinstance(one, (str, bytes, bytearray, int)):
        return one == other
    return outline.leaf(one) == outline.leaf(other)


def _told_apart(one: object, other: object) -> tuple[str, str]:
    """Both texts, from shortly before they begin to differ if they are long."""
    for long in (str, bytes, memoryview):
        if isinstance(one, long) and isinstance(other, long) and max(len(one), len(other)) > _LEAF:
            pairs = enumerate(zip(one, other, strict=False))
            at = next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))
            start = max(0, at - 10)
            return _from(one, start), _from(other, start)
    return brief(one), brief(other)


def _from(value: str | bytes | memoryview, start: int) -> str:
    return f"{outline.leaf(value[start : start + _LEAF // 2])} from {start:,} of {len(value):,}"


def brief(value: object) -> str:
    """*value* in a few words; its kind too where the text alone does not tell."""
    if outline.parts(value) is not None:
        return f"{outline.kind(value)} {outline.size(value)}".rstrip()
    return outline.leaf(value, _LEAF)

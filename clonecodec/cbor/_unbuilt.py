"""Tuples and frozensets that are referred to before they are complete: ``t = ([t],)``.

Until everything else is read, an ``Unbuilt`` stands wherever such a one belongs, and a patch remembers each
place.  At the end they are built, innermost first, and the places are patched.  One that contains itself with
no list, dict, Map or error in between cannot exist in Python: it becomes the list or set that it is in
JavaScript.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from ..values import ByIdentity

_NEW: Final = 0
_OPEN: Final = 1
_DONE: Final = 2


class Unbuilt:
    """A tuple or frozenset to come.

    Args:
        items: its items so far: the list or set that is being filled.
        start: where it begins in the bytes.
    """

    __slots__ = ("items", "start", "state", "value")

    def __init__(self, items: list[object] | set[object], start: int) -> None:
        self.items = items
        self.start = start
        self.state = _NEW
        self.value: object = None


Patch: TypeAlias = "tuple[Callable[[object], object], Unbuilt]"


def depends(items: list[object] | set[object]) -> bool:
    """Whether one of *items* is unbuilt."""
    return next(_inside(items), None) is not None


def build(unbuilt: list[Unbuilt], patches: list[Patch]) -> None:
    """Build all of *unbuilt*, and put them in their places."""
    for root in sorted(unbuilt, key=_start):
        if root.state == _NEW:
            _build(root)
    for put, what in patches:
        put(what.value)


def _start(unbuilt: Unbuilt) -> int:
    return unbuilt.start


def _build(root: Unbuilt) -> None:
    """Build *root* and what it depends on: a walk in depth, on a stack of its own."""
    root.state = _OPEN
    stack = [(root, _inside(root.items))]
    while stack:
        node, left = stack[-1]
        inner = next(left, None)
        if inner is None:
            _complete(node)
            stack.pop()
        elif inner.state == _OPEN:
            inner.value = inner.items  # it contains itself
        elif inner.state == _NEW:
            inner.state = _OPEN
            stack.append((inner, _inside(inner.items)))


def _complete(node: Unbuilt) -> None:
    items = node.items
    contains_itself = node.value is not None
    if isinstance(items, list):
        items[:] = [item.value if type(item) is Unbuilt else item for item in items]
        node.value = items if contains_itself else tuple(items)
    else:  # its members that are unbuilt have patches
        node.value = items if contains_itself else frozenset(items)
    node.state = _DONE


def _inside(items: list[object] | set[object]) -> Iterator[Unbuilt]:
    for item in items:
        if type(item) is ByIdentity:
            item = item.value
        if type(item) is Unbuilt:
            yield item

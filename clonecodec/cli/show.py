"""``show``: the value in a file, as Python would write it, as JSON, or as a tree.

What occurs more than once is written where it occurs first, marked ``&1``, and is ``*1`` wherever it occurs
again: that is how a cycle can be written at all.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from clonecodec import Array, JSError, Map, SparseArray
from clonecodec.cli import outline
from clonecodec.cli.outline import Part

_WIDTH: Final = 88
_MAX_INDENT: Final = (
    40  # levels; deeper ones are as far to the right, or a deep value would take its depth squared
)


class Anchors:
    """Which objects occur more than once in *root*, numbered in the order in which they occur first."""

    def __init__(self, root: object) -> None:
        counts: dict[int, int] = {}
        order: list[int] = []
        self._alive: list[object] = []  # an id stands for an object only as long as it lives
        stack = [root]
        while stack:
            value = stack.pop()
            if not outline.is_object(value):
                continue
            if id(value) in counts:
                counts[id(value)] += 1
                continue
            counts[id(value)] = 1
            order.append(id(value))
            self._alive.append(value)
            inside = outline.parts(value)
            if inside is not None:
                stack.extend(reversed([part.value for part in inside]))
        shared = [number for number in order if counts[number] > 1]
        self._numbers = {number: index for index, number in enumerate(shared, 1)}

    def of(self, value: object) -> int | None:
        """The number of *value*, None if it occurs once."""
        return self._numbers.get(id(value)) if outline.is_object(value) else None


def _brackets(value: object) -> tuple[str, str]:
    match value:
        case Map():
            return "Map({", "})"
        case dict():
            return "{", "}"
        case Array():
            return "Array([", "])"
        case SparseArray():
            return f"SparseArray({value.length}, {{", "})"
        case list():
            return "[", "]"
        case tuple():
            return "(", ")" if len(value) != 1 else ",)"
        case frozenset():
            return "frozenset({", "})"
        case set():
            return ("{", "}") if value else ("set(", ")")
        case JSError():
            return f"{type(value).__name__}(", ")"
    return f"{outline.kind(value)}(", ")"


def _leaf(value: object) -> str:
    if isinstance(value, datetime.datetime):
        return f"datetime.fromisoformat({value.isoformat()!r})"
    return outline.leaf(value)


def _label(value: object, part: Part) -> str:
    if not part.label:
        return ""
    if isinstance(value, JSError):
        return f"{part.label}="
    return f"{part.label}: "


@dataclass(slots=True)
class _Node:
    """One occurrence of a value in the text."""

    prefix: str
    text: str = ""
    """The whole text, if it fits on a line or is a leaf or a mark."""
    opening: str = ""
    closing: str = ""
    inside: list[_Node] = field(default_factory=list)


def python_lines(root: object) -> Iterator[str]:
    """*root* as Python would write it, in lines of moderate length."""
    top = _nodes(root)
    stack: list[tuple[_Node, int, str]] = [(top, 0, "")]
    while stack:
        node, depth, comma = stack.pop()
        indent = "  " * min(depth, _MAX_INDENT)
        if not node.inside or (node.text and len(indent) + len(node.prefix) + len(node.text) < _WIDTH):
            yield f"{indent}{node.prefix}{node.text}{comma}"
            continue
        yield f"{indent}{node.prefix}{node.opening}"
        stack.append((_Node("", node.closing), depth, comma))
        if all(child.text and not child.prefix and not child.inside for child in node.inside):
            yield from _filled([child.text for child in node.inside], indent + "  ")
            continue
        stack.extend((child, depth + 1, ",") for child in reversed(node.inside))


def _filled(texts: list[str], indent: str) -> Iterator[str]:
    """Short *texts* side by side, in lines of moderate length."""
    line = indent
    for text in texts:
        if len(line) + len(text) >= _WIDTH and line != indent:
            yield line.rstrip()
            line = indent
        line += f"{text}, "
    yield line.rstrip()


def _nodes(root: object) -> _Node:
    """The occurrences of all values in *root*, each with its text on one line where that is short."""
    anchors = Anchors(root)
    written: set[int] = set()
    top = _Node("")
    stack: list[tuple[_Node, object, bool]] = [(top, root, False)]
    while stack:
        node, value, is_complete = stack.pop()
        if is_complete:
            texts = [child.prefix + child.text for child in node.inside]
            if all(child.text for child in node.inside) and sum(map(len, texts)) + 2 * len(texts) < _WIDTH:
                node.text = f"{node.opening}{', '.join(texts)}{node.closing}"
            continue
        number = anchors.of(value)
        if number in written:
            node.text = f"*{number}"
            continue
        mark = ""
        if number is not None:
            written.add(number)
            mark = f"&{number} "
        inside = outline.parts(value)
        if inside is None:
            node.text = mark + _leaf(value)
            continue
        opening, node.closing = _brackets(value)
        node.opening = mark + opening
        children = list(inside)
        node.inside = [_Node(_label(value, part)) for part in children]
        if not children:
            node.text = node.opening + node.closing
            continue
        stack.append((node, value, True))
        stack.extend(
            (child, part.value, False)
            for child, part in reversed(list(zip(node.inside, children, strict=True)))
        )
    return top


def tree_lines(root: object, *, ascii_only: bool = False) -> Iterator[str]:
    """*root* as a tree: a line for each value, long ones cut."""
    branch, last, bar = ("|-- ", "`-- ", "|   ") if ascii_only else ("├── ", "└── ", "│   ")
    anchors = Anchors(root)
    written: set[int] = set()
    stack: list[tuple[object, str, str, str, int]] = [(root, "", "", "", 0)]
    while stack:
        value, name, before, after, depth = stack.pop()
        number = anchors.of(value)
        if number in written:
            yield f"{before}{name}*{number}"
            continue
        mark = ""
        if number is not None:
            written.add(number)
            mark = f"&{number} "
        inside = outline.parts(value)
        if inside is None:
            yield f"{before}{name}{mark}{outline.leaf(value, 60)}"
            continue
        yield f"{before}{name}{mark}{outline.kind(value)} {outline.size(value)}".rstrip()
        children = list(inside)
        for index, part in reversed(list(enumerate(children))):
            is_last = index == len(children) - 1
            deeper = depth < _MAX_INDENT
            stack.append(
                (
                    part.value,
                    f"{part.label or part.step}: ",
                    after + (last if is_last else branch),
                    after + (("    " if is_last else bar) if deeper else ""),
                    depth + 1,
                )
            )

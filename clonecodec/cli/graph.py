"""``graph``: the objects of a value as boxes in an SVG, and what refers to what as lines.

An object stands in the column of its distance from the root, once, however many references lead to it;
references that close a cycle are dashed and red, further references to an object blue.  Leaves are rows
in their object's box.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape

from clonecodec.cli import outline
from clonecodec.cli.show import Anchors

_MAX_ROWS: Final = 14  # of one box
_TEXT: Final = 32  # characters of a leaf
_CHARACTER: Final = 6.7  # pixels, of the 11-pixel monospace letters below
_LINE: Final = 16
_COLUMN_GAP: Final = 70
_ROW_GAP: Final = 18
_MARGIN: Final = 24
_SWEEPS: Final = 4


@dataclass(slots=True)
class _Box:
    """One object."""

    title: str
    column: int
    rows: list[tuple[str, int | None]] = field(default_factory=list)
    """The text of a row and the box that it leads to."""
    parents: list[int] = field(default_factory=list)
    x: float = 0
    y: float = 0

    @property
    def width(self) -> float:
        return 16 + _CHARACTER * max(len(self.title), *(len(text) for text, _ in self.rows), 8)

    @property
    def height(self) -> float:
        return _LINE * (1 + len(self.rows)) + 8


def svg(root: object, max_nodes: int, title: str) -> str:
    """The drawing of *root*, of at most *max_nodes* objects, as the text of an SVG file."""
    boxes, left_out = _boxes(root, max_nodes)
    _place(boxes)
    cycles = _cycle_rows(boxes)
    return "".join(_draw(boxes, cycles, left_out, title))


def _boxes(root: object, max_nodes: int) -> tuple[list[_Box], int]:
    anchors = Anchors(root)
    numbers: dict[int, int] = {}
    boxes: list[_Box] = []
    queue: deque[object] = deque()
    left_out: set[int] = set()

    def box_of(value: object, column: int) -> int | None:
        """The box of *value*, made now if there is room; None for a leaf that only one place refers to."""
        if outline.parts(value) is None and anchors.of(value) is None and boxes:
            return None
        if id(value) in numbers:
            return numbers[id(value)]
        if len(boxes) >= max_nodes:
            left_out.add(id(value))
            return None
        numbers[id(value)] = len(boxes)
        boxes.append(_Box(f"{outline.kind(value)} {outline.size(value)}".strip(), column))
        queue.append(value)
        return len(boxes) - 1

    box_of(root, 0)
    at = 0
    while queue:
        value, box = queue.popleft(), boxes[at]
        inside = outline.parts(value)
        if inside is None:
            box.rows.append((outline.leaf(value, _TEXT)[: 2 * _TEXT], None))
        for index, part in enumerate(inside or ()):
            if index == _MAX_ROWS:
                box.rows.append((f"… {len(list(outline.parts(value) or ())) - index:,} more", None))
                break
            target = box_of(part.value, box.column + 1)
            if target is not None:
                boxes[target].parents.append(at)
            box.rows.append((_row(part, target is None), target))
        at += 1
    return boxes, len(left_out)


def _row(part: outline.Part, is_leaf: bool) -> str:
    name = (part.label or part.step)[:_TEXT]
    if not is_leaf:
        return name
    if outline.parts(part.value) is not None:
        return f"{name}: {outline.kind(part.value)} …"
    return f"{name}: {outline.leaf(part.value, _TEXT)}"[: 2 * _TEXT]


def _place(boxes: list[_Box]) -> None:
    """Columns by distance; in each, boxes near the rows that lead to them, sorted so that few lines cross."""
    columns: list[list[_Box]] = []
    for box in boxes:
        while len(columns) <= box.column:
            columns.append([])
        columns[box.column].append(box)
    x: float = _MARGIN
    for column in columns:
        for box in column:
            box.x = x
        x += max(box.width for box in column) + _COLUMN_GAP
        _stack(column, {id(box): index * 1.0 for index, box in enumerate(column)})
    for _ in range(_SWEEPS):
        for column in columns[1:]:
            wanted = {}
            for box in column:
                heights = [
                    parent.y + _LINE * (1 + row)
                    for parent in (boxes[number] for number in box.parents)
                    if parent.column < box.column
                    for row, (_, target) in enumerate(parent.rows)
                    if target is not None and boxes[target] is box
                ]
                wanted[id(box)] = sum(heights) / len(heights) - box.height / 4 if heights else box.y
            _stack(column, wanted)
    top = min(box.y for box in boxes)
    for box in boxes:
        box.y += _MARGIN + 22 - top


def _stack(column: list[_Box], wanted: dict[int, float]) -> None:
    """Put the boxes of a column as near to where they are wanted as they can be without touching."""
    column.sort(key=lambda box: wanted[id(box)])
    bottom = float("-inf")
    for box in column:
        box.y = max(wanted[id(box)], bottom)
        bottom = box.y + box.height + _ROW_GAP
    shift = sum(box.y - wanted[id(box)] for box in column) / len(column)
    for box in column:
        box.y -= shift


def _cycle_rows(boxes: list[_Box]) -> set[tuple[int, int]]:
    """Box and row of every reference that leads back to where a walk from the root came from."""
    found: set[tuple[int, int]] = set()
    state = [0] * len(boxes)  # 1 under way, 2 done
    stack: list[tuple[int, int]] = [(0, 0)]
    state[0] = 1
    while stack:
        number, row = stack.pop()
        if row == len(boxes[number].rows):
            state[number] = 2
            continue
        stack.append((number, row + 1))
        target = boxes[number].rows[row][1]
        if target is None:
            continue
        if state[target] == 1:
            found.add((number, row))
        elif state[target] == 0:
            state[target] = 1
            stack.append((target, 0))
    return found


_STYLE: Final = """\
<style>
text { font: 11px ui-monospace, Menlo, Consolas, monospace; fill: #24292f; white-space: pre }
.title { font-weight: bold }
.note { fill: #57606a }
rect { fill: #f6f8fa; stroke: #8c959f }
rect.head { fill: #ddf4ff }
rect.shared { stroke: #0969da; stroke-width: 2 }
path { fill: none; stroke: #8c959f; stroke-width: 1.2 }
path.shared { stroke: #0969da }
path.cycle { stroke: #cf222e; stroke-dasharray: 5 3 }
</style>
<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">\
<path d="M0 0L8 4L0 8" style="fill:#57606a;stroke:none"/></marker></defs>
"""


def _draw(boxes: list[_Box], cycles: set[tuple[int, int]], left_out: int, title: str) -> list[str]:
    width = max(max(box.x + box.width for box in boxes) + _MARGIN + 40, 360)
    height = max(box.y + box.height for box in boxes) + _MARGIN + 12
    said = f"{title}: {len(boxes)} objects" + (f", {left_out} more are not drawn" if left_out else "")
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">\n<title>{escape(ascii(said)[1:-1])}</title>\n',
        _STYLE,
        f'<rect width="{width:.0f}" height="{height:.0f}" style="fill:white;stroke:none"/>\n',
        f'<text class="note" x="{_MARGIN}" y="20">{escape(ascii(said)[1:-1])}</text>\n',
    ]
    first: set[int] = set()
    for number, box in enumerate(boxes):
        for row, (_, target) in enumerate(box.rows):
            if target is not None:
                style = "cycle" if (number, row) in cycles else "shared" if target in first else ""
                first.add(target)
                out.append(_line(box, row, boxes[target], style))
    for number, box in enumerate(boxes):
        shared = ' class="shared"' if len(box.parents) > 1 else ""
        out.append(
            f'<g id="object{number}"><rect{shared} x="{box.x:.0f}" y="{box.y:.0f}" rx="4" '
            f'width="{box.width:.0f}" height="{box.height:.0f}"/>'
            f'<text class="title" x="{box.x + 8:.0f}" y="{box.y + _LINE - 2:.0f}">{escape(box.title)}</text>'
        )
        for row, (text, _) in enumerate(box.rows):
            y = box.y + _LINE * (row + 2)
            out.append(f'<text x="{box.x + 8:.0f}" y="{y:.0f}">{escape(text)}</text>')
        out.append("</g>\n")
    out.append("</svg>\n")
    return out


def _line(source: _Box, row: int, target: _Box, style: str) -> str:
    """A curve from a row to a box: to its left side, or to its right one if it stands no farther right."""
    x, y = source.x + source.width, source.y + _LINE * (row + 2) - 4
    to_y = target.y + _LINE - 6
    if target.column > source.column:
        to_x = target.x
        bend = max(30.0, (to_x - x) / 2)
        curve = f"C{x + bend:.0f} {y:.0f} {to_x - bend:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}"
    else:
        to_x = target.x + target.width
        bend = max(x, to_x) + 44
        curve = f"C{bend:.0f} {y:.0f} {bend:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}"
    name = f' class="{style}"' if style else ""
    return f'<path{name} d="M{x:.0f} {y:.0f}{curve}" marker-end="url(#arrow)"/>\n'

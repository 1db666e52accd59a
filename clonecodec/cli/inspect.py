"""``inspect``: every byte of a file, a line for each token.

    offset  hex                         what it is

A run of raw bytes goes on below its token, eight bytes a line, with its printable characters beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from clonecodec.cli.rows import Row
from clonecodec.cli.scan import Scan

_FIRST: Final = 10  # bytes in the first line of a token: a BigInt of 64 bits, with its tag
_HEX_WIDTH: Final = _FIRST * 3 - 1
_RUN: Final = 8
_MAX_INDENT: Final = 24  # levels; deeper ones are as far to the right
_MAX_TEXT: Final = 72  # characters of a text; its bytes follow anyway
_MAX_DIGITS: Final = 4000  # of an int, which Python refuses to print in full past 4300

Segment = tuple[str, str]
"""A piece of a line and the name of its style."""

STYLES: Final = {
    "offset": "dim",
    "hex": "",
    "run": "dim",
    "value": "bold cyan",
    "key": "bold blue",
    "begin": "bold yellow",
    "end": "yellow",
    "part": "magenta",
    "text": "green",
    "number": "bold",
    "note": "",
    "step": "dim",
    "id": "bright_magenta",
    "fault": "bold red",
}


def lines(data: bytes, rows: Iterable[Row], max_run: int | None = None) -> Iterator[list[Segment]]:
    """The lines of *rows*; of a run of raw bytes at most *max_run*, if that is a number."""
    width = max(4, len(str(len(data))))
    for row in rows:
        head = row.head if row.end - row.offset > _FIRST and row.head else row.end - row.offset
        shown = min(head, _FIRST)
        yield [
            (f"{row.offset:>{width}}  ", "offset"),
            (f"{data[row.offset : row.offset + shown].hex(' '):<{_HEX_WIDTH}}  ", "hex"),
            *_said(row),
        ]
        yield from _run(data, row, row.offset + shown, width, max_run)


def _run(data: bytes, row: Row, start: int, width: int, max_run: int | None) -> Iterator[list[Segment]]:
    end = row.end if max_run is None else min(row.end, start + max_run)
    indent = "  " * min(row.depth, _MAX_INDENT)
    for at in range(start, end, _RUN):
        piece = data[at : min(at + _RUN, end)]
        printable = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in piece)
        yield [
            (f"{at:>{width}}  ", "offset"),
            (f"   {piece.hex(' '):<{_HEX_WIDTH - 3}}  ", "run"),
            (f"{indent}  |{printable}|", "run"),
        ]
    if end < row.end:
        yield [(f"{end:>{width}}  ", "offset"), (f"   … {row.end - end:,} bytes more", "run")]


def _said(row: Row) -> list[Segment]:
    """What a row says, behind its bytes."""
    style = "fault" if row.name in ("FAULT", "INCOMPLETE") else row.role
    said = [("  " * min(row.depth, _MAX_INDENT), "note"), (row.name, style)]
    if row.value is not None:
        said.append((f" {shown(row.value)}", "text" if isinstance(row.value, str) else "number"))
    if row.text:
        said.append((f" {row.text}", "fault" if style == "fault" else "note"))
    if row.target is not None:
        said.append((f" #{row.target} at byte {row.target_offset}", "id"))
    if row.id is not None:
        said.append((f" #{row.id}", "id"))
    if row.step.startswith(("[", "{", ".key(", ".value(")) and not row.step.startswith('["'):
        said.append((f"  {row.step}", "step"))  # a property's key is in the line above
    return said


def shown(value: str | int | float) -> str:
    """*value* as Python would write it, cut if it is long."""
    if isinstance(value, str):
        if len(value) <= _MAX_TEXT:
            return repr(value)
        return f"{value[:_MAX_TEXT]!r}… ({len(value):,} characters)"
    if isinstance(value, int) and value.bit_length() > 3 * _MAX_DIGITS:
        return (
            f"{'-' if value < 0 else ''}0x{abs(value):x}"[: 2 * _MAX_TEXT]
            + f"… ({value.bit_length():,} bits)"
        )
    return repr(value)


def plain(line: list[Segment]) -> str:
    """A line without colours."""
    return "".join(text for text, _ in line).rstrip()


def painter(color_system: Any) -> Callable[[list[Segment]], str]:
    """A function that gives a line with the escape sequences of *color_system*."""
    from rich.color import ColorSystem
    from rich.style import Style

    system = {"standard": ColorSystem.STANDARD, "truecolor": ColorSystem.TRUECOLOR}.get(
        color_system, ColorSystem.EIGHT_BIT
    )
    styles = {name: Style.parse(style) for name, style in STYLES.items()}

    def paint(line: list[Segment]) -> str:
        return "".join(
            styles[style].render(text, color_system=system) if STYLES[style] else text for text, style in line
        )

    return paint


def as_json(data: bytes, row: Row) -> str:
    """*row* for programs, as one line of JSON; what a row does not have is left out."""
    fields: dict[str, object] = {
        "offset": row.offset,
        "end": row.end,
        "hex": data[row.offset : row.end].hex(),
        "tag": row.name,
        "role": row.role,
        "depth": row.depth,
    }
    if row.value is not None:
        fields["value"] = _json_value(row.value)
    if row.text:
        fields["text"] = row.text
    if row.step:
        fields["step"] = row.step
    if row.id is not None:
        fields["id"] = row.id
    if row.target is not None:
        fields["refers_to"] = row.target
        fields["refers_to_offset"] = row.target_offset
    return json.dumps(fields)


def _json_value(value: str | int | float) -> str | int | float:
    """*value*, or its text if JSON's readers would change it."""
    if isinstance(value, int) and abs(value) >= 2**53:
        return shown(value) if value.bit_length() > 3 * _MAX_DIGITS else str(value)
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    return value


def json_document(data: bytes, scan: Scan, rows: Iterable[Row]) -> Iterator[str]:
    """The lines of one JSON document: the rows, and at its end what is known only then."""
    yield f'{{"format": {json.dumps(scan.form)}, "bytes": {len(data)}, "rows": ['
    before = ""
    for row in rows:
        if before:
            yield f"{before},"
        before = as_json(data, row)
    yield before
    fault = scan.fault
    tail = {
        "versions": scan.versions,
        "blink_version": scan.blink or None,
        "objects": scan.objects,
        "notes": scan.notes,
        "unresolved": [{"offset": offset, "what": what} for offset, what in scan.unresolved],
        "fault": None
        if fault is None
        else {
            "offset": fault.offset,
            "path": fault.path,
            "expected": fault.expected,
            "found": fault.found,
            "truncated": fault.truncated,
        },
    }
    yield f"], {json.dumps(tail)[1:]}"


def svg(data: bytes, rows: Iterable[Row], title: str) -> str:
    """The lines as a picture of a terminal, by rich."""
    import io

    from rich.console import Console
    from rich.text import Text

    drawn = [
        Text.assemble(*((text, STYLES[style] or "none") for text, style in line))
        for line in lines(data, rows)
    ]
    width = max((len(text.plain.rstrip()) for text in drawn), default=40) + 1
    console = Console(record=True, width=max(width, 60), file=io.StringIO(), force_terminal=True)
    for text in drawn:
        text.rstrip()
        console.print(text, no_wrap=True, crop=False, highlight=False)
    return console.export_svg(title=title, unique_id="inspect")

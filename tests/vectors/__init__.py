"""What real Nodes wrote: named values, each as a JavaScript expression and the bytes of it.

``make.js`` writes the files ``node20.json`` to ``node26.json``; values.py says what the cases are in Python.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, cast

FOLDER: Final = Path(__file__).parent
VERSIONS: Final = (20, 22, 24, 26)


@dataclass(frozen=True)
class Case:
    """One value as one Node wrote it."""

    name: str
    js: str
    """The expression whose value was written."""
    data: bytes
    """The message."""
    how: str
    """Who wrote it: "default" is v8.serialize, encode.js explains the others."""
    reads: str
    """The expression of what is read: JavaScript loses classes, getters and more on the way."""
    major: int
    """The oldest Node that wrote it so."""

    def __str__(self) -> str:
        return self.name if self.major == VERSIONS[0] else f"{self.name} (Node {self.major})"


@cache
def of_node(major: int) -> dict[str, Case]:
    """Every case as Node *major* writes it, by name."""
    content = json.loads((FOLDER / f"node{major}.json").read_text("utf-8"))
    base = cast("str | None", content.get("base"))
    cases = {} if base is None else dict(of_node(int(base.removeprefix("node").removesuffix(".json"))))
    for name, entry in cast("dict[str, dict[str, str]]", content["cases"]).items():
        cases[name] = Case(
            name,
            js=entry["js"],
            data=bytes.fromhex(entry["hex"]),
            how=entry.get("how", "default"),
            reads=entry.get("reads", entry["js"]),
            major=major,
        )
    return cases


@cache
def everything() -> tuple[Case, ...]:
    """Every case of every Node; one that Nodes write differently is there once for each of the ways."""
    distinct = {
        (case.name, case.data): case for major in reversed(VERSIONS) for case in of_node(major).values()
    }
    return tuple(sorted(distinct.values(), key=lambda case: case.major))

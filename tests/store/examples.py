"""Runs the examples of a page: its ``pycon`` blocks as doctests, its ``python`` blocks as programs."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(python|pycon)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def run(page: str) -> int:
    """Run the examples of *page* in order, in one namespace; how many there were.  A failure raises."""
    text = (ROOT / page).read_text("utf-8")
    names: dict[str, Any] = {"__name__": "__main__"}
    runner = doctest.DebugRunner(verbose=False)
    count = 0
    for block in BLOCK.finditer(text):
        kind, source = block.groups()
        line = text.count("\n", 0, block.start(2))
        if kind == "python":
            exec(compile("\n" * line + source, page, "exec"), names)
        else:
            test = doctest.DocTestParser().get_doctest(source, names, page, page, line)
            runner.run(test, clear_globs=False)
            names.update(test.globs)
        count += 1
    return count

"""The examples of the documentation run, page by page, each page in one program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def blocks(page: str) -> list[str]:
    """The Python examples of a page, in order, each at the line where it stands."""
    found: list[str] = []
    lines = (ROOT / "docs" / page).read_text("utf-8").splitlines()
    inside = False
    for number, line in enumerate(lines):
        if line == "```python":
            inside = True
            found.append("\n" * (number + 1))
        elif line == "```":
            inside = False
        elif inside:
            found[-1] += line + "\n"
    return found


def test_the_page_on_ports_runs() -> None:
    program = "".join(
        f"exec(compile({block!r}, 'docs/ports.md', 'exec'), globals())\n" for block in blocks("ports.md")
    )

    done = subprocess.run(
        [sys.executable, "-"],
        input=program,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )

    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout.splitlines() == ["received {'foo': 'bar'}", "the last one"]

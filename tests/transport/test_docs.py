"""The examples of the documentation run, page by page, each page in one program."""

from __future__ import annotations

import os
import re
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


def test_the_page_on_ports_runs(tmp_path: Path) -> None:
    program = ""
    for block in blocks("ports.md"):
        name = re.match(r"# (\w+\.py)\n", block.lstrip("\n"))
        if name:  # a module of the reader's
            (tmp_path / name[1]).write_text(block, "utf-8")
        else:
            program += f"exec(compile({block!r}, 'docs/ports.md', 'exec'), globals())\n"

    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        timeout=60,
        check=False,
    )

    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout.splitlines() == ["received {'foo': 'bar'}", "the last one"]

"""Rows that are measured in a Python process of their own: another implementation, or pinned to one core.

The child prints each row as soon as it has it, so that the rows before a failure are not lost.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Final

from bench._measure import Effort
from bench._payloads import ROOT
from bench._rows import OURS, Row, from_json, to_json

TIMEOUT: Final = 900.0
"""Seconds; far more than any table needs, so that what hangs is found in the morning."""


def run(
    module: str,
    effort: Effort,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
) -> Iterator[Row]:
    """``python -m module``, which hands its rows back with ``answer``; the last row says if it failed."""
    command = [sys.executable, "-m", module, json.dumps(asdict(effort)), *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, **(environment or {})}
    ) as child:
        assert child.stdout is not None
        alarm = threading.Timer(timeout, child.kill)
        alarm.start()
        try:
            for line in child.stdout:
                yield from from_json([json.loads(line)])
        finally:
            alarm.cancel()
            child.kill()  # nothing, if it has ended; else nobody wants its rows any more
    if child.returncode:
        what = f"python -m {' '.join([module, *arguments])} ended with {child.returncode}"
        yield Row(module.rpartition(".")[2], "the rest", {}, absent={OURS: what})


def effort() -> Effort:
    """The child's: what ``run`` was given."""
    return Effort(**json.loads(sys.argv[1]))


def answer(rows: Iterable[Row]) -> None:
    """The child's: hand the rows back."""
    for row in rows:
        print(json.dumps(to_json([row])[0]), flush=True)

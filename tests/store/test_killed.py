"""A process killed at any instant loses nothing that was committed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

KILLS = int(os.environ.get("CLONECODEC_KILLS", "300"))
SECONDS = float(os.environ.get("CLONECODEC_KILL_SECONDS", "45"))
ROOT = Path(__file__).resolve().parents[2]


def test_what_was_committed_survives_kill_9_at_any_instant(path: Path) -> None:
    """The rounds run in a process of their own, which forks without threads."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.store.killed", str(path), str(KILLS), str(SECONDS)],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=SECONDS + 60,
    )

    assert done.returncode == 0, done.stderr
    kills, steps, files = map(int, done.stdout.split())
    assert kills >= min(KILLS, 100)  # a slow machine does what it can in the time
    assert steps > kills / 2
    assert files > 5

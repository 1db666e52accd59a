"""The store adds nothing to the memory that a long value and its encoding take."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SIZE = 64 << 20

SCRIPT = """
import sys
from clonecodec import store

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))

def reset():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")

with store.open(sys.argv[1]) as opened:
    opened["small"] = b"x" * (2 << 20)
    size = int(sys.argv[2])
    reset()
    before = peak()
    value = b"x" * size
    opened["value"] = value
    print(peak() - before)
    del value
    reset()
    before = peak()
    value = opened["value"]
    print(peak() - before)
    assert value == b"x" * size
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells the peak")
def test_a_long_value_takes_no_more_memory_than_its_encoding_does(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path), str(SIZE)], check=True, capture_output=True, text=True
    )

    writing, reading = map(int, done.stdout.split())
    assert SIZE < writing < 3.4 * SIZE  # the value, and what dumps takes: at its end it copies what it wrote
    assert SIZE < reading < 2.4 * SIZE  # the encoded form and the value

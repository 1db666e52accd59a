"""Waiting in tests: until something is so, or long enough that it would have been."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Final

PATIENCE: Final = 10.0
"""Seconds after which a test gives up; far more than anything takes, for a busy machine."""


def until(condition: Callable[[], object], what: str = "it never came") -> None:
    """Return as soon as *condition* holds; fail if it does not in ``PATIENCE`` seconds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.001)


def quiet(seconds: float = 0.05) -> None:
    """Give what should not happen the time to happen."""
    time.sleep(seconds)


def collected() -> None:
    """Have garbage collected, cycles too."""
    for _ in range(3):
        gc.collect()

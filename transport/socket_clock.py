"""The clock: the one thread that closes what has not answered in time.

A daemon thread, started with the first deadline, which sleeps until the next one.  What it calls must not
block, and runs no user code.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from time import monotonic
from typing import Final


class Clock:
    """Deadlines, and what to do at each."""

    def __init__(self) -> None:
        self._changed: Final = threading.Condition()
        self._heap: Final[list[tuple[float, int, Callable[[], None]]]] = []
        self._numbers: Final = count()
        self._thread: threading.Thread | None = None

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call *call* in the clock's thread, *seconds* from now.  It cannot be taken back."""
        with self._changed:
            heapq.heappush(self._heap, (monotonic() + seconds, next(self._numbers), call))
            if self._heap[0][2] is call:
                self._changed.notify()
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="transport-clock", daemon=True)
                with suppress(RuntimeError):  # the interpreter is shutting down
                    thread.start()
                    self._thread = thread

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._heap or self._heap[0][0] > monotonic():
                    self._changed.wait(self._heap[0][0] - monotonic() if self._heap else None)
                _, _, call = heapq.heappop(self._heap)
            call()
            del call


_clock = Clock()


def call_later(seconds: float, call: Callable[[], None]) -> None:
    """Call *call*, which must neither block nor raise, *seconds* from now in the clock's thread."""
    _clock.call_later(seconds, call)


def forget() -> None:
    """In a forked child: the thread is the parent's, and so are the deadlines."""
    global _clock  # noqa: PLW0603 - one clock per process is the point
    _clock = Clock()

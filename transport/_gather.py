"""The gathering thread: it writes what was held back for more to come, as soon as nobody runs any more.

It is woken without the interpreter's lock being let go, so it runs when the one who woke it waits for
something, or after ``sys.getswitchinterval()``: a loop that posts is not disturbed at each message, and
what was posted goes out at once when the loop ends.  (The I/O thread is woken by a system call, which lets
the lock go: it would come between any two posts.)

A daemon thread, started with the first connection, or when there is first something to be written.  What it
calls must not block, and runs no user code.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Final


class Gatherer:
    """Calls, and the thread that makes them."""

    def __init__(self) -> None:
        self._calls: Final[SimpleQueue[Callable[[], None]]] = SimpleQueue()
        self._starting: Final = threading.RLock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="transport-gather", daemon=True)
                with suppress(RuntimeError):  # the interpreter is shutting down
                    thread.start()
                    self._thread = thread

    def call_when_idle(self, call: Callable[[], None]) -> None:
        if self._thread is None:
            self.start()
        if self._thread is None:
            call()
        else:
            self._calls.put(call)

    def _run(self) -> None:
        get = self._calls.get
        while True:
            get()()


_gatherer = Gatherer()


def start() -> None:
    """Start the thread, unless it runs."""
    _gatherer.start()


def call_when_idle(call: Callable[[], None]) -> None:
    """Call *call*, which must neither block nor raise, in the gathering thread."""
    _gatherer.call_when_idle(call)


def forget() -> None:
    """In a forked child: the thread is the parent's."""
    global _gatherer  # noqa: PLW0603 - one thread per process is the point
    _gatherer = Gatherer()

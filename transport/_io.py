"""The I/O thread: it reads what no listener's thread reads, and writes what a post could not write at once.

It runs no user code, so nothing that a listener does can hold up a write or an end mark.  A daemon thread,
started with the first descriptor; a program that has only thread channels has none.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Final

from transport._poller import Poller

GRACE: Final = 0.02
"""Seconds after which a call that was put off is made."""


class _IoThread:
    def __init__(self) -> None:
        self._start: Final = threading.Lock()
        self._poller: Poller | None = None
        self._put_off: Final[deque[tuple[float, Callable[[], None]]]] = deque()
        """The first is due first, as all are put off for the same time."""

    def poller(self) -> Poller:
        poller = self._poller
        if poller is None:
            with self._start:
                poller = self._poller
                if poller is None:
                    poller = self._poller = Poller()
                    run = self._run
                    thread = threading.Thread(target=run, args=(poller,), name="transport-io", daemon=True)
                    thread.start()
        return poller

    def _run(self, poller: Poller) -> None:
        put_off = self._put_off
        while True:
            poller.wait(max(0.0, put_off[0][0] - monotonic()) if put_off else None)
            while put_off and put_off[0][0] <= monotonic():
                put_off.popleft()[1]()

    def call_later(self, call: Callable[[], None]) -> None:
        poller = self.poller()
        self._put_off.append((monotonic() + GRACE, call))
        if len(self._put_off) == 1:
            poller.wake()


_io = _IoThread()


def io_poller() -> Poller:
    """The poller of the I/O thread, which is started if it does not run."""
    return _io.poller()


def call_later(call: Callable[[], None]) -> None:
    """Have *call*, which must neither block nor raise, called once in the I/O thread, ``GRACE`` from now."""
    _io.call_later(call)


def forget() -> None:
    """In a forked child: the thread is the parent's, and so is the epoll set (leave it alone)."""
    global _io  # noqa: PLW0603 - one thread per process is the point
    _io = _IoThread()

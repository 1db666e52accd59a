"""The I/O thread: it reads what no listener's thread reads, and writes what a post could not write at once.

It runs no user code, so nothing that a listener does can hold up a write or an end mark.  A daemon thread,
started with the first descriptor; a program that has only thread channels has none.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from transport._poller import Poller

if TYPE_CHECKING:
    from transport._source import Source

GRACE: Final = 0.02
"""Seconds that a descriptor waits for the next ``receive`` before a poller reads it again."""


class _IoThread:
    def __init__(self) -> None:
        self._start: Final = threading.Lock()
        self._poller: Poller | None = None
        self._returns: Final[deque[tuple[Source, int]]] = deque()
        self._calls: Final[deque[Callable[[], None]]] = deque()

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
        while True:
            poller.wait(GRACE if self._returns else None)
            while self._calls:
                self._calls.popleft()()
            for _ in range(len(self._returns)):
                source, loans = self._returns.popleft()
                if source.loans == loans:
                    source.give_back()
                else:
                    self._returns.append((source, source.loans))

    def give_back_later(self, source: Source) -> None:
        poller = self.poller()
        self._returns.append((source, -1))
        if len(self._returns) == 1:
            poller.wake()

    def call_soon(self, call: Callable[[], None]) -> None:
        poller = self.poller()
        self._calls.append(call)
        poller.wake()


_io = _IoThread()


def io_poller() -> Poller:
    """The poller of the I/O thread, which is started if it does not run."""
    return _io.poller()


def call_soon(call: Callable[[], None]) -> None:
    """Have *call*, which must neither block nor raise, called once in the I/O thread."""
    _io.call_soon(call)


def give_back_later(source: Source) -> None:
    """Have ``source.give_back()`` called when no thread has received from it for a while."""
    _io.give_back_later(source)


def forget() -> None:
    """In a forked child: the thread is the parent's, and so is the epoll set (leave it alone)."""
    global _io  # noqa: PLW0603 - one thread per process is the point
    _io = _IoThread()

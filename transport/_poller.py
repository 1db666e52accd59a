"""Waiting for many descriptors at once, in a thread or in an asyncio loop.

A ``Poller`` is an epoll set of our own.  A thread sleeps in ``wait``; a loop watches ``fileno()``, as an
epoll set is a descriptor too, and calls ``wait(0)``.  So a descriptor can be taken out of it from any
thread, at once, which no loop allows: exactly one reader per descriptor is kept that way.
"""

from __future__ import annotations

import os
import select
import selectors
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final


class Wakeup:
    """A descriptor that can be made readable from any thread, a finaliser included."""

    __slots__ = ("_write", "fd")

    def __init__(self) -> None:
        if hasattr(os, "eventfd"):
            self.fd = self._write = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self.fd, self._write = os.pipe()
            os.set_blocking(self.fd, False)
            os.set_blocking(self._write, False)

    def set(self) -> None:
        with suppress(BlockingIOError):  # it is readable already
            os.write(self._write, b"\1\0\0\0\0\0\0\0")

    def clear(self) -> None:
        with suppress(BlockingIOError):
            os.read(self.fd, 4096)

    def close(self) -> None:
        os.close(self.fd)
        if self._write != self.fd:
            os.close(self._write)


class _SelectorSet:
    """The four methods of ``select.epoll`` that we use, where there is no epoll."""

    def __init__(self) -> None:
        self._selector: Final = selectors.DefaultSelector()

    def register(self, fd: int, mask: int) -> None:
        self._selector.register(fd, mask)

    def modify(self, fd: int, mask: int) -> None:
        self._selector.modify(fd, mask)

    def unregister(self, fd: int) -> None:
        self._selector.unregister(fd)

    def poll(self, timeout: float | None) -> list[tuple[int, int]]:
        return [(key.fd, mask) for key, mask in self._selector.select(timeout)]

    def fileno(self) -> int:
        number = getattr(self._selector, "fileno", None)
        return -1 if number is None else int(number())

    def close(self) -> None:
        self._selector.close()


EPOLL: Final = hasattr(select, "epoll")
READ: Final = select.EPOLLIN if EPOLL else selectors.EVENT_READ
WRITE: Final = select.EPOLLOUT if EPOLL else selectors.EVENT_WRITE


class Poller:
    """A set of descriptors, each with what to call when it can be read and when it can be written."""

    def __init__(self) -> None:
        self._set: Final = select.epoll(flags=select.EPOLL_CLOEXEC) if EPOLL else _SelectorSet()
        self._wakeup: Final = Wakeup()
        self._set.register(self._wakeup.fd, READ)
        self._readers: Final[dict[int, Callable[[], None]]] = {}
        self._writers: Final[dict[int, Callable[[], None]]] = {}
        self._changing: Final = threading.RLock()
        """One descriptor may be read by one thread and written by another; it is in the set once."""

    def fileno(self) -> int:
        return self._set.fileno()

    def __len__(self) -> int:
        return len(self._readers) + len(self._writers)

    def on_readable(self, fd: int, call: Callable[[], None] | None) -> None:
        """Call *call* in the waiting thread whenever *fd* can be read, or is broken; None ends that."""
        self._change(fd, self._readers, call)

    def on_writable(self, fd: int, call: Callable[[], None] | None) -> None:
        """Call *call* in the waiting thread whenever *fd* can be written, or is broken; None ends that."""
        self._change(fd, self._writers, call)

    def _change(self, fd: int, table: dict[int, Callable[[], None]], call: Callable[[], None] | None) -> None:
        with self._changing:
            self._change_locked(fd, table, call)
        if not EPOLL:
            self.wake()  # one who sleeps in a selector does not see what is put in

    def _change_locked(
        self, fd: int, table: dict[int, Callable[[], None]], call: Callable[[], None] | None
    ) -> None:
        before = fd in self._readers or fd in self._writers
        if call is None:
            table.pop(fd, None)
        else:
            table[fd] = call
        mask = (READ if fd in self._readers else 0) | (WRITE if fd in self._writers else 0)
        try:
            if not mask:
                if before:
                    self._set.unregister(fd)
            elif before:
                self._set.modify(fd, mask)
            else:
                self._set.register(fd, mask)
        except (FileNotFoundError, KeyError):  # it was closed, which took it out
            if call is not None:
                self._set.register(fd, mask)  # the number is another descriptor's now
        except OSError:
            if call is not None:
                raise

    def wait(self, timeout: float | None = None) -> None:
        """Sleep until something can be done, or ``wake``, and do it."""
        try:
            events = self._set.poll(timeout)
        except InterruptedError:
            return
        for fd, mask in events:
            if fd == self._wakeup.fd:
                self._wakeup.clear()
                continue
            # A broken descriptor is reported as neither: both sides look at it.
            if mask & ~WRITE:
                call = self._readers.get(fd)
                if call is not None:
                    call()
            if mask & ~READ:
                call = self._writers.get(fd)
                if call is not None:
                    call()

    def wake(self) -> None:
        self._wakeup.set()

    def close(self) -> None:
        self._set.close()
        self._wakeup.close()

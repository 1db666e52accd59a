"""The writing half of a process channel: what could not be written yet, and the one who writes it.

A post writes directly, in its own thread, and never waits.  What the kernel has no room for is queued; from
then on posts are only appended, the I/O thread writes when there is room again, and every ``_EAGER`` posts
the poster tries too: a thread that posts in a loop lets the I/O thread run only every few milliseconds.

A post that follows another at once is queued too, so that a burst wakes the reader once and not each time.
It is written with ``_BATCH`` others, or when this process waits for a message, or by the I/O thread,
whichever comes first.
"""

from __future__ import annotations

import socket
from array import array
from collections import deque
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Final

from transport._io import call_soon, io_poller
from transport._process_wire import Chunk, Octets

_FLAGS: Final = int(socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
_EAGER: Final = 64
_BATCH: Final = 64
_LITTLE: Final = 1 << 12
_GAP: Final = 20e-6
"""Seconds within which one post follows another at once: they are in a loop that does little else."""

_GATHER: Final = 256  # pieces in one sendmsg; the kernel takes 1024
_RETRY: Final = (105, 109)  # ENOBUFS, ETOOMANYREFS: descriptors in flight, which the readers will take


_gathering: Final[deque[Callable[[], None]]] = deque()


class _Waits:
    count = 0
    """How often this process has waited for a message: what is posted behind a wait follows nothing."""


_waits: Final = _Waits()


def flush_gathered() -> None:
    """Write what is queued so that more of it may come together.  Called by whoever waits for a message."""
    _waits.count += 1
    while _gathering:
        try:
            _gathering.popleft()()
        except IndexError:
            return


def forget() -> None:
    """In a forked child: what was to be written is the parent's."""
    _gathering.clear()


class Outbox:
    """A queue in front of a socket.  Its caller holds the one lock around every method."""

    def __init__(
        self, sock: socket.socket, on_written: Callable[[], None], on_broken: Callable[[], None]
    ) -> None:
        self._socket: Final = sock
        self._on_written: Final = on_written
        """Called by the I/O thread, without the lock: it takes the lock and calls ``flush``."""
        self._on_broken: Final = on_broken
        """Called with the lock held: nobody will read any more."""
        self._queue: Final[deque[bytes | Chunk]] = deque()
        self._writing = False
        self._waiting = False
        """Does the I/O thread wait for room?"""
        self._gathering = False
        """Is what is queued waiting for more of it?"""
        self._at_once = 0.0
        """Until when a post would follow the last one at once, unless there was a wait in between."""
        self._last_wait = 0
        self._since_try = 0
        self._begun = False
        """Has a part of the first entry been written?  (It has been cut down to the rest, then.)"""

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, entry: bytes | Chunk) -> None:
        """Write *entry* behind all that was put before; soon, if there is room."""
        if self._queue or self._writing:
            self._queue.append(_own(entry))
            self._since_try += 1
            if self._since_try >= (_EAGER if self._waiting else _BATCH if self._gathering else 0):
                self.flush()
        elif type(entry) is not bytes:
            self._queue.append(entry)
            self.flush()
            if self._queue:
                self._queue[0] = _own(self._queue[0])
        elif monotonic() < self._at_once and self._last_wait == _waits.count and len(entry) <= _LITTLE:
            self._queue.append(entry)
            self._since_try = 1
            self._gathering = True
            _gathering.append(self._on_written)
            if len(_gathering) == 1:
                call_soon(flush_gathered)
        else:
            self._write_first(entry)
            self._at_once = monotonic() + _GAP
            self._last_wait = _waits.count

    def put_now(self, entry: bytes | Chunk) -> None:
        """Write *entry* behind all that was put before; now, if there is room."""
        self.put(entry)
        if self._queue:
            self.flush()

    def _write_first(self, entry: bytes) -> None:
        """``flush`` for the usual case: nothing is queued, and there is room."""
        self._writing = True
        try:
            count = self._socket.send(entry, _FLAGS)
        except OSError:
            count = 0  # flush meets the same error
        finally:
            self._writing = False
        if count != len(entry):
            # (A signal handler may have posted meanwhile; this goes first.)
            self._queue.appendleft(entry if count == 0 else _cut(entry, count))
            self._begun = count > 0
        if self._queue:
            self.flush()

    def begin_with(self, entries: Iterable[bytes | Chunk], *, begun: bool) -> None:
        """Write *entries* before all others; *begun* if a part of the first has been written."""
        self._queue.extend(entries)
        self._begun = begun
        self.flush()

    def flush(self) -> None:
        """Write as much as there is room for."""
        if self._writing:
            return
        self._writing = True
        self._gathering = False
        self._since_try = 0
        try:
            while self._queue:
                if not self._write_some():
                    return
        finally:
            self._writing = False
        self._stop_waiting()

    def _write_some(self) -> bool:
        queue = self._queue
        views: list[Octets] = []
        numbers: list[int] = []
        for entry in queue:
            if type(entry) is bytes:
                views.append(entry)
            else:
                assert isinstance(entry, Chunk)
                if entry.handles:
                    if views:
                        break
                    numbers = [handle.number for handle in entry.handles]
                views += entry.views
                if numbers:
                    break
            if len(views) >= _GATHER:
                break
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", numbers))] if numbers else []
        try:
            count = self._socket.sendmsg(views[:1024], ancillary, _FLAGS)
        except BlockingIOError:
            self._wait()
            return False
        except OSError as error:
            self._failed(error)
            return False
        self._written(count)
        return True

    def _written(self, count: int) -> None:
        queue = self._queue
        while count or (queue and not _size(queue[0])):
            entry = queue[0]
            size = _size(entry)
            if count >= size:
                count -= size
                queue.popleft()
                self._begun = False
            else:
                queue[0] = _cut(entry, count)
                self._begun = True
                return

    def _failed(self, error: OSError) -> None:
        if error.errno in _RETRY:
            self._retry()
        else:
            self._stop_waiting()
            self._on_broken()

    def _retry(self) -> None:
        """The kernel has too many descriptors in flight: nothing tells when it has room again."""
        from threading import Timer  # a machine at its limits

        timer = Timer(0.01, self._on_written)
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:
            self._on_broken()

    def _wait(self) -> None:
        if not self._waiting:
            self._waiting = True
            poller = io_poller()
            poller.on_writable(self._socket.fileno(), self._on_written)
            poller.wake()

    def _stop_waiting(self) -> None:
        if self._waiting:
            self._waiting = False
            io_poller().on_writable(self._socket.fileno(), None)

    def forget(self, *, keep: bool) -> None:
        """In a forked child: the I/O thread that waits is the parent's, and so is what is queued, unless
        *keep*."""
        self._writing = self._waiting = self._gathering = False
        if not keep:
            self._queue.clear()
            self._begun = False

    def drop_oldest(self) -> bytes | Chunk | None:
        """Take the oldest entry out of which nothing has been written."""
        index = 1 if self._begun else 0
        if len(self._queue) <= index:
            return None
        entry = self._queue[index]
        del self._queue[index]
        return entry

    def take(self) -> tuple[list[bytes | Chunk], bool]:
        """All that is not written, and whether a part of the first entry was; nothing is written any more."""
        self._stop_waiting()
        entries = list(self._queue)
        self._queue.clear()
        begun, self._begun = self._begun, False
        return entries, begun


def _size(entry: bytes | Chunk) -> int:
    return len(entry) if isinstance(entry, bytes) else sum(map(len, entry.views))


def _cut(entry: bytes | Chunk, count: int) -> Chunk:
    """The rest of *entry*, without its descriptors: they went with the first byte."""
    rest: list[Octets] = []
    for view in [entry] if isinstance(entry, bytes) else entry.views:
        if count >= len(view):
            count -= len(view)
        else:
            rest.append(_rest_of(view, count) if count else view)
            count = 0
    return Chunk(rest)


def _rest_of(view: Octets, count: int) -> memoryview:
    rest = memoryview(view)[count:]
    return rest if isinstance(view, memoryview) else rest.toreadonly()


def _own(entry: bytes | Chunk) -> bytes | Chunk:
    """*entry*, with copies of what its poster may still write to: memory seen through a writable view."""
    if isinstance(entry, bytes):
        return entry
    views = [
        view.tobytes() if isinstance(view, memoryview) and not view.readonly else view for view in entry.views
    ]
    return Chunk(views, entry.handles)

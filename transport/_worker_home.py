"""The home of a thread worker's ports, and what such a worker owns.

    port ──schedule──> WorkerHome ──schedule──> Dispatcher ──turn──> WorkerHome ──turn──> port

Its listeners run in the dispatcher like all others.  But while they do, ``here()`` is their worker, as it is
in the worker's own thread: ``parent_port()`` and ``worker_data()`` are the worker's, and what they open and
listen on is.  What a worker owns keeps the worker alive and not the program, and closes when the worker ends.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol
from weakref import WeakSet

from transport._dispatch import Home, Turns, dispatcher
from transport._poller import Poller

if TYPE_CHECKING:
    import asyncio


class Owned(Protocol):
    """A port, or a worker that a worker started."""

    worker: WorkerHome | None
    """The worker that owns it; None for the program itself."""

    def close(self) -> object:
        """The worker has ended, and this with it."""


class _Thread(threading.local):
    home: WorkerHome | None = None


_thread: Final = _Thread()


def here() -> WorkerHome | None:
    """The worker that this code belongs to: the one of this thread, or of the listener that is running."""
    return _thread.home


def own(thing: Owned) -> None:
    """*thing* belongs to the worker, or the program, that this code belongs to."""
    home = _thread.home
    if thing.worker is not home:
        if thing.worker is not None:
            thing.worker.disown(thing)
        thing.worker = home
        if home is not None:
            home.own(thing)


def forget() -> None:
    """In a forked child: it is no worker, whoever forked it."""
    _thread.home = None


class WorkerHome:
    """Where the listeners of a worker thread run, unless a loop of its own runs them.

    ``parent_port`` and ``data`` are what the worker was given.
    """

    is_loop = False

    def __init__(self, parent_port: Owned, data: object) -> None:
        self.parent_port: Final = parent_port
        self.data: Final = data
        self._ready: Final[deque[Turns]] = deque()
        self._owning: Final = threading.Lock()
        self._owned: Final[WeakSet[Owned]] = WeakSet()
        self._loops: Final[WeakSet[asyncio.AbstractEventLoop]] = WeakSet()
        self._over = False

    def enter(self) -> None:
        """The calling thread is the worker's from now on."""
        _thread.home = self

    # ------------------------------------------------------------------ what it owns

    def own(self, thing: Owned) -> None:
        """Close *thing* when the worker ends: at once, if it has."""
        thing.worker = self
        with self._owning:
            self._owned.add(thing)
            over = self._over
        if over:
            thing.close()

    def disown(self, thing: Owned) -> None:
        with self._owning:
            self._owned.discard(thing)

    def has_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """*loop* runs in the worker's thread."""
        with self._owning:
            self._loops.add(loop)

    def close(self) -> None:
        """The worker has ended, or is to end: whatever it owns closes."""
        with self._owning:
            self._over = True
            owned = list(self._owned)
        for thing in owned:
            thing.close()

    def leave_loops(self) -> bool:
        """Raise SystemExit in the worker's loops; False if it has none, or none any more."""
        with self._owning:
            loops = list(self._loops)
        left = False
        for loop in loops:
            with suppress(RuntimeError):  # it is closed
                loop.call_soon_threadsafe(sys.exit)
                left = True
        return left

    # ------------------------------------------------------------------ Home

    def schedule(self, port: Turns) -> None:
        self._ready.append(port)
        dispatcher().schedule(self)

    def turn(self, home: Home) -> None:
        """For the dispatcher: one of its turns is one of ours."""
        _thread.home = self
        try:
            self._ready.popleft().turn(self)
        finally:
            _thread.home = None

    def home_lost(self, home: Home) -> None:
        """Never: the dispatcher lives as long as the program."""

    def run(self, coroutine: Coroutine[object, object, object]) -> None:
        dispatcher().run(coroutine)

    def later(self, callback: Callable[[], None]) -> None:
        dispatcher().later(callback)

    def report(self, error: BaseException, port: object) -> None:
        dispatcher().report(error, port)

    def is_alive(self) -> bool:
        return True

    def runs_here(self) -> bool:
        return dispatcher().runs_here()

    def poller(self) -> Poller | None:
        return dispatcher().poller()


def run_later(seconds: float, call: Callable[[], None]) -> None:
    """Call *call* in *seconds*, in a thread of its own; now if the interpreter is shutting down."""
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError:
        call()

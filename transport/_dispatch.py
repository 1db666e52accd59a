"""The dispatcher: the one thread that runs listeners when no asyncio loop does, and works off ``_drop``'s
list.

So listeners never run concurrently with each other.  A daemon thread, started when there is first something
to wait for.  It sleeps on a ``SimpleQueue`` (whose put is safe in a finaliser), or in its poller once it has
had a descriptor to read.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from queue import SimpleQueue
from typing import Final, Protocol

from transport import _drop
from transport._poller import Poller


class Turns(Protocol):
    """What a home runs: a port."""

    def turn(self, home: Home) -> None:
        """Deliver what is queued, up to a budget, if *home* still is where this is done."""

    def home_lost(self, home: Home) -> None:
        """*home* will never run a turn again."""


class Home(Protocol):
    """Where the listeners of a port run: the dispatcher, or an asyncio loop."""

    def schedule(self, port: Turns) -> None:
        """Run ``port.turn(self)`` soon, and not now.  From any thread."""

    def run(self, coroutine: Coroutine[object, object, object]) -> None:
        """Take over what an ``async def`` listener returned."""

    def later(self, callback: Callable[[], None]) -> None:
        """In the home's thread: call *callback* when what ``run`` took over has had its first step."""

    def report(self, error: BaseException, port: object) -> None:
        """A listener of *port* raised *error*."""

    def is_alive(self) -> bool:
        """May a turn still come?"""

    def poller(self) -> Poller | None:
        """Who reads descriptors in the home's thread; None if nobody can."""

    def runs_here(self) -> bool:
        """Is this the home's thread?"""

    is_loop: bool


class Dispatcher:
    """The library's one thread for listeners."""

    is_loop = False

    def __init__(self) -> None:
        self._ready: Final[deque[Turns]] = deque()
        self._tokens: Final[SimpleQueue[None]] = SimpleQueue()
        self._sleeper: Callable[[], None] | None = None
        """How to wake the thread; None while it is awake and will look at ``_ready`` before it sleeps."""
        self._poller: Poller | None = None
        self._starting: Final = threading.Lock()
        self._thread: threading.Thread | None = None

    def schedule(self, port: Turns) -> None:
        self._ready.append(port)
        if self._thread is None:
            self.start()
        self.wake()

    def wake(self) -> None:
        """Have the thread look at what there is to do.  Safe in a finaliser."""
        sleeper = self._sleeper
        if sleeper is not None:
            sleeper()

    def start(self) -> None:
        """Start the thread if it does not run."""
        if self._thread is not None:
            return
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="transport-dispatcher", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the interpreter is shutting down: nobody will hear what is left
                    return
                self._thread = thread

    def call(self, what: Callable[[], None]) -> None:
        """Call *what* in the thread, soon."""
        self.schedule(Call(what))

    def settle(self, timeout: float | None) -> bool:
        """Wait until the turns that are due have been had; False when *timeout* seconds were not enough."""
        if self._thread is None or self.runs_here():
            return True
        over = threading.Lock()
        over.acquire()
        self.call(over.release)  # a turn that comes after those that are due
        return over.acquire(timeout=-1 if timeout is None else max(0, timeout))

    def run(self, coroutine: Coroutine[object, object, object]) -> None:
        coroutine.close()
        raise TypeError("an 'async def' listener needs a running asyncio loop: attach it inside one")

    def later(self, callback: Callable[[], None]) -> None:
        callback()  # it takes over nothing

    def report(self, error: BaseException, port: object) -> None:
        sys.excepthook(type(error), error, error.__traceback__)

    def is_alive(self) -> bool:
        return True

    def runs_here(self) -> bool:
        return self._thread is not None and self._thread.ident == threading.get_ident()

    def poller(self) -> Poller:
        with self._starting:
            if self._poller is None:
                self._poller = Poller()
                self.wake()  # it sleeps there from now on
            return self._poller

    def _run(self) -> None:
        while True:
            self._work()
            poller = self._poller
            self._sleeper = self._token if poller is None else poller.wake
            # Whoever comes from here on wakes us; whoever came before is seen now.
            if self._ready or _drop.pending() or self._poller is not poller:
                self._sleeper = None
                if poller is not None:
                    poller.wait(0)
            elif poller is not None:
                poller.wait(None)
            else:
                self._tokens.get()
            self._sleeper = None

    def _token(self) -> None:
        self._tokens.put(None)

    def _work(self) -> None:
        for _ in range(len(self._ready)):
            port = self._ready.popleft()
            try:
                port.turn(self)
            except BaseException as error:  # a fault of ours: the other ports must go on
                self.report(error, port)
            del port
        if _drop.pending():
            _drop.collect()


class Call:
    """Something to be called, as a turn."""

    def __init__(self, what: Callable[[], None]) -> None:
        self._what: Final = what

    def turn(self, home: Home) -> None:
        self._what()

    def home_lost(self, home: Home) -> None:
        pass


_dispatcher = Dispatcher()


def dispatcher() -> Dispatcher:
    """The dispatcher of this process; its thread may not run yet."""
    return _dispatcher


def attend() -> None:
    """Have what is collected from now on closed, and close what has been: for one who is going to wait."""
    if _dispatcher._thread is None:
        _dispatcher.start()
    if _drop.pending():
        _drop.collect()


def forget() -> None:
    """In a forked child: the thread is the parent's, and what was to be done is the parent's work."""
    global _dispatcher  # noqa: PLW0603 - one dispatcher per process is the point
    _dispatcher = Dispatcher()
    _drop.forget()


def _wake() -> None:
    if _dispatcher:  # finalisers run until the very end, when modules have been emptied
        _dispatcher.wake()


def _start() -> None:
    _dispatcher.start()


_drop.hooks.wake = _wake
_drop.hooks.start = _start

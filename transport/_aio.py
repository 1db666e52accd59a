"""Running listeners in an asyncio loop: one wake-up for a whole batch of messages, whoever posts them.

Imported when a loop is running, so that a program without asyncio does not pay for it.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Final

from transport._dispatch import Turns
from transport._keeper import keeper
from transport._poller import Poller
from transport._worker_home import here


class LoopHome:
    """An asyncio loop as the place where listeners run."""

    is_loop = True

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop: Final = weakref.ref(loop)
        self._thread = threading.get_ident()
        self._ready: Final[deque[Turns]] = deque()
        self._awake = False
        """Will the loop look at ``_ready`` before it sleeps?"""
        self._poller: Poller | None = None
        self._tasks: Final[set[asyncio.Task[object]]] = set()
        worker = here()
        if worker is not None:
            worker.has_loop(loop)

    def schedule(self, port: Turns) -> None:
        self._ready.append(port)
        if self._awake:
            return
        self._awake = True
        loop = self._loop()
        try:
            if loop is None:
                raise RuntimeError("the loop is gone")
            if threading.get_ident() == self._thread and loop.is_running():
                loop.call_soon(self._run)
            else:
                loop.call_soon_threadsafe(self._run)
        except RuntimeError:  # the loop is closed: the messages wait for the next listener
            self._awake = False
            while self._ready:
                self._ready.popleft().home_lost(self)

    def _run(self) -> None:
        self._awake = False
        self._thread = threading.get_ident()
        try:
            for _ in range(len(self._ready)):
                self._ready.popleft().turn(self)
        finally:
            if self._ready and not self._awake:  # only if a turn was left by KeyboardInterrupt or SystemExit
                self.schedule(self._ready.popleft())

    def run(self, coroutine: Coroutine[object, object, object]) -> None:
        loop = self._loop()
        assert loop is not None, "a loop that runs a listener exists"
        task = loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def later(self, callback: Callable[[], None]) -> None:
        loop = self._loop()
        assert loop is not None, "a loop that runs a listener exists"
        loop.call_soon(callback)

    def _done(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.report(error, task)

    def report(self, error: BaseException, port: object) -> None:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise error
        loop = self._loop()
        if loop is not None:
            loop.call_exception_handler(
                {"message": f"a listener of {port!r} raised", "exception": error, "port": port}
            )

    def is_alive(self) -> bool:
        loop = self._loop()
        if loop is None or loop.is_closed():
            return False
        # A loop that stands still when the main script is over will not be run again.
        return loop.is_running() or not keeper().script_over

    def runs_here(self) -> bool:
        loop = self._loop()
        return loop is not None and asyncio._get_running_loop() is loop

    def poller(self) -> Poller | None:
        if self._poller is None and self.runs_here():
            loop = self._loop()
            assert loop is not None, "it runs"
            poller = Poller()
            try:
                loop.add_reader(poller.fileno(), poller.wait, 0)
            except (NotImplementedError, OSError, ValueError):  # Windows' proactor loop: the I/O thread reads
                poller.close()
                return None
            self._poller = poller
        return self._poller


class Awaited:
    """A coroutine that waits for a port: its turn is to go on."""

    def __init__(self, future: asyncio.Future[None]) -> None:
        self.future: Final = future

    def turn(self, home: object) -> None:
        if not self.future.done():
            self.future.set_result(None)

    def home_lost(self, home: object) -> None:
        pass


_homes: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, LoopHome] = weakref.WeakKeyDictionary()


def loop_home(loop: asyncio.AbstractEventLoop) -> LoopHome:
    """The one home for *loop*, which runs in this thread."""
    home = _homes.get(loop)
    if home is None:
        home = _homes[loop] = LoopHome(loop)
    return home


def running_home() -> LoopHome | None:
    """The home for the loop that is running in this thread, if one is."""
    loop = asyncio._get_running_loop()
    return None if loop is None else loop_home(loop)

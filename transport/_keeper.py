"""The program stays alive while a port is ref'd, and does not end before what it posted has gone out.

    the main script ends
    -> main thread: no ref'd port left?            here Ctrl-C is heard
    -> keeper thread: no ref'd port left, no other thread that is not a daemon?
    -> ``finish()`` for every descriptor -> flushed? -> end

The keeper is the one thread of ours that is not a daemon, so the interpreter waits for it; it sleeps in
``main_thread().join()`` until the script is over.  It is started by the first ref or the first descriptor, as
no thread can be started once the interpreter shuts down.

Ref'd ports do not keep a program alive whose script was ended by an exception (as in Node), Ctrl-C above all;
nor one whose ``wait()`` Ctrl-C has ended, whoever caught it.  What was posted goes out all the same.
A worker thread has ref'd ports of its own: they keep the worker alive, and it is the Worker that keeps the
program alive.
"""

from __future__ import annotations

import atexit
import contextlib
import signal
import sys
import threading
import weakref
from collections.abc import Callable
from time import monotonic
from typing import Final, Protocol, runtime_checkable

from transport import _relay
from transport._dispatch import dispatcher
from transport._worker_home import WorkerHome, here

_POLL: Final = 0.05
"""Seconds between looks at a loop, which tells nobody that it has ended."""


class Kept(Protocol):
    """A port or a worker that is ref'd."""

    worker: WorkerHome | None
    """The worker that it keeps alive; None: the program."""

    def keeps_alive(self) -> bool:
        """Could it still hear something?  Not if its loop has ended for good."""

    def on_loop(self) -> bool:
        """Does a loop run its listeners?  A loop that ends tells nobody, so it has to be looked at."""


@runtime_checkable
class Finisher(Protocol):
    """Something with a descriptor, to be closed in good order at exit."""

    def finish(self) -> None:
        """Send the end mark behind all that is queued; never block."""

    def pending(self) -> int:
        """On how many channels is something left to be written?"""


class Keeper:
    def __init__(self) -> None:
        self._changed: Final = threading.Condition()
        self._refs: Final[set[Kept]] = set()
        self._idle: list[Callable[[], None]] = []
        self._finishers: Final[weakref.WeakSet[Finisher]] = weakref.WeakSet()
        self._thread: threading.Thread | None = None
        self._interrupted = False
        self.script_over = False
        """Has the main script ended?"""
        self.exit_timeout = 5.0

    def ref(self, port: Kept) -> None:
        with self._changed:
            self._refs.add(port)
            self._start()

    def unref(self, port: Kept) -> None:
        with self._changed:
            self._refs.discard(port)
            callbacks, self._idle = self._idle, []
            self._changed.notify_all()
        for callback in callbacks:
            callback()

    def at_exit(self, finisher: Finisher) -> None:
        with self._changed:
            self._finishers.add(finisher)
            self._start()

    def kept(self) -> bool:
        """Is there a ref'd port, of this worker or of the program, that could still hear something?"""
        return any(port.keeps_alive() for port in self._snapshot())

    def _snapshot(self) -> list[Kept]:
        worker = here()
        with self._changed:
            return [port for port in self._refs if port.worker is worker]

    def wait(self, timeout: float | None = None) -> bool:
        """Until no ref'd port of this worker, or of the program, is left; False: not in *timeout* seconds."""
        deadline = None if timeout is None else monotonic() + timeout
        while True:
            refs = self._snapshot()
            left = None if deadline is None else deadline - monotonic()
            if not any(port.keeps_alive() for port in refs):
                # The last one may have gone in its own listener, which must not be cut off.
                dispatcher().settle(left)
                if not self.kept():
                    return True
                continue
            if left is not None and left <= 0:
                return False
            if any(port.on_loop() for port in refs):
                left = _POLL if left is None else min(_POLL, left)
            with self._changed:
                if not self._refs.isdisjoint(refs):
                    self._changed.wait(left)

    def when_changed(self, callback: Callable[[], None]) -> None:
        """Call *callback* once, from any thread, when a ref'd port has gone."""
        with self._changed:
            if self._refs:
                self._idle.append(callback)
                return
        callback()

    def _start(self) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="transport-keeper", daemon=False)
            try:
                thread.start()
            except RuntimeError:
                return  # the interpreter is shutting down
            self._thread = thread
            dispatcher().start()  # a thread that lives on may listen when it is too late for that

    def stay(self) -> None:
        """In the main thread, whose script is over: wait here, where Ctrl-C is heard."""
        self.script_over = True
        try:
            self._wait_at_the_end()
        except KeyboardInterrupt:
            self.interrupted()
            atexit.register(_end_by_ctrl_c)

    def _run(self) -> None:
        threading.main_thread().join()
        self.script_over = True
        self._wait_at_the_end()
        while others := [thread for thread in threading.enumerate() if self._is_of_the_user(thread)]:
            for thread in others:  # the program is not over, and it may use its ports
                thread.join()
            self._wait_at_the_end()
        self.flush()

    def _wait_at_the_end(self) -> None:
        # The interpreter sets last_type when it prints the traceback of what nobody has caught.
        if not self._interrupted and not hasattr(sys, "last_type"):
            self.wait()

    def _is_of_the_user(self, thread: threading.Thread) -> bool:
        return not thread.daemon and thread is not self._thread and thread is not threading.main_thread()

    def interrupted(self) -> None:
        """Ctrl-C: the program is not kept alive when its script is over."""
        self._interrupted = True

    def flush(self) -> None:
        """Close every descriptor behind what is queued for it; wait until that has gone out."""
        deadline = monotonic() + self.exit_timeout
        _relay.settle(self.exit_timeout)
        finishers = list(self._finishers)
        for finisher in finishers:
            finisher.finish()
        while any(finisher.pending() for finisher in finishers):
            if monotonic() >= deadline:
                self._warn(sum(finisher.pending() for finisher in finishers))
                return
            threading.Event().wait(0.002)

    def _warn(self, count: int) -> None:
        import warnings  # only for a peer that does not read

        warnings.warn(
            f"{count} channels had unsent messages {self.exit_timeout} s after the program ended: lost",
            RuntimeWarning,
            stacklevel=2,
        )


_keeper = Keeper()


def keeper() -> Keeper:
    """The keeper of this process."""
    return _keeper


def at_exit(finisher: Finisher) -> None:
    """Have *finisher* (held weakly) flushed and closed when the program ends.  Starts the keeper."""
    _keeper.at_exit(finisher)


def forget() -> None:
    """In a forked child: nothing that the parent held alive holds the child alive."""
    global _keeper  # noqa: PLW0603 - one keeper per process is the point
    timeout = _keeper.exit_timeout
    _keeper = Keeper()
    _keeper.exit_timeout = timeout


def _stay() -> None:
    _keeper.stay()


# As concurrent.futures does it: once the main thread waits for the others, Ctrl-C is but noise to it.  Where
# this is missing, the keeper alone waits.
with contextlib.suppress(AttributeError, RuntimeError):  # it is shutting down
    threading._register_atexit(_stay)  # type: ignore[attr-defined]


def _end_by_ctrl_c() -> None:
    """The last thing: what Ctrl-C does to a program that nothing keeps from it."""
    atexit.unregister(_end_by_ctrl_c)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.raise_signal(signal.SIGINT)


def wait(timeout: float | None = None) -> bool:
    """Block until no ref'd port is left: the last line of a script whose listeners do the work.

    In a worker: until none of the worker's is left.

    Args:
        timeout: at most this many seconds; None for as long as it takes.

    Returns:
        False if *timeout* passed and a ref'd port is left.

    Raises:
        KeyboardInterrupt: Ctrl-C.  The ports do not keep the program alive from then on.

    >>> wait(timeout=1)
    True
    """
    try:
        return _keeper.wait(timeout)
    except KeyboardInterrupt:
        _keeper.interrupted()
        raise


async def drain() -> None:
    """Wait until no ref'd port is left, while this asyncio loop runs their listeners.

    In a worker: until none of the worker's is left.

    >>> import asyncio
    >>> asyncio.run(drain())
    """
    import asyncio  # the caller has it

    def resolve(idle: asyncio.Future[None]) -> None:
        if not idle.done():
            idle.set_result(None)

    loop = asyncio.get_running_loop()
    while _keeper.kept():
        idle = loop.create_future()

        def wake(idle: asyncio.Future[None] = idle) -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits
                loop.call_soon_threadsafe(resolve, idle)

        _keeper.when_changed(wake)
        await asyncio.wait([idle], timeout=_POLL)

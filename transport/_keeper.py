"""The program stays alive while a port is ref'd, and does not end before what it posted has gone out.

    main script ends -> keeper waits: no ref'd port left -> ``finish()`` for every descriptor -> flushed? ->
    end

The keeper is the one thread that is not a daemon, so the interpreter waits for it; it sleeps in
``main_thread().join()`` until the script is over.  It is started by the first ref or the first descriptor, as
no thread can be started once the interpreter shuts down.

Ref'd ports do not keep a program alive whose script was ended by an exception (as in Node), Ctrl-C above all;
nor one whose ``wait()`` Ctrl-C has ended, whoever caught it.  What was posted goes out all the same.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import weakref
from collections.abc import Callable
from time import monotonic
from typing import Final, Protocol, runtime_checkable

from transport import _relay
from transport._dispatch import dispatcher

_POLL: Final = 0.05
"""Seconds between looks at a loop, which tells nobody that it has ended."""


class Kept(Protocol):
    """A port that is ref'd."""

    def keeps_alive(self) -> bool:
        """Could it still hear something?  Not if its loop has ended for good."""

    def on_loop(self) -> bool:
        """Does a loop run its listeners?  A loop that ends tells nobody, so it has to be looked at."""


@runtime_checkable
class Finisher(Protocol):
    """Something with a descriptor, to be closed in good order at exit."""

    def finish(self) -> None:
        """Send the end mark behind all that is queued; never block."""

    def pending(self) -> bool:
        """Is there anything left to be written?"""


class Keeper:
    def __init__(self) -> None:
        self._changed: Final = threading.Condition()
        self._refs: Final[set[Kept]] = set()
        self._idle: list[Callable[[], None]] = []
        self._finishers: Final[weakref.WeakSet[Finisher]] = weakref.WeakSet()
        self._thread: threading.Thread | None = None
        self._interrupted = False
        self.exit_timeout = 5.0

    def ref(self, port: Kept) -> None:
        with self._changed:
            self._refs.add(port)
            self._start()

    def unref(self, port: Kept) -> None:
        with self._changed:
            self._refs.discard(port)
            if self._refs:
                return
            callbacks, self._idle = self._idle, []
            self._changed.notify_all()
        for callback in callbacks:
            callback()

    def at_exit(self, finisher: Finisher) -> None:
        with self._changed:
            self._finishers.add(finisher)
            self._start()

    def kept(self) -> bool:
        """Is there a ref'd port that could still hear something?"""
        return any(port.keeps_alive() for port in self._snapshot())

    def _snapshot(self) -> list[Kept]:
        with self._changed:
            return list(self._refs)

    def wait(self, timeout: float | None = None) -> bool:
        """Until no ref'd port is left; False when *timeout* seconds were not enough."""
        deadline = None if timeout is None else monotonic() + timeout
        while True:
            refs = self._snapshot()
            left = None if deadline is None else deadline - monotonic()
            if not any(port.keeps_alive() for port in refs):
                # The last one may have gone in its own listener, which must not be cut off.
                if not dispatcher().settle(left):
                    return False
                if not self.kept():
                    return True
                continue
            if left is not None and left <= 0:
                return False
            if any(port.on_loop() for port in refs):
                left = _POLL if left is None else min(_POLL, left)
            with self._changed:
                if self._refs:
                    self._changed.wait(left)

    def when_idle(self, callback: Callable[[], None]) -> None:
        """Call *callback* once, from any thread, when the last ref'd port has gone."""
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

    def _run(self) -> None:
        threading.main_thread().join()
        # The interpreter sets last_type when it prints the traceback of what nobody has caught.
        if not self._interrupted and not hasattr(sys, "last_type"):
            self.wait()
        self.flush()

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


def wait(timeout: float | None = None) -> bool:
    """Block until no ref'd port is left: the last line of a script whose listeners do the work.

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

        _keeper.when_idle(wake)
        await asyncio.wait([idle], timeout=_POLL)

"""Waiting for the next item of a port: a thread in ``receive``, or a coroutine in ``receive_async``.

Who waits puts a way to wake him on ``End.waiters``; ``put`` calls it once and takes it off.  So one who was
woken and leaves without taking (his time was up, he was cancelled) has to wake the next one: ``poke``.
A thread blocks on a bare lock, with no other thread between it and the poster; where the end has a
descriptor, it reads that itself (``Source.wait``).
"""

from __future__ import annotations

import _thread
from collections.abc import Callable
from time import monotonic

from transport._dispatch import attend
from transport._end import End
from transport._receiver import DEAD, Receiver
from transport._source import Source, borrow_sleeper, return_sleeper
from transport.message import NOTHING, Item


def take_blocking(port: Receiver, timeout: float | None) -> Item:
    """There was none: block until there is an item, and take it.

    Raises:
        TimeoutError: there was none for *timeout* seconds.
        PortClosedError: there will be none.
    """
    deadline = None if timeout is None else monotonic() + timeout
    attend()
    left = None if timeout is None else max(0.0, timeout)
    while True:
        end = port._end
        source = end.link.source
        if source is None:
            _sleep(port, end, left)
        elif not (source.follows_home and source.read_alone(end.items, left)):
            _sleep_reading(port, end, source, left)
        item = port.take()
        if item is not NOTHING:
            return item
        if deadline is not None:
            left = deadline - monotonic()
            if left <= 0:
                raise TimeoutError("nothing to receive")


def _register(port: Receiver, end: End, wake: Callable[[], None]) -> bool:
    if end is DEAD:  # it closed between two looks: the next one says so
        return False
    with end.lock:
        return port._end is end and end.await_item(wake)


def _leave(end: End, wake: Callable[[], None], *, takes: bool) -> None:
    """Stop waiting.  One who was woken and does not take wakes the next one."""
    with end.lock:
        if wake in end.waiters:
            end.waiters.remove(wake)
            return
    if not takes:
        end.poke()


def _sleep(port: Receiver, end: End, timeout: float | None) -> None:
    lock = _thread.allocate_lock()
    lock.acquire()
    wake = lock.release
    if not _register(port, end, wake):
        return
    woken = False
    try:
        woken = lock.acquire(True, -1 if timeout is None else timeout)
    finally:
        if not woken:
            _leave(end, wake, takes=False)


def look(port: Receiver, end: End, source: Source) -> None:
    """Read what is there now, unless another thread does."""
    if not (source.follows_home and source.read_alone(end.items, 0)):
        _sleep_reading(port, end, source, 0)


def _sleep_reading(port: Receiver, end: End, source: Source, timeout: float | None) -> None:
    """Wait on the descriptor itself, and read it, unless another thread does."""
    sleeper = borrow_sleeper()
    wake = sleeper.wake
    try:
        if not _register(port, end, wake):
            return
        try:
            source.wait(sleeper, timeout)
        finally:
            _leave(end, wake, takes=sleeper.woken)
    finally:
        return_sleeper(sleeper)


async def take_async(port: Receiver) -> Item:
    """The next item; wait for it in the loop that is running.

    Raises:
        PortClosedError: there will be none.
    """
    import asyncio  # the caller has it

    from transport._aio import Awaited, loop_home

    loop = asyncio.get_running_loop()
    home = loop_home(loop)
    while True:
        end = port._end
        item = port.take()
        if item is not NOTHING:
            return item
        attend()
        awaited = Awaited(loop.create_future())

        def wake(awaited: Awaited = awaited) -> None:
            home.schedule(awaited)

        if not _register(port, end, wake):
            continue
        source = end.link.source
        if source is not None and source.follows_home and port._home is None:
            poller = home.poller()
            if poller is not None:
                source.watch(poller)
        try:
            await awaited.future
        except BaseException:
            _leave(end, wake, takes=False)
            raise

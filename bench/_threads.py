"""Contenders that send from this thread to another one: our ports, SimpleQueue, janus.

one way     this thread sends *number* messages; the time until the other has taken them all
ping-pong   there and back, one at a time; the time of a round trip
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pickle import dumps, loads
from time import perf_counter as now
from typing import Any, Final

from bench import _peers
from bench._payloads import SMALL
from clonecodec import ArrayBuffer
from transport import MessageChannel, MessagePort


class Helper:
    """Another thread, which does what it is given, one after the other."""

    def __init__(self) -> None:
        self._tasks: Final[queue.SimpleQueue[Callable[[], object] | None]] = queue.SimpleQueue()
        self._done: Final[queue.SimpleQueue[BaseException | None]] = queue.SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    def begin(self, task: Callable[[], object]) -> None:
        self._tasks.put(task)

    def join(self) -> None:
        error = self._done.get()
        if error is not None:
            raise error

    def close(self) -> None:
        self._tasks.put(None)

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task()
                self._done.put(None)
            except BaseException as error:
                self._done.put(error)


class InTwoThreads:
    """A contender: what this thread does and what the helper does, for a number of messages."""

    def __init__(self, here: Callable[[int], object], there: Callable[[int], object]) -> None:
        self._here: Final = here
        self._there: Final = there
        self._helper: Final = Helper()

    def time(self, number: int) -> float:
        start = now()
        self._helper.begin(lambda: self._there(number))
        self._here(number)
        self._helper.join()
        return now() - start

    def close(self) -> None:
        self._helper.close()


def port_one_way() -> InTwoThreads:
    near, far = MessageChannel()

    def take(number: int) -> None:
        for _ in range(number):
            far.receive()

    return InTwoThreads(lambda number: _post(near, SMALL, number), take)


def queue_one_way() -> InTwoThreads:
    messages: queue.SimpleQueue[object] = queue.SimpleQueue()

    def put(number: int) -> None:
        for _ in range(number):
            messages.put(loads(dumps(SMALL, 5)))

    def take(number: int) -> None:
        for _ in range(number):
            messages.get()

    return InTwoThreads(put, take)


class ListenerOneWay:
    """A contender: the messages are heard by a 'message' listener, in the library's own thread."""

    def __init__(self) -> None:
        self._near, far = MessageChannel()
        self._left = 0
        self._done: Final = threading.Event()
        self._far: Final = far
        far.on("message", self._hear)
        far.unref()

    def _hear(self, value: object) -> None:
        self._left -= 1
        if not self._left:
            self._done.set()

    def time(self, number: int) -> float:
        self._left = number
        self._done.clear()
        start = now()
        _post(self._near, SMALL, number)
        self._done.wait()
        return now() - start

    def close(self) -> None:
        self._near.close()


def port_ping_pong() -> InTwoThreads:
    near, far = MessageChannel()

    def here(number: int) -> None:
        for _ in range(number):
            near.post_message(SMALL)
            near.receive()

    def there(number: int) -> None:
        for _ in range(number):
            far.post_message(far.receive())

    return InTwoThreads(here, there)


def queue_ping_pong() -> InTwoThreads:
    forth: queue.SimpleQueue[object] = queue.SimpleQueue()
    back: queue.SimpleQueue[object] = queue.SimpleQueue()

    def here(number: int) -> None:
        for _ in range(number):
            forth.put(loads(dumps(SMALL, 5)))
            back.get()

    def there(number: int) -> None:
        for _ in range(number):
            back.put(loads(dumps(forth.get(), 5)))

    return InTwoThreads(here, there)


def port_transferring(size: int) -> InTwoThreads:
    """An ArrayBuffer is moved there and back."""
    near, far = MessageChannel()
    held: list[Any] = [ArrayBuffer(size)]

    def here(number: int) -> None:
        buffer = held[0]
        for _ in range(number):
            near.post_message(buffer, [buffer])
            buffer = near.receive()
        held[0] = buffer

    def there(number: int) -> None:
        for _ in range(number):
            buffer = far.receive()
            far.post_message(buffer, [buffer])

    return InTwoThreads(here, there)


def port_with_bytes(data: bytes) -> InTwoThreads:
    """Bytes there, a word back: one way, but never more than one message on its way."""
    near, far = MessageChannel()

    def here(number: int) -> None:
        for _ in range(number):
            near.post_message(data)
            near.receive()

    def there(number: int) -> None:
        for _ in range(number):
            far.receive()
            far.post_message(None)

    return InTwoThreads(here, there)


class ToLoop:
    """A contender: this thread sends, a coroutine in another thread's loop takes."""

    def __init__(
        self, here: Callable[[int], object], there: Callable[[int], Coroutine[Any, Any, None]]
    ) -> None:
        self._here: Final = here
        self._there: Final = there
        self._loop: Final = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def time(self, number: int) -> float:
        start = now()
        taken: Future[None] = asyncio.run_coroutine_threadsafe(self._there(number), self._loop)
        self._here(number)
        taken.result()
        return now() - start

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)


def port_to_loop() -> ToLoop:
    near, far = MessageChannel()

    async def take(number: int) -> None:
        for _ in range(number):
            await far.receive_async()

    return ToLoop(lambda number: _post(near, SMALL, number), take)


def port_to_loop_listener() -> ToLoop:
    near, far = MessageChannel()

    async def take(number: int) -> None:
        done = asyncio.get_running_loop().create_future()
        left = number

        def hear(value: object) -> None:
            nonlocal left
            left -= 1
            if not left:
                done.set_result(None)

        far.on("message", hear)
        await done
        far.off("message", hear)

    return ToLoop(lambda number: _post(near, SMALL, number), take)


def janus_to_loop(copying: bool) -> ToLoop | None:
    """janus hands over the object itself; *copying* pickles it first.  None if janus is not installed."""
    janus = _peers.find("janus")
    if janus is None:
        return None
    messages: list[Any] = []

    async def open_queue() -> None:
        messages.append(janus.Queue())

    async def take(number: int) -> None:
        get = messages[0].async_q.get
        for _ in range(number):
            await get()

    def put(number: int) -> None:
        send = messages[0].sync_q.put
        if copying:
            for _ in range(number):
                send(loads(dumps(SMALL, 5)))
        else:
            for _ in range(number):
                send(SMALL)

    contender = ToLoop(put, take)
    asyncio.run_coroutine_threadsafe(open_queue(), contender._loop).result()
    return contender


def _post(port: MessagePort, value: object, number: int) -> None:
    for _ in range(number):
        port.post_message(value)

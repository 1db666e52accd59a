"""Request and reply: a request carries its own reply port, so replies cannot be mixed up, lost or forged.

    request  {"type": "transport.request", "value": ..., "reply": port}
    reply    {"value": ...}  or  {"error": an exception}, which arrives as a JSError with the remote traceback

The reply port is private to one request.  Whatever becomes of the request (its receiver dies, closes,
forgets it), the reply port is closed by it, and so the one who waits hears of it at once.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, TypeGuard

from clonecodec import DataCloneError
from transport._listening import current_home, is_async
from transport.channel import MessageChannel
from transport.port import MessagePort

REQUEST: Final = "transport.request"

Handler = Callable[[object], object] | Callable[[object], Awaitable[object]]


def request(port: MessagePort, value: object, timeout: float | None = None) -> object:
    """Send *value* to whoever serves the other side of *port*, and return what he answers.

    Args:
        port: its other side is served by ``serve``.
        value: anything that can be cloned.
        timeout: at most this many seconds; None for as long as it takes.

    Raises:
        DataCloneError: *value* cannot be cloned; nothing was sent.
        JSError: the handler raised; ``.stack`` is its traceback there.
        TimeoutError: no answer in time.
        PortClosedError: the other side closed, died or dropped the request.

    >>> port1, port2 = MessageChannel()
    >>> server = serve(port2, lambda value: value * 2)
    >>> request(port1, 21)
    42
    >>> server.stop()
    """
    with _send(port, value) as replies:
        return _answer(replies.receive(timeout))


async def request_async(port: MessagePort, value: object, timeout: float | None = None) -> object:
    """As ``request``, waiting in the running asyncio loop."""
    import asyncio  # the caller has it

    with _send(port, value) as replies:
        async with asyncio.timeout(timeout):
            return _answer(await replies.receive_async())


def _send(port: MessagePort, value: object) -> MessagePort:
    near, far = MessageChannel()
    try:
        port.post_message({"type": REQUEST, "value": value, "reply": far}, [far])
    except BaseException:
        near.close()
        raise
    return near


def _answer(reply: object) -> object:
    if isinstance(reply, dict):
        error = reply.get("error")
        if isinstance(error, Exception):
            raise error
        if "value" in reply:
            return reply["value"]
    raise TypeError(f"not a reply: {reply!r}")


class Server:
    """What ``serve`` returns: ``stop()`` ends it, and leaves the port open."""

    def __init__(self, port: MessagePort, handler: Handler, concurrency: int) -> None:
        self._port: Final = port
        self._handler: Final = handler
        self._room = concurrency
        self._waiting: Final[deque[dict[str, object]]] = deque()
        self._listener: Final = self._hear_async if is_async(handler) else self._hear
        if is_async(handler) and not current_home().is_loop:
            raise TypeError("an 'async def' handler needs a running asyncio loop: serve inside one")
        port.on("message", self._listener)

    def stop(self) -> None:
        """Take no more requests; those that are being answered are answered."""
        self._port.off("message", self._listener)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _hear(self, message: object) -> None:
        if _is_request(message):
            reply = message["reply"]
            assert isinstance(reply, MessagePort)
            try:
                value = self._handler(message["value"])
            except Exception as error:
                _reply_error(reply, error)
            else:
                _reply(reply, value)

    def _hear_async(self, message: object) -> None:
        if not _is_request(message):
            return
        self._waiting.append(message)
        if self._room > 0:
            self._room -= 1
            current_home().run(self._work())

    async def _work(self) -> None:
        try:
            while self._waiting:
                message = self._waiting.popleft()
                reply = message["reply"]
                assert isinstance(reply, MessagePort)
                try:
                    answer = self._handler(message["value"])
                    assert isinstance(answer, Awaitable)
                    value = await answer
                except Exception as error:
                    _reply_error(reply, error)
                except BaseException:  # the loop ends: the one who waits hears it from the port
                    reply.close()
                    raise
                else:
                    _reply(reply, value)
        finally:
            self._room += 1


def _is_request(message: object) -> TypeGuard[dict[str, object]]:
    return (
        isinstance(message, dict)
        and message.get("type") == REQUEST
        and "value" in message
        and isinstance(message.get("reply"), MessagePort)
    )


def _reply(reply: MessagePort, value: object) -> None:
    with reply:
        try:
            reply.post_message({"value": value})
        except DataCloneError as error:
            _reply_error(reply, error)


def _reply_error(reply: MessagePort, error: Exception) -> None:
    with reply, contextlib.suppress(DataCloneError):
        reply.post_message({"error": error})


def serve(port: MessagePort, handler: Handler, *, concurrency: int = 1) -> Server:
    """Answer the requests that arrive at *port* with what *handler* returns for their values.

    Like any listener, a plain function runs in the loop that is running now, or in the dispatcher; an
    ``async def`` one in the loop, one request at a time unless *concurrency* says how many.  What it raises
    is raised again at the one who asked. Messages that are no requests are ignored.

    Raises:
        TypeError: *handler* is ``async def``, and no loop is running.
        ValueError: *concurrency* is less than 1.
    """
    if concurrency < 1:
        raise ValueError("concurrency is 1 or more")
    return Server(port, handler, concurrency)

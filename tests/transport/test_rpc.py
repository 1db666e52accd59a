"""Request and reply over a private port."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from clonecodec import ArrayBuffer, DataCloneError, JSError
from tests.transport.settling import quiet, until
from transport import MessageChannel, PortClosedError, request, request_async, serve


def test_a_request_is_answered_with_what_the_handler_returns() -> None:
    client, server = MessageChannel()

    with serve(server, lambda value: [value, value]):
        assert request(client, {"x": 1}, 5) == [{"x": 1}, {"x": 1}]
        assert request(client, None, 5) == [None, None]


def test_an_error_of_the_handler_is_raised_at_the_one_who_asked_with_the_remote_traceback() -> None:
    client, server = MessageChannel()

    def handler(value: object) -> object:
        raise IndexError("no such thing")

    with serve(server, handler), pytest.raises(JSError) as caught:
        request(client, 1, 5)

    assert caught.value.message == "no such thing"
    assert "in handler" in str(caught.value.stack)


def test_an_answer_that_cannot_be_cloned_is_an_error_there() -> None:
    client, server = MessageChannel()

    with serve(server, lambda value: lambda: value), pytest.raises(JSError, match="clone"):
        request(client, 1, 5)


def test_a_request_that_cannot_be_cloned_is_refused_here() -> None:
    client, _server = MessageChannel()

    with pytest.raises(DataCloneError):
        request(client, lambda: 1)


def test_a_request_times_out() -> None:
    client, _server = MessageChannel()
    before = time.monotonic()

    with pytest.raises(TimeoutError):
        request(client, 1, 0.05)

    assert time.monotonic() - before < 5


def test_a_request_fails_at_once_when_the_peer_closes() -> None:
    client, server = MessageChannel()
    timer = threading.Timer(0.05, server.close)
    timer.start()

    with pytest.raises(PortClosedError):
        request(client, 1, 30)
    timer.join()


def test_a_request_fails_at_once_when_the_peer_is_closed_already() -> None:
    client, server = MessageChannel()
    server.close()

    with pytest.raises(PortClosedError):
        request(client, 1, 30)


def test_a_request_fails_at_once_when_a_listener_forgets_it() -> None:
    client, server = MessageChannel()
    server.on("message", lambda message: None)

    with pytest.raises(PortClosedError):
        request(client, 1, 30)
    server.close()


def test_what_is_no_request_is_ignored() -> None:
    client, server = MessageChannel()

    with serve(server, lambda value: value):
        client.post_message("hello")
        client.post_message({"type": "transport.request", "value": 1})
        assert request(client, 2, 5) == 2


def test_stop_leaves_the_port_open_and_the_requests_queued() -> None:
    client, server = MessageChannel()
    first = serve(server, lambda value: "first")
    assert request(client, 1, 5) == "first"
    first.stop()
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(request(client, 2, 10)))
    thread.start()
    quiet()

    with serve(server, lambda value: "second"):
        thread.join(10)

    assert answers == ["second"]


def test_many_threads_may_ask_at_once() -> None:
    client, server = MessageChannel()
    answers: list[object] = []

    def ask(n: int) -> None:
        answers.append(request(client, n, 10))

    with serve(server, lambda value: value):
        threads = [threading.Thread(target=ask, args=(n,)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

    assert sorted(answers) == list(range(20))  # type: ignore[type-var]


def test_a_buffer_in_an_answer_arrives() -> None:
    client, server = MessageChannel()

    with serve(server, lambda value: ArrayBuffer(b"abc")):
        answer = request(client, 1, 5)

    assert isinstance(answer, ArrayBuffer)
    assert bytes(answer) == b"abc"


@pytest.mark.parametrize("concurrency", [1, 3])
def test_async_requests_are_handled_one_at_a_time_unless_told_otherwise(concurrency: int) -> None:
    client, server = MessageChannel()
    running, most = 0, 0

    async def handler(value: object) -> object:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return value

    async def main() -> list[object]:
        with serve(server, handler, concurrency=concurrency):
            return await asyncio.gather(*(request_async(client, n, 10) for n in range(6)))

    assert asyncio.run(main()) == list(range(6))
    assert most == concurrency


def test_an_async_request_fails_like_any_other() -> None:
    client, server = MessageChannel()

    async def handler(value: object) -> object:
        raise ValueError(value)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await request_async(client, 0, 0.02)
        with serve(server, handler), pytest.raises(JSError, match="1"):
            await request_async(client, 1, 5)
        server.close()
        with pytest.raises(PortClosedError):
            await request_async(client, 2, 5)

    asyncio.run(main())


def test_an_async_handler_needs_a_loop_and_concurrency_is_a_number_of_them() -> None:
    _client, server = MessageChannel()

    async def handler(value: object) -> object:
        return value

    with pytest.raises(TypeError, match="loop"):
        serve(server, handler)
    with pytest.raises(ValueError, match="concurrency"):
        serve(server, handler, concurrency=0)


def test_a_reply_port_is_closed_when_the_answer_has_come() -> None:
    client, server = MessageChannel()
    replies: list[object] = []

    def listener(message: object) -> None:
        assert isinstance(message, dict)
        replies.append(message["reply"])
        message["reply"].post_message({"value": 1})

    server.on("message", listener)

    assert request(client, 0, 5) == 1
    until(lambda: replies[0].closed)  # type: ignore[attr-defined]
    server.close()


def test_a_reply_that_is_none_is_a_type_error() -> None:
    port1, port2 = MessageChannel()

    def forge(message: Any) -> None:
        message["reply"].post_message("forged")

    port2.on("message", forge)

    with pytest.raises(TypeError, match="not a reply"):
        request(port1, 1, timeout=5)


def test_an_async_server_ignores_what_is_no_request_and_closes_replies_when_its_loop_ends() -> None:
    port1, port2 = MessageChannel()
    begun = threading.Event()
    failed: list[BaseException] = []

    async def handler(value: object) -> None:
        begun.set()
        await asyncio.sleep(60)

    def ask() -> None:
        try:
            request(port1, 1, timeout=20)
        except BaseException as error:
            failed.append(error)

    async def main() -> None:
        serve(port2, handler)
        port1.post_message("no request")
        asker.start()
        while not begun.is_set():
            await asyncio.sleep(0.01)

    asker = threading.Thread(target=ask)
    asyncio.run(main())
    asker.join(10)

    assert [type(error) for error in failed] == [PortClosedError]

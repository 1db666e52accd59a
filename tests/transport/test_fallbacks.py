"""Where the platform has less: no epoll, no eventfd; and threads that cannot be started any more."""

from __future__ import annotations

import asyncio
import sys

import pytest

from clonecodec import ArrayBuffer, DecodeError
from tests.transport.settling import until
from tests.transport.test_program import run
from transport import MessageChannel
from transport._poller import Poller

WITHOUT = """
    import os, select, signal, socket
    del select.epoll, os.eventfd
    import asyncio, transport
    from transport import MessageChannel
"""


@pytest.mark.parametrize("backend", ["process", "socket"])
def test_without_epoll_all_who_listen_hear(backend: str) -> None:
    code, out, err = run(
        WITHOUT
        + f"""
    heard = []
    one, two = MessageChannel({backend!r})
    one.on("message", heard.append)                       # the dispatcher
    two.post_message("dispatcher")
    while not heard: pass
    one.remove_all_listeners()
    two.post_message("by hand")
    heard.append(one.receive(5))                          # a thread

    async def main():
        over = asyncio.Event()
        one.on("message", lambda value: (heard.append(value), over.set()))
        two.post_message("loop")                          # the I/O thread reads for it
        await asyncio.wait_for(over.wait(), 5)
        one.remove_all_listeners()
        two.post_message("await")
        heard.append(await asyncio.wait_for(one.receive_async(), 5))

    asyncio.run(main())
    for _ in range(40):                                   # more than goes into a socket
        two.post_message(b"x" * 1_000_000)
    print(heard, sum(len(one.receive(5)) for _ in range(40)))
    one.close()
    try:
        two.receive(5)
    except transport.PortClosedError:
        print("closed")
    """
    )

    assert (code, out, err) == (0, "['dispatcher', 'by hand', 'loop', 'await'] 40000000\nclosed\n", "")


def test_a_poller_goes_on_when_a_descriptor_has_been_closed_under_it() -> None:
    import socket

    poller = Poller()
    one, two = socket.socketpair()
    heard: list[str] = []
    poller.on_readable(one.fileno(), lambda: heard.append("read"))
    poller.on_writable(one.fileno(), lambda: heard.append("written"))
    two.send(b"x")
    poller.wait(1)
    assert (sorted(set(heard)), len(poller)) == (["read", "written"], 2)
    fd = one.fileno()
    one.close()

    poller.on_readable(fd, None)
    poller.on_writable(fd, None)

    poller.wait(0)
    assert len(poller) == 0
    poller.close()
    two.close()


def test_a_poller_hears_of_the_descriptor_that_has_the_number_now() -> None:
    import os

    poller = Poller()
    old, new = os.pipe(), os.pipe()
    heard: list[str] = []
    poller.on_readable(old[0], lambda: heard.append("old"))
    os.dup2(new[0], old[0])  # closes the old one, and takes its number

    poller.on_readable(old[0], lambda: heard.append("new"))
    os.write(new[1], b"x")
    poller.wait(1)

    assert heard == ["new"]
    poller.close()
    for fd in (*old, *new):
        os.close(fd)


def test_what_a_loop_that_has_closed_was_to_run_waits_for_the_next_listener() -> None:
    one, two = MessageChannel()
    loop = asyncio.new_event_loop()

    async def attach() -> None:
        one.on("message", lambda value: None)
        one.on("close", lambda: None)

    loop.run_until_complete(attach())
    loop.close()
    heard: list[object] = []

    two.post_message("late")
    two.close()

    assert not one.has_ref()
    one.remove_all_listeners()
    one.on("close", lambda: heard.append("close"))
    one.on("message", heard.append)
    until(lambda: heard == ["late", "close"])


def test_at_the_end_of_a_program_no_thread_can_be_started_and_nothing_breaks() -> None:
    code, out, err = run(
        """
        import atexit, threading

        class Late(threading.Thread):
            def start(self):
                raise RuntimeError("can't start new thread")

        @atexit.register
        def late():
            threading.Thread = Late         # as CPython 3.12 has it by now
            import transport
            one, two = transport.MessageChannel()
            one.on("message", print)
            two.post_message("nobody hears it")
            print(one.has_ref(), transport.wait(0.01))
            two.close()
            print(one.closed)
        """
    )

    assert (code, out, err) == (0, "True False\nFalse\n", "")


def test_a_listener_that_is_interrupted_leaves_the_rest_to_the_next_turn() -> None:
    one, two = MessageChannel()
    heard: list[object] = []

    def listener(value: object) -> None:
        heard.append(value)
        if value == 1:
            raise SystemExit(3)

    async def main() -> None:
        one.on("message", listener)
        for i in range(4):
            two.post_message(i)
        await asyncio.sleep(1)

    loop = asyncio.new_event_loop()
    with pytest.raises(SystemExit):
        loop.run_until_complete(main())

    loop.run_until_complete(asyncio.sleep(0.05))
    assert heard == [0, 1, 2, 3]
    one.close()
    loop.run_until_complete(asyncio.sleep(0.05))
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def test_where_mmap_cannot_be_loaded_a_buffer_is_a_decode_error(monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = MessageChannel("process")
    buffer = ArrayBuffer(5000, movable=True)
    near.post_message(buffer, [buffer])
    near.post_message("next")

    monkeypatch.setitem(sys.modules, "mmap", None)  # as where no descriptor is left to open its file

    with pytest.raises(DecodeError, match="of no use"):
        far.receive(5)
    assert far.receive(5) == "next"

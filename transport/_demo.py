"""What ports can do that is hard elsewhere, shown: the work of ``python -m transport demo``.

What is called a worker in here runs in another process.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Literal

from clonecodec import ArrayBuffer
from transport._keeper import wait
from transport.channel import MessageChannel
from transport.errors import PortClosedError
from transport.port import MessagePort
from transport.socket import connect, listen
from transport.worker import Worker, parent_port

PATIENCE: Final = 30.0
"""Seconds for a child to start."""

BACKENDS: Final[tuple[Literal["thread", "process", "socket"], ...]] = ("thread", "process", "socket")


def say(text: str = "") -> None:
    """A line, at once: children write too."""
    print(text, flush=True)


def demo() -> None:
    """The documentation's example, and four things that are hard elsewhere."""
    say("The example of Node's documentation:")
    for backend in BACKENDS:
        example(backend)
    say("\nA port sent through a port, to another process and back:")
    port_through_a_port()
    say("\nA 64 MiB ArrayBuffer handed to another process:")
    buffer_to_a_process()
    say("\nA peer that is killed:")
    killed_peer()
    say("\nTwo processes, one TCP connection with a secret, a channel on it for each port:")
    over_tcp()


def example(backend: Literal["thread", "process", "socket"]) -> None:
    """``port1.on('message', ...); port2.postMessage({ foo: 'bar' });``"""
    try:
        channel = MessageChannel(backend)
    except NotImplementedError as error:
        say(f"  {backend:8} {error}")
        return
    done: list[bool] = []

    @channel.port1.on("message")
    def received(message: object) -> None:
        say(f"  {backend:8} received {message}")
        channel.port1.close()

    channel.port1.on("close", lambda: done.append(True))
    channel.port2.post_message({"foo": "bar"})
    wait(timeout=PATIENCE)
    assert done


def inside() -> MessagePort:
    """The port to the one who started this worker."""
    port = parent_port()
    assert port is not None
    return port


def send_back() -> None:
    """A worker that sends each port that it gets back, after a word on it."""
    port = inside()
    for value in port:
        assert isinstance(value, MessagePort)
        value.post_message(f"hello from process {os.getpid()}")
        port.post_message(value, [value])


@contextmanager
def worker(target: Callable[[], None]) -> Iterator[Worker]:
    """A process that runs *target*, terminated in the end."""
    with Worker(target, backend="process") as started:
        try:
            yield started
        finally:
            started.terminate()


def next_message(started: Worker) -> Callable[[], object]:
    """A function that returns what *started* posts, one after the other."""
    heard, told = MessageChannel()

    @started.on("message")
    def pass_on(value: object) -> None:
        told.post_message(value, [value] if isinstance(value, (MessagePort, ArrayBuffer)) else [])

    return lambda: heard.receive(PATIENCE)


def port_through_a_port() -> None:
    with worker(send_back) as started:
        receive = next_message(started)
        mine, travels = MessageChannel()
        mine.post_message("queued before it left")
        started.post_message(travels, [travels])
        say(f"  process {os.getpid()} heard: {mine.receive(PATIENCE)}")
        back = receive()
        assert isinstance(back, MessagePort)
        mine.post_message("posted after it came back")
        say(f"  the port that came back has: {back.receive(5)!r}, {back.receive(5)!r}")
        mine.close()


def touch_buffers() -> None:
    """A worker that changes a byte in each buffer and hands it back."""
    port = inside()
    for value in port:
        assert isinstance(value, ArrayBuffer)
        with value.view() as octets:
            octets[0] += 1
        port.post_message(value, [value])


def buffer_to_a_process() -> None:
    with worker(touch_buffers) as started:
        receive = next_message(started)
        for movable in (True, False):
            try:
                buffer = ArrayBuffer(64 << 20, movable=movable)
            except NotImplementedError as error:
                say(f"  {error}")
                continue
            best = float("inf")
            for _ in range(5):
                start = time.perf_counter()
                started.post_message(buffer, [buffer])
                assert buffer.detached
                returned = receive()
                best = min(best, time.perf_counter() - start)
                assert isinstance(returned, ArrayBuffer)
                buffer = returned
            with buffer.view() as octets:
                assert octets[0] == 5
            say(f"  movable={movable!s:5}  there and back in {best * 1e6:,.0f} µs, detached here meanwhile")


def linger() -> None:
    """A worker that says who it is, and waits to be killed."""
    inside().post_message(os.getpid())
    time.sleep(600)


def killed_peer() -> None:
    near, far = MessageChannel("process")
    with Worker(keep, far, backend="process", transfer_list=[far]) as started:
        pid = near.receive(PATIENCE)
        assert isinstance(pid, int)
        os.kill(pid, signal.SIGKILL)
        start = time.perf_counter()
        try:
            near.receive(PATIENCE)
        except PortClosedError as error:
            say(f"  heard after {(time.perf_counter() - start) * 1e3:.1f} ms: {error}")
        started.terminate()


def keep(port: MessagePort) -> None:
    """A worker with a port of its own."""
    port.post_message(os.getpid())
    time.sleep(600)


def answer(url: str) -> None:
    """A worker that connects, and answers on each channel that it is sent."""
    with connect(url, secret="correct horse battery staple") as port:
        for value in port:
            if isinstance(value, MessagePort):
                value.post_message("this is a channel of its own")


def over_tcp() -> None:
    with (
        listen("tcp://127.0.0.1:0", secret="correct horse battery staple") as listener,
        Worker(answer, listener.url, backend="process") as started,
    ):
        port = listener.accept(PATIENCE)
        ours, theirs = MessageChannel()
        port.post_message(theirs, [theirs])
        say(f"  {listener.url}: {ours.receive(PATIENCE)}")
        ours.close()
        port.close()
        started.join(PATIENCE)

"""What runs in the children of the tests: importable functions."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import time
from typing import cast

import transport
from tests.transport.links import process_link
from transport import MessageChannel, MessagePort


def echo(port: MessagePort) -> None:
    for value in port:
        port.post_message(value)


def worker_echo(*args: object) -> None:
    port = transport.parent_port()
    assert port is not None
    port.post_message({"args": list(args), "data": transport.worker_data(), "pid": os.getpid()})
    port.on("message", port.post_message)


def worker_fail(text: str) -> None:
    port = transport.parent_port()
    assert port is not None
    port.post_message("before")
    raise IndexError(text)


def worker_leave(code: int) -> None:
    port = transport.parent_port()
    assert port is not None
    port.post_message("last words")
    sys.exit(code)


def worker_sleep() -> None:
    port = transport.parent_port()
    assert port is not None
    port.post_message("asleep")
    while True:
        time.sleep(0.01)


def hang(port: MessagePort) -> None:
    """Say who one is, and do nothing any more."""
    port.post_message(os.getpid())
    time.sleep(60)


def hang_with_a_port_in_a_message(port: MessagePort) -> None:
    """Leave the port that comes in a message between threads; fork, tell the fork's pid, and hang."""
    held = cast(MessagePort, port.receive(20))
    near, far = MessageChannel()
    near.post_message(held, [held])
    forked = os.fork()
    if forked:
        port.post_message(forked)
    time.sleep(60)
    del far


def post_and_leave(port: MessagePort, count: int) -> None:
    """A normal exit, right behind what was posted."""
    for i in range(count):
        port.post_message(i)
    port.post_message(b"x" * 1_000_000)


def leave_unread(port: MessagePort) -> None:
    """A normal exit, with messages that were never read."""
    port.post_message("ready")
    port.on("close", lambda: None)


def raise_early(port: MessagePort) -> None:
    raise SystemExit(7)


def fill_shared(port: MessagePort) -> None:
    message = port.receive()
    assert isinstance(message, dict)
    message["shared"].view()[0] = 7
    moved = message["moved"]
    moved.view()[0] = 8
    port.post_message([message["shared"] is message["again"], moved], [moved])


def pass_on(port: MessagePort, to: MessagePort) -> None:
    """Send *port* on, in mid-flood."""
    got = [port.receive() for _ in range(100)]
    to.post_message({"got": got, "port": port}, [port])
    to.receive()


def broadcast(name: str) -> None:
    """A worker that hears and posts on a BroadcastChannel."""
    port = transport.parent_port()
    assert port is not None
    channel = transport.BroadcastChannel(name)

    def hear(value: object) -> None:
        port.post_message(["heard", value])
        channel.post_message("from the worker")
        channel.close()

    channel.on("message", hear)
    port.post_message("listening")


async def worker_async(value: object) -> None:
    port = transport.parent_port()
    assert port is not None
    port.post_message([value, await port.receive_async()])


def worker_data_ports() -> None:
    data = transport.worker_data()
    assert isinstance(data, dict)
    port: MessagePort = data["port"]
    port.post_message("from worker data")
    port.receive()


class OddError(Exception):
    """Its text cannot be had twice."""

    def __init__(self) -> None:
        super().__init__("odd")
        self.asked = 0

    def __str__(self) -> str:
        self.asked += 1
        if self.asked == 1:
            raise ZeroDivisionError("of its own")
        return "odd"


def worker_unclonable() -> None:
    raise OddError


def worker_receives() -> None:
    port = transport.parent_port()
    assert port is not None
    port.post_message("waiting")
    port.receive()


def worker_lives_on() -> None:
    """It returns, and its listener keeps it alive until the parent says so."""
    port = transport.parent_port()
    assert port is not None

    def hear(value: object) -> None:
        port.post_message(["still here", value])
        if value == "end":
            port.unref()

    port.on("message", hear)


def first_of_port(port: MessagePort) -> None:
    message = port.receive()
    assert isinstance(message, dict)
    port.post_message([len(message["big"]), message["port"].receive()])


def collect_and_report(port: MessagePort, to: MessagePort) -> None:
    values = [len(value) if isinstance(value, memoryview) else value for value in port]
    reason = port.close_reason
    to.post_message([*values, None if reason is None else reason.name])


def hear_the_end(port: MessagePort, to: MessagePort) -> None:
    port.post_message("ready")
    for _ in port:
        pass
    reason = port.close_reason
    to.post_message(None if reason is None else reason.name)


def parent_to_be_killed(port: MessagePort) -> None:
    """Have a child of one's own, and die."""
    near, far = transport.MessageChannel("process")
    report, report_far = transport.MessageChannel("process")
    port.post_message(report, [report])
    context = multiprocessing.get_context("fork")
    context.Process(target=hear_the_end, args=(far, report_far)).start()
    near.receive()
    os.kill(os.getpid(), signal.SIGKILL)


def worker_listens() -> None:
    """Its listeners know whose they are: in the dispatcher, and on a port of its own."""
    port = transport.parent_port()
    assert port is not None
    own, other = transport.MessageChannel()

    def hear(value: object) -> None:
        port.post_message([value, transport.parent_port() is port, transport.worker_data()])
        if value == "end":
            port.close()
            own.close()

    port.on("message", hear)
    own.on("message", hear)
    other.post_message("own")
    transport.wait()


async def worker_listens_async() -> None:
    port = transport.parent_port()
    assert port is not None

    async def hear(value: object) -> None:
        port.post_message([value, transport.parent_port() is port, transport.worker_data()])
        if value == "end":
            port.close()

    port.on("message", hear)
    await transport.drain()


async def worker_sleeps_in_a_loop() -> None:
    port = transport.parent_port()
    assert port is not None
    port.post_message("asleep")
    await asyncio.sleep(60)


def worker_in_c(seconds: float) -> None:
    """Nothing can end a thread that is there."""
    port = transport.parent_port()
    assert port is not None
    port.post_message("asleep")
    time.sleep(seconds)


def worker_keeps_ports(leaves: bool) -> None:
    """It sends one end of a channel of its own, and listens on the other and on what it was given."""
    port, given = transport.parent_port(), transport.worker_data()
    assert port is not None and isinstance(given, MessagePort)
    own, other = transport.MessageChannel()
    port.post_message(other, [other])
    for mine in (own, given):
        mine.on("message", lambda value: None)
    if leaves:
        sys.exit(0)
    port.on("message", lambda value: None)


def worker_starts_another() -> None:
    port = transport.parent_port()
    assert port is not None
    worker = transport.Worker(worker_echo)
    worker.once("message", lambda value: port.post_message("it runs"))
    worker.on("exit", lambda code: print("nobody hears it"))


def worker_sends_what_cannot_be_read() -> None:
    port = transport.parent_port()
    assert port is not None
    if port._end.link.backend == "process":
        process_link(port).post_raw(b"no message")
    port.post_message("next")
    port.receive()

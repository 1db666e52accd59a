"""Load: many ports, many messages, many children, and nothing left when they are over.

CLONECODEC_SOAK=1     10,000 ports, 1,000,000 messages, 1,000 children of each kind (make soak)
otherwise             as much of it as a second or two take
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import pytest

from tests.transport.children import echo, worker_echo
from tests.transport.settling import collect, quiet, until
from transport import MessageChannel, MessagePort, Worker, connect, listen

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts what stands in /proc")

SOAK: Final = os.environ.get("CLONECODEC_SOAK") == "1"
PORTS: Final = 10_000 if SOAK else 1_000
MESSAGES: Final = 1_000_000 if SOAK else 20_000
CHILDREN: Final = 1_000 if SOAK else 4
SLACK: Final = 6 << 20
"""Bytes by which the process may grow, as allocators do: a few for each of a million messages."""

Backend = Literal["thread", "process", "socket"]
BACKENDS: Final[tuple[Backend, ...]] = ("thread", "process", "socket")


def memory() -> int:
    """Bytes of this process that are in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - no Path for each of ten thousand


def warm_up(backend: Backend) -> None:
    """What the library opens once, and keeps, is opened: pollers, a sleeper for this thread."""
    near, far = MessageChannel(backend)
    near.post_message(1)
    assert far.receive(10) == 1
    heard: list[object] = []
    far.on("message", heard.append)
    near.post_message(2)
    until(lambda: heard)
    near.close()
    until(lambda: far.closed)


@contextmanager
def nothing_left() -> Iterator[None]:
    """What is opened within is closed, and ends, when it is over."""
    for backend in BACKENDS:
        warm_up(backend)
    quiet(0.3)
    collect()
    before = descriptors(), threading.active_count()
    yield
    until(lambda: collect() and (descriptors(), threading.active_count()) <= before, f"{before} became more")


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """As many as the machine allows; the library itself never raises its limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_descriptors")
@pytest.mark.parametrize("backend", ["thread", "process"])
@nothing_left()
def test_thousands_of_ports_are_open_at_once_and_each_hears_its_own(backend: Backend) -> None:
    channels = [MessageChannel(backend) for _ in range(PORTS // 2)]
    heard: dict[int, object] = {}
    closed: list[int] = []
    for index, (near, far) in enumerate(channels):
        far.on("message", lambda value, index=index: heard.__setitem__(index, value))
        far.on("close", lambda index=index: closed.append(index))
        near.post_message(index)

    until(lambda: len(heard) == len(channels))
    assert all(index == value for index, value in heard.items())

    for near, _ in channels:
        near.close()
    until(lambda: len(closed) == len(channels))
    assert sorted(closed) == list(range(len(channels)))


def share_one_connection(count: int) -> None:
    with listen("tcp://127.0.0.1:0") as listener, connect(listener.url) as client:
        server = listener.accept(5)
        kept = descriptors()
        mine: list[MessagePort] = []
        theirs: list[MessagePort] = []
        for index in range(count):
            near, far = MessageChannel()
            client.post_message(far, [far])
            moved = server.receive(10)
            assert isinstance(moved, MessagePort)
            near.post_message(index)
            mine.append(near)
            theirs.append(moved)

        assert [port.receive(10) for port in theirs] == list(range(len(theirs)))
        assert descriptors() <= kept + 8, "a channel costs no descriptor"
        for port in mine:
            port.close()
        assert [list(port) for port in theirs] == [[]] * len(theirs)
        server.close()


def test_thousands_of_ports_share_one_connection() -> None:
    share_one_connection(1)
    with nothing_left():
        share_one_connection(PORTS // 2)


@pytest.mark.parametrize("receiving", ["receive", "on"])
@pytest.mark.parametrize("backend", BACKENDS)
@nothing_left()
def test_many_messages_leave_nothing_behind(backend: Backend, receiving: str) -> None:
    near, far = MessageChannel(backend)
    near.set_high_water_mark(1 << 20, "block")
    wrong: list[object] = []
    count = 0

    def take(value: object) -> None:
        nonlocal count
        if value != {"number": count, "text": "some text"}:
            wrong.append(value)
        count += 1

    def post(first: int, last: int) -> None:
        for number in range(first, last):
            near.post_message({"number": number, "text": "some text"})

    def some(first: int, last: int) -> None:
        poster = threading.Thread(target=post, args=(first, last))
        poster.start()
        if receiving == "receive":
            for _ in range(first, last):
                take(far.receive(30))
        poster.join()
        until(lambda: count == last)

    if receiving == "on":
        far.on("message", take)
    warm = MESSAGES // 10
    some(0, warm)
    before = memory()
    some(warm, MESSAGES)

    assert wrong == []
    assert memory() - before < SLACK
    near.close()
    until(lambda: far.closed)


def worker(index: int) -> None:
    with Worker(worker_echo, index, backend="process") as worker:
        heard: list[object] = []
        worker.on("message", heard.append)
        worker.post_message(index)
        until(lambda: len(heard) == 2)
        assert heard[1] == index
    worker.join(10)


def forked(index: int) -> None:
    near, far = MessageChannel("process")
    child = multiprocessing.get_context("fork").Process(target=echo, args=(far,))
    child.start()
    near.post_message(index)
    assert near.receive(30) == index
    near.close()
    child.join(10)
    assert child.exitcode == 0
    child.close()
    far.close()


@pytest.mark.parametrize("child", [worker, forked])
def test_children_one_after_another_leave_nothing_behind(child: Callable[[int], None]) -> None:
    child(0)
    with nothing_left():
        before = 0
        for index in range(CHILDREN):
            child(index)
            if index == CHILDREN // 10:
                before = memory()
    assert memory() - before < SLACK

"""Messages a second on each backend: the work of ``python -m transport bench``.

For a glance at one machine.  The comparisons with other libraries are in ``bench/``.
"""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from clonecodec import accelerated
from transport.channel import MessageChannel
from transport.port import MessagePort
from transport.socket import connect, listen
from transport.worker import Worker

PATIENCE: Final = 30.0
"""Seconds for a child to start."""

SMALL: Final = {"type": "msg", "id": 42, "name": "hello", "data": [1, 2, 3]}
BIG: Final = bytes(1 << 20)

Way = Literal["thread", "process", "unix", "tcp"]
WAYS: Final[tuple[Way, ...]] = ("thread", "process", "unix", "tcp")


def sink(port: MessagePort) -> None:
    """The other side of what is measured: does what it is told, until the port closes."""
    for order in port:
        assert isinstance(order, dict)
        for _ in range(order["count"]):
            value = port.receive()
            if order["echo"]:
                port.post_message(value)
        port.post_message("done")


def sink_at(url: str) -> None:
    """The same, over a connection."""
    sink(connect(url))


@contextmanager
def far_side(way: Way) -> Iterator[MessagePort]:
    """A port whose other side runs ``sink``: in a thread, in a process, in a process over a socket."""
    if way == "tcp" or way == "unix":
        with tempfile.TemporaryDirectory() as folder:
            with listen("tcp://127.0.0.1:0" if way == "tcp" else f"unix://{folder}/port") as listener:
                started = Worker(sink_at, listener.url, backend="process")
                port = listener.accept(PATIENCE)
            yield port
            port.close()
            started.join(PATIENCE)
        return
    near, far = MessageChannel(way)
    started = Worker(sink, far, backend=way, transfer_list=[far])
    yield near
    near.close()
    started.join(PATIENCE)


def timed(port: MessagePort, value: object, count: int, *, echo: bool) -> float:
    """Seconds for *count* messages to be taken, or sent back."""
    port.post_message({"count": count, "echo": echo})
    start = time.perf_counter()
    for _ in range(count):
        port.post_message(value)
        if echo:
            port.receive()
    port.receive()
    return time.perf_counter() - start


def rate(port: MessagePort, value: object, seconds: float, *, echo: bool) -> float:
    """Messages a second: the best of three rounds."""
    count = 8
    while (taken := timed(port, value, count, echo=echo)) < seconds / 12:
        count *= 2
    return count / min(taken, *(timed(port, value, count, echo=echo) for _ in range(2)))


def measure(seconds: float) -> None:
    """Print a table."""
    codec = "C" if accelerated else "Python"
    print(f"Python {platform.python_version()}, codec in {codec}; messages a second, best of three\n")
    print(f"{'':10}{'one way':>12}{'there+back':>12}{'1 MiB bytes':>14}")
    for way in WAYS:
        try:
            with far_side(way) as port:
                figures = [
                    rate(port, SMALL, seconds, echo=False),
                    rate(port, SMALL, seconds, echo=True),
                    rate(port, BIG, seconds, echo=False),
                ]
        except NotImplementedError as error:
            print(f"{way:10}{error}")
            continue
        print(f"{way:10}{figures[0]:12,.0f}{figures[1]:12,.0f}{figures[2]:14,.0f}")

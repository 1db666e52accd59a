"""Ports between threads, processes and hosts, beside what Python has for it, and Node.

Every row is measured twice, in processes of their own: with both ends on one core, and free to use them all.
A rate "at least 1.3 times the peer's" stands as a time at most 0.769 of it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import transport
from bench import _child, _node, _peers, _processes, _threads
from bench._measure import Call, Contender, Effort, minima
from bench._node import NodeCall
from bench._payloads import MIB, SMALL
from bench._rows import OURS, Goal, Row, times_as_fast

QUEUE: Final = "SimpleQueue+pickle"
STREAMS: Final = "asyncio streams+pickle"
ZMQ: Final = "pyzmq+pickle"
PIPE: Final = "Pipe"
SIZE: Final = 16 * MIB
"""Of what is transferred."""

Make = Callable[[], Any]


class AbsentError(Exception):
    """A contender that cannot take part; the message says why."""


def measure(effort: Effort, scale: float = 1.0, timeout: float = _child.TIMEOUT) -> Iterator[Row]:
    for placement in ("free", "one core"):
        yield from _child.run("bench.ports", effort, placement, str(scale), timeout=timeout)


def _measure(effort: Effort, placement: str, scale: float) -> Iterator[Row]:
    if placement == "one core":
        if not hasattr(os, "sched_setaffinity"):
            yield Row("ports", "all, one core", {}, absent={OURS: "this system pins no process to a core"})
            return
        # What is started from here on inherits it, Node and the other ends too.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    # What goes one way ends with a word back, whose time is to vanish among that of the messages.
    longer = replace(effort, batch=effort.batch * 4)
    for table, rows in (
        ("between threads", _between_threads),
        ("from a thread to asyncio", _to_a_loop),
        ("between processes", _between_processes),
        ("between processes", _handing_over),
        ("over TCP", _over_sockets),
    ):
        for row in rows(longer, scale):
            yield replace(row, table=table, name=f"{row.name}, {placement}")


def _between_threads(effort: Effort, scale: float) -> Iterator[Row]:
    with _node.running() as node:

        def in_node() -> NodeCall:
            if node is None:
                raise AbsentError(_node.NONE)
            node.load("small", SMALL, as_json=True)
            return NodeCall(node, "channel", "small")

        goals = (times_as_fast(1.3, QUEUE), times_as_fast(1.3, "Node"))
        peers: dict[str, Make] = {QUEUE: _threads.queue_one_way, "Node": in_node}
        yield _row("small one way, receive()", {OURS: _threads.port_one_way, **peers}, goals, effort)
        yield _row("small one way, listener", {OURS: _threads.ListenerOneWay, **peers}, goals, effort)
    makers = {OURS: _threads.port_ping_pong, QUEUE: _threads.queue_ping_pong}
    yield _row("small ping-pong", makers, (Goal(QUEUE, 1.2),), effort)
    size = _scaled(SIZE, scale)
    yield _row(
        "16 MiB ArrayBuffer transferred, round trip",
        {OURS: lambda: _threads.port_transferring(size)},
        (Goal(None, 40e-6),),
        effort,
    )
    data = os.urandom(size)
    posting: dict[str, Make] = {
        OURS: lambda: _threads.port_with_bytes(data),
        "memcpy": lambda: Call("bytes(m)", m=memoryview(data)),
    }
    yield _row("16 MiB bytes", posting, (Goal("memcpy", 0.05),), effort)


def _to_a_loop(effort: Effort, scale: float) -> Iterator[Row]:
    def janus(copying: bool) -> _threads.ToLoop:
        contender = _threads.janus_to_loop(copying)
        if contender is None:
            raise AbsentError(_peers.NOT_INSTALLED)
        return contender

    peers: dict[str, Make] = {"janus": lambda: janus(False), "janus+pickle": lambda: janus(True)}
    goals = (times_as_fast(1.5, "janus"),)
    receiving = {OURS: _threads.port_to_loop, **peers}
    listening = {OURS: _threads.port_to_loop_listener, **peers}
    yield _row("small one way, receive_async()", receiving, goals, effort)
    yield _row("small one way, listener", listening, goals, effort)


def _between_processes(effort: Effort, scale: float) -> Iterator[Row]:
    with _ends({OURS: _far_port, PIPE: _processes.far_pipe}) as ends:
        one_way = _each(ends, lambda far: _processes.OneWay(far, SMALL))
        yield _row("small one way", one_way, (times_as_fast(1.5, PIPE),), effort)
        ping_pong = _each(ends, lambda far: _processes.PingPong(far, SMALL))
        yield _row("small ping-pong", ping_pong, (Goal(PIPE, 1.0),), effort)
        for name, size, times in (("1 MiB", MIB, 3.0), ("16 MiB", 16 * MIB, 2.5)):
            data = os.urandom(_scaled(size, scale))
            makers = _each(ends, lambda far, data=data: _processes.OneWay(far, data))  # type: ignore[misc]
            makers["Pipe.send_bytes"] = lambda data=data: _processes.PipeBytes(data)  # type: ignore[misc]
            yield _row(f"{name} bytes one way", makers, (times_as_fast(times, PIPE),), effort)


def _handing_over(effort: Effort, scale: float) -> Iterator[Row]:
    with _ends({OURS: _far_port, PIPE: _processes.far_pipe}) as ends:
        size = _scaled(SIZE, scale)
        transfers: dict[str, Make] = {OURS: lambda: _processes.Transfer(ends[OURS](), size)}
        yield _row(
            "16 MiB movable ArrayBuffer transferred, round trip",
            transfers,
            (Goal(None, 150e-6),),
            effort,
        )
        makers: dict[str, Make] = {
            OURS: lambda: _processes.sending_ports(ends[OURS]()),
            PIPE: lambda: _processes.sending_connections(ends[PIPE]()),
        }
        yield _row("a port transferred (a Connection sent)", makers, (times_as_fast(5, PIPE),), effort)


def _over_sockets(effort: Effort, scale: float) -> Iterator[Row]:
    def far_zmq() -> _processes.Far:
        if _peers.find("zmq") is None:
            raise AbsentError(_peers.NOT_INSTALLED)
        return _processes.far_zmq()

    with _ends({OURS: _far_socket, ZMQ: far_zmq}) as ends:
        big = os.urandom(_scaled(MIB, scale))
        for name, message, goals in (
            ("small", SMALL, (Goal(ZMQ, 1 / 0.8), times_as_fast(1.2, STREAMS))),
            ("1 MiB bytes", big, (times_as_fast(3, STREAMS), times_as_fast(3, ZMQ))),
        ):
            makers = _each(ends, lambda far, message=message: _processes.OneWay(far, message))  # type: ignore[misc]
            makers[STREAMS] = lambda message=message: _processes.Streams(message)  # type: ignore[misc]
            yield _row(f"{name} one way", makers, goals, effort, base=STREAMS)


def _far_port() -> _processes.Far:
    if importlib.util.find_spec("transport.process") is None:
        raise AbsentError("transport has no process backend yet")
    return _processes.far_port()


def _far_socket() -> _processes.Far:
    if not hasattr(transport, "listen"):
        raise AbsentError("transport has no listen() and connect() yet")
    return _processes.far_socket()


def _scaled(size: int, scale: float) -> int:
    return max(8, int(size * scale) // 8 * 8)


@contextlib.contextmanager
def _ends(makers: Mapping[str, Make]) -> Iterator[dict[str, Make]]:
    """Other processes that several rows use: each is started when it is first asked for."""
    with contextlib.ExitStack() as stack:
        started: dict[str, Any] = {}

        def get(name: str, make: Make) -> Any:
            if name not in started:
                started[name] = make()
                stack.callback(started[name].close)
            return started[name]

        yield {name: lambda name=name, make=make: get(name, make) for name, make in makers.items()}  # type: ignore[misc]


def _each(ends: Mapping[str, Make], contender: Callable[[Any], Contender]) -> dict[str, Make]:
    return {name: lambda end=end: contender(end()) for name, end in ends.items()}  # type: ignore[misc]


def _row(
    name: str, makers: Mapping[str, Make], goals: tuple[Goal, ...], effort: Effort, base: str | None = None
) -> Row:
    """Make the contenders, measure those that can be made, and close them."""
    contenders: dict[str, Contender] = {}
    absent: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        for who, make in makers.items():
            try:
                contender = make()
            except AbsentError as error:
                absent[who] = str(error)
            except (
                Exception
            ) as error:  # the others can be measured all the same, and the row says what happened
                absent[who] = f"{type(error).__name__}: {error}"
            else:
                contenders[who] = contender
                if hasattr(contender, "close"):
                    stack.callback(contender.close)
        base = base or next((goal.peer for goal in goals if goal.peer is not None), None)
        return Row("ports", name, minima(contenders, effort), goals, absent, base=base)


if __name__ == "__main__":
    _child.answer(_measure(_child.effort(), sys.argv[2], float(sys.argv[3])))

"""Contenders that send from this process to another one: our ports, Pipe, ZeroMQ; asyncio's streams.

The other process does what this one tells it, over the link itself:

    ("sink", n)       take n messages, then send None
    ("echo", n)       send back each of n messages
    ("transfer", n)   send back each of n ArrayBuffers, moved
    ("close", n)      take n ports or connections, close each, then send None
    ("stop", 0)       end
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import struct
from collections.abc import Callable
from multiprocessing.connection import Connection
from pickle import dumps, loads
from time import perf_counter as now
from typing import Any, Final, cast

import transport
from bench import _peers
from clonecodec import ArrayBuffer
from transport import MessageChannel, MessagePort

CONTEXT: Final = multiprocessing.get_context("spawn")
PATIENCE: Final = 30.0
"""Seconds for a child to start and to connect."""

HEADER: Final = struct.Struct("<Q")
JOINED: Final = 1 << 16
"""Bytes up to which header and body are written at once; past it a copy costs more than another call."""


class Link:
    """Two functions, and what has to be closed."""

    def __init__(self, send: Callable[[Any], object], receive: Callable[[], Any], thing: Any) -> None:
        self.send: Final = send
        self.receive: Final = receive
        self.thing: Final = thing


def port_link(port: MessagePort) -> Link:
    return Link(port.post_message, port.receive, port)


def pipe_link(connection: Connection) -> Link:
    return Link(connection.send, connection.recv, connection)


def zmq_link(socket: Any) -> Link:
    send, receive = socket.send, socket.recv
    return Link(lambda value: send(dumps(value, 5)), lambda: loads(receive()), socket)


# ---------------------------------------------------------------------- the other process


def serve(link: Link) -> None:
    send, receive = link.send, link.receive
    while True:
        what, number = receive()
        if what == "sink":
            for _ in range(number):
                receive()
            send(None)
        elif what == "echo":
            for _ in range(number):
                send(receive())
        elif what == "transfer":
            for _ in range(number):
                buffer = receive()
                link.thing.post_message(buffer, [buffer])
        elif what == "close":
            for _ in range(number):
                receive().close()
            send(None)
        else:
            return


def serve_port(port: MessagePort) -> None:
    serve(port_link(port))


def serve_url(url: str) -> None:
    serve(port_link(cast(Any, transport).connect(url, timeout=PATIENCE)))


def serve_pipe(connection: Connection) -> None:
    serve(pipe_link(connection))


def serve_pipe_bytes(connection: Connection) -> None:
    """Takes runs of bytes: the number first, and a byte back."""
    while number := HEADER.unpack(connection.recv_bytes())[0]:
        for _ in range(number):
            connection.recv_bytes()
        connection.send_bytes(b"\0")


def serve_zmq(port: int) -> None:
    serve(zmq_link(_zmq_pair(lambda socket: socket.connect(f"tcp://127.0.0.1:{port}"))))


def _zmq_pair(attach: Callable[[Any], object]) -> Any:
    zmq = _peers.find("zmq")
    assert zmq is not None
    socket = zmq.Context.instance().socket(zmq.PAIR)
    socket.linger = 0
    attach(socket)
    return socket


def serve_streams(port: int) -> None:
    async def go() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
        while True:
            what, number = await _read(reader)
            if what == "stop":
                break
            for _ in range(number):
                await _read(reader)
            await _write(writer, None)
        writer.close()

    asyncio.run(go())


async def _read(reader: asyncio.StreamReader) -> Any:
    (length,) = HEADER.unpack(await reader.readexactly(HEADER.size))
    return loads(await reader.readexactly(length))


async def _write(writer: asyncio.StreamWriter, value: object) -> None:
    data = dumps(value, 5)
    header = HEADER.pack(len(data))
    if len(data) < JOINED:
        writer.write(header + data)
    else:
        writer.write(header)
        writer.write(data)
    await writer.drain()


# ---------------------------------------------------------------------- this process


class Far:
    """A link with a process at its other end."""

    def __init__(self, link: Link, child: Any) -> None:
        self.link: Final = link
        self._child: Final = child

    def close(self) -> None:
        with contextlib.suppress(Exception):  # it may be gone already
            self.link.send(("stop", 0))
        end(self._child)
        self.link.thing.close()


def end(child: Any) -> None:
    child.join(PATIENCE)
    if child.is_alive():
        child.kill()


def start(target: Callable[..., object], *arguments: object) -> Any:
    child = CONTEXT.Process(target=target, args=arguments, daemon=True)
    child.start()
    return child


def far_port() -> Far:
    near, far = MessageChannel("process")
    return Far(port_link(near), start(serve_port, far))


def far_socket() -> Far:
    with cast(Any, transport).listen("tcp://127.0.0.1:0") as listener:
        child = start(serve_url, listener.url)
        return Far(port_link(listener.accept(PATIENCE)), child)


def far_pipe() -> Far:
    near, far = CONTEXT.Pipe()
    child = start(serve_pipe, far)
    far.close()
    return Far(pipe_link(near), child)


def far_zmq() -> Far:
    ports: list[int] = []
    socket = _zmq_pair(lambda socket: ports.append(socket.bind_to_random_port("tcp://127.0.0.1")))
    return Far(zmq_link(socket), start(serve_zmq, ports[0]))


class OneWay:
    """A contender: *number* times the same message, and a word back when all have been taken."""

    def __init__(self, far: Far, message: object) -> None:
        self._far: Final = far
        self._message: Final = message

    def time(self, number: int) -> float:
        send, message = self._far.link.send, self._message
        begin = now()
        send(("sink", number))
        for _ in range(number):
            send(message)
        self._far.link.receive()
        return now() - begin


class PingPong:
    def __init__(self, far: Far, message: object) -> None:
        self._far: Final = far
        self._message: Final = message

    def time(self, number: int) -> float:
        link, message = self._far.link, self._message
        send, receive = link.send, link.receive
        send(("echo", number))
        begin = now()
        for _ in range(number):
            send(message)
            receive()
        return now() - begin


class Transfer:
    """A contender: a movable ArrayBuffer goes there and back, moved."""

    def __init__(self, far: Far, size: int) -> None:
        self._far: Final = far
        self._buffer: Any = ArrayBuffer(size, movable=True)

    def time(self, number: int) -> float:
        port, buffer = self._far.link.thing, self._buffer
        port.post_message(("transfer", number))
        begin = now()
        for _ in range(number):
            port.post_message(buffer, [buffer])
            buffer = port.receive()
        seconds = now() - begin
        self._buffer = buffer
        return seconds


class SendEnds:
    """A contender: ends of new channels are sent, 32 at a time; making them does not count."""

    def __init__(self, far: Far, make: Callable[[], tuple[Any, Any]], send: Callable[[Any], object]) -> None:
        self._far: Final = far
        self._make: Final = make
        self._send: Final = send

    def time(self, number: int) -> float:
        seconds = 0.0
        for done in range(0, number, 32):
            pairs = [self._make() for _ in range(min(32, number - done))]
            self._far.link.send(("close", len(pairs)))
            begin = now()
            for _, far in pairs:
                self._send(far)
            self._far.link.receive()
            seconds += now() - begin
            for near, far in pairs:
                near.close()
                far.close()
        return seconds


def sending_ports(far: Far) -> SendEnds:
    def make() -> tuple[MessagePort, MessagePort]:
        one, two = MessageChannel("process")
        return one, two

    return SendEnds(far, make, lambda port: far.link.thing.post_message(port, [port]))


def sending_connections(far: Far) -> SendEnds:
    return SendEnds(far, CONTEXT.Pipe, far.link.send)


class PipeBytes:
    """A contender: Pipe's ``send_bytes``, which takes nothing but bytes."""

    def __init__(self, data: bytes) -> None:
        self._near, far = CONTEXT.Pipe()
        self._child: Final = start(serve_pipe_bytes, far)
        self._data: Final = data
        far.close()

    def time(self, number: int) -> float:
        begin = now()
        self._near.send_bytes(HEADER.pack(number))
        for _ in range(number):
            self._near.send_bytes(self._data)
        self._near.recv_bytes()
        return now() - begin

    def close(self) -> None:
        self._near.send_bytes(HEADER.pack(0))
        end(self._child)
        self._near.close()


class Streams:
    """A contender: asyncio's streams with pickle, over TCP, each message drained."""

    def __init__(self, message: object) -> None:
        self._message: Final = message
        self._loop: Final = asyncio.new_event_loop()
        self._loop.run_until_complete(self._open())

    async def _open(self) -> None:
        accepted: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = (
            self._loop.create_future()
        )
        server = await asyncio.start_server(
            lambda reader, writer: accepted.set_result((reader, writer)), "127.0.0.1", 0, limit=1 << 22
        )
        self._child = start(serve_streams, server.sockets[0].getsockname()[1])
        self._reader, self._writer = await asyncio.wait_for(accepted, PATIENCE)
        server.close()

    def time(self, number: int) -> float:
        return self._loop.run_until_complete(self._go(number))

    async def _go(self, number: int) -> float:
        begin = now()
        await _write(self._writer, ("sink", number))
        for _ in range(number):
            await _write(self._writer, self._message)
        await _read(self._reader)
        return now() - begin

    def close(self) -> None:
        self._loop.run_until_complete(_write(self._writer, ("stop", 0)))
        end(self._child)
        self._writer.close()
        self._loop.run_until_complete(self._writer.wait_closed())
        self._loop.close()

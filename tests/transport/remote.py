"""A port that is in another process, for the contract: the same methods, done there.

    test ── RemotePort.method ── a lane ──> serve(), a thread of the child for each lane ──> the port itself

A lane is a channel of its own for one caller at a time, so that one who waits in ``receive`` holds up nobody.
All ports and buffers in a result come back in the reply's transfer list.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import itertools
import multiprocessing
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import clonecodec
import transport
from clonecodec import ArrayBuffer
from tests.transport.links import link_of
from transport import CloseReason, Message, MessageChannel, MessagePort, PortClosedError
from transport._emitter import Emitter
from transport._end import End
from transport._state import State


def post_numbers(port: MessagePort, count: int) -> None:
    """Post 0, 1, 2 ... in one go, wherever the port is."""
    if isinstance(port, RemotePort):
        port.post_numbers(count)
        return
    for i in range(count):
        port.post_message(i)


def carried(value: object) -> list[object]:
    """The ports and buffers in *value*, for a transfer list."""
    found: dict[int, object] = {}
    todo, seen = [value], set()
    while todo:
        item = todo.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, (MessagePort, ArrayBuffer)):
            found[id(item)] = item
        elif isinstance(item, dict):
            todo += item.values()
        elif isinstance(item, (list, tuple, set)):
            todo += item
    return list(found.values())


class Server:
    """In the child: the ports, by number."""

    def __init__(self) -> None:
        self.ports: dict[int, MessagePort] = {}
        self.events: dict[int, MessagePort] = {}
        self.listeners: dict[tuple[int, str, int], Callable[..., object]] = {}

    def serve(self, lane: MessagePort) -> None:
        for request in lane:
            number, method, args = cast("tuple[int, str, list[Any]]", request)
            try:
                result = getattr(self, f"do_{method}")(number, *args)
                reply = ["value", result]
                lane.post_message(reply, carried(result))
            except BaseException as error:
                lane.post_message(["error", type(error).__name__, describe(error)])

    def do_lane(self, number: int, lane: MessagePort) -> None:
        threading.Thread(target=self.serve, args=(lane,), daemon=True).start()

    def do_adopt(self, number: int, port: MessagePort) -> None:
        self.ports[number] = port

    def do_connect(self, number: int, url: str) -> None:
        self.ports[number] = transport.connect(url)

    def do_clear(self, number: int) -> None:
        for port in self.ports.values():
            port.close()
        self.ports.clear()
        self.events.clear()
        self.listeners.clear()

    def do_call(self, number: int, name: str, args: list[Any]) -> object:
        result = getattr(self.ports[number], name)(*args)
        return frozen(result)

    def do_post_numbers(self, number: int, count: int) -> None:
        post_numbers(self.ports[number], count)

    def do_get(self, number: int, name: str) -> object:
        value = getattr(self.ports[number], name)
        return value.name if isinstance(value, CloseReason) else value

    def do_take(self, number: int) -> object:
        message = transport.receive_message_on_port(self.ports[number])
        return None if message is None else [message.value, list(message.ports)]

    def do_events(self, number: int, events: MessagePort) -> None:
        self.events[number] = events

    def do_listen(self, number: int, event: str, key: int) -> None:
        events = self.events[number]

        def listener(*args: object) -> None:
            events.post_message([event, key, list(args)], carried(args))

        self.listeners[number, event, key] = listener
        self.ports[number].on(event, listener)

    def do_unlisten(self, number: int, event: str, key: int) -> None:
        self.ports[number].off(event, self.listeners.pop((number, event, key)))

    def do_raw(self, number: int, payload: memoryview) -> None:
        cast(Any, link_of(self.ports[number])).post_raw(bytes(payload))


def frozen(value: object) -> object:
    """*value*, with bytes again for what arrived as bytes, so that it arrives so at the test too."""
    if isinstance(value, memoryview) and value.readonly:
        return value.tobytes()
    if type(value) is list and len(value) < 10:
        return [item.tobytes() if isinstance(item, memoryview) and item.readonly else item for item in value]
    return value


def describe(error: BaseException) -> object:
    if isinstance(error, PortClosedError):
        return error.reason.name if error.reason else None
    if isinstance(error, clonecodec.DecodeError):
        return [error.reason, error.offset]
    return [str(error)]


def rebuild(name: str, what: Any) -> BaseException:
    if name == "PortClosedError":
        return PortClosedError(CloseReason[what] if what else None)
    kind = next(getattr(place, name) for place in (clonecodec, transport, builtins) if hasattr(place, name))
    return cast(BaseException, kind(*what))


def child(lane: MessagePort) -> None:
    """The main function of the child."""
    Server().serve(lane)


class Remote:
    """In the test: the child, and the lanes to it."""

    def __init__(self, method: str = "spawn") -> None:
        self._numbers = itertools.count()
        near, far = MessageChannel("process")
        context = cast(Any, multiprocessing.get_context(method))
        self.process = context.Process(target=child, args=(far,), daemon=True)
        self.process.start()
        self._lanes = [near]
        self._lock = threading.Lock()
        near.post_message([0, "get", ["nothing"]])
        near.receive(30)

    @contextlib.contextmanager
    def _lane(self) -> Iterator[MessagePort]:
        with self._lock:
            if len(self._lanes) > 1:
                lane = self._lanes.pop()
            else:
                near, far = MessageChannel("process")
                ask(self._lanes[0], 0, "lane", [far])
                lane = near
        try:
            yield lane
        finally:
            self._lanes.append(lane)

    def ask(self, number: int, method: str, *args: object) -> Any:
        with self._lane() as lane:
            return ask(lane, number, method, list(args))

    def adopt(self, port: MessagePort) -> RemotePort:
        number = next(self._numbers)
        self.ask(number, "adopt", port)
        return RemotePort(self, number)

    def connect(self, url: str) -> RemotePort:
        """A port that the child got by connecting to *url*."""
        number = next(self._numbers)
        self.ask(number, "connect", url)
        return RemotePort(self, number)

    def stop(self) -> None:
        for lane in self._lanes:
            lane.close()
        self.process.terminate()
        self.process.join()
        self.process.close()


def ask(lane: MessagePort, number: int, method: str, args: list[Any]) -> Any:
    lane.post_message((number, method, args), carried(args))
    reply = cast("list[Any]", lane.receive(30))
    if reply[0] == "error":
        raise rebuild(reply[1], reply[2])
    return reply[1]


class RemotePort(MessagePort):
    """The port *number* of the child."""

    def __init__(self, remote: Remote, number: int) -> None:
        Emitter.__init__(self)
        self._end = End()
        self._state = State.CLOSED
        self._remote = remote
        self._number = number
        self._channel: MessagePort | None = None
        self._functions: dict[tuple[str, int], Any] = {}

    def _call(self, name: str, *args: object) -> Any:
        return self._remote.ask(self._number, "call", name, list(args))

    def _get(self, name: str) -> Any:
        return self._remote.ask(self._number, "get", name)

    def post_message(self, value: object, transfer_list: Any = ()) -> None:
        # What is listed must reach the child as it is, and is listed there.
        self._call("post_message", value, list(transfer_list or ()))

    def receive(self, timeout: float | None = None) -> object:
        return self._call("receive", timeout)

    async def receive_async(self) -> object:
        return await asyncio.to_thread(self.receive)

    def close(self, callback: Callable[[], object] | None = None) -> None:
        self._call("close")

    def start(self) -> None:
        self._call("start")

    def take_message(self) -> Message | None:
        found = self._remote.ask(self._number, "take")
        return None if found is None else Message(found[0], tuple(found[1]))

    @property
    def closed(self) -> bool:
        return bool(self._get("closed"))

    @property
    def peer_closed(self) -> bool:
        return bool(self._get("peer_closed"))

    @property
    def close_reason(self) -> CloseReason | None:
        name = self._get("close_reason")
        return CloseReason[name] if name else None

    @property
    def buffered_amount(self) -> int:
        return int(self._get("buffered_amount"))

    def on(self, event: str, f: Any = None) -> Any:
        if self._channel is None:
            # One for all events, as there is no order between channels.
            self._channel, far = MessageChannel("process")
            self._channel.on("message", self._heard)
            self._channel.unref()
            self._remote.ask(self._number, "events", far)
        self._functions[event, id(f)] = f
        self._remote.ask(self._number, "listen", event, id(f))
        return f

    def _heard(self, what: list[Any]) -> None:
        f = self._functions.get((what[0], what[1]))
        if f is not None:
            f(*what[2])

    def off(self, event: str, f: Any) -> None:
        self._remote.ask(self._number, "unlisten", event, id(f))
        del self._functions[event, id(f)]

    def post_numbers(self, count: int) -> None:
        self._remote.ask(self._number, "post_numbers", count)

    def post_raw(self, payload: bytes) -> None:
        self._remote.ask(self._number, "raw", payload)

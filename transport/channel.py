"""MessageChannel: two ports that are each other's other side, over any backend."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Literal, cast

from transport._end import End
from transport._thread_link import open_pair
from transport._worker_home import own
from transport.port import MessagePort, open_port


class MessageChannel:
    """Two entangled ports, ``port1`` and ``port2``.  It unpacks into them, and holds nothing else.

    Args:
        backend: what carries the messages until a port moves elsewhere: "thread" (queues in this process),
            "process" (a socketpair, for a port that goes to a child), or "socket" (a connection of this
            process with itself).

    Raises:
        ValueError: there is no such backend.
        NotImplementedError: the platform has not what the backend needs.

    >>> port1, port2 = MessageChannel()
    >>> port1.post_message([1, 2])
    >>> port2.receive()
    [1, 2]
    """

    __slots__ = ("port1", "port2")

    def __init__(self, backend: Literal["thread", "process", "socket"] = "thread") -> None:
        one, two = _open(backend)
        self.port1 = open_port(one)
        self.port2 = open_port(two)
        own(self.port1)
        own(self.port2)

    def __iter__(self) -> Iterator[MessagePort]:
        return iter((self.port1, self.port2))

    def __repr__(self) -> str:
        return f"<MessageChannel {self.port1!r} {self.port2!r}>"


def _open(backend: str) -> tuple[End, End]:
    if backend == "thread":
        return open_pair()
    if backend in ("process", "socket"):
        # Imported by those who use it: a program with threads alone does not pay for sockets.
        return cast(tuple[End, End], import_module(f"transport.{backend}").open_pair())
    raise ValueError(f"no such backend: {backend!r}; there are thread, process and socket")

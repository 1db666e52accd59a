"""The contract between threads, and what is true of thread channels alone."""

from __future__ import annotations

from collections.abc import Sequence

from clonecodec import DecodeError
from tests.transport.port_contract import PortContract
from transport import MessageChannel, MessagePort
from transport.message import Opened, Sealed


class Undecodable(Sealed):
    """What a backend that sends bytes queues for a message that turns out to be none."""

    size = 3

    def open(self) -> Opened:
        raise DecodeError("unknown tag 0x7a", 2)

    def dispose(self) -> Sequence[object]:
        return ()


class TestThread(PortContract):
    def channel(self) -> tuple[MessagePort, MessagePort]:
        channel = MessageChannel()
        return channel.port1, channel.port2

    def post_undecodable(self, port: MessagePort) -> None:
        port._end.link.send(Undecodable())

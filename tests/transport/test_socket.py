"""The contract over connections: of this process with itself, over TCP, and over Unix sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.transport.port_contract import PortContract
from tests.transport.remote import Remote, RemotePort
from transport import MessageChannel, MessagePort
from transport.socket import Listener, connect, listen
from transport.socket_link import SocketLink

NO_MESSAGE = bytes.fromhex("ff0f7a")


class SocketContract(PortContract):
    """What all kinds of connections have in common."""

    shares_memory = False

    def post_undecodable(self, port: MessagePort) -> None:
        if isinstance(port, RemotePort):
            port.post_raw(NO_MESSAGE)
            return
        link = port._end.link
        assert isinstance(link, SocketLink)
        link.post_raw(NO_MESSAGE)


class TestSocketPair(SocketContract):
    def channel(self) -> tuple[MessagePort, MessagePort]:
        channel = MessageChannel("socket")
        return channel.port1, channel.port2


class Connected(SocketContract):
    listener: Listener

    def connect(self) -> MessagePort:
        return connect(self.listener.url)

    def channel(self) -> tuple[MessagePort, MessagePort]:
        near = self.connect()
        return near, self.listener.accept(5)


class TestTcp(Connected):
    @pytest.fixture(autouse=True)
    def _listen(self) -> Iterator[None]:
        with listen("tcp://127.0.0.1:0") as self.listener:
            yield


class TestUnix(Connected):
    @pytest.fixture(autouse=True)
    def _listen(self, tmp_path: Path) -> Iterator[None]:
        with listen(f"unix://{tmp_path}/port") as self.listener:
            yield


@pytest.fixture(scope="module")
def remote() -> Iterator[Remote]:
    started = Remote()
    yield started
    started.stop()


class FarAway(SocketContract):
    """The other end in another process, which connected from there."""

    listener: Listener
    remote: Remote

    def channel(self) -> tuple[MessagePort, MessagePort]:
        far = self.remote.connect(self.listener.url)
        return self.listener.accept(5), far

    def moved(self) -> tuple[MessagePort, MessagePort]:
        near = connect(self.listener.url)
        return near, self.listener.accept(5)


class TestTcpToAnotherProcess(FarAway):
    @pytest.fixture(autouse=True)
    def _listen(self, remote: Remote) -> Iterator[None]:
        self.remote = remote
        with listen("tcp://127.0.0.1:0") as self.listener:
            yield
        remote.ask(0, "clear")


class TestUnixToAnotherProcess(FarAway):
    @pytest.fixture(autouse=True)
    def _listen(self, remote: Remote, tmp_path: Path) -> Iterator[None]:
        self.remote = remote
        with listen(f"unix://{tmp_path}/port") as self.listener:
            yield
        remote.ask(0, "clear")

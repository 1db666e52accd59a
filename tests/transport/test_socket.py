"""The contract over connections: of this process with itself, over TCP, and over Unix sockets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.transport.port_contract import PortContract
from tests.transport.remote import Remote, RemotePort
from transport import MessageChannel, MessagePort, receive_message_on_port
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

    def test_a_port_moves_in_mid_flood_and_nothing_is_lost(self) -> None:
        """As in the contract, for a number of hops: each leaves a relay behind in both processes, and a
        port that never rests can outrun messages that have to pass through all of them."""
        near, far = self.channel()
        moving, peer = self.moved()
        total = 2000

        def flood() -> None:
            for i in range(total):
                peer.post_message(i)

        thread = threading.Thread(target=flood)
        thread.start()
        got: list[object] = []
        carrier, to = near, far
        for _ in range(40):
            for _ in range(20):
                message = receive_message_on_port(moving)
                if message is not None:
                    got.append(message.value)
            carrier.post_message(moving, [moving])
            arrived = to.receive(10)
            assert isinstance(arrived, MessagePort)
            moving, carrier, to = arrived, to, carrier
        thread.join()
        while len(got) < total:
            got.append(moving.receive(10))

        assert got == list(range(total))


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

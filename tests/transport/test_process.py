"""The contract over process channels, with both ends here; what is true of these channels alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.transport.links import process_link
from tests.transport.port_contract import PortContract
from tests.transport.remote import Remote, RemotePort
from transport import MessageChannel, MessagePort

_remotes: list[Remote] = []


@pytest.fixture(scope="module", autouse=True)
def children() -> Iterator[None]:
    """The child of the contract is started when it is first wanted, and ended here."""
    yield
    while _remotes:
        _remotes.pop().stop()


def remote() -> Remote:
    if not _remotes:
        _remotes.append(Remote())
    return _remotes[0]


NO_MESSAGE = bytes.fromhex("ff0f7a")


def post_undecodable(port: MessagePort) -> None:
    if isinstance(port, RemotePort):
        port.post_raw(NO_MESSAGE)
        return
    process_link(port).post_raw(NO_MESSAGE)


class TestProcess(PortContract):
    def channel(self) -> tuple[MessagePort, MessagePort]:
        channel = MessageChannel("process")
        return channel.port1, channel.port2

    def post_undecodable(self, port: MessagePort) -> None:
        post_undecodable(port)


class TestOverTwoProcesses(PortContract):
    """The other end in a real child."""

    @pytest.fixture(autouse=True)
    def clear(self) -> Iterator[None]:
        yield
        remote().ask(0, "clear")

    def channel(self) -> tuple[MessagePort, MessagePort]:
        near, far = MessageChannel("process")
        return near, remote().adopt(far)

    def moved(self) -> tuple[MessagePort, MessagePort]:
        near, far = MessageChannel("process")
        return near, far

    def post_undecodable(self, port: MessagePort) -> None:
        post_undecodable(port)

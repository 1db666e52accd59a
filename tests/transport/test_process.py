"""The contract over process channels, with both ends here; what is true of these channels alone."""

from __future__ import annotations

from tests.transport.port_contract import PortContract
from transport import MessageChannel, MessagePort
from transport._process_link import ProcessLink

NO_MESSAGE = bytes.fromhex("ff0f7a")


def post_undecodable(port: MessagePort) -> None:
    link = port._end.link
    assert isinstance(link, ProcessLink)
    link.post_raw(NO_MESSAGE)


class TestProcess(PortContract):
    def channel(self) -> tuple[MessagePort, MessagePort]:
        channel = MessageChannel("process")
        return channel.port1, channel.port2

    def post_undecodable(self, port: MessagePort) -> None:
        post_undecodable(port)

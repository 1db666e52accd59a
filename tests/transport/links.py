"""The insides of ports, for tests that send what no port would."""

from __future__ import annotations

from transport import MessagePort
from transport._process_folded import Folded
from transport._process_link import ProcessLink
from transport.link import Link


def link_of(port: MessagePort) -> Link:
    """The link of *port*, ready to be used."""
    link = port._end.link
    return link.unfold() if isinstance(link, Folded) else link


def process_link(port: MessagePort) -> ProcessLink:
    """The link of *port*, which is one of a process channel."""
    link = link_of(port)
    assert isinstance(link, ProcessLink)
    return link

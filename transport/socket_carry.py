"""What becomes of the end of a port that is sent through a connection: it has a channel there from now on.

an end between threads      its peer gets the new channel in its place
any other                   stays here, and is joined to the new channel's near end: a relay
"""

from __future__ import annotations

from collections.abc import Callable

from transport._end import End
from transport._relay import relay
from transport._thread_link import convert
from transport.link import Link


def carry(end: End, new_link: Callable[[End], Link]) -> None:
    """Put *end* behind a channel of a connection.

    ``new_link`` is called once, with the end at which this side hears what comes over the channel.
    """
    if not convert(end, new_link):
        near = End()
        near.link = new_link(near)
        relay(end, near)

"""What becomes of the end of a port that is sent through a connection: it has a channel there from now on.

an end between threads      its peer gets the new channel in its place
any other                   stays here, and is joined to the new channel's near end: a relay
"""

from __future__ import annotations

from functools import partial
from typing import Protocol

from transport._end import End
from transport._relay import relay
from transport._thread_link import convert
from transport.link import Link


class NewLink(Protocol):
    """Makes the link of a new channel."""

    def __call__(self, hears: End, *, alone: bool) -> Link:
        """*hears* is where this side hears what comes over the channel; *alone*: and nothing else."""


def carry(end: End, new_link: NewLink) -> None:
    """Put *end* behind a channel of a connection.  ``new_link`` is called once."""
    if not convert(end, partial(new_link, alone=False)):
        near = End()
        near.link = new_link(near, alone=True)
        relay(end, near)

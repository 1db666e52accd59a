"""A relay: two ends in this process that are one channel's, for as long as that channel lives.

    far away ── link ── End a ──onward──> b.link ── far away
    far away ── a.link <──onward── End b ── link ── far away

It has no thread and no queue: whoever puts a message into one end sends it through the other's link.
A message is acknowledged to its sender only when the next link is not overfull, so a slow reader slows the
writer. Relays keep nothing alive; what they sent is flushed at exit like everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from transport._end import End
from transport._io import io_poller
from transport.message import CloseReason, EndMark, Item

ROOM: Final = 1 << 20
"""Bytes that may wait in the next link before the sender is left without acknowledgement."""


def relay(one: End, two: End) -> None:
    """Join *one* and *two*: what arrives at either goes out at the other, in order, end marks too."""
    # Read first, then forward: what is queued may hold the end mark, and closes the descriptors.
    for end in (one, two):
        if end.link.source is not None:
            end.link.source.resume()
            end.link.source.watch(io_poller())
    _forward(one, two)
    _forward(two, one)


def _forward(arrives: End, leaves: End) -> None:
    def onward(item: Item) -> None:
        leaves.link.send(item)
        if isinstance(item, EndMark):
            arrives.link.close(CloseReason.LOCAL)
            return
        taken: Callable[[Item], None] | None = arrives.taken
        if taken is not None:
            leaves.link.notify(ROOM, partial(taken, item))

    arrives.empty_into(onward)

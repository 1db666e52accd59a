"""A relay: two ends in this process that are one channel's, for as long as that channel lives.

    far away ── link ── End a ──onward──> b.link ── far away
    far away ── a.link <──onward── End b ── link ── far away

It has no thread and no queue: whoever puts a message into one end sends it through the other's link.
A message is acknowledged to its sender only when the next link is not overfull, so a slow reader slows the
writer.  Relays keep nothing alive.  At exit, what was posted in this process passes them before anything is
closed, and what they sent is flushed like everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import monotonic, sleep
from typing import Final
from weakref import WeakValueDictionary

from transport._end import End
from transport._io import io_poller
from transport.message import CloseReason, EndMark, Item

ROOM: Final = 1 << 20
"""Bytes that may wait in the next link before the sender is left without acknowledgement."""

POLL: Final = 0.002
"""Seconds between looks at what has not passed yet, when the program ends."""

_fed: Final[WeakValueDictionary[int, End]] = WeakValueDictionary()
"""The ends that are joined to others and hear what is posted in this process, by their ids."""


def relay(one: End, two: End) -> None:
    """Join *one* and *two*: what arrives at either goes out at the other, in order, end marks too."""
    # Read first, then forward: what is queued may hold the end mark, and closes the descriptors.
    _read(one)
    _read(two)
    _forward(one, two)
    _forward(two, one)


def pass_on(arrives: End, leaves: End) -> None:
    """Half of ``relay``: what arrives at the one goes out at the other.  The other half is to follow, or has
    been made."""
    _read(leaves)
    _forward(arrives, leaves)


def _read(end: End) -> None:
    if end.link.source is not None:
        end.link.source.resume()
        end.link.source.watch(io_poller())


def _forward(arrives: End, leaves: End) -> None:
    def onward(item: Item) -> None:
        leaves.link.send(item)
        if isinstance(item, EndMark):
            _fed.pop(id(arrives), None)
            arrives.link.close(CloseReason.LOCAL)
            return
        taken: Callable[[Item], None] | None = arrives.taken
        if taken is not None:
            leaves.link.notify(ROOM, partial(taken, item))

    if arrives.link.twin is not None:
        _fed[id(arrives)] = arrives
    arrives.empty_into(onward)


def settle(timeout: float) -> None:
    """Wait until what was posted in this process and has to pass a relay has passed it; at most so long."""
    deadline = monotonic() + timeout
    calm = not _fed
    while not calm and monotonic() < deadline:
        # Twice, as somebody may have it in his hands.
        calm = not any(map(_is_awaited, _fed.valuerefs()))
        sleep(POLL)
        calm = calm and not any(map(_is_awaited, _fed.valuerefs()))


def _is_awaited(ref: Callable[[], End | None]) -> bool:
    end = ref()
    if end is None:
        return False
    twin = end.link.twin
    if twin is not None and twin.buffered_amount() > 0:
        return True
    source = end.link.source  # one that has closed counts nothing any more, but may still be on its way
    return source is not None and not source.is_calm()


def forget() -> None:
    """In a forked child: the relays are the parent's."""
    _fed.clear()

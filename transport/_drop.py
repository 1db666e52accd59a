"""What nobody will take: a list that anybody may add to and one thread at a time works off.

    drop(item)      a queued item that will not be delivered; the ports in it must close
    drop_all(list)  what was transferred with a message that nobody gets
    orphan(end)     the end of a port that was collected

Adding is all that a finaliser may do: it can run in any thread, at any point, under any lock.  Working the
list off closes ports, whose queues hold messages, which hold ports: a list instead of recursion, as
such chains are as long as a user likes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol, runtime_checkable

from transport.message import Carrier, CloseReason, Item, Sealed


@runtime_checkable
class Abandonable(Protocol):
    """A port, or an end: what must be closed when nobody can take it any more."""

    def abandon(self, reason: CloseReason) -> None:
        """Close it for the other side with *reason*, and drop what is queued."""


_list: Final[deque[Carrier | Sealed | Abandonable]] = deque()


def _start_later() -> None:
    """Nobody works the list off yet."""


class _Hooks:
    """How to have the list worked off: set by the dispatcher when it is imported."""

    wake: Callable[[], None] = staticmethod(_start_later)
    """Wakes the dispatcher if it runs; safe in a finaliser."""
    start: Callable[[], None] = staticmethod(_start_later)
    """Starts it if it does not run."""


hooks: Final = _Hooks()


def drop(item: Item) -> None:
    """Let go of *item*.  Its ports close soon, in the dispatcher."""
    if isinstance(item, (Carrier, Sealed)):
        _list.append(item)
        hooks.start()
        hooks.wake()


def drop_all(carried: Sequence[object]) -> None:
    """Let go of what was in a transfer list."""
    if carried:
        drop(Carrier(None, carried))


def orphan(end: Abandonable) -> None:
    """Nobody holds the port of *end*.  Called by finalisers: appends and wakes, nothing else."""
    _list.append(end)
    hooks.wake()


pending: Final[Callable[[], int]] = _list.__len__
"""How much is there to work off?"""


def forget() -> None:
    """Empty the list without closing anything: in a forked child nothing on it is ours."""
    _list.clear()


def collect() -> None:
    """Work the list off, and what that adds to it."""
    while True:
        try:
            item = _list.popleft()
        except IndexError:
            return
        if isinstance(item, Carrier):
            carried = item.carried
        elif isinstance(item, Sealed):
            carried = item.dispose()
        else:
            item.abandon(CloseReason.PEER)  # what the other side hears; nobody here has called close()
            continue
        for thing in carried:
            if isinstance(thing, Abandonable):
                thing.abandon(CloseReason.LOST)

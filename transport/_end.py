"""One end of a channel: its queue and its link.  This is what travels when a port is transferred.

    link ──put──> [ item item item EndMark ] ──take──> a port, a receive() that waits, or a relay

Closing is a message, so there is no flag for it: once the end mark is in the queue, ``onward`` drops
whatever else comes.  The same slot forwards to the new link when the queue moves to another kind of channel.

``lock`` guards the queue *and* the state of the port that owns the end.  Nothing is called with it held
that takes another lock, save ``onward`` of a moved end.  It is re-entrant because a signal handler may post.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import RLock
from typing import Final, Protocol

from transport._drop import drop
from transport.link import Link, NoLink
from transport.message import CloseReason, EndMark, Item


class Owner(Protocol):
    """Who takes from an end: a port, or a relay."""

    def wake(self) -> None:
        """Something is in the queue: have a turn soon, in your own thread.  Called with no lock held."""

    def relinked(self) -> None:
        """The end has another link now; if that has a source, somebody must read it."""


class End:
    """A queue, with the link that fills it and that leads to the other end."""

    __slots__ = (
        "__weakref__",
        "alert",
        "ended",
        "idle",
        "items",
        "link",
        "lock",
        "onward",
        "owner",
        "taken",
        "waiters",
    )

    def __init__(self) -> None:
        self.lock = RLock()
        self.items: Final[deque[Item]] = deque()
        self.link: Link = NO_LINK
        self.onward: Callable[[Item], None] | None = None
        """Where an arriving item goes instead of into the queue: dropped, or to another link."""
        self.ended: EndMark | None = None
        """The end mark, once it is in the queue: the other side is gone, whatever stands before it."""
        self.alert = False
        """Must who appends an item call ``told``?  Appending itself takes no lock: who waits sets this
        first and then looks into the queue; who appends does it the other way round: one sees the other."""
        self.waiters: Final[deque[Callable[[], None]]] = deque()
        """How to wake those who wait for an item.  Each is called once, and is off the queue then."""
        self.idle: Callable[[], None] | None = None
        """How to wake the owner when a message comes; None while he is at it, or does not want to know."""
        self.owner: Callable[[], Owner | None] = nobody
        """Who is told of the end mark: a weak reference to a port that nobody listens on."""
        self.taken: Callable[[Item], None] | None = None
        """Set by a link that acknowledges messages: called without the lock, when one is taken."""

    def put(self, item: Item) -> None:
        """Append a message that came in; wake one who waits for it."""
        self.items.append(item)
        if self.alert:
            self.told()

    def told(self) -> None:
        """Something was appended, and somebody wanted to know."""
        with self.lock:
            if self.onward is not None:
                self._pass_on()
                return
            wake = self._next_to_wake()
        if wake is not None:
            wake()

    def _next_to_wake(self) -> Callable[[], None] | None:
        if self.waiters:
            wake: Callable[[], None] | None = self.waiters.popleft()
        else:
            wake, self.idle = self.idle, None
        self.alert = bool(self.waiters) or self.onward is not None
        return wake

    def _pass_on(self) -> None:
        """Deal with what was appended after the queue had moved, or behind the end mark."""
        onward = self.onward
        assert onward is not None
        items = self.items
        if self.ended is None:
            while items:
                onward(items.popleft())
        elif not (items and items[0] is self.ended):
            while items and items[-1] is not self.ended:
                onward(items.pop())

    def arm(self, wake: Callable[[], None]) -> bool:
        """Have *wake* called when a message comes.  False, and it is not, if one is there.  Hold the lock."""
        self.idle = wake
        self.alert = True
        if not self.items:
            return True
        self.idle = None
        return False

    def await_item(self, wake: Callable[[], None]) -> bool:
        """Have *wake* called once for one message or the end.  False, and it is not, if one is there."""
        self.waiters.append(wake)
        self.alert = True
        if not self.items:
            return True
        self.waiters.remove(wake)
        return False

    def put_end(self, reason: CloseReason, *, first: bool = False) -> None:
        """Append the end mark, unless there is one; nothing comes behind it.

        *first* puts it before all that is queued: the owner's own close(), which drops the rest.
        """
        with self.lock:
            if self.ended is not None:
                if not (first and self.items and self.items[0] is not self.ended):
                    return
                with suppress(ValueError):  # somebody has it in his hand, and will put it back
                    self.items.remove(self.ended)
            elif self.onward is not None:
                self._pass_on()
                self.onward(EndMark(reason))
                return
            mark = EndMark(reason)
            self.onward = drop
            self.alert = True
            if first:
                self.items.appendleft(mark)
            else:
                self.items.append(mark)
            self.ended = mark
            waiters = list(self.waiters)
            self.waiters.clear()
            owner = self.owner()
        for wake in waiters:
            wake()
        if owner is not None:
            owner.wake()

    def put_back(self, mark: EndMark) -> None:
        """One who took without the lock found the end mark, which belongs to everybody."""
        with self.lock:
            self.items.appendleft(mark)
            if self.ended is not mark:  # the queue has moved on meanwhile
                if self.onward is not None:
                    self._pass_on()
                return
            waiters = list(self.waiters)
            self.waiters.clear()
            owner = self.owner()
        for wake in waiters:
            wake()
        if owner is not None:
            owner.wake()

    def poke(self) -> None:
        """If something is queued, wake somebody: for one who was woken and leaves without taking."""
        with self.lock:
            wake = self._next_to_wake() if self.items else None
        if wake is not None:
            wake()

    def empty_into(self, onward: Callable[[Item], None]) -> None:
        """Send all that is queued, the end mark too, through *onward*, and from now on all that comes."""
        with self.lock:
            self.onward = onward
            self.alert = True
            self.ended = None
            self._pass_on()

    def forget(self) -> None:
        """In a forked child: whoever held the lock or waited, he is in the parent."""
        self.lock = RLock()
        self.waiters.clear()
        self.idle = None

    def abandon(self, reason: CloseReason) -> None:
        """Nobody will take from this end any more: close its link, and drop what is queued."""
        with self.lock:
            items = list(self.items)
            self.items.clear()
            if self.onward is None:
                self.onward = drop
            self.alert = True
            self.idle = None
            waiters = list(self.waiters)
            self.waiters.clear()
            link, self.link = self.link, NO_LINK
        for wake in waiters:
            wake()
        link.close(reason)
        for item in items:
            drop(item)

    def __repr__(self) -> str:
        return f"<End {self.link.backend} queued={len(self.items)}{' ended' if self.ended else ''}>"


def nobody() -> None:
    """The owner of an end that is in a message, or was never owned."""


NO_LINK: Final = NoLink()

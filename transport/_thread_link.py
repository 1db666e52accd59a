"""The thread backend: a channel whose two ends are two queues in this process.

    post ──clone──> far.items ──wake, only if nobody is at it──> the far port's home, or its receive()

The clone that ``clone_with_transfer`` returns is queued as it is: no bytes, and immutable leaves are shared.
``convert`` replaces such a channel by one of another kind when an end leaves the process.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from clonecodec import clone_with_transfer
from clonecodec import structured_clone as _clone
from transport._end import NO_LINK, End
from transport._measure import measure
from transport._relay import pass_on
from transport.link import NOTHING_LISTED, Link
from transport.message import Carrier, CloseReason, EndMark, Item

if TYPE_CHECKING:
    from transport._dispatch import Home
    from transport._source import Source


def _clone_and_move(value: object, transfer: Iterable[object]) -> Item:
    clone, moved = clone_with_transfer(value, transfer)
    return Carrier(clone, moved) if moved else clone


class Channel:
    """What the two ends of a channel have in common: who they are, and the right to replace their links."""

    __slots__ = ("left", "lock")

    def __init__(self) -> None:
        self.lock: Final = threading.Lock()
        self.left = 0
        """How many of its ends have left this process; if both have, at once, it goes on here as a relay."""


class ThreadLink:
    """From one end to the other's queue."""

    backend = "thread"
    source: Source | None = None
    __slots__ = ("_meter", "channel", "far")

    def __init__(self, far: End, channel: Channel) -> None:
        self.channel: Channel = channel
        self.far: Final = far
        self._meter: _Meter | None = None

    @property
    def twin(self) -> Link:
        return self.far.link

    def attend(self, home: Home | None) -> None:
        pass

    def leave(self) -> None:
        pass

    def post(self, value: object, transfer: Iterable[object] = NOTHING_LISTED) -> None:
        item = _clone(value) if transfer is NOTHING_LISTED else _clone_and_move(value, transfer)
        if self._meter is not None:
            self._meter.sent(item)
        # End.put, written out: this is the path of every message between threads.
        far = self.far
        far.items.append(item)
        if far.alert:
            far.told()

    def _send_slowly(self, item: Item) -> None:
        if self._meter is not None:
            self._meter.sent(item)
        self.far.put(item)

    def send(self, item: Item) -> None:
        if isinstance(item, EndMark):
            self.close(item.reason)
        else:
            self._send_slowly(item)

    def close(self, reason: CloseReason) -> None:
        self.far.put_end(CloseReason.PEER if reason is CloseReason.LOCAL else reason)
        self.settle()
        # This side takes nothing any more, so the other side's posts are as good as taken.
        back = self.far.link
        if isinstance(back, ThreadLink):
            back.settle()

    def settle(self) -> None:
        """Tell those who wait for the queue to be taken that it will not be, or already is."""
        if self._meter is not None:
            self._meter.close()

    def buffered_amount(self) -> int:
        if self._meter is not None:
            return self._meter.amount
        with self.far.lock:
            if self.far.onward is not None:
                return 0
            items: Sequence[Item] = tuple(self.far.items)
        return sum(map(measure, items))

    def notify(self, threshold: int, callback: Callable[[], None]) -> None:
        with self.far.lock:
            if self._meter is None:
                self._meter = _Meter(self.far)
            due = self._meter.wait(threshold, callback)
        if due:
            callback()

    def drop_oldest(self) -> bool:
        from transport._drop import drop  # a policy that few ports have

        far = self.far
        with far.lock:
            if not far.items or isinstance(far.items[0], EndMark):
                return False
            oldest = far.items.popleft()
        if far.taken is not None:
            far.taken(oldest)
        drop(oldest)
        return True


class _Meter:
    """Counts what stands in a queue, from the moment that somebody wants to be told when it falls."""

    def __init__(self, far: End) -> None:
        self._far: Final = far
        self._waiting: list[tuple[int, Callable[[], None]]] = []
        self.amount = sum(map(measure, far.items))
        far.taken = self._taken

    def sent(self, item: Item) -> None:
        with self._far.lock:
            if self._far.onward is None:
                self.amount += measure(item)

    def _taken(self, item: Item) -> None:
        with self._far.lock:
            self.amount = max(0, self.amount - measure(item))
            due = [callback for threshold, callback in self._waiting if self.amount <= threshold]
            self._waiting = [entry for entry in self._waiting if self.amount > entry[0]]
        for callback in due:
            callback()

    def wait(self, threshold: int, callback: Callable[[], None]) -> bool:
        """True if it is due at once, else *callback* will be called."""
        if self.amount <= threshold or self._far.onward is not None:
            return True
        self._waiting.append((threshold, callback))
        return False

    def close(self) -> None:
        """Nothing will be taken any more."""
        with self._far.lock:
            self.amount = 0
            due, self._waiting = self._waiting, []
        for _, callback in due:
            callback()


def open_pair() -> tuple[End, End]:
    """The two ends of a new channel."""
    one, two = End(), End()
    channel = Channel()
    one.link = ThreadLink(two, channel)
    two.link = ThreadLink(one, channel)
    return one, two


class _Jobs(threading.local):
    def __init__(self) -> None:
        self.queue: deque[Callable[[], None]] = deque()
        self.busy = False


_jobs: Final = _Jobs()


def convert(end: End, make_link: Callable[[End], Link]) -> bool:
    """Replace the channel of *end*, which leaves this process, by another kind.

    Make a pair of the new kind first, and pass its far half on in place of *end*.  ``make_link(peer)``
    returns the link of the near half, whose messages come in at *peer*: the end that stays.  What is
    queued in *end*, the end mark too, is sent through that link, then all that is posted meanwhile, then
    *peer* has it as its own.  (A queued message may hold a port that is converted in turn: that is done
    after this one, not within it.)

    Returns:
        False, and nothing was done, if the channel is not one between threads (any more: the other end may
        have left at the same time, from another thread).
    """
    link = end.link
    if not isinstance(link, ThreadLink):
        return False
    with link.channel.lock:
        if end.link is not link:
            return False
        peer = link.far
        new = make_link(peer)
        end.link = NO_LINK
        link.channel.left += 1
        stays = isinstance(peer.link, ThreadLink)
        if stays:
            old = peer.link
    _jobs.queue.append(lambda: _hand_over(end, peer, new, old if stays else None, link.channel))
    _run_jobs()
    return True


def _hand_over(end: End, peer: End, new: Link, old: Link | None, channel: Channel) -> None:
    stays = False
    with end.lock:
        end.empty_into(new.send)
        if old is not None:
            with peer.lock:
                stays = peer.link is old
                if stays:
                    peer.link = new
    if not stays and channel.left == 2:
        peer.link = new
        pass_on(end, peer)
    # Else, if it does not stay, it was closed meanwhile: the end mark came through *end*, or comes.
    if isinstance(old, ThreadLink):
        old.settle()
    owner = peer.owner()
    if owner is not None:
        owner.relinked()


def _run_jobs() -> None:
    if _jobs.busy:
        return
    _jobs.busy = True
    try:
        while _jobs.queue:
            _jobs.queue.popleft()()
    finally:
        _jobs.busy = False

"""Which process owns an end, and who hears when that process dies.

A process that dies closes its sockets, and so its peers hear of it; unless a forked sibling holds copies of
the descriptors.  So where there has been a fork, the owner of an end tells the other side who it is: a
CLAIM frame with its own pidfd, which becomes readable when it dies, whoever holds what.  (A pid alone could
be another process's by then.)  An end that is passed on says DISOWN first, and its new owner claims it.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from threading import RLock
from time import monotonic
from typing import Final, Protocol

from transport._io import GRACE, call_later, io_poller
from transport._keeper import at_exit
from transport._process_wire import Descriptor


class Link(Protocol):
    """What is known here of the link of an end."""

    channel: object

    def peer_died(self, other: Peer) -> None:
        """The process *other* is dead.  What it wrote before is still there to be read: it may say that the
        end has been passed on."""

    def finish(self) -> None:
        """The program ends: send the end mark, unless the end is another process's."""

    def pending(self) -> bool:
        """Is there anything left to be written?"""


class Unused(Protocol):
    """What is known here of an end that nobody has used yet."""

    @property
    def channel(self) -> object:
        """As a link's."""

    def unfold(self) -> object:
        """Make a link of it."""


class _Here:
    """The ends of process channels that are in this process: links by their channel, and what is unused.

    Before a fork, and at the end of the program, there is nothing unused any more.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._links: dict[object, list[weakref.ref[Link]]] = {}
        self._unused: dict[Unused, float] = {}
        """Those of a port, and since when: the oldest first."""
        self._looking = False
        """Will the I/O thread look at them?"""

    def add(self, link: Link) -> None:
        with self._lock:
            self._links.setdefault(link.channel, []).append(weakref.ref(link))
        at_exit(self)

    def remove(self, link: Link) -> None:
        with self._lock:
            rest = [ref for ref in self._links.pop(link.channel, ()) if ref() not in (None, link)]
            if rest:
                self._links[link.channel] = rest

    def other(self, link: Link) -> Link | None:
        """The other end of the same channel, if it is here too."""
        if self._unused:
            self._unfold(link.channel)
        with self._lock:
            for ref in self._links.get(link.channel, ()):
                other = ref()
                if other is not None and other is not link:
                    return other
        return None

    # ------------------------------------------------------------------ unused

    def remember(self, unused: Unused) -> None:
        """*unused* has a port; until ``forget`` it is unfolded when somebody looks for its link."""
        self._unused[unused] = monotonic()
        if not self._looking:
            self._look_later()

    def forget(self, unused: Unused) -> bool:
        """False if it was not remembered."""
        return self._unused.pop(unused, None) is not None

    def _look_later(self) -> None:
        with self._lock:
            due, self._looking = not self._looking, True
        if due:
            at_exit(self)
            call_later(self._look)

    def _look(self) -> None:
        """In the I/O thread: what has been unused for a while is read from now on."""
        old = monotonic() - GRACE
        for unused, since in list(self._unused.items()):
            if since > old:
                break
            unused.unfold()
        self._looking = False  # first this, and then the look: ``remember`` does it the other way round
        if self._unused:
            self._look_later()

    def _unfold(self, channel: object = None) -> None:
        for unused in list(self._unused):
            if channel in (None, unused.channel):
                unused.unfold()

    # ------------------------------------------------------------------ the end of the program

    def finish(self) -> None:
        for link in self:
            link.finish()

    def pending(self) -> int:
        return sum(link.pending() for link in self)

    def __iter__(self) -> Iterator[Link]:
        self._unfold()
        with self._lock:
            refs = [ref for refs in self._links.values() for ref in refs]
        return iter([link for ref in refs if (link := ref()) is not None])


here = _Here()


class Peer:
    """A process at the other side of some of our channels.

    It is watched for as long as a link, or anybody else, refers to it: so its pidfd is open for whoever does,
    while other threads let go of it.
    """

    _watcher: int | None = None
    """The process that watches it; None if there was no descriptor for its I/O thread."""

    def __init__(self, pid: int, pidfd: Descriptor) -> None:
        self.pid: Final = pid
        self.pidfd: Final = pidfd
        self._links: Final[weakref.WeakSet[Link]] = weakref.WeakSet()
        self._changing: Final = RLock()
        self._dead = False
        self._poller: Final = io_poller()
        died = weakref.WeakMethod(self._died)

        def hear() -> None:
            call = died()
            if call is not None:
                call()

        self._poller.on_readable(pidfd.number, hear)
        self._watcher = os.getpid()

    def add(self, link: Link) -> None:
        with self._changing:
            self._links.add(link)
            dead = self._dead
        if dead:  # the others have been told
            call_later(self._died)

    def remove(self, link: Link) -> None:
        with self._changing:
            self._links.discard(link)

    def _died(self) -> None:
        if _peers.get(self.pid) is self:
            _peers.pop(self.pid, None)
        self._poller.on_readable(self.pidfd.number, None)
        with self._changing:
            self._dead = True
            links = list(self._links)
        for link in links:
            link.peer_died(self)

    def __del__(self) -> None:
        if self._watcher == os.getpid():  # in a forked child, the parent watches
            self._poller.on_readable(self.pidfd.number, None)


_peers: Final[weakref.WeakValueDictionary[int, Peer]] = weakref.WeakValueDictionary()
"""The processes that are known and alive, by pid.  (A pid is not used again while the dead one is on the
list: a readable pidfd takes it off, and new claims are looked at by their own pidfd.)"""


def peer(pid: int, pidfd: Descriptor) -> Peer:
    """The process *pid*, which *pidfd* is of."""
    known = _peers.get(pid)
    if known is None:
        known = _peers[pid] = Peer(pid, pidfd)
    return known


class _Self:
    pidfd: Descriptor | None = None
    parent: tuple[int, Descriptor] | None = None
    """In a forked child: who owned what it has inherited."""


_self: Final = _Self()


def own_pidfd() -> Descriptor | None:
    """This process's own pidfd; None if the system has none for us."""
    if _self.pidfd is None:
        try:
            _self.pidfd = Descriptor(os.pidfd_open(os.getpid()))
        except OSError:
            return None
    return _self.pidfd


def parent() -> Peer | None:
    """In a forked child: the process that it was forked from."""
    if _self.parent is None:
        return None
    pid, pidfd = _self.parent
    return _peers.get(pid) or peer(pid, Descriptor(os.dup(pidfd.number)))


def after_in_child(parent_pid: int) -> None:
    """All that is known was the parent's."""
    if _self.pidfd is not None:
        _self.parent = (parent_pid, _self.pidfd)
    _self.pidfd = None
    here.__init__()  # type: ignore[misc]  # its lock may be held by a thread that is not here
    _peers.clear()

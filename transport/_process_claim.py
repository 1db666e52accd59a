"""The part of a process link that knows who owns the two ends of its channel: forks give both ends to two.

    parent                                     child
    before_fork   the others are told who      become_dormant   its copies are nobody's
    after_fork    what nobody uses is not      claim            the first use: "this end is mine", says a
                  read, only looked at                          CLAIM with its pidfd
    hear_claim ─> lose: what is here is left behind

(What a process is to us, and when it dies, is in ``_process_owner``; who is to do what at a fork, in
``_process_fork``.)
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING

from clonecodec import DataCloneError
from transport._process_owner import Peer, here, own_pidfd, parent, peer
from transport._process_wire import Descriptor, Frame
from transport._state import State
from transport.message import CloseReason
from transport.port import MessagePort

if TYPE_CHECKING:
    from threading import RLock

    from transport._dispatch import Home
    from transport._end import End
    from transport._process_source import ProcessSource


class Owned(ABC):
    """A link whose end may have been inherited by a fork, or its other end."""

    channel: object
    lock: RLock
    gone: bool
    _end: End
    _reading: ProcessSource

    def __init__(self) -> None:
        self.copied = False
        """Has there been a fork while the end was here?  Then other processes have copies of the socket."""
        self.announced = False
        """Has the other side been told which process owns this end?"""
        self.dormant = False
        """Was it inherited by a fork, and not been used here?  Then it is another process's."""
        self._both_here = False
        """At the last fork, was the other end in this process too?  Then the parent is a child's peer."""
        self.peer: Peer | None = None
        """The process that owns the other end, if it has said so."""

    @abstractmethod
    def say_claim(self, pidfd: Descriptor) -> bool:
        """Tell the other side which process owns this end.  False if nothing can be said any more."""

    @abstractmethod
    def begin_again(self, *, keep_unsent: bool) -> None:
        """In the child: what the parent's threads were at is not to be finished here."""

    @abstractmethod
    def attend(self, home: Home | None) -> None:
        """Have messages come in."""

    @abstractmethod
    def finish(self) -> None:
        """The program ends: send the end mark, unless the end is another process's."""

    @abstractmethod
    def pending(self) -> bool:
        """Is there anything left to be written?"""

    @abstractmethod
    def quit(self) -> None:
        """Let go of this process's copy of the end, and say nothing: it is another process's."""

    @abstractmethod
    def flush(self) -> None:
        """Write what is left."""

    def port(self) -> MessagePort | None:
        """The port that owns the end."""
        owner = self._end.owner()
        return owner if isinstance(owner, MessagePort) else None

    # ------------------------------------------------------------------ this end

    def use(self) -> None:
        """Somebody posts to this end, or waits for what is taken of that: so it is read here, too."""
        if self._reading.unclaimed:
            self.attend(None)

    def claim(self) -> None:
        """In a forked child: this end is ours from now on, and the other side is told so."""
        if not self.dormant:
            return
        # First what needs a descriptor: if none is left, the next use claims it.
        before, other = self.peer, None
        if before is None:
            other = parent() if self._both_here else None
        elif before.pid != os.getpid():
            other = peer(before.pid, Descriptor(os.dup(before.pidfd.number)))
        self.dormant = False
        port = self.port()
        if port is not None:
            port._pid = os.getpid()
        self._reading.claim()  # before it may be heard that the other side is dead: what it wrote is ours
        here.add(self)
        self.peer = None
        self.know(other)
        self.announce()
        self.flush()

    def announce(self) -> None:
        """Tell the other side which process owns this end."""
        pidfd = own_pidfd()
        if pidfd is not None and self.say_claim(pidfd):
            self.announced = True

    def lose(self) -> None:
        """The end of this link has been claimed by a forked child: what is here is left behind."""
        port = self.port()
        if port is not None:
            with suppress(DataCloneError):
                port.transfer_take()
        self.quit()
        self._end.items.clear()  # they are the child's, and so are the ports in them

    # ------------------------------------------------------------------ the other end

    def hear_claim(self, frame: Frame) -> None:
        """The other end is owned by the process that has sent *frame*."""
        if frame.length == os.getpid():
            self.know(None)  # it came back
            return
        other = here.other(self)
        # A claim may be an old one: its end has since been passed on, and has come to this process.
        if isinstance(other, Owned) and self._both_here and other._both_here:
            other.lose()
        if frame.handles:
            self.know(peer(frame.length, frame.handles[0]))
        if self.copied and not self.announced:
            self.announce()

    def know(self, other: Peer | None) -> None:
        """The other end is owned by *other*; None if that is not known, or it is this process."""
        before, self.peer = self.peer, other
        if before is not other:
            if other is not None:
                other.add(self)
            if before is not None:
                before.remove(self)

    def peer_died(self, other: Peer) -> None:
        """For the one who watches its pidfd."""
        self._reading.finish(CloseReason.PEER_DIED, lambda: self.peer is other)

    # ------------------------------------------------------------------ forks

    def before_fork(self) -> None:
        """In the parent: the child gets a copy that is whole."""
        self.copied = True
        self._both_here = here.other(self) is not None
        if not self._both_here:
            if not self.announced:
                self.announce()
        elif self._is_idle():
            self._reading.pause()

    def _is_idle(self) -> bool:
        port = self.port()
        waits = self._end.waiters or self._reading.led
        return not waits and (port is None or port._state is not State.FLOWING)

    def after_fork(self) -> None:
        """In the parent: what nobody uses is not read, as the child may claim it."""
        with self.lock:
            if not self.gone:  # another thread may just have closed it
                self._reading.peek()

    def become_dormant(self, *, keep_unsent: bool) -> None:
        """In the child: nothing here is ours, unless it is claimed."""
        self.begin_again(keep_unsent=keep_unsent)
        self.dormant = self._reading.unclaimed = True
        self.announced = False
        self._reading.forget()

"""A connection: one descriptor, its handshake, and the channels that share it.

    descriptor ──pump──> handshake, then frames ──> links ──> ends
    descriptor <──writer── frames <── links <── posts

It is read by the I/O thread, or by a thread that waits in ``receive`` on one of its ports; so it is a
``Source`` that stays with the I/O thread, and that a port which moves cannot take away from the others.
It lives until its last channel has gone, the other side ends it, or dies.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Final

from clonecodec import DataCloneError
from transport import _gather
from transport._end import End
from transport._io import io_poller
from transport._keeper import at_exit
from transport._source import Sleeper, Source
from transport.message import CloseReason
from transport.socket_clock import call_later, forget
from transport.socket_credit import Ledger
from transport.socket_frames import ABORT, PING, ProtocolError, frame
from transport.socket_handshake import Handshake, HandshakeError, PeerLimits
from transport.socket_limits import INITIAL_CREDIT, Limits
from transport.socket_link import SocketLink
from transport.socket_message import Outgoing
from transport.socket_reader import Reader
from transport.socket_stream import Stream
from transport.socket_writer import Writer

if TYPE_CHECKING:
    from threading import RLock

FIRST: Final = 1
"""The channel that is open from the start; its number is one of the client's."""

_ours: Final[weakref.WeakValueDictionary[bytes, Connection]] = weakref.WeakValueDictionary()
"""This process's living connections by their nonces: one that talks to another of them needs no watching."""


class Connection(Source):
    """One side of a connection.

    Args:
        stream: the socket.
        handshake: this side's, not begun.
        limits: what this side takes.
        opened: called with the end of the first channel when the handshake is complete.
        failed: called with the reason when it cannot be completed.
    """

    follows_home = False

    def __init__(
        self,
        stream: Stream,
        handshake: Handshake,
        limits: Limits,
        opened: Callable[[End], None],
        failed: Callable[[Exception], None],
    ) -> None:
        super().__init__(stream.fileno())
        self.limits: Final = limits
        self.peer = PeerLimits(0, INITIAL_CREDIT, 0, 0, 0)
        self.id = b""
        self.writer: Final = Writer(stream, self.discard)
        self.links: Final[dict[int, SocketLink]] = {}
        self.ledger: Final = Ledger(limits)
        self.accounts: RLock = self.ledger.lock
        """Guards the accounts of every link, and ``links``.  Nothing is called with it held."""
        self._reserved = 0
        self._stream: Final = stream
        self._handshake: Handshake | None = handshake
        self._nonce: Final = handshake.nonce
        self._peer_nonce = b""
        self._first_of_ours: Final = 1 if handshake.role == "client" else 2
        self._next = 3 if handshake.role == "client" else 2
        self._opened: Final = opened
        self._failed: Final = failed
        self._reader: Final = Reader(self, stream)
        self._verdict = CloseReason.PEER_DIED
        """What the ports hear if the connection ends now without their end marks."""
        self._error: Exception | None = None
        """Why this side ended a connection whose handshake was not complete."""
        self._heard_at = 0.0
        self._asked_at = 0.0
        self._dead = False

    def register(self) -> None:
        """Make it known to this process, as one of its own."""
        _gather.start()
        _ours[self._nonce] = self

    def begin(self) -> None:
        """Start the handshake; the I/O thread goes on with it."""
        self.register()
        assert self._handshake is not None
        self.send_raw(self._handshake.start())
        self.watch(io_poller())

    def fail_unless_open(self, reason: str) -> None:
        """Close the connection if its handshake is still not complete."""
        if self._handshake is not None:
            self.stop(HandshakeError(reason))

    # ------------------------------------------------------------------ Source

    def retire(self) -> None:
        """Nothing: one port that moves, or is closed, leaves the connection to the others."""

    def resume(self) -> None:
        """Nothing, as ``retire``."""

    def wait(self, sleeper: Sleeper, timeout: float | None) -> None:
        self.writer.hurry()
        super().wait(sleeper, timeout)
        if len(self.links) > 1:
            # Others have ports here, and cannot wait until this thread receives again.
            with self._role:
                if not (self._retired or self._leader or self._poller) and self._home is not None:
                    self._join_poller(self._home)

    def pump(self) -> bool:
        if self._dead:
            return False
        try:
            more = self._reader.read()
        except ProtocolError as error:
            self._end(CloseReason.PROTOCOL_ERROR, error, last=frame(ABORT, 0, str(error).encode()))
        except HandshakeError as error:
            self._end(CloseReason.PROTOCOL_ERROR, error, last=error.answer)
        except OSError as error:
            self._end(self._verdict, error)
        else:
            if self._stream.wants_flush():
                self.writer.kick()
            if more:
                return True
            self._end(self._verdict, ConnectionError("the other side closed the connection"))
        return False

    def read_handshake(self, data: bytes) -> bytes | None:
        """Take *data* of the handshake; when it is complete, return what came behind it."""
        handshake = self._handshake
        assert handshake is not None
        self.send_raw(handshake.feed(data))
        if not handshake.done:
            return None
        self.establish()
        return handshake.rest

    def establish(self) -> None:
        """The handshake is complete: open the first channel."""
        handshake, self._handshake = self._handshake, None
        assert handshake is not None and handshake.peer is not None
        self.peer = handshake.peer
        self.id = handshake.connection_id
        end = End()
        end.link = self.links[FIRST] = SocketLink(self, FIRST, end, opened=True)
        self.heard()
        self._peer_nonce = handshake.peer_nonce
        if self.other_side is None:
            at_exit(self)
            if self.limits.keep_alive_interval is not None:
                call_later(self.limits.keep_alive_interval, self._keep_alive)
        self._opened(end)

    @property
    def other_side(self) -> Connection | None:
        """The other side, if that is in this process, too."""
        return _ours.get(self._peer_nonce)

    @property
    def established(self) -> bool:
        """Is the handshake complete?"""
        return self._handshake is None

    def _end(self, reason: CloseReason, error: Exception, last: bytes = b"") -> None:
        """The connection is over.  Called in ``pump`` alone, so nobody else reads."""
        with self.accounts:
            self._dead = True
            links = list(self.links.values())
            self.links.clear()
        _ours.pop(self._nonce, None)
        Source.retire(self)

        def close() -> None:
            self.writer.close(last)
            for link in links:
                self.writer.drop_link(link)

        self.writer.call(close)
        for link in links:
            link.lost(reason)
        self.ledger.starved.clear()
        if self._handshake is not None:
            self._handshake = None
            self._failed(self._error or error)

    # ------------------------------------------------------------------ channels

    def reserve(self, count: int) -> None:
        """Make sure that *count* more channels may be opened from this side; give back that many if negative.

        Raises:
            DataCloneError: the other side does not take so many, in one message or in all.
        """
        if count > self.peer.ports_per_message:
            most = self.peer.ports_per_message
            raise DataCloneError(f"{count} ports in a message; the other side of the socket takes {most}")
        with self.accounts:
            if count > 0 and len(self.links) + self._reserved + count > self.peer.channels:
                most = self.peer.channels
                raise DataCloneError(f"the other side of the socket takes {most} ports in a connection")
            if count > 0 and self._next + 2 * (self._reserved + count) > 0xFFFF_FFFF:
                raise DataCloneError("this connection has used up the numbers of its channels")
            self._reserved += count

    def new_link(self, end: End, *, alone: bool) -> SocketLink:
        """A channel of a new number, one of those reserved, whose messages come in at *end*.

        The other side knows of it when the message that carries its other end has begun.
        """
        with self.accounts:
            number = self._next
            self._next += 2
            self._reserved -= 1
            link = SocketLink(self, number, end, opened=False, alone=alone)
            dead = self._dead
            if not dead:
                self.links[number] = link
        if dead:
            self._lose((link,))
        return link

    def accept_channel(self, number: int) -> End:
        """The other side sent a port on a new channel.

        Raises:
            ProtocolError: the number is not one of its own, or in use, or there are too many.
        """
        if number == 0 or number % 2 == self._first_of_ours % 2 or number in self.links:
            raise ProtocolError(f"channel {number} cannot be opened")
        if len(self.links) >= self.limits.channels:
            raise ProtocolError(f"more than {self.limits.channels} channels")
        end = End()
        with self.accounts:
            end.link = self.links[number] = SocketLink(self, number, end, opened=True)
        return end

    def relieve(self) -> None:
        """Something was taken, or a channel has ended: those that got too little may have more."""
        if self.ledger.starved:
            with self.accounts:
                relieved = [self.links.get(intake.number) for intake in self.ledger.relieved()]
            for link in relieved:
                if link is not None:
                    link.grant()

    def heard_end(self, link: SocketLink, reason: CloseReason) -> None:
        """The other side has closed the channel of *link*."""
        link.lost(reason)
        self.writer.call(lambda: self.writer.heard_end(link))
        self._forget(link)

    def ended(self, link: SocketLink) -> None:
        """This side's end mark of *link* is on its way.  Called under the writer's lock."""
        self._forget(link)

    def _forget(self, link: SocketLink) -> None:
        """Once its end has gone out and come in, a channel is gone; with the last one, the connection."""
        with self.accounts:
            if not (link.ended and link.heard_end):
                return
            self.links.pop(link.number, None)
            last = not self.links
        if last:
            self.writer.call(self._finish_writing)

    def _finish_writing(self) -> None:
        self._verdict = CloseReason.PEER
        self.writer.written = self._stream.shutdown

    def discard(self, messages: Iterable[bytes | Outgoing]) -> None:
        """Nobody will get *messages*: close the ports in those of which the other side knows nothing."""
        for message in messages:
            if isinstance(message, Outgoing) and not message.begun:
                self._lose(message.opens)

    def _lose(self, links: Iterable[SocketLink]) -> None:
        for link in links:
            with self.accounts:
                self.links.pop(link.number, None)
            self.writer.call(partial(self.writer.drop_link, link))
            link.lost(CloseReason.LOST)

    # ------------------------------------------------------------------ staying alive, and ending

    def heard(self) -> None:
        """Something has come: the other side lives, and what is posted next may be an answer."""
        self._heard_at = monotonic()
        self.writer.heard = True

    def _keep_alive(self) -> None:
        interval, timeout = self.limits.keep_alive_interval, self.limits.keep_alive_timeout
        if self._dead or interval is None:
            return
        now = monotonic()
        if self._asked_at > self._heard_at:
            self.stop()
        elif now - self._heard_at < interval:
            call_later(interval - (now - self._heard_at), self._keep_alive)
        else:
            self._asked_at = now
            self.writer.send(None, frame(PING, 0))
            call_later(timeout, self._keep_alive)

    def stop(self, error: Exception | None = None) -> None:
        """End the connection from any thread; its reader does what is to be done."""
        if error is not None:
            self._error = error
        self.writer.call(self._stream.shutdown)

    def send_raw(self, data: bytes) -> None:
        """Write bytes that are no frame."""
        if data:
            self.writer.send(None, data)

    def finish(self) -> None:
        """The program ends: the end mark goes out behind all that was posted."""
        if self._handshake is not None:
            self.stop()
            return
        with self.accounts:
            links = list(self.links.values())
        for link in links:
            link.close(CloseReason.LOCAL)

    def pending(self) -> bool:
        """Is there a channel whose end the other side has not answered, so that it may not have all yet?"""
        return not self._dead and bool(self.links)

    def abandon_in_child(self) -> None:
        """After a fork, in the child: the connection is the parent's, and so is who holds its locks."""
        self.forget()
        self.accounts = self.ledger.lock = threading.RLock()
        self._dead = True
        with suppress(OSError):
            self._stream.close()


def forget_all() -> None:
    """In a forked child: close its copies of descriptors, so that other sides hear of the parent's death."""
    forget()
    for connection in list(_ours.values()):
        connection.abandon_in_child()
    _ours.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_all)

"""One end of a process channel: a socket of a pair, read and written without ever waiting.

    post ── Packed ── Outbox ──> socketpair ──> ProcessSource ── FrameReader ── Parcel ──> End.items

Bytes that were sent and not taken are counted until the other side acknowledges them: with the next message
that goes back, or when there are many, or some milliseconds later, or at once if somebody waits (ASK).
How ends are put into messages is not known here: ``Freight`` does that.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from threading import RLock
from typing import TYPE_CHECKING, Final, Protocol, cast

from clonecodec import DataCloneError, DecodeError
from clonecodec.plain import dumps_plain
from transport._drop import drop, drop_all
from transport._io import call_later
from transport._keeper import at_exit
from transport._process_outbox import LITTLE, Outbox
from transport._process_owner import Peer, here, own_pidfd, parent, peer
from transport._process_parcel import Packed, Parcel, Plain, Shipped, bad, pack
from transport._process_source import ProcessSource
from transport._process_wire import (
    ACK,
    ASK,
    BAD,
    CLAIM,
    DISOWN,
    END,
    HEADER,
    MESSAGE,
    REASONS,
    Borrowed,
    Chunk,
    Descriptor,
    Frame,
    FrameReader,
    Handle,
    chunks,
    control,
)
from transport._state import State
from transport.link import NOTHING_LISTED
from transport.message import CloseReason, EndMark, Item, opened
from transport.port import MessagePort

if TYPE_CHECKING:
    from transport._end import End
    from transport._source import Source

ACK_AT: Final = 1 << 20
"""Bytes taken after which an acknowledgement does not wait any longer."""

_open: Final[set[socket.socket]] = set()
"""The sockets of all links.  A link that is garbage closes its socket; without this, the socket could be
collected first, and complain that nobody closed it."""


class Freight(Protocol):
    """Who puts ends into messages, and takes them out."""

    def reserve(self, items: Sequence[object]) -> list[socket.socket]:
        """Sockets enough to ship *items* of a transfer list.  OSError if there are no descriptors."""

    def ship(self, tokens: Sequence[object], reserved: list[socket.socket]) -> list[Shipped]:
        """Take the ends among *tokens* apart, so that they can be put together elsewhere."""

    def adopt(self, state: bytes, handles: list[Descriptor]) -> End:
        """Put an end together."""


class ProcessLink:
    """From one end through a socket to the other, in this process or in another one."""

    backend = "process"
    source: Source | None

    def __init__(self, end: End, sock: socket.socket, channel: bytes, freight: Freight) -> None:
        self.channel: object = channel
        self.socket: Final = sock
        self.freight: Final = freight
        self.reader: Final = FrameReader(self._hear_messages, self._hear_frame, self._hear_taken)
        self._reading: Final = ProcessSource(sock, self.reader, self._hear_end, self._use)
        self.source = self._reading
        self.outbox: Final = Outbox(sock, self._flush, self._broken)
        self.lock = RLock()
        """Guards all that follows, and the outbox.  (Re-entrant: a signal handler may post.)"""
        self.unacknowledged = 0
        self._end: Final = end
        self._prompt = False
        """Does the other side wait for what is taken here?"""
        self._tell_at = 1
        """Bytes owed at which ``_taken`` has to do something: at once, or, while the I/O thread is going to
        look, when there are many."""
        self._waiting: list[tuple[int, Callable[[], None]]] = []
        self._closing = False
        """Has the end mark been queued?"""
        self.gone = False
        """Is the socket closed, or passed on?"""
        self.copied = False
        """Has there been a fork while the end was here?  Then other processes have copies of the socket."""
        self.announced = False
        """Has the other side been told which process owns this end?"""
        self.dormant = False
        """Was it inherited by a fork, and not been used here?  Then it is another process's."""
        self._both_here = False
        """At the last fork, was the other end in this process too?  Then the parent is a child's peer."""
        self._peer: Peer | None = None
        end.taken = self._taken
        _open.add(sock)
        here.add(self)
        at_exit(self)

    @property
    def twin(self) -> ProcessLink | None:
        return cast("ProcessLink | None", here.other(self))

    # ------------------------------------------------------------------ posting

    def post(self, value: object, transfer: Iterable[object] = NOTHING_LISTED) -> None:
        if self.dormant:
            self._use()
        if transfer is NOTHING_LISTED:
            payload = dumps_plain(value)
            if payload is not None and len(payload) <= LITTLE:
                with self.lock:
                    if not (self._closing or self.gone):
                        self.unacknowledged += len(payload)
                        self.outbox.post(payload)
                return
        packed = pack(value, transfer)
        if not packed.items:
            packed.take()
            self._write(packed)
            return
        reserved = self.freight.reserve(packed.items)
        try:
            packed.take()
            self._write(packed, self.freight.ship(packed.tokens, reserved))
        finally:
            for spare in reserved:
                spare.close()

    def _write(self, packed: Packed, shipped: Sequence[Shipped] = ()) -> None:
        with self.lock:
            if not (self._closing or self.gone):
                taken, self.outbox.owed = self.outbox.owed, 0
                entries = packed.chunks(shipped, taken)
                self.unacknowledged += packed.size
                for entry in entries:
                    self.outbox.put(entry)
                return
        self.discard(packed.chunks(shipped))

    def _put(self, entries: Sequence[Chunk], size: int) -> None:
        """Send a frame that is made already."""
        with self.lock:
            if not (self._closing or self.gone):
                self.unacknowledged += size
                for entry in entries:
                    self.outbox.put(entry)
                return
        self.discard(entries)

    def send(self, item: Item) -> None:
        self._use()
        if isinstance(item, EndMark):
            self.close(item.reason)
            return
        try:
            if isinstance(item, (Plain, Parcel)):
                self._put(item.again(), item.size)
                return
            value, transferred = opened(item)
        except DecodeError as error:
            self._put(bad(str(error)), 0)
            return
        try:
            self.post(value, transferred)
        except (DataCloneError, OSError) as error:
            self._put(bad(str(error)), 0)
            drop_all(transferred)

    def post_raw(self, payload: bytes) -> None:
        """Send what may be no clone at all: for tests."""
        self._put(chunks(MESSAGE, payload, (), (), ()), len(payload))

    def discard(self, entries: Sequence[Chunk], *, begun: bool = False) -> int:
        """Close the ports in frames that will not be written; of the first, if *begun*, a part has been.

        Returns:
            How much the messages in them counted for.
        """
        sizes: list[int] = []

        def hear_frame(frame: Frame) -> None:
            if frame.kind == MESSAGE:
                parcel = Parcel(frame, self.freight.adopt)
                sizes.append(parcel.size)
                drop(parcel)

        reader = FrameReader(lambda payloads: sizes.extend(map(len, payloads)), hear_frame, self._owe)
        for entry in entries[1:] if begun else entries:
            if entry.handles:
                reader.feed_handles([_owned(handle) for handle in entry.handles])
            for view in entry.views:
                reader.feed(memoryview(view))
        return sum(sizes)

    # ------------------------------------------------------------------ writing

    def _flush(self) -> None:
        with self.lock:
            if not self.gone:
                self.outbox.flush()
        self._shut_if_done()

    def _broken(self) -> None:
        """Nobody reads any more.  What the other side wrote before is still there to be read."""
        entries, begun = self.outbox.take()
        self.discard(entries, begun=begun)
        self.unacknowledged = 0

    def close(self, reason: CloseReason) -> None:
        if self._end.ended is None and reason is CloseReason.LOCAL and self._reading.peeking:
            self.quit()  # dropped by one who has not used it since a fork: another process may
            return
        self._use()
        with self.lock:
            if self._closing or self.gone:
                return
            # (Even to one who has said the same: at the end of a program he still listens.)
            mark = CloseReason.PEER if reason is CloseReason.LOCAL else reason
            self._say(END, REASONS.index(mark))
            self._closing = True
        self._settle()
        self._reading.retire()
        self._shut_if_done()

    def _shut_if_done(self) -> None:
        with self.lock:
            if self.outbox or self.gone or not self._closing:
                return
            self.gone = True
        self._reading.retire()  # this may be the I/O thread, and close() not be so far
        # The ports in messages that nobody has read are still to be had, and closed.
        self._reading.drain()
        with self.lock:
            self.outbox.take()
            self.socket.close()
        self._leave()

    def quit(self) -> None:
        """Let go of this process's copy of the end, and say nothing: it is another process's."""
        self._reading.retire()
        with self.lock:
            if self.gone:
                return
            self.gone = True
            self.outbox.take()
            self.socket.close()
        self._leave()
        self._settle()

    def _say(self, kind: int, detail: int = 0) -> None:
        """Write a frame without body now, with what is owed.  The lock is held."""
        taken, self.outbox.owed = self.outbox.owed, 0
        self.outbox.put_now(Chunk([control(kind, detail, 0, taken)]))

    def begin_with(self, entries: Sequence[Chunk], *, begun: bool) -> None:
        """Write first what this link's predecessor has left."""
        with self.lock:
            self.outbox.begin_with(entries, begun=begun)

    def _leave(self) -> None:
        _open.discard(self.socket)
        here.remove(self)
        self._know(None)

    def part(self) -> tuple[list[Chunk], bool]:
        """This link is to be taken apart: what is not written yet.  The caller takes the socket."""
        self._use()
        with self.lock:
            if self.announced:
                self._say(DISOWN)
            self.gone = True
            entries, begun = self.outbox.take()
        self._leave()
        return entries, begun

    # ------------------------------------------------------------------ reading: called in ``pump``

    def _hear_messages(self, payloads: Sequence[bytes]) -> None:
        # End.put, for several: this is the path of nearly every message.
        end = self._end
        end.items.extend(map(Plain, payloads))
        for _ in payloads:
            if not end.alert:
                break
            end.told()

    def _hear_frame(self, frame: Frame) -> None:
        if frame.kind in (MESSAGE, BAD):
            self._end.put(Parcel(frame, self.freight.adopt))
        elif frame.kind == ASK:
            with self.lock:
                self._prompt = True
                self._tell_at = 1
                if self.outbox.owed:
                    self._acknowledge()
        elif frame.kind == END:
            self._reading.end(REASONS[frame.payload_start])
        elif frame.kind == CLAIM:
            self._hear_claim(frame)
        elif frame.kind == DISOWN:
            self._know(None)

    def _hear_end(self, reason: CloseReason) -> None:
        self._end.put_end(reason)
        self._settle()

    def _hear_taken(self, size: int) -> None:
        with self.lock:
            self.unacknowledged = amount = max(0, self.unacknowledged - size)
            if not self._waiting:
                return
            due = [callback for threshold, callback in self._waiting if amount <= threshold]
            self._waiting = [entry for entry in self._waiting if entry[0] < amount]
        for callback in due:
            callback()

    def _settle(self) -> None:
        """Nothing will be taken any more."""
        with self.lock:
            self.unacknowledged = 0
            due, self._waiting = self._waiting, []
        for _, callback in due:
            callback()

    # ------------------------------------------------------------------ who owns the ends

    def _use(self) -> None:
        """Somebody uses this end here."""
        if self.dormant:
            self.claim()

    def claim(self) -> None:
        """In a forked child: this end is ours from now on, and the other side is told so."""
        if not self.dormant:
            return
        self.dormant = False
        port = self.port()
        if port is not None:
            port._pid = os.getpid()
        here.add(self)
        at_exit(self)
        before, self._peer = self._peer, None
        if before is None:
            self._know(parent() if self._both_here else None)
        elif before.pid != os.getpid():
            self._know(peer(before.pid, Descriptor(os.dup(before.pidfd.number))))
        self._reading.resume()
        self.announce()
        self._flush()

    def announce(self) -> None:
        """Tell the other side which process owns this end."""
        pidfd = own_pidfd()
        with self.lock:
            if not (pidfd is None or self._closing or self.gone):
                self.announced = True
                header = HEADER.pack(CLAIM, 0, 1, 0, os.getpid(), 0)
                self.outbox.put_now(Chunk([header], [Borrowed(pidfd.number, pidfd)]))

    def _hear_claim(self, frame: Frame) -> None:
        if frame.length == os.getpid():
            self._know(None)  # it came back
            return
        other = here.other(self)
        if isinstance(other, ProcessLink):
            other.lose()
        if frame.handles:
            self._know(peer(frame.length, frame.handles[0]))
        if self.copied and not self.announced:
            self.announce()

    def lose(self) -> None:
        """The end of this link has been claimed by a forked child: what is here is left behind."""
        port = self.port()
        if port is not None:
            with suppress(DataCloneError):
                port.transfer_take()
        self.quit()
        self._end.items.clear()  # they are the child's, and so are the ports in them

    def know(self, pid: int, pidfd: Descriptor) -> None:
        """The other end is owned by the process *pid*."""
        if pid != os.getpid():
            self._know(peer(pid, pidfd))

    def peer_known(self) -> Peer | None:
        return self._peer

    def _know(self, other: Peer | None) -> None:
        before, self._peer = self._peer, other
        if before is not other:
            if other is not None:
                other.add(self)
            if before is not None:
                before.remove(self)

    def peer_died(self, other: Peer) -> None:
        """For the one who watches its pidfd."""
        self._reading.finish(CloseReason.PEER_DIED, lambda: self._peer is other)

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
        return not self._end.waiters and (port is None or port._state is not State.FLOWING)

    def after_fork(self) -> None:
        """In the parent: what nobody uses is not read, as the child may claim it."""
        self._reading.peek()

    def port(self) -> MessagePort | None:
        """The port that owns the end."""
        owner = self._end.owner()
        return owner if isinstance(owner, MessagePort) else None

    def become_dormant(self, *, keep_unsent: bool) -> None:
        """In the child: nothing here is ours, unless it is claimed."""
        self.lock = RLock()
        self._end.forget()
        self._waiting = []
        self._tell_at = 1
        self.dormant = self._reading.unclaimed = True
        self.announced = False
        self._reading.forget()
        self.outbox.forget(keep=keep_unsent)

    # ------------------------------------------------------------------ acknowledging

    def _taken(self, item: Item) -> None:
        if type(item) is Plain:
            size = len(item)
        elif isinstance(item, Parcel):
            size = item.size
        else:
            return  # it was queued when the channel was one between threads
        with self.lock:
            self.outbox.owed += size
            if self.outbox.owed >= self._tell_at:
                self._tell()

    def _owe(self, size: int) -> None:
        """What was to tell the other side of *size* bytes was not written."""
        with self.lock:
            self.outbox.owed += size

    def _tell(self) -> None:
        """The lock is held."""
        if self._prompt:
            if not self._end.items:
                self._prompt = False
            self._acknowledge()
        elif self.outbox.owed >= ACK_AT:
            self._acknowledge()
        else:
            self._tell_at = ACK_AT
            call_later(self._tell_later)

    def _tell_later(self) -> None:
        """A while after something was taken."""
        with self.lock:
            self._tell_at = 1
            if self.outbox.owed:
                self._acknowledge()

    def _acknowledge(self) -> None:
        if not (self._closing or self.gone):
            self._say(ACK)

    # ------------------------------------------------------------------ how full the way is

    def buffered_amount(self) -> int:
        return self.unacknowledged

    def notify(self, threshold: int, callback: Callable[[], None]) -> None:
        self._use()
        with self.lock:
            over = self._closing or self.gone or self._end.ended is not None
            if not over and self.unacknowledged > threshold:
                self._waiting.append((threshold, callback))
                self._say(ASK)
                return
        callback()

    def drop_oldest(self) -> bool:
        with self.lock:
            entry = self.outbox.drop_oldest()
        if entry is None:
            return False
        size = self.discard([entry])
        with self.lock:
            self.unacknowledged = max(0, self.unacknowledged - size)
        return True

    # ------------------------------------------------------------------ the end of the program

    def finish(self) -> None:
        if self.dormant or self._reading.peeking:
            return  # it may be another process's
        with self.lock:
            if not (self._closing or self.gone):
                self._say(END, REASONS.index(CloseReason.PEER))
                self._closing = True

    def pending(self) -> bool:
        # Both ends in this process: nobody will read what is left.
        return bool(self.outbox) and here.other(self) is None

    def __del__(self) -> None:
        if not self.gone:
            self.gone = True
            self.socket.close()
            _open.discard(self.socket)
            here.remove(self)


def _owned(handle: Handle) -> Descriptor:
    """*handle*, if it is to be disposed of; a stand-in if it is only lent."""
    return handle if isinstance(handle, Descriptor) else Descriptor(-1)

"""One end of a process channel: a socket of a pair, read and written without ever waiting.

    post ── Packed ── Outbox ──> socketpair ──> ProcessSource ── FrameReader ── Parcel ──> End.items

Bytes that were sent and not taken are counted until the other side acknowledges them: with the next message
that goes back, or when there are many, or some milliseconds later, or at once if somebody waits (ASK).
How ends are put into messages is not known here: ``Freight`` does that.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from threading import RLock
from typing import TYPE_CHECKING, Final, cast

from clonecodec import DataCloneError, DecodeError
from clonecodec.plain import dumps_plain
from transport._drop import drop_all
from transport._io import call_later, io_poller
from transport._process_claim import Owned
from transport._process_outbox import Outbox
from transport._process_owner import here
from transport._process_parcel import Freight, Packed, Parcel, Plain, Shipped, bad, drop_frames, pack
from transport._process_reader import FrameReader
from transport._process_socket import Side
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
    chunks,
    control,
)
from transport.link import NOTHING_LISTED
from transport.message import CloseReason, EndMark, Item, opened

if TYPE_CHECKING:
    from transport._dispatch import Home
    from transport._end import End
    from transport._source import Source

ACK_AT: Final = 1 << 20
"""Bytes taken after which an acknowledgement does not wait any longer."""


class ProcessLink(Owned):
    """From one end through a socket to the other, in this process or in another one."""

    backend = "process"
    source: Source | None

    def __init__(self, end: End, sock: Side, channel: bytes, freight: Freight) -> None:
        """Who makes it calls ``enter``, too."""
        super().__init__()
        self.channel: object = channel
        self.socket: Final = sock
        self.freight: Final = freight
        self.reader: Final = FrameReader(self._hear_messages, self._hear_frame, self._hear_taken)
        self._reading = ProcessSource(sock, self.reader, self._hear_end, self.claim)
        self.source = self._reading
        self.outbox: Final = Outbox(sock, self.flush, self._broken)
        self.lock = RLock()
        """Guards all that follows, and the outbox.  (Re-entrant: a signal handler may post.)"""
        self.posted = 0
        """Bytes of messages that were sent, or are going to be."""
        self.acknowledged = 0
        """Bytes of them that the other side has taken.  (Counted by who reads, so without the lock.)"""
        self._end = end
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

    def enter(self) -> None:
        """From now on this is the link of its end."""
        self._end.taken = self._taken
        here.add(self)

    def read_later(self) -> None:
        """Nobody uses it yet: it is read in a while.  (Nothing is written, so any lock may be held.)"""
        self._reading.put_off(io_poller())

    @property
    def twin(self) -> ProcessLink | None:
        return cast("ProcessLink | None", here.other(self))

    def attend(self, home: Home | None) -> None:
        with self.lock:
            if not (self._closing or self.gone):
                self._reading.resume()
        self._reading.attend(home)

    def leave(self) -> None:
        self._reading.retire()

    # ------------------------------------------------------------------ posting

    def post(self, value: object, transfer: Iterable[object] = NOTHING_LISTED) -> None:
        if self._reading.unclaimed:
            self.use()
        if transfer is NOTHING_LISTED:
            payload = dumps_plain(value)
            if payload is not None:
                lock = self.lock
                lock.acquire()
                try:
                    if not (self._closing or self.gone):
                        self.posted += len(payload)
                        self.outbox.post(payload)
                finally:
                    lock.release()
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
                self.posted += packed.size
                for entry in entries:
                    self.outbox.put(entry)
                return
        self.discard(packed.chunks(shipped))

    def _put(self, entries: Sequence[Chunk], size: int) -> None:
        """Send a frame that is made already."""
        with self.lock:
            if not (self._closing or self.gone):
                self.posted += size
                for entry in entries:
                    self.outbox.put(entry)
                return
        self.discard(entries)

    def send(self, item: Item) -> None:
        if isinstance(item, EndMark):
            self.close(item.reason)
            return
        self.use()
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

    def discard(self, entries: Sequence[Chunk]) -> int:
        """Close the ports in frames that will not be written; what they told of is to be told yet.

        Returns:
            How much the messages in them counted for.
        """
        size, taken = drop_frames(entries, self.freight.adopt)
        with self.lock:
            self.outbox.owed += taken
        return size

    # ------------------------------------------------------------------ writing

    def flush(self) -> None:
        with self.lock:
            if not self.gone:
                self.outbox.flush()
        self._shut_if_done()

    def _broken(self) -> None:
        """Nobody reads any more.  What the other side wrote before is still there to be read."""
        entries, begun = self.outbox.take()
        self.discard(entries[1:] if begun else entries)  # of the first, a part has been written
        self.posted = self.acknowledged

    def close(self, reason: CloseReason) -> None:
        if self._end.ended is None and reason is CloseReason.PEER and self._reading.peeking:
            self.quit()  # dropped by one who has not used it since a fork: another process may
            return
        self.claim()
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
        with self.lock:
            if self.gone:
                return
            self.gone = True
        self._reading.retire()
        with self.lock:
            self.outbox.take()
            self.socket.close()
        self._leave()
        self._settle()

    def _say(self, kind: int, detail: int = 0) -> None:
        """Write a frame without body now, with what is owed.  The lock is held."""
        taken, self.outbox.owed = self.outbox.owed, 0
        self.outbox.put_now(Chunk([control(kind, detail, taken)]))

    def begin_with(self, entries: Sequence[Chunk], *, begun: bool) -> None:
        """Write first what this link's predecessor has left."""
        with self.lock:
            self.outbox.begin_with(entries, begun=begun)

    def _leave(self) -> None:
        here.remove(self)
        self.know(None)

    def part(self) -> tuple[list[Chunk], bool]:
        """This link is to be taken apart: what is not written yet.  The caller takes the socket."""
        self.claim()
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
        if end.alert:
            for _ in payloads:
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
            self.hear_claim(frame)
        elif frame.kind == DISOWN:
            self.know(None)

    def _hear_end(self, reason: CloseReason) -> None:
        self._end.put_end(reason)
        self._settle()

    def _hear_taken(self, size: int) -> None:
        self.acknowledged += size
        if self._waiting:
            self._tell_waiting()

    def _tell_waiting(self) -> None:
        with self.lock:
            amount = self.unacknowledged
            due = [callback for threshold, callback in self._waiting if amount <= threshold]
            self._waiting = [entry for entry in self._waiting if entry[0] < amount]
        for callback in due:
            callback()

    def _settle(self) -> None:
        """Nothing will be taken any more."""
        with self.lock:
            self.posted = self.acknowledged
            due, self._waiting = self._waiting, []
        for _, callback in due:
            callback()

    # ------------------------------------------------------------------ for ``Owned``

    def say_claim(self, pidfd: Descriptor) -> bool:
        with self.lock:
            if self._closing or self.gone:
                return False
            header = HEADER.pack(CLAIM, 0, 1, 0, os.getpid(), 0)
            self.outbox.put_now(Chunk([header], [Borrowed(pidfd.number, pidfd)]))
            return True

    def begin_again(self, *, keep_unsent: bool) -> None:
        self.lock = RLock()
        self._end.forget()
        self._waiting = []
        self._prompt = False
        self._tell_at = 1
        self.outbox.forget(keep=keep_unsent)

    # ------------------------------------------------------------------ acknowledging

    def _taken(self, item: Item) -> None:
        if type(item) is Plain:
            size = len(item)
        elif isinstance(item, Parcel):
            size = item.size
        else:
            return  # it was queued when the channel was one between threads
        lock = self.lock
        lock.acquire()
        try:
            self.outbox.owed += size
            if self.outbox.owed >= self._tell_at:
                self._tell()
        finally:
            lock.release()

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

    @property
    def unacknowledged(self) -> int:
        """Bytes of messages that were sent and not taken."""
        return max(0, self.posted - self.acknowledged)

    def buffered_amount(self) -> int:
        return self.unacknowledged

    def notify(self, threshold: int, callback: Callable[[], None]) -> None:
        self.use()
        with self.lock:
            over = self._closing or self.gone or self._end.ended is not None
            if not over:
                # First this, and then the look: who hears what was taken does it the other way round.
                self._waiting.append((threshold, callback))
                if self.unacknowledged > threshold:
                    self._say(ASK)
        if over:
            callback()
        else:
            self._tell_waiting()

    def drop_oldest(self) -> bool:
        with self.lock:
            entry = self.outbox.drop_oldest()
        if entry is None:
            return False
        size = self.discard([entry])
        with self.lock:
            self.posted -= size
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
            here.remove(self)

"""One end of a process channel: a socket of a pair, read and written without ever waiting.

    post ── Packed ── Outbox ──> socketpair ──> ProcessSource ── FrameReader ── Parcel ──> End.items

Bytes that were sent and not taken are counted until the other side acknowledges them: with the next message that
goes back, or when there are many, or some milliseconds later, or at once if somebody waits (ASK).
How ends are put into messages is not known here: ``Freight`` does that.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from clonecodec import DataCloneError, DecodeError
from transport._drop import drop
from transport._io import give_back_later
from transport._keeper import at_exit
from transport._process_outbox import Outbox
from transport._process_parcel import Packed, Parcel, Shipped, bad
from transport._process_source import ProcessSource
from transport._process_wire import (
    ACK,
    ASK,
    BAD,
    END,
    MESSAGE,
    REASONS,
    Chunk,
    Descriptor,
    Frame,
    FrameReader,
    Handle,
    control,
)
from transport.message import CloseReason, EndMark, Item

if TYPE_CHECKING:
    from transport._end import End
    from transport._source import Source

ACK_AT: Final = 1 << 20
"""Bytes taken after which an acknowledgement does not wait any longer."""

_NOTHING: Final[tuple[object, ...]] = ()


class Freight(Protocol):
    """Who puts ends into messages, and takes them out."""

    def reserve(self, items: Sequence[object]) -> list[socket.socket]:
        """Sockets enough for *items* of a transfer list to be shipped.  OSError if there are no descriptors."""

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
        self.reader: Final = FrameReader(self._hear_message, self._hear_frame)
        self._reading: Final = ProcessSource(sock, self.reader, self._hear_end)
        self.source = self._reading
        self.outbox: Final = Outbox(sock, self._flush, self._broken)
        self.lock: Final = RLock()
        """Guards all that follows, and the outbox.  (Re-entrant: a signal handler may post.)"""
        self.unacknowledged = 0
        self.owed = 0
        """Bytes taken here that the other side has not been told of."""
        self._end: Final = end
        self._prompt = False
        self._ack_is_due = False
        self._waiting: list[tuple[int, Callable[[], None]]] = []
        self._closing = False
        """Has the end mark been queued?"""
        self.gone = False
        """Is the socket closed, or passed on?"""
        self.loans = 0
        """For ``give_back_later``, which is used as a timer."""
        end.taken = self._taken
        _count(channel, 1)
        at_exit(self)

    # ------------------------------------------------------------------ posting

    def post(self, value: object, transfer: Iterable[object] = _NOTHING) -> None:
        packed = Packed(value, transfer)
        if not packed.items:
            self._write(packed.chunks(()), packed.size)
            return
        reserved = self.freight.reserve(packed.items)
        try:
            packed.take()
            self._write(packed.chunks(self.freight.ship(packed.tokens, reserved)), packed.size)
        finally:
            for spare in reserved:
                spare.close()

    def _write(self, entries: Sequence[Chunk | bytes], size: int) -> None:
        with self.lock:
            if not (self._closing or self.gone):
                self.unacknowledged += size
                if self.owed:
                    self._acknowledge()
                for entry in entries:
                    self.outbox.put(entry)
                return
        self.discard(entries)

    def send(self, item: Item) -> None:
        if isinstance(item, EndMark):
            self.close(item.reason)
            return
        try:
            if isinstance(item, Parcel):
                self._write(item.again(), item.size)
                return
            opened = item if type(item) is tuple else cast(Any, item).open()
        except DecodeError as error:
            self._write([bad(str(error))], 0)
            return
        try:
            self.post(*opened)
        except (DataCloneError, OSError) as error:
            self._write([bad(str(error))], 0)
            drop((None, opened[1]))

    def post_raw(self, payload: bytes) -> None:
        """Send what may be no clone at all: for tests."""
        self._write([control(MESSAGE, 0, len(payload)) + payload], len(payload))

    def discard(self, entries: Sequence[Chunk | bytes], *, begun: bool = False) -> None:
        """Close the ports in frames that will not be written; of the first, if *begun*, the kernel has a part."""
        parcels: list[Parcel] = []
        reader = FrameReader(
            lambda payload: None, lambda frame: parcels.append(Parcel(frame.payload(), frame, self.freight.adopt))
        )
        for entry in entries[1:] if begun else entries:
            if isinstance(entry, bytes):
                reader.feed(memoryview(entry))
                continue
            reader.feed_handles([_owned(handle) for handle in entry.handles])
            for view in entry.views:
                reader.feed(memoryview(view))
        for parcel in parcels:
            drop(parcel)

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
        with self.lock:
            if self._closing or self.gone:
                return
            mark = CloseReason.PEER if reason is CloseReason.LOCAL else reason
            self.outbox.put(control(END, REASONS.index(mark)))
            self._closing = True
        self._settle()
        self._reading.retire()
        self._shut_if_done()

    def _shut_if_done(self) -> None:
        with self.lock:
            if self.outbox or self.gone or not self._closing:
                return
            self.gone = True
        # The ports in messages that nobody has read are still to be had, and closed.
        self._reading.drain()
        with self.lock:
            self.outbox.take()
            self.socket.close()
        _count(self.channel, -1)

    def begin_with(self, entries: Sequence[Chunk | bytes], *, begun: bool) -> None:
        """Write first what this link's predecessor has left."""
        with self.lock:
            self.outbox.begin_with(entries, begun=begun)

    def part(self) -> tuple[list[bytes | Chunk], bool]:
        """This link is to be taken apart: what is not written yet.  The caller takes the socket."""
        with self.lock:
            self.gone = True
            _count(self.channel, -1)
            return self.outbox.take()

    # ------------------------------------------------------------------ reading: called in ``pump``

    def _hear_message(self, payload: bytes) -> None:
        self._end.put(Parcel(payload))

    def _hear_frame(self, frame: Frame) -> None:
        if frame.kind in (MESSAGE, BAD):
            self._end.put(Parcel(frame.payload(), frame, self.freight.adopt))
        elif frame.kind == ACK:
            self._hear_ack(frame.length)
        elif frame.kind == ASK:
            with self.lock:
                self._prompt = True
                if self.owed:
                    self._acknowledge()
        elif frame.kind == END:
            self._reading.end(REASONS[frame.payload_start])

    def _hear_end(self, reason: CloseReason) -> None:
        self._end.put_end(reason)
        self._settle()

    def _hear_ack(self, size: int) -> None:
        with self.lock:
            self.unacknowledged = amount = max(0, self.unacknowledged - size)
            due = [callback for threshold, callback in self._waiting if amount <= threshold]
            if due:
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

    # ------------------------------------------------------------------ acknowledging

    def _taken(self, item: Item) -> None:
        if not isinstance(item, Parcel):
            return  # it was queued when the channel was one between threads
        with self.lock:
            self.owed += item.size
            if self.owed >= ACK_AT or self._prompt:
                self._prompt = bool(self._end.items)
                self._acknowledge()
            elif not self._ack_is_due:
                self._ack_is_due = True
                give_back_later(cast(Any, self))

    def _acknowledge(self) -> None:
        owed, self.owed = self.owed, 0
        if not (self._closing or self.gone):
            self.outbox.put(control(ACK, 0, owed))

    def give_back(self) -> None:
        """Some milliseconds after something was taken."""
        with self.lock:
            self._ack_is_due = False
            if self.owed:
                self._acknowledge()

    # ------------------------------------------------------------------ how full the way is

    def buffered_amount(self) -> int:
        return self.unacknowledged

    def notify(self, threshold: int, callback: Callable[[], None]) -> None:
        with self.lock:
            over = self._closing or self.gone or self._end.ended is not None
            if not over and self.unacknowledged > threshold:
                self._waiting.append((threshold, callback))
                self.outbox.put(control(ASK))
                return
        callback()

    def drop_oldest(self) -> bool:
        with self.lock:
            entry = self.outbox.drop_oldest()
        if entry is None:
            return False
        self.discard([entry])
        return True

    # ------------------------------------------------------------------ the end of the program

    def finish(self) -> None:
        with self.lock:
            if not (self._closing or self.gone):
                self.outbox.put(control(END, REASONS.index(CloseReason.PEER)))
                self._closing = True

    def pending(self) -> bool:
        # Both ends in this process: nobody will read what is left.
        return bool(self.outbox) and _ends.get(cast(bytes, self.channel), 0) < 2

    def __del__(self) -> None:
        if not self.gone:
            self.gone = True
            self.socket.close()
            _count(self.channel, -1)


def _owned(handle: Handle) -> Descriptor:
    """*handle*, if it is to be disposed of; a stand-in if it is only lent."""
    return handle if isinstance(handle, Descriptor) else Descriptor(-1)


_ends: Final[dict[object, int]] = {}
"""How many ends of each channel are in this process."""


_counting: Final = RLock()


def _count(channel: object, change: int) -> None:
    with _counting:
        count = _ends.get(channel, 0) + change
        if count:
            _ends[channel] = count
        else:
            _ends.pop(channel, None)

"""One end of a channel of a connection: what is posted and not out yet, and the account of what came in.

    out: post() ─> waiting for credit ─> fragments ─> the connection      credit falls by what goes out
    in:  frames ─> assembly ─> End.items ─> taken()                       allowance falls by what comes in

A receiver grants until one whole message is there, then by what is taken: so a message may be larger than the
window, and an unread channel holds up nobody but itself.  The fields under "out" belong to the writer, which
one thread at a time runs; those under "in" and "account" are guarded by the connection's ``accounts``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from clonecodec import ArrayBuffer, BufferToken, DataCloneError, DecodeError, check_transfer_list, take_all
from transport._drop import drop
from transport._end import End
from transport._relay import relay
from transport._thread_link import convert
from transport.message import CloseReason, EndMark, Item
from transport.socket_frames import ACK, ACKNOWLEDGED, BUFFER, PROBE, TABLE, ProtocolError, frame
from transport.socket_limits import INITIAL_CREDIT, MOST_ATTACHMENTS
from transport.socket_message import Arrived, Assembly, Outgoing
from transport.socket_values import octets_of, pack

if TYPE_CHECKING:
    from transport._source import Source
    from transport.socket_connection import Connection


class SocketLink:
    """From an end to the other side of a connection, on a channel of its own."""

    backend = "socket"

    def __init__(self, connection: Connection, number: int, end: End, *, opened: bool) -> None:
        self.connection: Final = connection
        self.number: Final = number
        self.end: Final = end
        self.source: Source | None = connection
        # Out
        self.out: Final[deque[bytes | Outgoing]] = deque()
        self.credit = connection.peer.credit if opened else 0
        self.opened = opened
        """Does the other side know of the channel?  Until then nothing may go out on it."""
        self.queued = False
        """Is it in the writer's row of links that have something to send?"""
        self.closing: CloseReason | None = None
        """What the end mark will say; None while more may be posted."""
        self.ended = False
        """The end mark is out."""
        # In
        self.assembly: Assembly | None = None
        self.heard_end = False
        self.deaf = False
        """This side has closed: whatever still comes is dropped, and counts as taken."""
        # Account
        self.allowance = INITIAL_CREDIT
        """Bytes that the other side may still send."""
        self.held = 0
        """Bytes of the whole messages that wait to be taken, and how many those are."""
        self.whole = 0
        self.taken = 0
        """Bytes of messages that were taken and not acknowledged yet."""
        self.eager = False
        """The other side wants to know soon what is taken."""
        self.amount = 0
        """Bytes of messages that were posted and not acknowledged yet."""
        self.waiting: list[tuple[int, Callable[[], None]]] = []
        self.probing = False
        end.taken = self.on_taken

    @property
    def channel(self) -> object:
        return self.connection.id, self.number

    # ------------------------------------------------------------------ out

    def post(self, value: object, transfer: Iterable[object] = ()) -> None:
        items = check_transfer_list(transfer) if transfer else []
        payload, buffers = pack(value, items)
        if not items and not buffers:
            self._check_size(len(payload))
            self._submit(payload, len(payload))
            return
        moved = [item.byte_length for item in items if isinstance(item, ArrayBuffer)]
        sizes = [*moved, *(len(octets) for octets, _ in buffers)]
        if len(sizes) > MOST_ATTACHMENTS:
            raise DataCloneError(f"a message takes {MOST_ATTACHMENTS} buffers through a socket")
        ports = len(items) - len(moved)
        self._check_size(TABLE.size + 4 * ports + BUFFER.size * len(sizes) + len(payload) + sum(sizes))
        self.connection.reserve(ports)
        try:
            tokens = take_all(items)
        except BaseException:
            self.connection.reserve(-ports)
            raise
        ends = [token for token in tokens if isinstance(token, End)]
        moving = [octets_of(token) for token in tokens if isinstance(token, BufferToken)]
        self._submit_whole(Outgoing(payload, [*moving, *buffers], self._carry(ends)))

    def _check_size(self, size: int) -> None:
        most = self.connection.peer.message_size
        if size > most:
            raise DataCloneError(f"a message of {size} bytes; the other side of the socket takes {most}")

    def _carry(self, ends: Sequence[End]) -> list[SocketLink]:
        """Give each of *ends*, which leave for the other side, a channel there; return this side's links."""
        links: list[SocketLink] = []
        for end in ends:

            def make_link(peer: End) -> SocketLink:
                link = self.connection.new_link(peer)
                links.append(link)
                return link

            if not convert(end, make_link):
                near = End()
                near.link = make_link(near)
                relay(end, near)
        return links

    def _submit_whole(self, message: Outgoing) -> None:
        self._submit(message, message.size)

    def _submit(self, message: bytes | Outgoing, size: int) -> None:
        connection = self.connection
        with connection.accounts:
            if not self.heard_end:
                self.amount += size
        connection.writer.submit(self, message)

    def send(self, item: Item) -> None:
        if isinstance(item, EndMark):
            self.close(item.reason)
        elif isinstance(item, Arrived):
            self._pass_on(item)
        else:
            try:
                value, transferred = item if isinstance(item, tuple) else item.open()
            except DecodeError:
                self._submit(b"", 0)  # no payload is so short: the receiver hears 'messageerror'
                return
            try:
                self.post(value, transferred)
            except DataCloneError:
                drop((None, transferred))
                self._submit(b"", 0)

    def _pass_on(self, item: Arrived) -> None:
        """A message of another connection, as it is; its ports get channels here."""
        try:
            self._check_size(item.size)
            self.connection.reserve(len(item.ends))
        except DataCloneError:
            drop(item)
            self._submit(b"", 0)
            return
        ends, item.ends = item.ends, ()
        if not ends and not item.buffers:
            payload = bytes(item.payload)
            self._submit(payload, len(payload))
        else:
            self._submit_whole(Outgoing(item.payload, item.buffers, self._carry(ends)))

    def close(self, reason: CloseReason) -> None:
        connection = self.connection
        with connection.accounts:
            if self.deaf:
                return
            self.deaf = True
            connection.held -= self.held
            self.taken += self.held
            self.held = self.whole = 0
        connection.writer.call(lambda: connection.writer.end(self, reason))

    def drop_oldest(self) -> bool:
        oldest = self.connection.writer.take_oldest(self)
        if oldest is None:
            return False
        self._discount(len(oldest) if isinstance(oldest, bytes) else oldest.size)
        self.connection.discard((oldest,))
        return True

    # ------------------------------------------------------------------ in

    def begin(self, size: int) -> None:
        """A frame with *size* bytes of a message comes: may it?

        Raises:
            ProtocolError: nothing more may come on this channel, or not so much.
        """
        if self.heard_end:
            raise ProtocolError(f"a frame on channel {self.number} behind its end")
        with self.connection.accounts:
            self.allowance -= size
            if self.allowance < 0:
                raise ProtocolError(f"channel {self.number} sent more than its credit")

    def arrived(self, messages: list[Arrived]) -> None:
        """Whole messages have come: queue them, and grant what there is to grant."""
        connection = self.connection
        size = sum(message.size for message in messages)
        with connection.accounts:
            if self.deaf:
                self.taken += size
            else:
                self.held += size
                self.whole += len(messages)
                connection.held += size
            answer = self._acknowledgement()
        if self.deaf:
            for message in messages:
                drop(message)
        else:
            put_all(self.end, messages)
        if answer is not None:
            connection.writer.send(self, answer)

    def grant(self) -> None:
        """Bytes of an unfinished message have come: the sender may need more credit to finish it."""
        with self.connection.accounts:
            answer = self._acknowledgement()
        if answer is not None:
            self.connection.writer.send(self, answer)

    def on_taken(self, item: Item) -> None:
        """A message was taken out of the queue: in the taker's thread."""
        if type(item) is not Arrived or item.link is not self:
            return
        connection = self.connection
        starved: list[SocketLink] = []
        with connection.accounts:
            if self.deaf:
                return
            self.held -= item.size
            self.whole -= 1
            self.taken += item.size
            connection.held -= item.size
            unusual = self.eager or connection.starved or self.assembly is not None
            if self.taken < connection.step and not unusual:
                return
            answer = self._acknowledgement()
            if connection.starved and connection.held <= connection.limits.queued_bytes:
                starved = list(connection.starved)
                connection.starved.clear()
        if answer is not None:
            connection.writer.send(self, answer)
        for link in starved:
            link.grant()

    def on_probe(self) -> None:
        with self.connection.accounts:
            self.eager = True
            answer = self._acknowledgement()
        if answer is not None:
            self.connection.writer.send(self, answer)

    def _acknowledgement(self) -> bytes | None:
        """The ACK frame that is due now, if one is.  Called with the accounts held."""
        if self.heard_end:
            return None
        connection = self.connection
        window = connection.limits.window
        if connection.held > connection.limits.queued_bytes:
            first = next(iter(connection.starved), self)
            connection.starved[self] = None
            # One message at a time may be finished, or nothing ever would be.
            if self.whole or self.assembly is None or first is not self:
                window = INITIAL_CREDIT
        held = self.held
        if self.whole and self.assembly is not None:
            held += self.assembly.size - self.assembly.left
        credit = max(0, window - held - self.allowance)
        if credit < window >> 2 and self.taken < window >> 2 and not (self.eager and self.taken):
            return None
        taken, self.taken = self.taken, 0
        self.allowance += credit
        self.eager = False
        return frame(ACK, self.number, ACKNOWLEDGED.pack(credit, taken))

    def on_ack(self, credit: int, taken: int) -> None:
        """The other side has taken *taken* bytes, and grants *credit* more."""
        connection = self.connection
        with connection.accounts:
            if taken > self.amount:
                raise ProtocolError(f"channel {self.number} acknowledged more than was sent")
        if credit:
            connection.writer.call(lambda: connection.writer.grant(self, credit))
        self._discount(taken)

    def _discount(self, size: int) -> None:
        with self.connection.accounts:
            self.amount -= size
            self.probing = False
            due = self._due()
        for callback in due:
            callback()
        if self.waiting:
            self._probe()

    def _due(self) -> list[Callable[[], None]]:
        if not self.waiting:
            return []
        due = [callback for threshold, callback in self.waiting if self.amount <= threshold]
        self.waiting = [entry for entry in self.waiting if self.amount > entry[0]]
        return due

    def lost(self, reason: CloseReason) -> None:
        """The channel is over, in both directions; *reason* is what its port hears."""
        with self.connection.accounts:
            self.heard_end = True
            assembly, self.assembly = self.assembly, None
            self.connection.starved.pop(self, None)
            self.amount = 0
            due = self._due()
        if assembly is not None:
            drop((None, assembly.ends))
        self.end.put_end(reason)
        for callback in due:
            callback()

    # ------------------------------------------------------------------ how full the way is

    def buffered_amount(self) -> int:
        amount = self.amount
        if amount:
            self._probe()
        return amount

    def notify(self, threshold: int, callback: Callable[[], None]) -> None:
        with self.connection.accounts:
            due = self.amount <= threshold
            if not due:
                self.waiting.append((threshold, callback))
        if due:
            callback()
        else:
            self._probe()

    def _probe(self) -> None:
        """Ask the other side to say soon what it has taken; once, until it has answered."""
        with self.connection.accounts:
            if self.probing or self.heard_end:
                return
            self.probing = True
        self.connection.writer.send(self, frame(PROBE, self.number))


def put_all(end: End, messages: list[Arrived]) -> None:
    """``end.put`` for each."""
    end.items.extend(messages)
    for _ in messages:
        if not end.alert:
            return
        end.told()
        if end.onward is not None:
            return  # all have gone there

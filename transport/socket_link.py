"""One end of a channel of a connection: what is posted and not out yet, and the account of what came in.

    out: post() ─> waiting for credit ─> fragments ─> the connection      credit falls by what goes out
    in:  frames ─> assembly ─> End.items ─> taken()                       allowance falls by what comes in

The fields under "out" belong to the writer, which one thread at a time runs; those under "in" to the reader;
the accounts, of what came and of what was posted, are guarded by the connection's ``accounts``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from clonecodec import ArrayBuffer, BufferToken, DataCloneError, DecodeError, check_transfer_list, take_all
from transport._drop import drop, drop_all
from transport._end import End
from transport.link import Link
from transport.message import CloseReason, EndMark, Item, opened
from transport.socket_carry import carry
from transport.socket_credit import Intake
from transport.socket_frames import ACK, ACKNOWLEDGED, BUFFER, PROBE, TABLE, ProtocolError, frame
from transport.socket_limits import MOST_ATTACHMENTS
from transport.socket_message import Arrived, Assembly, Outgoing
from transport.socket_values import octets_of, pack

if TYPE_CHECKING:
    from transport._source import Source
    from transport.socket_connection import Connection

NOTHING: Final = b""
"""A payload that is none: who receives it hears 'messageerror'."""


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
        self.intake: Final = Intake(connection.ledger, number)
        # Account
        self.posted = 0
        """Bytes of messages that were posted: counted by the writer."""
        self.acknowledged = 0
        """How many of them were taken: counted by the reader."""
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
            self.connection.writer.submit(self, payload)
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
        message = Outgoing(payload, [*moving, *buffers], self._carry(ends))
        self.connection.writer.submit(self, message)

    def _check_size(self, size: int) -> None:
        most = self.connection.peer.message_size
        if size > most:
            raise DataCloneError(f"a message of {size} bytes; the other side of the socket takes {most}")

    def _carry(self, ends: Sequence[End]) -> list[SocketLink]:
        """Give each of *ends*, which leave for the other side, a channel there; return this side's links."""
        links: list[SocketLink] = []

        def new_link(hears: End) -> Link:
            link = self.connection.new_link(hears)
            links.append(link)
            return link

        for end in ends:
            carry(end, new_link)
        return links

    @property
    def amount(self) -> int:
        """Bytes of messages that were posted and not taken yet."""
        return 0 if self.heard_end else self.posted - self.acknowledged

    def send(self, item: Item) -> None:
        if isinstance(item, EndMark):
            self.close(item.reason)
        elif isinstance(item, Arrived):
            self._pass_on(item)
        else:
            try:
                value, transferred = opened(item)
            except DecodeError:
                self.post_raw(NOTHING)
                return
            try:
                self.post(value, transferred)
            except DataCloneError:
                drop_all(transferred)
                self.post_raw(NOTHING)

    def post_raw(self, payload: bytes) -> None:
        """Send *payload* as it is."""
        self.connection.writer.submit(self, payload)

    def _pass_on(self, item: Arrived) -> None:
        """A message of another connection, as it is; its ports get channels here."""
        try:
            self._check_size(item.size)
            self.connection.reserve(len(item.ends))
        except DataCloneError:
            drop(item)
            self.post_raw(NOTHING)
            return
        ends = item.carried()
        if not ends and not item.buffers:
            self.post_raw(bytes(item.payload))
        else:
            message = Outgoing(item.payload, item.buffers, self._carry(ends))
            self.connection.writer.submit(self, message)

    def close(self, reason: CloseReason) -> None:
        connection = self.connection
        with connection.accounts:
            if self.intake.closed:
                return
            self.intake.close()
        connection.writer.call(lambda: connection.writer.end(self, reason))
        connection.relieve()

    def drop_oldest(self) -> bool:
        oldest = self.connection.writer.take_oldest(self)
        if oldest is None:
            return False
        self.connection.discard((oldest,))
        self._told()
        return True

    # ------------------------------------------------------------------ in

    def came(self, size: int, *, table: int = 0, fragment: bool = False) -> None:
        """A frame with *size* bytes of a message is here, *table* of them a table: may it be?

        Raises:
            ProtocolError: nothing more may come on this channel, or not so much.
        """
        if self.heard_end:
            raise ProtocolError(f"a message on channel {self.number} behind its end")
        with self.connection.accounts:
            self.intake.came(size, table=table, fragment=fragment)

    def arrived(self, messages: list[Arrived], size: int) -> None:
        """Whole messages of *size* bytes in all have come: queue them, and grant what there is to grant."""
        intake = self.intake
        with self.connection.accounts:
            intake.complete(len(messages), size)
            answer = intake.answer()
        if intake.closed:
            for message in messages:
                drop(message)
        else:
            put_all(self.end, messages)
        if answer is not None:
            self._acknowledge(answer)

    def on_taken(self, item: Item) -> None:
        """A message was taken out of the queue: in the taker's thread."""
        if not isinstance(item, Arrived) or item.link is not self:
            return
        with self.connection.accounts:
            if not self.intake.take(item.size):
                return
            answer = self._answer()
        if answer is not None:
            self._acknowledge(answer)
        self.connection.relieve()

    def on_probe(self) -> None:
        """The other side wants to know soon what is taken."""
        self.intake.eager = True
        self.grant()

    def grant(self) -> None:
        """Tell the other side what it may send, and what was taken, if it is time to."""
        with self.connection.accounts:
            answer = self._answer()
        if answer is not None:
            self._acknowledge(answer)

    def _answer(self) -> tuple[int, int] | None:
        return None if self.heard_end else self.intake.answer()

    def _acknowledge(self, answer: tuple[int, int]) -> None:
        self.connection.writer.send(self, frame(ACK, self.number, ACKNOWLEDGED.pack(*answer)))

    def on_ack(self, credit: int, taken: int) -> None:
        """The other side has taken *taken* bytes, and grants *credit* more."""
        writer = self.connection.writer
        if taken > self.posted - self.acknowledged:
            raise ProtocolError(f"channel {self.number} acknowledged more than was sent")
        self.acknowledged += taken
        if credit:
            writer.call(lambda: writer.grant(self, credit))
        self._told()

    def _told(self) -> None:
        """Less is posted and not taken: call who waits for that."""
        with self.connection.accounts:
            self.probing = False
            due = self._due()
        for callback in due:
            callback()
        if self.waiting:
            self._probe()

    def _due(self) -> list[Callable[[], None]]:
        if not self.waiting:
            return []
        amount = self.amount
        due = [callback for threshold, callback in self.waiting if amount <= threshold]
        self.waiting = [entry for entry in self.waiting if amount > entry[0]]
        return due

    def lost(self, reason: CloseReason) -> None:
        """The channel is over, in both directions; *reason* is what its port hears."""
        with self.connection.accounts:
            self.heard_end = True
            assembly, self.assembly = self.assembly, None
            self.intake.end()
            due = self._due()
        if assembly is not None:
            drop_all(assembly.ends)
        self.end.put_end(reason)
        for callback in due:
            callback()
        self.connection.relieve()

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

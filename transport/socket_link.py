"""One end of a channel of a connection: what is posted and not out yet, and the account of what came in.

    out: post() ─> waiting for credit ─> fragments ─> the connection      credit falls by what goes out
    in:  frames ─> assembly ─> End.items ─> taken()                       allowance falls by what comes in

What comes in as a short message that is plain, as nearly all are, is queued as the value itself; any other as
an ``Arrived``, which is read when somebody takes it.

The fields under "out" belong to the writer, which one thread at a time runs; those under "in" to the reader;
the accounts, of what came and of what was posted, are guarded by the connection's ``accounts``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from clonecodec import ArrayBuffer, BufferToken, DataCloneError, DecodeError, check_transfer_list, take_all
from clonecodec.plain import dumps_plain
from transport._drop import drop, drop_all
from transport._end import End
from transport.link import NOTHING_LISTED, Link
from transport.message import CloseReason, EndMark, Item, opened
from transport.socket_carry import carry
from transport.socket_credit import Intake
from transport.socket_frames import ACK, ACKNOWLEDGED, BUFFER, PROBE, TABLE, ProtocolError, frame
from transport.socket_limits import MOST_ATTACHMENTS, SHORT
from transport.socket_message import Arrived, Assembly, Outgoing
from transport.socket_values import octets_of, pack

if TYPE_CHECKING:
    from transport._dispatch import Home
    from transport._source import Source
    from transport.socket_connection import Connection

NOTHING: Final = b""
"""A payload that is none: who receives it hears 'messageerror'."""


class SocketLink:
    """From an end to the other side of a connection, on a channel of its own."""

    backend = "socket"

    def __init__(
        self, connection: Connection, number: int, end: End, *, opened: bool, alone: bool = True
    ) -> None:
        self.connection: Final = connection
        self._writer: Final = connection.writer
        self.number: Final = number
        self.end: Final = end
        self.source: Source | None = connection
        # Out
        self._most: Final = connection.peer.message_size
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
        self._untold: Final = self.intake.untold
        self._batch: Final = connection.ledger.batch
        # Account
        self.posted = 0
        """Bytes of messages that were posted: counted by the writer."""
        self.acknowledged = 0
        """How many of them were taken: counted by the reader."""
        self.waiting: list[tuple[int, Callable[[], None]]] = []
        self.probing = False
        self.alone: Final = alone
        """Does nothing stand in the queue of *end* but what comes in here?"""
        end.taken = self._on_taken if alone else self._on_taken_among_others

    @property
    def channel(self) -> object:
        return self.connection.id, self.number

    @property
    def twin(self) -> SocketLink | None:
        other = self.connection.other_side
        return None if other is None else other.links.get(self.number)

    def attend(self, home: Home | None) -> None:
        self.connection.attend(home)

    def leave(self) -> None:
        """Nothing: the connection is read for the others."""

    # ------------------------------------------------------------------ out

    def post(self, value: object, transfer: Iterable[object] = NOTHING_LISTED) -> None:
        if transfer is NOTHING_LISTED:
            payload = dumps_plain(value)
            if payload is not None:
                if len(payload) > self._most:
                    self._check_size(len(payload))
                self._writer.submit(self, payload)
                return
        items = check_transfer_list(transfer) if transfer else []
        payload, buffers = pack(value, items)
        if not items and not buffers:
            self._check_size(len(payload))
            self._writer.submit(self, payload)
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
        self._writer.submit(self, Outgoing(payload, [*moving, *buffers], self._carry(ends)))

    def _check_size(self, size: int) -> None:
        most = self._most
        if size > most:
            raise DataCloneError(f"a message of {size} bytes; the other side of the socket takes {most}")

    def _carry(self, ends: Sequence[End]) -> list[SocketLink]:
        """Give each of *ends*, which leave for the other side, a channel there; return this side's links."""
        links: list[SocketLink] = []

        def new_link(hears: End, *, alone: bool) -> Link:
            link = self.connection.new_link(hears, alone=alone)
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
        self._writer.submit(self, payload)

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
            self._writer.submit(self, Outgoing(item.payload, item.buffers, self._carry(ends)))

    def close(self, reason: CloseReason) -> None:
        connection = self.connection
        with connection.accounts:
            if self.intake.closed:
                return
            self.intake.close()
        self._writer.call(lambda: self._writer.end(self, reason))
        connection.relieve()

    def drop_oldest(self) -> bool:
        oldest = self._writer.take_oldest(self)
        if oldest is None:
            return False
        self.connection.discard((oldest,))
        self._told()
        return True

    # ------------------------------------------------------------------ in

    def came(self, size: int, *, table: int = 0) -> None:
        """A part of a message is here, *size* bytes, *table* of which are of a table: may it be?

        Raises:
            ProtocolError: nothing more may come on this channel, or not so much.
        """
        with self.connection.accounts:
            self._may_come()
            self.intake.came(size, table=table, fragment=True)

    def _may_come(self) -> None:
        if self.heard_end:
            raise ProtocolError(f"a message on channel {self.number} behind its end")

    def arrived(self, message: Arrived) -> None:
        """A message that came in parts is whole: queue it, and grant what there is to grant."""
        with self.connection.accounts:
            answer = self._queue((message,), (message.size,))
        self._tell(1, answer)

    def arrived_together(self, messages: Sequence[object], sizes: Sequence[int]) -> None:
        """Whole short messages have come, of *sizes* bytes.

        Raises:
            ProtocolError: as ``came``.
        """
        with self.connection.accounts:
            self._may_come()
            self.intake.came(sum(sizes))
            answer = self._queue(messages, sizes)
        self._tell(len(messages), answer)

    def _queue(self, messages: Sequence[object], sizes: Sequence[int]) -> tuple[int, int] | None:
        """Hold the accounts: who takes one of *messages* must find its size there."""
        intake = self.intake
        intake.complete(sizes)
        if intake.closed:
            for message in messages:
                drop(message)
        else:
            self.end.items.extend(messages)
        return intake.answer()

    def _tell(self, count: int, answer: tuple[int, int] | None) -> None:
        """So many messages have been queued: wake as many who wait, and answer the other side."""
        end = self.end
        while end.alert and count:
            end.told()
            count = 0 if end.onward is not None else count - 1  # all have gone there
        if answer is not None:
            self._acknowledge(answer)

    def _on_taken(self, item: Item) -> None:
        """A message was taken out of the queue: in the taker's thread."""
        untold = self._untold
        untold.append(None)
        enough = len(untold) >= self._batch or not self.end.items or self.intake.eager
        if enough or (isinstance(item, Arrived) and item.size > SHORT):
            self._settle()

    def _on_taken_among_others(self, item: Item) -> None:
        """The same, where messages of another channel may stand in the queue."""
        if isinstance(item, Arrived) and item.link is self:
            self._on_taken(item)

    def _settle(self) -> None:
        with self.connection.accounts:
            self.intake.settle()
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
        self._writer.send(self, frame(ACK, self.number, ACKNOWLEDGED.pack(*answer)))

    def on_ack(self, credit: int, taken: int) -> None:
        """The other side has taken *taken* bytes, and grants *credit* more."""
        writer = self._writer
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
        self._writer.catch_up()
        amount = self.amount
        if amount:
            self._probe()
        return amount

    def notify(self, threshold: int, callback: Callable[[], None]) -> None:
        self._writer.catch_up()
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
        self._writer.send(self, frame(PROBE, self.number))

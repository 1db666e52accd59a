"""Credit: how much the other side may send on each channel, so that what waits to be taken is bounded.

    allowance   what it may still send          falls by what comes, rises by what is granted
    load        what has come and waits         rises by what comes, falls by what is taken

A channel is granted up to its window, less its load; bytes of an unfinished message do not count while no
whole one waits, so that a message may be larger than the window.  All grants of a connection together
are bounded: past that a channel gets what every channel starts with, and no more than one at a time
may finish a message beyond it.

Everything in here is called with ``Ledger.lock`` held.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Final

from transport.socket_frames import ProtocolError
from transport.socket_limits import INITIAL_CREDIT, SHORT, Limits

SETTLED: Final = 64
"""Messages that are taken before they are entered in the account, if the window is large."""


class Ledger:
    """What all channels of a connection have in common."""

    def __init__(self, limits: Limits) -> None:
        self.lock = threading.RLock()
        self.window: Final = limits.window
        self.step: Final = limits.window >> 2
        """Bytes that are taken, or that there is room for, before the other side is told unasked."""
        self.batch: Final = max(1, min(SETTLED, self.step // SHORT))
        """Short messages that are taken before it is worth a look whether somebody should be told."""
        self.limit: Final = limits.queued_bytes
        self.held = 0
        """Bytes that wait on all channels."""
        self.committed = 0
        """Bytes that were granted beyond INITIAL_CREDIT a channel, and neither taken nor dropped yet."""
        self.starved: Final[dict[Intake, None]] = {}
        """Channels that got less than they could have, the longest waiting first."""

    def relieved(self) -> list[Intake]:
        """The channels that are to be looked at again, now that something has been taken."""
        if not self.starved or self.committed >= self.limit:
            return []
        relieved = list(self.starved)
        self.starved.clear()
        return relieved


class Intake:
    """The account of one channel."""

    __slots__ = (
        "_ledger",
        "_partial",
        "_sizes",
        "allowance",
        "closed",
        "eager",
        "load",
        "number",
        "taken",
        "untold",
    )

    def __init__(self, ledger: Ledger, number: int) -> None:
        self._ledger: Final = ledger
        self.number: Final = number
        self.allowance = INITIAL_CREDIT
        self.load = 0
        self._partial = 0
        """How much of the load is of a message that is not whole."""
        self._sizes: Final[deque[int]] = deque()
        """Of the messages that came whole and are not entered as taken."""
        self.untold: Final[deque[None]] = deque()
        """An entry for each message that was taken and is not entered.  Who takes it appends it, without a
        lock."""
        self.taken = 0
        """Bytes of messages that were taken, of which the other side does not know."""
        self.eager = False
        """The other side wants to know soon."""
        self.closed = False
        """What comes is dropped at once."""

    def came(self, size: int, *, table: int = 0, fragment: bool = False) -> None:
        """*size* bytes come, *table* of which count as no message's.

        Raises:
            ProtocolError: they are more than may be sent.
        """
        self.allowance -= size
        if self.allowance < 0:
            raise ProtocolError(f"channel {self.number} sent more than its credit")
        self._ledger.committed -= table
        size -= table
        if fragment:
            self._partial += size
        self.load += size
        self._ledger.held += size

    def complete(self, sizes: Sequence[int]) -> None:
        """Messages of *sizes* bytes are whole."""
        self._partial = 0
        if self.closed:
            self._release(sum(sizes))
        else:
            self._sizes.extend(sizes)

    def settle(self) -> None:
        """Enter what was taken: for a batch of messages, as there are so many."""
        untold, sizes = self.untold, self._sizes
        if self.closed:
            untold.clear()
            return
        total = 0
        for _ in range(len(untold)):
            untold.popleft()
            total += sizes.popleft()
        if total:
            self._release(total)

    def _release(self, size: int) -> None:
        self.load -= size
        self.taken += size
        self._ledger.held -= size
        self._ledger.committed -= size

    def close(self) -> None:
        """Nobody takes anything any more: all that waits counts as taken, and so will what comes."""
        if not self.closed:
            self.closed = True
            self._release(self.load - self._partial)
            self._sizes.clear()

    def end(self) -> None:
        """Nothing comes any more: what was granted and not used is free for others."""
        ledger = self._ledger
        ledger.starved.pop(self, None)
        ledger.held -= self._partial
        ledger.committed -= self._partial + self.allowance - INITIAL_CREDIT
        self.load -= self._partial
        self._partial = 0
        self.allowance = INITIAL_CREDIT

    def answer(self) -> tuple[int, int] | None:
        """What to tell the other side now: bytes granted and bytes taken, if there is something to tell."""
        self.settle()
        ledger = self._ledger
        load = self.load if self._sizes else self.load - self._partial
        credit = ledger.window - load - self.allowance
        step = ledger.step
        if credit > 0 and ledger.committed + credit > ledger.limit:
            first = next(iter(ledger.starved), self)
            ledger.starved[self] = None
            waits = ledger.held > ledger.limit and self._partial and first is not self
            credit = 0 if waits else INITIAL_CREDIT - load - self.allowance
            step = INITIAL_CREDIT >> 2
        credit = max(0, credit)
        if credit < step and self.taken < step and not (self.eager and self.taken):
            return None
        taken, self.taken = self.taken, 0
        self.allowance += credit
        ledger.committed += credit
        self.eager = False
        return credit, taken

"""Link: what a backend must be.  The smallest thing that can carry messages, in order, to the other end.

    MessagePort ── End (queue, what travels) ── Link ··· the other side's Link ── End ── MessagePort

Out: the port calls ``post`` (or ``send``, for what is already a queue item) and ``close``.
In: the link calls ``end.put(item)`` for each message and ``end.put_end(reason)`` once, from any thread.

Which lock?  A port calls its link with no lock held; a link calls ``put`` and ``put_end`` with no lock of
its own that ``post``, ``send``, ``close`` or ``taken`` would want.  ``put`` runs no user code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, Protocol

from clonecodec import clone_with_transfer
from transport._drop import drop, drop_all
from transport.message import CloseReason, Item

if TYPE_CHECKING:
    from transport._dispatch import Home
    from transport._source import Source


NOTHING_LISTED: Final[tuple[object, ...]] = ()
"""The transfer list of nearly every message."""


class Link(Protocol):
    """One end of a channel's way to its other end."""

    backend: str
    """``"thread"``, ``"process"`` or ``"socket"``; "closed" for ``NoLink``."""

    @property
    def channel(self) -> object:
        """Equal for the two ends of one channel in this process, and for nothing else."""

    @property
    def source(self) -> Source | None:
        """The descriptor that must be read for messages to come in; None if they come in by themselves."""

    @property
    def twin(self) -> Link | None:
        """The link of the channel's other end, if that is in this process, too."""

    def attend(self, home: Home | None) -> None:
        """The end has a port, whose listeners run in *home*; None if it has none: have messages come in."""

    def leave(self) -> None:
        """The end has lost its port: have none come in, until ``attend``.

        Call it with no lock that ``End.put`` takes: when it returns, nobody is reading for this end.
        """

    def post(self, value: object, transfer: Iterable[object] = NOTHING_LISTED) -> None:
        """Clone *value* now, move what *transfer* lists, and queue the message for the other end.

        Never blocks and never delivers.  If the other end is gone, the message is cloned, its list
        is moved, and then it is dropped with all that it carries.  The list is checked first
        (``check_transfer_list``), the value is serialized next, and what is listed moves last
        (``take_all``).

        Raises:
            DataCloneError: and then nothing has moved and nothing was sent.
        """

    def send(self, item: Item) -> None:
        """Queue *item* for the other end: one that came out of another queue, on its way through.

        It belongs to the link from now on.  A value is packed, and what a ``Carrier`` carries moves on;
        a value that this link cannot carry arrives as a 'messageerror'.  An ``EndMark`` is ``close``.
        Never raises, never blocks.
        """

    def close(self, reason: CloseReason) -> None:
        """Let the other end see the end mark behind all that was sent; later sends are dropped.

        The other side's reason is PEER if *reason* is LOCAL, else *reason* itself.  It is PEER here if nobody
        has called ``close()``, but the port was collected.  May be called again.
        What was sent before still goes out; the descriptor is closed when it has.
        """

    def buffered_amount(self) -> int:
        """Bytes that were sent and are not yet taken by the other side.  0 when all is taken, or closed."""

    def notify(self, threshold: int, callback: Callable[[], None]) -> None:
        """Call *callback* once, from any thread, when no more than *threshold* bytes are not yet taken.

        Or when the channel closes.  It is called at once if it is so already.
        """

    def drop_oldest(self) -> bool:
        """Drop the oldest message that is not yet out of this link's hands; False if there is none."""


class NoLink:
    """The link of a port that is closed or was transferred: everything is checked, moved, and dropped."""

    backend = "closed"
    source: Source | None = None
    twin: Link | None = None

    def __init__(self) -> None:
        self.channel: object = self

    def attend(self, home: Home | None) -> None:
        pass

    def leave(self) -> None:
        pass

    def post(self, value: object, transfer: Iterable[object] = NOTHING_LISTED) -> None:
        drop_all(clone_with_transfer(value, transfer)[1])

    def send(self, item: Item) -> None:
        drop(item)

    def close(self, reason: CloseReason) -> None:
        pass

    def buffered_amount(self) -> int:
        return 0

    def notify(self, threshold: int, callback: Callable[[], None]) -> None:
        callback()

    def drop_oldest(self) -> bool:
        return False

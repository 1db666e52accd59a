"""What stands in a port's queue.

    item   = opened | Sealed | EndMark
    opened = (value, transferred)      a live clone, and the new live object for each entry of its transfer
    list

An opened item is a bare tuple because ``clone_with_transfer`` returns one: the thread backend
queues it as it is.  The other backends queue a ``Sealed``, which is decoded when somebody takes it,
in his thread.  The end mark is the last item of every queue: closing is a message.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias


class CloseReason(enum.Enum):
    """Why a port closed; the value is a sentence's end for people."""

    LOCAL = "this side called close()"
    PEER = "the other side closed it"
    PEER_DIED = "the other side died, or the connection to it broke"
    LOST = "it was lost in a transfer"
    PROTOCOL_ERROR = "the other side broke the protocol"


class Message(NamedTuple):
    """A value that arrived, and the ports that came with it, in the order of the transfer list.

    A message is always true, whatever its value: ``None`` and ``undefined`` are values too.
    """

    value: object
    ports: tuple[object, ...] = ()


Opened: TypeAlias = tuple[object, Sequence[object]]


class Sealed(Protocol):
    """A message that is still bytes and attachments: what a backend that serializes puts in a queue."""

    @property
    def size(self) -> int:
        """What it counts for in ``buffered_amount``: the bytes of its payload."""

    def open(self) -> Opened:
        """The value, and the live object for each entry of the transfer list.  At most once.

        Raises:
            DecodeError: it is not a message; what it carried has been disposed of.  The port emits
                'messageerror' with the error, or ``receive`` raises it.
        """

    def dispose(self) -> Sequence[object]:
        """Nobody will take it: let go of buffers and descriptors, and return the ports (or ends) it carried.

        The caller closes those; so a port in a message in a port is no recursion.
        """


class EndMark:
    """The last item of a queue."""

    __slots__ = ("reason",)

    def __init__(self, reason: CloseReason) -> None:
        self.reason = reason

    def __repr__(self) -> str:
        return f"EndMark({self.reason.name})"


Item: TypeAlias = "Opened | Sealed | EndMark"

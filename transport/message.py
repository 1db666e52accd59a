"""What stands in a port's queue.

    item = value | Carrier | Sealed | EndMark

Between threads nearly every item is the bare clone: nothing more to make, or for the garbage collector to
look through, while thousands wait.  What is no bare clone is a ``Wrapped``, which nothing that can be cloned
is.  A value with what was transferred is a ``Carrier``.  The backends that serialize queue a ``Sealed``,
which is decoded when somebody takes it, in his thread.  (Short plain messages over a socket are decoded when
they come, and bare.)  The end mark is the last item of every queue: closing is a message.
"""

from __future__ import annotations

import enum
from abc import abstractmethod
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias


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
"""A live value, and the new live object for each entry of its transfer list."""


class Wrapped:
    """An item that is not itself a value."""

    __slots__ = ()


class Carrier(Wrapped):
    """A value, and the new live object for each entry of its transfer list."""

    __slots__ = ("carried", "value")

    def __init__(self, value: object, carried: Sequence[object]) -> None:
        self.value = value
        self.carried = carried


class Sealed(Wrapped):
    """A message that is still bytes and attachments: what a backend that serializes puts in a queue."""

    __slots__ = ()

    size: int
    """What it counts for in ``buffered_amount``: the bytes of its payload."""

    @abstractmethod
    def open(self) -> Opened:
        """The value, and the live object for each entry of the transfer list.  At most once.

        Raises:
            DecodeError: it is not a message; what it carried has been disposed of.  The port emits
                'messageerror' with the error, or ``receive`` raises it.
        """

    @abstractmethod
    def dispose(self) -> Sequence[object]:
        """Nobody will take it: let go of buffers and descriptors, and return the ports (or ends) it carried.

        The caller closes those; so a port in a message in a port is no recursion.
        """


class EndMark(Wrapped):
    """The last item of a queue."""

    __slots__ = ("reason",)

    def __init__(self, reason: CloseReason) -> None:
        self.reason = reason

    def __repr__(self) -> str:
        return f"EndMark({self.reason.name})"


Item: TypeAlias = object
"""Anything in a queue."""

NOTHING: Final = Wrapped()
"""What is taken from an empty queue.  (None is a value.)"""


def opened(item: Item) -> Opened:
    """What is in a message.

    Raises:
        DecodeError: as ``Sealed.open``.
    """
    if isinstance(item, Sealed):
        return item.open()
    if isinstance(item, Carrier):
        return item.value, item.carried
    return item, ()

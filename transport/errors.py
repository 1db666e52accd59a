"""What can go wrong with a port, as a family of exceptions.

PortError
├── PortClosedError    there is nothing left to receive, and nothing will come   .reason
└── BufferFullError    the high-water mark is reached, and the policy says so    .buffered_amount

A value that cannot be cloned is ``clonecodec.DataCloneError``; bytes that are no clone are
``clonecodec.DecodeError``; a wait that took too long is the built-in ``TimeoutError``.
"""

from __future__ import annotations

from transport.message import CloseReason


class PortError(Exception):
    """Something that a port was asked for cannot be had."""


class PortClosedError(PortError):
    """The port is closed, and all that arrived before has been taken.

    Attributes:
        reason: the port's ``CloseReason``; None for a port that was transferred away.
    """

    def __init__(self, reason: CloseReason | None = None) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        if self.reason is None:
            return "the port was transferred: this object is detached"
        return f"the port is closed: {self.reason.value}"


class BufferFullError(PortError):
    """More is posted and not yet taken than the high-water mark allows.

    Attributes:
        buffered_amount: what ``port.buffered_amount`` was.
        high_water_mark: the mark of the port.
    """

    def __init__(self, buffered_amount: int, high_water_mark: int) -> None:
        super().__init__(buffered_amount, high_water_mark)
        self.buffered_amount = buffered_amount
        self.high_water_mark = high_water_mark

    def __str__(self) -> str:
        return f"{self.buffered_amount} bytes are posted and not taken; the mark is {self.high_water_mark}"

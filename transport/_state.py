"""The states of a port, as a table.

                 START             CLOSE              END
    PAUSED  <------------> FLOWING --------> CLOSING -----> CLOSED
       |         STOP         |                               ^
       |                      |  END (of the peer's making)   |
       +----------------------+-------------------------------+
       |                      |
       |       TRANSFER       v           RESTORE
       +-----------------> DETACHED -----------------> PAUSED

CLOSING is the time between one's own close(), or a look at ``closed`` that saw the other's, and the 'close'
event; if nobody listens, it is over at once.  A transfer that fails as a whole puts back what it took:
RESTORE.  Everything else that a port knows of its life (is a message queued? has the peer gone?) is in its
queue, not here.
"""

from __future__ import annotations

import enum
from typing import Final


class State(enum.Enum):
    """What a port can be."""

    PAUSED = "paused"
    FLOWING = "flowing"
    CLOSING = "closing"
    CLOSED = "closed"
    DETACHED = "detached"

    __hash__ = object.__hash__  # they are one of a kind: enum hashes their names, in Python


class Input(enum.Enum):
    """What can happen to a port."""

    START = "start"
    STOP = "stop"
    CLOSE = "close"
    END = "end"
    TRANSFER = "transfer"
    RESTORE = "restore"

    __hash__ = object.__hash__


LIVE: Final = frozenset({State.PAUSED, State.FLOWING})
"""The states in which a port may be transferred and has a peer to post to."""

TRANSITIONS: Final[dict[tuple[State, Input], State]] = {
    (State.PAUSED, Input.START): State.FLOWING,
    (State.PAUSED, Input.STOP): State.PAUSED,
    (State.PAUSED, Input.CLOSE): State.CLOSING,
    (State.PAUSED, Input.END): State.CLOSED,
    (State.PAUSED, Input.TRANSFER): State.DETACHED,
    #
    (State.FLOWING, Input.START): State.FLOWING,
    (State.FLOWING, Input.STOP): State.PAUSED,
    (State.FLOWING, Input.CLOSE): State.CLOSING,
    (State.FLOWING, Input.END): State.CLOSED,
    (State.FLOWING, Input.TRANSFER): State.DETACHED,
    # On its way out, a port does as it is told and nothing comes of it
    (State.CLOSING, Input.START): State.CLOSING,
    (State.CLOSING, Input.STOP): State.CLOSING,
    (State.CLOSING, Input.CLOSE): State.CLOSING,
    (State.CLOSING, Input.END): State.CLOSED,
    #
    (State.CLOSED, Input.START): State.CLOSED,
    (State.CLOSED, Input.STOP): State.CLOSED,
    (State.CLOSED, Input.CLOSE): State.CLOSED,
    (State.CLOSED, Input.END): State.CLOSED,
    #
    (State.DETACHED, Input.START): State.DETACHED,
    (State.DETACHED, Input.STOP): State.DETACHED,
    (State.DETACHED, Input.CLOSE): State.DETACHED,
    (State.DETACHED, Input.END): State.DETACHED,
    (State.DETACHED, Input.RESTORE): State.PAUSED,
}
"""Every legal step.  A pair that is not here is refused by ``step``."""


class PortStateError(RuntimeError):
    """A step that is not in the table: a fault of this library, never of its user."""


def step(state: State, event: Input) -> State:
    """The state after *event*.

    Raises:
        PortStateError: a port in *state* knows no such step.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise PortStateError(f"cannot {event.value} a port that is {state.value}") from None

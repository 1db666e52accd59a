"""The high-water mark: what a post does when so many bytes are posted and not yet taken.

grow          queue all the same (there is no mark, then)
raise         raise BufferFullError
block         wait for the other side; raise where that would keep listeners from running
drop-oldest   drop what was posted first
"""

from __future__ import annotations

from threading import Event
from typing import Final, Literal, TypeAlias, get_args

from transport._dispatch import dispatcher
from transport._end import End
from transport._listening import current_home
from transport.errors import BufferFullError

Policy: TypeAlias = Literal["grow", "raise", "block", "drop-oldest"]


class HighWater:
    """A mark, and the policy for it.

    Args:
        mark: bytes.
        policy: of those above; "grow" needs no mark.

    Raises:
        ValueError: there is no such policy, or *mark* is negative.
    """

    def __init__(self, mark: int, policy: Policy) -> None:
        if policy not in get_args(Policy):
            raise ValueError(f"no such policy: {policy!r}")
        if mark < 0:
            raise ValueError("the high-water mark is a number of bytes")
        self.mark: Final = mark
        self._policy: Final = policy

    def make_room(self, end: End) -> None:
        """Before a post through *end*: see that there is room for it.

        Raises:
            BufferFullError: there is none, and the policy is to say so.
        """
        link = end.link
        amount = link.buffered_amount()
        if amount < self.mark or amount == 0:
            return
        if self._policy == "drop-oldest":
            while link.buffered_amount() >= self.mark and link.drop_oldest():
                pass
        elif self._policy == "block" and not _runs_listeners():
            self._block(end)
        else:
            raise BufferFullError(amount, self.mark)

    def _block(self, end: End) -> None:
        enough = max(self.mark, 1)
        while (link := end.link).buffered_amount() >= enough:  # the end may get another link meanwhile
            room = Event()
            link.notify(enough - 1, room.set)
            room.wait()


def _runs_listeners() -> bool:
    """Would blocking this thread keep listeners from running?"""
    return dispatcher().runs_here() or current_home().is_loop

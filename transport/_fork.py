"""After a fork, in the child: threads are gone, and what they were at is the parent's work.

Dispatcher, I/O thread, keeper and the list of what is to be dropped start anew, when they are first needed.
Inherited ports are dormant: a port remembers the process it was opened in, and its collection elsewhere does
nothing.
"""

from __future__ import annotations

import os

from transport import _dispatch, _io, _keeper


def _after_in_child() -> None:
    _dispatch.forget()
    _io.forget()
    _keeper.forget()


def install() -> None:
    """Have it done in every child that this process forks."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_in_child)

"""After a fork, in the child: threads are gone, and what they were at is the parent's work.

Dispatcher, I/O thread, keeper and the list of what is to be dropped start anew, when they are first needed.
Inherited ports are dormant: a port remembers the process it was opened in, and its collection elsewhere does
nothing.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

from transport import _dispatch, _gather, _io, _keeper, _relay, _source, _worker_home


def _before() -> None:
    # multiprocessing may be about to fork with a port among its arguments.
    if "multiprocessing.popen_fork" in sys.modules or "transport._process_link" in sys.modules:
        import_module("transport._process_fork").before()


def _after_in_parent() -> None:
    if "transport._process_fork" in sys.modules:
        import_module("transport._process_fork").after_in_parent()


def _after_in_child() -> None:
    _dispatch.forget()
    _gather.forget()
    _io.forget()
    _keeper.forget()
    _relay.forget()
    _source.forget()
    _worker_home.forget()
    if "transport._process_fork" in sys.modules:
        import_module("transport._process_fork").after_in_child()


def install() -> None:
    """Have it done in every child that this process forks."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)

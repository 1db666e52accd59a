"""What a fork does to process channels: nothing is pickled, so ownership is said in-band.

    before      ends that nobody uses are read no more; the others tell their peers who owns them
    parent      ends among the new process's arguments are dead here; the unused ones only look for a claim
    child       all ends are dormant: the first use claims one, and those among the arguments at once

A channel between threads cannot outlive a fork: if an end of it is among the arguments, it becomes a process
channel first.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Final

from transport._emitter import Emitter
from transport._end import End
from transport._process_link import ProcessLink
from transport._process_outbox import flush_bursts
from transport._process_outbox import forget as forget_outboxes
from transport._process_owner import after_in_child as _forget_owners
from transport._process_owner import here, own_pidfd
from transport._process_ship import FREIGHT, duplicates
from transport._state import LIVE, State
from transport.port import MessagePort


class _Fork:
    """The fork that is under way in this thread."""

    leaving: list[MessagePort]
    pid: int

    def __init__(self) -> None:
        self.leaving = []
        self.pid = os.getpid()


_fork: Final = _Fork()


def before() -> None:
    """In the parent, before a fork."""
    _fork.pid = os.getpid()
    _fork.leaving = [port for port in _ports_in(_process_being_started()) if port._state in LIVE]
    for port in _fork.leaving:
        _make_ready(port)
    links = [link for link in here if isinstance(link, ProcessLink)]
    if not links:
        return
    own_pidfd()
    flush_bursts()
    for link in links:
        link.before_fork()
    if _fork.leaving:
        from multiprocessing import util  # it is this that forks

        util.register_after_fork(_fork, _claim)


def _make_ready(port: MessagePort) -> None:
    """Have *port* over a process channel, and nobody in the middle of reading it."""
    token = port.transfer_take()
    assert isinstance(token, End)
    if not isinstance(token.link, ProcessLink):
        [(state, handles)] = FREIGHT.ship([token], [])
        token = FREIGHT.adopt(state, duplicates(handles))
    port.transfer_restore(token)
    if token.link.source is not None:
        token.link.source.retire()


def after_in_parent() -> None:
    """In the parent: what has left is dead here."""
    leaving, _fork.leaving = _fork.leaving, []
    for port in leaving:
        link = port._end.link
        if isinstance(link, ProcessLink):
            link.lose()
    for left in here:
        if isinstance(left, ProcessLink):
            left.after_fork()


def after_in_child() -> None:
    """In the child: all is dormant."""
    leaving = {id(port._end.link) for port in _fork.leaving}
    links = [link for link in here if isinstance(link, ProcessLink)]
    forget_outboxes()
    _forget_owners(_fork.pid)
    for link in links:
        link.become_dormant(keep_unsent=id(link) in leaving)
        port = link.port()
        if port is not None:
            _make_new(port)


def _make_new(port: MessagePort) -> None:
    """An inherited port is as one that came in a message: not started, not ref'd, no listeners."""
    Emitter.__init__(port)
    port._hearers = ()
    port._home = None
    port._refd = False
    port._turning = 0
    if port._state is State.FLOWING:
        port._state = State.PAUSED


def _claim(fork: _Fork) -> None:
    """In the child, called by multiprocessing: the ports among the arguments are ours."""
    leaving, fork.leaving = fork.leaving, []
    for port in leaving:
        link = port._end.link
        if isinstance(link, ProcessLink):
            link.claim()
            port._watch()


def _process_being_started() -> object:
    """The multiprocessing.Process for which this thread is forking, if it is that."""
    module = sys.modules.get("multiprocessing.popen_fork")
    if module is None:
        return None
    code = module.Popen._launch.__code__
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return None if frame is None else frame.f_locals.get("process_obj")


def _ports_in(process: object) -> list[MessagePort]:
    """The ports among the arguments and attributes of *process*, however deep in containers."""
    found: dict[int, MessagePort] = {}
    seen: set[int] = set()
    todo: list[object] = list(vars(process).values()) if process is not None else []
    while todo:
        thing = todo.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, MessagePort):
            found[id(thing)] = thing
        elif isinstance(thing, dict):
            todo += thing.keys()
            todo += thing.values()
        elif isinstance(thing, (list, tuple, set, frozenset)):
            todo += thing
    return list(found.values())

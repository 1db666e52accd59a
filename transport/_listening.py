"""The listening half of a port: its state, its listeners, their home, and what keeps the program alive.

The home is an asyncio loop or the dispatcher; the first 'message' listener since the last stop chooses it.
While a port flows and nothing is queued, ``End.idle`` wakes it; a scheduled or paused port is not
woken by messages, only by the end mark.  ``End.lock`` guards ``_state``, ``_home`` and ``_end`` too.
"""

from __future__ import annotations

import sys
import weakref
from abc import abstractmethod
from collections.abc import Callable, Coroutine
from functools import partial
from os import getpid
from threading import Lock
from time import monotonic
from types import CoroutineType
from typing import Any, Final, TypeAlias

from transport import _drop
from transport._dispatch import Call, Home, dispatcher
from transport._emitter import Emitter
from transport._end import End
from transport._keeper import keeper
from transport._state import LIVE, Input, State, step
from transport._worker_home import WorkerHome, here, own
from transport.message import CloseReason

GRACE: Final = 0.01
"""Seconds that the thread which first starts a port has to attach other listeners before one is called.

In Node and in a loop the rest of the turn is that time: what is queued (the end mark, too) waits for all
the listeners that are attached in one go, whatever their order.
"""

Listeners: TypeAlias = tuple[Callable[..., Any], ...]

_CO_COROUTINE: Final = 0x80  # inspect.CO_COROUTINE, without importing inspect


def is_async(f: Callable[..., object]) -> bool:
    """Is *f* an ``async def`` function, or an object with an ``async def __call__``?"""
    while isinstance(f, partial):
        f = f.func
    f = getattr(f, "__func__", f)
    if not hasattr(f, "__code__"):
        f = type(f).__call__
    code = getattr(f, "__code__", None)
    return code is not None and bool(code.co_flags & _CO_COROUTINE)


def current_home() -> Home:
    """The asyncio loop that is running in this thread, else the dispatcher: in a worker, by its home."""
    if "asyncio" in sys.modules:
        from transport._aio import running_home  # asyncio is there, so this costs nothing

        home = running_home()
        if home is not None:
            return home
    return here() or dispatcher()


class Listening(Emitter):
    """An event emitter over an end: whether its messages flow, and where their listeners run."""

    _end: End
    _state: State
    _home: Home | None
    _refd: bool
    _reason: CloseReason | None
    _hearers: Listeners
    _turning: int
    _settled: float | None
    _spawned: bool
    _lingers: bool
    _untouched: bool = False
    """Has it come in a message, and nobody has done anything with it yet?"""
    _pid: int
    worker: WorkerHome | None = None
    """The worker that owns the port: who opened it, took it, or was the last to start it."""

    def _open(self, end: End) -> None:
        super().__init__()
        self._end = end
        self._state = State.PAUSED
        self._home = None
        self._refd = False
        self._reason = None
        self._hearers = ()
        self._turning = 0
        """The thread that is in ``turn``, or 0."""
        self._settled = None
        """When the dispatcher may deliver; None before the first start, 0 when that is long past.
        Of one that closed when nobody listened: until when somebody still may, to hear 'close'."""
        self._spawned = False
        """Are there tasks of 'async def' listeners that may not have begun yet?"""
        self._lingers = False
        """Does 'close' wait for them?"""
        self._pid = getpid()
        if _drop.pending():
            _drop.collect()  # a program that only makes and drops channels has no dispatcher to do it
        self._own(end)

    def _own(self, end: End) -> None:
        with end.lock:
            self._be_owner(end)
            due = end.ended is not None
        self._watch()
        if due:
            self.wake()

    def adopt(self) -> None:
        """In a forked child: an inherited port is this process's own from now on, with its listeners."""
        self._lock = Lock()
        end = self._end
        end.forget()
        if end.link.source is not None:
            end.link.source.forget()
        self._pid = getpid()
        self._home = None
        self._refd = False
        self._turning = 0
        self._state = step(self._state, Input.STOP)
        self._own(end)
        if self._hearers:
            self._listener_added("message", first=True)

    def __del__(self) -> None:
        # A forked child's copy of a port is not the port.
        if getattr(self, "_state", None) in LIVE and self._pid == getpid():
            _drop.orphan(self._end)

    # ------------------------------------------------------------------ listeners

    def _add_event_handler(self, event: str, k: Callable[..., Any], v: Callable[..., Any]) -> None:
        home = current_home()
        decides = self._home is None or (event == "message" and self.listener_count(event) == 0)
        if is_async(k) and not (home if decides else self._home or home).is_loop:
            raise TypeError("an 'async def' listener needs a running asyncio loop: attach it inside one")
        super()._add_event_handler(event, k, v)

    def _listener_added(self, event: str, *, first: bool) -> None:
        dispatcher().start()  # it hears of collected peers, and cannot be started once the program ends
        if event == "message" and first:
            with self._end.lock:
                if self._state not in LIVE:
                    return
                self._home = current_home()
                self._spawned = self._lingers = False
                self._set_ref(True)
            own(self)
            self._flow()
        elif self._home is None:
            self._home = current_home()
            self._watch()
        self._touch()
        if event == "close" and self._state is State.CLOSED and self._settled:
            late, self._settled = monotonic() > self._settled, 0
            if not late:
                (self._home or dispatcher()).schedule(Call(self._emit_close))

    def _touch(self) -> None:
        """Somebody has the port in his hands: if it was closed on its way to him, 'close' may come now."""
        if self._untouched:
            self._untouched = False
            if self._end.ended is not None:
                self.wake()

    def _listeners_changed(self, event: str) -> None:
        end = self._end
        with end.lock:
            if event == "message":
                self._hearers = tuple(self._events.get(event, {}).values())
                if not self._hearers:
                    self._last_listener_removed()
            if self._state in LIVE and self._end is end:
                self._be_owner(end)

    def _be_owner(self, end: End) -> None:
        """Have *end* tell this port; with listeners, it also keeps the port, which nobody else may hold."""
        end.owner = self._itself if self._events else weakref.ref(self)

    def _itself(self) -> Listening:
        return self

    def _last_listener_removed(self) -> None:
        """The lock is held, so that a message is not taken for listeners that have just gone."""
        self._state = step(self._state, Input.STOP)
        self._end.idle = None
        self._set_ref(False)

    def _emit_run(self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        result = f(*args, **kwargs)
        if type(result) is CoroutineType:
            self._spawn(result)

    def _spawn(self, coroutine: Coroutine[Any, Any, object]) -> None:
        current_home().run(coroutine)
        self._spawned = True

    def _emit_guarded(self, event: str, *args: object) -> None:
        try:
            self.emit(event, *args)
        except BaseException as error:
            self._report(error)

    def _report(self, error: BaseException) -> None:
        (self._home or dispatcher()).report(error, self)

    def _emit_close(self) -> None:
        # Each listener by itself: 'close' comes once, and who waits for it must not miss it for another's
        # fault.
        for f in self.listeners("close"):
            with self._lock:
                listeners = self._events.get("close")
                call = listeners.get(f) if listeners else None
            if call is None:
                continue
            try:
                self._emit_run(call, (), {})
            except BaseException as error:
                self._report(error)

    # ------------------------------------------------------------------ start, stop, ref

    def start(self) -> None:
        """Deliver what is queued and what comes; without a 'message' listener that means: throw it away.

        A port starts by itself when it gets its first 'message' listener.
        """
        with self._end.lock:
            if self._state not in LIVE:
                return
            if self._state is State.PAUSED:
                self._home = current_home()
        dispatcher().start()
        self._flow()
        self._touch()

    def _flow(self) -> None:
        end = self._end
        with end.lock:
            self._state = step(self._state, Input.START)
            if self._state is not State.FLOWING:
                return
            queued = not end.arm(self.wake)
            if self._settled is None:
                home = self._home
                self._settled = 0 if home is None or home.runs_here() else monotonic() + GRACE
        self._watch()
        if queued:
            self.wake()

    def relinked(self) -> None:
        """The end has another link, and perhaps a descriptor to read."""
        self._watch()

    def _watch(self) -> None:
        """Have messages come in, by way of the home if it flows there."""
        self._end.link.attend(self._home)

    def _ref(self) -> None:
        with self._end.lock:
            if self._state in LIVE:
                self._set_ref(True)
        self._touch()

    def _unref(self) -> None:
        with self._end.lock:
            self._set_ref(False)

    def has_ref(self) -> bool:
        """Does this port keep the program alive?"""
        return self._refd and (self._state in LIVE or self._state is State.CLOSING)

    def _set_ref(self, on: bool) -> None:
        if self._refd != on:
            self._refd = on
            if on:
                keeper().ref(self)
            else:
                keeper().unref(self)

    def keeps_alive(self) -> bool:
        """For the keeper: is this port ref'd, and can its home still have a turn?"""
        home = self._home
        if home is not None and not home.is_alive():
            return False
        return self.has_ref()

    def on_loop(self) -> bool:
        """For the keeper: does a loop run the listeners?"""
        return self._home is not None and self._home.is_loop

    # ------------------------------------------------------------------ turns

    @abstractmethod
    def close(self) -> None:
        """Hear and post no more."""

    @abstractmethod
    def turn(self, home: Home) -> None:
        """Deliver what is queued, if *home* is where that is done."""

    def wake(self) -> None:
        """Have a turn soon, at home."""
        home = self._home
        (dispatcher() if home is None else home).schedule(self)

    def home_lost(self, home: Home) -> None:
        """The loop is closed: the queue waits for the next listener, and nothing is kept alive."""
        with self._end.lock:
            if self._home is not home:
                return
            self._home = None
            self._state = step(self._state, Input.STOP)
            self._end.idle = None
            self._set_ref(False)
            due = self._end.ended is not None
        self._watch()
        if due:
            self.wake()

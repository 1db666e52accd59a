"""The receiving half of a port: its state, who listens, where listeners run, and one turn of delivery.

    put() ─> End.items ─┬─> turn(), in the home of the port ─> emit("message", value)
                        └─> take(), in the thread (or task) that calls receive()

The home is an asyncio loop or the dispatcher; the first 'message' listener since the last stop chooses it.
While a port flows and nothing is queued, ``End.idle`` wakes it; a scheduled or paused port is not
woken by messages, only by the end mark.  ``End.lock`` guards ``_state``, ``_home`` and ``_end`` too.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from os import getpid
from sys import getrefcount
from threading import Lock, get_ident
from time import monotonic, sleep
from types import CoroutineType
from typing import Any, Final, NoReturn, TypeAlias

from transport import _drop
from transport._dispatch import Home, dispatcher
from transport._emitter import Emitter
from transport._end import NO_LINK, End
from transport._io import io_poller
from transport._keeper import keeper
from transport._state import LIVE, Input, State, step
from transport.errors import PortClosedError
from transport.message import NOTHING, CloseReason, EndMark, Item, Message, Wrapped, opened

TURN: Final = 1000
"""Messages that one turn delivers at least, if there are so many; more only if more were queued when it
began.

Node's number (src/node_messaging.cc): enough to keep up, few enough to let timers have their turn.
"""

GRACE: Final = 0.01
"""Seconds that the thread which first starts a port has to attach other listeners before one is called.

In Node and in a loop the rest of the turn is that time: what is queued (the end mark, too) waits for all
the listeners that are attached in one go, whatever their order.
"""

Listeners: TypeAlias = tuple[Callable[..., Any], ...]

DEAD: Final = End()
"""The end of every port that is closed or was transferred: always empty, and posts through it are dropped."""

_CO_COROUTINE: Final = 0x80  # inspect.CO_COROUTINE, without importing inspect

_UNTAKEN: Final = 3  # references to a port, as its list, a loop and getrefcount have them


def is_async(f: Callable[..., object]) -> bool:
    """Is *f* an ``async def`` function, or an object with an ``async def __call__``?"""
    while isinstance(f, partial):
        f = f.func
    f = getattr(f, "__func__", f)
    if not hasattr(f, "__code__"):
        f = type(f).__call__
    code = getattr(f, "__code__", None)
    return code is not None and bool(code.co_flags & _CO_COROUTINE)


def close_untaken(carried: Sequence[object]) -> None:
    """Close the ports that came with a message and are not in its value: nobody has them, nobody can."""
    for thing in carried:
        if getrefcount(thing) <= _UNTAKEN:
            _drop.drop_all([thing])


def unwrap(item: Wrapped) -> object:
    """The value of a message that somebody takes who cannot take its ports.

    Raises:
        DecodeError: it is no message.
    """
    value, carried = opened(item)
    if carried:
        close_untaken(carried)
    return value


def current_home() -> Home:
    """The asyncio loop that is running in this thread, else the dispatcher."""
    if "asyncio" in sys.modules:
        from transport._aio import running_home  # asyncio is there, so this costs nothing

        home = running_home()
        if home is not None:
            return home
    return dispatcher()


class Receiver(Emitter):
    """What a MessagePort and a BroadcastChannel have in common: they take from an end."""

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
    _pid: int

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
        """When the dispatcher may deliver; None before the first start, 0 when that is long past."""
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
            end.owner = weakref.ref(self)
            due = end.ended is not None
        if end.link.source is not None:
            end.link.source.resume()
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
            self._flow()
        elif self._home is None:
            self._home = current_home()
            self._watch()

    def _listeners_changed(self, event: str) -> None:
        if event == "message":
            with self._end.lock:
                self._hearers = tuple(self._events.get(event, {}).values())
                if not self._hearers:
                    self._last_listener_removed()

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
        """Have the end's descriptor read, by the home if it flows there."""
        source = self._end.link.source
        if source is None:
            return
        home = self._home
        poller = home.poller() if home is not None and source.follows_home else None
        source.watch(io_poller() if poller is None else poller)

    def _ref(self) -> None:
        with self._end.lock:
            if self._state in LIVE:
                self._set_ref(True)

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

    # ------------------------------------------------------------------ a turn

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

    def turn(self, home: Home) -> None:
        """Deliver what is queued: at most TURN messages, or as many as there are now."""
        if self._settled:
            sleep(max(0.0, self._settled - monotonic()))
            self._settled = 0
        end = self._end
        items, lock, flowing = end.items, end.lock, State.FLOWING
        budget = max(len(end.items), TURN)
        self._turning = me = get_ident()
        try:
            while budget:
                # A message and its listeners at once: a listener that another thread removes meanwhile is
                # called, or leaves the message.
                with lock:
                    listeners = self._hearers
                    if items and end.ended is None and self._state is flowing and self._home is home:
                        item = items.popleft()
                    else:
                        item = self._next(home, end)
                if isinstance(item, Wrapped):
                    if item is NOTHING:
                        return
                    if isinstance(item, EndMark):
                        end.abandon(CloseReason.LOCAL)
                        self._emit_close()
                        return
                budget -= 1
                if end.taken is not None:
                    end.taken(item)
                if isinstance(item, Wrapped):
                    self._deliver(item, listeners)
                    continue
                try:
                    for f in listeners:
                        result = f(item)
                        if type(result) is CoroutineType:
                            self._spawn(result)
                except BaseException as error:
                    self._report(error)
            self._rearm(home, end)
        except BaseException:  # Ctrl-C, or sys.exit() in a listener that a loop runs: the rest comes later
            self.wake()
            raise
        finally:
            if self._turning == me:
                self._turning = 0

    def _next(self, home: Home, end: End) -> Item:
        """Take the next message, or the end mark, and close; NOTHING ends the turn.  The lock is held."""
        if self._end is not end or not (self._home is home or self._home is None):
            return NOTHING
        items = end.items
        if not items and (self._state is not State.FLOWING or end.arm(self.wake)):
            return NOTHING
        mark = end.ended
        if mark is not None and items[0] is mark:
            if self._spawned and home.is_loop:
                # Who hears 'close' may count on every message's listener having begun.
                if not self._lingers:
                    self._lingers = True
                    home.later(self._begun)
                return NOTHING
            self._state = step(self._state, Input.END)
            self._reason = mark.reason
            self._set_ref(False)
            self._end = DEAD
            return mark
        if self._state is State.PAUSED:
            return NOTHING
        return items.popleft()

    def _begun(self) -> None:
        self._spawned = self._lingers = False
        self.wake()

    def _rearm(self, home: Home, end: End) -> None:
        with end.lock:
            if self._end is not end or self._home is not home or self._state is not State.FLOWING:
                return
            if end.arm(self.wake):
                return
        self.wake()

    def _deliver(self, item: Wrapped, listeners: Listeners) -> None:
        """Deliver what has to be opened, or has carried something."""
        try:
            value, carried = opened(item)
        except Exception as error:
            if self.listener_count("messageerror"):
                self._emit_guarded("messageerror", error)
            return
        if not listeners:
            _drop.drop_all(carried)
            return
        try:
            for f in listeners:
                self._emit_run(f, (value,), {})
        except BaseException as error:
            self._report(error)
        if carried:
            close_untaken(carried)

    def _close(self, reason: CloseReason) -> None:
        """No more is posted from here on; the rest is a turn of the home."""
        end = self._end
        with end.lock:
            if self._state not in LIVE or self._end is not end:
                return
            self._state = step(self._state, Input.CLOSE)
            link, end.link = end.link, NO_LINK
            inside = self._turning == get_ident()
        end.put_end(reason, first=not inside)
        link.close(reason)

    # ------------------------------------------------------------------ taking

    def _refuse(self) -> NoReturn:
        raise PortClosedError(CloseReason.LOCAL if self._state is State.CLOSING else self._reason)

    def take(self) -> Item:
        """The next item; NOTHING if none is queued.

        No lock is needed to take the first of several: this is the path of every message that is received.

        Raises:
            PortClosedError: nothing is queued, and nothing will come.
        """
        end = self._end
        try:
            item = end.items.popleft()
        except IndexError:
            with end.lock:
                if self._state not in LIVE:
                    self._refuse()
            return NOTHING
        if end.ended is not None or isinstance(item, EndMark):
            self._took_the_last(end, item)
        if end.taken is not None:
            end.taken(item)
        return item

    def _took_the_last(self, end: End, item: Item) -> None:
        """The end mark came while *item* was taken without the lock; perhaps *item* is the end mark."""
        if isinstance(item, EndMark):
            end.put_back(item)
            raise PortClosedError(item.reason)
        with end.lock:
            last = bool(end.items) and end.items[0] is end.ended
        if last:
            self.wake()

    def take_message(self) -> Message | None:
        """The next message, or None: the work of ``receive_message_on_port``."""
        end = self._end
        with end.lock:
            if end.ended is not None and len(end.items) > 1 and end.items[0] is end.ended:
                # close() was called, but its turn has not come: what was queued can still be had.
                end.items.rotate(-1)
                item = end.items.popleft()
                end.items.appendleft(end.items.pop())
                return self._message(item)
        try:
            taken = self.take()
        except PortClosedError:
            return None
        return None if taken is NOTHING else self._message(taken)

    def _message(self, item: Item) -> Message:
        value, carried = opened(item)
        return Message(value, tuple(thing for thing in carried if isinstance(thing, Receiver)))

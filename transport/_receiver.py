"""The receiving half of a port: one turn of delivery, and taking by hand.

put() ─> End.items ─┬─> turn(), in the home of the port ─> emit("message", value)
                    └─> take(), in the thread (or task) that calls receive()
"""

from __future__ import annotations

from collections.abc import Sequence
from sys import getrefcount
from threading import get_ident
from time import monotonic, sleep
from types import CoroutineType
from typing import Final, NoReturn

from transport import _drop
from transport._dispatch import Home
from transport._end import NO_LINK, End, nobody
from transport._listening import GRACE, Listeners, Listening
from transport._state import LIVE, Input, State, step
from transport._worker_home import own
from transport.errors import PortClosedError
from transport.message import NOTHING, CloseReason, EndMark, Item, Message, Sealed, Wrapped, opened

TURN: Final = 1000
"""Messages that one turn delivers at least, if there are so many; more only if more were queued when it
began.

Node's number (src/node_messaging.cc): enough to keep up, few enough to let timers have their turn.
"""

DEAD: Final = End()
"""The end of every port that is closed or was transferred: always empty, and posts through it are dropped."""

_UNTAKEN: Final = 3  # references to a port, as its list, a loop and getrefcount have them


def close_untaken(carried: Sequence[object]) -> None:
    """Close the ports that came with a message and are not in its value: nobody has them, nobody can."""
    for thing in carried:
        if getrefcount(thing) <= _UNTAKEN:
            _drop.drop_all([thing])
        elif isinstance(thing, Receiver):
            own(thing)


def unwrap(item: Wrapped) -> object:
    """The value of a message that somebody takes who cannot take its ports.

    Raises:
        DecodeError: it is no message.
    """
    value, carried = item.open() if isinstance(item, Sealed) else opened(item)
    if carried:
        close_untaken(carried)
    return value


class Receiver(Listening):
    """What a MessagePort and a BroadcastChannel have in common: they take from an end."""

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
            if self._untouched and mark.reason is not CloseReason.LOCAL:
                return NOTHING
            if self._spawned and home.is_loop:
                # Who hears 'close' may count on every message's listener having begun.
                if not self._lingers:
                    self._lingers = True
                    home.later(self._begun)
                return NOTHING
            self._be_over(mark.reason, end)
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
        """No more is posted from here on; the rest is a turn of the home, unless nobody would notice."""
        end = self._end
        with end.lock:
            if self._state not in LIVE or self._end is not end:
                return
            self._state = step(self._state, Input.CLOSE)
            unnoticed = not (self._events or self._refd or end.items) and end.ended is None
            if unnoticed:
                self._be_over(reason, end)
                self._settled = monotonic() + GRACE
            else:
                link, end.link = end.link, NO_LINK
                inside = self._turning == get_ident()
        if unnoticed:
            end.abandon(reason)
        else:
            end.put_end(reason, first=not inside)
            link.close(reason)

    def _be_over(self, reason: CloseReason, end: End) -> None:
        """The lock is held."""
        self._state = step(self._state, Input.END)
        self._reason = reason
        self._set_ref(False)
        self._end = DEAD
        end.owner = nobody

    # ------------------------------------------------------------------ taking

    def _refuse(self) -> NoReturn:
        reason = self._reason
        if self._state is State.CLOSING:
            mark = self._end.ended
            reason = CloseReason.LOCAL if mark is None else mark.reason
        raise PortClosedError(reason) from None

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
        if end.ended is not None or type(item) is EndMark:
            self._took_the_last(end, item)
        if end.taken is not None:
            end.taken(item)
        return item

    def _took_the_last(self, end: End, item: Item) -> None:
        """The end mark came while *item* was taken without the lock; perhaps *item* is the end mark."""
        if isinstance(item, EndMark):
            self._touch()
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

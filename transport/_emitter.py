"""pyee's EventEmitter, with what Node's has and pyee's lacks: ``off``, ``listener_count``, forgiving removal.

pyee's rules stand: ``on(event, f)`` returns f, ``on(event)`` is a decorator, a function added twice is one
listener, 'error' without a listener raises.  Every way to add a listener passes through
``_add_event_handler`` and every way to remove one through ``_remove_listener`` (``once`` included), so those
two tell a subclass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyee import EventEmitter


class Emitter(EventEmitter):
    """An event emitter that knows when the first listener of an event comes and the last one goes."""

    def _listener_added(self, event: str, *, first: bool) -> None:
        """A listener for *event* is there now; *first* if there was none."""

    def _listeners_changed(self, event: str) -> None:
        """One more or one less listens to *event*.  Called under the emitter's lock: emit nothing here."""

    def _add_event_handler(self, event: str, k: Callable[..., Any], v: Callable[..., Any]) -> None:
        first = self.listener_count(event) == 0
        super()._add_event_handler(event, k, v)
        with self._lock:
            self._listeners_changed(event)
        self._listener_added(event, first=first)

    def _remove_listener(self, event: str, f: Callable[..., Any]) -> None:
        listeners = self._events.get(event)
        if not listeners or f not in listeners:
            return
        super()._remove_listener(event, f)
        self._listeners_changed(event)

    def once(self, event: str, f: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Add a listener that is removed before it is called.  Without *f*, a decorator.

        pyee's does not call a listener that was removed after the emit began; Node's does, and so a message
        that was taken for it is not lost.
        """
        if f is None:

            def decorate(f: Callable[..., Any]) -> Callable[..., Any]:
                self._add_once(event, f)
                return f

            return decorate
        self._add_once(event, f)
        return f

    def _add_once(self, event: str, f: Callable[..., Any]) -> None:
        fired = False

        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal fired
            with self._lock:
                if fired:
                    return None
                fired = True
                self._remove_listener(event, f)
            return f(*args, **kwargs)

        self._add_event_handler(event, f, call)

    def off(self, event: str, f: Callable[..., Any]) -> None:
        """Remove the listener *f*; one that is not there is ignored."""
        self.remove_listener(event, f)

    def remove_all_listeners(self, event: str | None = None) -> None:
        """Remove every listener of *event*, or of all events."""
        for name in [event] if event is not None else list(self.event_names()):
            for f in self.listeners(name):
                self.remove_listener(name, f)

    def listener_count(self, event: str) -> int:
        """How many listeners *event* has."""
        return len(self._events.get(event, ()))

"""Listener: yields the port of each connection whose handshake is complete.

    entrance ─> waiting ─> accept(), iteration, or the 'connection' listeners

What happens until then is the work of ``socket_entrance``.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from os import getpid
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from transport._dispatch import Home, dispatcher
from transport._drop import orphan
from transport._emitter import Emitter
from transport._end import End
from transport._keeper import at_exit, keeper
from transport._listening import current_home, is_async
from transport._worker_home import WorkerHome, own
from transport.errors import PortClosedError
from transport.message import CloseReason
from transport.port import MessagePort, open_port
from transport.socket_entrance import Entrance
from transport.socket_limits import Limits
from transport.socket_url import Address

if TYPE_CHECKING:
    from ssl import SSLContext


TURN: Final = 100
"""Connections that one turn of the listeners delivers."""


class Listener(Emitter):
    """What ``listen`` returns: a source of ports, each of them one end of a channel to a client.

    Events: ``'connection'`` (the port), ``'rejected'`` (the error, for a handshake that failed), ``'close'``.
    The first 'connection' listener refs it, so that the program stays alive; ``unref`` undoes that.

    >>> from transport.socket import connect, listen
    >>> with listen("tcp://127.0.0.1:0") as listener:
    ...     client = connect(listener.url)
    ...     server = listener.accept(timeout=5)
    >>> client.post_message("hello")
    >>> server.receive(timeout=5)
    'hello'
    >>> server.close()
    """

    worker: WorkerHome | None = None
    """The worker that opened it, if one did."""

    def __init__(
        self, address: Address, *, secret: bytes | None, ssl: SSLContext | None, limits: Limits, backlog: int
    ) -> None:
        super().__init__()
        self._most: Final = limits.waiting
        self._changed: Final = threading.Condition()
        self._waiting: Final[deque[End]] = deque()
        self._waiters: Final[deque[Callable[[], None]]] = deque()
        """Tasks that wait for a connection: how to wake each."""
        self._rejections: Final[deque[Exception]] = deque()
        self._home: Home | None = None
        self._refd = False
        self._closed = False
        self._pid: Final = getpid()
        self._entrance: Final = Entrance(
            address,
            secret=secret,
            ssl=ssl,
            limits=limits,
            backlog=backlog,
            opened=self._opened,
            rejected=self._reject,
            full=self._is_full,
        )
        self.url: Final = self._entrance.url
        """Where to connect to; a port of 0 is replaced by the real one."""
        self._entrance.begin()
        at_exit(self)
        own(self)

    # ------------------------------------------------------------------ from the entrance: the I/O thread

    def _is_full(self) -> bool:
        return len(self._waiting) >= self._most

    def _opened(self, end: End) -> None:
        with self._changed:
            closed = self._closed
            if not closed:
                self._waiting.append(end)
                self._changed.notify()
                wake = self._waiters.popleft() if self._waiters else None
                home = self._home if wake is None else None
        if closed:
            orphan(end)
            return
        if wake is not None:
            wake()
        if home is not None:
            home.schedule(self)

    def _reject(self, error: Exception) -> None:
        if self.listener_count("rejected"):
            self._rejections.append(error)
            (self._home or dispatcher()).schedule(self)

    # ------------------------------------------------------------------ giving out

    def accept(self, timeout: float | None = None) -> MessagePort:
        """Return the port of the next connection; block until there is one.

        Args:
            timeout: at most this many seconds; None for as long as it takes.

        Raises:
            TimeoutError: nobody connected in time.
            PortClosedError: the listener is closed.
        """
        deadline = None if timeout is None else monotonic() + timeout
        with self._changed:
            while not self._waiting:
                if self._closed:
                    raise PortClosedError(CloseReason.LOCAL)
                left = None if deadline is None else deadline - monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError("nobody connected")
                self._changed.wait(left)
            end = self._waiting.popleft()
        return self._given(end)

    def _given(self, end: End) -> MessagePort:
        self._entrance.go_on()
        return open_port(end)

    async def accept_async(self) -> MessagePort:
        """Return the port of the next connection; wait for it in the running loop.

        Raises:
            PortClosedError: the listener is closed.
        """
        import asyncio  # the caller has it

        from transport._aio import Awaited, loop_home

        loop = asyncio.get_running_loop()
        home = loop_home(loop)
        while True:
            awaited = Awaited(loop.create_future())

            def wake(awaited: Awaited = awaited) -> None:
                home.schedule(awaited)

            with self._changed:
                if self._waiting:
                    end = self._waiting.popleft()
                    break
                if self._closed:
                    raise PortClosedError(CloseReason.LOCAL)
                self._waiters.append(wake)
            try:
                await awaited.future
            except BaseException:
                self._leave(wake)
                raise
        return self._given(end)

    def _leave(self, wake: Callable[[], None]) -> None:
        """A task waits no more; if it was woken for a connection, another is."""
        with self._changed:
            if wake in self._waiters:
                self._waiters.remove(wake)
                return
            heir = self._waiters.popleft() if self._waiting and self._waiters else None
        if heir is not None:
            heir()

    def __iter__(self) -> Iterator[MessagePort]:
        """The ports as they come, until the listener is closed."""
        while True:
            try:
                port = self.accept()
            except PortClosedError:
                return
            yield port

    async def __aiter__(self) -> AsyncIterator[MessagePort]:
        """The ports as they come, until the listener is closed."""
        while True:
            try:
                port = await self.accept_async()
            except PortClosedError:
                return
            yield port

    # ------------------------------------------------------------------ listeners

    def _add_event_handler(self, event: str, k: Callable[..., Any], v: Callable[..., Any]) -> None:
        if is_async(k):
            raise TypeError(f"a {event!r} listener of a Listener is no 'async def'; iterate over it instead")
        super()._add_event_handler(event, k, v)

    def _listener_added(self, event: str, *, first: bool) -> None:
        dispatcher().start()
        with self._changed:
            if self._closed:
                return
            if self._home is None or (first and event == "connection"):
                self._home = current_home()
            home = self._home
        if event == "connection" and first:
            self.ref()
            home.schedule(self)

    def _listeners_changed(self, event: str) -> None:
        if event == "connection" and not self.listener_count(event):
            self.unref()

    def turn(self, home: Home) -> None:
        """Deliver the connections that wait."""
        for _ in range(TURN):
            if self._rejections:
                self._emit_guarded(home, "rejected", self._rejections.popleft())
                continue
            with self._changed:
                if not self._waiting or not self.listener_count("connection"):
                    break
                end = self._waiting.popleft()
            self._emit_guarded(home, "connection", self._given(end))
        else:
            home.schedule(self)
        if self._closed and self.listener_count("close"):
            listeners = self.listeners("close")
            self.remove_all_listeners("close")
            for f in listeners:
                try:
                    f()
                except BaseException as error:
                    home.report(error, self)

    def _emit_guarded(self, home: Home, event: str, *args: object) -> None:
        try:
            self.emit(event, *args)
        except BaseException as error:
            home.report(error, self)

    def home_lost(self, home: Home) -> None:
        """The loop is closed: connections wait for whoever comes next."""
        with self._changed:
            if self._home is home:
                self._home = None
        self.unref()

    def ref(self) -> None:
        """Keep the program alive while this listener is open."""
        with self._changed:
            if not self._closed and not self._refd:
                self._refd = True
                keeper().ref(self)

    def unref(self) -> None:
        """Do not keep the program alive."""
        with self._changed:
            if self._refd:
                self._refd = False
                keeper().unref(self)

    def has_ref(self) -> bool:
        """Does it keep the program alive?"""
        return self._refd

    def keeps_alive(self) -> bool:
        """For the keeper."""
        return self._refd and (self._home is None or self._home.is_alive())

    def on_loop(self) -> bool:
        """For the keeper: does a loop run the listeners?"""
        return self._home is not None and self._home.is_loop

    # ------------------------------------------------------------------ closing

    @property
    def closed(self) -> bool:
        """Has it been closed?"""
        return self._closed

    def close(self) -> None:
        """Take in no more connections; those that nobody accepted are closed, accepted ones live on.

        The file of a Unix socket is removed.  Who waits in ``accept`` gets PortClosedError.
        """
        with self._changed:
            if self._closed:
                return
            self._closed = True
            waiting = list(self._waiting)
            self._waiting.clear()
            waiters = list(self._waiters)
            self._waiters.clear()
            self._changed.notify_all()
        self.unref()
        if self._pid == getpid():
            self._entrance.close()
        else:
            self._entrance.close_copy()
        for end in waiting:
            orphan(end)
        for wake in waiters:
            wake()
        if self.listener_count("close"):
            (self._home or dispatcher()).schedule(self)

    def finish(self) -> None:
        """The program ends."""
        self.close()

    def pending(self) -> bool:
        """For the keeper: nothing is left to be written."""
        return False

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"waiting={len(self._waiting)}"
        return f"<Listener {self.url} {state}>"

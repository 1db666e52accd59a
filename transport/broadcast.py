"""BroadcastChannel: everybody who opened a channel of the same name hears what one of them posts.

    post ──> Hub ──> every other channel of that name in this process
              └────> uplinks: ports to the hubs of other processes, which pass it on to theirs

The hubs of a process tree are a tree, so a message that is passed on to every uplink but the one it came from
reaches each process once.  Between processes it travels as ``[name, value]``.
"""

from __future__ import annotations

import threading
import weakref
from typing import Final

from clonecodec import structured_clone
from transport._dispatch import dispatcher
from transport._end import End
from transport._receiver import Receiver
from transport._state import LIVE
from transport._worker_home import own
from transport.errors import PortClosedError
from transport.message import CloseReason
from transport.port import MessagePort

KEPT: Final = 1024
"""Messages that a channel without a listener keeps for ``receive_message_on_port``; older ones go."""


class BroadcastChannel(Receiver):
    """One of any number of channels of one name, in this process and its children.

    It listens from birth: what is posted while it has no listener is not delivered later.
    It keeps the program alive until ``close()`` or ``unref()``.

    Args:
        name: what the channels have in common; anything else than a str is turned into one.

    >>> one, two = BroadcastChannel("news"), BroadcastChannel("news")
    >>> one.post_message("hello")
    >>> from transport import receive_message_on_port
    >>> receive_message_on_port(two).value
    'hello'
    >>> one.close(); two.close()
    """

    name: str

    def __init__(self, name: object) -> None:
        self.name = str(name)
        self._open(End())
        own(self)
        with self._end.lock:
            self._set_ref(True)
        hub.add(self)

    def post_message(self, value: object) -> None:
        """Send a clone of *value* to every other channel of this name.  Nothing can be transferred.

        Raises:
            DataCloneError: *value* cannot be cloned, or holds a port; nobody has got it.
            PortClosedError: this channel is closed.
        """
        if self._state not in LIVE:
            raise PortClosedError(CloseReason.LOCAL)
        hub.post(self.name, value, sender=self)

    def arrive(self, value: object) -> None:
        """For the hub: a clone for this channel."""
        end = self._end
        end.put(value)
        with end.lock:
            if not self.listener_count("message") and len(end.items) > KEPT and end.ended is None:
                end.items.popleft()

    def close(self) -> None:
        """Hear and post no more.  May be called again."""
        hub.remove(self)
        self._close(CloseReason.LOCAL)

    def ref(self) -> BroadcastChannel:
        """Keep the program alive while this channel is open; returns the channel."""
        self._ref()
        return self

    def unref(self) -> BroadcastChannel:
        """Do not keep the program alive for this channel; returns the channel."""
        self._unref()
        return self

    def _listener_added(self, event: str, *, first: bool) -> None:
        if event == "message" and first:
            with self._end.lock:
                refd = self._refd
                if self._end.ended is None:
                    self._end.items.clear()
                super()._listener_added(event, first=first)
                self._set_ref(refd)
        else:
            super()._listener_added(event, first=first)

    def _last_listener_removed(self) -> None:
        refd = self._refd
        super()._last_listener_removed()
        self._set_ref(refd)

    def __repr__(self) -> str:
        return f"<BroadcastChannel {self.name!r} {self._state.value} {'ref' if self.has_ref() else 'unref'}>"


class Hub:
    """Who is there, by name, and which other processes want to hear."""

    def __init__(self) -> None:
        self._lock: Final = threading.RLock()
        self._channels: Final[dict[str, list[weakref.ref[BroadcastChannel]]]] = {}
        self._uplinks: Final[list[MessagePort]] = []

    def add(self, channel: BroadcastChannel) -> None:
        with self._lock:
            self._channels.setdefault(channel.name, []).append(weakref.ref(channel))

    def remove(self, channel: BroadcastChannel) -> None:
        with self._lock:
            rest = [ref for ref in self._channels.get(channel.name, ()) if ref() not in (None, channel)]
            if rest:
                self._channels[channel.name] = rest
            else:
                self._channels.pop(channel.name, None)

    def connect(self, port: MessagePort) -> None:
        """Pass on to *port*, whose other side is another process's hub, and hear from it."""

        def hear(message: object) -> None:
            if isinstance(message, list) and len(message) == 2 and isinstance(message[0], str):
                self.post(message[0], message[1], sender=port)

        def gone() -> None:
            with self._lock:
                if port in self._uplinks:
                    self._uplinks.remove(port)

        def listen() -> None:
            port.once("close", gone)
            port.on("message", hear)
            port.unref()

        with self._lock:
            self._uplinks.append(port)
        # Not in a loop that is running here: it may end before the other process does.
        dispatcher().call(listen)

    def post(self, name: str, value: object, sender: object) -> None:
        """Give every channel of *name* but *sender* a clone of its own."""
        structured_clone(value)  # refused before anybody has got it, and if nobody is there
        # One post at a time, so that all receivers hear posts in one order.
        with self._lock:
            channels = [channel for ref in self._channels.get(name, ()) if (channel := ref()) is not None]
            for channel in channels:
                if channel is not sender:
                    channel.arrive(structured_clone(value))
            for uplink in self._uplinks:
                if uplink is not sender:
                    uplink.post_message([name, value])


hub: Final = Hub()
"""The hub of this process."""

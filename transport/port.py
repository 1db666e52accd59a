"""MessagePort: one end of a channel, as a user sees it.

    port.post_message(value)  ──>  Link.post  ··>  the other side's End  ──>  its 'message' listeners, or
    receive()

``_listening`` and ``_receiver`` hold the receiving half, ``_high_water`` what a post does when the way is
full; here are posting, closing and transferring.  The steps between the states are in ``_state``.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from importlib import import_module
from types import TracebackType
from typing import cast

from clonecodec import DataCloneError, Transferable, clone_with_transfer
from transport import _drop
from transport._end import End, nobody
from transport._high_water import HighWater, Policy
from transport._keeper import keeper
from transport._receiver import DEAD, Receiver, unwrap
from transport._state import LIVE, Input, State, step
from transport._waiting import look, take_async, take_blocking
from transport.errors import PortClosedError
from transport.link import NOTHING_LISTED
from transport.message import NOTHING, CloseReason, Message, Wrapped


class MessagePort(Receiver):
    """One end of a ``MessageChannel``: post to it, and hear what is posted at the other end.

    Ports come from ``MessageChannel()``, ``connect()``, a ``Listener``, or a message; they cannot be
    constructed.

    Events: ``'message'`` (the value), ``'messageerror'`` (the error: a message that cannot be read),
    ``'close'`` (nothing). The first 'message' listener starts and refs the port, the removal of the last one
    stops and unrefs it.

    >>> from transport import MessageChannel
    >>> channel = MessageChannel()
    >>> channel.port1.post_message({"foo": "bar"})
    >>> channel.port2.receive()
    {'foo': 'bar'}
    """

    _water: HighWater | None

    def __init__(self) -> None:
        raise TypeError("a MessagePort cannot be constructed: use MessageChannel()")

    # ------------------------------------------------------------------ posting

    def post_message(self, value: object, transfer_list: Iterable[object] | None = NOTHING_LISTED) -> None:
        """Send a clone of *value*, taken now, to the other side; move to it what *transfer_list* lists.

        Never blocks (unless the high-water policy is "block") and never delivers before it returns.
        On a closed port everything is checked and moved, and then dropped.

        Args:
            value: anything that ``structured_clone`` takes; ports and ArrayBuffers in it stay what they are
                if listed.
            transfer_list: ports and ArrayBuffers to be moved.  They are unusable here afterwards, even if
                they are not in *value*.

        Raises:
            DataCloneError: *value* cannot be cloned, or something listed cannot be moved.  Nothing was sent
            or moved.
            BufferFullError: the high-water mark is reached, and the policy is "raise" (or "block", where
                blocking would stop the listeners).
            TypeError: *transfer_list* is no iterable of objects.
        """
        if transfer_list is NOTHING_LISTED and self._water is None:
            self._end.link.post(value)
        else:
            self._post(value, transfer_list)

    def _post(self, value: object, transfer_list: Iterable[object] | None) -> None:
        if transfer_list is None:
            transfer_list = ()
        elif isinstance(transfer_list, (str, bytes)) or not hasattr(transfer_list, "__iter__"):
            kind = type(transfer_list).__name__
            raise TypeError(f"the transfer list must be an iterable of objects, not {kind}")
        transfer = list(transfer_list)
        for item in transfer:
            if item is self:
                raise DataCloneError("the transfer list contains the source port")
        if self._water is not None:
            self._water.make_room(self._end)
        for index, item in enumerate(transfer):
            if isinstance(item, MessagePort) and item._is_peer_of(self):
                self._post_to_itself(value, transfer, index, item)
                return
        self._end.link.post(value, transfer)

    def _is_peer_of(self, other: MessagePort) -> bool:
        if self._state not in LIVE or other._state not in LIVE:
            return False
        return self._end.link.channel == other._end.link.channel

    def _post_to_itself(self, value: object, transfer: list[object], index: int, peer: MessagePort) -> None:
        """The target travels in its own message: all is moved as usual, and the channel is lost."""
        cloned, moved = clone_with_transfer(value, transfer)
        target = cast(MessagePort, moved[index])
        peer.transfer_restore(target.transfer_take())
        _drop.drop_all([thing for thing in moved if thing is not target])
        del cloned
        self._close(CloseReason.LOST)
        peer._close(CloseReason.LOST)
        warnings.warn(
            "the target port was posted to itself, and the communication channel was lost",
            RuntimeWarning,
            stacklevel=4,
        )

    # ------------------------------------------------------------------ how full the way is

    @property
    def buffered_amount(self) -> int:
        """Bytes that were posted here and are not yet taken by the other side.

        Between threads: the sizes of buffers, bytes and strings, plus 64 a container.
        """
        return self._end.link.buffered_amount()

    async def drained(self) -> None:
        """Wait until the other side has taken all that was posted, or has closed.  Any number may wait."""
        await self._until(0)

    async def _until(self, threshold: int) -> None:
        import asyncio  # the caller has it

        from transport._aio import Awaited, loop_home

        loop = asyncio.get_running_loop()
        home = loop_home(loop)
        while self.buffered_amount > threshold:
            awaited = Awaited(loop.create_future())
            self._end.link.notify(threshold, lambda awaited=awaited: home.schedule(awaited))  # type: ignore[misc]
            await awaited.future

    def set_high_water_mark(self, mark: int | None, policy: Policy = "raise") -> None:
        """What a post does while ``buffered_amount`` is *mark* or more.

        Args:
            mark: bytes; None for no mark, as it is at first.
            policy: "grow" queues all the same; "raise" raises BufferFullError; "block" waits for the other
                side (where a listener or a loop posts, it raises instead); "drop-oldest" drops what was
                posted first.

        Raises:
            ValueError: there is no such policy, or *mark* is negative.
        """
        water = HighWater(0 if mark is None else mark, policy)
        self._water = None if mark is None or policy == "grow" else water

    @property
    def high_water_mark(self) -> int | None:
        """Bytes at which the policy applies; None without one."""
        return None if self._water is None else self._water.mark

    # ------------------------------------------------------------------ receiving

    def receive(self, timeout: float | None = None) -> object:
        """Return the next message's value; block until there is one.  Any number of threads may.

        There is no 'message' event for it.  Ports that came with it and are not in the value are closed.

        Args:
            timeout: at most this many seconds; None for as long as it takes.

        Raises:
            TimeoutError: nothing came in time.
            PortClosedError: the port is closed, and all that came before has been taken.
            DecodeError: the message cannot be read; it is gone, and the next one can be received.
        """
        item = self.take() if self._end.items else NOTHING
        if item is NOTHING:
            item = take_blocking(self, timeout)
        return unwrap(item) if isinstance(item, Wrapped) else item

    async def receive_async(self) -> object:
        """Return the next message's value; wait for it in the running loop.  Cancelling loses nothing.

        Raises:
            PortClosedError, DecodeError: as ``receive``.
        """
        item = self.take()
        if item is NOTHING:
            item = await take_async(self)
        return unwrap(item) if isinstance(item, Wrapped) else item

    def __iter__(self) -> Iterator[object]:
        """The values as they come, until the port is closed; ``close_reason`` says why it was."""
        while True:
            try:
                value = self.receive()
            except PortClosedError:
                return
            yield value

    async def __aiter__(self) -> AsyncIterator[object]:
        """The values as they come, until the port is closed; ``close_reason`` says why it was."""
        while True:
            try:
                value = await self.receive_async()
            except PortClosedError:
                return
            yield value

    # ------------------------------------------------------------------ staying alive

    def ref(self) -> None:
        """Keep the program alive while this port is open.  One flag, not a count; the last call wins."""
        self._ref()

    def unref(self) -> None:
        """Do not keep the program alive for this port.  (Its first 'message' listener refs it again.)"""
        self._unref()

    # ------------------------------------------------------------------ closing

    def close(self, callback: Callable[[], object] | None = None) -> None:
        """Close the channel for both sides.  What was posted is delivered, what is unread here is dropped.

        From here on nothing can be posted; 'close' is emitted soon, here and at the other side (there behind
        the messages). Within this port's own 'message' listener, the messages that are already queued are
        still delivered.

        Args:
            callback: a listener for this one 'close' event.
        """
        if callback is not None and self._state in LIVE:
            self.once("close", callback)
        self._close(CloseReason.LOCAL)

    def abandon(self, reason: CloseReason) -> None:
        """For a port in a message that nobody will get: close it, without an event."""
        end = self._end
        with end.lock:
            if self._state not in LIVE:
                return
            self._be_over(reason, end)
        end.abandon(reason)

    def _due(self) -> CloseReason | None:
        """The reason in an end mark that is the next thing in the queue."""
        end = self._end
        mark = end.ended
        items = end.items
        if mark is None:
            return None
        try:
            return mark.reason if items[0] is mark else None
        except IndexError:
            return mark.reason  # the home has taken it, and is about to say so

    @property
    def closed(self) -> bool:
        """Is it over, for this side?  True from ``close()`` on, or when 'close' is the next event."""
        if _drop.pending():
            _drop.collect()
        # In this order: another thread may be going from the one to the other.
        if self._due() is not None:
            self._know_the_end()
            return True
        return self._state in (State.CLOSING, State.CLOSED)

    def _know_the_end(self) -> None:
        """Who has seen that it is closed finds it so: it is not transferred any more."""
        end = self._end
        with end.lock:
            if self._state in LIVE and end.ended is not None:
                self._state = step(self._state, Input.CLOSE)
        self._touch()

    @property
    def peer_closed(self) -> bool:
        """Has the other side closed, died or been lost?  Known at once, whatever is still queued."""
        if _drop.pending():
            _drop.collect()
        mark = self._end.ended
        reason = self._reason if mark is None else mark.reason
        return reason not in (None, CloseReason.LOCAL)

    @property
    def close_reason(self) -> CloseReason | None:
        """Why it is closed; None while it is not."""
        if self._state is State.CLOSING:
            mark = self._end.ended
            return CloseReason.LOCAL if mark is None else mark.reason
        due = self._due()
        return self._reason or due

    @property
    def detached(self) -> bool:
        """Was this port transferred?  Then it lives on elsewhere as another object."""
        return self._state is State.DETACHED

    def __enter__(self) -> MessagePort:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> MessagePort:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------------ moving: clonecodec.Transferable

    def transfer_check(self) -> None:
        """Raise DataCloneError if the port is closed or was transferred before."""
        if self._state not in LIVE:
            raise DataCloneError(f"the MessagePort in the transfer list is already {self._describe()}")

    def _describe(self) -> str:
        return "detached" if self._state is State.DETACHED else "closed"

    def transfer_take(self) -> object:
        """Detach, and return the end: the queue, with the link behind it."""
        end = self._end
        with end.lock:
            self.transfer_check()
            self._state = step(self._state, Input.TRANSFER)
            self._end = DEAD
            end.idle = None
            end.owner = nobody
            waiters = list(end.waiters)
            end.waiters.clear()
            if self._refd:
                keeper().unref(self)
        for wake in waiters:
            wake()
        end.link.leave()
        return end

    @classmethod
    def transfer_build(cls, token: object) -> Transferable:
        """A new port over the end: not started, not ref'd, no listeners, and all that was queued."""
        assert isinstance(token, End)
        return open_port(token, arrived=True)

    def transfer_restore(self, token: object) -> None:
        """Take the end back, as the transfer failed; listeners and ref are what they were."""
        assert isinstance(token, End)
        with token.lock:
            self._state = step(self._state, Input.RESTORE)
            self._end = token
            if self._refd:
                keeper().ref(self)
        self._own(token)
        if self.listener_count("message"):
            self._flow()

    def __reduce_ex__(self, protocol: object) -> tuple[object, ...]:
        # The backend sees the port, and not the other way round.
        return cast(tuple[object, ...], import_module("transport.process").reduce_port(self))

    def __repr__(self) -> str:
        end = self._end
        kind = end.link.backend
        queued = len(end.items) - (1 if end.ended is not None and end.items else 0)
        ref = "ref" if self.has_ref() else "unref"
        return f"<MessagePort {kind} {self._state.value} {ref} queued={queued}>"


def open_port(end: End, *, arrived: bool = False) -> MessagePort:
    """A new port over *end*: for backends, which make ends.

    The 'close' of one that has *arrived* in a message waits for somebody who has it in his hands.
    """
    port = MessagePort.__new__(MessagePort)
    port._water = None
    port._untouched = arrived
    port._open(end)
    return port


def adopt_after_fork(port: MessagePort) -> None:
    """In a forked child: *port*, which was inherited, is this process's own from now on.

    Inherited ports are dormant until then: collecting one, or the end of the child, closes nothing.
    """
    port.adopt()


def receive_message_on_port(port: Receiver) -> Message | None:
    """Take the next message of *port* if there is one, without an event and without waiting (Node:
    receiveMessageOnPort).

    Args:
        port: a MessagePort, started or not, with listeners or without; or a BroadcastChannel.

    Returns:
        The message, with its value and its ports, or None.

    Raises:
        TypeError: *port* is no port.
        DecodeError: the message cannot be read; it is gone.

    >>> from transport import MessageChannel
    >>> channel = MessageChannel()
    >>> channel.port1.post_message(None)
    >>> receive_message_on_port(channel.port2)
    Message(value=None, ports=())
    >>> receive_message_on_port(channel.port2) is None
    True
    """
    if not isinstance(port, Receiver):
        raise TypeError(f"the port must be a MessagePort or a BroadcastChannel, not {type(port).__name__}")
    end = port._end
    source = end.link.source
    if source is not None and not end.items:
        look(port, end, source)
    return port.take_message()

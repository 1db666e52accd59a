"""The writing half of a process channel: what could not be written yet, and the one who writes it.

    queue = (payload | chunk)*
    payload   a message without attachments; those that follow each other are one frame when they are written
    chunk     any other frame, or what is left of one of which a part was written

A post writes directly, in its own thread, and never waits.  What the kernel has no room for is queued; from
then on posts are only appended, the I/O thread writes when there is room again, and now and then the poster
tries too: a thread that posts in a loop lets the I/O thread run only every few milliseconds.

A post that follows another at once is queued too, so that a burst of them wakes the reader once and not each
time: where both run on one core, each change of process costs as much as a message.  It is written when it is
long enough, or when this process waits for a message, or by the gathering thread, whichever comes first.

(A signal handler may post between any two lines here: it only appends to the queue while ``_writing``.)
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from socket import SCM_RIGHTS, SOL_SOCKET
from time import monotonic
from typing import Final

from transport._gather import call_when_idle
from transport._io import call_later, io_poller
from transport._process_socket import SEND as _FLAGS
from transport._process_socket import Side
from transport._process_wire import (
    BATCH,
    HEADER,
    MAX_DESCRIPTORS,
    MESSAGE,
    MORE,
    Chunk,
    Octets,
    batch,
    chunks,
    framed,
    together,
)

_ENOUGH: Final = 1 << 15
"""Bytes of posts, each with what it costs to handle it, after which the poster himself writes."""
_COST: Final = 64
_ENTRY: Final = 512
_CARGO: Final = 1 << 10  # of a message with descriptors
_GAP: Final = 20e-6
"""Seconds within which one post follows another at once: they are in a loop that does little else."""
_CARGO_GAP: Final = 60e-6  # where something is moved

LITTLE: Final = 1 << 12
"""Bytes of a payload that is joined with others."""
_TOGETHER: Final = 1024
"""Messages in one frame."""
_GATHER: Final = 256  # pieces in one sendmsg; the kernel takes 1024
_RETRY: Final = (105, 109)  # ENOBUFS, ETOOMANYREFS: descriptors in flight, which the readers will take


class _Bursts:
    """The outboxes with a burst that may be over."""

    def __init__(self) -> None:
        self.outboxes: Final[deque[Outbox]] = deque()
        self.waits = 0
        """How often this process has waited for a message: what is posted behind a wait follows nothing.
        (Counted by whoever waits, who then flushes.)"""

    def add(self, outbox: Outbox) -> None:
        self.outboxes.append(outbox)
        call_when_idle(flush_bursts)


bursts: Final = _Bursts()


def flush_bursts() -> None:
    """Write what is kept so that more of it may come together."""
    outboxes = bursts.outboxes
    while outboxes:
        try:
            outbox = outboxes.popleft()
        except IndexError:
            return
        outbox.burst_is_over()


def forget() -> None:
    """In a forked child: what was to be written is the parent's."""
    bursts.outboxes.clear()


class Outbox:
    """A queue in front of a socket.  Its caller holds the one lock around every method."""

    def __init__(self, sock: Side, on_written: Callable[[], None], on_broken: Callable[[], None]) -> None:
        self._socket: Final = sock
        self._on_written: Final = on_written
        """Called without the lock, mostly by the I/O thread: it takes the lock and calls ``flush``."""
        self._on_broken: Final = on_broken
        """Called with the lock held: nobody will read any more."""
        self.owed = 0
        """Bytes of messages taken here that the other side has not been told of: the next frame does."""
        self._queue: Final[deque[bytes | Chunk]] = deque()
        self._writing = False
        self._waiting = False
        """Does the I/O thread wait for room?"""
        self._retrying = False
        """Will the I/O thread try again in a while, whatever there is to wait for?"""
        self._listed = False
        """Is this one of ``bursts``?"""
        self._at_once = 0.0
        """Until when a post would follow the last one at once, unless there was a wait in between."""
        self._waits = 0
        self._untried = 0
        """What was put since this was last tried to be written: bytes, and the cost of handling it."""
        self._begun = False
        """Has a part of the first chunk been written?  (It has been cut down to the rest, then.)"""

    def __len__(self) -> int:
        return len(self._queue)

    def post(self, payload: bytes) -> None:
        """Write a message behind all that was put before; soon, if there is room."""
        queue = self._queue
        if len(payload) > LITTLE:
            owed, self.owed = self.owed, 0
            self.put(chunks(MESSAGE, payload, (), (), (), taken=owed)[0])
        elif queue or self._writing:
            queue.append(payload)
            self._untried += len(payload) + _COST
            if self._untried >= _ENOUGH:
                self.flush()
        elif self._waits == bursts.waits and monotonic() < self._at_once:
            queue.append(payload)
            self._keep(len(payload))
        else:
            # Nothing is queued, and there is room, nearly always: ``flush``, for this one frame.
            self._writing = True
            owed = self.owed
            frame = HEADER.pack(MESSAGE, 0, 0, 0, len(payload), owed) + payload
            try:
                count = self._socket.send(frame, _FLAGS)
            except OSError:
                count = 0  # flush meets the same error
            finally:
                self._writing = False
            self.owed -= owed
            if count != len(frame):
                # (A signal handler may have posted meanwhile; this goes first.)
                queue.appendleft(_cut(Chunk([frame]), count))
                self._begun = count > 0
            if queue:
                self.flush()
            self._at_once = monotonic() + _GAP
            self._waits = bursts.waits

    def put(self, entry: Chunk) -> None:
        """Write *entry*, of a message, behind all that was put before; soon, if there is room."""
        queue = self._queue
        if queue or self._writing:
            queue.append(_own(entry))
            self._untried += _CARGO if entry.handles else _ENTRY
            if self._untried < _ENOUGH and (self._waiting or (self._listed and entry.handles)):
                return
            self.flush()
        elif entry.handles and self._waits == bursts.waits and monotonic() < self._at_once:
            queue.append(_own(entry))
            self._keep(_CARGO)
            return
        else:
            self.put_now(entry)
        if entry.handles:
            self._at_once = monotonic() + _CARGO_GAP
            self._waits = bursts.waits

    def _keep(self, cost: int) -> None:
        """The first of a burst has been queued."""
        self._untried = cost
        if not self._listed:
            self._listed = True
            bursts.add(self)

    def put_now(self, entry: Chunk) -> None:
        """Write *entry* behind all that was put before; now, if there is room."""
        queue = self._queue
        if queue or self._writing:
            queue.append(_own(entry))
            self.flush()
            return
        # As in ``post``: nothing is queued, and there is room, nearly always.
        self._writing = True
        try:
            count = self._send(entry)
        except OSError:
            count = 0
        finally:
            self._writing = False
        if count != sum(map(len, entry.views)):
            queue.appendleft(_cut(entry, count))
            self._begun = count > 0
        if queue:
            self.flush()
            if queue and isinstance(head := queue[0], Chunk):
                queue[0] = _own(head)

    def begin_with(self, entries: Iterable[Chunk], *, begun: bool) -> None:
        """Write *entries* before all others; *begun* if a part of the first has been written."""
        self._queue.extend(entries)
        self._begun = begun
        if self._queue:
            self.flush()

    def flush(self) -> None:
        """Write as much as there is room for."""
        if self._writing:
            return
        self._writing = True
        self._untried = 0
        try:
            while self._queue:
                if not (self._write_chunks() if isinstance(self._queue[0], Chunk) else self._write_burst()):
                    return
        finally:
            self._writing = False
        if self._waiting:
            self._stop_waiting()

    def _write_burst(self) -> bool:
        queue = self._queue
        payloads: list[bytes] = []
        for entry in self._first(_TOGETHER):
            if isinstance(entry, Chunk):
                break
            payloads.append(entry)
        owed = self.owed
        frame = batch(payloads, owed) if len(payloads) > 1 else framed(payloads[0], owed)
        try:
            count = self._socket.send(frame, _FLAGS)
        except OSError as error:
            self._failed(error)
            return False
        self.owed -= owed
        for _ in payloads:
            queue.popleft()
        if count < len(frame):
            queue.appendleft(_cut(Chunk([frame]), count))
            self._begun = True
        return True

    def _first(self, count: int) -> list[bytes | Chunk]:
        while True:
            try:
                return list(islice(self._queue, count))
            except RuntimeError:  # a signal handler has posted between these two calls
                continue

    def _write_chunks(self) -> bool:
        queue = self._queue
        cargo = self._cargo()
        head = together(cargo) if len(cargo) > 1 else cargo[0] if cargo else self._joined()
        try:
            count = self._send(head)
        except OSError as error:
            self._failed(error)
            return False
        if len(cargo) > 1:
            for _ in cargo:
                queue.popleft()
            queue.appendleft(head)
        self._written(count)
        return True

    def _send(self, chunk: Chunk) -> int:
        numbers = [handle.number for handle in chunk.handles]
        ancillary = [(SOL_SOCKET, SCM_RIGHTS, array("i", numbers))] if numbers else []
        return self._socket.sendmsg(chunk.views[:1024], ancillary, _FLAGS)

    def _cargo(self) -> list[Chunk]:
        """The first entries, if they have descriptors: as many as go with one byte."""
        entries: list[Chunk] = []
        numbers = views = 0
        for entry in self._first(_GATHER):
            if not isinstance(entry, Chunk) or not entry.handles:
                break
            numbers += len(entry.handles)
            views += len(entry.views)
            if entries and (numbers > MAX_DESCRIPTORS or views > _GATHER or _kind(entry) == MORE):
                break
            entries.append(entry)
            if _kind(entry) == MORE:
                break
        return entries

    def _joined(self) -> Chunk:
        """The first entries, which have no descriptors."""
        views: list[Octets] = []
        for entry in self._first(_GATHER):
            if not isinstance(entry, Chunk) or entry.handles or len(views) >= _GATHER:
                break
            views += entry.views
        return Chunk(views)

    def _written(self, count: int) -> None:
        queue = self._queue
        while queue and isinstance(entry := queue[0], Chunk):
            size = sum(map(len, entry.views))
            if count < size:
                if count:
                    queue[0] = _cut(entry, count)
                    self._begun = True
                return
            count -= size
            queue.popleft()
            self._begun = False

    def _failed(self, error: OSError) -> None:
        if isinstance(error, BlockingIOError):
            self._wait()
        elif error.errno in _RETRY:
            self._retry()
        else:
            self._stop_waiting()
            self._on_broken()

    def _retry(self) -> None:
        """The kernel has too many descriptors in flight: nothing tells when it has room again."""
        if not self._retrying:
            self._retrying = True
            call_later(self._try_again)

    def _try_again(self) -> None:
        self._retrying = False  # before it fails again
        self._on_written()

    def _wait(self) -> None:
        if not self._waiting:
            self._waiting = True
            io_poller().on_writable(self._socket.fileno(), self._on_written)

    def _stop_waiting(self) -> None:
        if self._waiting:
            self._waiting = False
            io_poller().on_writable(self._socket.fileno(), None)

    def burst_is_over(self) -> None:
        """For ``flush_bursts``, which has no lock."""
        self._listed = False
        if self._queue and not self._writing:
            self._on_written()

    def forget(self, *, keep: bool) -> None:
        """In a forked child: the I/O thread that waits is the parent's, and so is what is queued, unless
        *keep*."""
        self._writing = self._waiting = self._retrying = self._listed = False
        if not keep:
            self._queue.clear()
            self._begun = False

    def drop_oldest(self) -> Chunk | None:
        """Take the oldest message out of which nothing has been written."""
        queue = self._queue
        for index in range(1 if self._begun else 0, len(queue)):
            entry = queue[index]
            # One that has more descriptors than go with a frame stays whole.
            if isinstance(entry, Chunk) and (
                _kind(entry) not in (MESSAGE, BATCH) or (index > 0 and _kind(queue[index - 1]) == MORE)
            ):
                continue
            del queue[index]
            return _chunk(entry)
        return None

    def take(self) -> tuple[list[Chunk], bool]:
        """All that is not written, and whether a part of the first entry was; nothing is written any more."""
        self._stop_waiting()
        entries = [_chunk(entry) for entry in self._first(len(self._queue))]
        self._queue.clear()
        begun, self._begun = self._begun, False
        return entries, begun


def _chunk(entry: bytes | Chunk) -> Chunk:
    return entry if isinstance(entry, Chunk) else Chunk([framed(entry)])


def _kind(entry: bytes | Chunk) -> int:
    return entry.views[0][0] if isinstance(entry, Chunk) else MESSAGE


def _cut(entry: Chunk, count: int) -> Chunk:
    """The rest of *entry*, without its descriptors: they went with the first byte."""
    if not count:
        return entry
    rest: list[Octets] = []
    for view in entry.views:
        if count >= len(view):
            count -= len(view)
        else:
            rest.append(_rest_of(view, count) if count else view)
            count = 0
    return Chunk(rest)


def _rest_of(view: Octets, count: int) -> memoryview:
    rest = memoryview(view)[count:]
    return rest if isinstance(view, memoryview) else rest.toreadonly()


def _own(entry: Chunk) -> Chunk:
    """*entry*, with copies of what its poster may still write to: memory seen through a writable view."""
    views = [
        view.tobytes() if isinstance(view, memoryview) and not view.readonly else view for view in entry.views
    ]
    return Chunk(views, entry.handles)

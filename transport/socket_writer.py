"""What goes out on a connection, and when.

    submit ─> ops ─> whoever has the lock works them off ─> links with something to send ─> outlet ─> kernel

Nobody waits for the lock: who finds it taken leaves his op, and its holder, who looks again after letting go,
does it too.  So a post never blocks, not for another thread's system call either, and what many threads
post meanwhile goes out in one.  A signal handler that posts is such a thread, too.

A post that follows others at once is not written at once: the gathering thread writes what has come together,
unless there is enough of it before, or the poster goes on to receive.  One that follows a pause, or
something heard, is not held back.
"""

from __future__ import annotations

import enum
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final

from transport._gather import call_when_idle
from transport._io import io_poller
from transport.message import CloseReason
from transport.socket_frames import BEGIN, END, HEADER, MESSAGE, MORE, PONG, PROBE, REASON_CODES, frame
from transport.socket_limits import ALONE, FRAGMENT, SHORT
from transport.socket_message import Outgoing
from transport.socket_outlet import Outlet

if TYPE_CHECKING:
    from transport.socket_link import SocketLink
    from transport.socket_stream import Stream

pack_header: Final = HEADER.pack
HEADER_SIZE: Final = HEADER.size

Op = tuple["SocketLink | None", "bytes | Outgoing | Callable[[], None]"]

BATCH: Final = 64 << 10
"""Bytes that are written without waiting for more."""

WIRE: Final = 1 << 20
"""Bytes that are made into frames ahead of the kernel; the rest waits in its links, each in its turn."""

PAUSE: Final = 0.0001
"""Seconds after which a post is the first one again: more than a loop takes from post to post, less than
anybody notices."""

PATIENCE: Final = 0.05
"""Seconds to wait for another thread's system call, where a result is wanted.  (A signal handler may wait for
the very thread that it runs in.)"""


class Phase(enum.Enum):
    """Who writes next."""

    OPEN = "the next one who has something to write"
    PROMISED = "the gathering thread, soon; or whoever brings more than a batch before"
    BLOCKED = "the I/O thread, when the kernel takes bytes again"
    CLOSED = "nobody"


OPEN, PROMISED, BLOCKED, CLOSED = Phase


class Writer:
    """The way out.  Every method that begins with ``_``, and the ones that say so, run under the lock."""

    def __init__(self, stream: Stream, discard: Callable[[Iterable[bytes | Outgoing]], None]) -> None:
        self._stream: Final = stream
        self._discard: Final = discard
        self._lock: Final = threading.Lock()
        self._ops: Final[deque[Op]] = deque()
        self._ready: Final[deque[SocketLink]] = deque()
        self._outlet: Final = Outlet(stream)
        self._phase = OPEN
        self._called = False
        """Has one of those threads left an op that nobody has done yet?"""
        self._owes_pong = False
        self._last = 0.0
        """When something was last put on the wire."""
        self.heard = True
        """Has anything been read since the last write?  Then the next post is likely to be an answer."""
        self.written: Callable[[], None] | None = None
        """Called under the lock, once, when nothing is left to be written."""

    # ------------------------------------------------------------------ from any thread

    def submit(self, link: SocketLink, message: bytes | Outgoing) -> None:
        """Queue a message on *link*."""
        if type(message) is bytes and self._lock.acquire(False):
            # The path of nearly every message: short, with credit, and the gathering thread will come.
            try:
                size = len(message)
                straight = self._phase is PROMISED and size <= SHORT and size <= link.credit
                if straight and not (link.out or self._ops or link.closing):
                    link.credit -= size
                    link.posted += size
                    outlet = self._outlet
                    outlet.small.append(pack_header(MESSAGE, link.number, size))
                    outlet.small.append(message)
                    outlet.size += HEADER_SIZE + size
                    if outlet.size >= BATCH:
                        self._write()
                else:
                    self._ops.append((link, message))
            finally:
                self._lock.release()
        else:
            self._ops.append((link, message))
        if self._ops:
            self._run()

    def kick(self) -> None:
        """Look whether something can be written that could not before."""
        self.call(lambda: None)

    def hurry(self) -> None:
        """Write what is held back for more to come: the poster is about to wait."""
        if self._phase is PROMISED:
            self.call(self._write)

    def call(self, op: Callable[[], None]) -> None:
        """Do *op* under the lock: now, or when its holder is done."""
        self._ops.append((None, op))
        self._run()

    def send(self, link: SocketLink | None, control: bytes) -> None:
        """Write the frame *control*, unless its channel has ended."""
        self.call(lambda: self._control(link, control))

    def take_oldest(self, link: SocketLink) -> bytes | Outgoing | None:
        """Take back the first message on *link* of which nothing is out."""
        self.catch_up()
        if not self._lock.acquire(timeout=PATIENCE):
            return None
        try:
            for position, message in enumerate(link.out):
                if isinstance(message, bytes) or not message.begun:
                    del link.out[position]
                    link.posted -= len(message) if isinstance(message, bytes) else message.size
                    return message
            return None
        finally:
            self._lock.release()
            self._run()

    def catch_up(self) -> None:
        """Have all that was submitted before entered in the accounts, if another thread is at it."""
        if self._ops and self._lock.acquire(timeout=PATIENCE):
            self._work_off()
            self._run()

    def _run(self) -> None:
        while self._ops and self._lock.acquire(False):
            self._work_off()

    # ------------------------------------------------------------------ under the lock

    def _work_off(self) -> None:
        """Do what has been left to be done, and let the lock go."""
        ops = self._ops
        try:
            while ops:
                link, op = ops.popleft()
                if link is None:
                    op()  # type: ignore[operator]
                else:
                    self._post(link, op)  # type: ignore[arg-type]
            self._flush()
        finally:
            self._lock.release()

    def _post(self, link: SocketLink, message: bytes | Outgoing) -> None:
        if link.closing is not None or self._phase is CLOSED:
            self._discard((message,))
            return
        if type(message) is bytes:
            size = len(message)
            link.posted += size
            # A link that is not open yet has no credit.
            if size <= link.credit and size <= SHORT and not link.out and self._phase is not BLOCKED:
                link.credit -= size
                self._outlet.put(pack_header(MESSAGE, link.number, size))
                self._outlet.put(message)
                return
        else:
            link.posted += message.size  # type: ignore[union-attr]
        link.out.append(message)
        self._enqueue(link)

    def _enqueue(self, link: SocketLink) -> None:
        if not link.queued and link.opened and (link.out or link.closing is not None) and not link.ended:
            link.queued = True
            self._ready.append(link)

    def _control(self, link: SocketLink | None, control: bytes) -> None:
        if link is None or (link.opened and not link.ended):
            self._outlet.put(control)

    def grant(self, link: SocketLink, credit: int) -> None:
        """Under the lock: the other side takes *credit* more bytes."""
        link.credit += credit
        self._enqueue(link)

    def end(self, link: SocketLink, reason: CloseReason) -> None:
        """Under the lock: the end mark follows what is queued on *link*."""
        if link.closing is None:
            link.closing = reason
            if self._phase is CLOSED:
                self.drop_link(link)
            else:
                self._enqueue(link)

    def heard_end(self, link: SocketLink) -> None:
        """Under the lock: the other side has closed, so it takes nothing more; answer with the end mark."""
        messages = list(link.out)
        link.out.clear()
        if link.closing is None:
            link.closing = CloseReason.LOCAL
        self._enqueue(link)
        self._discard(messages)

    def open(self, link: SocketLink) -> None:
        """Under the lock: the other side will know of the channel of *link* before what follows."""
        link.opened = True
        link.credit += link.connection.peer.credit
        if link.probing:
            self._outlet.put(frame(PROBE, link.number))
        self._enqueue(link)

    def drop_link(self, link: SocketLink) -> None:
        """Under the lock: nothing goes out on *link* any more."""
        messages = list(link.out)
        link.out.clear()
        link.ended = True
        if link.closing is None:
            link.closing = CloseReason.LOCAL
        self._discard(messages)

    # ------------------------------------------------------------------ links to frames

    def _fill(self) -> None:
        """Make frames of what the links have, each in its turn, until there is enough for a while."""
        ready = self._ready
        while ready and self._outlet.size < WIRE:
            link = ready.popleft()
            link.queued = False
            if self._turn(link):
                self._enqueue(link)

    def _turn(self, link: SocketLink) -> bool:
        """Write one fragment of *link*, or as many small messages.  False if it must wait for credit."""
        budget = FRAGMENT if self._ready else ALONE
        while link.out and budget > 0:
            message = link.out[0]
            if isinstance(message, bytes):
                size = len(message)
                if size > min(FRAGMENT, link.connection.peer.frame_size):
                    link.out[0] = Outgoing(message)
                    continue
                if size > link.credit:
                    if size <= SHORT:
                        return False
                    link.out[0] = Outgoing(message)
                    continue
                link.credit -= size
                budget -= size + HEADER_SIZE
                self._outlet.put(pack_header(MESSAGE, link.number, size))
                self._outlet.put(message)
                link.out.popleft()
            else:
                size = self._fragment(link, message, budget)
                if size == 0:
                    return False
                budget -= size + HEADER_SIZE
        if not link.out and link.closing is not None and not link.ended:
            link.ended = True
            self._outlet.put(frame(END, link.number, bytes((REASON_CODES[link.closing],))))
            link.connection.ended(link)
        return True

    def _fragment(self, link: SocketLink, message: Outgoing, budget: int) -> int:
        longest = min(max(budget, message.table_size), link.connection.peer.frame_size)
        size = min(message.left, link.credit, longest)
        if size == 0 or (not message.begun and size < message.table_size):
            return 0
        link.credit -= size
        self._outlet.put(pack_header(MORE if message.begun else BEGIN, link.number, size))
        for piece in message.next(size):
            self._outlet.put(piece)
        if not message.begun:
            message.begun = True
            for opened in message.opens:
                self.open(opened)
        if not message.left:
            link.out.popleft()
        return size

    # ------------------------------------------------------------------ frames to the kernel

    def _flush(self) -> None:
        """Write, or have the gathering thread write soon."""
        if self._phase is BLOCKED or self._phase is CLOSED:
            return
        if self._ready:
            self._fill()
        size = self._outlet.size
        if size < BATCH:
            if self._phase is PROMISED:
                return
            if not size and not self._stream.wants_flush():
                self._done()
                return
            if not self.heard:
                now = monotonic()
                last, self._last = self._last, now
                if now - last < PAUSE:
                    self._phase = PROMISED
                    call_when_idle(self._come)
                    return
        self._write()

    def _come(self) -> None:
        """The I/O thread, as the kernel takes bytes again; or the gathering thread, as it promised."""
        if not self._called:
            self._called = True
            self.call(self._came)

    def _came(self) -> None:
        self._called = False
        if self._phase is PROMISED:
            self._phase = OPEN
        if self._owes_pong:
            self._owes_pong = False
            self._outlet.put(frame(PONG, 0))
        self._write()

    def pong(self) -> None:
        """Under the lock: answer a PING; once, however many come while the other side does not read."""
        if self._phase is BLOCKED:
            self._owes_pong = True
        else:
            self._outlet.put(frame(PONG, 0))

    def _write(self) -> None:
        """Write until nothing is left, or the kernel takes no more."""
        if self._phase is CLOSED:
            return
        self.heard = False
        self._last = monotonic()
        stream, outlet = self._stream, self._outlet
        try:
            self._fill()
            while outlet.size and stream.ready:
                outlet.write()
                self._fill()
            flushed = stream.flush()
        except BlockingIOError:
            flushed = False
        except OSError:
            # The reader hears of it too, behind what the other side still had to say.
            self.close_out()
            return
        if not flushed:
            if self._phase is not BLOCKED:
                self._phase = BLOCKED
                io_poller().on_writable(stream.fileno(), self._come)
            return
        if self._phase is BLOCKED:
            self._phase = OPEN
            io_poller().on_writable(stream.fileno(), None)
        if not outlet.size:  # or the reader calls when the TLS handshake is complete
            self._done()

    def _done(self) -> None:
        """Nothing is left to be written."""
        written, self.written = self.written, None
        if written is not None:
            written()

    def close_out(self) -> None:
        """Under the lock: nothing more can be written."""
        if self._phase is BLOCKED:
            io_poller().on_writable(self._stream.fileno(), None)
        self._phase = CLOSED
        self._outlet.clear()
        self._ready.clear()

    def close(self, last: bytes = b"") -> None:
        """Under the lock: close the descriptor, with *last* as the last words if they can be said at once."""
        if last and self._phase is not CLOSED:
            self._outlet.put(last)
            self._write()
        with suppress(OSError):
            self._stream.flush()
        self.close_out()
        self._stream.close()

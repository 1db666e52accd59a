"""What goes out on a connection, and when.

    submit ─> ops ─> whoever has the lock works them off ─> links with something to send ─> wire ─> kernel

Nobody waits for the lock: who finds it taken leaves his op, and its holder, who looks again after letting go,
does it too.  So a post never blocks, not for another thread's system call either, and what many threads
post meanwhile goes out in one.  A signal handler that posts is such a thread, too.

A post that follows others at once is not written at once: the I/O thread writes what has come together,
unless there is enough of it before.  One that follows a pause, or something heard, is not held back.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

from transport._io import call_soon, io_poller
from transport.message import CloseReason
from transport.socket_frames import BEGIN, END, HEADER, MESSAGE, MORE, PONG, PROBE, REASON_CODES, frame
from transport.socket_limits import ALONE, FRAGMENT
from transport.socket_message import Outgoing

if TYPE_CHECKING:
    from transport.socket_link import SocketLink

pack_header: Final = HEADER.pack
HEADER_SIZE: Final = HEADER.size

Op = tuple["SocketLink | None", "bytes | Outgoing | Callable[[], None]"]

BATCH: Final = 64 << 10
"""Bytes that are written without waiting for more."""

WIRE: Final = 1 << 20
"""Bytes that are made into frames ahead of the kernel; the rest waits in its links, each in its turn."""

COPIED: Final = 8 << 10
"""Up to this size, a copy costs less than a piece of its own in the system call."""

PIECES: Final = 64
"""Pieces in one system call; Linux takes 1024."""

PAUSE: Final = 0.0001
"""Seconds after which a post is the first one again: more than a loop takes from post to post, less than
anybody notices."""


class Stream(Protocol):
    """A socket, or TLS over one.  Never blocks."""

    ready: bool
    """May anything be sent?  Not before a TLS handshake is complete."""

    def fileno(self) -> int: ...

    def buffered(self) -> bool:
        """Have bytes come out of the socket that ``recv`` has not returned yet?"""

    def recv(self, size: int, /) -> bytes:
        """At most *size* bytes; none at the end.  BlockingIOError if there is nothing yet."""

    def recv_into(self, room: memoryview, more: memoryview, /) -> int:
        """Fill *room*, then *more*; return how many bytes came, 0 at the end."""

    def send(self, pieces: list[bytes | bytearray | memoryview], /) -> int:
        """Send the beginning of *pieces*; return how many bytes were taken."""

    def wants_flush(self) -> bool:
        """Has it something to send, of its own or of what ``send`` took?"""

    def flush(self) -> bool:
        """Send that.  False if some of it is left."""

    def shutdown(self) -> None: ...

    def close(self) -> None: ...


class Writer:
    """The way out.  Every method that begins with ``_``, and the ones that say so, run under the lock."""

    def __init__(self, stream: Stream, discard: Callable[[Iterable[bytes | Outgoing]], None]) -> None:
        self._stream: Final = stream
        self._discard: Final = discard
        self._lock: Final = threading.Lock()
        self._ops: Final[deque[Op]] = deque()
        self._ready: Final[deque[SocketLink]] = deque()
        self._chunks: Final[deque[bytes | bytearray | memoryview]] = deque()
        """Frames, or parts of them, before those in ``_tail``."""
        self._tail = bytearray()
        self._size = 0
        self._blocked = False
        """The kernel takes no more: the I/O thread waits until it does."""
        self._watched = False
        """The I/O thread has been asked to write when the kernel takes bytes again."""
        self._promised = False
        """It has been asked to write soon."""
        self._called = False
        """Its time has come."""
        self._owes_pong = False
        self._last = 0.0
        """When something was last put on the wire."""
        self.heard = True
        """Has anything been read since the last write?  Then the next post is likely to be an answer."""
        self.written: Callable[[], None] | None = None
        """Called under the lock, once, when nothing is left to be written."""
        self._closed = False

    # ------------------------------------------------------------------ from any thread

    def submit(self, link: SocketLink, message: bytes | Outgoing) -> None:
        """Queue a message on *link*."""
        lock = self._lock
        if lock.acquire(False):
            first = not self._ops
            try:
                if first:
                    self._post(link, message)
                    self._flush()
            finally:
                lock.release()
            if first:
                if self._ops:
                    self._run()
                return
        self._ops.append((link, message))
        self._run()

    def kick(self) -> None:
        """Look whether something can be written that could not before."""
        self.call(_nothing)

    def call(self, op: Callable[[], None]) -> None:
        """Do *op* under the lock: now, or when its holder is done."""
        self._ops.append((None, op))
        self._run()

    def send(self, link: SocketLink | None, control: bytes) -> None:
        """Write the frame *control*, unless its channel has ended."""
        self.call(lambda: self._control(link, control))

    def pending(self) -> bool:
        """Is there anything that the kernel does not have yet?"""
        return bool(self._ops or self._size or self._ready)

    def take_oldest(self, link: SocketLink) -> bytes | Outgoing | None:
        """Take back the first message on *link* of which nothing is out."""
        if not self._lock.acquire(blocking=False):
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

    def _run(self) -> None:
        ops = self._ops
        lock = self._lock
        while ops and lock.acquire(False):
            try:
                while ops:
                    link, op = ops.popleft()
                    if link is None:
                        op()  # type: ignore[operator]
                    else:
                        self._post(link, op)  # type: ignore[arg-type]
                self._flush()
            finally:
                lock.release()

    # ------------------------------------------------------------------ under the lock

    def _post(self, link: SocketLink, message: bytes | Outgoing) -> None:
        if link.closing is not None or self._closed:
            self._discard((message,))
            return
        if type(message) is bytes:
            size = len(message)
            link.posted += size
            # As for nearly every message.  (A link that is not open yet has no credit.)
            if size <= link.credit and size <= COPIED and not link.out and not self._blocked:
                link.credit -= size
                tail = self._tail
                tail += pack_header(MESSAGE, link.number, size)
                tail += message
                self._size += HEADER_SIZE + size
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
            self._put(control)

    def _put(self, piece: bytes | memoryview) -> None:
        self._size += len(piece)
        if len(piece) <= COPIED:
            self._tail += piece
        else:
            if self._tail:
                self._chunks.append(self._tail)
                self._tail = bytearray()
            self._chunks.append(piece)

    def grant(self, link: SocketLink, credit: int) -> None:
        """Under the lock: the other side takes *credit* more bytes."""
        link.credit += credit
        self._enqueue(link)

    def end(self, link: SocketLink, reason: CloseReason) -> None:
        """Under the lock: the end mark follows what is queued on *link*."""
        if link.closing is None:
            link.closing = reason
            if self._closed:
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
            self._put(frame(PROBE, link.number))
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
        while ready and self._size < WIRE:
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
                    if size <= COPIED:
                        return False
                    link.out[0] = Outgoing(message)
                    continue
                link.credit -= size
                budget -= size + HEADER.size
                self._put(HEADER.pack(MESSAGE, link.number, size))
                self._put(message)
                link.out.popleft()
            else:
                size = self._fragment(link, message, budget)
                if size == 0:
                    return False
                budget -= size + HEADER.size
        if not link.out and link.closing is not None and not link.ended:
            link.ended = True
            self._put(frame(END, link.number, bytes((REASON_CODES[link.closing],))))
            link.connection.ended(link)
        return True

    def _fragment(self, link: SocketLink, message: Outgoing, budget: int) -> int:
        longest = min(max(budget, message.table_size), link.connection.peer.frame_size)
        size = min(message.left, link.credit, longest)
        if size == 0 or (not message.begun and size < message.table_size):
            return 0
        link.credit -= size
        self._put(HEADER.pack(MORE if message.begun else BEGIN, link.number, size))
        for piece in message.next(size):
            self._put(piece)
        if not message.begun:
            message.begun = True
            for opened in message.opens:
                self.open(opened)
        if not message.left:
            link.out.popleft()
        return size

    # ------------------------------------------------------------------ frames to the kernel

    def _flush(self) -> None:
        """Write, or have the I/O thread write soon."""
        if self._blocked or self._closed:
            return
        if self._ready:
            self._fill()
        if self._promised and not self._called and self._size < BATCH:
            return  # the I/O thread will come
        if not self._size and not self._stream.wants_flush():
            self._done()
            return
        if self._size < BATCH and not self._called and not self.heard:
            now = monotonic()
            last, self._last = self._last, now
            if now - last < PAUSE:
                self._promised = True
                call_soon(self._writable)
                return
        else:
            self._last = monotonic()
        self._write()

    def _watch(self) -> None:
        if not self._watched:
            self._watched = True
            io_poller().on_writable(self._stream.fileno(), self._writable)

    def _unwatch(self) -> None:
        if self._watched:
            self._watched = False
            io_poller().on_writable(self._stream.fileno(), None)

    def _writable(self) -> None:
        """The I/O thread: the kernel takes bytes, or the time has come that was promised."""
        self._promised = False
        if not self._called:
            self._called = True
            self.call(self._go_on)

    def _go_on(self) -> None:
        self._blocked = False
        if self._owes_pong:
            self.pong()

    def pong(self) -> None:
        """Under the lock: answer a PING; once, however many come while the other side does not read."""
        self._owes_pong = self._blocked
        if not self._blocked:
            self._put(frame(PONG, 0))

    def _write(self) -> None:
        self.heard = self._called = False
        stream = self._stream
        try:
            while self._size and stream.ready:
                sent = stream.send(self._pieces())
                self._size -= sent
                self._consume(sent)
                self._fill()
            if stream.flush():
                self._blocked = False
                if self._size:  # the reader calls when the TLS handshake is complete
                    self._unwatch()
                else:
                    self._done()
                return
        except BlockingIOError:
            pass
        except OSError:
            # The reader hears of it too, behind what the other side still had to say.
            self.close_out()
            return
        self._blocked = True
        self._watch()

    def _pieces(self) -> list[bytes | bytearray | memoryview]:
        chunks = self._chunks
        if not chunks:
            return [self._tail]
        if len(chunks) < PIECES:
            return [*chunks, self._tail] if self._tail else list(chunks)
        return [chunks[index] for index in range(PIECES)]

    def _consume(self, size: int) -> None:
        chunks = self._chunks
        while size and chunks:
            chunk = chunks[0]
            if len(chunk) > size:
                chunks[0] = memoryview(chunk)[size:]
                return
            size -= len(chunk)
            chunks.popleft()
        if size:
            if size == len(self._tail):
                self._tail.clear()
            else:
                del self._tail[:size]

    def _done(self) -> None:
        """Nothing is left to be written."""
        self._called = False
        self._unwatch()
        written = self.written
        if written is not None:
            self.written = None
            written()

    def close_out(self) -> None:
        """Under the lock: nothing more can be written."""
        if not self._closed:
            self._unwatch()
            self._closed = True
            self._chunks.clear()
            self._tail = bytearray()
            self._size = 0
            self._ready.clear()

    def close(self, last: bytes = b"") -> None:
        """Under the lock: close the descriptor, with *last* as the last words if they can be said at once."""
        if last and not self._closed:
            self._put(last)
            self._blocked = False
            self._write()
        with suppress(OSError):
            self._stream.flush()
        self.close_out()
        self._stream.close()


def _nothing() -> None:
    """An op that only has its thread write."""

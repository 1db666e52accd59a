"""The reading half of a process channel: ``recvmsg`` only, with room for descriptors at every call.

(A plain ``recv`` over bytes that carry descriptors closes them, and nobody is told.)  What is read goes
into a scratch buffer that threads share, or, if a big buffer is awaited, straight into its memory.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final

from transport._io import io_poller
from transport._process_outbox import bursts, flush_bursts
from transport._process_reader import FrameReader, handles_in
from transport._process_socket import Side
from transport._process_wire import (
    CLAIM,
    END,
    HEADER,
    MAX_DESCRIPTORS,
    REASONS,
    FrameError,
)
from transport._source import Source
from transport.message import CloseReason

# Bare integers: an operation on the enum's members costs as much as a system call.
_FLAGS: Final = int(socket.MSG_DONTWAIT | getattr(socket, "MSG_CMSG_CLOEXEC", 0))
_TRUNCATED: Final = int(socket.MSG_CTRUNC)
_ROOM: Final = socket.CMSG_SPACE(MAX_DESCRIPTORS * 4) if hasattr(socket, "CMSG_SPACE") else 0
_SCRATCH: Final = 1 << 17
_ROUNDS: Final = 8
"""System calls in one ``pump`` at most: others have their turn."""

_scratches: Final[list[memoryview]] = []


class ProcessSource(Source):
    """Reads one socket, and says what came in it."""

    def __init__(
        self,
        sock: Side,
        reader: FrameReader,
        on_end: Callable[[CloseReason], None],
        on_use: Callable[[], None],
    ) -> None:
        super().__init__(sock.fileno())
        self._socket: Final = sock
        self._on_end: Final = on_end
        self._on_use: Final = on_use
        """Called when somebody here wants this end to be read for the first time since a fork."""
        self._reader: Final = reader
        self.ended = False
        """Has the end mark come?  Nothing comes behind it."""
        self.unclaimed = False
        """Has nobody here used this end since a fork?"""
        self.peeking = False
        """Is it undecided, after a fork, whose end this is?"""

    # ------------------------------------------------------------------ after a fork

    def pause(self) -> None:
        """Before a fork: nobody uses this end, so nobody reads it, until somebody does."""
        self.retire()
        self.peeking = self.unclaimed = True

    def peek(self) -> None:
        """After it, in the parent: look for a claim, and take nothing that may be the child's."""
        if self.peeking:
            self.resume()
            self._watch(io_poller())

    def claim(self) -> None:
        """The end is this process's: what comes is read here, whoever else has a copy."""
        self.peeking = self.unclaimed = False
        self.resume()

    def _wanted(self) -> None:
        bursts.waits += 1
        if bursts.outboxes:
            flush_bursts()
        if self.unclaimed:
            self._on_use()
            if self.unclaimed:
                self.claim()

    def _look(self) -> bool:
        """Read only if the next frame is a claim: the other end is a child's, and this one ours."""
        try:
            head = self._socket.recv(HEADER.size, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            head = b""
        if not head or head[0] == CLAIM:
            self.peeking = False
            return self.pump()
        if head[0] == END and len(head) == HEADER.size:
            # It stays where it is, for whoever owns this end.
            self._on_end(REASONS[min(HEADER.unpack(head)[3], len(REASONS) - 1)])
        with self._role:
            if self.peeking:  # else somebody has just begun to use it, and another poller may read
                self._leave_poller()
        return True

    # ------------------------------------------------------------------ reading

    def finish(self, reason: CloseReason, still: Callable[[], bool]) -> None:
        """One who wrote is dead: read what is there, and then the end, if *still* nobody else writes."""
        with self._pumping:
            if self.peeking:
                self._on_end(reason)  # what is there may be a child's of ours
                return
            if not self.ended:
                self.drain()
                if still():
                    self.end(reason)
        if self.ended:
            self._finish()
        else:
            self.wake_leader()

    def pump(self) -> bool:
        return self._look() if self.peeking else self._read(_ROUNDS)

    def drain(self) -> None:
        """Read all that is there.  For the one who has retired this source, and will close the socket."""
        while not (self.ended or self.is_calm()):
            self._read(_ROUNDS)

    def _read(self, rounds: int) -> bool:
        """At most so often; False when nothing more can come."""
        scratch = _scratches.pop() if _scratches else memoryview(bytearray(_SCRATCH))
        reader = self._reader
        try:
            while rounds and not self.ended:
                rounds -= 1
                target = reader.unfilled[0] if reader.unfilled else None
                into = [scratch] if target is None else [target, scratch]
                try:
                    count, ancillary, flags, _ = self._socket.recvmsg_into(into, _ROOM, _FLAGS)
                except BlockingIOError:
                    break
                except OSError:  # ECONNRESET: it closed without having read all that we sent
                    self.end(CloseReason.PEER_DIED)
                    break
                if ancillary or flags & _TRUNCATED:
                    reader.feed_handles(handles_in(ancillary), lost=bool(flags & _TRUNCATED))
                room = _SCRATCH
                if not count:
                    self.end(CloseReason.PEER_DIED)
                elif target is None:
                    reader.came(scratch, count)
                else:
                    room += len(target)
                    inside = min(count, len(target))
                    reader.filled(inside)
                    reader.came(scratch, count - inside)
                if count < room:
                    break  # nothing more is there, or what has descriptors: the poller, or poll, calls again
        except FrameError:
            self.end(CloseReason.PROTOCOL_ERROR)
        finally:
            _scratches.append(scratch)
        return not self.ended

    def end(self, reason: CloseReason) -> None:
        """Nothing comes any more."""
        if not self.ended:
            self.ended = True
            self._on_end(reason)

"""The reading half of a process channel: ``recvmsg`` only, with room for descriptors at every call.

(A plain ``recv`` over bytes that carry descriptors closes them, and nobody is told.)  What is read goes into a
scratch buffer that threads share, or, if a big buffer is awaited, straight into its memory.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final

from transport._process_wire import MAX_DESCRIPTORS, FrameError, FrameReader, handles_in
from transport._source import Source
from transport.message import CloseReason

_FLAGS: Final = socket.MSG_DONTWAIT | getattr(socket, "MSG_CMSG_CLOEXEC", 0)
_ROOM: Final = socket.CMSG_SPACE(MAX_DESCRIPTORS * 4) if hasattr(socket, "CMSG_SPACE") else 0
_SCRATCH: Final = 1 << 17
_ROUNDS: Final = 8
"""System calls in one ``pump`` at most: others have their turn."""

_scratches: Final[list[memoryview]] = []


class ProcessSource(Source):
    """Reads one socket, and says what came in it."""

    def __init__(
        self, sock: socket.socket, reader: FrameReader, on_end: Callable[[CloseReason], None]
    ) -> None:
        super().__init__()
        self._socket: Final = sock
        self._fd: Final = sock.fileno()
        self._on_end: Final = on_end
        self._reader: Final = reader
        self.ended = False
        """Has the end mark come?  Nothing comes behind it."""

    def fileno(self) -> int:
        """The number, also when the socket is closed: a reader's poll set knows it by that."""
        return self._fd

    def pump(self) -> bool:
        self._read_often(_ROUNDS)
        return not self.ended

    def drain(self) -> None:
        """Read all that is there.  For the one who has retired this source, and will close the socket."""
        self._read_often(1 << 30)

    def _read_often(self, rounds: int) -> None:
        scratch = _scratches.pop() if _scratches else memoryview(bytearray(_SCRATCH))
        try:
            for _ in range(rounds):
                if self.ended or not self._read(scratch):
                    return
        finally:
            _scratches.append(scratch)

    def _read(self, scratch: memoryview) -> bool:
        """Read once; False if there is nothing more now."""
        reader = self._reader
        target = reader.target()
        into = [scratch] if target is None else [target, scratch]
        try:
            count, ancillary, flags, _ = self._socket.recvmsg_into(into, _ROOM, _FLAGS)
        except BlockingIOError:
            return False
        except OSError:  # ECONNRESET: it closed without having read all that we sent
            return self.end(CloseReason.PEER_DIED)
        try:
            if ancillary or flags & socket.MSG_CTRUNC:
                reader.feed_handles(handles_in(ancillary), lost=bool(flags & socket.MSG_CTRUNC))
            if not count:
                return self.end(CloseReason.PEER_DIED)
            rest = count
            room = len(scratch)
            if target is not None:
                room += len(target)
                reader.filled(min(count, len(target)))
                rest = count - len(target)
            if rest > 0:
                reader.feed(scratch[:rest])
        except FrameError:
            return self.end(CloseReason.PROTOCOL_ERROR)
        return not self.ended and (count == room or bool(ancillary))

    def end(self, reason: CloseReason) -> bool:
        """Nothing comes any more.  Returns False."""
        if not self.ended:
            self.ended = True
            self._on_end(reason)
        return False

"""A socket as the writer and the reader of a connection use it: a plain one; TLS is in ``socket_tls``."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Final, Protocol, TypeAlias

Piece: TypeAlias = "bytes | bytearray | memoryview"


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

    def send(self, pieces: list[Piece], /) -> int:
        """Send the beginning of *pieces*; return how many bytes were taken."""

    def wants_flush(self) -> bool:
        """Has it something to send, of its own or of what ``send`` took?"""

    def flush(self) -> bool:
        """Send that.  False if some of it is left."""

    def shutdown(self) -> None: ...

    def close(self) -> None: ...


class PlainStream:
    """A connected TCP or Unix socket.  It never blocks."""

    ready = True

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket: Final = sock
        self._number: Final = sock.fileno()
        self.recv: Final = sock.recv

    def fileno(self) -> int:
        """The descriptor; still its number when it is closed."""
        return self._number

    def buffered(self) -> bool:
        return False

    def recv_into(self, room: memoryview, more: memoryview) -> int:
        return self._socket.recvmsg_into([room, more])[0]

    def send(self, pieces: list[Piece]) -> int:
        if len(pieces) == 1:
            return self._socket.send(pieces[0])
        return self._socket.sendmsg(pieces)

    def wants_flush(self) -> bool:
        return False

    def flush(self) -> bool:
        return True

    def shutdown(self) -> None:
        """End it in both directions: who waits for it in another thread is woken."""
        with suppress(OSError):  # it has ended already
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()

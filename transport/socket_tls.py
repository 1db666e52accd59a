"""TLS over a socket, for the writer and the reader of a connection.

    recv: socket ─> incoming ─> SSLObject ─> plain bytes
    send: plain bytes ─> SSLObject ─> outgoing ─> socket

The SSLObject works in memory, so that reading and writing need not wait for each other on the socket.  The
reader alone reads from the socket and the writer alone writes to it; the lock is for what lies between.
"""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from typing import Final

from transport.socket_stream import PlainStream

RECORD: Final = 64 << 10
"""Bytes that are encrypted, or read from the socket, at once: four of TLS's records."""


class TlsStream:
    """A connected socket with TLS on it.  It never blocks.

    Raises:
        ValueError: the context checks names, and there is none to check.
        OSError: the context does not fit.
    """

    def __init__(
        self, sock: socket.socket, context: ssl.SSLContext, *, server_side: bool, server_hostname: str | None
    ) -> None:
        if context.check_hostname and not server_hostname and not server_side:
            # An SSLObject would go on without a look at the name.
            raise ValueError("the context checks the listener's name: give it as server_hostname")
        self._plain: Final = PlainStream(sock)
        self._socket: Final = sock
        self._incoming: Final = ssl.MemoryBIO()
        self._outgoing: Final = ssl.MemoryBIO()
        self._tls: Final = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_hostname
        )
        self._lock: Final = threading.Lock()
        self._encrypted = bytearray()
        """What the kernel has not taken yet: the writer's."""
        self.ready = False
        with self._lock:
            self._shake_hands()

    def fileno(self) -> int:
        return self._plain.fileno()

    def _shake_hands(self) -> None:
        """Go on with TLS's own handshake.  Called with the lock held."""
        with suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
            self.ready = True

    # ------------------------------------------------------------------ the reader

    def buffered(self) -> bool:
        return bool(self._incoming.pending or (self.ready and self._tls.pending()))

    def recv(self, size: int) -> bytes:
        while True:
            with self._lock:
                if not self.ready:
                    self._shake_hands()
                if self.ready:
                    with suppress(ssl.SSLWantReadError):
                        return self._read(size)
            self._read_more()

    def _read(self, size: int) -> bytes:
        try:
            return self._tls.read(size)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def _read_more(self) -> None:
        """More of what is encrypted, from the socket.  BlockingIOError if there is none yet."""
        data = self._socket.recv(RECORD)
        with self._lock:
            if data:
                self._incoming.write(data)
            else:
                if not self.ready:
                    raise ConnectionError("the other side ended the TLS handshake")
                self._incoming.write_eof()

    def recv_into(self, room: memoryview, more: memoryview) -> int:
        data = self.recv(len(room))
        room[: len(data)] = data
        return len(data)

    # ------------------------------------------------------------------ the writer

    def send(self, pieces: list[bytes | bytearray | memoryview]) -> int:
        if not self.flush():
            raise BlockingIOError
        with self._lock:
            return self._tls.write(memoryview(pieces[0])[:RECORD])

    def wants_flush(self) -> bool:
        return bool(self._outgoing.pending or self._encrypted)

    def flush(self) -> bool:
        encrypted = self._encrypted
        with self._lock:
            encrypted += self._outgoing.read()
        while encrypted:
            try:
                del encrypted[: self._socket.send(encrypted)]
            except BlockingIOError:
                return False
        return True

    def shutdown(self) -> None:
        with self._lock, suppress(OSError):  # SSLWantReadError: the other side need not answer
            if self.ready:
                self._tls.unwrap()
        with suppress(OSError):
            self.flush()
        self._plain.shutdown()

    def close(self) -> None:
        self._plain.close()

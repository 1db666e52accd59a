"""Where clients come in: a listening socket, and the handshakes of those that came.

    accept(2) ─> half open ─> opened(end), or rejected(error)

The I/O thread takes connections in and shakes hands; so a client that says nothing holds up nobody, and is
closed when its time is up, or earlier if there are too many like it.
"""

from __future__ import annotations

import enum
import errno
import os
import socket
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from transport._end import End
from transport._io import io_poller
from transport.socket_clock import call_later
from transport.socket_connection import Connection
from transport.socket_handshake import Handshake
from transport.socket_limits import Limits
from transport.socket_stream import PlainStream, Stream
from transport.socket_url import Address

if TYPE_CHECKING:
    from ssl import SSLContext

AT_ONCE: Final = 64
"""Connections that are taken in before other descriptors have their turn."""

RETRY: Final = 0.1
"""Seconds until the next try when the process has no descriptor left."""


class State(enum.Enum):
    """What becomes of a connection that arrives."""

    OPEN = "it is taken in"
    PAUSED = "it waits in the kernel's backlog"
    CLOSED = "it is refused"


class Entrance:
    """A listening socket.

    Args:
        address: where.
        secret, ssl, limits: what each connection gets.
        backlog: connections that the kernel keeps.
        opened: called in the I/O thread with the end of a connection whose handshake is complete.
        rejected: called there with what was wrong with another.
        full: tells whether no more should be taken in until ``go_on``.
    """

    def __init__(
        self,
        address: Address,
        *,
        secret: bytes | None,
        ssl: SSLContext | None,
        limits: Limits,
        backlog: int,
        opened: Callable[[End], None],
        rejected: Callable[[Exception], None],
        full: Callable[[], bool],
    ) -> None:
        self._secret: Final = secret
        self._ssl: Final = ssl
        self._limits: Final = limits
        self._opened: Final = opened
        self._rejected: Final = rejected
        self._full: Final = full
        self._lock: Final = threading.Lock()
        self._half_open: Final[dict[Connection, None]] = {}
        self._state = State.OPEN
        self._socket: Final = _bound(address, backlog)
        self._path: Final = address.path
        self._inode: Final = _inode(address.path) if address.path is not None else None
        self.url: Final = address.url_of(self._socket)
        """Where to connect to."""

    def begin(self) -> None:
        """Take connections in from now on."""
        io_poller().on_readable(self._socket.fileno(), self._acceptable)

    def _acceptable(self) -> None:
        for _ in range(AT_ONCE):
            if self._full():
                self._pause()
                if not self._full():  # somebody has made room, and did not see that we pause
                    self.go_on()
                return
            try:
                sock, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    self._pause()
                    call_later(RETRY, self.go_on)
                return  # or the client has gone again, or the socket is closed
            self._shake_hands(sock)

    def _pause(self) -> None:
        with self._lock:
            if self._state is State.OPEN:
                self._state = State.PAUSED
                io_poller().on_readable(self._socket.fileno(), None)

    def go_on(self) -> None:
        """There is room again."""
        if self._state is State.PAUSED:
            with self._lock:
                if self._state is State.PAUSED:
                    self._state = State.OPEN
                    self.begin()

    # ------------------------------------------------------------------ handshakes

    def _shake_hands(self, sock: socket.socket) -> None:
        try:
            stream = self._stream(sock)
        except OSError as error:
            sock.close()
            self._rejected(error)
            return
        limits = self._limits

        def opened(end: End) -> None:
            self._done(connection)
            self._opened(end)

        def failed(error: Exception) -> None:
            self._done(connection)
            self._rejected(error)

        connection = Connection(stream, Handshake("server", self._secret, limits), limits, opened, failed)
        with self._lock:
            oldest = next(iter(self._half_open)) if len(self._half_open) >= limits.half_open else None
            if oldest is not None:
                del self._half_open[oldest]
            self._half_open[connection] = None
        if oldest is not None:
            oldest.fail_unless_open("too many connections shake hands at the same time")
        call_later(
            limits.handshake_seconds, lambda: connection.fail_unless_open("the handshake took too long")
        )
        connection.begin()

    def _stream(self, sock: socket.socket) -> Stream:
        if self._ssl is None:
            return PlainStream(sock)
        from transport.socket_tls import TlsStream  # only for TLS

        return TlsStream(sock, self._ssl, server_side=True, server_hostname=None)

    def _done(self, connection: Connection) -> None:
        with self._lock:
            self._half_open.pop(connection, None)

    # ------------------------------------------------------------------ closing

    def close(self) -> None:
        """Refuse further connections, and those that shake hands; remove the file of a Unix socket."""
        with self._lock:
            self._state = State.CLOSED
            half_open = list(self._half_open)
        io_poller().on_readable(self._socket.fileno(), None)
        if self._path is not None and _inode(self._path) == self._inode:
            with suppress(OSError):
                os.unlink(self._path)  # noqa: PTH108 - pathlib is not needed for this
        self._socket.close()
        for connection in half_open:
            connection.fail_unless_open("the listener was closed")

    def close_copy(self) -> None:
        """In a forked child: close the descriptor, and nothing else."""
        self._socket.close()


def _bound(address: Address, backlog: int) -> socket.socket:
    """A listening socket; the file of a Unix socket that nobody listens on any more is replaced."""
    try:
        return _listening(address, backlog)
    except OSError as error:
        if address.path is None or error.errno != errno.EADDRINUSE or not _is_stale(address.path):
            raise
    with suppress(FileNotFoundError):
        os.unlink(address.path)  # noqa: PTH108
    return _listening(address, backlog)


def _listening(address: Address, backlog: int) -> socket.socket:
    sock = address.new_socket()
    try:
        if address.path is None and os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind(address.target)
        sock.listen(backlog)
    except BaseException:
        sock.close()
        raise
    return sock


def _is_stale(path: str) -> bool:
    """Is *path* a Unix socket on which nobody listens?"""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):  # noqa: PTH116
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1)
            probe.connect(path)
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def _inode(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return status.st_dev, status.st_ino

"""The socket backend: ``listen`` and ``connect``, and channels of this process with itself.

    listen(url) ─> Listener ─> a port for each client        connect(url) ─> a port to the listener's

The two are the ends of a channel like any other; ports sent through them become further channels on the same
connection.  ``docs/socket-protocol.md`` says what goes over the wire.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Final

from transport._end import End
from transport._io import io_poller
from transport.port import MessagePort, open_port
from transport.socket_connection import Connection
from transport.socket_handshake import Handshake, HandshakeError, secret_bytes
from transport.socket_limits import Limits
from transport.socket_listener import Listener
from transport.socket_stream import PlainStream, Stream
from transport.socket_url import Address

if TYPE_CHECKING:
    from ssl import SSLContext


__all__ = ["HandshakeError", "Limits", "Listener", "connect", "listen", "open_pair"]

DEFAULT: Final = Limits()


def listen(
    url: str,
    *,
    secret: bytes | str | None = None,
    ssl: SSLContext | None = None,
    limits: Limits = DEFAULT,
    backlog: int = 128,
) -> Listener:
    """Take in connections at *url*; each is a channel to the client, and yields a port.

    Args:
        url: ``tcp://host:port`` (port 0 for a free one; ``listener.url`` tells which) or ``unix:///path`` (a
            file that is left over is replaced if nobody listens on it).
        secret: what clients must prove that they know, as this side proves to them, before anything else
            they say is looked at.  Long and random: it is not stretched.
        ssl: for TLS, a server's context.
        limits: what is taken from clients; each limit has a name and can be changed.
        backlog: connections that the kernel keeps before they are taken in.

    Raises:
        ValueError: *url* is no such address, the secret is empty, or a limit does not work.
        OSError: the address is in use, or cannot be had.

    >>> with listen("tcp://127.0.0.1:0", secret="correct horse") as listener:
    ...     client = connect(listener.url, secret="correct horse")
    ...     server = listener.accept(timeout=5)
    >>> server.post_message({"foo": "bar"})
    >>> client.receive(timeout=5)
    {'foo': 'bar'}
    >>> client.close()
    """
    key = secret_bytes(secret)
    return Listener(Address(url), secret=key, ssl=ssl, limits=limits.checked(), backlog=backlog)


def connect(
    url: str,
    *,
    secret: bytes | str | None = None,
    ssl: SSLContext | None = None,
    server_hostname: str | None = None,
    timeout: float | None = 10.0,
    limits: Limits = DEFAULT,
) -> MessagePort:
    """Connect to a ``Listener``; return the port whose other side is what it yields.

    Blocks until the handshake is complete: in an asyncio program, ``await asyncio.to_thread(connect, url)``.

    Args:
        url: the listener's.
        secret: the listener's.  It proves that it knows it, too.
        ssl: for TLS, a client's context.
        server_hostname: the name in the listener's certificate, if it is not the host in *url*.
        timeout: seconds in all; None for as long as it takes.
        limits: what is taken from the listener.

    Raises:
        ValueError: *url* is no such address, the secret is empty, a limit does not work, or there is no name
            for *ssl* to check.
        TimeoutError: it took too long.
        HandshakeError: the listener speaks something else, or there is a secret that one side does not know.
        OSError: nobody listens there, the connection broke, or TLS was refused.
    """
    address = Address(url)
    key = secret_bytes(secret)
    limits.checked()
    deadline = None if timeout is None else monotonic() + timeout
    sock = address.connected(timeout)
    try:
        stream = _stream(sock, ssl, server_hostname or address.host or None)
    except BaseException:
        sock.close()
        raise
    done = threading.Event()
    ends: list[End] = []
    errors: list[Exception] = []

    def call_with(results: list[End] | list[Exception]) -> Callable[..., None]:
        def call(result: End | Exception) -> None:
            results.append(result)  # type: ignore[arg-type]
            done.set()

        return call

    handshake = Handshake("client", key, limits)
    connection = Connection(stream, handshake, limits, call_with(ends), call_with(errors))
    connection.begin()
    try:
        in_time = done.wait(None if deadline is None else max(0.0, deadline - monotonic()))
    finally:
        if not ends:
            connection.stop()
    if ends:
        return open_port(ends[0])
    if not in_time:
        raise TimeoutError(f"no handshake with {url} in {timeout} s")
    error = errors[0]
    if isinstance(error, ConnectionError) and not isinstance(error, HandshakeError):
        hint = "" if key is None else ": perhaps it has another secret"
        raise HandshakeError(f"the listener ended the connection in the handshake{hint}") from error
    raise error


def _stream(sock: socket.socket, ssl: SSLContext | None, server_hostname: str | None) -> Stream:
    if ssl is None:
        return PlainStream(sock)
    from transport.socket_tls import TlsStream  # only for TLS

    return TlsStream(sock, ssl, server_side=False, server_hostname=server_hostname)


def open_pair() -> tuple[End, End]:
    """The two ends of a channel over a connection of this process with itself."""
    ours, theirs = socket.socketpair()
    ends: list[End] = []

    def failed(error: Exception) -> None:
        raise AssertionError(error)

    client, server = Handshake("client", None, DEFAULT), Handshake("server", None, DEFAULT)
    sides = [
        Connection(PlainStream(sock), handshake, DEFAULT, ends.append, failed)
        for sock, handshake in ((ours, client), (theirs, server))
    ]
    client.feed(server.feed(client.start()))
    for side in sides:
        side.register()
    for side in sides:
        side.establish()
        side.watch(io_poller())
    return ends[0], ends[1]

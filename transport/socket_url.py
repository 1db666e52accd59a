"""Addresses as URLs: ``tcp://host:port``, ``tcp://[::1]:port``, ``unix:///path``."""

from __future__ import annotations

import socket
from typing import Any, Final


class Address:
    """What a URL names.

    Raises:
        ValueError: it is not one of the two kinds, or lacks a port or a path.
    """

    def __init__(self, url: str) -> None:
        scheme, mark, rest = url.partition("://")
        self.path: str | None = None
        """Of the file of a Unix socket; None for TCP."""
        self.host = ""
        self._port = 0
        if scheme == "unix" and mark and rest:
            if not hasattr(socket, "AF_UNIX"):
                raise NotImplementedError("this platform has no Unix sockets")
            self.path = rest
        elif scheme == "tcp" and mark:
            self.host, self._port = _host_and_port(url, rest.rstrip("/"))
        else:
            raise ValueError(f"no such address: {url!r}; there are tcp://host:port and unix:///path")
        self._family: Any = None
        self._resolved: Any = None

    @property
    def target(self) -> Any:
        """What ``bind`` takes."""
        if self.path is not None:
            return self.path
        return self._resolve()[4]

    def new_socket(self) -> socket.socket:
        """A socket to listen with."""
        if self.path is not None:
            return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        return socket.socket(self._resolve()[0], socket.SOCK_STREAM)

    def _resolve(self) -> Any:
        if self._resolved is None:
            found = socket.getaddrinfo(
                self.host or None, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
            self._resolved = found[0]
        return self._resolved

    def connected(self, timeout: float | None) -> socket.socket:
        """A socket that is connected to it.

        Raises:
            TimeoutError: it took longer than *timeout* seconds.
            OSError: nobody listens there, or it cannot be reached.
        """
        if self.path is None:
            return socket.create_connection((self.host, self._port), timeout)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(timeout)
            sock.connect(self.path)
        except BaseException:
            sock.close()
            raise
        return sock

    def url_of(self, sock: socket.socket) -> str:
        """The URL of a listening socket, with its real port."""
        if self.path is not None:
            return f"unix://{self.path}"
        port: Final = sock.getsockname()[1]
        host = self.host or ("::1" if sock.family == socket.AF_INET6 else "127.0.0.1")
        return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"


def _host_and_port(url: str, text: str) -> tuple[str, int]:
    host, mark, port = text.rpartition(":")
    if not mark or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"no port in {url!r}: tcp://host:port")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"an IPv6 address stands in brackets: tcp://[{host}]:{port}")
    return host, int(port)

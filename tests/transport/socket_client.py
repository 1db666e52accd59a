"""A client of the protocol that shares no code with the package: for what a well-behaved one never sends."""

from __future__ import annotations

import hashlib
import hmac
import os
import socket
import struct
from types import TracebackType
from typing import Final, NamedTuple

MESSAGE, BEGIN, MORE, END, ACK, PROBE, PING, PONG, ABORT = range(1, 10)
HELLO: Final = struct.Struct("<8sI32sIIIIQ")
HEADER: Final = struct.Struct("<BII")
TABLE: Final = struct.Struct("<QII")


class Frame(NamedTuple):
    kind: int
    channel: int
    body: bytes


def hello(*, secret: bool = False, message_size: int = 1 << 28, ports: int = 100) -> bytes:
    flags = 1 if secret else 0
    return HELLO.pack(b"MSGPORT1", flags, os.urandom(32), 1 << 20, 1 << 15, 1000, ports, message_size)


def frame(kind: int, channel: int, body: bytes = b"") -> bytes:
    return HEADER.pack(kind, channel, len(body)) + body


def table(payload: int, ports: list[int], buffers: list[tuple[int, int]]) -> bytes:
    parts = [TABLE.pack(payload, len(ports), len(buffers)), struct.pack(f"<{len(ports)}I", *ports)]
    return b"".join(parts + [struct.pack("<QQ", *buffer) for buffer in buffers])


class RawClient:
    """A blocking socket to a listener, and what may be said on it by hand."""

    def __init__(self, url: str, *, shake: bool = True, secret: bytes | None = None) -> None:
        if url.startswith("unix://"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(url.removeprefix("unix://"))
        else:
            host, _, port = url.removeprefix("tcp://").rpartition(":")
            self.socket = socket.create_connection((host, int(port)))
        self.socket.settimeout(10)
        self.server_hello = b""
        if shake:
            self.shake_hands(secret)

    def shake_hands(self, secret: bytes | None) -> None:
        mine = hello(secret=secret is not None)
        self.socket.sendall(mine)
        self.server_hello = self.read(HELLO.size)
        if secret is not None:
            both = mine + self.server_hello
            label = b"clonecodec socket client\0"
            self.socket.sendall(hmac.new(secret, label + both, hashlib.sha256).digest())
            label = b"clonecodec socket server\0"
            assert self.read(33) == b"\0" + hmac.new(secret, label + both, hashlib.sha256).digest()

    def send(self, kind: int, channel: int, body: bytes = b"") -> None:
        self.socket.sendall(frame(kind, channel, body))

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def next(self) -> Frame:
        kind, channel, length = HEADER.unpack(self.read(HEADER.size))
        return Frame(kind, channel, self.read(length))

    def until(self, kind: int) -> Frame:
        """The next frame of *kind*; what comes before it does not matter."""
        while True:
            came = self.next()
            if came.kind == kind:
                return came

    def ended(self) -> bool:
        """Has the listener closed the connection?  Waits for it."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            pass
        return True

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> RawClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

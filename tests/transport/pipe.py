"""The smallest backend with a descriptor: length and clone on a socketpair, nothing transferred.

It shows what ``Link``, ``Source`` and ``Sealed`` ask for, and runs the parts of the contract that need no
transfer: whoever reads the descriptor (a loop, the dispatcher, a thread in receive), the port is the same.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from clonecodec import check_transfer_list, dumps, loads, take_all
from transport._dispatch import Home
from transport._end import End
from transport._io import io_poller
from transport._source import Source
from transport.link import Link
from transport.message import CloseReason, EndMark, Item, Opened, Sealed, opened
from transport.port import MessagePort, open_port

DATA, END, TAKEN = 0, 1, 2


class Bytes(Sealed):
    """A message as it came out of the socket."""

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.size = len(payload)

    def open(self) -> Opened:
        return loads(self.payload), ()

    def dispose(self) -> Sequence[object]:
        return ()


class PipeSource(Source):
    def __init__(self, end: End, fd: int) -> None:
        super().__init__(fd)
        self._end = end
        self._data = bytearray()
        self.heard_end = False
        self.on_taken: Callable[[int], object] = int

    def pump(self) -> bool:
        try:
            data = os.read(self.fd, 65536)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            data = b""
        self._data += data
        while len(self._data) >= 5:
            kind, length = struct.unpack_from("<BI", self._data)
            if len(self._data) < 5 + length:
                break
            payload = bytes(self._data[5 : 5 + length])
            del self._data[: 5 + length]
            if kind == DATA:
                self._end.put(Bytes(payload))
            elif kind == TAKEN:
                self.on_taken(int(payload))
            else:
                self._end.put_end(CloseReason[payload.decode()])
                self.heard_end = True
        if not data and not self.heard_end:
            self._end.put_end(CloseReason.PEER_DIED)
        return bool(data) and not self.heard_end


class PipeLink:
    backend = "pipe"
    twin: Link | None = None

    def __init__(self, end: End, connection: socket.socket, channel: object) -> None:
        connection.setblocking(False)
        self._socket = connection
        self.channel = channel
        self.source = PipeSource(end, connection.fileno())
        self.source.on_taken = self._acknowledged
        end.taken = self._taken
        self._out = bytearray()
        self._lock = threading.RLock()
        self._amount = 0
        self._waiting: deque[tuple[int, Callable[[], None]]] = deque()
        self._closed = False

    def attend(self, home: Home | None) -> None:
        with self._lock:
            if not self._closed:
                self.source.resume()
        self.source.attend(home)

    def leave(self) -> None:
        self.source.retire()

    def post(self, value: object, transfer: Iterable[object] = ()) -> None:
        items = check_transfer_list(transfer)
        payload = dumps(value)
        take_all(items)
        with self._lock:
            if not self._closed:
                self._amount += len(payload)
                self._frame(DATA, payload)

    def send(self, item: Item) -> None:
        if isinstance(item, EndMark):
            self.close(item.reason)
        elif isinstance(item, Bytes):
            self._frame(DATA, item.payload)
        else:
            self.post(opened(item)[0])

    def close(self, reason: CloseReason) -> None:
        with self._lock:
            if self._closed:
                return
            self._frame(END, (CloseReason.PEER if reason is CloseReason.LOCAL else reason).name.encode())
            self._closed = True
            done = not self._out
        if done:
            self._shut()
        self._settle()

    def _frame(self, kind: int, payload: bytes) -> None:
        with self._lock:
            idle = not self._out
            self._out += struct.pack("<BI", kind, len(payload)) + payload
            if idle:
                self._flush()

    def _flush(self) -> None:
        with self._lock:
            try:
                while self._out:
                    del self._out[: self._socket.send(self._out)]
            except BlockingIOError:
                io_poller().on_writable(self._socket.fileno(), self._flush)
                return
            except OSError:
                self._out.clear()
            if self._socket.fileno() >= 0:
                io_poller().on_writable(self._socket.fileno(), None)
            done = self._closed
        if done:
            self._shut()

    def _shut(self) -> None:
        self.source.retire()
        self._socket.close()

    def _taken(self, item: Item) -> None:
        assert isinstance(item, Bytes)
        if not self._closed:
            self._frame(TAKEN, str(item.size).encode())

    def _acknowledged(self, size: int) -> None:
        with self._lock:
            self._amount -= size
            due = [callback for threshold, callback in self._waiting if self._amount <= threshold]
            self._waiting = deque(entry for entry in self._waiting if entry[0] < self._amount)
        for callback in due:
            callback()

    def _settle(self) -> None:
        with self._lock:
            self._amount = 0
            due, self._waiting = self._waiting, deque()
        for _, callback in due:
            callback()

    def buffered_amount(self) -> int:
        return 0 if self.source.heard_end else self._amount

    def notify(self, threshold: int, callback: Callable[[], None]) -> None:
        with self._lock:
            if self.buffered_amount() > threshold:
                self._waiting.append((threshold, callback))
                return
        callback()

    def drop_oldest(self) -> bool:
        return False


def ends() -> tuple[End, End]:
    """The two ends of a channel over a socketpair."""
    left, right = socket.socketpair()
    one, two = End(), End()
    channel = object()
    one.link = PipeLink(one, left, channel)
    two.link = PipeLink(two, right, channel)
    return one, two


def channel() -> tuple[MessagePort, MessagePort]:
    one, two = ends()
    return open_port(one), open_port(two)

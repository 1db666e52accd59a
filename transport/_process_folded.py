"""An end of a process channel that nobody has used since it was made, or came: kept as it travels.

    ─> Folded ─┬─ take ───> the next message: it travels on as it is
               ├─ close ──> the end mark is written, and the socket closed
               └─ unfold ─> ProcessLink: posted to, received from, listened on; before a fork; after a while

To put an end together and to take it apart is most of what moving it costs, and one that is only passed on
or closed needs neither.  What is sent to it waits in the socket meanwhile; not for long, as its writer might
wait for room (``here`` sees to that).

``End.lock`` guards what becomes of it, and nothing is written with it held: a writer may have to wait for a
reader, and a reader that hears a CLAIM unfolds the other end.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterable
from fcntl import ioctl
from termios import FIONREAD
from typing import TYPE_CHECKING, Final

from transport._end import NO_LINK, End
from transport._process_link import ProcessLink
from transport._process_owner import here
from transport._process_socket import SEND, Side
from transport._process_wire import END, HEADER, REASONS, Descriptor, control
from transport.link import NOTHING_LISTED, Link
from transport.message import CloseReason, Item

if TYPE_CHECKING:
    from transport._dispatch import Home
    from transport._process_parcel import Freight
    from transport._source import Source

STATE: Final = struct.Struct("<IIIIQQ16s")
_CALM: Final = bytes(16)
_NO_BYTES: Final = struct.pack("i", 0)
_END_MARK: Final = struct.pack("i", HEADER.size)
_PEEK: Final = int(socket.MSG_PEEK | socket.MSG_DONTWAIT)


def fresh(channel: bytes) -> bytes:
    """The state of an end that has never been used."""
    return STATE.pack(0, 0, 0, 0, 0, 0, channel)


def is_calm(state: bytes) -> bool:
    """Is there nothing to be done for the end before somebody uses it: no flags, chunks or known peer?"""
    return len(state) == STATE.size and state.startswith(_CALM)


class Folded:
    """The link of such an end."""

    backend = "process"
    __slots__ = ("_became", "_end", "_freight", "_socket", "_state")

    def __init__(self, end: End, sock: Side, state: bytes, freight: Freight) -> None:
        self._end: Final = end
        self._socket: Final = sock
        self._state: Final = state
        self._freight: Final = freight
        self._became: Final[list[Link]] = []
        """First, what it has become: NO_LINK if it is closed, or has travelled on."""

    @property
    def channel(self) -> object:
        return self._state[-16:]

    # ------------------------------------------------------------------ what becomes of it

    def take(self) -> tuple[bytes, list[Descriptor]] | None:
        """State and socket, to travel on; None if it has been unfolded."""
        with self._end.lock:
            here.forget(self)
            if self._became:
                return None
            self._became.append(NO_LINK)
            return self._state, [Descriptor(self._socket.detach())]

    def close(self, reason: CloseReason) -> None:
        with self._end.lock:
            here.forget(self)
            if not self._became and self._no_message_came() and self._say_end(reason):
                self._became.append(NO_LINK)
                self._socket.close()
                return
        self.unfold().close(reason)

    def _no_message_came(self) -> bool:
        """(A message may hold ports, which are to be closed.)"""
        size = ioctl(self._socket.fileno(), FIONREAD, _NO_BYTES)
        return size == _NO_BYTES or (size == _END_MARK and self._socket.recv(1, _PEEK)[0] == END)

    def _say_end(self, reason: CloseReason) -> bool:
        """False if there is no room for the end mark."""
        mark = CloseReason.PEER if reason is CloseReason.LOCAL else reason
        owed = STATE.unpack(self._state)[5]
        try:
            self._socket.send(control(END, REASONS.index(mark), owed), SEND)
        except BlockingIOError:
            return False
        except OSError:
            pass  # nobody hears it
        return True

    def unfold(self) -> Link:
        """The link that it has become."""
        end = self._end
        with end.lock:
            attended = here.forget(self)
            if not self._became:
                link = ProcessLink(end, self._socket, self._state[-16:], self._freight)
                _, _, _, _, link.posted, link.outbox.owed, _ = STATE.unpack(self._state)
                self._became.append(link)
                if self._became[0] is link:
                    link.enter()
                    if attended:
                        link.read_later()
                    if end.link is self:
                        end.link = link
                else:
                    link.gone = True  # a signal handler, between these lines, was first
            return self._became[0]

    # ------------------------------------------------------------------ Link

    def attend(self, home: Home | None) -> None:
        if home is None:
            # First this, and then the look: what becomes of it is forgotten the other way round.
            here.remember(self)
            if not self._became:
                return
            here.forget(self)
        self.unfold().attend(home)

    def leave(self) -> None:
        with self._end.lock:
            here.forget(self)
            became = list(self._became)
        for link in became:
            link.leave()

    @property
    def source(self) -> Source | None:
        return self.unfold().source

    @property
    def twin(self) -> Link | None:
        return self.unfold().twin

    def post(self, value: object, transfer: Iterable[object] = NOTHING_LISTED) -> None:
        self.unfold().post(value, transfer)

    def send(self, item: Item) -> None:
        self.unfold().send(item)

    def buffered_amount(self) -> int:
        return self.unfold().buffered_amount()

    def notify(self, threshold: int, callback: Callable[[], None]) -> None:
        self.unfold().notify(threshold, callback)

    def drop_oldest(self) -> bool:
        return self.unfold().drop_oldest()

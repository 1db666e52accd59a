"""A message on its way through a connection: going out in fragments, coming in part by part, and arrived.

    Outgoing  ──fragments──>  Assembly  ──whole──>  Arrived, in a port's queue

A message without attachments that fits in one frame is never an ``Outgoing`` nor an ``Assembly``: it is bytes
at one side and an ``Arrived`` at the other, or at once the value.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from clonecodec.plain import loads_plain
from transport._drop import drop_all
from transport._end import End
from transport.message import Opened, Sealed
from transport.port import open_port
from transport.socket_frames import Table, pack_table
from transport.socket_values import unpack

if TYPE_CHECKING:
    from transport.socket_link import SocketLink

CLAIM: Final = 4 << 20
"""Bytes that are set aside on the word of the sender alone; more only as they come."""


class Outgoing:
    """A message with attachments, or too long for one frame: its bytes in pieces, which are not copied.

    Args:
        payload: the value.
        buffers: the bytes of each buffer behind it, and its ``max_byte_length``.
        opens: the links, at this side, of the channels whose other ends are sent.
    """

    __slots__ = ("_left", "_pieces", "begun", "opens", "size", "table_size")

    def __init__(
        self,
        payload: bytes | bytearray,
        buffers: Sequence[tuple[bytes | bytearray | memoryview, int | None]] = (),
        opens: Sequence[SocketLink] = (),
    ) -> None:
        table = pack_table(
            len(payload), [link.number for link in opens], [(len(octets), most) for octets, most in buffers]
        )
        self.opens: Final = opens
        self.begun = False
        """Is its first fragment out?  Then the other side knows of the channels that it opens."""
        self.table_size: Final = len(table)
        self._pieces: Final = deque(memoryview(piece) for piece in (table, payload, *(b for b, _ in buffers)))
        self._left = sum(map(len, self._pieces))
        self.size: Final = self._left - len(table)
        """What it counts for in ``buffered_amount``: its bytes without the table."""

    @property
    def left(self) -> int:
        """Bytes that are not out yet, the table's among them."""
        return self._left

    def next(self, size: int) -> list[memoryview]:
        """Take the next *size* bytes off, in as many pieces as they lie in."""
        self._left -= size
        taken: list[memoryview] = []
        while size:
            piece = self._pieces[0]
            if len(piece) > size:
                taken.append(piece[:size])
                self._pieces[0] = piece[size:]
                break
            taken.append(self._pieces.popleft())
            size -= len(piece)
        return taken


class Arrived(Sealed):
    """A whole message that came over a connection, without attachments: a queue's ``Sealed``.

    Args:
        payload: the value.
        link: where it came in; it is told when the message is taken.

    ``size`` is its bytes without the table, which the sender counts as well.
    """

    __slots__ = ("link", "payload", "size")
    ends: Sequence[End] = ()
    buffers: Sequence[tuple[bytearray, int | None]] = ()

    def __init__(self, payload: bytes | bytearray, link: SocketLink) -> None:
        self.payload = payload
        self.link = link
        self.size = len(payload)

    def open(self) -> Opened:
        value = loads_plain(self.payload)
        return unpack(self.payload) if value is NotImplemented else value, ()

    def carried(self) -> Sequence[End]:
        """The ends that came with it, which are the caller's from now on."""
        return ()

    def dispose(self) -> Sequence[object]:
        return ()


class Laden(Arrived):
    """One with attachments.

    Args:
        ends: of the ports that came with it.
        buffers: what came with it, and the ``max_byte_length`` of each.
    """

    __slots__ = ("buffers", "ends")

    def __init__(
        self,
        payload: bytes | bytearray,
        link: SocketLink,
        ends: Sequence[End],
        buffers: Sequence[tuple[bytearray, int | None]],
    ) -> None:
        super().__init__(payload, link)
        self.ends = ends
        self.buffers = buffers
        self.size += sum(len(memory) for memory, _ in buffers)

    def open(self) -> Opened:
        ports = [open_port(end, arrived=True) for end in self.ends]
        try:
            return unpack(self.payload, ports, self.buffers), ports
        except Exception:
            drop_all(ports)
            raise

    def carried(self) -> Sequence[End]:
        ends, self.ends = self.ends, ()
        return ends

    def dispose(self) -> Sequence[object]:
        self.buffers, self.payload = (), b""
        return self.carried()


class Assembly:
    """A message that is coming in.  It says where the next bytes belong, and is told when they are there."""

    __slots__ = ("_filled", "_index", "_maxima", "_parts", "_sizes", "ends", "size", "whole")

    def __init__(self, sizes: Sequence[int], ends: Sequence[End], maxima: Sequence[int | None]) -> None:
        self._sizes: Final = sizes
        self._parts: Final[list[bytearray]] = []
        self._maxima: Final = maxima
        self._index = 0
        self._filled = 0
        self.ends: Final = ends
        self.size: Final = sum(sizes)
        self.whole = False
        self._skip_empty()

    @classmethod
    def of_table(cls, table: Table, ends: Sequence[End]) -> Assembly:
        sizes = [table.payload, *(size for size, _ in table.buffers)]
        return cls(sizes, ends, [most for _, most in table.buffers])

    @classmethod
    def of_payload(cls, size: int) -> Assembly:
        return cls([size], (), ())

    def _skip_empty(self) -> None:
        """Make room for the part that comes next, and be whole if there is none."""
        while len(self._parts) < len(self._sizes):
            size = self._sizes[len(self._parts)]
            self._parts.append(bytearray(min(size, CLAIM)))
            if size:
                self._index = len(self._parts) - 1
                self._filled = 0
                return
        self.whole = True

    def room(self, most: int) -> memoryview:
        """Where the next bytes go: at most *most* of them, perhaps fewer.  Release it before ``filled``."""
        part = self._parts[self._index]
        if self._filled == len(part):
            part += bytes(min(len(part), self._sizes[self._index] - len(part)))
        return memoryview(part)[self._filled : self._filled + most]

    def filled(self, size: int) -> None:
        """The first *size* bytes of the room are there."""
        self._filled += size
        if self._filled == self._sizes[self._index]:
            self._skip_empty()

    @property
    def left(self) -> int:
        """Bytes of the message that have not come yet."""
        if self.whole:
            return 0
        return sum(self._sizes[self._index :]) - self._filled

    def write(self, data: memoryview) -> None:
        """Take *data*, which is no more than is left."""
        while data:
            room = self.room(len(data))
            size = len(room)
            room[:] = data[:size]
            room.release()
            self.filled(size)
            data = data[size:]

    def arrived(self, link: SocketLink) -> Arrived:
        """The message, once it is whole."""
        if not self.ends and len(self._parts) == 1:
            return Arrived(self._parts[0], link)
        return Laden(self._parts[0], link, self.ends, list(zip(self._parts[1:], self._maxima, strict=True)))

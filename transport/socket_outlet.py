"""Frames on their way into the kernel, in order.

    put ─> small, small, small ─joined─> chunk, chunk ─one system call─> kernel

Short pieces are joined when they are written, which costs less than a place of its own for each in the system
call; long ones are written from where they lie.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final

from transport.socket_limits import SHORT

if TYPE_CHECKING:
    from transport.socket_stream import Piece, Stream

PIECES: Final = 64
"""Pieces in one system call; Linux takes 1024."""


class Outlet:
    """What the kernel has not taken yet."""

    def __init__(self, stream: Stream) -> None:
        self._stream: Final = stream
        self._chunks: Final[deque[Piece]] = deque()
        self.small: Final[list[Piece]] = []
        """Pieces behind those that are joined already.  Who appends here adds to ``size``, too."""
        self.size = 0
        """Bytes in all."""

    def put(self, piece: Piece) -> None:
        """Append a frame, or a part of one."""
        self.size += len(piece)
        if len(piece) <= SHORT:
            self.small.append(piece)
        else:
            self._join()
            self._chunks.append(piece)

    def write(self) -> None:
        """Write as much as one system call takes.

        Raises:
            BlockingIOError: the kernel takes nothing now.
            OSError: the connection is broken.
        """
        self._join()
        chunks = self._chunks
        pieces = list(chunks) if len(chunks) <= PIECES else list(islice(chunks, PIECES))
        sent = self._stream.send(pieces)
        self.size -= sent
        while sent:
            size = len(chunks[0])
            if size > sent:
                chunks[0] = memoryview(chunks[0])[sent:]
                return
            sent -= size
            chunks.popleft()

    def _join(self) -> None:
        small = self.small
        if small:
            self._chunks.append(b"".join(small))
            small.clear()

    def clear(self) -> None:
        """Forget it all: nothing more can be written."""
        self._chunks.clear()
        self.small.clear()
        self.size = 0

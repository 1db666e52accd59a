"""The sockets of process channels, each a side of a pair."""

from __future__ import annotations

import socket
from typing import Final

_KIND: Final = (int(socket.AF_UNIX), int(socket.SOCK_STREAM), 0)

SEND: Final = int(socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
"""How they are written.  (A bare integer: an operation on the enum's members costs as much as a system
call.)"""

_BUFFER: Final = 1 << 18
"""Bytes that the kernel takes before a writer has to wait (twice that, with what it keeps books on).  A
third more 1 MiB messages a second than with Linux's default; with megabytes it gets slower again."""


class Side(socket.SocketType):
    """One side.  It closes itself when nobody holds it, and does not complain of that.

    (The C class: what ``socket.socket`` has above it is of no use here, and takes as long as the calls do.)
    """

    __slots__ = ()

    def __init__(self, number: int) -> None:
        """Over the descriptor *number*, which is the socket's from now on.

        Raises:
            OSError: it is no socket; it is the caller's still.
        """
        super().__init__(*_KIND, number)

    __del__ = socket.SocketType.close


def socketpair() -> tuple[Side, Side]:
    """Two sockets that are each other's other side.

    Raises:
        OSError: there are no descriptors left.
    """
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    pair = Side(one.detach()), Side(two.detach())
    for side in pair:
        side.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
    return pair

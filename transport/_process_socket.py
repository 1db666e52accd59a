"""The sockets of process channels, each a side of a pair."""

from __future__ import annotations

import socket
from typing import Final

_FAMILY: Final = int(socket.AF_UNIX)
_KIND: Final = int(socket.SOCK_STREAM)

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
    __del__ = socket.SocketType.close


def side(number: int) -> Side:
    """The socket whose descriptor is *number*.

    Raises:
        OSError: it is no socket; the descriptor is the caller's still.
    """
    return Side(_FAMILY, _KIND, 0, number)


def socketpair() -> tuple[Side, Side]:
    """Two sockets that are each other's other side.

    Raises:
        OSError: there are no descriptors left.
    """
    one, two = socket.socketpair(_FAMILY, _KIND)
    for half in (one, two):
        half.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
    return side(one.detach()), side(two.detach())

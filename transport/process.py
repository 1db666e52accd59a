"""The process backend: channels over a socketpair, whose ends go to other processes.

    MessageChannel(backend="process")                a channel whose ports may go anywhere at once
    multiprocessing.Process(target, args=(port,))    a port is a legal argument: that is a transfer
    Worker(target, backend="process")                see ``transport.worker``

Under spawn and forkserver a port is pickled while its process is started: the object here is dead from then
on, and comes back if the start fails.  The child owns the port when it has unpickled it; if it dies before,
the kernel closes the port with it.
"""

from __future__ import annotations

import os
import socket

from transport._end import End
from transport._process_folded import fresh
from transport._process_launch import reduce_port
from transport._process_ship import make_end
from transport._process_socket import socketpair

__all__ = ["check_platform", "open_pair", "reduce_port"]


def open_pair() -> tuple[End, End]:
    """The two ends of a new channel.

    Raises:
        NotImplementedError: the platform cannot pass descriptors as Linux does.
        OSError: there are no descriptors left.
    """
    check_platform()
    one, two = socketpair()
    state = fresh(os.urandom(16))
    return make_end(one, state), make_end(two, state)


def check_platform() -> None:
    """Raise NotImplementedError where there are no process channels."""
    if not (hasattr(socket, "CMSG_SPACE") and hasattr(os, "memfd_create")):
        raise NotImplementedError("process channels need Linux")

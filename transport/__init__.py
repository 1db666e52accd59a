"""MessageChannel and MessagePort as Node documents them, over threads, processes and sockets.

>>> channel = MessageChannel()
>>> channel.port1.post_message({"foo": "bar"})
>>> channel.port2.receive()
{'foo': 'bar'}
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

from transport import _keeper
from transport._fork import install as _install_fork_handlers
from transport._keeper import drain, wait
from transport.broadcast import BroadcastChannel
from transport.channel import MessageChannel
from transport.clone import structured_clone
from transport.errors import BufferFullError, PortClosedError, PortError
from transport.message import CloseReason, Message
from transport.port import MessagePort, receive_message_on_port
from transport.rpc import request, request_async, serve

if TYPE_CHECKING:
    from transport.socket import HandshakeError, Limits, Listener, connect, listen
    from transport.worker import Worker, parent_port, worker_data

__all__ = [
    "BroadcastChannel",
    "BufferFullError",
    "CloseReason",
    "HandshakeError",
    "Limits",
    "Listener",
    "Message",
    "MessageChannel",
    "MessagePort",
    "PortClosedError",
    "PortError",
    "Worker",
    "connect",
    "drain",
    "exit_timeout",
    "listen",
    "parent_port",
    "receive_message_on_port",
    "request",
    "request_async",
    "serve",
    "structured_clone",
    "wait",
    "worker_data",
]

_LAZY = {
    "HandshakeError": "transport.socket",
    "Limits": "transport.socket",
    "Listener": "transport.socket",
    "Worker": "transport.worker",
    "connect": "transport.socket",
    "listen": "transport.socket",
    "parent_port": "transport.worker",
    "worker_data": "transport.worker",
}
"""Names that are imported when somebody asks for them: most programs want few of them."""


def __getattr__(name: str) -> object:
    if name in _LAZY:
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_LAZY[name]), name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


_install_fork_handlers()

exit_timeout: float
"""Seconds that a program's end waits for what it posted to go out; 5 unless it is set."""


class _Transport(ModuleType):
    """The package, with ``exit_timeout`` as a property, so that the keeper sees what a user sets."""

    @property
    def exit_timeout(self) -> float:
        return _keeper.keeper().exit_timeout

    @exit_timeout.setter
    def exit_timeout(self, seconds: float) -> None:
        _keeper.keeper().exit_timeout = seconds


sys.modules[__name__].__class__ = _Transport

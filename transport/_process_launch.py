"""A port among the arguments of a process that is being started (spawn, forkserver).

    Process.start() ─ pickle the arguments ─ launch the child ─ return
                          │  reduce_port          │ pid is set: our copies of the descriptors are closed
                          └─ raises: the ports come back

multiprocessing tells nobody when pickling has failed or a child has started.  It does set the pickling
process object to None in a ``finally``, and ``popen.pid`` when there is a child: those two are watched.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Sequence
from typing import Any, Final

from transport._end import End
from transport._process_parcel import Shipped
from transport._process_ship import FREIGHT, duplicates
from transport._process_wire import Descriptor
from transport.port import MessagePort, open_port


class _Launch:
    """The ports that go with one child."""

    def __init__(self, popen: Any) -> None:
        self._ports: list[tuple[MessagePort, Shipped]] = []
        popen._transport_launch = self
        popen.__class__ = _watched(type(popen))
        weakref.finalize(popen, self.failed).atexit = False

    def add(self, port: MessagePort, shipped: Shipped) -> None:
        self._ports.append((port, shipped))

    def started(self) -> None:
        """There is a child, and it has its own copies of the descriptors."""
        self._ports.clear()

    def failed(self) -> None:
        """There will be no child."""
        ports, self._ports = self._ports, []
        for port, (state, handles) in ports:
            port.transfer_restore(FREIGHT.adopt(state, duplicates(handles)))


class _Pickling:
    """Stands in for the Popen object while the arguments are pickled, and knows when that is over."""

    def __init__(self, popen: Any, launch: _Launch) -> None:
        self._popen = popen
        self.launch = launch
        self._handled = sys.exc_info()[1]
        """An exception that is being handled where the process is started."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._popen, name)

    def __del__(self) -> None:
        if sys.exc_info()[1] not in (None, self._handled):
            self.launch.failed()


_classes: Final[dict[type, type]] = {}


def _watched(kind: Any) -> type:
    """A subclass of a Popen class that tells of ``pid``."""
    if kind not in _classes:

        class Watched(kind):  # type: ignore[misc]  # which of multiprocessing's, is known when one is there
            def __setattr__(self, name: str, value: object) -> None:
                super().__setattr__(name, value)
                if name == "pid":
                    self._transport_launch.started()
                elif name == "finalizer" and self.method == "spawn" and "pid" not in vars(self):
                    self._transport_launch.failed()

        Watched.__name__ = Watched.__qualname__ = kind.__name__
        _classes[kind] = Watched
    return _classes[kind]


def reduce_port(port: MessagePort) -> tuple[object, ...]:
    """How *port* is pickled: only into a process that is being started, and it is dead here afterwards.

    Raises:
        TypeError: no process is being started.
        DataCloneError: the port is closed, or was transferred.
    """
    from multiprocessing import context, reduction  # who pickles a port here has it

    popen: Any = context.get_spawning_popen()
    if popen is None:
        raise TypeError(
            "a MessagePort cannot be pickled: send it in a message with a transfer list, or give it to a "
            "process as an argument"
        )
    port.transfer_check()
    if not isinstance(popen, _Pickling):
        popen = _Pickling(popen, getattr(popen, "_transport_launch", None) or _Launch(popen))
        context.set_spawning_popen(popen)
    token = port.transfer_take()
    assert isinstance(token, End)
    try:
        [shipped] = FREIGHT.ship([token], [])
    except OSError:
        port.transfer_restore(token)
        raise
    popen.launch.add(port, shipped)
    state, handles = shipped
    return _rebuild, (state, [reduction.DupFd(handle.number) for handle in handles])


def _rebuild(state: bytes, descriptors: Sequence[Any]) -> MessagePort:
    """In the child: the port."""
    handles = [Descriptor(descriptor.detach()) for descriptor in descriptors]
    for handle in handles:
        os.set_inheritable(handle.number, False)
    return open_port(FREIGHT.adopt(state, handles), arrived=True)

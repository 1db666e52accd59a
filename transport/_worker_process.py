"""A worker in a spawned process: how it is started, and what its end is known by.

control port    the target's arguments, and what it raised
hub port        broadcasts
pidfd           it has ended
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from transport._io import io_poller
from transport._keeper import at_exit
from transport._worker_home import WorkerHome
from transport._worker_inside import main, resolve
from transport.channel import MessageChannel
from transport.port import MessagePort, receive_message_on_port

if TYPE_CHECKING:
    from transport.worker import Worker


class ProcessRun:
    """A worker in a spawned process."""

    backend = "process"

    def __init__(self, worker: Worker, target: Callable[..., object]) -> None:
        from transport.process import check_platform

        check_platform()
        self._worker: Final = worker
        self.worker: WorkerHome | None = None
        self._module = getattr(target, "__module__", None) or ""
        self._name = getattr(target, "__qualname__", "")
        try:
            found: object = resolve(self._module, self._name)
        except (ImportError, AttributeError, ValueError):
            found = None
        if found is not target:
            raise TypeError(f"a worker process cannot import {target!r}: give it a function of a module")

    def prepare(
        self, target: Callable[..., object], start: dict[str, Any], transfer: Iterable[object]
    ) -> MessagePort:
        channels = [MessageChannel("process") for _ in range(3)]
        (public, inner), (hub_port, hub_inner), (control, control_inner) = channels
        try:
            more = {"port": inner, "hub": hub_inner}
            control.post_message({**start, **more}, [*transfer, inner, hub_inner])
        except BaseException:
            for port in (public, inner, hub_port, hub_inner, control, control_inner):
                port.close()
            raise
        self._hub_port, self._control, self._control_inner = hub_port, control, control_inner
        return public

    def start(self) -> None:
        from multiprocessing import get_context  # only here

        from transport.broadcast import hub

        process = get_context("spawn").Process(
            target=main, args=(self._module, self._name, self._control_inner), name=f"worker {self._name}"
        )
        try:
            process.start()
        except BaseException:
            self._control.close()
            self._hub_port.close()
            raise
        self._process: Any = process
        self._pidfd = os.pidfd_open(process.pid or 0)
        hub.connect(self._hub_port)
        at_exit(self)
        io_poller().on_readable(self._pidfd, self._died)
        io_poller().wake()

    def _died(self) -> None:
        pidfd, self._pidfd = self._pidfd, -1
        if pidfd < 0:
            return
        io_poller().on_readable(pidfd, None)
        os.close(pidfd)
        self._process.join()
        code = self._process.exitcode
        self._process.close()
        error = None
        message = receive_message_on_port(self._control)
        if message is not None and isinstance(message.value, BaseException):
            error = message.value
        self._control.close()
        self._worker.ended(code, error)

    def terminate(self) -> None:
        if self._pidfd >= 0:
            self._process.kill()

    def close(self) -> None:
        """The worker that started this one has ended."""
        self._worker.terminate()

    # For the keeper, at the end of the program: what still runs is unref'd, or Ctrl-C has ended the program.

    def finish(self) -> None:
        """Kill it: nobody waits for it."""
        self.terminate()

    def pending(self) -> bool:
        """Is it still dying?"""
        return self._pidfd >= 0

"""A worker from within: its port to the one who started it, its data, and the main function of a process.

parent_port(), worker_data()    in a worker thread (and loops in it); anywhere in a worker process
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, cast

from clonecodec import JSError
from transport._listening import is_async
from transport._state import LIVE
from transport.port import MessagePort

FAILED: Final = 1
"""The exit code after an exception, or ``terminate()``: Node's."""


class _Inside:
    """What one worker knows of itself."""

    port: MessagePort | None = None
    data: object = None


class _Thread(threading.local):
    inside: _Inside | None = None


_thread: Final = _Thread()
_process: Final = _Inside()


def _here() -> _Inside:
    return _thread.inside or _process


def parent_port() -> MessagePort | None:
    """The port to the one who started this worker; None outside of workers.

    >>> parent_port() is None
    True
    """
    return _here().port


def worker_data() -> object:
    """A clone of what ``Worker(..., worker_data=...)`` was given; None outside of workers.

    >>> worker_data() is None
    True
    """
    return _here().data


class ParentPort(MessagePort):
    """A thread worker's port: it tells when it no longer keeps the worker alive."""

    released: threading.Event

    def _set_ref(self, on: bool) -> None:
        super()._set_ref(on)
        if on:
            self.released.clear()
        else:
            self.released.set()

    def wait_until_released(self) -> None:
        """Return when the port is not ref'd (any more), or is closed."""
        while self.has_ref() and self._state in LIVE:
            self.released.wait()


def become_parent_port(port: MessagePort) -> ParentPort:
    """Make *port*, which is new, a ParentPort."""
    port.__class__ = ParentPort
    parent = cast(ParentPort, port)
    parent.released = threading.Event()
    return parent


def enter_thread(port: MessagePort, data: object) -> None:
    """The calling thread is a worker from now on."""
    _thread.inside = inside = _Inside()
    inside.port, inside.data = port, data


def call(target: Callable[..., object], args: list[Any]) -> int:
    """Run the worker's function to its end; the exit code.  All but SystemExit passes through."""
    try:
        if is_async(target):
            import asyncio  # the target wants it

            asyncio.run(cast(Any, target)(*args))
        else:
            target(*args)
    except SystemExit as leave:
        return exit_code(leave)
    return 0


def exit_code(leave: SystemExit) -> int:
    """What the interpreter would make of it."""
    if leave.code is None:
        return 0
    return leave.code if isinstance(leave.code, int) else FAILED


def portable(error: BaseException) -> BaseException:
    """*error*, or if it cannot be cloned (its cause, say, is no error), its class, text and traceback."""
    from transport.clone import structured_clone

    try:
        return cast(BaseException, structured_clone(error))
    except Exception as refusal:
        text = f"{type(error).__name__}: {error}"
        return JSError(text, stack=f"{text} (and it cannot be cloned: {refusal})")


def resolve(module: str, name: str) -> Callable[..., object]:
    """The function *name* of *module*.

    Raises:
        ImportError, AttributeError: there is none.
    """
    found: Any = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return cast(Callable[..., object], found)


def main(module: str, name: str, control: MessagePort) -> None:
    """The main function of a worker process.  *control* brings what it needs, and takes what it raises."""
    import os
    import sys

    from transport._keeper import keeper, wait
    from transport.broadcast import hub
    from transport.message import CloseReason

    start = cast("dict[str, Any]", control.receive())

    def parent_gone() -> None:
        if control.close_reason is CloseReason.PEER_DIED:
            os._exit(FAILED)  # as a thread worker ends with its process

    control.on("close", parent_gone)
    _process.port, _process.data = start["port"], start["data"]
    hub.connect(start["hub"])
    try:
        code = call(resolve(module, name), start["args"])
        if code == 0:
            wait()
    except BaseException as error:
        code = FAILED
        control.post_message(portable(error))
    if code:
        # It ends now, whatever is ref'd; what was posted goes out all the same.
        for kept in keeper()._snapshot():
            cast(Any, kept).unref()
        sys.exit(code)

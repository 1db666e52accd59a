"""A worker from within: its port to the one who started it, its data, and the main function of a process.

parent_port(), worker_data()    in a worker thread and what it listens with; anywhere in a worker process
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any, Final, cast

from clonecodec import JSError
from transport._listening import is_async
from transport._worker_home import here
from transport.port import MessagePort

FAILED: Final = 1
"""The exit code after an exception, or ``terminate()``: Node's."""


class _Process:
    """What a worker process knows of itself."""

    parent_port: MessagePort | None = None
    data: object = None


_process: Final = _Process()


def parent_port() -> MessagePort | None:
    """The port to the one who started this worker; None outside of workers.

    In a worker thread: in the thread itself, in the loops that it runs, and in listeners that are attached
    there. A thread that a worker thread starts is outside.

    >>> parent_port() is None
    True
    """
    return cast("MessagePort | None", (here() or _process).parent_port)


def worker_data() -> object:
    """A clone of what ``Worker(..., worker_data=...)`` was given, where ``parent_port`` knows the port.

    >>> worker_data() is None
    True
    """
    return (here() or _process).data


def call(target: Callable[..., object], args: list[Any]) -> int | None:
    """Run the worker's function to its end; None, or the exit code of one that left by ``sys.exit()``."""
    try:
        if is_async(target):
            import asyncio  # the target wants it

            asyncio.run(_in_loop(cast(Any, target), args))
        else:
            target(*args)
    except SystemExit as leave:
        return exit_code(leave)
    return None


async def _in_loop(target: Callable[..., Awaitable[object]], args: list[Any]) -> None:
    from asyncio import get_running_loop

    from transport._aio import loop_home

    loop_home(get_running_loop())  # so that ``terminate`` can wake it
    await target(*args)


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
    _process.parent_port, _process.data = start["port"], start["data"]
    hub.connect(start["hub"])
    try:
        code = call(resolve(module, name), start["args"])
        if code is None:
            wait()
    except BaseException as error:
        code = FAILED
        control.post_message(portable(error))
    if code is not None:
        # It ends now, whatever is ref'd; what was posted goes out all the same.
        for kept in keeper()._snapshot():
            cast(Any, kept).unref()
        sys.exit(code)

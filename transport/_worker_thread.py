"""A worker in a thread: how it is started, concluded and given up.

prepare ─> start ─> enter ── target ── wait ── close the home ─> Worker.ended
                      terminate: the home closes; an exception if it is in the target; then it is given up
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, cast

from clonecodec import clone_with_transfer
from transport._keeper import wait
from transport._thread_link import open_pair
from transport._worker_home import WorkerHome, run_later
from transport._worker_inside import FAILED, call, portable
from transport.port import MessagePort, open_port

if TYPE_CHECKING:
    from transport.worker import Worker

LAST_CALL: Final = 0.5
"""Seconds that a thread has to end after ``terminate()``: one that is in C code cannot be ended before."""


class ThreadRun:
    """A worker in a thread."""

    backend = "thread"

    def __init__(self, worker: Worker) -> None:
        self._worker: Final = worker
        self.worker: WorkerHome | None = None
        self._at_work = False
        """Is it in the target, where only an exception gets it out?"""

    def prepare(
        self, target: Callable[..., object], start: dict[str, Any], transfer: Iterable[object]
    ) -> MessagePort:
        self._target = target
        cloned, moved = clone_with_transfer(start, transfer)
        given = cast("dict[str, Any]", cloned)
        self._args: list[Any] = given["args"]
        public, inner = map(open_port, open_pair())
        self._home = WorkerHome(inner, given["data"])
        for thing in (inner, *moved):
            if isinstance(thing, MessagePort):
                self._home.own(thing)
        self._thread = threading.Thread(target=self._main, name="transport-worker", daemon=True)
        return public

    def start(self) -> None:
        self._thread.start()

    def _main(self) -> None:
        result: tuple[int, BaseException | None] = (FAILED, None)
        try:
            result = self._work()
            self._conclude(*result)
        except SystemExit:  # terminate(): one, wherever the thread was
            self._conclude(*result)

    def _work(self) -> tuple[int, BaseException | None]:
        try:
            self._home.enter()
            self._at_work = True
            try:
                code = call(self._target, self._args)
            finally:
                self._at_work = False
            if code is None:
                wait()
        except SystemExit:
            return FAILED, None
        except BaseException as error:
            return FAILED, portable(error)
        return code or 0, None

    def _conclude(self, code: int, error: BaseException | None) -> None:
        self._home.close()
        self._worker.ended(code, error)

    def terminate(self) -> None:
        self._home.close()
        if not self._home.leave_loops():
            self._raise_exit()
        run_later(LAST_CALL, self._give_up)

    def _raise_exit(self) -> None:
        import ctypes  # who ends a thread needs it

        # Not to a thread that waits: until it runs again, a CPython 3.11 that is traced runs nothing else.
        if self._at_work and self._thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self._thread.ident), ctypes.py_object(SystemExit)
            )

    def _give_up(self) -> None:
        if self._worker.exit_code is None:
            self._raise_exit()
            self._worker.ended(FAILED, None)

    def close(self) -> None:
        """The worker that started this one has ended."""
        self._worker.terminate()

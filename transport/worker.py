"""Worker: a function in a thread or in a process of its own, with a port between.

    Worker ── public port ── parent_port()        'message', 'messageerror', post_message
           ── control port (process only)         what it raised
           ── pidfd, or the end of the thread     'exit'

'error' and 'exit' come behind all messages that somebody listens for.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Final, Literal, cast

from transport._dispatch import Home, dispatcher
from transport._emitter import Emitter
from transport._keeper import keeper
from transport._listening import current_home
from transport._worker_home import WorkerHome, here, own, run_later
from transport._worker_inside import FAILED, parent_port, worker_data
from transport._worker_process import ProcessRun
from transport._worker_thread import ThreadRun

__all__ = ["Worker", "parent_port", "worker_data"]


PATIENCE: Final = 0.1
"""Seconds that an error waits for a listener before it counts as unhandled."""


class Worker(Emitter):
    """Runs ``target(*args)`` in a thread or a process of its own.

    Events: ``'message'`` (a value that the worker posted), ``'messageerror'`` (the error), ``'error'`` (what
    the target raised, as a clone: a JSError with the worker's traceback in ``.stack``), ``'exit'`` (the
    exit code: 0, 1 after an exception or ``terminate()``, or what it left with).  What is posted before
    somebody listens is queued.

    A worker whose target has returned (and did not leave by ``sys.exit()``) lives on while a port of its own
    is ref'd: its parent port, or any that it opened, got or listens on.  When it ends, they close.  It keeps
    this program alive until it ends, unless ``unref()`` is called; then it ends with the program.

    Args:
        target: an importable function (of a module, not a lambda or within another function), or an
            ``async def`` one. In a thread it may be anything that can be called.
        args: clones of these are its arguments.
        backend: "thread" or "process" (which is spawned).
        worker_data: a clone of it is what ``worker_data()`` returns in the worker.
        transfer_list: ports and ArrayBuffers in *args* and *worker_data* that move.

    Raises:
        DataCloneError: arguments or data cannot be cloned or moved; nothing was started or moved.
        TypeError: *target* cannot be called, or a process cannot import it.
        ValueError: there is no such backend.
        NotImplementedError: the platform has no process channels.
    """

    def __init__(
        self,
        target: Callable[..., object],
        *args: object,
        backend: Literal["thread", "process"] = "thread",
        worker_data: object = None,
        transfer_list: Iterable[object] = (),
    ) -> None:
        super().__init__()
        if backend not in ("thread", "process"):
            raise ValueError(f"no such backend for a worker: {backend!r}; there are thread and process")
        if not callable(target):
            raise TypeError(f"the target of a worker must be a function, not {type(target).__name__}")
        self.worker: WorkerHome | None = here()
        """The worker that started this one, if one did."""
        self._home: Home = current_home()
        self._over: Final = threading.Event()
        self._telling: Final = threading.RLock()
        self._news: Final[deque[tuple[str, object]]] = deque()
        """'error' and 'exit', until somebody has heard them."""
        self._queued = False
        self._is_late = False
        self._code: int | None = None
        self._error: BaseException | None = None
        self._terminated = False
        self._refd = False
        self._port_is_done = False
        run: ThreadRun | ProcessRun = ThreadRun(self) if backend == "thread" else ProcessRun(self, target)
        self._port: Final = run.prepare(target, {"args": list(args), "data": worker_data}, transfer_list)
        self._run: Final = run
        own(run)
        self._port.on("close", self._port_closed)
        dispatcher().start()
        self.ref()
        try:
            run.start()
        except BaseException:
            self.unref()
            self._port.close()
            raise

    # ------------------------------------------------------------------ messages

    def post_message(self, value: object, transfer_list: Iterable[object] | None = ()) -> None:
        """As ``MessagePort.post_message``: the worker's ``parent_port()`` hears it.

        Raises:
            DataCloneError: *value* cannot be cloned, or something listed cannot be moved.
        """
        self._port.post_message(value, transfer_list)

    def _listener_added(self, event: str, *, first: bool) -> None:
        if event in ("message", "messageerror") and first:
            self._port.on(event, self._hear if event == "message" else self._hear_error)
            self._port.unref()  # it is the worker that keeps the program alive, not its port
        elif event in ("error", "exit"):
            self._home = current_home()
            if self._news:
                self._home.schedule(self)

    def _listeners_changed(self, event: str) -> None:
        if event in ("message", "messageerror") and not self.listener_count(event):
            self._port.off(event, self._hear if event == "message" else self._hear_error)

    def _hear(self, value: object) -> None:
        self.emit("message", value)

    def _hear_error(self, error: object) -> None:
        self.emit("messageerror", error)

    # ------------------------------------------------------------------ its end

    def ended(self, code: int, error: BaseException | None) -> None:
        """The thread or the process is over, or given up.  From any thread."""
        with self._telling:
            if self._code is not None:
                return
            self._error = None if self._terminated else error
            self._code = FAILED if self._terminated else code
        self._over.set()
        self._home.schedule(self)

    def turn(self, home: object) -> None:
        """For the home: tell what there is to tell, unless messages come before it."""
        with self._telling:
            if self._code is None:
                return
            if not self._queued:
                self._queued = True
                if self._error is not None:
                    self._news.append(("error", self._error))
                self._news.append(("exit", self._code))
        self._tell()

    def home_lost(self, home: object) -> None:
        """The loop is closed: the dispatcher says so."""
        self._home = dispatcher()
        self._home.schedule(self)

    def _port_closed(self) -> None:
        self._port_is_done = True
        self.turn(None)

    def _tell(self) -> None:
        """Emit what is queued and listened for; what nobody listens for yet waits, an error not for long."""
        while True:
            with self._telling:
                messages = self._port.listener_count("message") and not self._port_is_done
                if messages or not self._news:
                    return  # the port's 'close' comes behind its messages, and brings us here again
                event, value = self._news[0]
                heard = self.listener_count(event) > 0
                if heard or (event == "error" and self._is_late):
                    self._news.popleft()
                elif event == "error":
                    self._soon_late()
                    return
                else:
                    self.unref()
                    return
            if heard:
                self._guarded(event, value)
            else:
                self._home.report(cast(BaseException, value), self)
            if event == "exit":
                self.unref()

    def _soon_late(self) -> None:
        def late() -> None:
            self._is_late = True
            self._home.schedule(self)

        run_later(PATIENCE, late)

    def _guarded(self, event: str, value: object) -> None:
        try:
            self.emit(event, value)
        except BaseException as error:
            self._home.report(error, self)

    def _emit_run(self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        result = f(*args, **kwargs)
        if hasattr(result, "__await__"):
            current_home().run(cast(Any, result))

    @property
    def exit_code(self) -> int | None:
        """What 'exit' tells; None while the worker runs."""
        return self._code

    def terminate(self) -> None:
        """End it now: a process is killed, a thread has SystemExit raised in it as soon as it runs Python
        code.

        Its ports close at once, so that a thread that waits for a message need not wait.  'exit' comes, with
        1, when it has ended; ``join`` waits for that.  A thread that is in C code (``time.sleep(60)``) cannot
        be ended before that returns: it is given up after half a second, and 'exit' comes.
        """
        if self._code is None:
            self._terminated = True
            self._run.terminate()

    def join(self, timeout: float | None = None) -> bool:
        """Block until the worker has ended; False if *timeout* seconds were not enough."""
        return self._over.wait(timeout)

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Terminate it, and wait."""
        self.terminate()
        self.join()

    # ------------------------------------------------------------------ staying alive

    def ref(self) -> None:
        """Keep the program alive until the worker ends: so it is at first."""
        if self._code is None and not self._refd:
            self._refd = True
            keeper().ref(self)

    def unref(self) -> None:
        """Do not keep the program alive for it; it is ended when the program ends."""
        if self._refd:
            self._refd = False
            keeper().unref(self)

    def has_ref(self) -> bool:
        """Does it keep the program alive?"""
        return self._refd

    def keeps_alive(self) -> bool:
        """For the keeper."""
        return self._refd and self._home.is_alive()

    def on_loop(self) -> bool:
        """For the keeper."""
        return self._home.is_loop

    def __repr__(self) -> str:
        state = "running" if self._code is None else f"exited with {self._code}"
        return f"<Worker {self._run.backend} {state} {'ref' if self._refd else 'unref'}>"

"""Worker: a function in a thread or in a process of its own, with a port between.

    Worker ── public port ── parent_port()        'message', 'messageerror', post_message
           ── control port (process only)         what it raised
           ── pidfd, or the end of the thread     'exit'

'error' and 'exit' come behind all messages that somebody listens for.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Final, Literal, cast

from clonecodec import clone_with_transfer
from transport._dispatch import Home, dispatcher
from transport._emitter import Emitter
from transport._io import io_poller
from transport._keeper import at_exit, keeper, wait
from transport._listening import current_home
from transport._thread_link import open_pair
from transport._worker_home import WorkerHome, here, own
from transport._worker_inside import (
    FAILED,
    call,
    main,
    parent_port,
    portable,
    resolve,
    worker_data,
)
from transport.channel import MessageChannel
from transport.port import MessagePort, open_port, receive_message_on_port

__all__ = ["Worker", "parent_port", "worker_data"]


PATIENCE: Final = 0.1
"""Seconds that an error waits for a listener before it counts as unhandled."""

LAST_CALL: Final = 0.5
"""Seconds that a thread has to end after ``terminate()``: one that is in C code cannot be ended before."""


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
        run: _Thread | _Process = _Thread(self) if backend == "thread" else _Process(self, target)
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


class _Thread:
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


class _Process:
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


def run_later(seconds: float, call: Callable[[], None]) -> None:
    """Call *call* in *seconds*, in a thread of its own; now if the interpreter is shutting down."""
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError:
        call()

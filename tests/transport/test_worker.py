"""Workers in threads and processes: what they get, what they tell, how they end."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest

import transport
from clonecodec import ArrayBuffer, DataCloneError, DecodeError, JSError, JSRangeError
from tests.transport import children
from tests.transport.settling import quiet, until
from transport import BroadcastChannel, MessageChannel, MessagePort, PortClosedError, Worker

Backend = Literal["thread", "process"]
both = pytest.mark.parametrize("backend", ["thread", "process"])


@pytest.fixture
def workers() -> Iterator[list[Worker]]:
    """Workers that are ended with the test."""
    started: list[Worker] = []
    yield started
    for worker in started:
        worker.terminate()
        assert worker.join(20)
    until(lambda: all(not worker.has_ref() for worker in started))


def listen(worker: Worker) -> list[Any]:
    """A log of all that *worker* emits."""
    log: list[Any] = []
    worker.on("message", log.append)
    worker.on("error", lambda error: log.append(("error", error)))
    worker.on("exit", lambda code: log.append(("exit", code)))
    return log


@both
def test_a_worker_gets_clones_and_answers(backend: Backend, workers: list[Worker]) -> None:
    """new Worker(f, { workerData }); worker.postMessage(x); parentPort.on('message', f)"""
    data = {"list": [1]}
    worker = Worker(children.worker_echo, 1, data, backend=backend, worker_data=data)
    workers.append(worker)
    data["list"].append(2)
    log = listen(worker)

    until(lambda: log)
    assert log[0]["args"] == [1, {"list": [1]}]
    assert log[0]["data"] == {"list": [1]}
    assert (log[0]["pid"] == os.getpid()) is (backend == "thread")
    worker.post_message({"x": b"y"})
    until(lambda: len(log) == 2)
    assert bytes(log[1]["x"]) == b"y"


@both
def test_messages_nobody_listens_to_yet_are_queued(backend: Backend, workers: list[Worker]) -> None:
    """worker.postMessage before the worker listens, and the other way round"""
    worker = Worker(children.worker_echo, backend=backend)
    workers.append(worker)
    worker.post_message("early")
    quiet(0.5)

    log = listen(worker)

    until(lambda: len(log) == 2)
    assert log[1] == "early"


@both
def test_ports_and_buffers_move_into_a_worker(backend: Backend, workers: list[Worker]) -> None:
    """new Worker(f, { workerData: { port }, transferList: [port] })"""
    near, far = MessageChannel()
    buffer = ArrayBuffer(8)

    worker = Worker(
        children.worker_data_ports,
        backend=backend,
        worker_data={"port": far, "buffer": buffer},
        transfer_list=[far, buffer],
    )
    workers.append(worker)

    assert (far.detached, buffer.detached) == (True, True)
    assert near.receive(20) == "from worker data"
    near.close()
    assert worker.join(20)


@both
def test_what_cannot_be_cloned_is_refused_and_nothing_is_started(backend: Backend) -> None:
    """a failing constructor leaves the ports active"""
    near, far = MessageChannel()

    with pytest.raises(DataCloneError):
        Worker(children.worker_echo, backend=backend, worker_data=[far, lambda: 1], transfer_list=[far])

    far.post_message("active")
    assert near.receive(5) == "active"


@both
def test_an_exception_is_an_error_event_behind_the_messages(backend: Backend) -> None:
    """worker.on('error', f); // earlier messages, then 'error', then 'exit' with 1"""
    worker = Worker(children.worker_fail, "boom", backend=backend)
    log = listen(worker)

    until(lambda: len(log) == 3)
    assert worker.join(20)
    assert log[0] == "before"
    kind, error = log[1]
    assert kind == "error"
    assert isinstance(error, JSRangeError)
    assert error.message == "boom"
    assert "worker_fail" in (error.stack or "")
    assert log[2] == ("exit", 1)
    assert worker.exit_code == 1


@both
def test_an_error_that_nobody_listens_for_is_reported(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """an 'error' event without a listener is an uncaught exception"""
    reported: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: reported.append(error))

    worker = Worker(children.worker_fail, "boom", backend=backend)

    assert worker.join(20)
    until(lambda: reported)
    assert isinstance(reported[0], JSError)


@both
def test_exit_tells_the_code_behind_the_last_message(backend: Backend) -> None:
    """process.exit(3) // the messages before it are delivered"""
    worker = Worker(children.worker_leave, 3, backend=backend)
    log = listen(worker)

    until(lambda: len(log) == 2)
    assert log == ["last words", ("exit", 3)]


@both
def test_a_worker_that_nobody_listens_to_exits_too(backend: Backend) -> None:
    """'exit' does not wait for messages that nobody takes"""
    worker = Worker(children.worker_leave, 0, backend=backend)
    codes: list[int] = []

    worker.on("exit", codes.append)

    until(lambda: codes == [0])
    assert not worker.has_ref()


@both
def test_terminate_ends_a_worker_that_is_at_work(backend: Backend) -> None:
    """worker.terminate(); // 'exit' with 1"""
    worker = Worker(children.worker_sleep, backend=backend)
    log = listen(worker)
    until(lambda: log == ["asleep"])

    worker.terminate()

    assert worker.join(20)
    until(lambda: len(log) == 2)
    assert log == ["asleep", ("exit", 1)]
    worker.terminate()


@both
@pytest.mark.parametrize(
    ("target", "word"), [(children.worker_receives, "waiting"), (children.worker_sleeps_in_a_loop, "asleep")]
)
def test_terminate_ends_a_worker_that_waits(
    backend: Backend, target: Callable[[], object], word: str
) -> None:
    """worker.terminate(); // its ports close, and its loop is left"""
    worker = Worker(target, backend=backend)
    log = listen(worker)
    until(lambda: log)

    worker.terminate()

    until(lambda: log == [word, ("exit", 1)])


@both
def test_terminate_ends_a_worker_that_only_listens(backend: Backend) -> None:
    """a started parent port keeps the worker alive until then"""
    with Worker(children.worker_echo, backend=backend) as worker:
        log = listen(worker)
        until(lambda: log)
        quiet()
        assert worker.exit_code is None

    until(lambda: log[-1] == ("exit", 1))


@both
def test_a_worker_lives_on_while_its_parent_port_is_refd(backend: Backend) -> None:
    """parentPort.on('message', f); // parentPort.unref() ends it"""
    worker = Worker(children.worker_lives_on, backend=backend)
    log = listen(worker)
    worker.post_message("one")
    until(lambda: log == [["still here", "one"]])
    assert not worker.join(0.1)

    worker.post_message("end")

    until(lambda: len(log) == 3)
    assert log[1:] == [["still here", "end"], ("exit", 0)]


@both
def test_an_async_target_has_a_loop(backend: Backend) -> None:
    """async function main() { await once(parentPort, 'message') }"""
    worker = Worker(children.worker_async, "value", backend=backend)
    log = listen(worker)

    worker.post_message("hello")

    until(lambda: len(log) == 2)
    assert log == [["value", "hello"], ("exit", 0)]


@both
def test_listeners_attached_in_a_loop_run_in_it(backend: Backend) -> None:
    """worker.on('message', async (m) => {})"""

    async def main() -> list[object]:
        log: list[object] = []
        worker = Worker(children.worker_leave, 5, backend=backend)
        over = asyncio.Event()

        async def hear(value: object) -> None:
            log.append((value, asyncio.get_running_loop() is loop))

        def leave(code: int) -> None:
            log.append(code)
            over.set()

        loop = asyncio.get_running_loop()
        worker.on("message", hear)
        worker.on("exit", leave)
        await asyncio.wait_for(over.wait(), 20)
        return log

    assert sorted(map(str, asyncio.run(main()))) == sorted(["('last words', True)", "5"])


@both
def test_what_a_worker_raises_arrives_even_if_it_cannot_be_cloned(backend: Backend) -> None:
    """ERR_WORKER_UNSERIALIZABLE_ERROR"""
    worker = Worker(children.worker_unclonable, backend=backend)
    log = listen(worker)

    until(lambda: len(log) == 2)
    assert isinstance(log[0][1], JSError)
    assert "odd" in str(log[0][1])
    assert log[1] == ("exit", 1)


def test_a_killed_worker_process_exits_with_the_signal() -> None:
    """a crash is no 'error'"""
    worker = Worker(children.worker_echo, backend="process")
    log = listen(worker)
    until(lambda: log)

    os.kill(log[0]["pid"], 9)

    until(lambda: len(log) == 2)
    assert log[1] == ("exit", -9)


def test_a_process_wants_a_function_that_it_can_import() -> None:
    """a lambda is none"""
    with pytest.raises(TypeError, match="import"):
        Worker(lambda: None, backend="process")


def test_there_are_two_kinds_of_workers() -> None:
    """no sockets"""
    with pytest.raises(ValueError, match="socket"):
        Worker(children.worker_echo, backend="socket")  # type: ignore[arg-type]


def test_broadcast_channels_reach_worker_processes() -> None:
    """new BroadcastChannel('news') here and there"""
    name = f"news {time.monotonic()}"
    here = BroadcastChannel(name)
    heard: list[object] = []
    here.on("message", heard.append)
    worker = Worker(children.broadcast, name, backend="process")
    log = listen(worker)
    until(lambda: log)

    here.post_message("from the parent")

    until(lambda: len(log) == 3 and heard)
    assert log == ["listening", ["heard", "from the parent"], ("exit", 0)]
    assert heard == ["from the worker"]
    here.close()


def test_outside_of_workers_there_is_no_parent() -> None:
    """isMainThread; // parentPort === null"""
    assert transport.parent_port() is None
    assert transport.worker_data() is None


@both
def test_the_ports_of_a_terminated_worker_close(backend: Backend) -> None:
    """peers hear 'close'"""
    near, far = MessageChannel()
    worker = Worker(
        children.worker_data_ports, backend=backend, worker_data={"port": far}, transfer_list=[far]
    )
    assert near.receive(20) == "from worker data"

    worker.terminate()

    with pytest.raises(PortClosedError):
        near.receive(20)
    assert worker.join(20)


def test_repr_shows_kind_state_and_ref() -> None:
    """util.inspect(worker)"""
    worker = Worker(children.worker_leave, 0)
    worker.unref()
    worker.join(20)

    assert repr(worker) == "<Worker thread exited with 0 unref>"


@both
@pytest.mark.parametrize("target", [children.worker_listens, children.worker_listens_async])
def test_a_workers_listeners_know_whose_they_are(backend: Backend, target: Callable[..., object]) -> None:
    """parentPort.on('message', () => parentPort.postMessage(workerData)); // it waits for its own ports"""
    worker = Worker(target, backend=backend, worker_data={"x": 1})
    log = listen(worker)
    if target is children.worker_listens:
        until(lambda: log == [["own", True, {"x": 1}]])
        log.clear()

    worker.post_message("hello")
    worker.post_message("end")

    until(lambda: log[-1:] == [("exit", 0)])
    assert log[:-1] == [["hello", True, {"x": 1}], ["end", True, {"x": 1}]]
    assert transport.parent_port() is None


@both
def test_terminate_closes_ports_at_once_though_the_worker_is_in_c(backend: Backend) -> None:
    """worker.terminate(); // a thread in time.sleep() is given up"""
    near, far = MessageChannel()
    worker = Worker(children.worker_in_c, 2, backend=backend, worker_data=far, transfer_list=[far])
    log = listen(worker)
    until(lambda: log)
    began = time.monotonic()

    worker.terminate()

    with pytest.raises(PortClosedError):
        near.receive(10)
    assert worker.join(10)
    until(lambda: log == ["asleep", ("exit", 1)])
    if sys.gettrace() is None:  # a CPython 3.11 that is traced stands still meanwhile
        assert time.monotonic() - began < 1.5


@both
@pytest.mark.parametrize("leaves", [True, False])
def test_all_ports_of_a_worker_close_when_it_ends(backend: Backend, leaves: bool) -> None:
    """process.exit(0), worker.terminate(); // whatever it listens on: peers hear 'close'"""
    near, far = MessageChannel()
    log: list[object] = []
    near.on("close", lambda: log.append("close"))
    worker = Worker(
        children.worker_keeps_ports, leaves, backend=backend, worker_data=far, transfer_list=[far]
    )
    worker.on("exit", log.append)
    moved: list[MessagePort] = []
    worker.on("message", moved.append)
    worker.on("message", lambda port: port.on("close", lambda: log.append("moved closes")))
    until(lambda: moved)

    if not leaves:
        worker.terminate()

    until(lambda: len(log) == 3)
    assert sorted(map(str, log)) == ["0" if leaves else "1", "close", "moved closes"]
    assert moved[0].peer_closed and near.peer_closed


def test_a_worker_that_a_worker_thread_started_ends_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    """// a worker's workers are terminated with it"""
    worker = Worker(children.worker_starts_another)
    log = listen(worker)
    until(lambda: log == ["it runs"])
    assert not worker.join(0.1)
    inner = next(thing for thing in gc.get_objects() if type(thing) is Worker and thing.worker is not None)

    worker.terminate()

    assert worker.join(5) and inner.join(5)
    until(lambda: inner.exit_code == 1)
    until(lambda: not inner.has_ref())


def test_what_a_worker_opens_after_its_end_closes_at_once() -> None:
    """// in a listener that was running when it ended"""
    opened: list[MessagePort] = []
    inside, ended = threading.Event(), threading.Event()

    def target() -> None:
        port = transport.parent_port()
        assert port is not None

        def hear(value: object) -> None:
            inside.set()
            ended.wait(5)
            opened.extend(MessageChannel())

        port.on("message", hear)

    worker = Worker(target)
    worker.post_message("go")
    assert inside.wait(5)
    worker.terminate()
    assert worker.join(5)
    ended.set()

    until(lambda: len(opened) == 2 and all(port.closed for port in opened))


def test_a_port_belongs_to_who_started_it_last() -> None:
    """// a thread worker can be handed a port without a transfer: listening on it makes it the worker's"""
    near, far = MessageChannel()

    def target() -> None:
        near.on("message", lambda value: far.post_message(["worker", value]))
        near.unref()

    worker = Worker(target)
    assert worker.join(5)
    until(lambda: near.closed)

    near, far = MessageChannel()
    near.on("message", lambda value: None)

    def stops() -> None:
        near.remove_all_listeners()

    worker = Worker(stops)
    assert worker.join(5)
    quiet()
    assert not near.closed


def test_a_target_must_be_a_function() -> None:
    """new Worker(3); // TypeError"""
    with pytest.raises(TypeError, match="int"):
        Worker(3)  # type: ignore[arg-type]


def test_what_cannot_be_read_is_a_messageerror_of_the_worker() -> None:
    """worker.on('messageerror', f)"""
    with Worker(children.worker_sends_what_cannot_be_read, backend="process") as worker:
        errors: list[object] = []
        worker.on("messageerror", errors.append)
        log = listen(worker)

        until(lambda: log == ["next"])

        assert [type(error) for error in errors] == [DecodeError]


@both
def test_a_removed_listener_leaves_messages_for_the_next(backend: Backend, workers: list[Worker]) -> None:
    """worker.off('message', f); // and queue until worker.on('message', g)"""
    worker = Worker(children.worker_echo, backend=backend)
    workers.append(worker)
    first: list[object] = []
    worker.on("message", first.append)
    until(lambda: first)
    worker.off("message", first.append)
    worker.on("messageerror", first.append)
    worker.off("messageerror", first.append)

    worker.post_message("later")
    quiet()
    second: list[object] = []
    worker.on("message", second.append)

    until(lambda: second == ["later"])
    assert len(first) == 1


@both
def test_an_exit_listener_that_raises_is_reported(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """worker.on('exit', () => { throw new Error() })"""
    reported: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: reported.append(error))
    worker = Worker(children.worker_leave, 0, backend=backend)

    def listener(code: int) -> None:
        raise ValueError(code)

    worker.on("exit", listener)

    until(lambda: [str(error) for error in reported] == ["0"])
    until(lambda: not worker.has_ref())


@both
def test_a_worker_whose_listeners_loop_has_closed_keeps_nothing_alive(backend: Backend) -> None:
    """// 'exit' is for whoever listens next"""
    codes: list[int] = []

    async def main() -> Worker:
        worker = Worker(children.worker_receives, backend=backend)
        worker.on("exit", codes.append)
        return worker

    worker = asyncio.run(main())
    worker.terminate()

    assert worker.join(5)
    until(lambda: codes == [1])
    until(lambda: not worker.has_ref())
    worker.ref()
    assert not worker.has_ref()


@both
def test_an_async_exit_listener_runs_as_a_task(backend: Backend) -> None:
    """worker.on('exit', async (code) => {})"""

    async def main() -> int:
        worker = Worker(children.worker_leave, 4, backend=backend)
        told = asyncio.get_running_loop().create_future()

        async def listener(code: int) -> None:
            await asyncio.sleep(0)
            told.set_result(code)

        worker.on("exit", listener)
        return int(await asyncio.wait_for(told, 20))

    assert asyncio.run(main()) == 4


def test_broadcasts_reach_a_worker_process_when_the_loop_that_started_it_is_over() -> None:
    """// the hub of a process listens in no loop of its user's"""
    name = f"news {time.monotonic()}"
    here = BroadcastChannel(name)
    heard: list[object] = []
    here.on("message", heard.append)

    async def main() -> Worker:
        return Worker(children.broadcast, name, backend="process")

    log = listen(asyncio.run(main()))
    until(lambda: log == ["listening"])
    here.post_message("from the parent")

    until(lambda: len(log) == 3 and heard)
    assert (log[1], heard) == (["heard", "from the parent"], ["from the worker"])
    here.close()

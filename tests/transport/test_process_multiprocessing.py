"""Ports as arguments of real processes: spawn, forkserver, fork; deaths and exits of real children."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, cast

import pytest

from clonecodec import ArrayBuffer, DataCloneError, SharedArrayBuffer
from tests.transport import children
from tests.transport.settling import collect, until
from transport import CloseReason, MessageChannel, MessagePort, PortClosedError
from transport._io import io_poller
from transport._process_folded import Folded
from transport._process_link import ProcessLink
from transport._process_owner import Peer
from transport._process_wire import Descriptor

METHODS = ("spawn", "forkserver", "fork")
KINDS: tuple[Literal["process", "thread"], ...] = ("process", "thread")


def context(method: str) -> Any:
    return multiprocessing.get_context(cast(Any, method))


def start(method: str, target: Any, *args: object) -> Any:
    process = context(method).Process(target=target, args=args)
    process.start()
    return process


@pytest.fixture
def sleeper() -> Iterator[list[Any]]:
    """Processes that are killed at the end of the test."""
    processes: list[Any] = []
    yield processes
    for process in processes:
        process.kill()
        process.join()
        process.close()


def end(process: Any, code: int = 0) -> None:
    process.join(20)
    assert process.exitcode == code
    process.close()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_port_is_a_legal_argument_and_the_parent_s_object_dies(kind: Any, method: str) -> None:
    near, far = MessageChannel(kind)
    near.post_message("early")

    process = start(method, children.echo, far)
    near.post_message("late")

    assert far.detached
    with pytest.raises(PortClosedError, match="transferred"):
        far.receive(1)
    assert [near.receive(20), near.receive(20)] == ["early", "late"]
    near.close()
    end(process)


@pytest.mark.parametrize("method", METHODS)
def test_what_was_read_already_goes_along(method: str) -> None:
    near, far = MessageChannel("process")
    inner, inner_far = MessageChannel("process")
    near.post_message({"port": inner_far, "big": b"x" * 300_000}, [inner_far])
    until(lambda: "queued=1" in repr(far))

    process = start(method, children.first_of_port, far)
    inner.post_message("through the port in the message")

    assert near.receive(20) == [300_000, "through the port in the message"]
    end(process)


@pytest.mark.parametrize("method", METHODS)
def test_both_ends_may_go_to_children(method: str) -> None:
    one, two = MessageChannel("process")
    near, far = MessageChannel("process")

    first = start(method, children.post_and_leave, one, 50)
    second = start(method, children.collect_and_report, two, far)

    assert near.receive(30) == [*range(50), 1_000_000, "PEER"]
    end(first)
    end(second)


@pytest.mark.parametrize("method", METHODS)
def test_a_killed_peer_is_heard_even_while_a_forked_sibling_holds_its_descriptor(
    method: str, sleeper: list[Any]
) -> None:
    near, far = MessageChannel("process")
    process = start(method, children.hang, far)
    sleeper.append(process)
    pid = cast(int, near.receive(20))
    sleeper.append(start("fork", time.sleep, 60))
    heard: list[float] = []
    near.on("close", lambda: heard.append(time.monotonic()))

    killed = time.monotonic()
    os.kill(pid, signal.SIGKILL)

    until(lambda: heard)
    assert near.close_reason is CloseReason.PEER_DIED
    assert heard[0] - killed < 1  # some milliseconds, on a machine that does nothing else


def test_a_parent_that_is_killed_is_heard_by_its_child() -> None:
    near, far = MessageChannel("process")
    process = start("spawn", children.parent_to_be_killed, far)
    with pytest.raises(PortClosedError):
        while True:
            value = near.receive(30)
            if isinstance(value, MessagePort):
                survivor = value
    end(process, -signal.SIGKILL)

    assert survivor.receive(20) == "PEER_DIED"


def test_a_pending_receive_ends_when_the_peer_is_killed(sleeper: list[Any]) -> None:
    near, far = MessageChannel("process")
    sleeper.append(start("spawn", children.hang, far))
    pid = cast(int, near.receive(20))
    timer = threading.Timer(0.05, os.kill, (pid, signal.SIGKILL))
    timer.start()

    with pytest.raises(PortClosedError) as caught:
        near.receive(20)

    assert caught.value.reason is CloseReason.PEER_DIED
    timer.join()


@pytest.mark.parametrize("method", METHODS)
def test_what_was_posted_before_a_normal_exit_is_delivered(method: str) -> None:
    near, far = MessageChannel("process")

    process = start(method, children.post_and_leave, far, 1000)
    time.sleep(0.3)
    values = list(near)

    assert values[:-1] == list(range(1000))
    assert len(cast(bytes, values[-1])) == 1_000_000
    assert near.close_reason is CloseReason.PEER
    end(process)


def test_a_child_exits_with_unread_messages() -> None:
    near, far = MessageChannel("process")
    mine, peer = MessageChannel("process")
    process = start("spawn", children.leave_unread, far)
    assert near.receive(20) == "ready"

    near.post_message({"port": mine}, [mine])

    with pytest.raises(PortClosedError):
        near.receive(20)
    with pytest.raises(PortClosedError):
        peer.receive(20)
    end(process)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_port_comes_back_if_the_start_fails(method: str) -> None:
    near, far = MessageChannel("process")
    heard: list[object] = []
    far.on("message", heard.append)
    near.post_message("before")
    process = context(method).Process(target=children.echo, args=(far, threading.Lock()))

    with pytest.raises(TypeError, match="lock") as caught:
        process.start()

    assert not far.detached
    near.post_message("after")
    until(lambda: heard == ["before", "after"])
    far.post_message("back")
    assert near.receive(5) == "back"
    near.close()
    del caught


def test_a_port_comes_back_if_there_is_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    from multiprocessing import util

    def fail(*args: object) -> int:
        raise OSError("no more processes")

    monkeypatch.setattr(util, "spawnv_passfds", fail)
    near, far = MessageChannel("thread")

    with pytest.raises(OSError, match="no more"):
        start("spawn", children.echo, far)

    assert not far.detached
    near.post_message("still there")
    assert far.receive(5) == "still there"


@pytest.mark.parametrize("method", METHODS)
def test_a_channel_closes_if_the_child_dies_unclaimed(method: str) -> None:
    near, far = MessageChannel("process")

    process = start(method, children.raise_early, far)

    with pytest.raises(PortClosedError):
        near.receive(20)
    end(process, 7)


def test_a_port_is_pickled_only_for_a_process_that_is_started() -> None:
    near, _far = MessageChannel("process")

    with pytest.raises(TypeError, match="transfer list"):
        pickle.dumps(near)
    assert not near.detached


def test_a_closed_port_is_no_argument() -> None:
    near, _far = MessageChannel("process")
    near.close()

    with pytest.raises(DataCloneError):
        start("spawn", children.echo, near)


def test_shared_memory_is_shared_and_a_movable_buffer_moves_between_processes() -> None:
    near, far = MessageChannel("process")
    process = start("spawn", children.fill_shared, far)
    shared = SharedArrayBuffer(8)
    movable = ArrayBuffer(1 << 20, movable=True)
    inode = os.fstat(cast(int, movable.fd)).st_ino

    near.post_message({"shared": shared, "again": shared, "moved": movable}, [movable])

    same, back = cast("list[Any]", near.receive(20))
    assert same is True
    assert shared.view()[0] == 7
    assert movable.detached
    assert back.view()[0] == 8
    assert os.fstat(back.fd).st_ino == inode
    near.close()
    end(process)


def test_a_port_moves_between_processes_in_mid_flood_and_nothing_is_lost() -> None:
    peer, moving = MessageChannel("process")
    near, far = MessageChannel("process")
    for i in range(500):
        peer.post_message(i)
    process = start("spawn", children.pass_on, moving, far)
    for i in range(500, 1000):
        peer.post_message(i)

    message = cast("dict[str, Any]", near.receive(20))

    back: MessagePort = message["port"]
    for i in range(1000, 1100):
        peer.post_message(i)
    got = message["got"] + [back.receive(10) for _ in range(1000)]
    assert got == list(range(1100))
    near.post_message("thank you")
    end(process)


# ------------------------------------------------------------------------- bare forks


def in_child(work: Any) -> int:
    """Fork, and do *work* in the child; the child's pid.  Its exit code tells whether all was well."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def wait_for(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_the_first_process_that_uses_an_inherited_end_owns_it() -> None:
    near, far = MessageChannel("process")

    def child() -> None:
        far.post_message("from the child")
        assert far.receive(10) == "to the child"
        far.close()

    pid = in_child(child)
    near.post_message("to the child")

    assert near.receive(10) == "from the child"
    until(lambda: far.detached)
    with pytest.raises(PortClosedError):
        near.receive(10)
    assert near.close_reason is CloseReason.PEER
    assert wait_for(pid) == 0


def test_what_a_dead_parent_has_written_is_its_heir_s() -> None:
    left, right = os.pipe()
    got, out = os.pipe()

    def parent() -> None:
        near, far = MessageChannel("process")

        def child() -> None:
            os.close(right)
            assert os.read(left, 1) == b""  # the parent is dead
            far._end.link.claim()  # type: ignore[attr-defined]
            time.sleep(0.2)  # its death is heard of before anything is read
            os.write(out, repr((list(far), far.close_reason)).encode())

        in_child(child)
        near.on("message", print)
        near.post_message("last words")
        near._end.link.finish()  # type: ignore[attr-defined]  # as at the end of a program

    pid = in_child(parent)
    os.close(right)
    os.close(left)
    assert wait_for(pid) == 0
    assert os.read(got, 1000).decode() == repr((["last words"], CloseReason.PEER))
    os.close(got)
    os.close(out)


def test_an_end_that_is_closed_while_its_process_forks_is_not_watched() -> None:
    near, far = MessageChannel("process")
    assert isinstance(far._end.link, Folded)
    link = far._end.link.unfold()
    assert isinstance(link, ProcessLink)

    link.before_fork()
    link.quit()  # in another thread
    link.after_fork()

    assert list(near) == []
    assert near.close_reason is CloseReason.PEER_DIED


def test_a_child_that_ends_without_the_interpreter_s_leave_closes_its_port_first_and_all_arrives() -> None:
    near, far = MessageChannel("process")

    def child() -> None:
        for i in range(50):
            far.post_message(i)
        far.close()
        os._exit(0)

    pid = in_child(child)

    assert list(near) == list(range(50))
    assert near.close_reason is CloseReason.PEER
    assert wait_for(pid) == 0


def test_inherited_ports_are_dormant() -> None:
    near, far = MessageChannel("process")
    far.post_message("before")

    def child() -> None:
        nonlocal near, far
        del near, far
        collect()

    assert wait_for(in_child(child)) == 0

    near.post_message("alive")
    assert (far.receive(5), near.receive(5)) == ("alive", "before")


def test_an_unclaimed_end_that_is_dropped_after_a_fork_sends_no_end_mark() -> None:
    near, *unclaimed = MessageChannel("process")

    def child() -> None:
        time.sleep(0.2)
        unclaimed[0].post_message("mine now")
        time.sleep(0.2)

    pid = in_child(child)
    unclaimed.clear()
    collect()

    assert near.receive(10) == "mine now"
    assert wait_for(pid) == 0


def test_what_is_posted_after_a_fork_and_the_close_arrive_while_a_child_has_copies(
    sleeper: list[Any],
) -> None:
    near, far = MessageChannel("process")
    far.on("message", (heard := []).append)
    far.on("close", lambda: heard.append("close"))
    sleeper.append(start("fork", time.sleep, 60))

    for number in range(20):
        near.post_message(bytes([number]) * 100_000)
    near.close()

    until(lambda: len(heard) == 21)
    assert [message[0] for message in heard[:-1]] == [*range(20)]
    assert heard[-1] == "close"


def test_a_port_that_is_closed_right_after_a_fork_closes_the_channel(sleeper: list[Any]) -> None:
    near, far = MessageChannel("process")
    far.on("message", print)
    sleeper.append(start("fork", time.sleep, 60))

    near.close()

    until(lambda: far.close_reason is CloseReason.PEER)


def test_a_child_that_only_posts_hears_what_is_taken() -> None:
    near, far = MessageChannel("process")

    def child() -> None:
        far.post_message("taken?")
        asyncio.run(asyncio.wait_for(far.drained(), 10))
        far.close()

    pid = in_child(child)

    assert near.receive(10) == "taken?"
    assert wait_for(pid) == 0


def test_an_end_that_is_used_while_it_is_looked_at_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = MessageChannel("process")
    assert isinstance(near._end.link, Folded)
    link = near._end.link.unfold()
    assert isinstance(link, ProcessLink)
    reading, recv = link._reading, link.socket.recv

    class Used:
        def recv(self, *args: int) -> bytes:
            monkeypatch.undo()
            reading.watch(io_poller())  # in another thread
            return recv(*args)

    link.before_fork()
    monkeypatch.setattr(reading, "_socket", Used())
    far.post_message("first")
    with reading._pumping:
        reading.pump()

    assert reading._poller is io_poller()
    assert near.receive(5) == "first"


def test_who_asks_for_the_death_of_a_dead_process_is_told() -> None:
    class Link:
        def __init__(self) -> None:
            self.heard: list[Peer] = []

        def peer_died(self, other: Peer) -> None:
            self.heard.append(other)

    pid = in_child(lambda: None)
    early, late = Link(), Link()
    peer = Peer(pid, Descriptor(os.pidfd_open(pid)))
    peer.add(cast(Any, early))
    until(lambda: early.heard == [peer])

    peer.add(cast(Any, late))

    until(lambda: late.heard == [peer])
    assert wait_for(pid) == 0


def test_an_unused_port_still_hears_close_after_a_fork() -> None:
    near, far = MessageChannel("process")
    heard: list[str] = []
    far.on("close", lambda: heard.append("close"))
    assert wait_for(in_child(lambda: None)) == 0

    near.close()

    until(lambda: heard == ["close"])


def test_a_claimed_end_that_is_passed_on_is_watched_in_its_new_process(sleeper: list[Any]) -> None:
    near, far = MessageChannel("process")
    other, other_far = MessageChannel("process")
    pid = in_child(lambda: other_far.post_message(far, [far]))
    moved = cast(MessagePort, other.receive(10))
    assert wait_for(pid) == 0
    sleeper.append(start("fork", time.sleep, 60))

    sleeper.append(process := start("spawn", children.hang, moved))
    near.receive(20)
    os.kill(process.pid, signal.SIGKILL)

    with pytest.raises(PortClosedError):
        near.receive(20)
    assert near.close_reason is CloseReason.PEER_DIED


# ------------------------------------------------------------------------- nothing is left behind


def open_files() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def test_children_one_after_another_leave_no_descriptor_and_no_thread() -> None:
    def once() -> None:
        near, far = MessageChannel("process")
        process = start("fork", children.echo, far)
        near.post_message("x")
        assert near.receive(20) == "x"
        near.close()
        end(process)

    once()
    collect()
    files, threads = open_files(), threading.active_count()
    for _ in range(20):
        once()

    until(lambda: collect() and open_files() <= files)
    assert threading.active_count() <= threads


def test_channels_leave_no_descriptor() -> None:
    def once() -> None:
        near, far = MessageChannel("process")
        mine, _peer = MessageChannel("process")
        near.post_message([mine, SharedArrayBuffer(10)], [mine])
        far.close()

    once()
    collect()
    files = open_files()
    for _ in range(50):
        once()

    until(lambda: collect() and open_files() <= files)

"""One file, many processes: spawned, forked, forked at a bad time."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.context import BaseContext
from pathlib import Path

import pytest

from clonecodec import store
from clonecodec.store import Store, StoreError

PROCESSES = 8
STEPS = 50


def count_up(path: Path, name: int) -> None:
    with store.open(path) as opened:
        for step in range(STEPS):
            with opened.transaction():
                opened["total"] = opened.get("total", 0) + 1
            opened[f"{name}:{step}"] = [name, step]
            opened["last"] = bytes([name]) * ((2 << 20) if step % 20 == 0 else 5)


def run_all(context: BaseContext, path: Path) -> None:
    processes = [context.Process(target=count_up, args=(path, name)) for name in range(PROCESSES)]  # type: ignore[attr-defined]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * PROCESSES


def assert_all_there(path: Path) -> None:
    with store.open(path, "r") as opened:
        opened.check()
        assert opened["total"] == PROCESSES * STEPS
        assert len(set(opened["last"])) == 1
        assert len(opened) == PROCESSES * STEPS + 2
        for name in range(PROCESSES):
            expected = sorted((f"{name}:{step}", [name, step]) for step in range(STEPS))
            assert list(opened.items(prefix=f"{name}:")) == expected


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_eight_processes_lose_nothing(path: Path, method: str) -> None:
    run_all(multiprocessing.get_context(method), path)

    assert_all_there(path)


def test_eight_processes_lose_nothing_while_the_parent_has_it_open(path: Path) -> None:
    with store.open(path) as opened:
        opened["total"] = 0
        run_all(multiprocessing.get_context("fork"), path)
        assert opened["total"] == PROCESSES * STEPS

    assert_all_there(path)


def use(opened: Store) -> None:
    opened["from the child"] = opened["from the parent"]


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_a_store_is_an_argument_for_a_process(path: Path, method: str) -> None:
    with store.open(path) as opened:
        opened["from the parent"] = 1
        process = multiprocessing.get_context(method).Process(target=use, args=(opened,))  # type: ignore[attr-defined]
        process.start()
        process.join()

        assert process.exitcode == 0
        assert opened["from the child"] == 1


def test_a_store_in_memory_is_no_argument_for_another_process() -> None:
    with store.open(":memory:") as opened, pytest.raises(TypeError, match="in memory"):
        opened.__reduce__()


def in_a_fork(act: Callable[[], None]) -> int:
    """Run *act* in a forked child, and return its exit status: 0 if it did not raise."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            act()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_parent_and_forked_child_go_on_with_the_same_object(path: Path) -> None:
    with store.open(path) as opened:
        opened["n"] = 1

        def child() -> None:
            opened["n"] += 1
            opened["long"] = bytes(2 << 20)

        assert in_a_fork(child) == 0
        opened["n"] += 1

        assert (opened["n"], len(opened["long"])) == (3, 2 << 20)
        opened.check()


def test_a_child_that_outlives_its_parent_keeps_what_it_writes(path: Path) -> None:
    """The parent's connections must not make the child believe that it holds SQLite's locks."""
    script = """
import os, sys, time
from clonecodec import store
opened = store.open(sys.argv[1])
opened["a"] = 1
parent = os.getpid()
if os.fork() == 0:
    opened["child"] = 0
    while os.getppid() == parent:
        time.sleep(0.01)
    with store.open(sys.argv[1]) as other:
        other["other"] = 1
    for number in range(100):
        opened["child"] = number
        time.sleep(0.002)
    opened.close()
    os._exit(0)
"""
    subprocess.run([sys.executable, "-c", script, str(path)], check=True, timeout=60)

    for _ in range(1000):
        with store.open(
            path
        ) as opened:  # the last to close puts the write-ahead log away: not under the child
            if opened.get("child") == 99:
                break
    with store.open(path) as opened:
        assert opened["child"] == 99
        assert opened["other"] == 1


def test_a_fork_waits_for_the_transactions_of_other_threads(path: Path) -> None:
    with store.open(path) as opened:
        begun, go_on = threading.Event(), threading.Event()

        def write() -> None:
            with opened.transaction():
                opened["a"] = 1
                begun.set()
                go_on.wait()
                opened["b"] = 2

        thread = threading.Thread(target=write)
        thread.start()
        begun.wait()
        threading.Timer(0.1, go_on.set).start()

        def child() -> None:
            assert dict(opened) == {"a": 1, "b": 2}

        assert in_a_fork(child) == 0
        thread.join()


def test_forks_are_not_starved_by_threads_that_write_all_the_time(path: Path) -> None:
    with store.open(path) as opened:
        done = threading.Event()

        def write() -> None:
            while not done.is_set():
                with opened.transaction():
                    opened["threads"] = opened.get("threads", 0) + 1
                len(opened)

        def child() -> None:
            for _ in range(3):
                with opened.transaction():
                    opened["children"] = opened.get("children", 0) + 1

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            statuses = [in_a_fork(child) for _ in range(4)]
        finally:
            done.set()
            for thread in threads:
                thread.join()

        assert statuses == [0] * 4
        assert opened["children"] == 12
        opened.check()


def test_a_child_forked_inside_a_transaction_is_refused_and_the_parent_is_not_disturbed(path: Path) -> None:
    with store.open(path) as opened:

        def child() -> None:
            for attempt in (
                lambda: opened["a"],
                lambda: store.open(path),
                lambda: opened.__setitem__("a", 3),
            ):
                with pytest.raises(StoreError, match="forked inside a transaction"):
                    attempt()
            thread = threading.Thread(target=opened.get, args=("a",))
            thread.start()
            thread.join()

        with opened.transaction():
            opened["a"] = 1
            assert in_a_fork(child) == 0
            opened["long"] = bytes(2 << 20)
        assert (opened["a"], len(opened["long"])) == (1, 2 << 20)
        opened.check()


def test_a_child_forked_inside_a_transaction_leaves_the_block_with_an_error(path: Path) -> None:
    script = """
import os, sys
from clonecodec import store
opened = store.open(sys.argv[1])
opened["n"] = 0
child = None
try:
    with opened.transaction():
        opened["n"] = 1
        child = os.fork()
        if child:
            os.waitpid(child, 0)
except store.StoreError as error:
    assert child == 0, error
    print("child:", error.reason)
    sys.exit(0)  # an ordinary exit, with all that is collected in it
print("parent:", opened["n"])
opened.check()
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], check=False, capture_output=True, text=True, timeout=60
    )

    assert done.stderr == ""
    assert done.stdout == "child: this process was forked inside a transaction of it\nparent: 1\n"


def test_a_store_in_memory_is_copied_by_a_fork() -> None:
    with store.open(":memory:") as opened:
        opened["a"] = 1

        def child() -> None:
            assert opened["a"] == 1
            opened["a"] = 2
            assert opened["a"] == 2

        assert in_a_fork(child) == 0
        assert opened["a"] == 1


def test_the_connection_of_a_thread_ends_with_it(path: Path) -> None:
    with store.open(path) as opened:
        opened["a"] = 1

        def descriptors() -> int:
            return len(list(Path("/proc/self/fd").iterdir()))

        before = descriptors()
        for _ in range(20):
            thread = threading.Thread(target=opened.get, args=("a",))
            thread.start()
            thread.join()

        assert descriptors() <= before + 3


def test_a_store_that_nobody_closed_is_closed_when_it_is_collected(path: Path) -> None:
    opened = store.open(path)
    opened["a"] = 1
    del opened

    assert [entry.name for entry in path.parent.iterdir()] == [path.name]

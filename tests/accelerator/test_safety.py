"""No leak, no crash, nothing left behind: memory that runs out, values that change, the collector's state."""

from __future__ import annotations

import contextlib
import gc
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import repeat

import pytest

from clonecodec import (
    CloneError,
    DataCloneError,
    DecodeError,
    DefaultDeserializer,
    Map,
    Serializer,
    clone_with_transfer,
    dumps,
    loads,
    structured_clone,
)
from clonecodec.plain import dumps_plain, loads_plain
from fuzz.fuzz_twins import Hosts, Maker, Writes, damaged, everything, twice


def values(count: int) -> Iterator[object]:
    for seed in range(count):
        yield Maker(random.Random(seed), keen=True).value()


def calls(count: int) -> Iterator[Callable[[], object]]:
    """All that may be done with *count* values, damaged bytes included."""
    rng = random.Random(0)
    for value in values(count):
        yield lambda value=value: dumps(value)  # type: ignore[misc]
        yield lambda value=value: structured_clone(value)  # type: ignore[misc]
        yield lambda value=value: clone_with_transfer(value, ())  # type: ignore[misc]
        yield lambda value=value: dumps_plain(value)  # type: ignore[misc]
        yield lambda value=value: twice(Writes(), value)  # type: ignore[misc]
        try:
            data = dumps(value)
        except DataCloneError:
            continue
        for copy in (data, *(damaged(rng, data, [data]) for _ in range(3))):
            yield lambda data=copy: loads(data)  # type: ignore[misc]
            yield lambda data=copy: loads_plain(data)  # type: ignore[misc]
            yield lambda data=copy: loads(data, zero_copy=True)  # type: ignore[misc]
            yield lambda data=copy: everything(Hosts(data))  # type: ignore[misc]
            yield lambda data=copy: everything(DefaultDeserializer(data))  # type: ignore[misc]


def test_nothing_is_held_when_a_call_is_over() -> None:
    text, number, octets = "a text of this test", 10**30, b"octets of this test"
    part = [text, number, {text: octets}]
    value = {
        text: part,
        "map": Map({number: octets, text: part}),
        "set": {text, number},
        "at": (part, octets),
    }
    data = dumps(value)

    def counts() -> list[int]:
        return [sys.getrefcount(held) for held in (text, number, octets, part, value, data, None, True)]

    for call in (
        lambda: dumps(value),
        lambda: loads(data),
        lambda: structured_clone(value),
        lambda: clone_with_transfer(value, ()),
        lambda: dumps_plain(value),
        lambda: dumps_plain(part[:2]),
        lambda: loads_plain(data),
        lambda: loads(data, zero_copy=True),
        lambda: loads(data[:-9], zero_copy=True),
        lambda: twice(Serializer(), value),
        lambda: dumps([value, len]),
        lambda: loads(data[:-9]),
        lambda: structured_clone([value, len]),
    ):
        for _ in range(2):  # caches are filled the first time
            before = counts()
            for _ in range(100):
                with contextlib.suppress(CloneError):
                    call()
            gc.collect()
            after = counts()
        assert max(abs(old - new) for old, new in zip(before, after, strict=True)) < 20


def test_no_objects_are_left_over() -> None:
    def run() -> int:
        for call in calls(30):
            with contextlib.suppress(Exception):
                call()
        gc.collect()
        return len(gc.get_objects())

    run()
    before = run()

    assert abs(run() - before) < 50


class Forgetful(list[object]):
    """A list that stays empty."""

    def append(self, item: object, /) -> None: ...


class Hot(Maker):
    """Makes only what C does without Python: nothing that lies in itself."""

    keys = ("a", "b", "id", "name", "", "x" * 70, "0", "17", "007", "é", "Ā", "日本")

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng, keen=True)
        self.made = Forgetful()

    def rare(self, depth: int) -> object:
        return self.container(depth + 1)

    def member(self, depth: int) -> object:
        return self.rng.choice(("a", "b", "é", 1, 2, 2**40, 1.5, None, "c" * 70))

    def scalar(self) -> object:
        return self.rng.choice(("text", "é" * 200, "Ā", 7, -(2**31), 2**50, 2**60, 1.5, None, True, b"bytes"))


NO_MEMORY = """
import _testcapi, gc, random
from clonecodec import CloneError, dumps, loads, structured_clone
from clonecodec.plain import dumps_plain, loads_plain
from tests.accelerator.test_safety import Hot

tried = 0
for seed in range(40):
    node = {{"part": Hot(random.Random(seed)).value()}}
    value = [node, node]
    node["list"] = value
    data = dumps(value)
    ways = (dumps, value), (loads, data), (structured_clone, value), (dumps_plain, value), (loads_plain, data)
    for call, argument in ways:
        for start in range(500):
            try:
                _testcapi.set_nomemory(start, {stop})
                try:
                    call(argument)
                finally:
                    _testcapi.remove_mem_hooks()
                break
            except MemoryError:
                tried += 1
            assert gc.isenabled()
        assert len(dumps(loads(data))) == len(data)
print(tried)
"""


@pytest.mark.parametrize("stop", ["0", "start + 1", "start + 3"])
def test_every_allocation_that_fails_is_a_clean_memory_error(stop: str) -> None:
    """In C, that is: CPython 3.11 itself, without memory, may end a call without an exception, or never."""
    pytest.importorskip("_testcapi")

    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", NO_MEMORY.format(stop=stop)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 200


@pytest.mark.parametrize("collecting", [True, False])
def test_the_collector_is_as_it_was_after_every_outcome(collecting: bool) -> None:
    was = gc.isenabled()
    try:
        (gc.enable if collecting else gc.disable)()
        for call in calls(20):
            with contextlib.suppress(Exception):
                call()
            assert gc.isenabled() is collecting
    finally:
        (gc.enable if was else gc.disable)()


def test_what_clones_and_messages_leave_is_collected_if_nobody_else_makes_containers() -> None:
    value: list[list[object]] = [[] for _ in range(20_000)]
    for item in value:
        item.append(item)  # a circle
    data = dumps(value)
    generations: list[int] = []
    gc.callbacks.append(lambda phase, info: generations.append(info["generation"]))
    try:
        for call in (partial(structured_clone, value), partial(loads, data)):
            gc.collect()
            generations.clear()
            for _ in repeat(None, 60):
                call()
            assert len(generations) >= 4
    finally:
        gc.callbacks.pop()
        gc.collect()


def test_the_collector_works_while_an_embedder_does() -> None:
    seen: list[bool] = []

    class Embedder(Serializer):
        def write_host_object(self, value: object) -> None:
            seen.append(gc.isenabled())

    Embedder().write_value([{1, 2}, len, {"a": (print, {3})}])

    assert seen == [True, True]


def test_a_container_is_written_as_it_was_when_it_was_entered() -> None:
    class Emptying(Serializer):
        def write_host_object(self, value: object) -> None:
            for container in (outer, inner, mapping):
                container.clear()

    inner = [1, len, "after"]
    mapping = {"first": inner, "second": 2}
    outer = [mapping, "last", [3]]
    serializer = Emptying()

    serializer.write_value(outer)

    expected = "41 03 6f 22 05 66 69 72 73 74 41 03 49 02 5c 22 05 61 66 74 65 72 24 00 03"
    expected += " 22 06 73 65 63 6f 6e 64 49 04 7b 02 22 04 6c 61 73 74 41 01 49 06 24 00 01 24 00 03"
    assert serializer.release_buffer().hex(" ") == expected


def test_what_only_its_container_held_keeps_its_number_when_an_embedder_meets_it_again() -> None:
    class Keeping(Serializer):
        def write_host_object(self, value: object) -> None:
            self.write_value(outer[0])

    outer: list[object] = [["alone"], len]
    serializer = Keeping()

    serializer.write_value(outer)
    serializer.write_value(outer[0])

    assert (
        serializer.release_buffer().hex(" ")
        == "41 02 41 01 22 05 61 6c 6f 6e 65 24 00 01 5c 5e 01 24 00 02 5e 01"
    )


def test_a_serializer_in_two_threads_at_once_writes_nonsense_but_does_not_crash() -> None:
    class Slow(Serializer):
        def write_host_object(self, value: object) -> None:
            self.write_value([1, [2, {"a": []}]])

    serializer = Slow()
    value = [[len, [len]] for _ in range(300)]

    def write() -> None:
        for _ in range(20):
            with contextlib.suppress(RuntimeError, CloneError):
                serializer.write_value([*value])

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)

    assert serializer.release_buffer()


def test_bytes_that_were_released_do_not_change() -> None:
    serializer = Serializer()
    serializer.write_value("x" * 5000)
    held = serializer._out
    first = bytes(held)
    copy = bytes(bytearray(first))
    serializer.write_value("y" * 5000)

    assert first == copy
    assert serializer.release_buffer() == first + first.replace(b"x", b"y")
    with pytest.raises(DecodeError):
        loads(first)

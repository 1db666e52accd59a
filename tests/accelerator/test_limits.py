"""Depth costs no stack, claims cost no memory, and what is handed back to Python takes linear time."""

from __future__ import annotations

import contextlib
import threading
import time
import tracemalloc
from collections.abc import Callable

import pytest

from clonecodec import (
    ByIdentity,
    CloneError,
    DecodeError,
    Map,
    TruncatedError,
    dumps,
    loads,
    structured_clone,
)

LEVELS = 100_000

NESTS: dict[str, Callable[[object], object]] = {
    "list": lambda value: [value],
    "tuple": lambda value: (value,),
    "dict": lambda value: {"key": value},
    "Map": lambda value: Map({1: value}),
    "key": lambda value: Map({ByIdentity(value): 1}),
    "set": lambda value: {ByIdentity(value)},
}


def nested(kind: str, levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = NESTS[kind](value)
    return value


def on_a_small_stack(test: Callable[[], None]) -> None:
    """Run *test* in a thread with half a MiB of stack."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            test()
        except BaseException as error:
            errors.append(error)

    before = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    if errors:
        raise errors[0]


@pytest.mark.parametrize("kind", NESTS)
def test_100_000_levels_fit_on_a_small_stack(kind: str) -> None:
    value = nested(kind, LEVELS)
    kept = [value]  # until the thread has ended: to release a deep dict, CPython 3.13 needs a larger stack

    def test() -> None:
        data = dumps(value)
        kept.append(loads(data))
        kept.append(structured_clone(value))
        assert [dumps(copy) == data for copy in kept] == [True, True, True]

    on_a_small_stack(test)


@pytest.mark.parametrize("kind", NESTS)
def test_one_level_more_is_refused_in_every_direction(kind: str) -> None:
    value = nested(kind, 11)
    data = dumps(value)

    for refused in (
        lambda: dumps(value, max_depth=10),
        lambda: loads(data, max_depth=10),
        lambda: structured_clone(value, max_depth=10),
    ):
        with pytest.raises(CloneError, match="nested more than 10 deep"):
            refused()
    assert dumps(value, max_depth=11) == dumps(loads(data, max_depth=11))


@pytest.mark.parametrize("begin", [b"A", b"\0A"])
def test_nested_claims_allocate_no_more_than_bytes_back(begin: bytes) -> None:
    """Each of 2,000 arrays claims all that is left, which is 2 GiB of pointers in all."""
    data = b"\xff\x0f" + (begin + b"\xa0\x8d\x06") * 2_000 + b"0" * 100_000

    tracemalloc.start()
    with pytest.raises(TruncatedError):
        loads(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 50 * len(data)


def seconds(data: bytes) -> float:
    start = time.perf_counter()
    with contextlib.suppress(DecodeError):
        loads(data)
    return time.perf_counter() - start


def doubtful(size: int) -> bytes:
    """A list of Maps, each with a key of its own kind, deep in lists that are referred to as keys."""
    depth = size // 10
    inner = b"".join(b";^\x00" + b"0:\x02" for _ in range(size))
    return b"\xff\x0f" + b"A\x01" * depth + b"'" + inner


@pytest.mark.parametrize("make", [doubtful, lambda size: b"\xff\x0f" + b"A\x01" * size + b"'^\x00" * size])
def test_references_to_open_arrays_cost_linear_time(make: Callable[[int], bytes]) -> None:
    small = min(seconds(make(4_000)) for _ in range(3))
    large = min(seconds(make(32_000)) for _ in range(3))

    assert large < 8 * 5 * small + 0.05

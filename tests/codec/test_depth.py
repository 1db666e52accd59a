"""100,000 levels are an ordinary value: on every road, from any thread, at the recursion limit there is."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, Final

import pytest

from clonecodec import (
    Array,
    ByIdentity,
    DataCloneError,
    DecodeError,
    JSError,
    Map,
    SparseArray,
    dumps,
    loads,
    structured_clone,
)
from tests.codec.roads import ROADS, message
from tests.same import difference

LEVELS: Final = 100_000
SMALL_STACK: Final = 512 * 1024
DROPS_TAKE_STACK: Final = sys.version_info[:2] == (3, 13)
"""Python 3.13 itself needs 2 MiB of stack to drop deep dicts, however they were made; others need little."""


class Node:
    """Of a linked list."""

    def __init__(self, following: object) -> None:
        self.value = 1
        self.next = following


def _errors(inner: object) -> object:
    error = JSError("outer")
    error.cause = inner
    return error


def _exceptions(inner: object) -> object:
    error = ValueError("outer")
    error.__cause__ = inner if isinstance(inner, BaseException) else None
    return error


STEPS: Final[dict[str, Callable[[object], object]]] = {
    "lists": lambda inner: [inner],
    "tuples": lambda inner: (inner,),
    "dicts": lambda inner: {"next": inner},
    "dicts of indices": lambda inner: {"7": inner},
    "Maps": lambda inner: Map({"next": inner}),
    "Maps by key": lambda inner: Map({ByIdentity(inner): 1}),
    "sets": lambda inner: {ByIdentity(inner)},
    "frozensets": lambda inner: frozenset({ByIdentity(inner)}),
    "sets in tuples": lambda inner: ({ByIdentity(inner)},),
    "Arrays": lambda inner: Array([inner], {"name": 1}),
    "sparse arrays": lambda inner: SparseArray(1000, {500: inner}),
    "causes of errors": _errors,
    "linked list": Node,
    "causes of exceptions": _exceptions,
}


def nested(step: Callable[[object], object], levels: int, value: object = 1) -> Any:
    for _ in range(levels):
        value = step(value)
    return value


def _levels(step: Callable[[object], object]) -> int:
    # What takes two containers a level takes half as many levels.
    return LEVELS // 2 if step is STEPS["sets in tuples"] else LEVELS


def _in_a_small_thread(action: Callable[[], None]) -> None:
    """Run *action* in a thread with little stack; what it raises is raised here."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            action()
        except BaseException as error:
            raised.append(error)

    before = threading.stack_size(SMALL_STACK)
    try:
        thread = threading.Thread(target=run)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    if raised:
        raise raised[0]


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("name", ["lists", "tuples"])
def test_a_hundred_thousand_levels_come_back_on_every_road(name: str, road: str) -> None:
    value, limit = nested(STEPS[name], LEVELS), sys.getrecursionlimit()

    assert difference(ROADS[road](value), value) is None
    assert sys.getrecursionlimit() == limit


@pytest.mark.parametrize("name", [name for name in STEPS if name != "causes of exceptions"])
def test_a_thread_with_a_small_stack_does_it_too_and_drops_what_it_made(name: str) -> None:
    step = STEPS[name]

    kept: list[object] = []

    def there_and_back() -> None:
        value = nested(step, _levels(step))
        data = dumps(value)
        copy = structured_clone(value)
        again = loads(data)
        assert dumps(copy) == data
        if DROPS_TAKE_STACK:
            kept.extend((value, copy, again))
            return
        del value, copy, again
        with pytest.raises(DecodeError):
            loads(data[: len(data) // 2])  # what had been begun is dropped

    _in_a_small_thread(there_and_back)


@pytest.mark.parametrize("name", ["lists", "sets"])
@pytest.mark.parametrize("road", ROADS)
def test_one_level_past_the_maximum_is_an_error(name: str, road: str) -> None:
    value = nested(STEPS[name], LEVELS + 1)

    with pytest.raises(DataCloneError, match="nested more than 100000 deep"):
        ROADS[road](value)


@pytest.mark.parametrize("depth", [0, 1, 5, 100])
@pytest.mark.parametrize("name", ["lists", "dicts", "dicts of indices", "Maps", "sets", "Arrays", "tuples"])
def test_max_depth_is_what_may_be_nested_and_one_more_is_refused(name: str, depth: int) -> None:
    fits, too_deep = nested(STEPS[name], depth), nested(STEPS[name], depth + 1)

    assert difference(loads(dumps(fits, max_depth=depth), max_depth=depth), fits) is None
    assert difference(structured_clone(fits, max_depth=depth), fits) is None
    for function in (dumps, structured_clone):
        with pytest.raises(DataCloneError, match=f"nested more than {depth} deep"):
            function(too_deep, max_depth=depth)
    with pytest.raises(DecodeError, match=f"nested more than {depth} deep") as caught:
        loads(dumps(too_deep), max_depth=depth)
    assert caught.value.offset > 0


def test_the_path_to_what_is_too_deep_is_told() -> None:
    with pytest.raises(DataCloneError) as caught:
        dumps([{"a": [[]]}], max_depth=3)

    assert caught.value.path == "$[0].a[0]"


def test_an_error_a_hundred_thousand_levels_down_has_its_path() -> None:
    value = nested(STEPS["dicts"], LEVELS - 1, {"bad": print})

    for function in (dumps, structured_clone):
        with pytest.raises(DataCloneError) as caught:
            function(value)
        assert caught.value.path == "$" + ".next" * (LEVELS - 1) + ".bad"


def test_a_chain_of_python_exceptions_is_written_whole() -> None:
    result = loads(dumps(nested(STEPS["causes of exceptions"], 2000, ValueError("innermost"))))

    depth = 0
    while result.has_cause:
        result, depth = result.cause, depth + 1
    assert (depth, result.message) == (2000, "innermost")


def test_references_from_the_deepest_level_to_all_others_are_kept() -> None:
    chain: list[object] = []
    parts = [chain]
    for _ in range(20_000):
        chain = [chain]
        parts.append(chain)
    parts[0].extend(parts)

    for road in (message, structured_clone):
        result = road(chain)
        assert difference(result, chain) is None
        result.clear()


def test_a_program_that_drops_deep_values_at_its_end_ends_well() -> None:
    program = (
        "from clonecodec import *\n"
        "data = b'\\xff\\x0f' + b'A\\x01' * 100_000 + b'0' + b'$\\0\\x01' * 100_000\n"
        "value = loads(data); copy = structured_clone(value); other = loads(data.replace(b'A', b'\\0A'))\n"
        "print(len(dumps(copy)) == len(data), type(other).__name__)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "True tuple\n", "")

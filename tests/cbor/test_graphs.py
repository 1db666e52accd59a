"""Cycles through every container, tuples that contain themselves, and depth."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import pytest

from clonecodec import (
    Array,
    ByIdentity,
    CloneError,
    DataCloneError,
    DecodeError,
    JSError,
    JSTypeError,
    Map,
    SparseArray,
    cbor,
    hole,
)
from tests.same import difference


def _through(make: Callable[[list[object]], object]) -> object:
    """A value that contains itself through a list."""
    knot: list[object] = []
    value = make(knot)
    knot.append(value)
    return value


def _error(cause: object) -> JSError:
    return JSTypeError("m", stack="s", cause=cause)


CYCLES: dict[str, object] = {
    "list": _through(lambda knot: knot),
    "dict": _through(lambda knot: {"a": knot}),
    "Map value": _through(lambda knot: Map({1: knot})),
    "Map key": _through(lambda knot: Map({ByIdentity(knot): 1})),
    "set": _through(lambda knot: {ByIdentity(knot)}),
    "frozenset": _through(lambda knot: frozenset([ByIdentity(knot)])),
    "tuple": _through(lambda knot: (knot,)),
    "tuple of tuples": _through(lambda knot: ((knot,), (1, (knot, 2)))),
    "error": _through(_error),
    "Array": _through(lambda knot: Array([knot], {"p": knot})),
    "holes": _through(lambda knot: Array([hole, knot])),
    "SparseArray": _through(lambda knot: SparseArray(1000, {500: knot}, {"p": knot})),
}


def _own_cause() -> JSError:
    error = JSError("m")
    error.cause = error
    return error


def _shared_tuple() -> list[object]:
    """A tuple that is complete, waits for one that is not, and is referred to meanwhile."""
    inner: list[object] = []
    outer: tuple[object, ...] = (inner, 2)
    waiting = (outer,)
    inner += [waiting, waiting, {"k": waiting}, Map({1: waiting}), _error(waiting), {ByIdentity(waiting)}]
    return [outer, waiting]


def _direct_set() -> set[object]:
    members: set[object] = set()
    members.add(ByIdentity(members))
    return members


CYCLES["own cause"] = _own_cause()
CYCLES["shared tuple"] = _shared_tuple()
CYCLES["set in itself"] = _direct_set()


@pytest.mark.parametrize("name", CYCLES)
def test_a_cycle_comes_back_as_a_cycle(name: str) -> None:
    value = CYCLES[name]

    assert difference(cbor.loads(cbor.dumps(value)), value) is None


def test_a_tuple_that_python_cannot_build_is_a_list() -> None:
    """t = (t,): magic, FLAVOUR SHAREABLE [SHARED 0]."""
    value = cbor.loads(bytes.fromhex("d9d9f7 d9d9f7 d81c 81 d81d00"))

    assert type(value) is list
    assert value[0] is value


def test_of_two_tuples_in_each_other_the_outer_one_is_a_list() -> None:
    value = cbor.loads(bytes.fromhex("d9d9f7 d9d9f7 d81c 82 01 d9d9f7 82 d81d00 02"))

    assert type(value) is list
    assert type(value[1]) is tuple
    assert value[1][0] is value


def test_a_frozenset_that_contains_itself_is_a_set() -> None:
    value = cbor.loads(bytes.fromhex("d9d9f7 d9d9f7 d81c d90102 81 d81d00"))

    assert type(value) is set
    (member,) = value
    assert member.value is value


def test_a_cyclic_map_with_other_keys_than_text_is_read() -> None:
    """What cbor2 makes of d = {"me": d, 1: 2}: a map without tag 259."""
    value = cbor.loads(bytes.fromhex("d81c a2 626d65 d81d00 01 02"))

    assert isinstance(value, dict)
    assert value["me"] is value
    assert value[1] == 2


DEEP = 100_000


def _nested(wrap: Callable[[object], object], levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = wrap(value)
    return value


WRAPPERS: dict[str, Callable[[object], object]] = {
    "list": lambda inner: [inner],
    "dict": lambda inner: {"a": inner},
    "tuple": lambda inner: (inner,),
    "Map": lambda inner: Map({1: inner}),
    "Map key": lambda inner: Map({ByIdentity(inner): 1}),
    "set": lambda inner: {ByIdentity(inner)},
    "frozenset": lambda inner: frozenset([inner]),
    "error": lambda inner: JSError("m", cause=inner),
    "Array": lambda inner: Array([inner], {"p": 1}),
    "SparseArray": lambda inner: SparseArray(9, {3: inner}),
}


@pytest.mark.parametrize("name", ["list", "dict", "tuple"])
def test_a_hundred_thousand_levels_are_an_ordinary_value(name: str) -> None:
    value = _nested(WRAPPERS[name], DEEP)
    data = cbor.dumps(value)

    assert cbor.dumps(cbor.loads(data)) == data

    with pytest.raises(DataCloneError, match="nested more than 100000 deep"):
        cbor.dumps(WRAPPERS[name](value))


@pytest.mark.parametrize("name", WRAPPERS)
def test_no_container_recurses(name: str) -> None:
    data = cbor.dumps(_nested(WRAPPERS[name], 5_000))

    assert cbor.dumps(cbor.loads(data)) == data


@pytest.mark.parametrize("name", WRAPPERS)
def test_the_limit_is_the_same_in_both_directions(name: str) -> None:
    three = cbor.dumps(_nested(WRAPPERS[name], 3), max_depth=3)

    cbor.loads(three, max_depth=3)
    with pytest.raises(DecodeError, match="nested more than 2 deep"):
        cbor.loads(three, max_depth=2)
    with pytest.raises(DataCloneError, match="nested more than 2 deep"):
        cbor.dumps(_nested(WRAPPERS[name], 3), max_depth=2)


def test_an_error_with_a_stack_counts_for_one_level() -> None:
    value = [JSError("m", stack="s")]

    assert cbor.loads(cbor.dumps(value, max_depth=2), max_depth=2)
    with pytest.raises(DataCloneError):
        cbor.dumps(value, max_depth=1)


def test_deep_values_need_no_more_stack_in_a_thread() -> None:
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(len(cbor.dumps(cbor.loads(cbor.dumps(_nested(lambda inner: [(inner,)], 10_000))))))
        except CloneError as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    assert outcome == [10_000 * 5 + 1]
    assert sys.getrecursionlimit() <= 1000

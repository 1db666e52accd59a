"""The comparison that other tests rest on tells apart what JavaScript or Python keep apart."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from clonecodec import (
    Array,
    ArrayBuffer,
    BigInt,
    Boxed,
    ByIdentity,
    JSError,
    JSTypeError,
    Map,
    SparseArray,
    hole,
)
from tests.same import difference, same


def cyclic(levels: int) -> list[object]:
    """A list that contains itself, *levels* lists down."""
    outermost: list[object] = []
    inner = outermost
    for _ in range(levels):
        deeper: list[object] = []
        inner.append(deeper)
        inner = deeper
    inner.append(outermost)
    return outermost


def one_list_twice() -> list[object]:
    empty: list[object] = []
    return [empty, empty]


def one_buffer(views: int) -> list[object]:
    """Two views, of one buffer or of two."""
    buffers = [ArrayBuffer(4) for _ in range(views)]
    return [buffers[0].view(), buffers[-1].view()]


DIFFERENT: list[tuple[object, object]] = [
    (1, True),
    (1, 1.0),
    (1, BigInt(1)),
    (0.0, -0.0),
    (None, hole),
    ("1", 1),
    (b"a", bytearray(b"a")),
    ([], ()),
    ([1], [1, 1]),
    ([1], Array([1])),
    (Array([1]), Array([1], {"a": 1})),
    (Array([1], {"a": 1}), Array([1], {"b": 1})),
    (SparseArray(5, {1: 1}), SparseArray(6, {1: 1})),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({"a": 1}, Map({"a": 1})),
    (Map({1: 2}), Map({True: 2})),
    ({1}, {True}),
    ({1}, frozenset({1})),
    ({1, 2}, {1, 3}),
    ({ByIdentity([1])}, {ByIdentity([2])}),
    (one_list_twice(), [[], []]),
    ([[], []], one_list_twice()),
    (cyclic(1), cyclic(2)),
    (one_buffer(1), one_buffer(2)),
    (Boxed(1), Boxed(BigInt(1))),
    (JSError("m"), JSTypeError("m")),
    (JSError("m"), JSError("m", stack="S")),
    (JSError("m"), JSError("m", cause=1)),
    (memoryview(array("b", [1])), memoryview(array("B", [1]))),
    (memoryview(b"a"), memoryview(bytearray(b"a"))),
    (ArrayBuffer(2), ArrayBuffer(2, max_byte_length=2)),
    (datetime(2000, 1, 1, tzinfo=UTC), datetime(2000, 1, 1, 1, tzinfo=UTC)),
]

ALIKE: list[Callable[[], object]] = [
    lambda: math.nan,
    lambda: [1, "a", None, hole, -0.0, [math.nan]],
    lambda: {ByIdentity([1]), ByIdentity([1]), ByIdentity([2])},
    lambda: Map({ByIdentity({}): 1}),
    lambda: cyclic(3),
    one_list_twice,
    lambda: one_buffer(1),
    lambda: one_buffer(2),
]


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_what_a_language_tells_apart_is_different(left: object, right: object) -> None:
    assert difference(left, right) is not None


@pytest.mark.parametrize("make", ALIKE)
def test_what_was_made_alike_is_the_same(make: Callable[[], object]) -> None:
    assert difference(make(), make()) is None


def test_deep_values_are_compared_without_recursion() -> None:
    left: list[object] = []
    right: list[object] = []
    for _ in range(100_000):
        left, right = [left], [right]

    assert same(left, right)


def test_the_place_of_a_difference_is_told() -> None:
    assert difference({"a": [1, 2]}, {"a": [1, 3]}) == "$['a'][1]: 2, not 3"

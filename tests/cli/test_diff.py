"""Where two values differ: by path, with types, order and identity."""

from __future__ import annotations

import pytest

from clonecodec import Array, BigInt, JSError, Map, SparseArray, hole, undefined
from clonecodec.cli.diff import differences


def told(left: object, right: object) -> list[str]:
    return [str(difference) for difference in differences(left, right)]


DIFFERENT: list[tuple[object, object, list[str]]] = [
    (1, 2, ["$: 1 -> 2"]),
    (1, 1.0, ["$: 1 -> 1.0"]),
    (0.0, -0.0, ["$: 0.0 -> -0.0"]),
    (1, True, ["$: 1 -> True"]),
    (1, BigInt(1), ["$: 1 -> BigInt(1)"]),
    (None, undefined, ["$: None -> undefined"]),
    (b"a", bytearray(b"a"), ["$: b'a' -> bytearray(b'a')"]),
    ([1], (1,), ["$: array (1) -> tuple (1)"]),
    ({"a": 1}, Map({"a": 1}), ["$: object (1) -> Map (1)"]),
    ({"a": 1}, {"a": 1, "b c": 2}, ['$["b c"]: only in the second: 2']),
    ({"a": {"b": [1, 2]}}, {"a": {"b": [1]}}, ["$.a.b[1]: only in the first: 2"]),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}, ["$: the order of keys differs"]),
    (Map({1: "x"}), Map({1: "y"}), ["$.value(0): 'x' -> 'y'"]),
    (Array([1, hole]), Array([1, 2]), ["$[1]: hole -> 2"]),
    (SparseArray(5, {1: 1}), SparseArray(6, {1: 1}), ["$.length: 5 -> 6"]),
    (JSError("a"), JSError("b"), ["$.message: 'a' -> 'b'"]),
    (JSError("a", cause={"x": 1}), JSError("a", cause={"x": 2}), ["$.cause.x: 1 -> 2"]),
]


@pytest.mark.parametrize(("left", "right", "expected"), DIFFERENT)
def test_a_difference_has_a_path_and_both_values(left: object, right: object, expected: list[str]) -> None:
    assert told(left, right) == expected


def test_members_of_sets_are_matched_by_what_they_are() -> None:
    assert sorted(told({1, 2}, {1, 3})) == ["${1}: only in the first: 2", "${1}: only in the second: 3"]


@pytest.mark.parametrize(
    "value", [1, float("nan"), "x", [1, [2]], {"a": {1}}, Map({"k": None}), JSError("m")]
)
def test_a_value_does_not_differ_from_itself(value: object) -> None:
    assert told(value, value) == []


def test_what_is_one_object_differs_from_what_are_two() -> None:
    one: list[object] = []

    assert told([one, one], [[], []]) == ["$[1]: the same object as $[0] only in the first"]
    assert told([[], []], [one, one]) == ["$[1]: the same object as $[0] only in the second"]


def test_cycles_of_the_same_shape_are_the_same() -> None:
    def ring(last: object) -> list[object]:
        value: list[object] = [last]
        value.append({"back": value})
        return value

    assert told(ring(1), ring(1)) == []
    assert told(ring(1), ring(2)) == ["$[0]: 1 -> 2"]


def test_long_texts_are_shown_from_shortly_before_they_differ() -> None:
    left, right = "x" * 1000 + "left", "x" * 1000 + "right"

    assert told(left, right) == [
        "$: 'xxxxxxxxxxleft' from 990 of 1,004 -> 'xxxxxxxxxxright' from 990 of 1,005"
    ]

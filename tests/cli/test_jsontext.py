"""Values as JSON: what the json module reads back, and every loss told with its path."""

from __future__ import annotations

import datetime
import json
from array import array

import pytest

from clonecodec import (
    Array,
    ArrayBuffer,
    BigInt,
    Boxed,
    ByIdentity,
    Date,
    Float16Array,
    JSTypeError,
    Map,
    RegExp,
    SparseArray,
    hole,
    undefined,
)
from clonecodec.cli import jsontext
from clonecodec.cli.files import BrokenFileError
from clonecodec.cli.jsontext import Losses, chunks


def written(value: object) -> tuple[object, list[str]]:
    """What JSON makes of *value*, and what it loses."""
    losses = Losses()
    text = "".join(chunks(value, losses))
    assert json.loads("".join(chunks(value, Losses(), indent=True))) == json.loads(text)
    return json.loads(text), list(losses.sentences())


@pytest.mark.parametrize(
    "value", [None, True, 0, -1.5, "é\ud800\n", [], {}, [{"a": [1, {"b": None}]}], 2**53 - 1]
)
def test_what_json_has_is_kept_without_a_word(value: object) -> None:
    assert written(value) == (value, [])


LOSSY: list[tuple[object, object, list[str]]] = [
    ({"a": undefined, "b": 1}, {"b": 1}, ["undefined is left out, at $.a"]),
    ([undefined], [None], ["undefined becomes null, at $[0]"]),
    (Array([hole, 1]), [None, 1], ["hole becomes null, at $[0]"]),
    (Array([1], {"x": 1}), [1], ["properties of an array are left out, at $"]),
    (SparseArray(9, {4: "a"}, {"x y": 1}), {"4": "a", "x y": 1}, ["a sparse array becomes an object, at $"]),
    ([float("nan"), float("inf")], [None, None], ["nan and infinity become null, at $[0] (and 1 more)"]),
    (2**64, "18446744073709551616", ["a bigint becomes a string, at $"]),
    (BigInt(1), "1", ["a bigint becomes a string, at $"]),
    (b"\0\xff", "AP8=", ["bytes written as base64, at $"]),
    (ArrayBuffer(b"abc"), "YWJj", ["ArrayBuffer written as base64, at $"]),
    (memoryview(array("d", [1.5])), [1.5], ["Float64Array written as an array of numbers, at $"]),
    (Float16Array([0.5]), [0.5], ["Float16Array written as an array of numbers, at $"]),
    ((1,), [1], ["a tuple becomes an array, at $"]),
    ({1}, [1], ["a set becomes an array, at $"]),
    (Map({"a": 1}), {"a": 1}, ["a Map becomes an object, at $"]),
    (Map({1: [2]}), [[1, [2]]], ["a Map becomes an array of pairs, at $"]),
    (Map({ByIdentity([1]): 2}), [[[1], 2]], ["a Map becomes an array of pairs, at $"]),
    (
        datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC),
        "2020-01-02T00:00:00.000Z",
        ["a Date becomes a string, at $"],
    ),
    (Date(float("nan")), None, ["a Date that no calendar has becomes null, at $"]),
    (RegExp("a/", "g"), r"/a\//g", ["a RegExp becomes a string, at $"]),
    (Boxed(5), 5, ["a boxed primitive becomes the primitive, at $"]),
    (JSTypeError("m"), {"name": "TypeError", "message": "m"}, ["an error becomes an object, at $"]),
    ({"a": {"b": (1,)}}, {"a": {"b": [1]}}, ["a tuple becomes an array, at $.a.b"]),
]


@pytest.mark.parametrize(("value", "expected", "losses"), LOSSY)
def test_what_json_does_not_have_is_written_as_something_near_and_told(
    value: object, expected: object, losses: list[str]
) -> None:
    assert written(value) == (expected, losses)


def test_what_occurs_twice_is_written_twice_and_told() -> None:
    inner = [1]

    assert written({"a": inner, "b": inner}) == (
        {"a": [1], "b": [1]},
        ["an object that occurs more than once is written again, at $.b"],
    )


def test_a_cycle_is_refused_with_the_path_where_it_closes() -> None:
    value: dict[str, object] = {}
    value["list"] = [value]

    with pytest.raises(BrokenFileError, match=r"\$\.list\[0\]"):
        written(value)


def test_what_is_shared_in_the_inside_of_what_is_shared_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsontext, "_MAX_REPEATED", 10_000)
    value: list[object] = []
    for _ in range(50):
        value = [value, value]

    with pytest.raises(BrokenFileError, match="has no end"):
        for _ in chunks(value, Losses()):
            pass

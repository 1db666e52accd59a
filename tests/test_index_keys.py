"""Objects whose keys are array indices, among the items of an array: they leave the reader's short way."""

from __future__ import annotations

import pytest

from clonecodec import ArrayBuffer, DefaultDeserializer, dumps, loads


@pytest.mark.parametrize(
    "value",
    [
        [{"1": 1}, {"1": 2}],
        [{"1": 1.5, "a": (1,)}, 3],
        [{"0": None, "7": "x", "a": True}, [{"0": {"0": 1}}, 2], 3],
        ({"1": [1, {"2": 2}, 3]}, {"1": ()}, None),
    ],
    ids=str,
)
def test_an_object_with_indices_ends_before_the_next_item_of_the_array_around_it(value: object) -> None:
    data = dumps(value)

    assert loads(data) == value
    assert DefaultDeserializer(memoryview(data)[2:].tobytes() + bytes(10)).read_value() == value


def test_views_are_values_of_such_objects_too() -> None:
    again = loads(dumps([{"1": ArrayBuffer(b"ab")}, 5]))

    assert isinstance(again, list)
    assert bytes(again[0]["1"]) == b"ab"
    assert again[1] == 5

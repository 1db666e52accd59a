"""Names of properties: what JavaScript calls a number, which names are indices, what arrays may have."""

from __future__ import annotations

import random
import struct
import time
from typing import Any

import pytest

from clonecodec import (
    Array,
    ArrayBuffer,
    Boxed,
    ByIdentity,
    DataCloneError,
    DecodeError,
    Map,
    Serializer,
    SparseArray,
    dumps,
    hole,
    loads,
    structured_clone,
)
from tests.codec.roads import ROADS
from tests.node import Node

NUMBERS: list[float] = [
    *(0.0, -0.0, 1.0, -1.0, 1.5, -0.5, 123.456, 1e5, 1e20, 1e21, -1e21, 1.5e21, 123456789012345680000.0),
    *(
        1e-5,
        1e-6,
        1e-7,
        1.5e-7,
        -1e-7,
        0.00012,
        5e-324,
        1.7976931348623157e308,
        2.0**31,
        2.0**32 - 2,
        2.0**32 - 1,
    ),
    *(2.0**53, 2.0**53 + 2, 0.1, 1 / 3, 100.0, 1e2, 4294967296.0, float("inf"), float("-inf"), float("nan")),
]


def named(number: float) -> bytes:
    return b"\xff\x0foN" + struct.pack("<d", number) + b"0{\x01"


def test_a_number_as_a_key_has_the_name_that_javascript_gives_it(node: Node) -> None:
    source = random.Random(5)
    numbers = NUMBERS + [
        struct.unpack("<d", struct.pack("<Q", source.getrandbits(64)))[0] for _ in range(500)
    ]
    numbers += [source.uniform(-1, 1) * 10.0 ** source.randrange(-9, 24) for _ in range(500)]
    ours = [next(iter(loads(named(number)))) for number in numbers]

    answers = node._batch([{"op": "reserialize", "hex": named(number).hex()} for number in numbers])
    theirs = [next(iter(loads(bytes.fromhex(str(answer["value"]))))) for answer in answers]
    assert ours == theirs


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("49 0e", "7"),
        ("49 0d", "-7"),
        ("55 ff ff ff ff 0f", "4294967295"),
        ("3f 00 49 0e", "7"),
        ("00 49 0e", "7"),
    ],
)
def test_ints_and_padded_and_counted_keys_are_names_too(code: str, name: str) -> None:
    assert loads(bytes.fromhex(f"ff0f 6f {code} 30 7b 01")) == {name: None}


def test_an_object_count_may_stand_before_a_string_that_is_part_of_something() -> None:
    assert loads(bytes.fromhex("ff0f 73 3f 00 22 01 61")) == Boxed("a")


def test_names_are_written_as_v8_writes_them() -> None:
    value = dict.fromkeys(
        ["b", "1", "4294967294", "4294967295", "01", "-1", "2147483648", "2147483647", ""], None
    )

    indices = b"I\x020I\xfe\xff\xff\xff\x0f0"
    large = b"N" + struct.pack("<d", 2.0**31) + b"0N" + struct.pack("<d", 2.0**32 - 2) + b"0"
    names = b'"\x01b0"\x0a42949672950"\x02010"\x02-10"\x000'
    assert dumps(value)[2:] == b"o" + indices + large + names + b"{\x09"


def test_more_names_than_are_remembered_are_written_and_read_all_the_same() -> None:
    for start in range(0, 20_000, 5000):
        value = {f"name {number}": number for number in range(start, start + 5000)}
        assert loads(dumps(value)) == value
        assert structured_clone(value) == value


@pytest.mark.parametrize("properties", [{"length": 1}, {"0": 1}, {"4294967294": 1}, {1: 1}])
def test_an_array_has_no_properties_that_are_items(properties: dict[Any, object]) -> None:
    for make in (lambda: Array([1], properties), lambda: SparseArray(100, {}, properties)):
        for road in ROADS.values():
            with pytest.raises(DataCloneError, match="array"):
                road(make())


def test_an_index_outside_a_sparse_array_is_refused_when_it_was_put_there_later() -> None:
    for index in (100, -1, "1", 1.5):
        sparse = SparseArray(100)
        sparse.items[index] = 1  # type: ignore[index]  # that is the point
        for road in ROADS.values():
            with pytest.raises(DataCloneError, match="index"):
                road(sparse)


def test_the_same_name_in_two_encodings_is_the_same_property() -> None:
    for twice in ("22 01 e9 30 63 02 e9 00 30", "53 02 c3 a9 30 22 01 e9 30"):
        with pytest.raises(DecodeError, match="occurs twice"):
            loads(bytes.fromhex(f"ff0f 6f {twice} 7b 02"))


def test_proto_is_a_name_like_any_other() -> None:
    assert loads(dumps({"__proto__": 1, "constructor": 2})) == {"__proto__": 1, "constructor": 2}


# Lists with holes


@pytest.mark.parametrize(
    "value",
    [
        [1, hole, 3],
        [[1, 2, hole], hole, [[hole]]],
        [{"a": [hole]}, (1, [2, hole]), hole],
        Array([hole, [hole]], {"a": [hole, 1]}),
    ],
    ids=repr,
)
def test_a_list_with_holes_is_written_as_v8_writes_it_with_all_that_is_in_it(value: Any) -> None:
    for road in ROADS.values():
        assert road(value) == road(road(value))
        assert len(road(value)) == len(value)


def test_what_a_list_held_before_its_hole_keeps_its_identity() -> None:
    shared: list[object] = [1]
    value = [shared, {"s": shared}, hole, shared]
    for road in ROADS.values():
        result = road([value, value, shared])
        assert result[0] is result[1]
        assert result[0][0] is result[0][1]["s"] is result[0][3] is result[2]


def test_many_lists_that_are_mostly_holes_are_sparse_on_every_road() -> None:
    for value in ([hole] * 100, Array([hole] * 100), [hole] * 99 + [1]):
        for road in ROADS.values():
            result = road(value)
            assert type(result) is SparseArray
            assert len(result) == 100


def test_lists_with_holes_within_each_other_are_written_once() -> None:
    class Counting(Serializer):
        def write_host_object(self, value: object) -> None:
            seen.append(value)

    seen: list[object] = []
    functions = [lambda number=number: number for number in range(50)]
    value: list[object] = [hole]
    for function in functions:
        value = [value, function, hole]
    Counting().write_value(value)

    assert seen == functions


def test_lists_with_holes_within_each_other_take_linear_time() -> None:
    def seconds(levels: int) -> float:
        value: list[object] = [hole]
        for _ in range(levels):
            value = [value, 1, hole]
        start = time.perf_counter()
        dumps(value)
        return time.perf_counter() - start

    assert min(seconds(16_000) for _ in range(3)) < 8 * 5 * min(seconds(2_000) for _ in range(3))


def test_a_by_identity_stands_for_its_value_wherever_it_is() -> None:
    for road in ROADS.values():
        assert road([ByIdentity(1), {"a": ByIdentity([2])}]) == [1, {"a": [2]}]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (ByIdentity(ByIdentity(1)), "$"),
        ([1, ByIdentity(ByIdentity([]))], "$[1]"),
        (Map({1: 2, ByIdentity(ByIdentity(1)): 3}), "$.key(1)"),
        ({ByIdentity(ByIdentity(1))}, "${0}"),
        ([ByIdentity(hole)], "$[0]"),
        ([hole, ByIdentity(hole)], "$[1]"),
        (Array([ByIdentity(hole)]), "$[0]"),
        (Map({ByIdentity(hole): 1}), "$.key(0)"),
        (ByIdentity(hole), "$"),
    ],
    ids=repr,
)
def test_a_by_identity_of_nothing_is_refused_at_its_place(value: Any, path: str) -> None:
    for road in ROADS.values():
        with pytest.raises(DataCloneError, match=r"stands for nothing|a hole is no value") as caught:
            road(value)
        assert caught.value.path == path


def test_full_arrays_in_the_sparse_form_are_lists() -> None:
    assert type(loads(bytes.fromhex("ff0f 61 01 49 00 30 40 01 01"))) is list
    assert type(loads(bytes.fromhex("ff0f 41 01 2d 49 00 30 24 01 01"))) is list
    grown = loads(bytes.fromhex("ff0f 41 01 30 49 04 30 24 01 01"))
    assert grown == Array([None, hole, None])


def test_a_detached_buffer_is_refused_on_every_road() -> None:
    buffer = ArrayBuffer(1)
    structured_clone(buffer, transfer=[buffer])
    for road in ROADS.values():
        with pytest.raises(DataCloneError, match="detached"):
            road([buffer])

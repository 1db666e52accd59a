"""Decisions 1 to 6 about the codec, which a quick version would lack, each by its number."""

from __future__ import annotations

import math
import struct
from array import array
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import pytest

from clonecodec import (
    Array,
    BigInt,
    Boxed,
    ByIdentity,
    DataCloneError,
    DecodeError,
    Deserializer,
    JSError,
    Map,
    dumps,
    hole,
    loads,
    structured_clone,
)
from tests.codec.roads import ROADS, WireSerializer, hexes, message, native, read_native, wire
from tests.same import difference

HEADER: Final = "ff 0f "


# 1. Numbers


@pytest.mark.parametrize("number", [0, 1, -1, 300, -300, 2**31 - 1, -(2**31)])
def test_1_an_int_of_32_bits_is_always_an_int32(number: int) -> None:
    assert dumps(number)[2:3] == b"I"
    assert dumps([number, 1.5])[4:5] == b"I", "also beside a float"


@pytest.mark.parametrize("number", [0.0, -0.0, 1.0, 2.0**31, float("inf"), float("nan"), 1e300])
def test_1_a_float_is_always_a_double(number: float) -> None:
    assert dumps(number)[2:3] == b"N"
    assert type(loads(dumps(number))) is float


def test_1_a_nan_is_written_as_the_one_that_v8_writes() -> None:
    assert hexes(dumps(-float("nan"))) == HEADER + "4e 00 00 00 00 00 00 f8 7f"


# 2. Hints


def test_2_every_serializer_hints_int_tuple_and_frozenset() -> None:
    for write in (dumps, native):
        assert hexes(write(2**31)) == HEADER + "00 4e 00 00 00 00 00 00 e0 41"
        assert hexes(write((1,))) == HEADER + "00 41 01 49 02 24 00 01"
        assert hexes(write(frozenset({1}))) == HEADER + "00 27 49 02 2c 01"


def test_2_only_a_default_serializer_hints_a_bytearray() -> None:
    assert hexes(dumps(bytearray(b"a"))) == HEADER + "00 5c 0a 01 61"
    assert hexes(native(bytearray(b"a"))) == HEADER + "42 01 61 56 42 00 01 00"
    assert hexes(dumps(b"a")) == HEADER + "5c 0a 01 61"


def test_2_only_clones_and_ports_mark_read_only_bytes() -> None:
    writer = WireSerializer()
    writer.write_value(b"a")

    assert hexes(writer.release_buffer()) == "00 42 01 61 56 42 00 01 00"
    assert hexes(native(b"a")) == HEADER + "42 01 61 56 42 00 01 00"
    for road in (wire, structured_clone):
        view = road(b"a")
        assert (type(view), view.readonly, view.format, bytes(view)) == (memoryview, True, "B", b"a")
    assert not structured_clone(bytearray(b"a")).readonly


def test_2_below_version_14_a_hint_behind_a_view_is_two_bytes() -> None:
    value = [array("B", b"a"), (1,), 2**40, frozenset({2})]

    assert hexes(native(value[:2], version=13)) == (
        "ff 0d 41 02 42 01 61 56 42 00 01 00 00 41 01 49 02 24 00 01 24 00 02"
    )
    for version in (13, 14, 15, 16):
        assert read_native(native(value, version=version))[1:] == [(1,), 2**40, frozenset({2})]


def test_2_below_version_14_one_zero_behind_a_view_is_a_stray_flags_byte_and_no_hint() -> None:
    message = "41 02 42 01 61 56 42 00 01 00 41 01 49 02 24 00 01 24 00 02"

    assert read_native(bytes.fromhex("ff0d" + message))[1] == [1]
    assert type(read_native(bytes.fromhex("ff0d" + message))[1]) is list


def test_2_without_hints_javascripts_types_come_back() -> None:
    value = [2**40, (1,), frozenset({1}), bytearray(b"a")]

    assert difference(loads(dumps(value, hints=False)), [float(2**40), [1], {1}, b"a"]) is None


def test_2_a_hint_before_a_double_that_is_no_safe_integer_is_ignored() -> None:
    assert type(loads(bytes.fromhex("ff0f 00 4e 000000000000f83f"))) is float
    assert type(loads(bytes.fromhex("ff0f 00 4e 0000000000004043"))) is float  # 2**53


def test_2_any_number_of_padding_bytes_is_a_hint() -> None:
    for count in (1, 2, 3, 1000):
        assert loads(b"\xff\x0f" + bytes(count) + dumps((1,), hints=False)[2:]) == (1,)


# 3. Objects under construction


def test_3_a_tuple_that_holds_itself_directly_is_read_as_a_list() -> None:
    value = loads(bytes.fromhex("ff0f 00 41 01 5e 00 24 00 01"))

    assert type(value) is list
    assert value[0] is value


def test_3_a_frozenset_that_holds_itself_directly_is_read_as_a_set() -> None:
    value = loads(bytes.fromhex("ff0f 00 27 5e 00 2c 01"))

    [member] = value
    assert type(value) is set
    assert member.value is value


def test_3_a_tuple_that_waits_for_one_around_it_is_complete_in_the_end() -> None:
    around: list[Any] = []
    outer = (around,)
    around.append((outer, "inner"))

    for road in (message, structured_clone, wire):
        result = road(outer)
        assert type(result) is tuple
        assert result[0][0] == (result, "inner")
        assert result[0][0][0] is result


@pytest.mark.parametrize(
    "between",
    [
        lambda: [None],
        lambda: {"a": None},
        lambda: Map({"a": None}),
        lambda: JSError("x"),
    ],
    ids=["list", "dict", "Map", "error"],
)
def test_3_a_tuple_in_a_cycle_stays_a_tuple_if_something_between_can_be_patched(
    between: Callable[[], Any],
) -> None:
    middle = between()
    value = (middle,)
    if isinstance(middle, JSError):
        middle.cause = value
    else:
        middle[0 if isinstance(middle, list) else "a"] = value

    for road in ROADS.values():
        assert difference(road(value), value) is None


def test_3_a_key_under_construction_becomes_a_by_identity_and_is_patched_there() -> None:
    table = Map()
    value = (table,)
    table[ByIdentity(value)] = "key"

    for road in (message, structured_clone, wire):
        result = road(value)
        [key] = result[0]
        assert type(key) is ByIdentity
        assert key.value is result


def test_3_host_code_never_sees_an_unfinished_tuple() -> None:
    class Reader(Deserializer):
        def read_host_object(self) -> Any:
            return self.read_value()

    reader = Reader(bytes.fromhex("ff0f 00 41 01 5c 5e 00 24 00 01"))
    reader.read_header()
    with pytest.raises(DecodeError, match="unfinished"):
        reader.read_value()


def test_3_host_code_may_refer_to_lists_and_dicts_around_it() -> None:
    class Reader(Deserializer):
        def read_host_object(self) -> Any:
            return ["host", self.read_value()]

    reader = Reader(bytes.fromhex("ff0f 41 01 5c 5e 00 24 00 01"))
    reader.read_header()
    value = reader.read_value()
    assert value[0][1] is value


# 4. Hashing


def _wrapped(key: object) -> bool:
    [result] = loads(dumps(Map({ByIdentity(key): 1})))
    return type(result) is ByIdentity


@pytest.mark.parametrize("make", [tuple, frozenset])
def test_4_a_key_of_100_items_is_plain_and_one_of_101_is_wrapped(make: Callable[[Any], object]) -> None:
    assert not _wrapped(make(range(100)))
    assert _wrapped(make(range(101)))
    assert _wrapped((make(range(50)), make(range(50, 99)), 1, 2)), "in all"


@pytest.mark.parametrize("make", [lambda inner: (inner,), lambda inner: frozenset({inner})])
def test_4_a_key_of_16_levels_is_plain_and_one_of_17_is_wrapped(make: Callable[[object], object]) -> None:
    key: object = 1
    for _ in range(16):
        key = make(key)

    assert not _wrapped(key)
    assert _wrapped(make(key))


def test_4_shared_tuples_count_each_time_they_occur() -> None:
    key: tuple[Any, ...] = ()
    for _ in range(10):
        key = (key, key)

    assert _wrapped(key)


def test_4_a_key_of_huge_ints_is_wrapped() -> None:
    assert not _wrapped((2**1000,) * 20)
    assert _wrapped((2**200_000,))
    assert _wrapped(Boxed(2**200_000))
    assert not _wrapped(2**200_000)


def test_4_past_100_ints_of_one_hash_further_ones_are_wrapped() -> None:
    modulus = 2**61 - 1
    numbers = [modulus * (number + 2) for number in range(150)]
    data = dumps({ByIdentity(number) for number in numbers})
    pairs = dumps(Map({ByIdentity(number): 1 for number in numbers}))

    for result in (loads(data), loads(pairs)):
        wrapped = [key.value for key in result if type(key) is ByIdentity]
        assert len(wrapped) == 50
        plain = [key for key in result if type(key) is int]
        assert len(plain) == 100
        assert set(plain) | set(wrapped) == set(numbers)
    assert not any(type(key) is ByIdentity for key in loads(dumps({2**70 + n for n in range(150)})))


def test_4_an_int_that_is_there_already_is_not_wrapped() -> None:
    number = 2**61 * 7
    repeated = loads(b"\xff\x0f'" + dumps(number)[2:] * 500 + b",\xf4\x03")

    assert repeated == {number}


# 5. A direct clone is what arrives over the wire


@pytest.mark.parametrize(
    "value",
    [
        {"b": 1, "10": 2, "2": 3, "a": 4},
        [BigInt(5), BigInt(2**53 - 1), BigInt(2**53), -(2**53), 2**53 - 1],
        datetime(1500, 1, 1, 1, 1, 1, 123457, tzinfo=UTC),
        datetime(2020, 5, 5, 1, 1, 1, 7, tzinfo=timezone(timedelta(hours=5))),
        Map({1: "a", ByIdentity(True): "b", 1.5: "c", ByIdentity([1]): "d", (1, 2): "e"}),
        {float("nan"), ByIdentity(float("nan"))},
        Map({-0.0: 1}),
        Array([1, None], {"name": 2}),
        [0] * 100 + [Array(hole for _ in range(100))],
        [ByIdentity(3)],
        Boxed(5),
        OrderedDict([("z", 1), ("1", 2)]),
        b"bytes",
        [memoryview(b"abcd")[1:3], array("d", [1.0])],
        ValueError("no"),
        JSError("message", stack="stack", cause=[1]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_5_a_clone_has_the_graph_the_types_and_the_order_of_what_arrives_over_the_wire(value: Any) -> None:
    assert difference(structured_clone(value), wire(value)) is None


def test_5_array_indices_come_first_ascending_on_every_road() -> None:
    value = {"b": 1, "10": 2, "2": 3, "01": 4, "4294967294": 5, "4294967295": 6}
    for road in ROADS.values():
        assert list(road(value)) == ["2", "10", "4294967294", "b", "01", "4294967295"]


def test_5_a_bigint_past_2_to_the_53_is_an_int_on_every_road() -> None:
    for road in ROADS.values():
        assert type(road(BigInt(2**53))) is int
        assert type(road(BigInt(2**53 - 1))) is BigInt


def test_5_keys_that_become_one_are_refused_on_every_road() -> None:
    value = {"\ud83d\ude00": 1, "\U0001f600": 2}
    for road in ROADS.values():
        with pytest.raises(DataCloneError, match="would become one"):
            road(value)


@pytest.mark.parametrize(
    "value",
    [
        Map({"\ud83d\ude00": 1, "\U0001f600": 2}),
        {"\ud83d\ude00": 1, "\U0001f600": 2, 3: 3},
        Map({math.nan: 1, float("nan"): 2}),
        {float("nan"): 1, float("nan"): 2},
        Map({1: 1, ByIdentity(1.0): 2}),
        Map({"a": 1, ByIdentity("a"): 2}),
        Map({ByIdentity(True): 1, ByIdentity(True): 2}),
        Map({(key := (1, 2)): 1, ByIdentity(key): 2}),
    ],
    ids=repr,
)
def test_5_keys_of_a_map_that_become_one_are_refused_on_every_road(value: Any) -> None:
    for road in ROADS.values():
        with pytest.raises(DataCloneError, match="would become one") as caught:
            road([value])
        assert caught.value.path == "$[0]"


def test_5_keys_of_a_map_that_stay_two_are_taken() -> None:
    value = Map({"\ud83d": 1, math.nan: 3, 0: 4, ByIdentity(False): 5, ByIdentity([]): 6})
    value["\ude00"] = 2
    value[ByIdentity([])] = 7
    value[ByIdentity(BigInt(0))] = 8
    for road in ROADS.values():
        assert list(road(value).values()) == [1, 3, 4, 5, 6, 2, 7, 8]


def test_5_lone_surrogates_that_make_a_pair_are_the_one_exception() -> None:
    text = "\ud83d" + "\ude00"

    assert structured_clone(text) == text
    assert loads(dumps(text)) == "\U0001f600"


# 6. Dates


@pytest.mark.parametrize("year", [1700, 1969, 1970, 1999, 2026, 2247])
@pytest.mark.parametrize("microsecond", [0, 1, 499, 500, 999_999, 123_457])
def test_6_microseconds_are_exact_from_1700_to_2248(year: int, microsecond: int) -> None:
    moment = datetime(year, 12, 31, 23, 59, 59, microsecond, tzinfo=UTC)

    for road in ROADS.values():
        assert road(moment) == moment


@pytest.mark.parametrize("year", [1, 800, 5000, 9999])
def test_6_elsewhere_they_are_rounded_to_the_nearest_double_alike_on_every_road(year: int) -> None:
    moment = datetime(year, 6, 1, 12, 0, 0, 123_457, tzinfo=UTC)
    arrived = {road(moment) for road in ROADS.values()}

    assert len(arrived) == 1
    assert abs(arrived.pop() - moment) < timedelta(microseconds=20)


def test_6_every_zone_becomes_utc() -> None:
    moment = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=-7)))
    for road in ROADS.values():
        assert road(moment).utcoffset() == timedelta(0)
        assert road(moment) == moment


@pytest.mark.parametrize("beyond", [-62135596800000.0078, 253402300799999.98])
def test_6_a_fraction_beyond_the_years_of_python_is_cut_off_once_and_for_all(beyond: float) -> None:
    once = loads(b"\xff\x0fD" + struct.pack("<d", beyond))

    assert type(once) is datetime
    assert difference(loads(dumps(once)), once) is None

"""Every kind of value comes back as itself, alone, in a container, shared, in a cycle, and at any depth."""

from __future__ import annotations

import re
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clonecodec import (
    Array,
    ArrayBuffer,
    BigInt,
    Boxed,
    ByIdentity,
    DataCloneError,
    DataView,
    Date,
    JSError,
    Map,
    RegExp,
    SharedArrayBuffer,
    SparseArray,
    cbor,
    hole,
    undefined,
)
from tests.cbor.table import BEYOND, BOTH, READ
from tests.same import difference, same
from tests.vectors.values import VALUES

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.integers(-(2**53) + 1, 2**53 - 1).map(BigInt)
    | st.floats()
    | st.text(st.characters(exclude_categories=[]))
    | st.binary()
    | st.binary().map(bytearray)
    | st.sampled_from([undefined, RegExp("a", "g"), Boxed(1), Date(float("nan"))])
    | st.datetimes(datetime(1700, 1, 1), datetime(2240, 1, 1)).map(lambda when: when.replace(tzinfo=UTC))
)


def _as_map(entries: dict[Any, Any]) -> Map:
    return Map(entries)


keys = st.text(st.characters(codec="utf-8"))
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.lists(inner | st.just(hole)).map(lambda items: Array([hole, *items]))
        | st.dictionaries(keys, inner)
        | st.dictionaries(st.integers() | st.text(), inner).map(_as_map)
        | st.sets(st.text() | st.integers() | st.binary())
        | st.frozensets(st.text() | st.integers())
        | inner.map(lambda cause: JSError("m", stack="s", cause=cause))
    ),
    max_leaves=20,
)


@given(values)
def test_a_value_comes_back_as_itself(value: object) -> None:
    again = cbor.loads(cbor.dumps(value))

    assert difference(again, value) is None


@pytest.mark.parametrize(
    "value", [*BOTH.values(), *READ.values(), *BEYOND], ids=lambda value: type(value).__name__
)
def test_a_value_of_the_table_comes_back_as_itself(value: object) -> None:
    assert difference(cbor.loads(cbor.dumps(value)), value) is None


@pytest.mark.parametrize("name", VALUES)
def test_what_v8_can_hold_cbor_can_hold(name: str) -> None:
    value = VALUES[name]
    try:
        data = cbor.dumps(value)
    except DataCloneError as error:
        assert "SharedArrayBuffer" in error.reason  # its memory cannot be in bytes
        return
    again = cbor.loads(data)

    assert type(again) is type(value) or (type(value) is Array and type(again) is list)
    assert same(cbor.loads(cbor.dumps(again)), again)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**40, int),
        (2**60, int),
        (BigInt(5), BigInt),
        (2.0**40, float),
        ((1,), tuple),
        (frozenset([1]), frozenset),
        (bytearray(b"a"), bytearray),
        (b"a", bytes),
        (ArrayBuffer(b"a"), ArrayBuffer),
        (DataView(ArrayBuffer(b"a")), DataView),
        ([hole], Array),
        (SparseArray(10, {3: 1}, {"a": 2}), SparseArray),
        ({1: 2}, Map),
        (Map({"a": 1}), Map),
        (OrderedDict(a=1), dict),
    ],
    ids=repr,
)
def test_the_type_is_kept_at_the_top_and_inside(value: object, expected: type) -> None:
    inside = cbor.loads(cbor.dumps([value, value]))

    assert type(cbor.loads(cbor.dumps(value))) is expected
    assert isinstance(inside, list)
    assert type(inside[0]) is expected


Point = namedtuple("Point", "x y")


@dataclass
class Job:
    name: str
    _secret: int = 0


def test_python_objects_become_what_the_value_table_says() -> None:
    east = timezone(timedelta(hours=2))

    assert cbor.loads(cbor.dumps(Point(1, 2))) == (1, 2)
    assert cbor.loads(cbor.dumps(Job("a"))) == {"name": "a"}
    assert cbor.loads(cbor.dumps(SimpleNamespace(a=[1]))) == {"a": [1]}
    assert cbor.loads(cbor.dumps(datetime(2020, 1, 1, 2, tzinfo=east))) == datetime(2020, 1, 1, tzinfo=UTC)
    assert cbor.loads(cbor.dumps(re.compile("a", re.IGNORECASE))) == RegExp("a", "i")


@pytest.mark.parametrize(
    ("value", "path", "words"),
    [
        ([1, {"a b": len}], '$[1]["a b"]', "cannot be cloned"),
        ({"a": [datetime(2020, 1, 1)]}, "$.a[0]", "time zone"),
        (Map({1: Decimal(1)}), "$.value(0)", "str"),
        (Map({ByIdentity(Decimal(1)): 1}), "$.key(0)", "str"),
        ({ByIdentity(object())}, "${0}", "cannot be cloned"),
        ({"a": ByIdentity(1)}, "$.a", "ByIdentity"),
        ({"a": hole}, "$.a", "hole"),
        (hole, "$", "hole"),
        (JSError("m", cause=len), "$.cause", "cannot be cloned"),
        ([SharedArrayBuffer(1)], "$[0]", "SharedArrayBuffer"),
        ([memoryview(b"abcd").cast("B", (2, 2))], "$[0]", "dimensions"),
        ([memoryview(b"abcd").cast("?")], "$[0]", "format"),
        (Array([1], {"a": {"b": len}}), "$.a.b", "cannot be cloned"),
        (SparseArray(10, {3: len}), "$[3]", "cannot be cloned"),
        ({"\ud83d\ude00": 1, "\U0001f600": 2}, "$", "two keys"),
    ],
)
def test_a_refusal_says_where_and_what_to_do(value: object, path: str, words: str) -> None:
    with pytest.raises(DataCloneError, match=words) as caught:
        cbor.dumps(value)

    assert caught.value.path == path


def test_a_detached_buffer_is_refused() -> None:
    buffer = ArrayBuffer(4)
    view = buffer.view("B")
    buffer.transfer_take()

    for value in (buffer, view):
        with pytest.raises(DataCloneError, match="detached"):
            cbor.dumps(value)


def test_nothing_is_shared_unless_it_is_one_object() -> None:
    one: list[int] = [1]
    equal: list[int] = [1]

    assert cbor.dumps([one, equal]).hex() == "8281018101"
    assert cbor.dumps([one, one]).hex() == "82d81c8101d81d00"
    assert (
        cbor.dumps([(1,), (True,), (1.0,)], hints=False).hex() == "8381018" + "1f5" + "81fb3ff0000000000000"
    )


def test_views_of_one_buffer_stay_views_of_one_buffer() -> None:
    buffer = ArrayBuffer(8)
    again = cbor.loads(cbor.dumps([buffer, buffer.view("B"), DataView(buffer), buffer.view("d")]))

    assert isinstance(again, list)
    again[1][7] = 0x40
    assert again[0].view("B")[7] == 0x40
    assert again[2].buffer is again[0]
    assert again[3][0] == 2.0


def test_a_view_of_a_part_sends_only_that_part() -> None:
    secret = bytearray(b"neighbour|mine|neighbour")
    data = cbor.dumps([memoryview(secret)[10:14], ArrayBuffer(secret).view("B", 10, 4)])

    assert b"neighbour" not in data
    assert data.count(b"mine") == 2


def test_big_endian_arrays_are_read() -> None:
    """RFC 8746: 65 is uint16, 73 sint16, 82 float64, 80 half floats, each big-endian."""
    assert cbor.loads(bytes.fromhex("d841 44 00010203")).tolist() == [1, 0x0203]  # type: ignore[attr-defined]
    assert cbor.loads(bytes.fromhex("d849 42 fffe")).tolist() == [-2]  # type: ignore[attr-defined]
    assert cbor.loads(bytes.fromhex("d852 48 3ff8000000000000")).tolist() == [1.5]  # type: ignore[attr-defined]
    assert cbor.loads(bytes.fromhex("d850 42 3e00")).tolist() == [1.5]  # type: ignore[attr-defined]


def test_hints_can_be_left_out() -> None:
    value = [(1,), frozenset([1]), bytearray(b"a"), 2**40, [hole]]

    assert b"\xd9\xd9\xf7" not in cbor.dumps(value, hints=False)
    assert cbor.loads(cbor.dumps(value, hints=False)) == [[1], {1}, b"a", 2.0**40, [hole]]


def test_microseconds_are_kept() -> None:
    for when in (
        datetime(1700, 1, 1, microsecond=1),
        datetime(2242, 1, 1),
        datetime(1969, 12, 31, 23, 59, 59, 999999),
    ):
        aware = when.replace(tzinfo=UTC)
        assert cbor.loads(cbor.dumps(aware)) == aware


def test_the_keys_of_a_dict_keep_their_order_those_that_are_indices_too() -> None:
    value = {"b": 1, "10": 2, "9": {"z": 1, "0": 2}}

    again = cbor.loads(cbor.dumps(value))

    assert isinstance(again, dict)
    assert list(again) == ["b", "10", "9"]
    assert list(again["9"]) == ["z", "0"]

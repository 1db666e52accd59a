"""Plain cbor2: what it writes is read, and it reads what is written, but for what it refuses by design."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import cbor2
import pytest

from clonecodec import Array, BigInt, ByIdentity, Date, JSError, Map, cbor, hole, undefined
from tests.cbor.table import BEYOND, BOTH, WRITTEN
from tests.same import difference


def _cyclic_tuple() -> object:
    knot: list[object] = []
    knot.append((knot, knot))
    value = (knot,)
    knot.append(value)
    return value


def _cyclic_set() -> object:
    value: set[object] = set()
    value.add(ByIdentity(value))
    return value


def _cyclic_frozenset() -> object:
    knot: list[object] = []
    value = frozenset({ByIdentity(knot)})
    knot.append(value)
    return value


def _cyclic_holes() -> object:
    value = Array([hole])
    value.append(value)
    return value


def _shared_member() -> object:
    item = [1]
    return [item, {ByIdentity(item)}]


def _shared_key() -> object:
    item = {"a": 1}
    return [item, Map({ByIdentity(item): 1})]


def _nested(levels: int) -> object:
    value: list[object] = []
    for _ in range(levels):
        value = [value]
    return value


REFUSED = {
    "nested too deeply": _nested(1000),
    "a lone surrogate": "\ud800",
    "an invalid Date": Date(math.nan),
    "a Date beyond the year 9999": Date(8.64e15),
    "a tuple that contains itself": _cyclic_tuple(),
    "a frozenset that contains itself": _cyclic_frozenset(),
    "an array with holes that contains itself": _cyclic_holes(),
    "a set that contains itself": _cyclic_set(),
    "a list that is shared and a member of a set": _shared_member(),
    "a dict that is shared and a key of a Map": _shared_key(),
}
"""Named as docs/cbor.md names them."""

READABLE = [value for value in (*BOTH.values(), *WRITTEN.values(), *BEYOND) if not isinstance(value, Date)]


@pytest.mark.parametrize("value", READABLE, ids=lambda value: type(value).__name__)
def test_cbor2_reads_what_is_written(value: object) -> None:
    cbor2.loads(cbor.dumps(value))


@pytest.mark.parametrize("name", REFUSED)
def test_cbor2_refuses_by_design(name: str) -> None:
    data = cbor.dumps(REFUSED[name])

    with pytest.raises(cbor2.CBORDecodeError):
        cbor2.loads(data)
    assert cbor.dumps(cbor.loads(data)) == data


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, 2.5, "x", None, True, b"y"]}, {"a": [1, 2.5, "x", None, True, b"y"]}),
        ((1, (2, 3)), (1, (2, 3))),
        (2**40, 2.0**40),
        (2**60, 2**60),
        ({1, 2}, {1, 2}),
        (datetime(2020, 1, 1, 0, 0, 0, 500, tzinfo=UTC), datetime(2020, 1, 1, 0, 0, 0, 500, tzinfo=UTC)),
        (undefined, cbor2.undefined),
        (bytearray(b"a"), b"a"),
        (memoryview(b"ab"), cbor2.CBORTag(64, b"ab")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_cbor2_reads_the_same_value(value: object, expected: object) -> None:
    assert cbor2.loads(cbor.dumps(value)) == expected


def test_cbor2_closes_cycles_of_lists_and_dicts() -> None:
    knot: dict[str, object] = {}
    knot["list"] = [knot]

    again = cbor2.loads(cbor.dumps(knot))
    assert again["list"][0] is again


def test_cbor2_reads_a_cyclic_error() -> None:
    error = JSError("m")
    error.cause = error

    assert cbor2.loads(cbor.dumps(error)).tag == 27


@pytest.mark.parametrize("sharing", [False, True])
@pytest.mark.parametrize("indefinite", [False, True])
@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, -1, 2.5, "x", None, True, b"y", [], {}]},
        Map({1: 2, "a": [3]}),
        {1, "a"},
        datetime(2020, 1, 1, tzinfo=UTC),
        2**70,
        -(2**70),
        2**60,
        math.inf,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cbor2_writes_is_read(value: object, sharing: bool, indefinite: bool) -> None:
    data = cbor2.dumps(
        dict(value) if isinstance(value, Map) else value,
        value_sharing=sharing,
        indefinite_containers=indefinite,
    )

    assert difference(cbor.loads(data), value) is None


def test_dates_as_text_and_as_numbers_are_read() -> None:
    when = datetime(2020, 1, 1, 0, 0, 0, 500000, tzinfo=UTC)

    assert cbor.loads(cbor2.dumps(when)) == when
    assert cbor.loads(cbor2.dumps(when, datetime_as_timestamp=True)) == when


def test_an_integer_of_eight_bytes_is_a_bigint() -> None:
    """cbor-x writes bigints so, and reads them so."""
    value = cbor.loads(cbor2.dumps(2**40))

    assert value == 2**40
    assert type(value) is BigInt


def test_a_file_that_says_that_it_is_cbor_is_read_as_it_is() -> None:
    """Tag 55799 at the start is RFC 8949's magic number, and makes no tuple of the list."""
    assert cbor.loads(bytes.fromhex("d9d9f7 82 01 02")) == [1, 2]
    assert type(cbor.loads(bytes.fromhex("d9d9f7 80"))) is list

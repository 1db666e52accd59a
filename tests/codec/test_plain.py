"""The short way of plain values: the general way's bytes and values, or nothing at all."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clonecodec import (
    ArrayBuffer,
    BigInt,
    Boxed,
    ByIdentity,
    CloneError,
    Date,
    Map,
    Serializer,
    accelerated,
    dumps,
    hole,
    undefined,
)
from clonecodec.plain import dumps_plain, loads_plain
from clonecodec.testing import graphs, values
from fuzz.fuzz_twins import Maker, damaged
from tests.codec.roads import marked, read_native
from tests.same import difference

LAWS = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
needs_c = pytest.mark.skipif(not accelerated, reason="without C nothing is plain")


def shared() -> object:
    part: list[object] = [1, "text"]
    part.append(part)
    return {"one": part, "two": (part, frozenset({"a"})), "three": Map({1: part, None: undefined})}


OCTETS = b"octets" * 50

PLAIN: tuple[object, ...] = (
    *(None, undefined, True, False, 0, -1, 2**31, 2**53, -(2**63), 1.5, math.nan, -0.0),
    *("", "text", "é", "Ā" * 70, "\U0001f600", "\ud83d"),
    *([], (), {}, set(), frozenset(), Map(), [1, [2, (3,)]], {"a": {"b": []}}, {1: 2}, {"10": 1, "9": 2}),
    {1, 2, "three"},
    {"small": [1, 2, 3] * 500, "é": "long" * 500},
    *(b"", b"x", b"bytes", [b"\0" * 200, b"\0" * 200], b"x" * 65535),
    [datetime(2024, 2, 29, 1, 2, 3, 4, UTC)] * 2,
    {"id": 1, "body": OCTETS, "again": [OCTETS, (OCTETS,)]},
    shared(),
)
GIVEN_UP: tuple[object, ...] = (
    *(b"x" * 65536, bytearray(65536), memoryview(b"x"), ArrayBuffer(1), hole, [1, hole], 2**64),
    *(
        BigInt(1),
        Boxed(1),
        Date(0.0),
        datetime(2024, 2, 29),
        datetime(2024, 2, 29, tzinfo=timezone(timedelta(hours=1))),
        ByIdentity([]),
        Map({ByIdentity(1): 1}),
        ValueError("no"),
        object(),
        len,
    ),
    type("Sub", (list,), {})(),
    type("Sub", (str,), {})("text"),
)


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: type(value).__name__)
def test_plain_values_are_written_and_read(value: Any) -> None:
    data = dumps_plain(value)

    assert data == (marked(value) if accelerated else None)
    read = loads_plain(marked(value))
    if accelerated:
        assert difference(read, read_native(marked(value))) is None
    else:
        assert read is NotImplemented


@pytest.mark.parametrize("value", GIVEN_UP, ids=lambda value: type(value).__name__)
def test_everything_else_is_given_up(value: object) -> None:
    around = [{"a": ("before", value, "after")}]

    assert dumps_plain(value) is dumps_plain(around) is None


@pytest.mark.parametrize(
    "value", [*GIVEN_UP[:5], 2**64, Boxed(1), Date(1e15)], ids=lambda value: type(value).__name__
)
def test_what_an_embedder_reads_is_given_up(value: object) -> None:
    assert loads_plain(dumps(["before", value])) is NotImplemented


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"\xff\x0f", b"\xff\x11_", b"\xff\x0cI\x02", b"\xff\x0fA\x02I\x02"]
)
def test_what_is_no_value_is_given_up(data: bytes) -> None:
    assert loads_plain(data) is NotImplemented


@pytest.mark.parametrize("data", [None, 5, "text", memoryview(b"\xff\x0f_")[::2]])
def test_what_is_no_bytes_is_given_up(data: Any) -> None:
    assert loads_plain(data) is NotImplemented


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@needs_c
def test_bytes_of_every_kind_are_read(kind: type) -> None:
    assert loads_plain(kind(marked([1, "two"]))) == [1, "two"]


@LAWS
@given(st.one_of(values(), graphs(values())))
def test_the_bytes_and_values_are_those_of_the_general_way(value: Any) -> None:
    data = dumps_plain(value)
    if data is not None:
        assert data == marked(value)
    read = loads_plain(marked(value))
    if read is not NotImplemented:
        assert difference(read, read_native(marked(value))) is None


@pytest.mark.parametrize("seed", range(100))
def test_damaged_bytes_are_read_as_in_the_general_way_or_given_up(seed: int) -> None:
    rng = random.Random(seed)
    value = Maker(rng, keen=True).value()
    written = dumps_plain(value)
    try:
        data = marked(value)
    except CloneError:
        assert written is None
        return
    assert written is None or written == data
    for _ in range(50):
        octets = damaged(rng, data, [data])
        read = loads_plain(octets)
        if read is not NotImplemented:
            assert difference(read, read_native(octets)) is None


@needs_c
def test_bytes_become_a_view_of_their_own() -> None:
    value = [b"some", bytearray(b"more"), bytes(bytearray(b"some"))]
    value.append(value[0])

    data = dumps_plain(value)

    assert data == marked(value)
    assert loads_plain(data) is NotImplemented  # a bytearray is a view on an ArrayBuffer
    del value[1]
    first, second, third = loads_plain(marked(value))
    assert first == second == b"some"
    assert first.readonly
    assert third is first is not second


@pytest.mark.parametrize(
    "data",
    [
        "ff0e 00420161 5642000100",  # version 14, which is the same
        "ff0f 000000420161 00005642 8000 8100 00",  # more padding, and longer numbers
        "ff0f 00420161",  # no view
        "ff0f 00420161 56",  # half of one
        "ff0f 00420161 5642",
        "ff0f 00420161 564200",
        "ff0f 00420161 56420001",
        "ff0f 00420261",  # too few bytes
        "ff0f 0042ffffffffffffffffff01 61",
        "ff0f 00420161 5662000100",  # another kind
        "ff0f 00420161 5642010000",  # not the whole of it
        "ff0f 00420161 5642000000",
        "ff0f 00420161 5642000102",  # flags
        "ff0f 4102 00420161 5642000100 5e01 240002",  # a reference to its buffer
        "ff0d 00420161 56420001 00",  # version 13
    ],
)
def test_marked_bytes_are_read_as_in_the_general_way_or_given_up(data: str) -> None:
    octets = bytes.fromhex(data)

    read = loads_plain(octets)

    if read is not NotImplemented:
        assert difference(read, read_native(octets)) is None


@needs_c
def test_depth_is_that_of_a_serializer() -> None:
    value: list[object] = []
    for _ in range(99_999):
        value = [value]
    data = dumps_plain(value)

    assert data == marked(value)
    assert dumps_plain([value]) is None
    assert loads_plain(data[:2] + b"A\x01" + data[2:] + b"$\0\x01") is NotImplemented


@needs_c
def test_no_code_runs_before_it_is_given_up() -> None:
    class Loud:
        def __getattribute__(self, name: str) -> Any:
            seen.append(name)
            return super().__getattribute__(name)

    seen: list[str] = []
    value = {"list": [1, 2], "loud": Loud(), "self": shared()}

    assert dumps_plain(value) is None
    assert seen == []


def test_without_the_accelerator_everything_is_given_up() -> None:
    program = "from clonecodec.plain import *; print(dumps_plain([1]), loads_plain(b'\\xff\\x0fI\\x02'))"

    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"CLONECODEC_PURE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "None NotImplemented\n"


def test_a_serializer_may_be_used_after_something_was_given_up() -> None:
    serializer = Serializer()
    value = [["part"], len]

    assert dumps_plain(value) is None
    serializer.write_value(value[0])
    assert serializer.release_buffer().hex() == "4101220470617274240001"

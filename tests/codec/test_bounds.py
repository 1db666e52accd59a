"""The sender's numbers are claims: memory and time stay within a multiple of the bytes that came."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable
from typing import Any, Final

import pytest

from clonecodec import DecodeError, Deserializer, Serializer, SparseArray, loads
from tests.codec.hostile import CLAIMS, EVERYTHING, KEYS, LEAVES, VERSION_0, array, set_of

SMALL: Final = 6_000
LARGE: Final = 100_000
HEADER: Final = b"\xff\x0f"
PER_BYTE: Final = 512
CONSTANT: Final = 50_000
"""Bytes that a message may cost whatever its length."""
SECONDS: Final = 1.5
"""For 100 kB; longer is suspicious."""

ALL_KINDS: Final = [*EVERYTHING, *VERSION_0]


def attempt(data: bytes, **options: Any) -> object:
    try:
        return loads(data, **options)
    except DecodeError as error:
        return error


def hostile(kind: str, size: int) -> tuple[bytes, dict[str, Any]]:
    if kind in VERSION_0:
        return VERSION_0[kind](size), {"legacy": True}
    return HEADER + EVERYTHING[kind](size), {}


def peak_of(action: Callable[[], object]) -> int:
    action()  # what is remembered for ever is remembered now
    gc.collect()
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_memory_stays_under_512_bytes_for_each_byte_of_input(kind: str) -> None:
    data, options = hostile(kind, SMALL)

    assert peak_of(lambda: attempt(data, **options)) <= PER_BYTE * len(data) + CONSTANT


@pytest.mark.parametrize("kind", LEAVES)
def test_memory_stays_under_that_without_copies_too(kind: str) -> None:
    data = HEADER + LEAVES[kind](SMALL)

    assert peak_of(lambda: attempt(data, zero_copy=True)) <= PER_BYTE * len(data) + CONSTANT


@pytest.mark.parametrize("kind", CLAIMS)
def test_a_claim_allocates_nothing(kind: str) -> None:
    data = HEADER + CLAIMS[kind]

    assert peak_of(lambda: attempt(data)) < 10_000


def grows_with_the_square(action: Callable[[int], object]) -> bool:
    """Whether four times the size takes far more than four times the time; small times are no matter."""
    times = []
    for size in (LARGE // 4, LARGE):
        begun = time.process_time()
        action(size)
        times.append(time.process_time() - begun)
    return times[1] > SECONDS and times[1] > 9 * times[0]


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_time_does_not_grow_with_the_square_of_the_size(kind: str) -> None:
    def read(size: int) -> object:
        data, options = hostile(kind, size)
        return attempt(data, **options)

    assert not grows_with_the_square(read)


@pytest.mark.parametrize("kind", KEYS)
def test_the_second_try_of_version_13_costs_twice_and_no_more(kind: str) -> None:
    def read(size: int) -> object:
        return attempt(b"\xff\x0d" + EVERYTHING[kind](size)[:-1] + b"\xee")

    assert not grows_with_the_square(read)


def test_comparing_two_equal_read_only_views_as_members_is_bounded() -> None:
    size = LARGE // 4
    writer = Serializer()
    writer.mark_read_only_bytes = True
    writer.write_value([bytes(size), bytes(size)])
    two = writer.release_buffer()[2:-3]
    sets = set_of(b"^\2", b"^\4")
    data = HEADER + b"A" + b"\x92\x27" + two + sets * 5008 + b"$\0\x92\x27"
    assert array(*[b"0"] * 5010)[1:3] == b"\x92\x27"

    begun = time.process_time()
    reader = Deserializer(data)
    reader.read_header()
    value = reader.read_value()
    assert time.process_time() - begun < SECONDS
    assert len(value) == 5010
    assert len(value[-1]) == 2


def test_a_sparse_array_of_the_greatest_length_is_a_few_bytes() -> None:
    value = loads(HEADER + CLAIMS["a sparse array"])

    assert type(value) is SparseArray
    assert (value.length, value.items) == (2**32 - 1, {})


def test_a_resizable_buffer_does_not_reserve_its_maximum() -> None:
    value = loads(HEADER + b"~\1\xff\xff\xff\xff\x0f\x07")

    assert (bytes(value), value.max_byte_length) == (b"\x07", 2**32 - 1)


def test_names_are_remembered_up_to_a_limit() -> None:
    data = [HEADER + b'o"\x40' + b"%064d" % number + b"0{\1" for number in range(20_000)]
    for message in data[:10_000]:
        loads(message)

    def read_on() -> None:
        for message in data[10_000:]:
            loads(message)

    gc.collect()
    tracemalloc.start()
    read_on()
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert grown < 8192 * 400

"""Dates in C: what Python writes, reads and clones, as far as that is a datetime in UTC."""

from __future__ import annotations

import math
import random
import struct
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest

from clonecodec import Date, Map, Serializer, dumps, loads, structured_clone
from clonecodec.plain import dumps_plain, loads_plain
from fuzz.fuzz_twins import api, compare

NOW = datetime(2024, 2, 29, 12, 34, 56, 789_012, UTC)
FIRST, LAST = -62_135_596_800_000.0, 253_402_300_799_999.0


class Summer(tzinfo):
    """A time zone of a user's."""

    def utcoffset(self, when: datetime | None) -> timedelta:
        return timedelta(hours=2)

    def dst(self, when: datetime | None) -> timedelta:
        return timedelta(hours=1)

    def tzname(self, when: datetime | None) -> str:
        return "summer"


class Sub(datetime):
    """A datetime of a user's."""


def compare_value(value: object) -> None:
    compare("dumps", lambda: api.dumps(value))
    compare("structured_clone", lambda: api.structured_clone(value))


def compare_read(milliseconds: float) -> None:
    compare("loads", lambda: api.loads(b"\xff\x0fD" + struct.pack("<d", milliseconds)))


def test_days_of_400_years_and_some_of_all_others_are_written_and_read() -> None:
    numbers = [*range(146_097), *range(0, 3_652_059, 29), 3_652_058]
    days = [datetime(1, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in numbers]

    data = dumps(days)

    written = struct.unpack("<" + "xd" * len(days), data[data.index(b"D") : data.rindex(b"$")])
    assert written == tuple(FIRST + 86_400_000 * n for n in numbers)
    assert loads(data) == days


@pytest.mark.parametrize("seed", range(10))
def test_random_instants_have_one_outcome(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(300):
        microseconds = rng.randrange(315_537_897_600 * 10**6)
        value = datetime(1, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
        compare_value([value, value])
        compare_read(rng.uniform(FIRST, LAST))
        compare_read(rng.randrange(-(10**15), 10**15) / 1000)
        compare_read(rng.uniform(-3, 3))
        compare_read(rng.randrange(-(10**6), 10**6) + rng.choice((0.5, 0.0005, 0.4995, 0.9995, 0.99951)))


@pytest.mark.parametrize("start", [FIRST, LAST, LAST + 1, 0.0, 1.0, -1.0, 2.0**43, 8.64e15])
def test_numbers_next_to_a_limit_have_one_outcome(start: float) -> None:
    for direction in (math.inf, -math.inf):
        milliseconds = start
        for _ in range(30):
            compare_read(milliseconds)
            milliseconds = math.nextafter(milliseconds, direction)


@pytest.mark.parametrize("milliseconds", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 0.9995, 1e300])
def test_odd_numbers_have_one_outcome(milliseconds: float) -> None:
    compare_read(milliseconds)


@pytest.mark.parametrize(
    "value",
    [
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
        NOW.replace(fold=1),
        NOW.astimezone(timezone(timedelta(hours=-5))),
        NOW.replace(tzinfo=timezone(timedelta(0), "UTC")),
        NOW.replace(tzinfo=Summer()),
        NOW.replace(tzinfo=None),
        Sub(2024, 1, 1, tzinfo=UTC),
        Date(1e15),
        [NOW, {"at": NOW, "again": [NOW, (NOW,)]}, NOW.replace(tzinfo=Summer()), NOW],
        {"a": [1, {"at": NOW, "naive": NOW.replace(tzinfo=None)}]},
        Map({NOW: 1, NOW.replace(fold=1): [NOW], "text": NOW}),
        Map({NOW: [NOW, {}], Sub(2024, 1, 1, tzinfo=UTC): {}}),
        {NOW, "text", NOW.replace(year=2020)},
        frozenset({NOW}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_with_dates_have_one_outcome(value: object) -> None:
    compare_value(value)
    if isinstance(value, (list, Map)):
        compare("loads", lambda: api.loads(dumps(value)))


def test_one_date_stays_one() -> None:
    value = [NOW, NOW, NOW + timedelta(0)]
    for copy in (loads(dumps(value)), structured_clone(value)):
        first, second, third = copy
        assert first == third == NOW
        assert first is second is not third
        assert first is not NOW
        assert first.tzinfo is UTC


def test_dates_are_plain() -> None:
    value = [NOW, {"at": NOW}]
    data = dumps_plain(value)

    if data is not None:
        assert data == dumps(value)
        first, record = loads_plain(data)
        assert first == NOW
        assert record["at"] is first
    assert dumps_plain([NOW.replace(tzinfo=Summer())]) is None
    assert dumps_plain([NOW.replace(tzinfo=None)]) is None


def test_a_serializer_that_claims_dates_is_asked() -> None:
    class Claims(Serializer):
        def is_host_object(self, value: object) -> bool:
            return isinstance(value, datetime)

        def write_host_object(self, value: object) -> None:
            assert isinstance(value, datetime)
            self.write_uint32(value.year - 2000)

    serializer = Claims()
    serializer.write_value([NOW, {"at": NOW}])

    assert serializer.release_buffer() == bytes.fromhex("41 02 5c18 6f 22026174 5e01 7b01 24 00 02")


def test_without_datetime_in_c_python_does_it() -> None:
    program = (
        "import sys; sys.modules['_datetime'] = None\n"
        "from datetime import datetime, UTC\n"
        "from clonecodec import dumps, loads, structured_clone\n"
        "value = [datetime(2024, 2, 29, 1, 2, 3, 4, UTC)] * 2\n"
        "assert loads(dumps(value)) == structured_clone(value) == value\n"
        "print(dumps(value).hex())"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == dumps([datetime(2024, 2, 29, 1, 2, 3, 4, UTC)] * 2).hex()

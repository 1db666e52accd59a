"""The short way through what is common (``_runs``) and the long one read the same, and complain of the same.

The short way is taken only where enough bytes follow, so that bytes behind the value, which are ignored,
make the difference.
"""

from __future__ import annotations

import random

import pytest

from clonecodec import DecodeError, TruncatedError, dumps, loads, structured_clone, undefined
from tests.same import difference

NAMES = ("a", "name", "größe", "x" * 64, "x" * 65, "7", "")
INTS = (0, -1, 63, 64, -65, 8191, 8192, -8193, 1 << 20, 1 << 27, -(1 << 27) - 1, (1 << 31) - 1, -(1 << 31))
LEAVES = (None, True, False, 0.5, float("inf"), 1 << 31, undefined, "", "é", "€", "y" * 127, "y" * 128, *INTS)
TAGS = b'"oA{$INTF0^;:\\\x00\x01\x02\x7f\x80\xff'
BEHIND = bytes(300)


def value(rng: random.Random, depth: int = 0) -> object:
    """Some value of the common kinds, mostly: dicts, lists, scalars; now and then a tuple or a set."""
    kind = rng.randrange(8)
    if depth > 4 or kind < 3:
        return rng.choice(LEAVES)
    if kind < 6:
        return {rng.choice(NAMES): value(rng, depth + 1) for _ in range(rng.randrange(6))}
    items = [value(rng, depth + 1) for _ in range(rng.randrange(5))]
    return tuple(items) if kind == 6 and rng.random() < 0.3 else items


def damaged(data: bytes, rng: random.Random) -> bytes:
    octets = bytearray(data)
    for _ in range(rng.choice((1, 1, 2))):
        place = rng.randrange(2, len(octets))
        match rng.randrange(4):
            case 0:
                octets[place] = rng.choice(TAGS)
            case 1:
                octets[place] = (octets[place] + rng.choice((-1, 1))) & 0xFF
            case 2:
                octets.insert(place, rng.choice(TAGS))
            case _:
                del octets[place]
    return bytes(octets)


def read(data: bytes) -> tuple[object, DecodeError | None]:
    try:
        return loads(data), None
    except DecodeError as error:
        return None, error


@pytest.mark.parametrize("seed", range(20))
def test_what_stands_behind_a_value_does_not_change_how_it_is_read(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(20):
        whole = structured_clone([value(rng) for _ in range(4)])
        data = dumps(whole)

        assert difference(loads(data), whole) is None
        assert difference(loads(data + BEHIND), whole) is None


@pytest.mark.parametrize("seed", range(20))
def test_what_stands_behind_bad_bytes_does_not_change_what_is_wrong(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(10):
        data = dumps([value(rng) for _ in range(4)])
        for _ in range(20):
            bad = damaged(data, rng)
            short, complaint = read(bad)
            if isinstance(complaint, TruncatedError):
                continue  # then what stands behind it is read

            long, other = read(bad + BEHIND)

            assert (type(complaint), str(complaint)) == (type(other), str(other))
            assert difference(short, long) is None

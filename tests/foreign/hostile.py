"""Whatever is done to bytes: a value or a DecodeError whose offset lies in them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from clonecodec import DecodeError


def mutations(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """*data* cut, with bytes changed, inserted, removed, repeated."""
    chance = random.Random(seed)
    for length in range(min(len(data), 200)):
        yield data[:length]
    for _ in range(count):
        changed = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(changed) + 1)
            match chance.randrange(5):
                case 0:
                    changed[place : place + 1] = bytes([chance.randrange(256)])
                case 1:
                    changed[place:place] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 6)))
                case 2:
                    del changed[place : place + chance.randint(1, 4)]
                case 3:
                    changed[place:place] = changed[place : place + chance.randint(1, 30)]
                case 4:
                    changed[place : place + 5] = b"\xff\xff\xff\xff\x0f"
        yield bytes(changed)


def assert_only_decode_errors(
    read: Callable[[bytes], object], data: bytes, count: int, room: int = 0
) -> None:
    """*read* answers every mutation of *data*, or raises DecodeError within it (or within *room* bytes)."""
    refused = 0
    for seed, changed in enumerate(mutations(data, count, len(data))):
        try:
            read(changed)
        except DecodeError as error:
            refused += 1
            assert 0 <= error.offset <= max(len(changed), room), (seed, changed.hex(), error)
    assert refused

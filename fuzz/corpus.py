"""What the fuzzers begin with: the messages of real Nodes, and ways to spoil them."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Final

from tests.vectors import everything

TAGS: Final = b"\x00?-_0TFIUNZS\"c^o{A$a@Dyxnzs R;:',B~CtuVr\\pwm.E"
NUMBERS: Final = (0, 1, 2, 3, 4, 5, 16, 63, 64, 127, 128, 254, 255)
CLAIMS: Final = (b"\xff\xff\xff\xff\x0f", b"\x80\x01", b"\xff\xff\x03", b"\xff" * 9 + b"\x01")
LARGEST: Final = 2000  # bytes of a seed; the larger ones are only slower


@cache
def seeds() -> tuple[bytes, ...]:
    """Messages of Node's, each once."""
    return tuple({case.data: None for case in everything() if len(case.data) <= LARGEST})


def message(random: Random) -> bytes:
    """A message, spoilt or not."""
    data = bytearray(random.choice(seeds()))
    for _ in range(random.choice((0, 1, 1, 1, 2, 3, 8))):
        _spoil(data, random)
    if random.random() < 0.1:
        data[1:2] = bytes((random.randrange(18),))
    if random.random() < 0.1:
        data = bytearray(data[: random.randrange(len(data) + 1)])
    return bytes(data)


def _spoil(data: bytearray, random: Random) -> None:
    place = random.randrange(2, len(data) + 1) if len(data) > 2 else len(data)
    way = random.randrange(8)
    if way == 0:
        data[place : place + 1] = bytes((random.choice(TAGS),))
    elif way == 1:
        data[place : place + 1] = bytes((random.choice(NUMBERS),))
    elif way == 2:
        data[place:place] = bytes((random.choice(TAGS),))
    elif way == 3:
        data[place:place] = bytes(random.choice((1, 2, 40)))
    elif way == 4:
        data[place:place] = random.choice(CLAIMS)
    elif way == 5:
        del data[place : place + random.randrange(1, 9)]
    elif way == 6:
        data[place:place] = bytes((0x5E, random.randrange(6)))
    else:
        other = random.choice(seeds())
        start = random.randrange(len(other) + 1)
        data[place:place] = other[start : start + random.randrange(40)]


def without_header(random: Random) -> bytes:
    """A message of version 0, as likely as not."""
    data = bytearray()
    for _ in range(random.randrange(1, 9)):
        way = random.randrange(6)
        if way == 0:
            data += random.choice(seeds())[2:]
        elif way in (1, 2):
            data += b'"\1' + bytes((random.choice(b"abc01"), 0x49, random.randrange(10)))
        elif way == 3:
            data += bytes((0x7B, random.randrange(4)))
        elif way == 4:
            data += bytes((0x40, random.randrange(4), random.randrange(6)))
        else:
            data += random.choice((b"\0", b"\x24", b"?\1", b"_", b"0", b"I\2"))
    return bytes(data)

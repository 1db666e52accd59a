"""Damaged messages: what Node wrote, with a few bytes changed, left out, put in or cut off."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

from tests.vectors import of_node

_TELLING: Final = (
    bytes([0, 1, 2, 3, 0x7F, 0x80, 0xFF]) + b"?-_0TFIUNZS\"c^o{A$a@DyxnzsR;:',B~tuVr\\pwm.mscERTC"
)
_LONGEST: Final = 300  # bytes of a message before it is damaged: the rest would rarely be reached


def damaged(number: int, seed: int) -> Iterator[bytes]:
    """*number* messages, the same ones for the same *seed*."""
    chance = random.Random(seed)
    messages = [case.data for case in of_node(22).values()]
    for _ in range(number):
        data = bytearray(chance.choice(messages)[:_LONGEST])
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            _damage(data, chance, messages)
        if data:
            yield bytes(data)


def _damage(data: bytearray, chance: random.Random, messages: list[bytes]) -> None:
    at = chance.randrange(2 if len(data) > 2 and chance.random() < 0.9 else 0, len(data) or 1)
    match chance.randrange(7):
        case 0 | 1 if data:
            data[min(at, len(data) - 1)] = chance.choice(_TELLING)
        case 2:
            data.insert(at, chance.choice(_TELLING))
        case 3 if data:
            del data[min(at, len(data) - 1)]
        case 4:
            del data[at:]
        case 5:
            data[at:at] = chance.choice(messages)[2:40]
        case _ if len(data) > 1:
            data[1] = chance.randrange(17)

"""Any bytes are a value or a DecodeError; a value survives the round trip; memory stays bounded."""

from __future__ import annotations

import tracemalloc
from random import Random
from typing import Any, Final

from clonecodec import DataCloneError, DecodeError, dumps, loads
from fuzz.corpus import message, without_header
from tests.same import difference

PER_BYTE: Final = 512
CONSTANT: Final = 100_000
MEASURED: Final = 0.05
"""The share of inputs whose memory is measured, which is slow."""


def attempt(random: Random) -> None:
    """Try one input."""
    old = random.random() < 0.2
    data = without_header(random) if old else message(random)
    measured = random.random() < MEASURED
    if measured:
        tracemalloc.start()
    try:
        try:
            value: Any = loads(data, legacy=old)
        except DecodeError as error:
            assert 0 <= error.offset <= len(data), (error, data.hex(" "))
            return
        finally:
            if measured:
                peak = tracemalloc.get_traced_memory()[1]
                assert peak <= PER_BYTE * len(data) + CONSTANT, (peak, data.hex(" "))
    finally:
        if measured:
            tracemalloc.stop()
    check(value, data)


def check(value: Any, data: bytes) -> None:
    """Assert that *value*, read from *data*, survives."""
    for version in (13, 15, 16):
        try:
            written = dumps(value, version=version)
        except DataCloneError as error:
            # What only version 16 can say: lengths beyond 32 bits.
            assert "only in 16" in error.reason, (error, data.hex(" "))
            continue
        if version == 13:
            loads(written)  # a resizable buffer has become a fixed one
            continue
        again = loads(written)
        # Views on one buffer become independent, as in Node; what has been written once has none.
        first = again if b"V" in data else value
        wrong = difference(loads(dumps(again, version=version)), first)
        assert wrong is None, (wrong, data.hex(" "), written.hex(" "))

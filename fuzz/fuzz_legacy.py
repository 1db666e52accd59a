"""Versions 0 to 13: the codec and the commands' scanner, which share no code, come to the same verdict."""

from __future__ import annotations

import re
from random import Random
from typing import Final

from clonecodec import DecodeError, DefaultDeserializer
from clonecodec.cli.scan import Scan
from fuzz.corpus import message, without_header

LONG: Final = re.compile(rb"[\x80-\xff]{5}")
"""May be a length of more than 32 bits: the scanner knows those of version 16 only."""


def attempt(random: Random) -> None:
    """Try one input."""
    if random.random() < 0.4:
        data = without_header(random)
    else:
        data = b"\xff" + bytes((random.randrange(1, 14),)) + message(random)[2:]
    if LONG.search(data):
        return
    scan = Scan(data, follow=False)
    for _ in scan.rows():
        pass
    read = DefaultDeserializer(data, legacy=True)
    try:
        read.read_header()
        read.read_value()
        problem = None
    except DecodeError as error:
        problem = str(error)
    assert (problem is None) == (scan.fault is None and not scan.unresolved), (
        f"codec: {problem}; scan: {scan.fault} {scan.unresolved}; {data.hex(' ')}"
    )

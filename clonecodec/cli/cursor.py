"""Bytes under a cursor, for the reader behind ``inspect``: numbers and runs, and what was expected of them.

    varint   7 bits a byte, lowest first, top bit set on all but the last; 32 bits unless said otherwise
    double   8 bytes, IEEE 754, little-endian
    raw      that many bytes, as they are

Written apart from the codec's own primitives and sharing nothing with them: two readers that agree prove more
than one.  Forms that are legal but that no writer produces are remembered in ``oddities``.
"""

from __future__ import annotations

import struct
from typing import Final

_MAX_ODDITIES: Final = 1000  # a hostile file could have one a byte; a person reads the first few


class Fault(Exception):  # noqa: N818  # a finding of the reader, which its caller reports: no error of a program
    """The bytes stop making sense here.

    Attributes:
        offset: index of the first byte that cannot be right.
        expected: what the format asks for there.
        found: what is there instead.
        truncated: the data ends; with more of it this might be fine.
        path: the place in the value, such as ``$.tags[1]``; empty until it is known.
    """

    def __init__(
        self, offset: int, expected: str, found: str, *, truncated: bool = False, path: str = ""
    ) -> None:
        super().__init__(offset, expected, found)
        self.offset = offset
        self.expected = expected
        self.found = found
        self.truncated = truncated
        self.path = path

    def __str__(self) -> str:
        return f"byte {self.offset}: expected {self.expected}, found {self.found}"


class Cursor:
    """A position in *data*, which ends at *end*."""

    __slots__ = ("data", "end", "oddities", "oddity_count", "position")

    def __init__(self, data: bytes, position: int = 0, end: int | None = None) -> None:
        self.data: Final = data
        self.position = position
        self.end = len(data) if end is None else end
        self.oddities: list[tuple[int, str]] = []
        self.oddity_count = 0

    def odd(self, offset: int, what: str) -> None:
        """Remember a form that is legal, and that no writer produces."""
        self.oddity_count += 1
        if len(self.oddities) < _MAX_ODDITIES:
            self.oddities.append((offset, what))

    def varint(self, what: str, bits: int = 32) -> int:
        """An unsigned number of *bits* bits.

        V8 stops after as many bytes as *bits* can fill and drops what does not fit; but it wants to see one
        more byte when the last of them promises more (ValueDeserializer::ReadVarintLoop).  So do we.
        """
        data, start, end = self.data, self.position, self.end
        position, value, shift = start, 0, 0
        while True:
            if position >= end:
                raise Fault(end, f"{what} (a varint)", "the end of the data", truncated=True)
            if shift >= bits:
                break
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        self.position = position
        kept = value & ((1 << bits) - 1)
        if position - start > 1 and position - start != max(1, (kept.bit_length() + 6) // 7):
            self.odd(start, f"a varint of {position - start} bytes for {kept}")
        return kept

    def double(self, what: str) -> float:
        return float(struct.unpack("<d", self.raw(8, what))[0])

    def raw(self, length: int, what: str) -> bytes:
        start = self.position
        self.skip(length, what)
        return self.data[start : self.position]

    def skip(self, length: int, what: str) -> None:
        """Step over *length* bytes of *what*."""
        left = self.end - self.position
        if length > left:
            found = f"only {left}" if left else "the end of the data"
            raise Fault(self.position, f"{count(length, 'byte')} of {what}", found, truncated=True)
        self.position += length

    def fixed(self, length: int, what: str) -> int:
        """A big-endian number of *length* bytes: only frames and envelopes have these."""
        return int.from_bytes(self.raw(length, what), "big")


def count(number: int, noun: str) -> str:
    """``1 byte``, ``2 bytes``, ``3 entries``."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1] + 'ies' if noun.endswith('y') else noun + 's'}"


def number_as_key(number: float) -> str:
    """The property key that JavaScript makes of *number*: 1.0 is ``"1"`` and 1e21 is ``"1e+21"``."""
    if number != number:
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    sign = "-" if number < 0 else ""
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    power = point - 1
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if power > 0 else '-'}{abs(power)}"

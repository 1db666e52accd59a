"""Deno KV's keys: a key is its parts, one after the other, so that bytes sort as keys do.

    Uint8Array  01 bytes 00     string  02 UTF-8 00         in both, 00 is written as 00 FF
    bigint      14              0
                14+n bytes      n (1 to 8) bytes, big-endian       14-n bytes  the same, negative: inverted
                1D n bytes      more than 8 bytes                  0B ~n bytes the same, negative: inverted
    number      21 bits         8 bytes, big-endian, the sign inverted; of a negative number all bits
    boolean     26 false, 27 true

FoundationDB's tuple layer, less what Deno does not need.
"""

from __future__ import annotations

import struct
from typing import Final, TypeAlias

from clonecodec import BigInt
from clonecodec.errors import DecodeError, TruncatedError

KeyPart: TypeAlias = "bytes | str | int | float | BigInt | bool"

BYTES: Final = 0x01
STRING: Final = 0x02
NEGATIVE_LONG: Final = 0x0B
ZERO: Final = 0x14
POSITIVE_LONG: Final = 0x1D
NUMBER: Final = 0x21
FALSE: Final = 0x26
TRUE: Final = 0x27

_SIGN: Final = 1 << 63
_ALL: Final = (1 << 64) - 1
_MAX_SAFE: Final = 2**53 - 1


def decoded_key(data: bytes) -> tuple[KeyPart, ...]:
    """The parts of a key.

    A bigint is a ``BigInt`` of any size; a number is an int if it is a safe integer, else a float.

    >>> decoded_key(bytes.fromhex("02 7573657273 00 15 07 27"))
    ('users', BigInt(7), True)
    """
    parts: list[KeyPart] = []
    offset = 0
    while offset < len(data):
        tag = data[offset]
        if tag in (BYTES, STRING):
            part, offset = _escaped(data, offset + 1)
            parts.append(_text(part, offset) if tag == STRING else part)
        elif NEGATIVE_LONG <= tag <= POSITIVE_LONG:
            number, offset = _big_int(data, offset)
            parts.append(number)
        elif tag == NUMBER:
            parts.append(_number(_run(data, offset + 1, 8)))
            offset += 9
        elif tag in (FALSE, TRUE):
            parts.append(tag == TRUE)
            offset += 1
        else:
            raise DecodeError(f"unknown tag 0x{tag:02x} of a key", offset)
    return tuple(parts)


def _run(data: bytes, offset: int, length: int) -> bytes:
    if offset + length > len(data):
        raise TruncatedError(f"expected {length} bytes of a key", len(data))
    return data[offset : offset + length]


def _escaped(data: bytes, offset: int) -> tuple[bytes, int]:
    """The bytes up to a zero that is not escaped, and the offset after it."""
    start = offset
    while True:
        end = data.find(0, offset)
        if end < 0:
            raise TruncatedError("expected the end of a part of a key, 0x00", len(data))
        if data[end + 1 : end + 2] != b"\xff":
            return data[start:end].replace(b"\0\xff", b"\0"), end + 1
        offset = end + 2


def _text(part: bytes, end: int) -> str:
    try:
        return part.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DecodeError("a part of a key is not UTF-8", end - 1 - len(part)) from error


def _big_int(data: bytes, offset: int) -> tuple[BigInt, int]:
    tag = data[offset]
    offset += 1
    if tag in (NEGATIVE_LONG, POSITIVE_LONG):
        [length] = _run(data, offset, 1)
        length = length ^ 0xFF if tag == NEGATIVE_LONG else length
        offset += 1
    else:
        length = abs(tag - ZERO)
    digits = int.from_bytes(_run(data, offset, length), "big")
    if tag < ZERO:
        digits -= (1 << 8 * length) - 1
    return BigInt(digits), offset + length


def _number(data: bytes) -> int | float:
    bits = int.from_bytes(data, "big")
    bits ^= _SIGN if bits & _SIGN else _ALL
    [number] = struct.unpack("<d", bits.to_bytes(8, "little"))
    assert isinstance(number, float)
    if number.is_integer() and abs(number) <= _MAX_SAFE and bits != _SIGN:  # (not -0)
        return int(number)
    return number

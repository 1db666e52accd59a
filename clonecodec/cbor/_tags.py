"""The CBOR tags that are written and read, and what an item's *flavour* is.

JavaScript has fewer kinds of value than Python and Python fewer than CBOR, so some items come in several
flavours.  Tag 55799 "self-described CBOR" says nothing at all about the item behind it (RFC 8949, 3.4.6), and
every reader drops it; so here one or two of them in front of an item are a hint to ourselves:

    item                  as it is       one FLAVOUR      two
    array                 list           tuple            Array (it has holes)
    SET array             set            frozenset
    byte string           bytes          bytearray
    UINT8 byte string     memoryview     ArrayBuffer      DataView
    whole float           float          int
    anything else         unchanged      unchanged        unchanged

The very first 55799 of a message is its magic number, as RFC 8949 means it, and no hint.
"""

from __future__ import annotations

import sys
from array import array
from typing import Final

from .._kinds import KINDS, Kind

BIG_ENDIAN: Final = sys.byteorder == "big"

# fmt: off

# RFC 8949
DATE_TEXT: Final = 0            # text, such as "2013-03-21T20:04:00Z"; only read
DATE: Final = 1                 # number, of seconds since 1970
BIGNUM: Final = 2               # bytes of n, big-endian
NEGATIVE_BIGNUM: Final = 3      # bytes of -1 - n
FLAVOUR: Final = 55799          # any item

# Registered with IANA
GENERIC: Final = 27             # [class:text argument*]: RegExp, and errors
SHAREABLE: Final = 28           # any item, which takes the next index
SHARED: Final = 29              # index:uint
ABSENT: Final = 31              # undefined: a hole
SET: Final = 258                # [member*]
MAP: Final = 259                # {(key value)*}
INDIRECT: Final = 22098         # bool, number, bigint or text: a boxed primitive

# Our own, since nothing registered fits
CLONE: Final = 0x636C_6F6E      # "clon"
#                                 ["Array" [item*] {property*}]
#                                 ["SparseArray" length:uint {(index:uint item)*} {property*}]
#                                 ["ArrayBuffer" bytes maximum:uint]: a resizable one

# fmt: on

# RFC 8746: bytes behind a tag of 0b010fsell: float, signed, little-endian, log2 of the size
UINT8: Final = 64
UINT8_CLAMPED: Final = 68
FLOAT16: Final = 84

TAG_OF_KIND: Final = {
    "Uint8Array": UINT8, "Uint8ClampedArray": UINT8_CLAMPED, "Uint16Array": 69, "Uint32Array": 70,
    "BigUint64Array": 71, "Int8Array": 72, "Int16Array": 77, "Int32Array": 78, "BigInt64Array": 79,
    "Float16Array": FLOAT16, "Float32Array": 85, "Float64Array": 86,
}  # fmt: skip
"""JavaScript's name of a typed array to its little-endian tag.

The big-endian one is 4 less, where an element has more than one byte.  76 is reserved, and 83 and 87 are
128-bit floats, which JavaScript does not have.
"""

NATIVE_KINDS: Final[dict[int, tuple[Kind, bool]]] = {
    number: (kind, little == BIG_ENDIAN and kind.size > 1)
    for kind in KINDS
    if kind.name in TAG_OF_KIND
    for number, little in ((TAG_OF_KIND[kind.name], True), (TAG_OF_KIND[kind.name] - 4, False))
    if little or kind.size > 1
}
"""Tag to kind, and whether its bytes are to be swapped on this machine."""

KNOWN: Final = NATIVE_KINDS.keys() | {
    *(DATE_TEXT, DATE, BIGNUM, NEGATIVE_BIGNUM, FLAVOUR),
    *(GENERIC, SHAREABLE, SHARED, ABSENT, SET, MAP, INDIRECT, CLONE),
}
"""Tags that mean something here, and are wrong around anything else."""

MAGIC: Final = b"\xd9\xd9\xf7"
"""FLAVOUR's bytes."""


def head(major: int, argument: int) -> bytes:
    """The shortest head of *major* type (0 to 7) with *argument*."""
    if argument < 24:
        return bytes((major << 5 | argument,))
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << 8 * size:
            return bytes((major << 5 | info,)) + argument.to_bytes(size, "big")
    raise OverflowError("CBOR has no lengths past 2**64")


def tag(number: int) -> bytes:
    """The bytes of tag *number*."""
    return head(6, number)


def swapped(octets: bytes, size: int, really: bool = True) -> bytes:
    """Return *octets* with the bytes of each element of *size* bytes in reverse, if *really*."""
    if not really or size == 1:
        return octets
    elements = array({2: "H", 4: "I", 8: "Q"}[size], octets)
    elements.byteswap()
    return elements.tobytes()

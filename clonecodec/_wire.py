"""The format's primitives: integers, doubles and BigInt digits, and no tag.

    uint32  base-128 varint: 7 bits a byte, lowest first, the top bit set on all but the last
    zigzag  uint32 of (n << 1) ^ (n >> 31), so that 0, -1, 1, -2 become 0, 1, 2, 3
    double  8 bytes, IEEE 754, little-endian
    BigInt  uint32 of (bytes << 1 | sign), then the digits, little-endian, a multiple of 8 bytes as V8
    writes them

Only this module and the two loops that inline it do arithmetic on offsets.
"""

from __future__ import annotations

import struct

from .errors import DecodeError, TruncatedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

pack_double: Final = struct.Struct("<d").pack
unpack_double: Final = struct.Struct("<d").unpack_from

NAN: Final = struct.pack("<Q", 0x7FF8000000000000)
"""The one NaN that is written."""


def varint(number: int) -> bytes:
    """Return *number* (not negative) as a varint."""
    if number < 0x80:
        return _ONE_BYTE[number]
    code = bytearray()
    while number > 0x7F:
        code.append(number & 0x7F | 0x80)
        number >>= 7
    code.append(number)
    return bytes(code)


_ONE_BYTE: Final = [bytes((number,)) for number in range(0x80)]


def double(number: float) -> bytes:
    """Return *number* as 8 bytes; every NaN is written as the same one."""
    return pack_double(number) if number == number else NAN


def big_int(number: int) -> bytes:
    """Return *number* as a BigInt's bitfield and digits."""
    length = (abs(number).bit_length() + 63) // 64 * 8
    return varint(length << 1 | (number < 0)) + abs(number).to_bytes(length, "little")


class WireReader:
    """A cursor over the bytes of one message.

    Attributes:
        data: the bytes; slices of it are bytes, or memoryviews if it is one.
        offset: of the next byte to be read.
        blind: whether looking for a byte that may not come could wait for ever.
    """

    __slots__ = ("blind", "data", "offset")

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self.data = data
        self.offset = 0
        self.blind = False

    def has(self, end: int) -> bool:
        """Whether there are bytes up to *end*."""
        return end <= len(self.data)

    def left(self) -> int:
        """How many bytes are left at the most."""
        return len(self.data) - self.offset

    def byte(self) -> int:
        offset = self.offset
        if offset >= len(self.data) and not self.has(offset + 1):
            raise TruncatedError("expected a byte", offset)
        self.offset = offset + 1
        return self.data[offset]

    def padded(self) -> int:
        """Return where the padding that comes next ends: the offset of a byte, or of the end."""
        data, offset = self.data, self.offset
        while (offset < len(data) or self.has(offset + 1)) and not data[offset]:
            offset += 1
        return offset

    def tag(self) -> int:
        """Read padding and a tag."""
        offset = self.padded()
        if offset >= len(self.data):
            raise TruncatedError("expected a tag", offset)
        self.offset = offset + 1
        return self.data[offset]

    def ends(self, end: int) -> bool:
        """Whether the tag *end* comes next; if so, read it.  If not, not even padding is read."""
        offset = self.padded()
        if offset < len(self.data) and self.data[offset] == end:
            self.offset = offset + 1
            return True
        return False

    def varint(self, longest: int = 5, bits: int = 32) -> int:
        """Read a varint of *bits* bits, at most *longest* bytes of it.

        V8 stops after that many bytes, whether or not the last says that more follow, and drops the bits
        that do not fit; so do we.  (ValueDeserializer::ReadVarint.)
        """
        value = 0
        for shift in range(0, 7 * longest, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        else:
            # V8's fast path stops here without a look; the slow one, near the end of the data, wants to see
            # that there is a further byte.  (ReadVarintLoop.)
            if not self.blind and not self.has(self.offset + 1):
                raise TruncatedError("expected the rest of a varint", self.offset)
        return value & ((1 << bits) - 1)

    def uint8(self) -> int:
        return self.varint(2, 8)

    def uint64(self) -> int:
        return self.varint(10, 64)

    def zigzag(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def double(self) -> float:
        end = self.offset + 8
        if not self.has(end):
            raise TruncatedError("expected 8 bytes of a double", self.offset)
        value: float = unpack_double(self.data, self.offset)[0]
        self.offset = end
        return value

    def raw(self, length: int) -> bytes | memoryview:
        """Return the next *length* bytes: the sender's claim, so nothing is done before it is checked."""
        end = self.offset + length
        if not self.has(end):
            raise TruncatedError(f"expected {length} bytes, {self.left()} are left", self.offset)
        run = self.data[self.offset : end]
        self.offset = end
        return run if isinstance(run, memoryview) else bytes(run)

    def show(self, length: int) -> memoryview:
        """The same, as a view of the data's own memory."""
        start = self.offset
        end = start + length
        if not self.has(end):
            raise TruncatedError(f"expected {length} bytes, {self.left()} are left", start)
        self.offset = end
        return memoryview(self.data)[start:end]

    def big_int(self) -> int:
        start = self.offset
        bitfield = self.varint()
        length = bitfield >> 1 & 0x3FFF_FFFF
        if length == 0 and bitfield & 1:
            raise DecodeError("a BigInt of no digits is not negative", start)
        number = int.from_bytes(self.raw(length), "little")
        return -number if bitfield & 1 else number

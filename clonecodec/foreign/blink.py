"""Values as Chrome and Electron store and send them: IndexedDB, ``history.state``, messages.

    none        version 0, no header at all
    < 16        FF v8:uint value                            one header for both
    16 to 20    FF blink:uint FF v8:uint value
    >= 21       FF blink:uint FE offset:8 size:4 FF v8:uint value [trailer]
                (offset and size big-endian, from the first byte on; 0 and 0 for no trailer)
    trailer     (A0 length:4 tags)*                         interfaces that a reader must have

IndexedDB puts the record's version (uint) before all that, keeps what is older than version 17 with the
bytes of each pair swapped, and has two wrappers that look like version 17:

    FF 11 01 size:uint index:uint                           the value is in a blob beside the record
    FF 11 02 ...                                            ... is compressed: Snappy's raw format
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from clonecodec import Deserializer
from clonecodec.errors import DecodeError, TruncatedError
from clonecodec.foreign._blink_objects import BlinkObject, Fields, read_blink_object
from clonecodec.foreign._places import shifted

VERSION: Final = 0xFF
TRAILER_OFFSET: Final = 0xFE
TRAILER_INTERFACES: Final = 0xA0
TWO_HEADERS: Final = 16  # the first version with a header of Blink's and one of V8's
TRAILERS: Final = 21  # the first version with a trailer
WRAPPED: Final = 17
LATEST: Final = 16  # version of V8's format
IN_A_BLOB: Final = 1
COMPRESSED: Final = 2
SNAPPY_AT_MOST: Final = 22  # 3 bytes of Snappy make 64 bytes at most


@dataclass(frozen=True)
class Envelope:
    """What lies around V8's bytes.

    Attributes:
        version: Blink's; V8's where there is one header, 0 where there is none.
        start: of V8's header.
        end: of V8's bytes; a trailer may follow.
        wrapper: ``None``, ``"blob"`` or ``"snappy"``; then ``start`` is where the wrapper's own bytes begin.
        interfaces: the host objects' tags that the trailer lists.
    """

    version: int
    start: int
    end: int
    wrapper: str | None = None
    interfaces: bytes = b""


class BlinkDeserializer(Deserializer):
    """Reads V8's format with Blink's host objects, of any version."""

    def __init__(self, data: bytes | bytearray | memoryview, blink_version: int) -> None:
        super().__init__(data, legacy=True)
        self._blink_version = blink_version

    def read_host_object(self) -> object:
        fields = Fields(self, self._blink_version or self.wire_format_version, lambda: self.offset)
        return read_blink_object(fields)


def read_blink(
    data: bytes | bytearray | memoryview,
    *,
    record_version: bool | None = None,
    byte_swapped: bool | None = None,
) -> Any:
    """Read a value that Chrome or Electron wrote, whatever its version.

    Host objects come back as ``BlinkObject``s.  What IndexedDB keeps outside of the record comes back as
    ``BlinkObject("ExternalValue", {"size": ..., "index": ...})``: read that blob, and call this with it.

    Args:
        data: one value: of a message, or a record of an IndexedDB object store.
        record_version: whether IndexedDB's version of the record comes first.  None: look.
        byte_swapped: whether the bytes of each pair are swapped, as in IndexedDB before April 2017.  None:
            look; it cannot be seen where there is no header (version 0).

    Raises:
        DecodeError: *data* is no such value.  ``.offset`` counts in *data* (in what is inside, if it is
            compressed or swapped, and the message says so).
        ImportError: it is compressed, and cramjam is not installed (``pip install clonecodec[foreign]``).

    >>> read_blink(bytes.fromhex("ff14 ff0f 6f 2201 78 4902 7b01"))
    {'x': 1}
    >>> read_blink(bytes.fromhex("ff14 ff0f 5c 69 03"))
    BlinkObject(kind='BlobIndex', fields={'index': 3})
    """
    whole = bytes(data)
    if not whole:
        raise TruncatedError("expected a value", 0)
    prefix, swapped = _layers(whole, record_version, byte_swapped)
    inner = whole[prefix:]
    if swapped:
        with shifted(0, " (after swapping the bytes)"):
            return _read(_swapped(inner))
    with shifted(prefix):
        return _read(inner)


def read_envelope(data: bytes | bytearray | memoryview) -> Envelope:
    """Read what lies around V8's bytes in *data*, which begins with it.

    Raises:
        DecodeError: there is a header, and it is not one of Blink's.

    >>> read_envelope(bytes.fromhex("ff14 ff0f 30"))
    Envelope(version=20, start=2, end=5, wrapper=None, interfaces=b'')
    """
    whole = bytes(data)
    end = len(whole)
    if whole[:1] != b"\xff":
        return Envelope(0, 0, end)
    version, offset = _varint(whole, 1)
    if version < TWO_HEADERS:
        return Envelope(version, 0, end)
    follows = whole[offset] if offset < end else None
    if version == WRAPPED and follows == IN_A_BLOB:
        return Envelope(version, offset + 1, end, "blob")
    if version == WRAPPED and follows == COMPRESSED:
        return Envelope(version, offset + 1, end, "snappy")
    if version == TWO_HEADERS and follows not in (VERSION, None):
        return Envelope(version, 0, end)  # V8's own version 16, without an envelope
    interfaces = b""
    if version >= TRAILERS:
        start = offset + 13
        if follows not in (TRAILER_OFFSET, None):
            raise DecodeError("expected the place of the trailer, 0xfe", offset)
        if start > end:
            raise TruncatedError("expected the place of the trailer", end)
        place = int.from_bytes(whole[offset + 1 : offset + 9], "big")
        size = int.from_bytes(whole[offset + 9 : start], "big")
        if place or size:
            if place < start or place + size > end:
                raise DecodeError(f"a trailer of {size} bytes at {place} is not within the data", offset + 1)
            interfaces = _trailer(whole, place, place + size)
            end = place
        offset = start
    if offset >= end:
        raise TruncatedError("expected V8's header, 0xff", offset)
    if whole[offset] != VERSION:
        raise DecodeError("expected V8's header, 0xff", offset)
    return Envelope(version, offset, end, None, interfaces)


def _trailer(data: bytes, offset: int, end: int) -> bytes:
    interfaces: bytes | None = None
    while offset < end:
        if data[offset] != TRAILER_INTERFACES or interfaces is not None:
            raise DecodeError(f"unknown section 0x{data[offset]:02x} of the trailer", offset)
        length = int.from_bytes(data[offset + 1 : offset + 5], "big")
        if offset + 5 + length > end:
            raise DecodeError("a section of the trailer is longer than the trailer", offset)
        interfaces = data[offset + 5 : offset + 5 + length]
        offset += 5 + length
    return interfaces or b""


def _layers(data: bytes, record_version: bool | None, byte_swapped: bool | None) -> tuple[int, bool]:
    """How many bytes of record version come first, and whether the rest is swapped."""
    record = _record_version(data)
    prefixes = {True: [record], False: [0], None: [0, record]}[record_version]
    swaps = [False, True] if byte_swapped is None else [byte_swapped]
    for swapped in swaps:
        for prefix in dict.fromkeys(prefixes):
            # Where nobody said that it is IndexedDB's, a record version is only believed before what
            # IndexedDB writes since it has no more swapping: two headers.
            oldest = TWO_HEADERS if prefix and record_version is None and not swapped else 0
            if _plausible(data[prefix:], swapped, oldest):
                return prefix, swapped
    return prefixes[0], byte_swapped or False


def _record_version(data: bytes) -> int:
    """The length of the varint that *data* begins with, 0 if it is none."""
    for length, byte in enumerate(data[:10], 1):
        if byte < 0x80:
            return length
    return 0


def _plausible(data: bytes, swapped: bool, oldest: int) -> bool:
    """Whether *data* begins with a header, or two, of versions that there are, none older than *oldest*."""
    if swapped:
        if len(data) % 2:
            return False
        data = _swapped(data[:32])  # so old that nothing lies at the end
    try:
        envelope = read_envelope(data)
        if envelope.wrapper:
            return not swapped
        version, offset = _varint(data, envelope.start + 1)
    except DecodeError:
        return False
    if data[0] != VERSION or version > LATEST or data[offset : offset + 1] == b"\xff":  # no tag
        return False
    if swapped:
        return envelope.version <= TWO_HEADERS
    return envelope.version >= oldest and (envelope.start > 0 or not oldest)


def _swapped(data: bytes) -> bytes:
    """*data* with the bytes of each pair swapped; an odd last one stays."""
    result = bytearray(data)
    even = len(data) & ~1
    result[0:even:2], result[1:even:2] = data[1:even:2], data[0:even:2]
    return bytes(result)


def _read(data: bytes) -> Any:
    envelope = read_envelope(data)
    if envelope.wrapper == "blob":
        size, offset = _varint(data, envelope.start)
        index, _ = _varint(data, offset)
        return BlinkObject("ExternalValue", {"size": size, "index": index})
    if envelope.wrapper == "snappy":
        inner = _decompressed(data, envelope.start)
        with shifted(0, " (after decompressing)"):
            envelope = read_envelope(inner)
            if envelope.wrapper:
                raise DecodeError("a compressed value in a compressed value", 0)
            return _read_value(inner, envelope)
    return _read_value(data, envelope)


def _read_value(data: bytes, envelope: Envelope) -> Any:
    blink_version = envelope.version if envelope.start else 0
    with shifted(envelope.start):
        deserializer = BlinkDeserializer(data[envelope.start : envelope.end], blink_version)
        deserializer.read_header()
        return deserializer.read_value()


def _decompressed(data: bytes, start: int) -> bytes:
    length, _ = _varint(data, start)
    if length > SNAPPY_AT_MOST * (len(data) - start):
        raise DecodeError(f"{len(data) - start} bytes of Snappy cannot hold {length}", start)
    try:
        import cramjam
    except ImportError as error:
        raise ImportError(
            "this value is compressed with Snappy: install cramjam (pip install 'clonecodec[foreign]')"
        ) from error
    try:
        return bytes(cramjam.snappy.decompress_raw(data[start:]))
    except cramjam.DecompressionError as error:
        raise DecodeError(f"not Snappy's raw format ({error})", start) from error


def _varint(data: bytes, offset: int) -> tuple[int, int]:
    """The uint at *offset*, and the offset after it."""
    value = shift = 0
    for place in range(offset, len(data)):
        byte = data[place]
        if shift < 32:
            value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value & 0xFFFFFFFF, place + 1
    raise TruncatedError("expected a varint", len(data))

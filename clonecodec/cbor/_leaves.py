"""Values that hold no other: numbers, dates, holes, and everything that is made of a byte string."""

from __future__ import annotations

import math
import struct
from datetime import UTC, datetime
from typing import Any, Final

import cbor2

from .._dates import from_milliseconds
from .._views import make_view
from ..buffers import ArrayBuffer
from ..errors import DecodeError
from ..values import MAX_SAFE_INTEGER, BigInt, Boxed, Date, hole, undefined
from ..views import DataView
from . import _tags as tags
from ._frames import Content, Slot

_SIMPLE: Final[dict[int, object]] = {0xF4: False, 0xF5: True, 0xF6: None, 0xF7: undefined}
_FLOATS: Final = {0xF9: ">e", 0xFA: ">f", 0xFB: ">d"}

_ADVICE: Final = {
    0xDFFF: "that is a record of cbor-x: write with useRecords: false",
    0xDFFE: "that is a record of cbor-x: write with useRecords: false",
    0xDFF9: "that is a bundle of cbor-x: write with bundleStrings: false",
    51: "that is packed CBOR of cbor-x: write with pack: false",
    6: "that is packed CBOR of cbor-x: write with pack: false",
    25: "string references are not read",
    256: "string references are not read",
    35: "a regular expression is read from tag 27 only",
}


def unknown_tag(tag: int, start: int) -> DecodeError:
    """The error for a tag that means nothing, or nothing where it stands."""
    if tag in tags.KNOWN:
        return DecodeError(f"tag {tag} around what it does not belong to", start)
    advice = _ADVICE.get(tag, "a tag_hook could say what it means")
    return DecodeError(f"unknown tag {tag}: {advice}", start)


def as_integer(initial: int, argument: int, start: int) -> int:
    """The integer of a head of major type 0 or 1; a bigint if it has eight bytes, as cbor-x writes them."""
    if argument < 0:
        raise DecodeError(f"0x{initial:02x} begins no item", start)
    value = -1 - argument if initial >= 0x20 else argument
    return _bigint(value) if initial & 0x1F == 27 else value


def _bigint(value: int) -> int:
    return BigInt(value) if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER else value


def simple(initial: int, argument: int, start: int) -> object:
    """The value of a head of major type 7."""
    if initial in _SIMPLE:
        return _SIMPLE[initial]
    code = _FLOATS.get(initial)
    if code is None:
        raise DecodeError(f"the simple value {argument} means nothing", start)
    return struct.unpack(code, argument.to_bytes(struct.calcsize(code), "big"))[0]


def apply(value: object, content: Content | None, around: list[Any], start: int) -> object:
    """Return what *value* is within the tags *around* it, and take those away, from the inside out.

    Args:
        value: a primitive, or what a reference refers to.
        content: the bytes that *value* is, if it is bytes.
        around: the tags, and a Slot for each SHAREABLE, outermost first.  One that means nothing ends it.
    """
    flavours = 0
    number: int | None = None  # the tag that was applied last
    slots: list[Slot] = []
    while around:
        tag = around[-1]
        if isinstance(tag, Slot):
            if type(value) in (int, BigInt) and not -(2**64) <= value < 2**64:  # type: ignore[operator]
                # Hashing it takes long, and again for every reference to it.
                raise DecodeError("a bignum beyond 64 bits cannot be shared", start)
            slots.append(tag)
            tag.value, tag.ready = value, True
            tag.content = content if number is None else None
            if content is not None:
                content.shared = True
        elif tag == tags.FLAVOUR:
            flavours += 1
            flavoured = _flavoured(value, content, number, flavours)
            if flavoured is not value:  # twice at most, however many tags there are
                value = flavoured
                for slot in slots:
                    slot.value = value
        elif tag in tags.KNOWN:
            value = _meant(tag, value, content if number is None else None, start)
            number, flavours, slots = tag, 0, []
        else:
            break
        del around[-1]
    return value


def refer(slot: Slot, around: list[Any], start: int) -> object:
    """Return what a reference to *slot* is within the tags *around* it: only views may be made of it."""
    if all(tag == tags.FLAVOUR for tag in around):
        around.clear()
        return slot.value
    _, swapped = tags.NATIVE_KINDS.get(around[-1], (None, True))
    if swapped or slot.content is None:
        raise DecodeError("a tag around a reference", start)
    slot.content.shared = True
    return apply(slot.content.octets, slot.content, around, start)


def _flavoured(value: object, content: Content | None, number: int | None, flavours: int) -> object:
    if type(value) is float:
        return int(value) if value.is_integer() and abs(value) <= MAX_SAFE_INTEGER else value
    if content is None:
        return value
    if number is None:
        return bytearray(content.octets) if flavours == 1 else value
    if number == tags.UINT8 and flavours <= 2:
        return content.buffer() if flavours == 1 else DataView(content.buffer())
    return value


def _meant(tag: int, value: object, content: Content | None, start: int) -> object:
    """What a tag of ours makes of a leaf."""
    kind = type(value)
    if tag in tags.NATIVE_KINDS and content is not None and value is content.octets:
        return _typed_array(tag, content, start)
    if (tag == tags.BIGNUM or tag == tags.NEGATIVE_BIGNUM) and isinstance(value, bytes):
        number = int.from_bytes(value, "big")
        return _bigint(number if tag == tags.BIGNUM else -1 - number)
    if tag == tags.DATE and isinstance(value, (int, float)) and kind is not bool:
        return _date(value)
    if tag == tags.DATE_TEXT and isinstance(value, str):
        return _date_of_text(value, start)
    if tag == tags.INDIRECT and isinstance(value, (bool, int, float, str)):
        return Boxed(value)
    if tag == tags.ABSENT and value is undefined:
        return hole
    raise unknown_tag(tag, start)


def _typed_array(tag: int, content: Content, start: int) -> object:
    kind, swapped = tags.NATIVE_KINDS[tag]
    length = len(content.octets)
    if length % kind.size:
        raise DecodeError(f"{length} bytes are no whole number of elements of {kind.size}", start)
    if content.shared and not swapped:
        return make_view(kind, content.buffer(), 0, length, False)
    octets = bytearray(tags.swapped(content.octets, kind.size, swapped))
    if kind.name in ("Uint8ClampedArray", "Float16Array"):
        return make_view(kind, ArrayBuffer(octets), 0, length, False)
    return memoryview(octets).cast(kind.format)  # type: ignore[call-overload]  # it wants literals


def _date(seconds: float) -> datetime | Date:
    try:
        shortest = repr(float(seconds))
    except OverflowError:
        return Date(math.nan)
    # The decimal number is meant: it has at most three places if JavaScript wrote it, however far the date.
    exact = shortest.lstrip("-").replace(".", "", 1).isdigit()
    return from_milliseconds(float(shortest + "e3") if exact else float(seconds) * 1000)


def _date_of_text(text: str, start: int) -> datetime:
    try:
        instant = cbor2.loads(b"\xc0" + cbor2.dumps(text))
        if isinstance(instant, datetime):
            return instant.astimezone(UTC)
    except (cbor2.CBORDecodeError, ValueError, OverflowError):
        pass
    raise DecodeError(f"{text[:40]!a} is no date as RFC 3339 writes them", start)

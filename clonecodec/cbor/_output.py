"""What CBOR is written to, and the values that hold no other: one method for each, called by its type.

The methods stand in the order of the table in ``docs/cbor.md``.  cbor2 writes what they write, but for what
it refuses (lone surrogates) and for eight-byte integers, which are bigints here.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import cbor2

from .._dates import EPOCH
from .._instances import refusal
from .._views import view_on
from ..buffers import ArrayBuffer, SharedArrayBuffer
from ..errors import DataCloneError
from ..regexp import RegExp, from_pattern
from ..values import MAX_SAFE_INTEGER, ByIdentity, Date, Hole, Undefined
from . import _tags as tags
from ._shares import insert_shares
from ._tags import head, tag

UNDEFINED: Final = b"\xf7"

_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
"""Types that cbor2 writes as we do, as long as the ints have 32 bits and the text has no lone surrogates."""

_MICROSECOND: Final = timedelta(microseconds=1)


class Output:
    """The bytes so far, and where in them each object begins.

    Args:
        hints: write FLAVOUR in front of what only Python tells apart.
        room: how many containers may lie within each other.
    """

    def __init__(self, *, hints: bool, room: int) -> None:
        self._room = self._most = room
        self._hint = tags.MAGIC if hints else b""
        self._out = bytearray()
        self._leaf: Callable[[object], bytes] = cbor2.CBOREncoder(io.BytesIO()).encode_to_bytes
        self._begun: dict[object, int] = {}
        """Where each object begins, by ``id``; the bytes of a buffer, by a tuple of its ``id``."""
        self._alive: list[object] = []
        """Every object in ``_begun``, so that no id is used again."""
        self._references: list[tuple[int, int]] = []
        """Where each reference stands, and where its object begins."""

    def _need_room(self) -> None:
        if self._room <= 0:
            raise DataCloneError(f"nested more than {self._most} deep")

    def _message(self) -> bytes:
        data = insert_shares(self._out, self._references)
        # The first FLAVOUR of a message is its magic number: a hint must be the second.
        return tags.MAGIC + data if data.startswith(tags.MAGIC) else data

    def _again(self, value: object, hint: bytes = b"") -> bool:
        """Write a reference if *value* has been met before; if not, *hint*, behind which it begins."""
        begins = self._begun.get(id(value))
        if begins is not None:
            self._references.append((len(self._out), begins))
            return True
        self._out += hint
        self._begun[id(value)] = len(self._out)
        self._alive.append(value)
        return False

    # Primitives

    def _constant(self, value: object) -> None:
        self._out += self._leaf(value)

    def _undefined(self, value: Undefined) -> None:
        self._out += UNDEFINED

    def _hole(self, value: Hole) -> None:
        # The items of an array never come here: ``_items`` writes their holes.
        raise DataCloneError("a hole can only be an item of an array")

    def _int(self, value: int) -> None:
        if -(2**32) <= value < 2**32:
            self._out += self._leaf(int(value))
        elif -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
            self._out += self._hint + struct.pack(">Bd", 0xFB, value)
        else:
            self._big(value)

    def _big(self, value: int) -> None:
        """A bigint: in eight bytes where they are enough, as cbor-x writes it, else as a bignum."""
        if 0 <= value < 2**64:
            self._out += struct.pack(">BQ", 0x1B, value)
        elif -(2**64) <= value < 0:
            self._out += struct.pack(">BQ", 0x3B, -1 - value)
        else:
            self._out += self._leaf(int(value))

    def _float(self, value: float) -> None:
        self._out += self._leaf(float(value))

    def _str(self, value: str) -> None:
        try:
            self._out += self._leaf(value)
        except UnicodeEncodeError:
            joined = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
            octets = joined.encode("utf-8", "surrogatepass")
            self._out += head(3, len(octets))
            self._out += octets

    def _plain(self, whole: object, leaves: Iterable[object]) -> bool:
        """Whether cbor2 could write *whole*, a list or dict of which nothing but *leaves* needs a look."""
        kinds = set(map(type, leaves))
        if not kinds <= _PLAIN:
            return False
        self._need_room()
        if int in kinds and not all(type(leaf) is not int or -(2**32) <= leaf < 2**32 for leaf in leaves):
            return False
        try:
            self._out += self._leaf(whole)
        except (UnicodeEncodeError, cbor2.CBOREncodeError):
            return False  # a lone surrogate
        return True

    # Other objects

    def _datetime(self, value: datetime) -> None:
        if value.utcoffset() is None:
            raise refusal(value)
        if not self._again(value):
            self._seconds((value - EPOCH) // _MICROSECOND / 1_000_000)

    def _date(self, value: Date) -> None:
        if not self._again(value):
            self._seconds(value.milliseconds / 1000)

    def _seconds(self, seconds: float) -> None:
        # A longer int would be a bigint in cbor-x, which cannot make a Date of one.
        short = 0 <= seconds < 2**32 and seconds.is_integer()
        self._out += tag(tags.DATE) + self._leaf(int(seconds) if short else seconds)

    def _regexp(self, value: RegExp) -> None:
        if not self._again(value):
            self._out += tag(tags.GENERIC) + head(4, 3) + self._leaf("RegExp")
            self._str(value.source)
            self._str(value.flags)

    def _pattern(self, value: Any) -> None:
        if not self._again(value):
            regexp = from_pattern(value)
            self._out += tag(tags.GENERIC) + head(4, 3) + self._leaf("RegExp")
            self._str(regexp.source)
            self._str(regexp.flags)

    # Buffers

    def _bytes(self, value: bytes) -> None:
        if not self._again(value):
            self._out += self._leaf(bytes(value))

    def _bytearray(self, value: bytearray) -> None:
        if not self._again(value, self._hint):
            self._out += self._leaf(bytes(value))

    def _array_buffer(self, value: ArrayBuffer) -> None:
        if value.detached:
            raise DataCloneError("the ArrayBuffer is detached")
        if value.resizable:
            if not self._again(value):
                self._out += tag(tags.CLONE) + head(4, 3) + self._leaf("ArrayBuffer")
                self._out += self._leaf(bytes(value)) + head(0, value.max_byte_length)
        elif not self._again(value, self._hint):
            self._out += tag(tags.UINT8)
            self._content(value)

    def _shared_array_buffer(self, value: SharedArrayBuffer) -> None:
        raise DataCloneError("a SharedArrayBuffer cannot be written as bytes; send bytes(buffer)")

    def _view(self, value: Any) -> None:
        view = view_on(value)
        name = view.kind.name
        if self._again(value, self._hint * 2 if name == "DataView" else b""):
            return
        self._out += tag(tags.TAG_OF_KIND.get(name, tags.UINT8))
        buffer = view.buffer
        whole = isinstance(buffer, ArrayBuffer) and len(view.octets) == buffer.byte_length
        if isinstance(buffer, ArrayBuffer) and whole and not buffer.resizable:
            self._content(buffer)
        else:
            self._out += self._leaf(tags.swapped(bytes(view.octets), view.kind.size, tags.BIG_ENDIAN))

    def _content(self, buffer: ArrayBuffer) -> None:
        """The bytes of a whole buffer, which other views of it refer to."""
        key = (id(buffer),)
        begins = self._begun.get(key)
        if begins is not None:
            self._references.append((len(self._out), begins))
            return
        self._begun[key] = len(self._out)
        self._alive.append(buffer)
        self._out += self._leaf(bytes(buffer))

    def _by_identity(self, value: ByIdentity) -> None:
        raise DataCloneError("ByIdentity is for a Map's keys and a set's members; elsewhere send its .value")

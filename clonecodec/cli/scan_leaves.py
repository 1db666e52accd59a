"""Tokens of the format that contain no further value: scalars, texts, references, buffers and views of them.

One method a tag; each adds the rows of what it read and says what came of it, which is all that the
containers (``scan_values``) need to know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from clonecodec.cli.cursor import Cursor, Fault, count, number_as_key
from clonecodec.cli.names import REGEXP_FLAGS, TAGS, VIEWS
from clonecodec.cli.rows import Role, Row


class Buffer(NamedTuple):
    """What a view needs to know of its buffer."""

    length: int | None
    """None if the bytes are elsewhere: transferred or shared."""
    resizable: bool


class Result(NamedTuple):
    """What a value turned out to be, as far as its container cares."""

    kind: str
    key: str | None = None
    """The property key that it makes; None if it cannot be one."""
    buffer: Buffer | None = None


class Numbered(NamedTuple):
    """An object that has a number."""

    offset: int
    name: str
    buffer: Buffer | None
    usable: bool


PLAIN: Final = Result("value")
UNDEFINED: Final = Result("undefined")
OBJECT: Final = Result("object")
BEGUN: Final = Result("begun")
"""The value is a container: its frame has been pushed and says later what it is."""

# A lone 00 before these says that the value had a type of Python's; no writer of JavaScript puts one there.
_HINTS: Final = {0x4E: "an int", 0x41: "a tuple", 0x27: "a frozenset", 0x5C: "a bytearray", 0x42: "bytes"}
_LENGTH_BITS: Final = 64
"""Of buffers and views.  Only version 16 needs more than 32; the newest V8 reads them in every version."""


class LeafScanner:
    """Reads leaves at ``cursor`` and adds rows to ``out``."""

    def __init__(self, cursor: Cursor, version: int, *, view_flags: bool = False) -> None:
        self.cursor: Final = cursor
        self.version: Final = version
        self.view_flags: Final = view_flags or version >= 14
        self.out: list[Row] = []
        self.objects: list[Numbered] = []
        self.unresolved: list[tuple[int, str]] = []
        """What only the sender's transfer list could complete."""
        self.origin = cursor.position
        """Where the message begins: two-byte texts are at even offsets from there."""
        self.depth = 0
        self.step = ""
        self.role: Role = "value"
        self._leaves: Final[dict[int, Callable[[int], Result]]] = {
            0x5F: self._undefined,
            0x30: self._constant,
            0x54: self._constant,
            0x46: self._constant,
            0x49: self._int32,
            0x55: self._uint32,
            0x4E: self._double,
            0x5A: self._bigint,
            0x53: self._utf8,
            0x22: self._one_byte,
            0x63: self._two_byte,
            0x5E: self._reference,
            0x44: self._date,
            0x79: self._boxed_constant,
            0x78: self._boxed_constant,
            0x6E: self._number_object,
            0x7A: self._bigint_object,
            0x42: self._array_buffer,
            0x43: self._array_buffer,
            0x7E: self._resizable,
            0x74: self._elsewhere,
            0x75: self._elsewhere,
            0x77: self._wasm_module,
            0x70: self._shared_object,
        }

    # Rows and numbers

    def add(
        self, start: int, name: str, value: str | int | float | None = None, text: str = "", *,
        role: Role | None = None, ident: int | None = None, head: int = 0,
    ) -> Row:  # fmt: skip
        row = Row(start, self.cursor.position, name, value, text, role or self.role, self.depth, "", ident)
        row.head = head
        if row.role in ("value", "begin"):
            row.step = self.step
        self.out.append(row)
        return row

    def number(self, start: int, name: str, buffer: Buffer | None = None, *, usable: bool = True) -> int:
        """Give the object that begins at *start* the next number."""
        self.objects.append(Numbered(start, name, buffer, usable))
        return len(self.objects) - 1

    def finish(self, ident: int) -> None:
        """From here on the object may be referred to."""
        self.objects[ident] = self.objects[ident]._replace(usable=True)

    def peek(self) -> int:
        """The next tag, -1 at the end; padding before it becomes a row only when it is read."""
        cursor = self.cursor
        position, end, data = cursor.position, cursor.end, cursor.data
        while position < end and data[position] == 0:
            position += 1
        return data[position] if position < end else -1

    def padding(self) -> None:
        """Step over padding."""
        cursor = self.cursor
        start, end, data = cursor.position, cursor.end, cursor.data
        if start >= end or data[start]:
            return
        position = start
        while position < end and data[position] == 0:
            position += 1
        if position == end:
            return  # no padding of anything: whoever asks for a tag says so
        cursor.position = position
        hint = _HINTS.get(data[position]) if position - start == 1 else None
        if data[position] == 0x63 and position - start == 1:
            text = "aligns the text"
        else:
            text = f"hint: {hint} in Python" if hint else ""
            if not hint:
                cursor.odd(start, f"{count(position - start, 'byte')} of padding")
        self.add(start, "PADDING", None, text, role="part", head=1 if position - start > 8 else 0)

    # Scalars

    def leaf(self, tag: int, start: int) -> Result | None:
        """Read the value of *tag* at *start*, or say None: it is no leaf."""
        read = self._leaves.get(tag)
        if read is None or (tag == 0x70 and self.version < 15):
            return None
        self.cursor.position = start + 1
        return read(start)

    def _constant(self, start: int) -> Result:
        self.add(start, TAGS[self.cursor.data[start]])
        return PLAIN

    def _undefined(self, start: int) -> Result:
        self._constant(start)
        return UNDEFINED

    def _int32(self, start: int) -> Result:
        code = self.cursor.varint("an int32")
        value = (code >> 1) ^ -(code & 1)
        self.add(start, "INT32", value)
        return Result("number", str(value))

    def _uint32(self, start: int) -> Result:
        value = self.cursor.varint("a uint32")
        self.cursor.odd(start, "UINT32, which no V8 writes")
        self.add(start, "UINT32", value)
        return Result("number", str(value))

    def _double(self, start: int) -> Result:
        value = self._read_double(start, "a double")
        self.add(start, "DOUBLE", value)
        return Result("number", number_as_key(value))

    def _read_double(self, start: int, what: str) -> float:
        value = self.cursor.double(what)
        if value != value and self.cursor.data[self.cursor.position - 8 : self.cursor.position] != _NAN:
            self.cursor.odd(start, "a NaN other than 7ff8000000000000, which reads as that")
        return value

    def _read_bigint(self, start: int) -> int:
        cursor = self.cursor
        at = cursor.position
        bitfield = cursor.varint("a BigInt's sign and length")
        length = (bitfield >> 1) & 0x3FFF_FFFF
        if bitfield & 1 and not length:
            raise Fault(at, "a BigInt's digits", "the sign of a zero without digits")
        digits = cursor.raw(length, "a BigInt's digits")
        value = int.from_bytes(digits, "little")
        if length % 8 or (length and not any(digits[-8:])) or (bitfield & 1 and not value):
            cursor.odd(start, "a BigInt that is not in whole, minimal 64-bit digits")
        return -value if bitfield & 1 else value

    def _bigint(self, start: int) -> Result:
        self.add(start, "BIG_INT", self._read_bigint(start))
        return PLAIN

    def _date(self, start: int) -> Result:
        milliseconds = self._read_double(start, "a Date's milliseconds")
        self.add(start, "DATE", milliseconds, date_text(milliseconds), ident=self.number(start, "DATE"))
        return OBJECT

    def _boxed_constant(self, start: int) -> Result:
        name = TAGS[self.cursor.data[start]]
        self.add(start, name, ident=self.number(start, name))
        return OBJECT

    def _number_object(self, start: int) -> Result:
        value = self._read_double(start, "a Number object's value")
        self.add(start, "NUMBER_OBJECT", value, ident=self.number(start, "NUMBER_OBJECT"))
        return OBJECT

    def _bigint_object(self, start: int) -> Result:
        value = self._read_bigint(start)
        self.add(start, "BIG_INT_OBJECT", value, ident=self.number(start, "BIG_INT_OBJECT"))
        return OBJECT

    # Texts

    def _utf8(self, start: int) -> Result:
        self.cursor.odd(start, "UTF8_STRING, which no V8 writes any more")
        return self.bare_text(start, "UTF8_STRING")

    def bare_text(self, start: int, name: str) -> Result:
        """A varint length and that many bytes of UTF-8; what is not UTF-8 reads as U+FFFD."""
        data = self._run("UTF-8 text")
        text = data.decode("utf-8", "replace")
        self._add_text(start, name, text, len(data))
        return Result("string", text)

    def _one_byte(self, start: int) -> Result:
        data = self._run("Latin-1 text")
        text = data.decode("latin-1")
        self._add_text(start, "ONE_BYTE_STRING", text, len(data))
        return Result("string", text)

    def _two_byte(self, start: int) -> Result:
        at = self.cursor.position
        data = self._run("UTF-16 text", even=True)
        text = data.decode("utf-16-le", "surrogatepass")
        if (self.cursor.position - len(data) - self.origin) % 2:
            self.cursor.odd(at, "a TWO_BYTE_STRING whose text is at an odd offset")
        self._add_text(start, "TWO_BYTE_STRING", text, len(data))
        return Result("string", text)

    def _run(self, what: str, *, even: bool = False) -> bytes:
        at = self.cursor.position
        length = self.cursor.varint(f"the length of {what}")
        if even and length % 2:
            raise Fault(at, f"an even number of bytes of {what}", str(length))
        return self.cursor.raw(length, what)

    def _add_text(self, start: int, name: str, text: str, length: int) -> None:
        self.add(start, name, text, head=self.cursor.position - start - length)

    # References, buffers, views

    def _reference(self, start: int) -> Result:
        at = self.cursor.position
        ident = self.cursor.varint("an object's number")
        if ident >= len(self.objects):
            known = f"objects 0 to {len(self.objects) - 1}" if self.objects else "no object"
            raise Fault(at, f"a reference to an object before it ({known})", f"object {ident}")
        met = self.objects[ident]
        if not met.usable:
            found = f"object {ident}, begun at byte {met.offset}"
            raise Fault(at, "a reference to an object that is complete", found)
        row = self.add(start, "OBJECT_REFERENCE", None, f"to {met.name}")
        row.target, row.target_offset = ident, met.offset
        return Result("buffer" if met.buffer else "object", None, met.buffer)

    def _array_buffer(self, start: int) -> Result:
        name = TAGS[self.cursor.data[start]]
        length = self.cursor.varint("an ArrayBuffer's length", _LENGTH_BITS)
        self.cursor.skip(length, "an ArrayBuffer")
        return self._add_buffer(start, name, Buffer(length, False), count(length, "byte"), length)

    def _resizable(self, start: int) -> Result:
        length = self.cursor.varint("an ArrayBuffer's length", _LENGTH_BITS)
        at = self.cursor.position
        limit = self.cursor.varint("an ArrayBuffer's largest length", _LENGTH_BITS)
        if length > limit:
            raise Fault(at, f"a largest length of at least {length}", str(limit))
        self.cursor.skip(length, "an ArrayBuffer")
        text = f"{count(length, 'byte')}, at most {limit:,}"
        return self._add_buffer(start, "RESIZABLE_ARRAY_BUFFER", Buffer(length, True), text, length)

    def _elsewhere(self, start: int) -> Result:
        name = TAGS[self.cursor.data[start]]
        ident = self.cursor.varint("a transfer's number")
        self.unresolved.append((start, f"{name} {ident}"))
        return self._add_buffer(start, name, Buffer(None, False), f"{ident}, its bytes are not in the data")

    def _add_buffer(self, start: int, name: str, buffer: Buffer, text: str, run: int = 0) -> Result:
        head = self.cursor.position - start - run if run else 0
        self.add(start, name, None, text, ident=self.number(start, name, buffer), head=head)
        return Result("buffer", None, buffer)

    def _wasm_module(self, start: int) -> Result:
        name = "WASM_MODULE_TRANSFER"
        module = self.cursor.varint("a transfer's number")
        self.unresolved.append((start, f"{name} {module}"))
        self.add(start, name, None, str(module), ident=self.number(start, name))
        return OBJECT

    def _shared_object(self, start: int) -> Result:
        ident = self.cursor.varint("a shared object's number")
        self.unresolved.append((start, f"SHARED_OBJECT {ident}"))
        self.add(start, "SHARED_OBJECT", None, str(ident))
        return OBJECT

    def view(self, buffer: Buffer) -> Result:
        """The view that follows a buffer and replaces it as the value."""
        self.padding()
        cursor = self.cursor
        start = cursor.position
        cursor.position += 1
        subtag = cursor.varint("a view's kind", 8)
        offset_at = cursor.position
        offset = cursor.varint("a view's offset", _LENGTH_BITS)
        length_at = cursor.position
        length = cursor.varint("a view's length", _LENGTH_BITS)
        flags_at = cursor.position
        flags = cursor.varint("a view's flags") if self.view_flags else 0
        kind = VIEWS.get(subtag)
        if kind is None:
            raise Fault(start + 1, "the kind of a view", f"0x{subtag:02x}")
        name, size = kind
        if buffer.length is not None:
            if offset > buffer.length:
                raise Fault(offset_at, f"an offset of at most {buffer.length}", str(offset))
            if length > buffer.length - offset:
                raise Fault(length_at, f"a length of at most {buffer.length - offset}", str(length))
            if flags & 3 not in ((2, 3) if buffer.resizable else (0,)):
                legal = "flags 2 or 3, for its buffer is resizable" if buffer.resizable else "no flags"
                raise Fault(flags_at, legal, str(flags))
        for at, number in ((offset_at, offset), (length_at, length)):
            if number % size:
                raise Fault(at, f"a multiple of {size} for a {name}", str(number))
        tracking = ", to the end of its buffer" if flags & 1 else ""
        text = f"{name}, bytes {offset:,} to {offset + length:,}{tracking}"
        self.add(start, "ARRAY_BUFFER_VIEW", None, text, ident=self.number(start, name))
        return OBJECT


_NAN: Final = bytes.fromhex("000000000000f87f")


def date_text(milliseconds: float) -> str:
    """*milliseconds* since 1970 as a date, where a calendar of Python's has it."""
    from datetime import UTC, datetime, timedelta

    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    except (OverflowError, ValueError):
        return "no date" if milliseconds != milliseconds or abs(milliseconds) > 8.64e15 else ""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def regexp_flags(flags: int, at: int) -> str:
    """The letters of *flags*."""
    if flags & ~0x1FF or flags & 0x40:
        raise Fault(at, "the flags of a RegExp", f"0x{flags:x}")
    return "".join(letter for bit, letter in REGEXP_FLAGS if flags & bit)

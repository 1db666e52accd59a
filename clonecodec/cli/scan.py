"""The second reader: whole files of V8's format as rows, and where they stop making sense.

    v8        (FF version value)*         one value after another; without a header, one of version 0
    blink     [record] FF blink [FE trailer] FF version value [trailer], or a wrapper of IndexedDB's
    node-ipc  (length FF version value)*  child_process, ``serialization: "advanced"``; length big-endian

Nothing here uses the codec: it explains what the codec refuses, and a test compares the two verdicts.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Final

from clonecodec.cli.cursor import Cursor, Fault, count
from clonecodec.cli.names import LATEST_VERSION
from clonecodec.cli.rows import Row
from clonecodec.cli.scan_leaves import Numbered
from clonecodec.cli.scan_values import ValueScanner

FORMATS: Final = ("v8", "blink", "node-ipc")
"""What ``Scan`` can read."""

_FIRST_BLINK_ENVELOPE: Final = 16
_TRAILER_BLINK_VERSION: Final = 21
_WRAPPER: Final = 17


class Scan:
    """One pass over *data*.  Iterate over ``rows()``; the attributes are complete when it ends.

    Args:
        data: a whole file.
        form: one of ``FORMATS``.
        headerless: the version of a value that has no header; 0 is what such a value means by itself.
        follow: read the values behind the first one too, where there are any.

    >>> scan = Scan(bytes.fromhex("ff0f4954"))
    >>> [(row.offset, row.name, row.value) for row in scan.rows()]
    [(0, 'VERSION', 15), (2, 'INT32', 42)]
    >>> scan.fault is None
    True
    """

    def __init__(self, data: bytes, form: str = "v8", *, headerless: int = 0, follow: bool = True) -> None:
        self.data: Final = data
        self.form: Final = form
        self.fault: Fault | None = None
        self.versions: list[int] = []
        """The version of every value."""
        self.blink = 0
        """Blink's version, or 0."""
        self.objects = 0
        """How many objects have a number, in all values."""
        self.deepest = 0
        """How many containers are inside one another, at most."""
        self.unresolved: list[tuple[int, str]] = []
        """Offset and name of what only a transfer list could complete."""
        self.notes: list[str] = []
        """What a reader should know besides."""
        self.cursor: Final = Cursor(data)
        self._headerless: Final = headerless
        self._follow: Final = follow
        self._last = 0
        self._origin = 0

    @property
    def position(self) -> int:
        """How far the reader has come, in bytes."""
        return self._last

    @property
    def oddities(self) -> list[tuple[int, str]]:
        """Offset and description of forms that are legal and that no writer produces."""
        return self.cursor.oddities

    def rows(self) -> Iterator[Row]:
        """Every byte of the data, in order.  A fault ends it: what is left is one row named FAULT."""
        last = 0
        try:
            for row in self._file():
                last = self._last = row.end
                yield row
        except Fault as fault:
            self.fault = fault
            end = len(self.data)
            at = max(last, min(fault.offset, end))
            if at > last:
                yield Row(last, at, "INCOMPLETE", None, "begun, not finished", head=_head(last, at))
            text = f"expected {fault.expected}, found {fault.found}"
            yield Row(at, end, "FAULT", None, text, head=_head(at, end))
            self._last = end

    def _file(self) -> Iterator[Row]:
        if self.form == "node-ipc":
            yield from self._frames()
        else:
            yield from self._values()

    def _values(self) -> Iterator[Row]:
        cursor = self.cursor
        if self.form == "blink" and self.data[:1] != b"\xff" and b"\xff" in self.data[1:3]:
            record = cursor.varint("the version of a record")
            yield Row(0, cursor.position, "RECORD_VERSION", record)
        while True:
            yield from self._one_value("blink" if self.form == "blink" else "node")
            left = cursor.end - cursor.position
            if not left:
                return
            start = cursor.position
            if self._follow and self.form == "v8" and self._begins_a_value(start):
                continue
            cursor.position = cursor.end
            text = f"{count(left, 'byte')} after the value, ignored"
            cursor.odd(start, text)
            yield Row(start, cursor.end, "TRAILING_BYTES", None, text, head=_head(start, cursor.end))
            return

    def _begins_a_value(self, at: int) -> bool:
        data = self.data
        return data[at] == 0xFF and (at + 1 >= len(data) or 0 < data[at + 1] <= LATEST_VERSION)

    def _one_value(self, hosts: str) -> Iterator[Row]:
        """A header or two, and a value."""
        cursor, start = self.cursor, self.cursor.position
        self._origin = start
        version = self._headerless
        trailer: tuple[int, int] | None = None
        if cursor.position >= cursor.end:
            raise Fault(start, "a version header, 0xff", "the end of the data", truncated=True)
        if self.data[start] == 0xFF:
            cursor.position = start + 1
            version = cursor.varint("a version")
            if hosts == "blink" and version >= _FIRST_BLINK_ENVELOPE and not self._is_bare_16(version):
                self.blink = version
                yield Row(start, cursor.position, "BLINK_VERSION", version)
                if version == _WRAPPER and self.data[cursor.position : cursor.position + 1] in (b"\1", b"\2"):
                    yield self._wrapper(cursor.position)
                    return
                trailer = yield from self._envelope()
                start = cursor.position
                if cursor.fixed(1, "V8's version header, 0xff") != 0xFF:
                    raise Fault(start, "V8's version header, 0xff", f"0x{self.data[start]:02x}")
                version = cursor.varint("a version")
            if version > LATEST_VERSION:
                raise Fault(start + 1, f"a version up to {LATEST_VERSION}", str(version))
            text = "" if version >= 13 else "older than any that v8.deserialize takes"
            yield Row(start, cursor.position, "VERSION", version, text)
            self.blink = self.blink or (version if hosts == "blink" else 0)
        elif not self.versions and hosts != "ipc":
            named = f"version {version}" if version else "version 0, the oldest"
            self.notes.append(f"no version header: read as {named}")
        else:
            raise Fault(start, "a version header, 0xff", f"0x{self.data[start]:02x}")
        self.versions.append(version)
        yield from self._value(version, hosts)
        if trailer:
            yield from self._trailer(*trailer)

    def _is_bare_16(self, version: int) -> bool:
        """Whether this is V8's own version 16, which looks like an envelope until the next byte."""
        at = self.cursor.position
        return version == LATEST_VERSION and self.data[at : at + 1] not in (b"\xff", b"")

    def _value(self, version: int, hosts: str) -> Iterator[Row]:
        scanner = ValueScanner(self.cursor, version, hosts, self.blink)
        if version == 13:
            broken = self._of_broken_version_13(hosts)
            if broken is not None:
                scanner = ValueScanner(self.cursor, version, hosts, self.blink, view_flags=True)
                scanner.objects = broken
        scanner.origin = self._origin
        try:
            yield from scanner.rows()
        finally:
            self.objects += len(scanner.objects)
            self.deepest = max(self.deepest, scanner.deepest)
            self.unresolved += scanner.unresolved

    def _of_broken_version_13(self, hosts: str) -> list[Numbered] | None:
        """The objects of a first try that failed, if a second one that reads flags after views succeeds.

        A bug in Chrome wrote such data; V8 reads it again from the start of the value, and does not take back
        the numbers that the first try gave (crbug.com/1284506).
        """
        start = self.cursor.position
        objects: list[Numbered] = []
        for view_flags in (False, True):
            scanner = ValueScanner(
                Cursor(self.data, start, self.cursor.end), 13, hosts, self.blink, view_flags=view_flags
            )
            scanner.objects = list(objects)
            try:
                for _ in scanner.rows():
                    pass
            except Fault:
                objects = scanner.objects
                continue
            if view_flags:
                self.notes.append("views have flags, which version 13 has not: a bug of Chrome's, repaired")
                return objects
            return None
        return None

    # Blink

    def _envelope(self) -> Generator[Row, None, tuple[int, int] | None]:
        """What stands between Blink's version and V8's; returns offset and size of a trailer."""
        cursor, start = self.cursor, self.cursor.position
        if self.blink < _TRAILER_BLINK_VERSION:
            return None
        if cursor.fixed(1, "the place of the trailer, 0xfe") != 0xFE:
            raise Fault(start, "the place of the trailer, 0xfe", f"0x{self.data[start]:02x}")
        at = cursor.position
        offset, size = cursor.fixed(8, "the trailer's offset"), cursor.fixed(4, "the trailer's size")
        text = f"{count(size, 'byte')} at {offset:,}" if size else "none"
        yield Row(start, cursor.position, "TRAILER_PLACE", None, text)
        if not offset and not size:
            return None
        if not cursor.position <= offset <= cursor.end - size:
            raise Fault(at, "the place of a trailer in the data", f"{count(size, 'byte')} at {offset:,}")
        return offset, size

    def _wrapper(self, start: int) -> Row:
        """What IndexedDB stores instead of a value."""
        cursor = self.cursor
        cursor.position += 1
        if self.data[start] == 1:
            size, index = cursor.varint("the size of a blob"), cursor.varint("the index of a blob")
            text = f"in blob {index} beside the record, {count(size, 'byte')}"
            return Row(start, cursor.position, "EXTERNAL_VALUE", None, text)
        cursor.position = cursor.end
        text = f"{count(cursor.end - start - 1, 'byte')} of Snappy's"
        self.notes.append("the value is compressed: clonecodec show and convert unpack it")
        return Row(start, cursor.end, "COMPRESSED_VALUE", None, text, head=_head(start, cursor.end))

    def _trailer(self, offset: int, size: int) -> Iterator[Row]:
        cursor = self.cursor
        if cursor.position < offset:
            between = Row(cursor.position, offset, "PADDING", None, "between value and trailer")
            between.head = _head(cursor.position, offset)
            yield between
        elif cursor.position > offset:
            raise Fault(offset, "the trailer behind the value", f"a value up to {cursor.position}")
        cursor.position = offset
        start = offset
        if size and cursor.fixed(1, "a section of the trailer") != 0xA0:
            raise Fault(start, "the trailer's section of interfaces, 0xa0", f"0x{self.data[start]:02x}")
        if size:
            number = cursor.fixed(4, "the number of interfaces")
            if number != size - 5:
                raise Fault(start + 1, f"{size - 5} interfaces, for they end the trailer", f"{number:,}")
            tags = cursor.raw(number, "interfaces").decode("latin-1")
            text = f"interfaces needed: {' '.join(map(repr, tags))}"
            yield Row(start, cursor.position, "TRAILER", None, text, head=5)

    # Node's child_process

    def _frames(self) -> Iterator[Row]:
        cursor, end = self.cursor, len(self.data)
        if not end:
            raise Fault(0, "the length of a message", "the end of the data", truncated=True)
        while cursor.position < end:
            cursor.end = end
            start = cursor.position
            length = cursor.fixed(4, "the length of a message")
            yield Row(start, cursor.position, "MESSAGE_LENGTH", length)
            if length > end - cursor.position:
                found = f"only {end - cursor.position:,}"
                short = Fault(end, f"{count(length, 'byte')} of a message", found, truncated=True)
            else:
                short = None
                cursor.end = cursor.position + length
            try:
                yield from self._one_value("ipc")
            except Fault as fault:
                raise (short or fault) if fault.truncated else fault from None
            if short:
                raise short
            if cursor.position < cursor.end:
                start, cursor.position = cursor.position, cursor.end
                text = f"{count(cursor.end - start, 'byte')} after the value, ignored"
                cursor.odd(start, text)
                yield Row(start, cursor.end, "TRAILING_BYTES", None, text, head=_head(start, cursor.end))


def _head(start: int, end: int) -> int:
    """Where a long run of bytes is broken into lines: behind its first."""
    return 1 if end - start > 8 else 0

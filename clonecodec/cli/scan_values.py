"""Values that contain values: objects, arrays, Maps, Sets, errors, and what version 0 had instead.

Each is a frame (``scan_frames``): ``_begin_*`` reads its tag, and the method without that prefix goes on with
it, a token at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from clonecodec.cli.cursor import Cursor, Fault, count
from clonecodec.cli.names import ERRORS, TAGS, tag_in_words
from clonecodec.cli.rows import array_index, element_step, property_step
from clonecodec.cli.scan_frames import Frame, FrameScanner
from clonecodec.cli.scan_leaves import OBJECT, UNDEFINED, Result, regexp_flags

_NO_KEYS: Final[frozenset[str]] = frozenset()
_STRINGS: Final = b'"cS?'
_KEYS: Final = b'IUN"cS?'


class ValueScanner(FrameScanner):
    """Reads values of every kind."""

    def __init__(
        self, cursor: Cursor, version: int, hosts: str = "node", blink: int = 0, *, view_flags: bool = False
    ) -> None:
        super().__init__(cursor, version, hosts, blink, view_flags=view_flags)
        self._pending: list[Result] = []  # version 0: values not yet taken by an end tag
        self.begin.update(
            {
                0x6F: self._begin_object,
                0x41: self._begin_dense,
                0x61: self._begin_sparse,
                0x3B: self._begin_map,
                0x27: self._begin_set,
                0x73: self._begin_string_object,
                0x52: self._begin_regexp,
                0x72: self._begin_error,
                0x6D: self._begin_wasm_memory,
            }
        )

    # Properties: objects, and arrays beside their elements

    def _begin_object(self, start: int) -> None:
        ident = self.number(start, "BEGIN_OBJECT")
        self.add(start, "BEGIN_OBJECT", role="begin", ident=ident)
        self.push(self._object, "object", start, ident)

    def _object(self, frame: Frame) -> None:
        if self._property(frame, 0x7B, property_step):
            self._end(frame, "END_OBJECT", (("properties", frame.count),), OBJECT)

    def _property(self, frame: Frame, end: int, step: Callable[[str], str]) -> bool:
        """Go on with a key, a value, or the end tag, at which the answer is True."""
        if frame.phase == 2:
            frame.count += 1
            frame.phase = 0
        if frame.phase == 0:
            if self.peek() == end:
                return True
            frame.phase = 1
            self._expect(
                _KEYS, f"a property's key (a string or a number) or its end, 0x{end:02x} {TAGS[end]}"
            )
            frame.mark = self.cursor.position
            self.role = "key"
            self.value("")
            self.role = "value"
            return False
        key = self.result.key
        if key is None:  # behind a VERIFY_OBJECT_COUNT
            raise Fault(frame.mark, "a property's key (a string or a number)", "another value")
        if self._is_taken(frame, key):
            raise Fault(frame.mark, "a key that is not there yet", repr(key))
        if frame.keys is None:
            frame.keys = set()
        frame.keys.add(key)
        frame.phase = 2
        self.value(step(key))
        return False

    def _expect(self, tags: bytes, what: str) -> None:
        """Make sure that the next tag is one of *tags*, which are what *what* may begin with."""
        tag = self.peek()
        if tag >= 0 and tag not in tags:
            self.padding()
            raise Fault(self.cursor.position, what, tag_in_words(tag))

    @staticmethod
    def _is_taken(frame: Frame, key: str) -> bool:
        if key in (frame.keys or _NO_KEYS):
            return True
        if frame.name == "object":
            return False
        if frame.name == "dense array":
            index = array_index(key)
            if index is not None and index < frame.length:
                return frame.holes is None or index not in frame.holes
        return key == "length"

    def _end(self, frame: Frame, name: str, claims: tuple[tuple[str, int], ...], result: Result) -> None:
        """The end tag and the numbers after it, which must be those of *claims*."""
        self.padding()
        start = self.cursor.position
        self.cursor.position += 1
        for what, actual in claims:
            at = self.cursor.position
            claimed = self.cursor.varint(f"the number of {what}")
            if claimed != actual:
                raise Fault(at, f"{actual}, the number of {what}", str(claimed))
        self.depth -= 1
        text = ", ".join(_claim(what, actual) for what, actual in claims)
        self.add(start, name, None, text, role="end")
        self.depth += 1
        self.pop(result)

    def _begin_dense(self, start: int) -> None:
        at = self.cursor.position
        length = self.cursor.varint("an array's length")
        left = self.cursor.end - self.cursor.position
        if length > left:
            expected = f"an array's length that {count(left, 'byte')} can hold"
            raise Fault(at, expected, f"{length:,}", truncated=True)
        ident = self.number(start, "BEGIN_DENSE_ARRAY")
        self.add(start, "BEGIN_DENSE_ARRAY", None, f"length {length:,}", role="begin", ident=ident)
        self.push(self._dense, "dense array", start, ident).length = length

    def _dense(self, frame: Frame) -> None:
        index = frame.count
        if frame.phase == 3:  # an element is complete
            if self.version < 11 and self.result is UNDEFINED:
                self._hole(frame, index)
            frame.count = index = index + 1
        if frame.phase in (0, 3) and index < frame.length:
            if self.peek() == 0x2D:
                self.padding()
                start = self.cursor.position
                self.cursor.position += 1
                self.step = f"[{index}]"
                self.add(start, "HOLE", None, "no element")
                self.step = ""
                self._hole(frame, index)
                frame.count += 1
                frame.phase = 0
                return
            frame.phase = 3
            self.value(f"[{index}]")
            return
        if frame.phase in (0, 3):
            frame.resume = self._dense_properties
            frame.phase = frame.count = 0

    @staticmethod
    def _hole(frame: Frame, index: int) -> None:
        if frame.holes is None:
            frame.holes = set()
        frame.holes.add(index)

    def _dense_properties(self, frame: Frame) -> None:
        if self._property(frame, 0x24, element_step):
            claims = (("properties", frame.count), ("length", frame.length))
            self._end(frame, "END_DENSE_ARRAY", claims, OBJECT)

    def _begin_sparse(self, start: int) -> None:
        length = self.cursor.varint("an array's length")
        ident = self.number(start, "BEGIN_SPARSE_ARRAY")
        self.add(start, "BEGIN_SPARSE_ARRAY", None, f"length {length:,}", role="begin", ident=ident)
        self.push(self._sparse, "sparse array", start, ident).length = length

    def _sparse(self, frame: Frame) -> None:
        if self._property(frame, 0x40, element_step):
            claims = (("properties", frame.count), ("length", frame.length))
            self._end(frame, "END_SPARSE_ARRAY", claims, OBJECT)

    # Collections

    def _begin_map(self, start: int) -> None:
        ident = self.number(start, "BEGIN_MAP")
        self.add(start, "BEGIN_MAP", role="begin", ident=ident)
        self.push(self._map, "map", start, ident)

    def _map(self, frame: Frame) -> None:
        if frame.count % 2 == 0 and self.peek() == 0x3A:
            self._end(frame, "END_MAP", (("keys and values", frame.count),), OBJECT)
            return
        index, is_value = divmod(frame.count, 2)
        frame.count += 1
        self.value(f".value({index})" if is_value else f".key({index})")

    def _begin_set(self, start: int) -> None:
        ident = self.number(start, "BEGIN_SET")
        self.add(start, "BEGIN_SET", role="begin", ident=ident)
        self.push(self._set, "set", start, ident)

    def _set(self, frame: Frame) -> None:
        if self.peek() == 0x2C:
            self._end(frame, "END_SET", (("members", frame.count),), OBJECT)
            return
        frame.count += 1
        self.value(f"{{{frame.count - 1}}}")

    # Values around a text

    def _text(self, frame: Frame, what: str) -> None:
        """The text in a String object, RegExp or error: a value since version 12, bare UTF-8 before."""
        if self.version < 12:
            self.result = self.bare_text(self.cursor.position, "BARE_UTF8_STRING")
        else:
            self._expect(_STRINGS, f"a string, {what}")
            frame.mark = self.cursor.position
            self.value("")

    def _check_text(self, frame: Frame, what: str) -> None:
        if self.result.kind != "string":
            raise Fault(frame.mark, f"a string, {what}", "another value")

    def _begin_string_object(self, start: int) -> None:
        ident = self.number(start, "STRING_OBJECT", usable=False)
        self.add(start, "STRING_OBJECT", role="begin", ident=ident)
        self.push(self._string_object, "String object", start, ident)

    def _string_object(self, frame: Frame) -> None:
        if frame.phase == 0:
            frame.phase = 1
            self._text(frame, "the value of a String object")
            return
        self._check_text(frame, "the value of a String object")
        self.finish(frame.id)
        self.pop(OBJECT)

    def _begin_regexp(self, start: int) -> None:
        ident = self.number(start, "REGEXP", usable=False)
        self.add(start, "REGEXP", role="begin", ident=ident)
        self.push(self._regexp, "RegExp", start, ident)

    def _regexp(self, frame: Frame) -> None:
        if frame.phase == 0:
            frame.phase = 1
            self._text(frame, "the source of a RegExp")
            return
        self._check_text(frame, "the source of a RegExp")
        start = self.cursor.position
        flags = self.cursor.varint("the flags of a RegExp")
        self.add(start, "REGEXP_FLAGS", None, regexp_flags(flags, start) or "none", role="part")
        self.finish(frame.id)
        self.pop(OBJECT)

    def _begin_error(self, start: int) -> None:
        ident = self.number(start, "ERROR", usable=False)
        self.add(start, "ERROR", role="begin", ident=ident)
        self.push(self._error, "error", start, ident)

    def _error(self, frame: Frame) -> None:
        if frame.phase == 1:
            self._check_text(frame, "the message or stack of an error")
        frame.phase = 0
        start = self.cursor.position
        subtag = self.cursor.varint("a part of an error", 8)
        if subtag in ERRORS:
            self.add(start, "ERROR_PROTOTYPE", None, ERRORS[subtag], role="part")
        elif subtag in b"ms":
            self.add(start, "ERROR_MESSAGE" if subtag == ord("m") else "ERROR_STACK", role="part")
            frame.phase = 1
            self._text(frame, "the message or stack of an error")
        elif subtag == ord("c"):
            self.add(start, "ERROR_CAUSE", role="part")
            self.finish(frame.id)  # V8 12.4 and later: a cause may be its own error
            self.value(".cause")
        elif subtag == ord("."):
            self.depth -= 1
            self.add(start, "END_ERROR", role="end")
            self.depth += 1
            self.finish(frame.id)
            self.pop(OBJECT)
        else:
            raise Fault(start, "a part of an error (E R F S T U m s c) or its end (.)", f"0x{subtag:02x}")

    def _begin_wasm_memory(self, start: int) -> None:
        code = self.cursor.varint("the largest number of pages")
        pages = (code >> 1) ^ -(code & 1)
        ident = self.number(start, "WASM_MEMORY_TRANSFER", usable=False)
        self.unresolved.append((start, "WASM_MEMORY_TRANSFER"))
        if self.cursor.data[self.cursor.position : self.cursor.position + 1] in (b"\x00", b"\x01"):
            self.cursor.position += 1  # is_memory64, which V8 writes since 12
        self.add(start, "WASM_MEMORY_TRANSFER", None, f"at most {pages} pages", role="begin", ident=ident)
        self.push(self.host_value, "WebAssembly.Memory", start, ident)

    # Version 0

    def root(self, frame: Frame) -> None:
        if self.version:
            super().root(frame)
        else:
            self._legacy(frame)

    def _legacy(self, frame: Frame) -> None:
        """Version 0: values are pushed, and an end tag takes them together.  Exactly one must be left."""
        if frame.phase == 0:
            frame.phase = 1
        elif frame.phase == 2:
            self._pending.append(self.result)
            frame.phase = 1
        tag = self.peek()
        cursor = self.cursor
        if tag < 0:
            if len(self._pending) != 1:
                raise Fault(cursor.end, "one value in all", f"{len(self._pending)}", truncated=True)
            if cursor.position < cursor.end:
                start, cursor.position = cursor.position, cursor.end
                self.add(start, "PADDING", role="part", head=1 if cursor.end - start > 8 else 0)
            self.stack.pop()
        elif tag in (0x7B, 0x40):
            self._legacy_end(tag)
        elif tag == 0x24:
            self.padding()
            raise Fault(cursor.position, "a value", "END_DENSE_ARRAY, which version 0 does not know")
        else:
            frame.phase = 2
            self.value("")

    def _legacy_end(self, tag: int) -> None:
        self.padding()
        start = self.cursor.position
        self.cursor.position += 1
        pairs = self.cursor.varint("the number of properties")
        length = self.cursor.varint("an array's length") if tag == 0x40 else 0
        if 2 * pairs > len(self._pending):
            raise Fault(start + 1, f"at most {len(self._pending) // 2} properties", f"{pairs:,}")
        taken = self._pending[len(self._pending) - 2 * pairs :]
        del self._pending[len(self._pending) - 2 * pairs :]
        keys: set[str] = {"length"} if tag == 0x40 else set()
        for result in taken[::2]:
            if result.key is None:
                raise Fault(start, "keys that are strings or numbers", "another value")
            if result.key in keys:
                raise Fault(start, "keys that differ", repr(result.key))
            keys.add(result.key)
        text = f"{pairs:,} properties, taken from the values before it"
        if tag == 0x40:
            self.add(start, "END_SPARSE_ARRAY", None, f"length {length:,}, {text}", role="value")
        else:
            self.add(start, "END_OBJECT", None, text, role="value")
        self._pending.append(OBJECT)


def _claim(what: str, number: int) -> str:
    """``2 properties``, ``1 member``, ``length 3``."""
    if what == "length":
        return f"length {number:,}"
    return f"{number:,} keys and values" if what == "keys and values" else count(number, _ONE[what])


_ONE: Final = {"properties": "property", "members": "member"}

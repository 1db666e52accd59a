"""The bytes of the format and what they are called, as ``inspect`` prints them.

V8's names (src/objects/value-serializer.cc).  The codec has its own table; a test holds the two together.
"""

from __future__ import annotations

from typing import Final

TAGS: Final[dict[int, str]] = {
    0xFF: "VERSION",
    0x00: "PADDING",
    0x3F: "VERIFY_OBJECT_COUNT",
    0x2D: "HOLE",
    0x5F: "UNDEFINED",
    0x30: "NULL",
    0x54: "TRUE",
    0x46: "FALSE",
    0x49: "INT32",
    0x55: "UINT32",
    0x4E: "DOUBLE",
    0x5A: "BIG_INT",
    0x53: "UTF8_STRING",
    0x22: "ONE_BYTE_STRING",
    0x63: "TWO_BYTE_STRING",
    0x5E: "OBJECT_REFERENCE",
    0x6F: "BEGIN_OBJECT",
    0x7B: "END_OBJECT",
    0x41: "BEGIN_DENSE_ARRAY",
    0x24: "END_DENSE_ARRAY",
    0x61: "BEGIN_SPARSE_ARRAY",
    0x40: "END_SPARSE_ARRAY",
    0x44: "DATE",
    0x79: "TRUE_OBJECT",
    0x78: "FALSE_OBJECT",
    0x6E: "NUMBER_OBJECT",
    0x7A: "BIG_INT_OBJECT",
    0x73: "STRING_OBJECT",
    0x52: "REGEXP",
    0x3B: "BEGIN_MAP",
    0x3A: "END_MAP",
    0x27: "BEGIN_SET",
    0x2C: "END_SET",
    0x42: "ARRAY_BUFFER",
    0x7E: "RESIZABLE_ARRAY_BUFFER",
    0x43: "IMMUTABLE_ARRAY_BUFFER",
    0x74: "ARRAY_BUFFER_TRANSFER",
    0x75: "SHARED_ARRAY_BUFFER",
    0x56: "ARRAY_BUFFER_VIEW",
    0x72: "ERROR",
    0x5C: "HOST_OBJECT",
    0x70: "SHARED_OBJECT",
    0x77: "WASM_MODULE_TRANSFER",
    0x6D: "WASM_MEMORY_TRANSFER",
}

VIEWS: Final[dict[int, tuple[str, int]]] = {
    ord("b"): ("Int8Array", 1),
    ord("B"): ("Uint8Array", 1),
    ord("C"): ("Uint8ClampedArray", 1),
    ord("w"): ("Int16Array", 2),
    ord("W"): ("Uint16Array", 2),
    ord("d"): ("Int32Array", 4),
    ord("D"): ("Uint32Array", 4),
    ord("h"): ("Float16Array", 2),
    ord("f"): ("Float32Array", 4),
    ord("F"): ("Float64Array", 8),
    ord("q"): ("BigInt64Array", 8),
    ord("Q"): ("BigUint64Array", 8),
    ord("?"): ("DataView", 1),
}
"""View sub-tag to the class and the size of one element."""

ERRORS: Final[dict[int, str]] = {
    ord("E"): "EvalError",
    ord("R"): "RangeError",
    ord("F"): "ReferenceError",
    ord("S"): "SyntaxError",
    ord("T"): "TypeError",
    ord("U"): "URIError",
}
"""Error sub-tags that choose the prototype."""

REGEXP_FLAGS: Final = (
    (0x80, "d"), (0x01, "g"), (0x02, "i"), (0x04, "m"), (0x20, "s"), (0x10, "u"), (0x100, "v"), (0x08, "y"),
)  # fmt: skip
"""Bit and letter, in the order in which JavaScript prints them.  0x40 (linear) needs a switch of V8's."""

NODE_HOST_TYPES: Final = (
    "Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array",
    "Float32Array", "Float64Array", "DataView", "Buffer", "BigInt64Array", "BigUint64Array", "Float16Array",
)  # fmt: skip
"""What Node's DefaultSerializer writes as host objects, by index (lib/v8.js)."""

LATEST_VERSION: Final = 16
"""The newest version any V8 writes; a larger one cannot be read by anybody yet."""


def tag_in_words(tag: int) -> str:
    """``0x2d HOLE``, ``0x68 'h'``, ``0x01``."""
    if tag in TAGS:
        return f"0x{tag:02x} {TAGS[tag]}"
    return f"0x{tag:02x} {chr(tag)!r}" if 0x20 < tag < 0x7F else f"0x{tag:02x}"

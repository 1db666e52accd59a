"""The values in the files: every row of the value table that all formats keep.  Add to it; change nothing."""

from __future__ import annotations

import datetime
import math
from array import array
from typing import Final

from clonecodec import (
    Array,
    ArrayBuffer,
    BigInt,
    Boxed,
    Date,
    JSError,
    JSTypeError,
    Map,
    RegExp,
    SparseArray,
    Uint8ClampedArray,
    hole,
    undefined,
)


def _shared() -> object:
    inner = {"n": 1}
    return [inner, inner, {"again": inner}]


def _cycle() -> object:
    loop: dict[str, object] = {}
    loop["self"] = [loop]
    return loop


def _array() -> object:
    found = Array([1, hole, 3])
    found.properties["name"] = "x"
    return found


def _deep() -> object:
    value: object = None
    for _ in range(1000):
        value = [value]
    return value


VALUES: Final[dict[str, object]] = {
    "none": None,
    "undefined": undefined,
    "booleans": [True, False],
    "integers": [0, -1, 2**31 - 1, -(2**31), 2**31, 2**53 - 1, 2**53, -(2**64), 2**200],
    "big ints": [BigInt(5), BigInt(-(2**53) + 1)],
    "floats": [0.5, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1.0],
    "strings": ["", "ascii", "é", "\u0101", "\U0001f600", "\ud800"],
    "bytes": [b"", b"bytes", bytearray(b"array")],
    "views": [array("d", [1.5, -0.0]), array("h", [1, -2]), array("Q", [2**64 - 1])],
    "buffers": [ArrayBuffer(b"\x01\x02"), ArrayBuffer(b"\x01", max_byte_length=4)],
    "clamped": Uint8ClampedArray(b"\x01\xff"),
    "containers": [[], (), {}, set(), frozenset({1, "a"}), (1, (2,)), {"a": 1, "b": {"c": [None]}}],
    "maps": [Map({"a": 1}), {1: "one", (1, 2): "pair", None: 0}],
    "arrays": [_array(), SparseArray(1000, {5: "five"})],
    "dates": [
        datetime.datetime(2026, 11, 22, 12, 30, 15, 123456, tzinfo=datetime.UTC),
        datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC),
        Date(math.nan),
    ],
    "regexps": [RegExp("a+", "gi"), RegExp("\u0101", "u")],
    "boxed": [Boxed(1.5), Boxed("s"), Boxed(True), Boxed(BigInt(3))],
    "errors": [
        JSTypeError("m", stack="TypeError: m\n    at x", cause=JSError("inner", stack="s")),
        JSError(),
    ],
    "shared": _shared(),
    "cycle": _cycle(),
    "deep": _deep(),
}

LONG: Final = bytes(range(256)) * 5000
"""In a store it lies in chunks."""

"""Values as cbor-x and Python say them: an expression of JavaScript's, and the value that it is here.

    BOTH      read from what cbor-x writes, and written so that cbor-x reads it
    READ      cbor-x writes less than it was given, or what comes back as another kind of number
    WRITTEN   cbor-x reads less than there is, or the value is Python's own

Callables make values that hold themselves.
"""

from __future__ import annotations

import math
from array import array
from datetime import UTC, datetime
from typing import Final

from clonecodec import (
    Array,
    ArrayBuffer,
    BigInt,
    Boxed,
    ByIdentity,
    DataView,
    Date,
    Float16Array,
    JSError,
    JSEvalError,
    JSRangeError,
    JSReferenceError,
    JSSyntaxError,
    JSTypeError,
    JSURIError,
    Map,
    RegExp,
    Uint8ClampedArray,
    hole,
    undefined,
)


def _view(code: str, *numbers: float) -> memoryview:
    """A typed array as it is read: a memoryview that can be written to."""
    octets = array(code, [int(number) for number in numbers] if code not in "fd" else numbers).tobytes()
    view: memoryview = memoryview(bytearray(octets)).cast(code)  # type: ignore[call-overload]  # it wants literals
    return view


def _cyclic_list() -> list[object]:
    value: list[object] = [1]
    value.append(value)
    return value


def _cyclic_dict() -> dict[str, object]:
    value: dict[str, object] = {"a": 1}
    value["self"] = value
    return value


def _cyclic_both() -> dict[str, object]:
    parent: dict[str, object] = {"name": "p"}
    parent["children"] = [{"parent": parent, "name": "c1"}, {"parent": parent, "name": "c2"}]
    return parent


def _shared() -> list[object]:
    one = {"x": 1}
    return [one, one, [one]]


def _shared_twice() -> list[object]:
    first: list[object] = [1]
    second = {"a": first}
    return [second, first, second, first]


def _shared_kinds() -> list[object]:
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    members: set[object] = {1}
    table = Map({1: 2})
    octets = b"abc"
    view = _view("d", 1.5)
    return [moment, moment, members, members, table, table, octets, octets, view, view]


def _with_null_cause(error: JSError) -> JSError:
    error.cause = None
    return error


def _cyclic_map() -> Map:
    value = Map()
    value["me"] = value
    return value


def _cyclic_set() -> set[object]:
    value: set[object] = set()
    value.add(ByIdentity(value))
    return value


def _cyclic_key() -> Map:
    key: dict[str, object] = {}
    value = Map({ByIdentity(key): 1})
    key["of"] = value
    return value


BOTH: Final[dict[str, object]] = {
    "null": None,
    "undefined": undefined,
    "true": True,
    "false": False,
    "0": 0,
    "23": 23,
    "24": 24,
    "255": 255,
    "256": 256,
    "65535": 65535,
    "65536": 65536,
    "2**31 - 1": 2**31 - 1,
    "2**31": 2**31,
    "2**32 - 1": 2**32 - 1,
    "-1": -1,
    "-24": -24,
    "-25": -25,
    "-256": -256,
    "-257": -257,
    "-(2**31)": -(2**31),
    "-(2**32)": -(2**32),
    "0.5": 0.5,
    "-1.5": -1.5,
    "Math.PI": math.pi,
    "1e300": 1e300,
    "5e-324": 5e-324,
    "NaN": math.nan,
    "Infinity": math.inf,
    "-Infinity": -math.inf,
    "0n": BigInt(0),
    "5n": BigInt(5),
    "-5n": BigInt(-5),
    "2n**53n - 1n": BigInt(2**53 - 1),
    "2n**53n": 2**53,
    "-(2n**53n)": -(2**53),
    "2n**64n - 1n": 2**64 - 1,
    "2n**64n": 2**64,
    "-(2n**64n) + 1n": -(2**64) + 1,
    "-(2n**64n)": -(2**64),
    "-(2n**64n) - 1n": -(2**64) - 1,
    "2n**200n": 2**200,
    "-(2n**200n)": -(2**200),
    "''": "",
    "'a'": "a",
    "'a'.repeat(23)": "a" * 23,
    "'a'.repeat(24)": "a" * 24,
    "'a'.repeat(255)": "a" * 255,
    "'a'.repeat(70000)": "a" * 70000,
    "'\\u00e9'": "é",
    "'\\u20ac\\u{1f600}'": "€\U0001f600",
    "'\\u0000\\ufeff'": "\0\ufeff",
    "'\\u20ac'.repeat(1000)": "€" * 1000,
    "Buffer.from('abc')": b"abc",
    "Buffer.alloc(0)": b"",
    "Buffer.alloc(300, 7)": b"\7" * 300,
    "[]": [],
    "[1, 'a', null, undefined, true]": [1, "a", None, undefined, True],
    "[[], [[]], [[], []]]": [[], [[]], [[], []]],
    "Array.from({length: 30}, (_, i) => i)": list(range(30)),
    "Array.from({length: 70000}, (_, i) => i)": list(range(70000)),
    "({})": {},
    "({a: 1, b: [2, {c: 3}]})": {"a": 1, "b": [2, {"c": 3}]},
    "({a: undefined, '': null, 'with space': 1})": {"a": undefined, "": None, "with space": 1},
    "({'\\u20ac': 1})": {"€": 1},
    "Object.fromEntries(Array.from({length: 300}, (_, i) => ['k' + i, i]))": {f"k{i}": i for i in range(300)},
    "new Map()": Map(),
    "new Map([['a', 1]])": Map({"a": 1}),
    "new Map([[1, 'a'], [true, 'b']])": Map({1: "a", ByIdentity(True): "b"}),
    "new Map([[null, 1], [undefined, 2], [1.5, 3], [NaN, 4]])":
        Map({None: 1, undefined: 2, 1.5: 3, math.nan: 4}),
    "new Map([[{a: 1}, [2]], [[3], new Map()]])": Map({ByIdentity({"a": 1}): [2], ByIdentity([3]): Map()}),
    "new Map([[5n, 5], [5, 6]])": Map({BigInt(5): 5, ByIdentity(5): 6}),
    "new Set()": set(),
    "new Set([1, 'a', null])": {1, "a", None},
    "new Set([1, true, 1n])": {1, ByIdentity(True), ByIdentity(BigInt(1))},
    "new Set([[1], {a: 2}])": {ByIdentity([1]), ByIdentity({"a": 2})},
    "new Set([new Set([1])])": {ByIdentity({1})},
    "new Date(0)": datetime(1970, 1, 1, tzinfo=UTC),
    "new Date(1577836800000)": datetime(2020, 1, 1, tzinfo=UTC),
    "new Date(1577836800001)": datetime(2020, 1, 1, 0, 0, 0, 1000, tzinfo=UTC),
    "new Date(-1)": datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
    "new Date(-62135596800000)": datetime(1, 1, 1, tzinfo=UTC),
    "new Date(253402300799999)": datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
    "new Date(4294967296000)": datetime(2106, 2, 7, 6, 28, 16, tzinfo=UTC),
    "new Date(NaN)": Date(math.nan),
    "new Date(8.64e15)": Date(8.64e15),
    "new Date(-8.64e15)": Date(-8.64e15),
    "/a/": RegExp("a"),
    "/a\\/b[/]\\n/gimsuy": RegExp("a\\/b[/]\\n", "gimsuy"),
    "new RegExp('')": RegExp(""),
    "new Error('m')": JSError("m"),
    "new Error('')": JSError(""),
    "new Uint8Array([0, 255])": _view("B", 0, 255),
    "new Uint8Array(0)": _view("B"),
    "new Uint8ClampedArray([0, 255])": Uint8ClampedArray([0, 255]),
    "new Int8Array([-128, 127])": _view("b", -128, 127),
    "new Uint16Array([1, 65535])": _view("H", 1, 65535),
    "new Int16Array([1, -32768])": _view("h", 1, -32768),
    "new Uint32Array([1, 4294967295])": _view("I", 1, 4294967295),
    "new Int32Array([1, -2147483648])": _view("i", 1, -2147483648),
    "new BigUint64Array([1n, 2n**64n - 1n])": _view("Q", 1, 2**64 - 1),
    "new BigInt64Array([1n, -(2n**63n)])": _view("q", 1, -(2**63)),
    "new Float32Array([1.5, -0, Infinity])": _view("f", 1.5, -0.0, math.inf),
    "new Float64Array([Math.PI, -0])": _view("d", math.pi, -0.0),
    "new Float64Array(0)": _view("d"),
    "({a: new Float64Array([1]), b: new Uint16Array([2])})": {"a": _view("d", 1), "b": _view("H", 2)},
    "(() => { const a = [1]; a.push(a); return a })()": _cyclic_list(),
    "(() => { const a = {a: 1}; a.self = a; return a })()": _cyclic_dict(),
    "(p => { p.children = ['c1', 'c2'].map(name => ({parent: p, name})); return p })({name: 'p'})":
        _cyclic_both(),
    "(() => { const x = {x: 1}; return [x, x, [x]] })()": _shared(),
    "(() => { const a = [1], b = {a}; return [b, a, b, a] })()": _shared_twice(),
    "((d, s, m, b, v) => [d, d, s, s, m, m, b, b, v, v])(new Date(1577836800000), new Set([1]),"
    " new Map([[1, 2]]), Buffer.from('abc'), new Float64Array([1.5]))": _shared_kinds(),
}  # fmt: skip

READ: Final[dict[str, object]] = {
    "-0": 0,
    "2**32": float(2**32),
    "2**53 - 1": float(2**53 - 1),
    "-(2**32) - 1": float(-(2**32) - 1),
    "1e21": 1e21,
    "[, 1]": [undefined, 1],
    "Object.assign([1, 2], {name: 'lost'})": [1, 2],
    "'\\ud800'": "\ud800",
    "'\\udc00'.repeat(30)": "\udc00" * 30,
    "({'\\ud800': 1})": {"\ud800": 1},
    "new RangeError('m')": JSRangeError("m"),
    "new TypeError('m')": JSTypeError("m"),
    "new SyntaxError('m')": JSSyntaxError("m"),
    "new ReferenceError('m')": JSReferenceError("m"),
    "new EvalError('m')": JSEvalError("m"),
    "new URIError('m')": JSURIError("m"),
    "new (class Mine extends Error { name = 'Mine' })('m')": JSError("m"),
    "new Error('m', {cause: 1})": JSError("m"),
    "new ArrayBuffer(2)": b"\0\0",
    "new DataView(new ArrayBuffer(3), 1)": b"\0\0",
    "new (class Point { constructor() { this.x = 1 } })()": {"x": 1},
    "Object.assign(Object.create(null), {a: 1})": {"a": 1},
    "(() => { const b = new ArrayBuffer(8); return [new Uint8Array(b, 2, 2), new Float64Array(b)] })()":
        [_view("B", 0, 0), _view("d", 0)],
    "new Map([[-0, 1]])": Map({0: 1}),
    "new Map([[2**40, 1], [2n**40n, 2]])": Map({float(2**40): 1, ByIdentity(BigInt(2**40)): 2}),
    "(() => { const m = new Map(); m.set('me', m); return m })()": _cyclic_map(),
    "(() => { const s = new Set(); s.add(s); return s })()": _cyclic_set(),
    "(() => { const k = {}, m = new Map([[k, 1]]); k.of = m; return m })()": _cyclic_key(),
    "(() => { const r = /x/g; return [r, r] })()": (lambda r: [r, r])(RegExp("x", "g")),
    "(() => { const e = new Error('m'); return [e, e] })()": (lambda e: [e, e])(JSError("m")),
    "({b: 1, 10: 2, 9: 3})": {"9": 3, "10": 2, "b": 1},
}  # fmt: skip

WRITTEN: Final[dict[str, object]] = {
    "-0": -0.0,
    "2**32": 2**32,
    "2**53 - 1": 2**53 - 1,
    "-(2**53) + 1": -(2**53) + 1,
    "-(2**32) - 1": -(2**32) - 1,
    "5": 5.0,
    "2**40": float(2**40),
    "[2**40, 1]": (2**40, 1),
    "({n: 2**40})": {"n": 2**40},
    "new Map([[2**40, 1]])": Map({2**40: 1}),
    "[]": (),
    "[1, [2, [3]]]": (1, (2, (3,))),
    "new Set([1])": frozenset([1]),
    "new Set([[1, 2], new Set([3])])": {(1, 2), frozenset([3])},
    "Buffer.from('abc')": bytearray(b"abc"),
    "new Uint8Array([1, 2])": ArrayBuffer(b"\1\2"),
    "new Uint8Array([2, 3])": DataView(ArrayBuffer(b"\1\2\3"), 1),
    "new Map([[1, 'a'], ['b', 2]])": {1: "a", "b": 2},
    "new Map([[[1, 2], 3]])": {(1, 2): 3},
    "new Error('m', {cause: 'why'})": JSError("m", stack="Error: m\n    at here", cause="why"),
    "new Error('m', {cause: new Error('c', {cause: null})})":
        JSRangeError("m", cause=_with_null_cause(JSTypeError("c"))),
    "new Error()": JSError(),
    "new Error('v')": ValueError("v"),
    "[new Uint16Array([1]), new Int32Array([2])]": [array("H", [1]), array("i", [2])],
    "new Date(1577836800000)": datetime(2020, 1, 1, 0, 0, 0, 400, tzinfo=UTC),
    "new Date(1577836800001)": datetime(2020, 1, 1, 0, 0, 0, 1400, tzinfo=UTC),
}  # fmt: skip
"""What cbor-x makes of each is the key."""

BEYOND: Final[list[object]] = [
    Boxed(True), Boxed(False), Boxed(5), Boxed(2**40), Boxed(1.5), Boxed(math.nan), Boxed("s"),
    Boxed(BigInt(5)), Boxed(2**60), Float16Array([1.5, -2.0]), Array([hole, 1]), [1, Array([hole])],
    Array([1], {"name": "x"}),
    ArrayBuffer(b"ab", max_byte_length=10),
]  # fmt: skip
"""What cbor-x reads as a Tag."""

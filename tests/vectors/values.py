"""What the vectors are in Python: VALUES has, by the name of a case, the value that must be read.

Scalars are derived from their names where Python and JavaScript write them alike; everything else is spelled
out.  A case that is not here is still read and written again.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
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
    SharedArrayBuffer,
    SparseArray,
    Uint8ClampedArray,
    hole,
    undefined,
)
from tests.vectors import VERSIONS, of_node

VALUES: Final[dict[str, object]] = {}

REGISTERED: Final[dict[str, list[ArrayBuffer] | list[SharedArrayBuffer]]] = {}
"""For the cases with shared and transferred buffers: the buffers that the reader is told of, by their id."""


def family(kind: str) -> Callable[[Callable[[], dict[str, object]]], None]:
    """Add the values that a function returns, under *kind* and their keys."""

    def add(values: Callable[[], dict[str, object]]) -> None:
        for name, value in values().items():
            VALUES[f"{kind}: {name}"] = value

    return add


def moment(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def js_error(kind: type[JSError] = JSError, message: str | None = "m", *cause: object) -> JSError:
    """The error that make.js has: its stack is "S"."""
    error = kind(message, stack="S")
    if cause:
        error.cause = cause[0]
    return error


def view(format: str, *items: float) -> memoryview:
    return memoryview(array(format, items))


# ------------------------------------------------------------------------------------------- scalars

VALUES.update({"value undefined": undefined, "value null": None, "value true": True, "value false": False})

for name in of_node(VERSIONS[-1]):
    what, _, text = name.partition(" ")
    if what == "int" and "." not in text and "e" not in text:
        VALUES[name] = int(eval(text))
    elif what == "bigint":
        number = int(eval(text.replace("n", "")))
        VALUES[name] = BigInt(number) if abs(number) <= 2**53 - 1 else number
    elif what == "float" and not any(word in text for word in ("Infinity", "NaN", "Math", "[")):
        VALUES[name] = float(eval(text.replace("-0", "-0.0") if text == "-0" else text))
    elif what == "string" and text.startswith('"'):
        VALUES[name] = json.loads(text)

VALUES.update(
    {
        "int 0.1*10": 1,
        "int 1e9": 1_000_000_000,
        "float Infinity": math.inf,
        "float -Infinity": -math.inf,
        "float NaN": math.nan,
        "float [1.5,2][1]": 2.0,
        "float Math.fround(0.1)": 0.10000000149011612,
    }
)
VALUES.update({f"string: {length} x": "x" * length for length in (126, 127, 128, 129, 300, 16383, 16384)})
VALUES.update({f"string: {length} ā": "ā" * length for length in (62, 63, 64, 65, 200, 8191, 8192)})
for before in range(6):
    VALUES[f"alignment: two-byte after {before}"] = ["a" * before, "ā"]
    VALUES[f"alignment: two-byte key after {before}"] = {"k" * before: 0, "āĂ": "ă"}
    VALUES[f"alignment: 64 two-byte after {before}"] = ["a" * before, "ā" * 64]


@family("string")
def _() -> dict[str, object]:
    return {
        "a slice of a two-byte string keeps two bytes": "abcdefghijklmnopqrst",
        "a short slice of a two-byte string has one": "ab",
        "joined one-byte strings": "abcdefghijklmnop,qrstuvwxyz",
        "spaces and one character outside Latin-1": " " * 200 + "\U0001f44a",
        "a Latin-1 character of a two-byte string": "a",
    }


@family("alignment")
def _() -> dict[str, object]:
    return {
        "array of two-byte": ["ā", "Ă", "ăĄ"],
        "mixed array": ["ā", 1, "a", "Ă", "ăĄ", -65],
        "map": Map({"ā": "a", "a": "ā"}),
        "set": {"ā", "a", "Ă"},
        "boxed": [Boxed("ā"), Boxed("Ă"), "ă"],
        "regexp": [1, RegExp("āĂ", "gu"), "ă"],
        "error": JSError("ā", stack="Ă"),
        "after a bigint": [BigInt(1), "ā"],
        "after a double": ["", 1.5, "ā"],
        "after a buffer": [ArrayBuffer(1), "ā"],
        "after a typed array": [view("B", 1), "ā", view("B", 1, 2), "ā"],
        "record": {"你": 1, "好": "好", "a": [["ā"]]},
    }


# ------------------------------------------------------------------------------------------- objects


@family("object")
def _() -> dict[str, object]:
    shared: dict[str, object] = {}
    itself: dict[str, object] = {}
    itself["o"] = itself
    inner: dict[str, object] = {"b": {}}
    inner["b"] = {"c": inner}
    ten: dict[str, object] = {}
    for _ in range(10):
        ten = {"a": ten}
    hundred: dict[str, object] = {}
    for _ in range(100):
        hundred = {"a": hundred}
    return {
        "empty": {},
        "one property": {"a": 1},
        "every scalar": {
            "a": 1,
            "b": "two",
            "c": True,
            "d": None,
            "e": undefined,
            "f": 1.5,
            "g": BigInt(3),
            "h": False,
            "i": -0.0,
            "j": math.nan,
        },
        "index keys come first": {"0": "b", "1": "a", "x": "c"},
        "index keys come ascending": {"1": 5, "2": 4, "10": 2, "b": 1, "a": 3},
        "index keys alone, descending": {"1": 4, "7": 3, "8": 2, "9": 1},
        "key 2147483646": {"2147483646": 1},
        "key 2147483647": {"2147483647": 1},
        "key 2147483648": {"2147483648": 1},
        "key 4294967294": {"4294967294": 1},
        "key 4294967295": {"4294967295": 1},
        "key 4294967296": {"4294967296": 1},
        "key 1073741824": {"1073741824": 1},
        "all the border keys": {
            "0": 5,
            "2147483647": 4,
            "2147483648": 3,
            "4294967294": 2,
            "b": 0,
            "4294967295": 1,
        },
        "key -1": {"-1": 1},
        "key -0": {"-0": 1},
        "key 1.5": {"1.5": 1},
        "key 01": {"1": 2, "01": 1},
        "key 1e3": {"1e3": 1},
        "key with a space": {" 1": 1},
        "empty key": {"": 1},
        "Latin-1 key": {"é": 1},
        "two-byte key": {"ā": 1},
        "lone surrogate key": {"\ud800": 1},
        "key __proto__": {"__proto__": {"x": 1}},
        "keys of Object.prototype": {"toString": 1, "constructor": 2, "hasOwnProperty": 3, "valueOf": 4},
        "key length": {"length": 3},
        "like an error": {"name": "Error", "message": "m", "stack": "s"},
        "nested": {"a": {"b": {"c": {}}}},
        "undefined value": {"a": undefined},
        "shared value": {"a": shared, "b": shared},
        "refers to itself": itself,
        "refers to its parent": {"a": inner},
        "twenty keys": {f"k{index}": index for index in range(20)},
        "two hundred keys": {f"k{index}": index for index in range(200)},
        "130 index keys": {str(index * 3): index for index in range(130)},
        "ten levels": ten,
        "a hundred levels": hundred,
        "records of one shape": [{"x": 1, "y": 2}, {"x": 3, "y": 4}, {"x": 5, "z": 6}],
        "records of mixed numbers": [{"x": 1.5}, {"x": 2.0}],
        "a deleted key": {"a": 1, "c": 3},
        "null prototype": {"a": 1},
        "an instance": {"x": 1, "y": [2]},
        "private fields": {"a": 2},
        "a getter": {"a": 7, "b": 1},
        "hidden property": {"a": 1},
        "symbol key": {"a": 2},
        "inherited property": {"own": 2},
        "frozen": {"a": 1},
        "a getter that deletes": {"a": 1},
        "a getter that adds": {"a": 1},
        "Math": {},
        "JSON": {},
        "Date.prototype": {},
        "a URL": {},
    }


# -------------------------------------------------------------------------------------------- arrays


@family("array")
def _() -> dict[str, object]:
    ten: list[object] = []
    for _ in range(10):
        ten = [ten]
    hundred: list[object] = []
    for _ in range(100):
        hundred = [hundred]
    itself: list[object] = []
    itself.append(itself)
    twice: list[object] = []
    twice += (twice, twice)
    empty: dict[str, object] = {}
    me = Array([1])
    me.properties["me"] = me
    return {
        "empty": [],
        "small ints": [1, 2, 3],
        "mixed kinds": [1, "a", None, undefined, True, False, {}, [], BigInt(1)],
        "numbers with a float": [1.5, 2.0, 3.0],
        "numbers with -0": [1.0, -0.0],
        "numbers with NaN": [math.nan, 1.5],
        "numbers past 32 bits": [1.0, 2147483648.0],
        "floats alone": [0.5, 1.25, -2.75],
        "a float among others": [1, 2.5, "a"],
        "strings": ["a", "b", "c"],
        "undefineds": [undefined, undefined],
        "nulls": [None, None],
        "nested": [[[]], [[1]]],
        "bigints": [BigInt(1), BigInt(-1)],
        "booleans": [True, False],
        "objects": [{"a": 1}, {"a": 2}, {"b": 3}],
        "128 ints": list(range(128)),
        "1000 ints": list(range(1000)),
        "ten levels": ten,
        "a hundred levels": hundred,
        "contains itself": itself,
        "contains itself twice": twice,
        "one object thrice": [empty, empty, [empty]],
        "from split": ["a", "b"],
        "from JSON": [1, [2, {"a": [3]}]],
        "spread of a set": [1, 2],
        "after pop": [1, 2],
        "a subclass": [1, 2, 3],
        "a symbol property": [1],
        "one property": Array([1, 2], {"foo": "bar"}),
        "properties on an empty one": Array([], {"a": 1, "b": 2}),
        "properties like numbers": Array([1], {"-1": 2, "1.5": 3}),
        "property 4294967295": Array([1], {"4294967295": 9}),
        "a property that is the array": me,
        "two-byte property": Array([1], {"ā": "Ă"}),
        "property __proto__": Array([1], {"__proto__": 2}),
        "an element deleted by a getter": Array([{"a": 1}, hole]),
        "shrunk by a getter": Array([1, {"a": 0}, hole, hole]),
        "a regexp match": Array(["a"], {"index": 1, "input": "xay", "groups": undefined}),
    }


@family("sparse")
def _() -> dict[str, object]:
    far = SparseArray(50_000_001, {50_000_000: "x"})
    far.properties["p"] = far
    itself = Array([hole])
    itself.append(itself)
    return {
        "a hole in the middle": Array([1, hole, 3]),
        "a hole at the start": Array([hole, 1]),
        "a hole at the end": Array([1, hole]),
        "holes alone": Array([hole, hole, hole]),
        "floats and a hole": Array([1.5, hole, 2.5]),
        "objects and a hole": Array([{}, hole, []]),
        "undefined beside a hole": Array([undefined, hole, undefined]),
        "a hole and a property": Array([1, hole, 3], {"foo": "bar"}),
        "one element of a thousand": SparseArray(1000, {500: 42}),
        "one element of 4294967295": SparseArray(4294967295, {4294967294: 1}),
        "two elements, far apart": SparseArray(1000000001, {0: 1, 1000000000: 2}),
        "index 2147483647 and 2147483648": SparseArray(2147483649, {2147483647: 1, 2147483648: 2}),
        "length 4294967295 and nothing": SparseArray(4294967295),
        "length 100000 and nothing": SparseArray(100000),
        "far element and a property": far,
        "contains itself": itself,
        "after delete": Array([1, 2, hole]),
        "a hidden element": Array([1, hole, 3]),
    }


# ------------------------------------------------------------------------- dates, boxes, expressions

for milliseconds in (
    *(0, 1, -1, 1_000_000, 1_700_000_000_123, 1_709_210_096_789, 951_782_400_000, -2_208_988_800_000),
    *(253_402_300_799_999, -62_135_596_800_000, 999, 10**12, -(10**12)),
):
    text = {1_000_000: "1e6", 10**12: "1e12", -(10**12): "-1e12"}.get(milliseconds, str(milliseconds))
    VALUES[f"date new Date({text})"] = moment(milliseconds)
for text in ("253402300800000", "-62135596800001", "8.64e15", "-8.64e15", "NaN"):
    VALUES[f"date new Date({text})"] = Date(float(text))


@family("date")
def _() -> dict[str, object]:
    one = moment(1)
    return {
        "text": datetime(2024, 2, 29, 12, 34, 56, 789_000, tzinfo=UTC),
        "with a property": moment(5),
        "a subclass": moment(7),
        "twice": [one, one, moment(1)],
        "as a key and a value": Map({one: one}),
    }


VALUES.update(
    {
        "boxed new Boolean(true)": Boxed(True),
        "boxed new Boolean(false)": Boxed(False),
        "boxed new Number(0)": Boxed(0.0),
        "boxed new Number(42)": Boxed(42.0),
        "boxed new Number(-0)": Boxed(-0.0),
        "boxed new Number(1.5)": Boxed(1.5),
        "boxed new Number(NaN)": Boxed(math.nan),
        "boxed new Number(Infinity)": Boxed(math.inf),
        "boxed new Number(2**53)": Boxed(2.0**53),
        'boxed new String("")': Boxed(""),
        'boxed new String("abc")': Boxed("abc"),
        'boxed new String("\\u00e9")': Boxed("é"),
        'boxed new String("\\u{1f44a}")': Boxed("\U0001f44a"),
        "boxed Object(0n)": Boxed(BigInt(0)),
        "boxed Object(1n)": Boxed(BigInt(1)),
        "boxed Object(-5n)": Boxed(BigInt(-5)),
        "boxed Object(2n**70n)": Boxed(2**70),
    }
)


@family("boxed")
def _() -> dict[str, object]:
    number, boolean, string, bigint = Boxed(1.0), Boxed(True), Boxed("s"), Boxed(BigInt(1))
    return {
        "twice": [number, number, Boxed(1.0)],
        "boolean twice": [boolean, boolean],
        "string twice": [string, string, "s"],
        "bigint twice": [bigint, bigint, BigInt(1)],
        "with a property": Boxed("ab"),
    }


for flags in ("", "g", "i", "m", "s", "u", "y", "d", "v", "gi", "gm", "dg", "gimsuy", "dgimsuy", "dgimsvy"):
    VALUES[f"regexp: flags {flags or 'none'}"] = RegExp("a+b", "".join(sorted(flags)))


@family("regexp")
def _() -> dict[str, object]:
    twice = RegExp("x")
    return {
        "empty": RegExp("(?:)"),
        "an escaped slash": RegExp(r"\/"),
        "a slash": RegExp(r"\/"),
        "Latin-1": RegExp("é"),
        "two-byte": RegExp("ā"),
        "two-byte, unicode": RegExp("ā", "u"),
        "a line end": RegExp(r"\n"),
        "groups": RegExp(r"(?<y>\d+)-(?<m>x)\k<m>", "u"),
        "lookbehind": RegExp("(?<=a)b(?!c)"),
        "a class": RegExp(r"[\d\-a-z]+?", "g"),
        "lastIndex is lost": RegExp("a", "g"),
        "a subclass": RegExp("q", "g"),
        "twice": {"a": twice, "b": twice},
    }


# -------------------------------------------------------------------------------------- maps and sets


@family("map")
def _() -> dict[str, object]:
    itself, value = Map(), Map()
    itself[ByIdentity(itself)] = itself
    value["m"] = value
    key: dict[str, object] = {}
    twice = Map()
    return {
        "empty": Map(),
        "one entry": Map({1: 2}),
        "order of entry": Map({1: 0, "a": 0, 3: 0, 2: 0}),
        "every scalar key": Map(
            {undefined: 1, None: 2, True: 3, False: 4, 1.5: 5, "": 6, ByIdentity(BigInt(1)): 7, math.nan: 8}
        ),
        "1 and true": Map({1: 1, ByIdentity(True): 2, 0: 3, ByIdentity(False): 4}),
        "1 and 1n": Map({1: 1, ByIdentity(BigInt(1)): 2}),
        "1 and its text": Map({1: 1, "1": 2}),
        "object keys": Map({ByIdentity({"a": 1}): [1], ByIdentity([]): {}}),
        "equal lists as keys": Map({ByIdentity([1]): 1, ByIdentity([1]): 2}),
        "contains itself": itself,
        "value is itself": value,
        "-0 is 0": Map({0: 1.0}),
        "nested": Map({"m": Map({"s": {1}})}),
        "key and value one object": Map({ByIdentity(key): key}),
        "after delete": Map({1: 1, 3: 3}),
        "64 entries": Map({index: index for index in range(64)}),
        "65 entries": Map({index: str(index) for index in range(65)}),
        "string keys": Map({"a": 1, "b": 2}),
        "date keys": Map({moment(0): 1, ByIdentity(moment(0)): 2}),
        "with a property": Map({1: 2}),
        "a subclass": Map({1: 2}),
        "twice": [twice, twice, Map()],
    }


@family("set")
def _() -> dict[str, object]:
    itself: set[object] = set()
    itself.add(ByIdentity(itself))
    twice: set[object] = set()
    return {
        "empty": set(),
        "one member": {1},
        "one string": {"a"},
        "one null": {None},
        "one undefined": {undefined},
        "one float": {1.5},
        "order of entry": {1, "a", 3, 2},
        "every scalar": {1.5, "a", BigInt(3), None, undefined, True, math.nan},
        "1 and true": {1, ByIdentity(True), 0, ByIdentity(False)},
        "objects": {ByIdentity({}), ByIdentity([]), moment(0)},
        "equal lists": {ByIdentity([1]), ByIdentity([1])},
        "sets": {ByIdentity({1}), ByIdentity({1})},
        "contains itself": itself,
        "130 members": set(range(130)),
        "a subclass": {1},
        "twice": [twice, twice, set()],
    }


# ------------------------------------------------------------------------------------------- buffers


def _buffers() -> dict[str, object]:
    twice, resizable = ArrayBuffer(1), ArrayBuffer(1, max_byte_length=2)
    return {
        "empty": ArrayBuffer(0),
        "three bytes": ArrayBuffer(b"\x00\x80\xff"),
        "two hundred bytes": ArrayBuffer(200),
        "twice": [twice, twice, ArrayBuffer(1)],
        "resizable": ArrayBuffer(2, max_byte_length=4),
        "resizable from nothing": ArrayBuffer(0, max_byte_length=0),
        "resizable to 300": ArrayBuffer(3, max_byte_length=300),
        "resizable twice": [resizable, resizable],
    }


family("buffer")(_buffers)
family("native buffer")(_buffers)

KINDS: Final[dict[str, tuple[str, tuple[float, ...]]]] = {
    "Int8Array": ("b", (-1, 1, 127, -128)),
    "Uint8Array": ("B", (0, 1, 128, 255)),
    "Int16Array": ("h", (-2, 258)),
    "Uint16Array": ("H", (1, 65535)),
    "Int32Array": ("i", (-1, 1)),
    "Uint32Array": ("I", (4294967295, 7)),
    "Float32Array": ("f", (1.5, -0.0, math.nan, math.inf)),
    "Float64Array": ("d", (1.5, -0.0, math.inf, math.nan)),
    "BigInt64Array": ("q", (-1, 1)),
    "BigUint64Array": ("Q", (2**64 - 1, 5)),
}
OWN_KINDS: Final[dict[str, tuple[type[Uint8ClampedArray | Float16Array], int, bytes]]] = {
    "Uint8ClampedArray": (Uint8ClampedArray, 1, b"\x00\xff\x00\xfe"),
    "Float16Array": (Float16Array, 2, bytes.fromhex("003c 00b8 ff7b 007e")),
}
COUNTING: Final = bytes(range(32))


def _views(make: Callable[[bytes | int], object], size: int, values: bytes) -> dict[str, object]:
    twice = make(size)
    return {
        "empty": make(0),
        "values": make(values),
        "forty bytes": make(40),
        "part of a buffer": make(COUNTING[size : size * 3]),
        "twice": [twice, twice, make(size)],
        "resizable": make(size),
        "shared": make(size),
    }


def _native(
    over: Callable[[ArrayBuffer, int, int | None], object], size: int, values: bytes
) -> dict[str, object]:
    def alone(size_or_bytes: int | bytes) -> object:
        return over(ArrayBuffer(size_or_bytes), 0, None)

    twice, then, after = alone(size), ArrayBuffer(size), ArrayBuffer(size)
    first = over(then, 0, None)
    return {
        "empty": alone(0),
        "values": alone(values),
        "part of a buffer": over(ArrayBuffer(COUNTING), size, 2),
        "twice": [twice, twice, alone(size)],
        "then its buffer": [first, then, first],
        "after its buffer": [after, over(after, 0, None), after],
        "length-tracking": over(ArrayBuffer(size * 2, max_byte_length=size * 4), 0, None),
        "on a resizable buffer": over(ArrayBuffer(size * 3, max_byte_length=size * 4), size, 1),
    }


def _add_views() -> None:
    for kind, (format, items) in KINDS.items():
        values = array(format, items)

        def make(source: bytes | int, format: str = format) -> object:
            return memoryview(array(format, bytes(source)))

        def over(buffer: ArrayBuffer, offset: int, length: int | None, format: str = format) -> object:
            return buffer.view(format, offset, length)

        size, data = values.itemsize, values.tobytes()
        VALUES.update({f"view {kind}: {name}": value for name, value in _views(make, size, data).items()})
        VALUES.update({f"native {kind}: {name}": value for name, value in _native(over, size, data).items()})
    for kind, (own, size, data) in OWN_KINDS.items():

        def make_own(source: bytes | int, own: type[Uint8ClampedArray | Float16Array] = own) -> object:
            return own(ArrayBuffer(source))

        def over_own(
            buffer: ArrayBuffer,
            offset: int,
            length: int | None,
            own: type[Uint8ClampedArray | Float16Array] = own,
        ) -> object:
            return own(buffer, offset, length)

        VALUES.update({f"view {kind}: {name}": value for name, value in _views(make_own, size, data).items()})
        VALUES.update(
            {f"native {kind}: {name}": value for name, value in _native(over_own, size, data).items()}
        )


_add_views()


@family("view DataView")
def _() -> dict[str, object]:
    twice = DataView(ArrayBuffer(1))
    return {
        "empty": DataView(ArrayBuffer(0)),
        "three bytes": DataView(ArrayBuffer(b"\1\2\3")),
        "part of a buffer": DataView(ArrayBuffer(b"\2\3")),
        "twice": [twice, twice],
        "resizable": DataView(ArrayBuffer(3)),
    }


@family("native DataView")
def _() -> dict[str, object]:
    twice = DataView(ArrayBuffer(1))
    then, beside = ArrayBuffer(1), ArrayBuffer(4)
    return {
        "empty": DataView(ArrayBuffer(0)),
        "three bytes": DataView(ArrayBuffer(b"\1\2\3")),
        "part of a buffer": DataView(ArrayBuffer(b"\1\2\3\4"), 1, 2),
        "twice": [twice, twice],
        "then its buffer": [DataView(then), then],
        "length-tracking": DataView(ArrayBuffer(3, max_byte_length=8)),
        "on a resizable buffer": DataView(ArrayBuffer(3, max_byte_length=8), 1, 2),
        "beside a typed array": [DataView(beside, 1), beside.view("H", 2)],
    }


@family("Buffer")
def _() -> dict[str, object]:
    one = bytes([1])
    return {
        "empty": b"",
        "text": b"hello",
        "three bytes": b"\x00\xff\x80",
        "part of a buffer": b"cd",
        "128 bytes": b"\7" * 128,
        "twice": {"a": one, "b": one},
        "between strings": ["ā", b"x", "ā"],
    }


@family("views")
def _() -> dict[str, object]:
    return {
        "three on one buffer": [view("B", 0, 0, 0, 0), view("H", 0), ArrayBuffer(4)],
        "in an object": {"d": view("d", 2), "e": view("B", 0, 0)},
        "as Map keys": Map({ByIdentity(view("B", 1)): 1, ByIdentity(view("B", 1)): 2}),
        "another tag": view("b", 1),
        "another constructor": bytes([1]),
        "out of bounds": view("B"),
    }


@family("native views")
def _() -> dict[str, object]:
    eight, four = ArrayBuffer(8), ArrayBuffer(4)
    after: dict[str, object] = {}
    return {
        "three on one buffer": [eight.view("B"), eight.view("H", 2, 1), eight, eight.view("d")],
        "two equal buffers": [ArrayBuffer(b"\1").view(), ArrayBuffer(b"\1").view()],
        "in an object": {
            "d": ArrayBuffer(array("d", [2]).tobytes()).view("d"),
            "e": ArrayBuffer(2).view(),
        },
        "then an object twice": [ArrayBuffer(1).view(), after, after],
        "the same part twice": [four.view("B", 1, 2), four.view("B", 1, 2)],
    }


# -------------------------------------------------------------------------------------------- errors

for kind in (JSError, JSEvalError, JSRangeError, JSReferenceError, JSSyntaxError, JSTypeError, JSURIError):
    VALUES[f"{kind.name}: with a message"] = js_error(kind)
    VALUES[f"{kind.name}: without a message"] = js_error(kind, None)
    VALUES[f"{kind.name}: with an empty message"] = js_error(kind, "")
    VALUES[f"{kind.name}: with a cause"] = js_error(kind, "m", 1)
    VALUES[f"{kind.name}: without a stack"] = kind("m")


@family("error")
def _() -> dict[str, object]:
    deep = js_error(JSError, "a", js_error(JSRangeError, "b", js_error(JSURIError, "c")))
    cause: dict[str, object] = {}
    twice = js_error()
    return {
        "two-byte message": js_error(JSError, "ā"),
        "two-byte stack": JSError("m", stack="ā"),
        "cause undefined": js_error(JSError, "m", undefined),
        "cause null": js_error(JSError, "m", None),
        "cause an object": js_error(JSError, "m", {"a": [1]}),
        "cause an error": js_error(JSError, "m", js_error(JSTypeError, "in")),
        "three causes deep": deep,
        "cause without message": js_error(JSError, None, 1),
        "cause shared": [js_error(JSError, "m", cause), cause],
        "twice": [twice, twice],
        "then an object": [js_error(), {"x": 1}],
        "in a map": Map({"e": js_error(JSTypeError)}),
        "other properties are lost": js_error(),
        "an own name": js_error(JSTypeError),
        "an unknown name": js_error(),
        "a subclass": js_error(JSRangeError),
        "AggregateError": js_error(),
        "a message that is no string": js_error(JSError, "5"),
        "a stack that is no string": JSError("m"),
    }


# ------------------------------------------------------------------------------ identity, mixes, seams


def _receivers(native: bool) -> dict[str, Callable[[], object]]:
    kinds: dict[str, Callable[[], object]] = {
        "object": dict,
        "array": list,
        "sparse": lambda: Array([hole, 1]),
        "date": lambda: moment(0),
        "boolean": lambda: Boxed(False),
        "number": lambda: Boxed(1.0),
        "string": lambda: Boxed("s"),
        "bigint": lambda: Boxed(BigInt(1)),
        "regexp": lambda: RegExp("x"),
        "map": Map,
        "set": set,
        "buffer": lambda: ArrayBuffer(1),
        "resizable": lambda: ArrayBuffer(1, max_byte_length=2),
        "typed array": lambda: ArrayBuffer(b"\1").view() if native else view("B", 1),
        "DataView": lambda: DataView(ArrayBuffer(1)),
        "Buffer": lambda: bytes([1]),
        "error": js_error,
    }
    return kinds


def _add_ids() -> None:
    for kind, make in _receivers(native=False).items():
        empty: dict[str, object] = {}
        value = make()
        VALUES[f"ids: {kind}"] = [value, empty, value, empty]
        VALUES[f"ids: two of {kind}"] = {"a": make(), "b": make(), "o": empty, "p": empty}
    for kind, make in _receivers(native=True).items():
        value = make()
        if kind != "Buffer":
            VALUES[f"native ids: {kind}"] = [value, empty, value, empty]
    scalars = {"int": 1, "float": 1.5, "string": "s", "bigint": BigInt(1), "null": None, "boolean": True}
    for kind, scalar in {**scalars, "undefined": undefined}.items():
        VALUES[f"ids: none for {kind}"] = [scalar, empty, scalar, empty]
    everything = [make() for make in _receivers(native=False).values()]
    VALUES["ids: every kind at once"] = everything * 2
    VALUES["ids: two hundred references"] = [empty] * 200
    many: list[object] = [{} for _ in range(130)]
    VALUES["ids: reference past 127"] = [*many, many[129], many[0]]


_add_ids()


@family("mix")
def _() -> dict[str, object]:
    ring: dict[str, object] = {}
    ring["m"] = Map({"s": {ByIdentity([ring])}})
    family: dict[str, object] = {"name": "p", "children": []}
    family["children"] = [{"name": name, "parent": family} for name in "ab"]
    linked: object = None
    for index in range(50):
        linked = {"i": index, "next": linked}
    a: dict[str, object] = {}
    b: dict[str, object] = {"prev": a}
    c: dict[str, object] = {"prev": b}
    a["next"], b["next"] = b, c
    user = {"id": BigInt(1), "name": "Ł"}
    day = moment(5)
    return {
        "a ring of four kinds": ring,
        "a family": family,
        "a linked list": linked,
        "a doubly linked list": [a, c],
        "a record": {
            "id": 7,
            "name": "näme",
            "tags": {"a", "b"},
            "made": moment(1_700_000_000_000),
            "blob": view("B", 1, 2, 3),
            "meta": Map({"k": {"v": [1, 2.5, None]}}),
        },
        "a session": {
            "user": user,
            "seen": Map({ByIdentity(user): moment(0)}),
            "log": [[user, RegExp("x", "g")], [None, undefined]],
        },
        "a table": [
            {"id": index, "label": f"row {index}", "even": index % 2 == 0, "half": index + 0.5}
            for index in range(10)
        ],
        "GeoJSON": {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [[[1.5, 2.25], [3.5, 4.75], [1.5, 2.25]]]},
            "properties": None,
        },
        "a package": {
            "name": "x",
            "version": "1.0.0",
            "dependencies": {"a": "^1"},
            "private": True,
            "files": [],
        },
        "a matrix": [[1, 2], [3, 4]],
        "sets in maps in sets": {ByIdentity(Map({ByIdentity(set()): Map()}))},
        "boxes in boxes": [[Boxed(1.0)], {"s": Boxed("x")}],
        "maps with index keys": Map({"1": {"1": 1}, 1: {"01": 1}}),
        "a queue of errors": [js_error(JSTypeError, "a"), {"e": js_error(JSRangeError, "b")}],
        "one date everywhere": {"d": day, "l": [day], "m": Map({day: day}), "s": {day}},
    }


@family("several")
def _() -> dict[str, object]:
    empty: dict[str, object] = {}
    return {
        "two values": [1, "a"],
        "ids go on": [empty, empty, {"o": empty}],
        "alignment goes on": ["a", "ā", "Ă"],
    }


@family("shared buffer")
def _() -> dict[str, object]:
    one, two, eight = SharedArrayBuffer(4), SharedArrayBuffer(2), SharedArrayBuffer(8)
    for name in ("alone", "twice", "with a view"):
        REGISTERED[f"shared buffer: {name}"] = [one]
    REGISTERED["shared buffer: two of them"] = [one, two]
    REGISTERED["shared buffer: view in an object"] = [eight]
    return {
        "alone": one,
        "twice": [one, one],
        "two of them": [one, two],
        "with a view": [one.view(), one],
        "view in an object": {"v": eight.view("i", 4, 1)},
    }


@family("transferred buffer")
def _() -> dict[str, object]:
    one, two = ArrayBuffer(4), ArrayBuffer(2)
    for name in ("alone", "twice", "with a view", "beside a copied one"):
        REGISTERED[f"transferred buffer: {name}"] = [one]
    REGISTERED["transferred buffer: two of them"] = [one, two]
    return {
        "alone": one,
        "twice": [one, one],
        "two of them": {"b": two, "a": one},
        "with a view": [one.view("B", 1, 2), one],
        "beside a copied one": [one, ArrayBuffer(1)],
    }

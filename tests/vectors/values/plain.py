"""The vectors of scalars, strings, objects and arrays, in Python.

Scalars are derived from their names where Python and JavaScript write them alike.
"""

from __future__ import annotations

import json
import math
from typing import Final

from clonecodec import (
    Array,
    ArrayBuffer,
    BigInt,
    Boxed,
    JSError,
    Map,
    RegExp,
    SparseArray,
    hole,
    undefined,
)
from tests.vectors import VERSIONS, of_node
from tests.vectors.values.made import under, view

VALUES: Final[dict[str, object]] = {}


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


def strings() -> dict[str, object]:
    return {
        "a slice of a two-byte string keeps two bytes": "abcdefghijklmnopqrst",
        "a short slice of a two-byte string has one": "ab",
        "joined one-byte strings": "abcdefghijklmnopqrstuvwxyz",
        "spaces and one character outside Latin-1": " " * 200 + "\U0001f44a",
        "a Latin-1 character of a two-byte string": "a",
    }


def alignments() -> dict[str, object]:
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


def objects() -> dict[str, object]:
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


def arrays() -> dict[str, object]:
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


def sparse_arrays() -> dict[str, object]:
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


VALUES.update(
    {
        **under("string", strings()),
        **under("alignment", alignments()),
        **under("object", objects()),
        **under("array", arrays()),
        **under("sparse", sparse_arrays()),
    }
)

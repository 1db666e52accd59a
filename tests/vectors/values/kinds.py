"""The vectors of dates, boxes, regular expressions, Maps, Sets and errors, in Python."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final

from clonecodec import (
    BigInt,
    Boxed,
    ByIdentity,
    Date,
    JSError,
    JSEvalError,
    JSRangeError,
    JSReferenceError,
    JSSyntaxError,
    JSTypeError,
    JSURIError,
    Map,
    RegExp,
    undefined,
)
from tests.vectors.values.made import js_error, moment, under

VALUES: Final[dict[str, object]] = {}


for milliseconds in (
    *(0, 1, -1, 1_000_000, 1_700_000_000_123, 1_709_210_096_789, 951_782_400_000, -2_208_988_800_000),
    *(253_402_300_799_999, -62_135_596_800_000, 999, 10**12, -(10**12)),
):
    text = {1_000_000: "1e6", 10**12: "1e12", -(10**12): "-1e12"}.get(milliseconds, str(milliseconds))
    VALUES[f"date new Date({text})"] = moment(milliseconds)
for text in ("253402300800000", "-62135596800001", "8.64e15", "-8.64e15", "NaN"):
    VALUES[f"date new Date({text})"] = Date(float(text))


def dates() -> dict[str, object]:
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


def boxes() -> dict[str, object]:
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


def regexps() -> dict[str, object]:
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


def maps() -> dict[str, object]:
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
            {
                undefined: 1,
                None: 2,
                True: 3,
                False: 4,
                1.5: 5.0,
                "": 6,
                ByIdentity(BigInt(1)): 7,
                math.nan: 8.0,
            }
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


def sets() -> dict[str, object]:
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


for kind in (JSError, JSEvalError, JSRangeError, JSReferenceError, JSSyntaxError, JSTypeError, JSURIError):
    VALUES[f"{kind.name}: with a message"] = js_error(kind)
    VALUES[f"{kind.name}: without a message"] = js_error(kind, None)
    VALUES[f"{kind.name}: with an empty message"] = js_error(kind, "")
    VALUES[f"{kind.name}: with a cause"] = js_error(kind, "m", 1)
    VALUES[f"{kind.name}: without a stack"] = kind("m")


def errors() -> dict[str, object]:
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


VALUES.update(
    {
        **under("date", dates()),
        **under("boxed", boxes()),
        **under("regexp", regexps()),
        **under("map", maps()),
        **under("set", sets()),
        **under("error", errors()),
    }
)

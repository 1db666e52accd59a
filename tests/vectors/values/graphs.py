"""The vectors of identity, and of values with many kinds in them, in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from clonecodec import (
    Array,
    ArrayBuffer,
    BigInt,
    Boxed,
    ByIdentity,
    DataView,
    JSRangeError,
    JSTypeError,
    Map,
    RegExp,
    hole,
    undefined,
)
from tests.vectors.values.made import js_error, moment, under, view

VALUES: Final[dict[str, object]] = {}


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
        "Buffer": lambda: bytes([1, 2]),
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


def mixes() -> dict[str, object]:
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


def several() -> dict[str, object]:
    empty: dict[str, object] = {}
    return {
        "two values": [1, "a"],
        "ids go on": [empty, empty, {"o": empty}],
        "alignment goes on": ["a", "ā", "Ă"],
    }


VALUES.update({**under("mix", mixes()), **under("several", several())})

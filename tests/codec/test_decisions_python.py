"""Decisions 7, 8, 10 and 11 about the codec: Python's own kinds of values, and where in them something is."""

from __future__ import annotations

import ctypes
import enum
import io
import sys
import threading
from array import array
from collections import OrderedDict, deque, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any, Final
from uuid import UUID

import numpy as np
import pytest

from clonecodec import (
    Array,
    ArrayBuffer,
    ByIdentity,
    DataCloneError,
    JSError,
    Map,
    SparseArray,
    dumps,
    hole,
    loads,
    structured_clone,
)
from tests.codec.roads import ROADS, message, native, wire
from tests.same import difference

# 7. What an instance is


class Plain:
    def __init__(self) -> None:
        self.b = 1
        self.a = [self]
        self._hidden = 2


class Slotted:
    __slots__ = ("__private", "first", "second", "unset")

    def __init__(self) -> None:
        self.first, self.second = 1, 2


@dataclass(slots=True)
class Point:
    x: int
    y: int


Pair = namedtuple("Pair", "left right")


class Color(enum.Enum):
    RED = 1


class Number(enum.IntEnum):
    ONE = 1


class Name(enum.StrEnum):
    ANN = "ann"


SUBCLASSES: Final[list[tuple[object, object]]] = [
    (OrderedDict(a=1), {"a": 1}),
    (type("MyList", (list,), {})([1]), [1]),
    (Pair(1, 2), (1, 2)),
    (type("MySet", (set,), {})([1]), {1}),
    (type("MyFrozen", (frozenset,), {})([1]), frozenset({1})),
    (type("MyStr", (str,), {})("ā"), "ā"),
    (type("MyInt", (int,), {})(5), 5),
    (type("MyFloat", (float,), {})(0.5), 0.5),
    (type("MyBytes", (bytes,), {})(b"x"), b"x"),
    (type("MyMap", (Map,), {})({"a": 1}), Map({"a": 1})),
    (Number.ONE, 1),
    (Name.ANN, "ann"),
    (np.float64(0.5), 0.5),
]


@pytest.mark.parametrize(("value", "base"), SUBCLASSES, ids=lambda value: type(value).__name__)
def test_7_a_subclass_is_written_as_its_base(value: object, base: object) -> None:
    assert difference(loads(dumps(value)), base) is None
    if not isinstance(base, bytes):
        assert difference(structured_clone(value), base) is None


def test_7_an_instance_is_its_own_visible_attributes_in_order() -> None:
    for road in ROADS.values():
        result = road(Plain())
        assert list(result) == ["b", "a"]
        assert result["a"][0] is result


def test_7_slots_count_as_attributes() -> None:
    for road in ROADS.values():
        assert road(Slotted()) == {"first": 1, "second": 2}
        assert road(Point(1, 2)) == {"x": 1, "y": 2}


class Secretive:
    def __init__(self) -> None:
        self._all = 1


REFUSED: Final[list[object]] = [
    Color.RED,
    deque(),
    PurePosixPath("/a"),
    date(2020, 1, 1),
    time(1),
    timedelta(1),
    range(3),
    1j,
    Secretive(),
    datetime(2020, 1, 1),  # naive, and so no instant
    Decimal(1),
    Fraction(1, 2),
    UUID(int=1),
    print,
    lambda: 1,
    Plain,
    sys,
    (number for number in range(3)),
    threading.Lock(),
    io.BytesIO(),
    ...,
    object(),
    iter([]),
    {}.keys(),
]


@pytest.mark.parametrize("value", REFUSED, ids=lambda value: type(value).__name__)
def test_7_what_is_no_value_is_refused_with_advice(value: object) -> None:
    for road in ROADS.values():
        with pytest.raises(DataCloneError, match="cannot be cloned"):
            road([value])


def test_7_an_empty_instance_is_an_empty_object() -> None:
    assert loads(dumps(type("Empty", (), {})())) == {}


# 8. Buffers


@pytest.mark.parametrize("format", "bBhHiIqQfd")
def test_8_each_native_format_is_its_typed_array(format: str) -> None:
    source = array(format, [1, 2, 3])
    for road in (message, structured_clone, wire):
        view = road(source)
        assert (type(view), view.format, view.tolist(), view.readonly) == (
            memoryview,
            format,
            [1, 2, 3],
            False,
        )


@pytest.mark.parametrize("format", "lL")
def test_8_long_is_what_its_size_says(format: str) -> None:
    source = array(format, [1, 2])
    expected = {"l": {8: "q", 4: "i"}, "L": {8: "Q", 4: "I"}}[format][source.itemsize]

    assert loads(dumps(source)).format == expected


@pytest.mark.parametrize("dtype", ["<f2", "?", ">f8", "c8", "S3", "<U2"])
def test_8_other_formats_are_refused(dtype: str) -> None:
    for road in (message, structured_clone, wire):
        with pytest.raises(DataCloneError, match="format"):
            road(np.zeros(2, dtype))


def test_8_standard_sizes_are_no_native_format() -> None:
    with pytest.raises(DataCloneError, match="format '<d'"):
        dumps((ctypes.c_double * 2)())


def test_8_more_than_one_dimension_is_refused_and_none_too() -> None:
    for shape in ((2, 2), (), (1, 1, 1)):
        with pytest.raises(DataCloneError, match="dimensions"):
            dumps(np.zeros(shape))


def test_8_a_view_that_view_did_not_hand_out_sends_only_its_bytes() -> None:
    buffer = ArrayBuffer(b"secret, public, secret")
    part = memoryview(buffer.view())[8:14]

    for road in (message, structured_clone, wire):
        result = road(part)
        assert bytes(result) == b"public"
    assert native(part)[2:4] == b"B\x06"
    assert bytes(structured_clone(part).obj) == b"public"


def test_8_a_slice_with_steps_is_sent_as_the_items_it_shows() -> None:
    assert loads(dumps(memoryview(bytes(range(10)))[::3])).tolist() == [0, 3, 6, 9]


# 10. Mutation while writing


class Meddler:
    """Changes its container while it is written."""

    def __init__(self, action: Callable[[], object]) -> None:
        self._action = action

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    @property
    def __dict__(self) -> dict[str, object]:  # type: ignore[override]  # what vars() asks for
        self._run()
        return {"meddled": True}

    def _run(self) -> None:
        object.__getattribute__(self, "_action")()

    __slots__ = ("_action",)


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (lambda meddler: [meddler, 1, 2], list.clear),
        (lambda meddler: {"a": meddler, "b": 1}, dict.clear),
        (lambda meddler: {1: meddler, 2: 1}, dict.clear),
        (lambda meddler: {ByIdentity(meddler), 1}, set.clear),
        (lambda meddler: Map({"a": meddler, "b": 1}), lambda value: value.update(c=1)),
        (lambda meddler: [meddler, 1, 2], lambda value: value.extend([3] * 1000)),
        (lambda meddler: Array([meddler, 1], {"a": 1}), lambda value: value.properties.clear()),
    ],
    ids=["list", "dict", "dict as Map", "set", "Map", "list that grows", "Array"],
)
def test_10_a_container_is_written_as_it_was_when_it_was_entered(
    make: Callable[[object], Any], change: Callable[[Any], object]
) -> None:
    for road in (message, structured_clone, wire):
        box: list[Any] = []
        value = make(Meddler(lambda box=box: change(box[0])))  # type: ignore[misc]  # the default binds it
        box.append(value)
        length = len(value)

        assert len(road(value)) == length
        assert len(value) != length or isinstance(value, Array), "it has been changed"


def test_10_a_value_that_dies_while_it_is_written_gives_its_number_to_nobody() -> None:
    box: list[Any] = []
    value = [Meddler(lambda: box[0].__setitem__(1, [5, 5])), [1, 1], [2, 2]]
    box.append(value)

    assert loads(dumps(value))[1:] == [[1, 1], [2, 2]]


# 11. Paths

BAD: Final = print

PATHS: Final[list[tuple[Callable[[], Any], str]]] = [
    (lambda: BAD, "$"),
    (lambda: [0, BAD], "$[1]"),
    (lambda: (BAD,), "$[0]"),
    (lambda: {"jobs": [0, {"callback": BAD}]}, "$.jobs[1].callback"),
    (lambda: {"not a name": BAD}, '$["not a name"]'),
    (lambda: {"": BAD}, '$[""]'),
    (lambda: {'"': BAD}, '$["\\""]'),
    (lambda: {"ä": BAD}, "$.ä"),
    (lambda: {"7": BAD}, '$["7"]'),
    (lambda: Map({1: 2, BAD: 3}), "$.key(1)"),
    (lambda: Map({1: 2, 3: BAD}), "$.value(1)"),
    (lambda: {ByIdentity([BAD])}, "${0}[0]"),
    (lambda: frozenset({BAD}), "${0}"),
    (lambda: JSError("x", cause=[BAD]), "$.cause[0]"),
    (lambda: Array([1], {"extra": BAD}), "$.extra"),
    (lambda: SparseArray(100, {50: BAD}), "$[50]"),
    (lambda: SparseArray(100, {}, {"p": BAD}), "$.p"),
    (lambda: Point(1, BAD), "$.y"),  # type: ignore[arg-type]  # it is no int
    (lambda: [hole, [BAD]], "$[1][0]"),
    (lambda: [ByIdentity(BAD)], "$[0]"),
]


@pytest.mark.parametrize(("make", "path"), PATHS, ids=[path for _, path in PATHS])
def test_11_the_path_says_where_on_every_road(make: Callable[[], Any], path: str) -> None:
    for road in ROADS.values():
        with pytest.raises(DataCloneError) as caught:
            road(make())

        assert caught.value.path == path
        assert str(caught.value).endswith("" if path == "$" else f" at {path}")

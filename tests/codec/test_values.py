"""The value types: equality, hashing, text, copies, pickles, and what does not change."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any, Final

import pytest

from clonecodec import (
    Array,
    ArrayBuffer,
    BigInt,
    Boxed,
    ByIdentity,
    DataView,
    Date,
    Float16Array,
    Map,
    RegExp,
    SharedArrayBuffer,
    SparseArray,
    Uint8ClampedArray,
    hole,
    undefined,
)
from tests.same import difference

NAN: Final = float("nan")

VALUES: Final[list[tuple[Any, str]]] = [
    (undefined, "undefined"),
    (hole, "hole"),
    (BigInt(-5), "BigInt(-5)"),
    (Map({"a": 1}), "Map({'a': 1})"),
    (Array([1, hole]), "Array([1, hole])"),
    (Array([1], {"a": 2}), "Array([1], {'a': 2})"),
    (SparseArray(9, {3: 1}), "SparseArray(9, {3: 1})"),
    (SparseArray(9, {3: 1}, {"a": 2}), "SparseArray(9, {3: 1}, {'a': 2})"),
    (Date(NAN), "Date(nan)"),
    (Date(1.5), "Date(1.0)"),
    (RegExp("a/b", "gi"), "RegExp('a\\\\/b', 'gi')"),
    (Boxed(1), "Boxed(1.0)"),
    (Boxed(True), "Boxed(True)"),
    (Boxed("a"), "Boxed('a')"),
    (Boxed(BigInt(5)), "Boxed(BigInt(5))"),
    (Boxed(2**60), f"Boxed({2**60})"),
]


@pytest.mark.parametrize(("value", "text"), VALUES, ids=[text for _, text in VALUES])
def test_a_value_shows_how_it_was_made(value: object, text: str) -> None:
    assert repr(value) == text


@pytest.mark.parametrize(("value", "text"), VALUES, ids=[text for _, text in VALUES])
def test_copies_and_pickles_are_the_same(value: object, text: str) -> None:
    copiers: list[Callable[[Any], Any]] = [
        copy.copy,
        copy.deepcopy,
        *[lambda x, p=p: pickle.loads(pickle.dumps(x, p)) for p in range(2, 6)],
    ]
    for copier in copiers:
        assert difference(copier(value), value) is None
        assert copier(value) == value or value != value


def test_undefined_and_hole_are_single_and_false() -> None:
    for value in (undefined, hole):
        assert not value
        assert type(value)() is value
        assert copy.deepcopy([value])[0] is value
        assert pickle.loads(pickle.dumps(value)) is value
        with pytest.raises(AttributeError):
            value.name = 1


@pytest.mark.parametrize("value", [Date(1), RegExp("a"), Boxed(1)], ids=repr)
def test_dates_regexps_and_boxes_do_not_change(value: Any) -> None:
    for name in value.__slots__:
        with pytest.raises(AttributeError, match="does not change"):
            setattr(value, name, 1)
    assert hash(value) == hash(copy.copy(value))


def test_equality_is_by_kind_and_content() -> None:
    assert Date(NAN) == Date(NAN) and hash(Date(NAN)) == hash(Date(NAN))
    assert Boxed(NAN) == Boxed(NAN) and hash(Boxed(NAN)) == hash(Boxed(NAN))
    assert Boxed(1) != Boxed(True) and Boxed(1) == Boxed(1.0) and Boxed(1) != Boxed(BigInt(1))
    assert Boxed(1) != 1 and Date(1) != 1 and RegExp("a") != "a"
    assert RegExp("a") != RegExp("a", "g")
    assert Array([1]) == [1] and Array([1]) == [1] and Array([1], {"a": 1}) != [1]
    assert Array([1], {"a": 1}) == Array([1], {"a": 1}) != Array([1], {"a": 2})
    assert SparseArray(3) == SparseArray(3) != SparseArray(4) and SparseArray(0) != []
    assert ByIdentity(1) != ByIdentity(1)
    assert BigInt(5) == 5 and f"{BigInt(5)}" == "5"
    assert Map({1: 2}) == {1: 2}
    assert ArrayBuffer(b"a") == ArrayBuffer(b"a") != ArrayBuffer(b"b")
    assert ArrayBuffer(b"a") != SharedArrayBuffer(b"a") and ArrayBuffer(b"a") != b"a"


def test_dates_are_clipped_as_javascript_clips() -> None:
    assert Date(-1.9).milliseconds == -1.0
    assert math.copysign(1, Date(-0.5).milliseconds) == 1.0
    assert math.isnan(Date(8.64e15 + 1).milliseconds)
    assert Date(8.64e15).milliseconds == 8.64e15
    assert math.isnan(Date(math.inf).milliseconds)


@pytest.mark.parametrize("wrong", [None, [], b"x", undefined])
def test_only_primitives_are_boxed(wrong: Any) -> None:
    with pytest.raises(TypeError, match="can be boxed"):
        Boxed(wrong)


def test_a_copy_of_an_array_and_of_a_map_has_its_own_contents() -> None:
    array, table = Array([1], {"a": 1}), Map({1: 2})
    for other in (array.copy(), copy.copy(array)):
        other.append(2)
        other.properties["b"] = 2
        assert (array, array.properties) == (Array([1], {"a": 1}), {"a": 1})
    other_table = table.copy()
    other_table[3] = 4
    assert type(other_table) is Map and table == {1: 2}


def test_a_sparse_array_is_read_like_a_list() -> None:
    sparse = SparseArray(100, {0: "first", 99: "last"})

    assert (len(sparse), sparse[0], sparse[-1], sparse[50]) == (100, "first", "last", hole)
    for index in (100, -101):
        with pytest.raises(IndexError):
            sparse[index]
    for length in (-1, 2**32):
        with pytest.raises(ValueError, match="length"):
            SparseArray(length)
    with pytest.raises(ValueError, match="outside"):
        SparseArray(5, {5: 1})


@pytest.mark.parametrize("flags", ["x", "gg", "uv", "G"])
def test_flags_that_javascript_has_not_are_refused(flags: str) -> None:
    with pytest.raises(ValueError, match="flag"):
        RegExp("a", flags)


# Buffers


def test_an_array_buffer_is_made_of_a_size_or_of_bytes() -> None:
    import array

    assert bytes(ArrayBuffer()) == b""
    assert bytes(ArrayBuffer(3)) == b"\0\0\0"
    assert bytes(ArrayBuffer(array.array("H", [1]))) == b"\1\0"
    assert bytes(ArrayBuffer(ArrayBuffer(b"ab"))) == b"ab"
    assert bytes(ArrayBuffer(memoryview(b"abcd")[::2])) == b"ac"
    assert bytes(SharedArrayBuffer(memoryview(b""))) == b""
    for kind in (ArrayBuffer, SharedArrayBuffer):
        with pytest.raises(ValueError, match="no -1 bytes"):
            kind(-1)
        with pytest.raises(TypeError):
            kind("text")  # type: ignore[arg-type]  # that is the point
        assert len(kind(5)) == kind(5).byte_length == 5
        assert bool(kind(0))


def test_slices_count_as_in_javascript_and_are_copies() -> None:
    buffer = ArrayBuffer(b"abcdef")
    part = buffer.slice(1, -1)
    part.view()[0] = 0

    assert bytes(buffer) == b"abcdef"
    assert bytes(buffer.slice(-2)) == b"ef"
    assert bytes(buffer.slice(4, 2)) == b""


@pytest.mark.parametrize(
    ("format", "offset", "length", "why"),
    [
        ("x", 0, None, "format"),
        ("H", 1, None, "multiple"),
        ("d", 0, None, "whole number"),
        ("B", 13, None, "outside"),
        ("B", -1, None, "outside"),
        ("B", 0, 13, "do not fit"),
        ("B", 0, -1, "do not fit"),
        ("I", 8, 2, "do not fit"),
    ],
)
def test_views_that_do_not_fit_are_refused(format: str, offset: int, length: int | None, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ArrayBuffer(12).view(format, offset, length)


def test_resizing_keeps_to_its_rules() -> None:
    buffer = ArrayBuffer(b"abc", max_byte_length=5)
    buffer.resize(5)
    assert bytes(buffer) == b"abc\0\0"
    buffer.resize(1)
    buffer.resize(2)
    assert bytes(buffer) == b"a\0"
    for wrong in (-1, 6):
        with pytest.raises(ValueError, match="not between"):
            buffer.resize(wrong)
    with pytest.raises(ValueError, match="not resizable"):
        ArrayBuffer(1).resize(1)
    with pytest.raises(ValueError, match="more than the maximum"):
        ArrayBuffer(5, max_byte_length=4)
    assert not SharedArrayBuffer(1).resizable
    assert ArrayBuffer(2).max_byte_length == 2


def test_clamped_arrays_round_and_clamp_as_javascript_does() -> None:
    numbers = [-1, 0.5, 1.5, 2.5, 254.5, 255.5, 300, NAN, math.inf, -math.inf, 1e300]
    clamped = Uint8ClampedArray(numbers)

    assert clamped.tolist() == list(clamped) == [0, 0, 2, 2, 254, 255, 255, 0, 255, 0, 255]
    assert (clamped[2], len(clamped), len(Uint8ClampedArray(3))) == (2, 11, 3)
    assert Uint8ClampedArray(b"ab").tolist() == [97, 98]
    with pytest.raises(TypeError, match="not iterable"):
        Uint8ClampedArray(1.5)  # type: ignore[arg-type]


def test_half_floats_are_read_and_set() -> None:
    half = Float16Array([1.5, 65520.0, -1e300, NAN])

    assert half.tolist()[:3] == [1.5, math.inf, -math.inf]
    assert math.isnan(half[3])
    half[0] = -2.0
    assert (half[0], len(half), half.byte_length, half.view.format) == (-2.0, 4, 8, "H")
    assert list(Float16Array(2)) == [0.0, 0.0]
    assert list(Float16Array(ArrayBuffer(b"\0\0\0\x3c"), 2)) == [1.0]


def test_views_of_ours_know_their_buffer_and_show_themselves() -> None:
    buffer = ArrayBuffer(b"abcdef")
    view = DataView(buffer, 2, 3)

    assert (view.buffer, view.byte_offset, view.byte_length, bytes(view)) == (buffer, 2, 3, b"cde")
    assert repr(view) == "<DataView of 3 bytes at 2 of ArrayBuffer(b'abcdef')>"
    assert view == DataView(b"cde") != DataView(b"cdf")
    assert view != Uint8ClampedArray(b"cde") and bool(DataView(b""))
    assert repr(ArrayBuffer(100)) == "<ArrayBuffer of 100 bytes>"
    with pytest.raises(TypeError):
        DataView("text")  # type: ignore[arg-type]  # that is the point


def test_a_view_keeps_its_buffer_alive_and_dies_with_nobody_holding_it() -> None:
    view = ArrayBuffer(b"abc").view("B", 1)
    assert bytes(view) == b"bc"
    buffer = ArrayBuffer(8, max_byte_length=16)
    for _ in range(100):
        buffer.view()
    buffer.resize(16)

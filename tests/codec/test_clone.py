"""structured_clone: graphs, views, and what is transferred."""

from __future__ import annotations

import sys
import threading
from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from clonecodec import (
    Array,
    ArrayBuffer,
    ByIdentity,
    DataCloneError,
    DataView,
    Date,
    Float16Array,
    Map,
    RegExp,
    SharedArrayBuffer,
    Uint8ClampedArray,
    clone_with_transfer,
    hole,
    is_detached,
    is_marked_as_untransferable,
    mark_as_untransferable,
    structured_clone,
    undefined,
)
from tests.same import difference


class Getter:
    """An instance whose attributes are made by running *action*, as a getter of JavaScript's runs code."""

    __slots__ = ("_action",)

    def __init__(self, action: Any) -> None:
        self._action = action

    @property
    def __dict__(self) -> dict[str, object]:  # type: ignore[override]  # what the codec asks for
        object.__getattribute__(self, "_action")()
        return {"got": True}


def test_the_clone_shares_nothing_that_can_change() -> None:
    value: dict[str, Any] = {
        "list": [1],
        "map": Map({1: {2}}),
        "array": Array([hole, []]),
        "buffer": bytearray(b"a"),
    }
    copy = structured_clone(value)
    value["list"].append(2)
    value["map"][1].add(3)
    value["array"][1].append(4)
    value["buffer"][0] = 0

    assert copy["list"] == [1]
    assert copy["map"] == {1: {2}}
    assert copy["array"] == Array([hole, []])
    assert bytes(copy["buffer"]) == b"a"


def test_a_python_object_becomes_a_dict_and_a_cycle_through_it_stays() -> None:
    class Node:
        def __init__(self) -> None:
            self.me = self

    copy = structured_clone(Node())
    assert type(copy) is dict
    assert copy["me"] is copy


def test_dates_and_regexps_are_cloned_as_they_are_read() -> None:
    import re
    from datetime import UTC, datetime

    assert structured_clone(Date(0.0)) == datetime(1970, 1, 1, tzinfo=UTC)
    assert structured_clone(re.compile("a+", re.IGNORECASE)) == RegExp("a+", "i")


def test_what_cannot_be_cloned_raises_with_its_path_and_nothing_is_detached() -> None:
    buffer = ArrayBuffer(b"ab")
    with pytest.raises(DataCloneError) as caught:
        structured_clone({"a": [buffer, print]}, transfer=[buffer])
    assert caught.value.path == "$.a[1]"
    assert bytes(buffer) == b"ab"


@pytest.mark.parametrize("value", [hole, {"a": hole}, (hole,), {ByIdentity(hole)}, Map({1: hole})])
def test_a_hole_is_an_item_of_a_list_and_nothing_else(value: object) -> None:
    with pytest.raises(DataCloneError, match="a hole is no value"):
        structured_clone(value)


# Views


def test_views_on_one_buffer_stay_views_on_one_buffer() -> None:
    buffer = ArrayBuffer(16)
    value = {
        "whole": buffer.view(),
        "doubles": buffer.view("d", 8, 1),
        "clamped": Uint8ClampedArray(buffer, 4, 2),
        "half": Float16Array(buffer, 2, 1),
        "data": DataView(buffer, 1, 3),
        "buffer": buffer,
    }
    copy = structured_clone(value)

    copy["whole"][2:4] = b"\x00\x3c"
    copy["clamped"].view[0] = 9
    assert copy["half"][0] == 1.0
    assert bytes(copy["buffer"])[4] == 9
    assert copy["data"].buffer is copy["clamped"].buffer is copy["buffer"]
    assert (copy["data"].byte_offset, copy["data"].byte_length) == (1, 3)
    assert bytes(buffer) == bytes(16)


@pytest.mark.parametrize("transfer", [False, True])
def test_views_come_before_and_after_their_buffer_alike(transfer: bool) -> None:
    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
        buffer = ArrayBuffer(b"abcdefgh")
        parts = [buffer.view("B", 1, 2), buffer, buffer.view("H")]
        copy = structured_clone([parts[index] for index in order], transfer=[buffer] if transfer else [])
        by_part = {index: copy[place] for place, index in enumerate(order)}
        assert bytes(by_part[0]) == b"bc"
        assert bytes(by_part[1]) == b"abcdefgh"
        by_part[2][0] = 0
        assert bytes(by_part[1])[:2] == b"\0\0"
        assert bytes(by_part[0]) == b"\0c" or by_part[0][0] == 0


def test_one_view_twice_is_one_view_twice() -> None:
    view = ArrayBuffer(b"ab").view()
    first, second = structured_clone([view, view])
    assert first is second


def test_a_buffer_of_ones_own_shows_only_its_bytes() -> None:
    whole = bytearray(b"secret public secret")
    part = memoryview(whole)[7:13]

    assert bytes(structured_clone(part).obj) == b"public"


def test_resizable_buffers_and_views_that_track_them_stay_so() -> None:
    buffer = ArrayBuffer(b"abcd", max_byte_length=8)
    value = [buffer, buffer.view(), buffer.view("B", 1, 2)]
    copy, tracking, fixed = structured_clone(value)

    assert (copy.resizable, copy.max_byte_length, bytes(tracking), bytes(fixed)) == (True, 8, b"abcd", b"bc")
    del tracking, fixed
    copy.resize(8)
    assert bytes(copy) == b"abcd\0\0\0\0"
    moved = structured_clone(copy, transfer=[copy])
    assert (moved.max_byte_length, moved.byte_length) == (8, 8)


def test_a_shared_buffer_is_shared_and_another_object() -> None:
    shared = SharedArrayBuffer(b"abcd")
    copy, view, again = structured_clone([shared, shared.view("B", 1, 2), shared])

    assert copy is again
    assert copy is not shared
    view[0] = 0x7A
    assert bytes(shared) == bytes(copy) == b"azcd"
    shared.view()[3] = 0
    assert bytes(copy) == b"azc\0"


def test_several_shared_buffers_are_kept_apart() -> None:
    first, second = structured_clone([SharedArrayBuffer(0), SharedArrayBuffer(b"a")])
    assert (bytes(first), bytes(second)) == (b"", b"a")


def test_shared_memory_outlives_the_thread_that_made_it() -> None:
    box: list[SharedArrayBuffer] = []
    thread = threading.Thread(target=lambda: box.append(structured_clone(SharedArrayBuffer(b"a"))))
    thread.start()
    thread.join()
    assert bytes(box[0]) == b"a"


# Transfer


def test_a_transferred_buffer_moves_without_a_copy() -> None:
    buffer = ArrayBuffer(b"abcd")
    view = buffer.view("H")
    copy = structured_clone({"buffer": buffer, "view": view}, transfer=[buffer])

    assert bytes(copy["buffer"]) == b"abcd"
    copy["view"][0] = 0
    assert bytes(copy["buffer"]) == b"\0\0cd"
    assert (buffer.detached, buffer.byte_length, buffer.max_byte_length) == (True, 0, 0)
    assert is_detached(buffer) and is_detached(view)
    assert not is_detached(copy["buffer"])


def test_every_later_use_of_what_was_detached_raises() -> None:
    buffer = ArrayBuffer(b"abcd", max_byte_length=9)
    view, clamped = buffer.view("H"), Uint8ClampedArray(buffer)
    half, data = Float16Array(buffer, 0, 2), DataView(buffer)
    structured_clone(None, transfer=[buffer])

    for use in (
        buffer.view,
        lambda: buffer.slice(0, 1),
        lambda: buffer.resize(2),
        lambda: bytes(buffer),
        lambda: view[0],
        view.tolist,
        lambda: clamped[0],
        lambda: half[0],
        lambda: data.view[0],
        lambda: bytes(data),
    ):
        with pytest.raises(ValueError, match=r"detached|released"):
            use()
    assert (clamped.byte_length, clamped.byte_offset, len(half)) == (0, 0, 0)
    assert "detached" in repr(buffer) and "detached" in repr(clamped)
    assert all(map(is_detached, (view, clamped, half, data)))
    for value in (buffer, view, clamped, data):
        with pytest.raises(DataCloneError, match="detached"):
            structured_clone(value)


def test_what_is_listed_and_not_in_the_value_is_detached_too() -> None:
    buffer = ArrayBuffer(b"a")
    assert structured_clone(5, transfer=[buffer]) == 5
    assert buffer.detached


def test_the_new_objects_come_in_the_order_of_the_list() -> None:
    buffers = [ArrayBuffer(bytes((number,))) for number in range(3)]
    value, moved = clone_with_transfer([buffers[2], buffers[0]], buffers)

    assert [bytes(buffer) for buffer in moved] == [b"\0", b"\1", b"\2"]
    assert value[0] is moved[2] and value[1] is moved[0]


def test_a_buffer_of_no_bytes_is_detached_all_the_same() -> None:
    buffer = ArrayBuffer(0)
    structured_clone(buffer, transfer=[buffer])
    assert buffer.detached
    with pytest.raises(DataCloneError, match="detached"):
        structured_clone(buffer)


def test_a_moved_buffer_can_move_on() -> None:
    buffer = ArrayBuffer(b"ab")
    for _ in range(3):
        view = buffer.view()
        buffer = structured_clone(buffer, transfer=[buffer])
        assert is_detached(view)
    assert bytes(buffer) == b"ab"


# The order of checks


def test_the_list_is_checked_before_the_value_is_looked_at() -> None:
    looked: list[int] = []
    value = Getter(lambda: looked.append(1))
    buffer = ArrayBuffer(1)
    for wrong in ([buffer, buffer], [5], [b"x"], [SharedArrayBuffer(1)], [None], ["text"], [ArrayBuffer]):
        with pytest.raises(DataCloneError):
            structured_clone(value, transfer=wrong)
    assert not looked
    assert not buffer.detached


def test_an_error_of_the_value_wins_over_a_detached_buffer() -> None:
    buffer = ArrayBuffer(1)
    structured_clone(None, transfer=[buffer])

    def fail() -> None:
        raise RuntimeError("getter")

    with pytest.raises(RuntimeError, match="getter"):
        structured_clone(Getter(fail), transfer=[buffer])
    with pytest.raises(DataCloneError, match="already detached"):
        structured_clone(None, transfer=[buffer])


def test_a_getter_that_detaches_a_listed_buffer_makes_the_whole_fail() -> None:
    first, second = ArrayBuffer(b"a"), ArrayBuffer(b"b")
    value = Getter(lambda: structured_clone(None, transfer=[second]))

    with pytest.raises(DataCloneError, match="already detached"):
        structured_clone(value, transfer=[first, second])
    assert bytes(first) == b"a"


def test_an_error_of_the_list_itself_passes_through() -> None:
    buffer = ArrayBuffer(1)

    def listed() -> Iterator[object]:
        yield buffer
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        structured_clone(buffer, transfer=listed())
    assert not buffer.detached


def test_the_list_may_be_any_iterable() -> None:
    for kind in (list, tuple, iter, lambda items: dict.fromkeys(map(id, items)) and (item for item in items)):
        buffer = ArrayBuffer(1)
        structured_clone(buffer, transfer=kind([buffer]))
        assert buffer.detached


def test_what_is_marked_is_never_transferred_and_still_cloned() -> None:
    buffer = ArrayBuffer(b"a")
    assert not is_marked_as_untransferable(buffer)
    mark_as_untransferable(buffer)
    assert is_marked_as_untransferable(buffer)

    with pytest.raises(DataCloneError, match="marked as untransferable"):
        structured_clone(buffer, transfer=[buffer])
    assert bytes(structured_clone(buffer)) == b"a"
    mark_as_untransferable(buffer)
    others: list[object] = [5, "a", None, [], undefined]
    for other in others:
        mark_as_untransferable(other)
        assert not is_marked_as_untransferable(other)


def test_a_mark_dies_with_its_object() -> None:
    for _ in range(1000):
        buffer = ArrayBuffer(0)
        assert not is_marked_as_untransferable(buffer)
        mark_as_untransferable(buffer)
        del buffer


# What else looks into the memory


def test_numpy_arrays_over_a_view_stop_the_transfer_until_they_are_gone() -> None:
    buffer = ArrayBuffer(16)
    numbers = np.frombuffer(buffer.view("d"))
    with pytest.raises(DataCloneError, match="numpy"):
        structured_clone(buffer, transfer=[buffer])
    numbers[0] = 1.5
    del numbers
    assert structured_clone(buffer, transfer=[buffer]).view("d")[0] == 1.5


@pytest.mark.skipif(sys.version_info < (3, 12), reason="__buffer__ came with 3.12")
def test_since_3_12_an_array_buffer_is_a_buffer_itself_and_its_exports_count() -> None:
    buffer = ArrayBuffer(b"abcd")
    view = memoryview(buffer)

    assert bytes(view) == b"abcd"
    with pytest.raises(DataCloneError):
        structured_clone(buffer, transfer=[buffer])
    view.release()
    del view
    assert bytes(structured_clone(buffer, transfer=[buffer])) == b"abcd"


def test_many_views_are_released_at_once() -> None:
    buffer = ArrayBuffer(8)
    views = [buffer.view(format) for format in "bBhHiIqQfd"] * 3 + [buffer.view("d", 8, 0)]
    structured_clone(None, transfer=[buffer])
    assert all(map(is_detached, views))


@pytest.mark.skipif(sys.platform != "linux", reason="memfd is Linux's")
def test_a_movable_buffer_keeps_its_memory_when_it_moves() -> None:
    buffer = ArrayBuffer(b"abcd", movable=True)
    number = buffer.fd
    view = buffer.view()
    moved = structured_clone(view, transfer=[buffer])

    assert number is not None
    assert bytes(moved) == b"abcd"
    assert buffer.fd is None
    with pytest.raises(ValueError, match="released"):
        view[0]


@pytest.mark.skipif(sys.platform != "linux", reason="memfd is Linux's")
def test_a_movable_resizable_buffer_forgets_what_it_shrank_by() -> None:
    buffer = ArrayBuffer(b"abcd", max_byte_length=8, movable=True)
    buffer.resize(1)
    buffer.resize(8)
    assert bytes(buffer) == b"a\0\0\0\0\0\0\0"


def test_threads_may_make_and_drop_views_while_others_clone() -> None:
    buffer = ArrayBuffer(64)
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            for number in range(8):
                buffer.view("B", number)

    threads = [threading.Thread(target=churn) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(300):
            assert difference(structured_clone(buffer), buffer) is None
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert array("B", bytes(buffer)).tolist() == [0] * 64

"""Decisions 9, 12 and 13 about the codec: detaching, files, transferables."""

from __future__ import annotations

import ctypes
import io
import re
import socket
import struct
import subprocess
import sys
from array import array
from collections.abc import Callable
from typing import Final

import numpy as np
import pytest

from clonecodec import (
    ArrayBuffer,
    DataCloneError,
    DecodeError,
    RegExp,
    Serializer,
    SharedArrayBuffer,
    Transferable,
    clone_with_transfer,
    dump,
    load,
    loads,
    structured_clone,
    take_all,
)
from tests.codec.roads import ROADS, Unseekable, hexes, native

# 9. Detaching


def test_9_a_slice_of_a_view_makes_the_transfer_fail_before_anything_is_released() -> None:
    first, second = ArrayBuffer(b"aaaa"), ArrayBuffer(b"bbbb")
    views = first.view(), second.view()
    part = views[1][1:2]

    with pytest.raises(DataCloneError, match="looks into it"):
        structured_clone([first, second], transfer=[first, second])

    assert (bytes(first), bytes(second), bytes(views[0]), bytes(part)) == (b"aaaa", b"bbbb", b"aaaa", b"b")
    del part
    structured_clone([first, second], transfer=[first, second])
    assert first.detached and second.detached


@pytest.mark.parametrize(
    "export",
    [
        lambda view: view[1:3],
        lambda view: view.cast("H"),
        memoryview,
        lambda view: np.frombuffer(view, "B"),
        lambda view: re.finditer(b".", view),
        (ctypes.c_char * 4).from_buffer,
        lambda view: struct.iter_unpack("B", view),
    ],
    ids=["slice", "cast", "memoryview", "numpy", "re", "ctypes", "struct"],
)
@pytest.mark.parametrize("movable", [False, True])
def test_9_whatever_exports_a_view_makes_the_transfer_fail(
    export: Callable[[memoryview], object], movable: bool
) -> None:
    if movable and sys.platform != "linux":
        pytest.skip("memfd is Linux's")
    buffer = ArrayBuffer(b"abcd", movable=movable)
    view = buffer.view()
    held = export(view)

    with pytest.raises(DataCloneError):
        structured_clone(view, transfer=[buffer])
    assert bytes(view) == b"abcd"
    del held
    assert bytes(structured_clone(buffer, transfer=[buffer])) == b"abcd"
    assert buffer.detached


def test_9_resize_with_living_views_changes_nothing() -> None:
    buffer = ArrayBuffer(b"abcd", max_byte_length=8)
    view = buffer.view()

    with pytest.raises(BufferError):
        buffer.resize(2)
    assert (bytes(view), buffer.byte_length) == (b"abcd", 4)
    del view
    buffer.resize(2)
    assert bytes(buffer) == b"ab"


def test_9_ctypes_is_not_imported_before_it_is_needed() -> None:
    program = (
        "import sys, clonecodec as c\n"
        "b = c.ArrayBuffer(4); c.structured_clone(b, transfer=[b])\n"
        "print('ctypes' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


# 12. load


BUFFER_THEN: Final = bytes.fromhex("ff0f 42 02 0102 56 42 00 02 00")


def test_12_a_file_that_can_seek_is_searched_for_a_view_behind_a_buffer() -> None:
    file = io.BytesIO(BUFFER_THEN + b"rest")

    assert isinstance(load(file), memoryview)
    assert file.read() == b"rest"


def test_12_elsewhere_the_buffer_ends_the_value() -> None:
    pipe = Unseekable(BUFFER_THEN)

    assert type(load(pipe)) is ArrayBuffer
    assert pipe.offset == 6


def test_12_a_buffer_in_a_container_has_its_view_everywhere() -> None:
    data = native([array("B", b"ab")])

    assert bytes(load(Unseekable(data))[0]) == b"ab"


def test_12_version_13_is_tried_twice_only_where_the_file_can_seek() -> None:
    data = bytes.fromhex("ff0d 41 02 42020102 5642000200 4902 24 00 02".replace("5642000200", "5642000280"))
    repaired = bytes.fromhex("ff0d 41 01 7e 02 04 0102 56 42 00 02 02 24 00 01")

    with pytest.raises(DecodeError):
        loads(data)
    assert bytes(loads(repaired)[0]) == b"\x01\x02"
    assert bytes(load(io.BytesIO(repaired))[0]) == b"\x01\x02"
    with pytest.raises(DecodeError):
        load(Unseekable(repaired))


def test_12_a_buffer_over_a_socket_is_there_before_anything_follows() -> None:
    here, there = socket.socketpair()
    with here, there, there.makefile("rb") as file:
        dump(ArrayBuffer(b"abc"), here.makefile("wb", buffering=0))
        here.settimeout(10)
        there.settimeout(10)

        assert bytes(load(file)) == b"abc"


# 13. Transferables


class Token:
    def __init__(self, name: str) -> None:
        self.name = name


class Handle:
    """Something that can be moved, which the codec knows nothing of."""

    def __init__(self, name: str) -> None:
        self.token: Token | None = Token(name)
        self.log: list[str] = []
        self.refuse = False
        self.fail = False

    def transfer_check(self) -> None:
        self.log.append("check")
        if self.refuse or self.token is None:
            raise DataCloneError("the Handle cannot be moved now")

    def transfer_take(self) -> object:
        self.log.append("take")
        if self.fail:
            raise OSError("taking failed")
        token, self.token = self.token, None
        return token

    @classmethod
    def transfer_build(cls, token: object) -> Handle:
        handle = cls("")
        assert isinstance(token, Token)
        handle.token = token
        return handle

    def transfer_restore(self, token: object) -> None:
        self.log.append("restore")
        assert isinstance(token, Token)
        self.token = token


def test_13_any_transferable_is_moved_through_the_protocol() -> None:
    handle = Handle("h")
    assert isinstance(handle, Transferable)

    result, moved = clone_with_transfer({"a": handle, "b": [handle]}, [handle])

    assert result["a"] is result["b"][0] is moved[0]
    assert result["a"].token.name == "h"
    assert handle.token is None
    assert handle.log == ["check", "check", "take"]


def test_13_one_that_is_not_in_the_list_is_refused_on_every_road() -> None:
    for road in ROADS.values():
        with pytest.raises(DataCloneError, match="not in the transfer list"):
            road([Handle("h")])


def test_13_a_failure_puts_back_what_was_taken() -> None:
    buffer, first, last = ArrayBuffer(b"ab"), Handle("first"), Handle("last")
    last.fail = True

    with pytest.raises(OSError, match="taking failed"):
        structured_clone([], transfer=[buffer, first, last])
    assert bytes(buffer) == b"ab"
    assert first.token is not None
    assert first.log == ["check", "check", "take", "restore"]


def test_13_take_all_checks_all_before_it_takes_any() -> None:
    first, second = Handle("first"), Handle("second")
    second.refuse = True

    with pytest.raises(DataCloneError, match="cannot be moved"):
        take_all([first, second])
    assert first.log == ["check"]


def test_13_a_serializer_moves_a_transferable_through_write_host_object() -> None:
    class Writer(Serializer):
        def write_host_object(self, value: object) -> None:
            assert isinstance(value, Handle)
            self.write_uint32(7)

    writer = Writer()
    writer.write_value([Handle("h")])
    assert hexes(writer.release_buffer()) == "41 01 5c 07 24 00 01"


def test_13_shared_buffers_and_regexps_are_no_transferables() -> None:
    others: list[object] = [SharedArrayBuffer(1), RegExp("a"), b"x", [], None]
    for other in others:
        assert not isinstance(other, Transferable)
        with pytest.raises(DataCloneError, match="cannot be transferred"):
            structured_clone(None, transfer=[other])

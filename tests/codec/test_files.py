"""dump and load: values one after the other, in memory, in real files, through pipes and sockets."""

from __future__ import annotations

import io
import os
import socket
import threading
from array import array
from pathlib import Path
from typing import Any

import pytest

from clonecodec import ArrayBuffer, DataCloneError, DecodeError, TruncatedError, dump, dumps, load
from tests.codec.roads import Unseekable
from tests.same import difference

VALUES: list[Any] = [
    1,
    "text",
    None,
    [1, [2]],
    {"a": (1,)},
    b"bytes",
    2**70,
    {1, 2},
    memoryview(array("d", [1.0])),
]


def test_values_follow_each_other_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "values"
    with path.open("wb") as file:
        for value in VALUES:
            dump(value, file)
        file.write(b"tail")
    with path.open("rb") as file:
        for value in VALUES:
            assert difference(load(file), value) is None
        assert file.read() == b"tail"
    with path.open("rb", buffering=0) as raw:
        for value in VALUES:
            assert difference(load(raw), value) is None


@pytest.mark.parametrize("size", [2**16 - 8, 2**16 - 7, 2**16 - 6, 2**16, 2**17 + 1, 3 * 2**20])
def test_values_larger_than_a_piece_are_read_whole_and_left_exactly(size: int) -> None:
    file = io.BytesIO()
    for value in (bytes(size), "next"):
        dump(value, file)
    file.seek(0)

    assert load(file) == bytes(size)
    assert load(file) == "next"
    pipe = Unseekable(file.getvalue(), piece=5000)
    assert load(pipe) == bytes(size)
    assert load(pipe) == "next"


def test_a_view_that_begins_behind_the_first_piece_is_found() -> None:
    for size in range(2**16 - 12, 2**16 + 2):
        body = b"B" + bytes((size & 127 | 128, size >> 7 & 127 | 128, size >> 14)) + bytes(size)
        file = io.BytesIO(b"\xff\x0f" + body + b"VB\0\1\0" + b"tail")
        assert type(load(file)) is memoryview
        assert file.read() == b"tail"
        file = io.BytesIO(b"\xff\x0f" + body + b"tail")
        assert type(load(file)) is ArrayBuffer
        assert file.read() == b"tail"


def test_an_empty_file_is_truncated_at_offset_0() -> None:
    for file in (io.BytesIO(), Unseekable(b"")):
        with pytest.raises(TruncatedError) as caught:
            load(file)
        assert caught.value.offset == 0


def test_a_file_that_ends_within_a_value_is_truncated_and_left_at_its_beginning() -> None:
    file = io.BytesIO(dumps(1) + dumps([1, 2])[:-1])

    assert load(file) == 1
    with pytest.raises(EOFError):
        load(file)
    assert file.tell() == len(dumps(1))


def test_what_cannot_be_cloned_is_not_written_in_part() -> None:
    file = io.BytesIO()
    with pytest.raises(DataCloneError):
        dump([1, print], file)
    assert file.getvalue() == b""


def test_options_are_those_of_dumps_and_loads() -> None:
    file = io.BytesIO()
    dump((1,), file, hints=False, version=13, max_depth=1)
    assert file.getvalue() == dumps((1,), hints=False, version=13)
    with pytest.raises(DataCloneError):
        dump([[]], file, max_depth=1)
    with pytest.raises(ValueError, match="not written"):
        dump(1, file, version=12)
    nested = io.BytesIO(dumps([[]]))
    with pytest.raises(DecodeError, match="nested more than 1 deep"):
        load(nested, max_depth=1)


def test_legacy_files_are_read_with_legacy_only() -> None:
    old = bytes.fromhex("22 01 61 49 02 7b 01")
    for file in (io.BytesIO(old), Unseekable(old)):
        assert load(file, legacy=True) == {"a": 1}
    with pytest.raises(DecodeError):
        load(io.BytesIO(old))
    long = b"0" * 70_000 + b'"\1a' + b"0" + b"{\1"
    for file in (io.BytesIO(long), Unseekable(long)):
        with pytest.raises(DecodeError, match="leaves one value"):
            load(file, legacy=True)


def test_a_text_file_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="binary mode"):
        load(io.StringIO("text"))  # type: ignore[arg-type]  # that is the point


def test_a_real_pipe_gives_each_value_as_soon_as_it_is_whole() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as source, os.fdopen(writing, "wb", buffering=0) as target:
        for value in VALUES:
            dump(value, target)
            assert difference(load(source), value) is None


def test_a_value_through_a_socket_in_small_pieces() -> None:
    here, there = socket.socketpair()
    value = {"numbers": list(range(5000)), "text": "ā" * 5000, "bytes": bytes(5000)}
    data = dumps(value)

    def send() -> None:
        with here:
            for start in range(0, len(data), 777):
                here.sendall(data[start : start + 777])

    thread = threading.Thread(target=send)
    thread.start()
    with there, there.makefile("rb") as file:
        assert load(file) == value
        with pytest.raises(TruncatedError):
            load(file)
    thread.join()


def test_a_claim_in_a_pipe_is_not_waited_for_with_memory() -> None:
    pipe = Unseekable(b'\xff\x0f"' + b"\xff\xff\xff\x7f" + b"short")
    with pytest.raises(TruncatedError):
        load(pipe)


def test_a_file_that_has_nothing_yet_is_at_its_end() -> None:
    class NotYet(Unseekable):
        def read(self, size: int = -1) -> bytes:
            return None  # type: ignore[return-value]  # as raw files that do not block say

    with pytest.raises(TruncatedError):
        load(NotYet(b""))

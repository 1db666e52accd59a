"""``dump`` and ``load``: one value after the other, and nothing read that belongs to the next."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from clonecodec import DataCloneError, DecodeError, TruncatedError, cbor
from tests.cbor.table import BOTH, WRITTEN
from tests.same import difference

VALUES = [*BOTH.values(), *WRITTEN.values()]


def test_values_follow_each_other_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "values.cbor"
    with path.open("wb") as file:
        for value in VALUES:
            cbor.dump(value, file)

    with path.open("rb") as file:
        for value in VALUES:
            assert difference(cbor.load(file), cbor.loads(cbor.dumps(value))) is None
        with pytest.raises(TruncatedError):
            cbor.load(file)


def test_the_file_is_left_just_after_the_value() -> None:
    file = io.BytesIO(cbor.dumps([1, "two", b"three", {"four": 5.0}]) + b"\xff the rest")

    assert cbor.load(file) == [1, "two", b"three", {"four": 5.0}]
    assert file.read() == b"\xff the rest"


def test_a_pipe_that_gives_a_byte_at_a_time_is_read() -> None:
    read, write = os.pipe()
    data = cbor.dumps({"a": list(range(100)), "text": "x" * 300})

    def feed() -> None:
        with os.fdopen(write, "wb", buffering=0) as out:
            for octet in data:
                out.write(bytes([octet]))

    feeder = threading.Thread(target=feed)
    feeder.start()
    with os.fdopen(read, "rb", buffering=0) as file:
        assert cbor.load(file) == {"a": list(range(100)), "text": "x" * 300}
    feeder.join()


def test_a_length_is_a_claim_in_a_file_too() -> None:
    with pytest.raises(TruncatedError):
        cbor.load(io.BytesIO(bytes.fromhex("5b 7fffffffffffffff 00")))


def test_an_offset_counts_from_the_value() -> None:
    file = io.BytesIO(cbor.dumps("before") + bytes.fromhex("81 e0"))
    cbor.load(file)

    with pytest.raises(DecodeError) as caught:
        cbor.load(file)
    assert caught.value.offset == 1


def test_a_file_that_does_not_wait_is_no_file_to_load_from() -> None:
    class Empty:
        def read(self, size: int, /) -> None:
            return None

    with pytest.raises(BlockingIOError):
        cbor.load(Empty())


def test_nothing_is_written_of_a_value_that_is_refused() -> None:
    file = io.BytesIO()

    with pytest.raises(DataCloneError):
        cbor.dump([1, len], file)
    assert file.getvalue() == b""

"""Bad bytes: each is refused with the class, the place and the reason that the table says, on every road."""

from __future__ import annotations

import io
from typing import Final

import pytest

from clonecodec import DecodeError, Deserializer, TruncatedError, load, loads
from tests.codec.rejections import ALL, LEGACY, Row
from tests.codec.roads import Unseekable
from tests.node import Node, NodeError
from tests.vectors import everything

IN_A_PIPE: Final = [row for row in ALL if row[0][6:8] not in ("42", "7e") and not row[0].endswith("ff 8f")]
"""Without those that a pipe reads: behind a whole buffer or a whole varint, nobody waits for more."""

U_AND_V: Final = "ff 0f 52 22 01 61 90 02"
"""The flags that exclude each other: Node 20 reads them all the same."""


def test_the_table_has_at_least_100_rows_of_each_class() -> None:
    assert len({row[0] for row in ALL}) == len(ALL)
    assert len({row[0] for row in LEGACY}) == len(LEGACY)
    assert sum(row[1] is DecodeError for row in ALL) >= 120
    assert sum(row[1] is TruncatedError for row in ALL) >= 50


@pytest.mark.parametrize("row", ALL, ids=lambda row: row[0] or "nothing")
def test_bytes_are_refused_where_and_why_the_table_says(row: Row) -> None:
    with pytest.raises(DecodeError) as caught:
        loads(bytes.fromhex(row[0]))

    assert (type(caught.value), caught.value.offset, caught.value.reason) == row[1:]
    assert str(caught.value) == f"{row[3]} at byte {row[2]}"


@pytest.mark.parametrize("row", LEGACY, ids=lambda row: row[0] or "nothing")
def test_bytes_of_old_versions_are_refused_where_and_why_the_table_says(row: Row) -> None:
    with pytest.raises(DecodeError) as caught:
        loads(bytes.fromhex(row[0]), legacy=True)

    assert (type(caught.value), caught.value.offset, caught.value.reason) == row[1:]


@pytest.mark.parametrize("row", ALL, ids=lambda row: row[0] or "nothing")
def test_bytes_like_objects_are_refused_alike(row: Row) -> None:
    data = bytes.fromhex(row[0])
    for other in (bytearray(data), memoryview(data)):
        for zero_copy in (False, True):
            with pytest.raises(DecodeError) as caught:
                loads(other, zero_copy=zero_copy)

            assert (type(caught.value), caught.value.offset, caught.value.reason) == row[1:]


@pytest.mark.parametrize("row", ALL, ids=lambda row: row[0] or "nothing")
def test_a_file_is_refused_alike_and_left_where_it_was(row: Row) -> None:
    file = io.BytesIO(b"before" + bytes.fromhex(row[0]))
    file.seek(6)

    with pytest.raises(DecodeError) as caught:
        load(file)

    assert (type(caught.value), caught.value.offset, caught.value.reason) == row[1:]
    assert file.tell() == 6


@pytest.mark.parametrize("row", IN_A_PIPE, ids=lambda row: row[0] or "nothing")
def test_a_pipe_that_ends_there_is_never_a_value(row: Row) -> None:
    with pytest.raises(DecodeError) as caught:
        load(Unseekable(bytes.fromhex(row[0])))

    assert caught.value.offset >= row[2] or row[1] is TruncatedError


@pytest.mark.parametrize("row", ALL, ids=lambda row: row[0] or "nothing")
def test_node_refuses_it_too(node: Node, row: Row) -> None:
    if row[0] == U_AND_V and node.major == 20:
        assert node.read(bytes.fromhex(row[0])) == "/a/uv"
        return
    with pytest.raises(NodeError):
        node.read(bytes.fromhex(row[0]))


def test_every_proper_prefix_of_every_vector_is_refused_and_called_truncated() -> None:
    for case in everything():
        if case.how != "default":
            continue
        lengths = range(len(case.data)) if len(case.data) < 400 else range(0, len(case.data), 97)
        for length in lengths:
            with pytest.raises(TruncatedError):
                loads(case.data[:length])


def test_a_prefix_that_a_base_deserializer_reads_is_refused_too() -> None:
    for case in everything():
        if case.how != "native" or len(case.data) > 400:
            continue
        for length in range(len(case.data)):
            deserializer = Deserializer(case.data[:length])
            try:
                deserializer.read_header()
                deserializer.read_value()
            except DecodeError:
                continue
            # The buffer of a view is a value without it.
            assert case.data[length:].lstrip(b"\0")[:1] == b"V"


def test_truncated_errors_are_eof_errors_and_all_are_value_errors() -> None:
    with pytest.raises(EOFError):
        loads(b"\xff\x0fA")
    with pytest.raises(ValueError, match="expected a value"):
        loads(b"\xff\x0f\x01")


def test_what_is_no_bytes_is_a_type_error_and_no_decode_error() -> None:
    for wrong in ("text", 5, None, [255, 15]):
        with pytest.raises(TypeError):
            loads(wrong)  # type: ignore[arg-type]  # that is the point

"""The channel of a real Node child, and what no Node writes."""

from __future__ import annotations

import io
import os
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from clonecodec import DecodeError, TruncatedError
from clonecodec.foreign import iter_node_ipc
from tests.foreign.hostile import assert_only_decode_errors
from tests.node import Node

CHILD = r"""
const shared = { n: 1 };
process.send({ text: "a\u0101", list: [1, , 3], big: 2n ** 80n, when: new Date(0), re: /x/g });
process.send([shared, shared, new Map([[shared, new Set([1])]])]);
const part = new Uint16Array([1, 2, 3]).subarray(1);
process.send([new Uint8Array([1, 2]), Buffer.from("buffer"), new Float64Array([1.5]), part]);
process.send({ own: new (class Point { constructor() { this.x = 1; } })() });
process.send({ native: new (require("net").BlockList)() });
process.send("x".repeat(3_000_000), () => process.disconnect());
"""


@pytest.fixture
def messages(nodes: tuple[Node, ...]) -> Iterator[list[list[Any]]]:
    """What each installed Node's child sends."""
    yield [list(spoken(node.executable)) for node in nodes]


def spoken(node: object) -> list[Any]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            [str(node), "-e", CHILD],
            pass_fds=[theirs.fileno()],
            env={
                **os.environ,
                "NODE_CHANNEL_FD": str(theirs.fileno()),
                "NODE_CHANNEL_SERIALIZATION_MODE": "advanced",
            },
        )
        theirs.close()
        try:
            with ours.makefile("rb") as stream:
                found = list(iter_node_ipc(stream))
        finally:
            status = process.wait(30)
        assert status == 0
    return found


def test_what_a_node_child_sends_is_read(messages: list[list[Any]]) -> None:
    for values, pairs, views, own, native, long in messages:
        assert values["text"] == "a\u0101"
        assert values["big"] == 2**80
        assert pairs[0] is pairs[1]
        assert [bytes(view) for view in views] == [
            b"\x01\x02",
            b"buffer",
            bytes.fromhex("000000000000f83f"),
            b"\x02\0\x03\0",
        ]
        assert own == {"own": {"x": 1}}
        assert set(native) == {"native"}
        assert long == "x" * 3_000_000


def framed(*bodies: str) -> bytes:
    return b"".join(len(data := bytes.fromhex(body)).to_bytes(4, "big") + data for body in bodies)


NATIVE = "ff0f 6f 220161 5c 01 6f 220162 4904 7b01 220163 5e01 7b02"


def test_a_native_object_is_its_plain_copy_and_keeps_its_number() -> None:
    """Node: {a: native, c: native}, whose copy is {b: 2}: the copy's own number is 2."""
    [value] = iter_node_ipc(io.BytesIO(framed(NATIVE)))

    assert value == {"a": {"b": 2}, "c": {"b": 2}}
    assert value["a"] is value["c"]


def test_messages_are_read_from_a_stream_that_gives_little_at_a_time() -> None:
    class Slow(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self._data = io.BytesIO(data)

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            return self._data.read(min(size, 3))

    assert list(iter_node_ipc(Slow(framed("ff0f4902", "ff0f 2205 68656c6c6f")))) == [1, "hello"]


def test_bytes_after_the_value_are_ignored_as_v8_ignores_them() -> None:
    assert list(iter_node_ipc(io.BytesIO(framed("ff0f4902 ffff", "ff0f4904")))) == [1, 2]


MALFORMED = [
    # bytes                                  reason                                   offset
    ("0000", "expected the length of a message", 2),
    ("00000005 ff0f49", "expected a message of 5 bytes", 7),
    ("ffffffff ff0f4902", "expected a message of 4294967295 bytes", 8),
]  # fmt: skip


@pytest.mark.parametrize(("data", "reason", "offset"), MALFORMED)
def test_a_stream_that_ends_within_a_message_is_truncated(data: str, reason: str, offset: int) -> None:
    messages = iter_node_ipc(io.BytesIO(bytes.fromhex(data)))

    with pytest.raises(TruncatedError) as caught:
        next(messages)
    assert (caught.value.reason, caught.value.offset) == (reason, offset)
    assert list(messages) == []


@pytest.mark.parametrize(
    ("body", "offset"),
    [("", 4), ("ff63 4902", 5), ("ff0f 5c 02 00", 7), ("ff0f 5c 00 63 00", 8), ("ff0f 49", 7)],
)
def test_a_malformed_message_is_told_with_its_place_in_the_stream_and_the_next_one_is_read(
    body: str, offset: int
) -> None:
    messages = iter_node_ipc(io.BytesIO(framed(body, "ff0f4904")))

    with pytest.raises(DecodeError) as caught:
        next(messages)
    assert caught.value.offset == offset
    assert next(messages) == 2


def test_native_objects_within_each_other_are_bounded() -> None:
    deep = "ff0f" + "5c01" * 100_000 + "6f7b00"

    with pytest.raises(DecodeError, match="host objects within each other"):
        next(iter_node_ipc(io.BytesIO(framed(deep))))
    assert next(iter_node_ipc(io.BytesIO(framed("ff0f" + "5c01" * 10 + "6f7b00")))) == {}


def test_a_stream_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="str, not bytes"):
        next(iter_node_ipc(io.StringIO("text")))  # type: ignore[arg-type]

    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with os.fdopen(reading, "rb", buffering=0) as stream, pytest.raises(BlockingIOError):
        next(iter_node_ipc(stream))
    os.close(writing)


def test_whatever_the_bytes_there_are_only_decode_errors() -> None:
    data = framed(NATIVE, "ff0f 41 02 5c 00 0a 02 6869 5c 00 08 08 0000000000000040 24 00 02")

    assert_only_decode_errors(lambda changed: list(iter_node_ipc(io.BytesIO(changed))), data, 3000)

"""What stands in a message between processes, if it was written by hand: errors, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from clonecodec import ArrayBuffer, DataCloneError, DecodeError, Serializer, SharedArrayBuffer
from transport import MessageChannel
from transport._process_codec import FROZEN, FROZEN_APART, ON, OWN, OWN_APART, PORT, PortDeserializer

HOST_OBJECT = 0x5C  # \


def read(*numbers: int, live: Sequence[object] = (), value: object = None) -> object:
    """What comes of a host object of these numbers, with *value* behind the first two, if there is one."""
    writer = Serializer(version=15)
    writer.write_header()
    writer.write_raw_bytes(bytes([HOST_OBJECT]))
    for index, number in enumerate(numbers):
        if index == 2 and value is not None:
            writer.write_value(value)
        writer.write_uint32(number)
    reader = PortDeserializer(writer.release_buffer(), live)
    reader.read_header()
    return reader.read_value()


@pytest.mark.parametrize(
    ("numbers", "live", "reason"),
    [
        ((PORT, 0), [], "nothing beside"),
        ((PORT, 3), [MessageChannel().port1], "nothing beside"),
        ((PORT, 0), [bytearray(4)], "none"),
        ((PORT, 0), [ArrayBuffer(1)], "none"),
        ((FROZEN_APART, 0), [ArrayBuffer(1)], "no memory"),
        ((OWN_APART, 1, 0), [ArrayBuffer(1)], "no memory"),
        ((OWN_APART, 1, 9), [], "nothing beside"),
        ((OWN, 99, 0), [], "no known kind"),
        ((7, 1, 0), [], "no known kind"),
        ((OWN, 6, 3, 0, 0, 0), [], "."),
        ((OWN_APART, 6, 0), [bytearray(3)], "."),
        ((OWN, 1, 100), [], "."),
        ((FROZEN, 100), [], "."),
    ],
)
def test_a_host_object_that_is_none_is_a_decode_error(
    numbers: Sequence[int], live: Sequence[object], reason: str
) -> None:
    with pytest.raises(DecodeError, match=reason):
        read(*numbers, live=live)


@pytest.mark.parametrize(
    ("value", "place"), [("text", (0, 0)), (ArrayBuffer(4), (9, 0)), (ArrayBuffer(4), (0, 9))]
)
def test_a_view_on_what_cannot_hold_it_is_a_decode_error(value: object, place: Sequence[int]) -> None:
    with pytest.raises(DecodeError):
        read(ON, 1, *place, value=value)


def test_memory_beside_the_message_is_what_the_view_shows() -> None:
    frozen = read(FROZEN_APART, 0, live=[bytearray(b"abc")])
    own = read(OWN_APART, 3, 0, live=[bytearray(4)])

    assert isinstance(frozen, memoryview) and frozen.readonly and frozen.tobytes() == b"abc"
    assert isinstance(own, memoryview) and (own.format, len(own)) == ("H", 2)


class Released:
    """A memoryview that was released, and ones of formats that JavaScript has not."""

    gone = memoryview(b"x")
    gone.release()
    square = memoryview(bytes(4)).cast("B", (2, 2))
    chars = memoryview(b"x").cast("c")


@pytest.mark.parametrize("value", [Released.gone, Released.square, Released.chars])
def test_a_view_that_cannot_be_cloned_is_refused_as_everywhere(value: memoryview) -> None:
    one, two = MessageChannel("process")

    with pytest.raises(DataCloneError) as here:
        one.post_message([value])
    with pytest.raises(DataCloneError) as there:
        MessageChannel().port1.post_message([value])

    assert here.value.reason == there.value.reason
    one.post_message("next")
    assert two.receive(5) == "next"


def test_resizable_and_shared_buffers_keep_their_views() -> None:
    one, two = MessageChannel("process")
    resizable = ArrayBuffer(4, max_byte_length=8)
    shared = SharedArrayBuffer(4)
    strided = memoryview(bytes(range(8)))[::2]

    one.post_message([resizable.view(), shared.view("H"), shared, strided])

    views = two.receive(5)
    assert isinstance(views, list)
    tracking, on_shared, again, copied = views
    assert bytes(tracking) == bytes(4)
    on_shared[0] = 7
    assert shared.view("H")[0] == 7 and again.view("H")[0] == 7
    assert bytes(copied) == bytes([0, 2, 4, 6])

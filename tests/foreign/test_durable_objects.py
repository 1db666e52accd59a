"""Values of a Durable Object's storage: with the pinned header, without any, and errors as they were."""

from __future__ import annotations

import pytest

from clonecodec import DecodeError, JSError, JSTypeError, TruncatedError
from clonecodec.foreign import read_durable_object
from tests.foreign.hostile import assert_only_decode_errors


def read(data: str) -> object:
    return read_durable_object(bytes.fromhex(data))


def test_a_value_with_a_header_is_read() -> None:
    assert read("ff0f 6f 2201 78 4902 7b01") == {"x": 1}
    assert read("ff0d 4902") == 1


def test_views_are_v8s_own() -> None:
    view = read("ff0f 42 02 0102 56 42 00 02 00")

    assert isinstance(view, memoryview)
    assert view.tobytes() == b"\x01\x02"


def test_a_value_without_a_header_is_of_version_13() -> None:
    assert read("6f 2201 78 4902 7b01") == {"x": 1}
    assert bytes(read("42 02 0102 56 42 00 02")) == b"\x01\x02"  # type: ignore[call-overload]


def test_an_error_of_a_known_kind_is_read() -> None:
    error = read("ff0f 5c 0a 02 2201 6d 6f 2205 737461636b 2201 53 2205 6361757365 4904 7b02")

    assert type(error) is JSTypeError
    assert (error.message, error.stack, error.cause) == ("m", "S", 2)


def test_an_error_of_an_unknown_kind_keeps_its_name_and_properties() -> None:
    error = read("ff0f 5c 0a 00 2204 4f776e45 2201 6d 6f 2204 636f6465 4904 7b01")

    assert type(error) is JSError
    assert (error.name, error.message, error.has_cause) == ("OwnE", "m", False)
    assert vars(error)["properties"] == {"code": 2}
    aggregate = read("ff0f 5c 0a 0c 2201 6d 6f 7b00")
    assert isinstance(aggregate, JSError)
    assert aggregate.name == "AggregateError"


def test_errors_within_each_other_are_bounded() -> None:
    """{cause: {cause: ...}}, each an error."""

    def nested(depth: int) -> str:
        return "ff0f" + "5c 0a 01 2200 6f 2205 6361757365" * depth + "30" + "7b01" * depth

    assert isinstance(read(nested(10)), JSError)
    with pytest.raises(DecodeError, match="host objects within each other"):
        read(nested(10_000))


MALFORMED = [
    # bytes                          reason                                              offset
    ("ff0f 5c 0b", "unknown host object 11 of workerd's", 3),
    ("ff0f 5c 0a 0e", "unknown kind of error 14", 4),
    ("ff0f 5c 0a 01 2200 4902", "the properties of an error are not an object", 7),
    ("ff63 30", "version 99 is newer than the newest known, 16", 1),
    ("5c 0b", "unknown host object 11 of workerd's", 1),
]  # fmt: skip


@pytest.mark.parametrize(("data", "reason", "offset"), MALFORMED)
def test_what_is_malformed_is_told_with_its_place(data: str, reason: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        read(data)

    assert (caught.value.reason, caught.value.offset) == (reason, offset)


@pytest.mark.parametrize("data", ["", "ff", "ff0f", "6f", "49"])
def test_a_value_that_ends_too_soon_is_truncated(data: str) -> None:
    with pytest.raises(TruncatedError) as caught:
        read(data)

    assert 0 <= caught.value.offset <= len(bytes.fromhex(data))


@pytest.mark.parametrize("header", ["ff0f", ""])
def test_whatever_the_bytes_there_are_only_decode_errors(header: str) -> None:
    data = bytes.fromhex(
        header + "41 02 5c 0a 00 2204 4f776e45 2201 6d 6f 2204 636f6465 4904 7b01 5e01 24 00 02"
    )

    assert_only_decode_errors(read_durable_object, data, 3000)

"""Guessing a format from bytes, and files that are whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from clonecodec import cbor, dumps
from clonecodec.cli.files import BrokenFileError, guess, read_json, read_values, whole_file
from tests.vectors import everything

GUESSES = [
    ("ff0f 30", "v8"),
    ("ff0d 30", "v8"),
    ("ff09 30", "v8"),
    ("ff10 30", "v8"),
    ("ff8f00 30", "v8"),
    ("ff10 ff0f 30", "blink"),
    ("ff14 ff0f 30", "blink"),
    ("ff15 fe 0000000000000000 00000000 ff10 30", "blink"),
    ("ff11 01 05 00", "blink"),
    ("ff11 02 03 08 ff0f30", "blink"),
    ("0a ff14 ff0f 30", "blink"),
    ("00000003 ff0f 30", "node-ipc"),
    ("00000100 ff0f 30", "node-ipc"),
    ("4902", "v8"),
    ("220161 4902 7b01", "v8"),
    ("a1 6161 01", "cbor"),
    ("83 01 02 03", "cbor"),
    ("d9d9f7 01", "cbor"),
    ("d9d9f7", "cbor"),
    ("f7", "cbor"),
    ("", "v8"),
    ("ff", "v8"),
    ("fe00", "v8"),
]


@pytest.mark.parametrize(("data", "form"), GUESSES)
def test_a_format_is_guessed_from_the_bytes(data: str, form: str) -> None:
    assert guess(bytes.fromhex(data)) == form


@pytest.mark.parametrize(
    "text", ['{"a": 1}', " [1,\n2]", '"x"', "12", "-1.5e3", "true", "null", '\ufeff{"a": "é"}', "{bad"]
)
def test_text_that_begins_like_json_is_json(text: str) -> None:
    assert guess(text.encode()) == "json"


def test_what_node_wrote_is_never_taken_for_anything_else() -> None:
    written = [case for case in everything() if case.how == "default"]

    assert {guess(case.data) for case in written} == {"v8"}


def test_what_we_write_as_cbor_is_recognized_unless_it_is_also_text_or_version_0() -> None:
    values: list[object] = [
        {"a": [1, 2.5, None]},
        {1, 2},
        b"bytes",
        "text that is long enough to be no json",
        2**70,
    ]

    assert {guess(cbor.dumps(value)) for value in values} == {"cbor"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "no JSON: Expecting property name"),
        (b"[NaN]", "no JSON: NaN is no JSON"),
        (b'"\xff"', "no JSON: not UTF-8 at byte 1"),
        (b"[" * 1_000_000, "no JSON"),
        (b"1" * 10_000, "no JSON"),
    ],
)
def test_what_is_no_json_is_a_sentence(data: bytes, reason: str) -> None:
    with pytest.raises(BrokenFileError, match=reason):
        read_json(data)


def test_json_values_may_follow_each_other() -> None:
    assert read_json(b'\xef\xbb\xbf{"a": 1}\n[2]\n\n3 4\n') == [{"a": 1}, [2], 3, 4]
    with pytest.raises(BrokenFileError, match="line 2 column 2"):
        read_json(b"[1]\n[")
    with pytest.raises(BrokenFileError, match="no JSON"):
        read_json(b" \n")


def test_a_sequence_of_cbor_is_guessed_and_read() -> None:
    data = cbor.dumps({"a": 1}) + cbor.dumps(5) + cbor.dumps("x")

    assert guess(data) == "cbor"
    assert read_values(data, "cbor") == [{"a": 1}, 5, "x"]
    with pytest.raises(BrokenFileError, match=f"at byte {len(data) + 2}"):
        read_values(data + b"\x62a", "cbor")


def test_text_is_no_sequence_of_cbor() -> None:
    assert guess(b"01234567\n") == "json"
    assert guess(b"$0 = 1 (2)\n") == "v8"


def test_an_offset_counts_from_the_beginning_of_the_file_not_of_the_value() -> None:
    with pytest.raises(BrokenFileError, match="at byte 7"):
        read_values(dumps(1) + b"\xff\x0f\x01"[:2] + b"I", "v8")


def test_a_file_that_fails_midway_was_never_there(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), whole_file(str(tmp_path / "out")) as file:
        file.write(b"half")
        raise RuntimeError

    assert list(tmp_path.iterdir()) == []


def test_a_device_is_written_into_not_replaced() -> None:
    with whole_file("/dev/null") as file:
        file.write(b"gone")

    assert not Path("/dev/null").is_file()

"""The second reader: every byte has its row, and a fault its place, its reason and its path."""

from __future__ import annotations

from itertools import pairwise

import pytest

from clonecodec import _tags, loads
from clonecodec.cli import names
from clonecodec.cli.cursor import number_as_key
from clonecodec.cli.rows import Row
from clonecodec.cli.scan import Scan
from tests.test_layers import imports, of_the_project, within
from tests.vectors import Case, everything

VECTORS = [case for case in everything() if case.data[:1] == b"\xff"]


def read(data: bytes | str, form: str = "v8", headerless: int = 0) -> tuple[Scan, list[Row]]:
    """A complete scan of *data* and its rows."""
    scan = Scan(bytes.fromhex(data) if isinstance(data, str) else data, form, headerless=headerless)
    return scan, list(scan.rows())


def covers(rows: list[Row], data: bytes) -> bool:
    """Whether *rows* are all of *data*, in order, without a gap."""
    ends = [0, *(row.end for row in rows)]
    return ends == [row.offset for row in rows] + [len(data)] and all(a <= b for a, b in pairwise(ends))


@pytest.mark.parametrize(
    "module", ["cursor", "names", "rows", "scan", "scan_frames", "scan_hosts", "scan_leaves", "scan_values"]
)
def test_the_second_reader_shares_nothing_with_the_codec(module: str) -> None:
    ours = [found.target for found in imports(f"clonecodec.cli.{module}") if of_the_project(found.target)]

    assert all(within(target, "clonecodec.cli") for target in ours), ours


def test_the_tags_have_the_names_that_the_codec_gives_them() -> None:
    assert {byte: name for byte, name in _tags.NAMES.items() if byte in names.TAGS} == names.TAGS
    assert names.TAGS.keys() == _tags.NAMES.keys() - _parts_of_errors_and_views()


def _parts_of_errors_and_views() -> set[int]:
    return {
        byte
        for byte, name in _tags.NAMES.items()
        if name.startswith(("ERROR_", "VIEW_", "WRITTEN", "LATEST"))
    }


@pytest.mark.parametrize("case", VECTORS, ids=str)
def test_what_node_wrote_is_whole_and_every_byte_of_it_has_a_row(case: Case) -> None:
    scan, rows = read(case.data)

    assert covers(rows, case.data)
    assert scan.fault is None, scan.fault


@pytest.mark.parametrize("case", [case for case in VECTORS if case.how == "default"], ids=str)
def test_what_node_wrote_has_nothing_odd(case: Case) -> None:
    scan, _ = read(case.data)

    assert scan.oddities == []


def whole() -> bytes:
    """A value with every kind of token that has parts."""
    head = "ff0f6f"
    pairs = [
        "220161" + "41034902" + "4e000000000000f83f" + "2d" + "220178" + "30" + "240103",
        "22016d" + "3b" + "220176" + "27" + "5a100100000000000000" + "5f" + "2c02" + "3a02",
        "220164" + "44000000000000f03f",
        "220173" + "73220141",
        "220165" + "72546d22012163" + "4902" + "2e",
        "220172" + "52220178" + "03",
        "220175" + "41025c01020102" + "5e09" + "240002",
        "220162" + "4102" + "42020102" + "5642000200" + "5e0b" + "240002",
        "220163" + "6304" + "01010201",
        "220166" + "5e00",
    ]
    return bytes.fromhex(head + "".join(pairs) + "7b0a")


def test_the_example_of_every_kind_is_whole() -> None:
    scan, rows = read(whole())

    assert scan.fault is None, scan.fault
    assert covers(rows, whole())
    assert scan.objects == 13


@pytest.mark.parametrize("length", range(len(whole())))
def test_every_proper_prefix_is_truncated(length: int) -> None:
    data = whole()[:length]

    scan, rows = read(data)

    assert scan.fault is not None
    assert scan.fault.truncated, scan.fault
    assert covers(rows, data)


def test_a_reference_tells_the_object_that_it_means() -> None:
    _, rows = read("ff0f 41 02 6f 7b 00 5e 01 24 00 02")

    reference = next(row for row in rows if row.name == "OBJECT_REFERENCE")

    assert (reference.target, reference.target_offset, reference.step) == (1, 4, "[1]")


MALFORMED = [
    # bytes, offset, path, expected, found
    ("", 0, "", "a version header, 0xff", "the end of the data"),
    ("ff", 1, "", "a version (a varint)", "the end of the data"),
    ("ff11 30", 1, "", "a version up to 16", "17"),
    ("ff0f", 2, "$", "a value", "the end of the data"),
    ("ff0f 0000", 4, "$", "a value", "the end of the data"),
    ("ff0f 01", 2, "$", "a value", "0x01"),
    ("ff0f 2d", 2, "$", "a value", "0x2d HOLE"),
    ("ff0f 4e 0000", 3, "$", "8 bytes of a double", "only 2"),
    ("ff0f 49 80", 4, "$", "an int32 (a varint)", "the end of the data"),
    ("ff0f 22 05 6162", 4, "$", "5 bytes of Latin-1 text", "only 2"),
    ("ff0f 63 03 616263", 3, "$", "an even number of bytes of UTF-16 text", "3"),
    ("ff0f 5a 01", 3, "$", "a BigInt's digits", "the sign of a zero without digits"),
    ("ff0f 5e 00", 3, "$", "a reference to an object before it (no object)", "object 0"),
    (
        "ff0f 6f 22 01 61 5e 01 7b 01",
        7,
        "$.a",
        "a reference to an object before it (objects 0 to 0)",
        "object 1",
    ),
    (
        "ff0f 6f 54 30 7b 01",
        3,
        "$",
        "a property's key (a string or a number) or its end, 0x7b END_OBJECT",
        "0x54 TRUE",
    ),
    ("ff0f 6f 3f 00 54 30 7b 01", 3, "$", "a property's key (a string or a number)", "another value"),
    ("ff0f 6f 22 01 61 30 7b 02", 8, "$", "1, the number of properties", "2"),
    ("ff0f 6f 22 01 61 30 22 01 61 30 7b 02", 7, "$", "a key that is not there yet", "'a'"),
    ("ff0f 6f 49 02 30 22 01 31 30 7b 02", 6, "$", "a key that is not there yet", "'1'"),
    ("ff0f 41 05 30", 3, "$", "an array's length that 1 byte can hold", "5"),
    ("ff0f 41 01 30 49 00 30 24 01 01", 5, "$", "a key that is not there yet", "'0'"),
    ("ff0f 41 01 30 24 00 02", 7, "$", "1, the number of length", "2"),
    ("ff0f 61 01 22 06 6c656e677468 30 40 01 01", 4, "$", "a key that is not there yet", "'length'"),
    ("ff0f 41 01 41 01 01 24 00 01 24 00 01", 6, "$[0][0]", "a value", "0x01"),
    ("ff0f 3b 30 30 3a 01", 6, "$", "2, the number of keys and values", "1"),
    ("ff0f 27 30 2c 02", 5, "$", "1, the number of members", "2"),
    ("ff0f 3b 30 01 3a 02", 4, "$.value(0)", "a value", "0x01"),
    ("ff0f 27 01 2c 01", 3, "${0}", "a value", "0x01"),
    ("ff0f 72 6d 30 2e", 4, "$", "a string, the message or stack of an error", "0x30 NULL"),
    ("ff0f 72 71", 3, "$", "a part of an error (E R F S T U m s c) or its end (.)", "0x71"),
    ("ff0f 73 49 02", 3, "$", "a string, the value of a String object", "0x49 INT32"),
    ("ff0f 52 22 01 61 40", 6, "$", "the flags of a RegExp", "0x40"),
    ("ff0f 42 01 00 56 42 00 02 00", 8, "$", "a length of at most 1", "2"),
    ("ff0f 42 02 0000 56 42 03 00 00", 8, "$", "an offset of at most 2", "3"),
    ("ff0f 42 04 00000000 56 57 01 02 00", 10, "$", "a multiple of 2 for a Uint16Array", "1"),
    ("ff0f 42 01 00 56 42 00 01 02", 9, "$", "no flags", "2"),
    ("ff0f 42 01 00 56 58 00 01 00", 6, "$", "the kind of a view", "0x58"),
    ("ff0f 7e 02 01 0000", 4, "$", "a largest length of at least 2", "1"),
    ("ff0f 5c 0e 00", 3, "$", "a type of Node's host objects, 0 to 13", "14"),
    ("ff0f 5c 01 05 00", 5, "$", "5 bytes of a Uint8Array", "only 1"),
    ("ff0c 7b 00", 2, "$", "a value", "0x7b END_OBJECT"),
    ("68656c6c6f", 0, "$", "a version header, 0xff, or a value of version 0", "0x68 'h'"),
    ("30 30", 2, "$", "one value in all", "2"),
    ("7b 01", 1, "$", "at most 0 properties", "1"),
]


@pytest.mark.parametrize(("data", "offset", "path", "expected", "found"), MALFORMED)
def test_a_fault_has_a_place_and_says_what_was_expected(
    data: str, offset: int, path: str, expected: str, found: str
) -> None:
    scan, rows = read(data)

    assert scan.fault is not None
    assert (scan.fault.offset, scan.fault.path) == (offset, path)
    assert (scan.fault.expected, scan.fault.found) == (expected, found)
    assert covers(rows, bytes.fromhex(data))
    assert rows[-1].name == "FAULT"


ODD = [
    ("ff0f 49 82 00", 3, "a varint of 2 bytes for 2"),
    ("ff0f 55 02", 2, "UINT32, which no V8 writes"),
    ("ff0f 53 01 61", 2, "UTF8_STRING, which no V8 writes any more"),
    ("ff0f 3f 05 30", 2, "VERIFY_OBJECT_COUNT, which only very old Blink wrote"),
    ("ff0f 00 30", 2, "1 byte of padding"),
    ("ff0f 63 02 0101", None, ""),
    ("ff0f 00 63 02 0101", 4, "a TWO_BYTE_STRING whose text is at an odd offset"),
    ("ff0f 41 01 63 02 0101 24 00 01", None, ""),
    ("ff0f 6f 63 02 0101 30 7b 01", 4, "a TWO_BYTE_STRING whose text is at an odd offset"),
    ("ff0f 6f 00 63 02 0101 30 7b 01", None, ""),
    ("ff0f 54 ff0f 63 02 0101", None, ""),
    ("ff0f 00 4e 0000000000000000", None, ""),
    ("ff0f 5a 02 01", 2, "a BigInt that is not in whole, minimal 64-bit digits"),
    ("ff0f 4e 010000000000f07f", 2, "a NaN other than 7ff8000000000000, which reads as that"),
    ("ff0f 30 30", 3, "1 byte after the value, ignored"),
]


@pytest.mark.parametrize(("data", "offset", "what"), ODD)
def test_what_no_writer_produces_is_told(data: str, offset: int | None, what: str) -> None:
    scan, _ = read(data)

    assert scan.fault is None
    assert scan.oddities == ([] if offset is None else [(offset, what)])


@pytest.mark.parametrize("version", ["0d", "0e", "0f", "10"])
def test_lengths_of_64_bits_are_read_in_every_version_as_the_codec_reads_them(version: str) -> None:
    flags = "" if version == "0d" else "00"
    data = f"ff{version} 42 82808080808000 0102 56 42 81808080808000 81808080808000 {flags}"
    scan, rows = read(data)

    assert scan.fault is None
    assert rows[-1].end == len(bytes.fromhex(data))
    assert bytes(loads(bytes.fromhex(data))) == b"\x02"


def test_values_may_follow_each_other_and_count_their_objects_anew() -> None:
    scan, rows = read("ff0f 6f 7b 00 ff0f 41 01 5e 00 24 00 01")

    assert scan.fault is None
    assert scan.versions == [15, 15]
    assert [row.id for row in rows if row.id is not None] == [0, 0]


def test_a_value_behind_the_first_is_not_read_if_nobody_asks() -> None:
    data = bytes.fromhex("ff0f 30 ff0f")

    first, both = Scan(data, follow=False), Scan(data)
    for scan in (first, both):
        list(scan.rows())

    assert first.fault is None
    assert both.fault is not None


def test_version_13_with_flags_after_views_is_read_again_as_v8_does() -> None:
    scan, rows = read("ff0d 41 02 42 02 01 02 56 42 00 02 00 49 02 24 00 02")
    broken, rows_of_broken = read("ff0d 41 02 7e 02 02 01 02 56 42 00 02 02 49 02 24 00 02")

    assert scan.fault is None and scan.notes == []
    assert broken.fault is None and "Chrome" in broken.notes[0]
    assert [row.id for row in rows if row.id is not None] == [0, 1, 2]
    assert min(row.id for row in rows_of_broken if row.id is not None) > 0


@pytest.mark.parametrize(
    ("data", "names_of_rows"),
    [
        ("4902", ["INT32"]),
        ("220161 4902 7b01", ["ONE_BYTE_STRING", "INT32", "END_OBJECT"]),
        ("4900 4902 40 01 01", ["INT32", "INT32", "END_SPARSE_ARRAY"]),
        ("73 01 61 0000", ["STRING_OBJECT", "BARE_UTF8_STRING", "PADDING"]),
    ],
)
def test_version_0_is_a_stack_of_values(data: str, names_of_rows: list[str]) -> None:
    scan, rows = read(data)

    assert scan.fault is None
    assert [row.name for row in rows] == names_of_rows


def test_before_version_11_undefined_in_a_dense_array_is_a_hole_that_a_property_may_fill() -> None:
    data = "41 01 5f 49 00 30 24 01 01"

    assert read(f"ff0a {data}")[0].fault is None
    assert read(f"ff0b {data}")[0].fault is not None


def test_a_headerless_value_can_be_read_as_another_version() -> None:
    scan, _ = read("41 01 5f 24 00 01", headerless=13)

    assert scan.fault is None
    assert scan.versions == [13]


@pytest.mark.parametrize(
    ("data", "names_of_rows"),
    [
        ("ff14 ff0f 30", ["BLINK_VERSION", "VERSION", "NULL"]),
        ("ff09 30", ["VERSION", "NULL"]),
        (
            "ff15 fe 0000000000000000 00000000 ff0f 30",
            ["BLINK_VERSION", "TRAILER_PLACE", "VERSION", "NULL"],
        ),
        (
            "ff15 fe 0000000000000012 00000006 ff0f 30 a0 00000001 69",
            ["BLINK_VERSION", "TRAILER_PLACE", "VERSION", "NULL", "TRAILER"],
        ),
        ("ff11 01 80 02 05", ["BLINK_VERSION", "EXTERNAL_VALUE"]),
        ("ff11 02 04 0c ff0f 30 30", ["BLINK_VERSION", "COMPRESSED_VALUE"]),
        ("0a ff14 ff0f 30", ["RECORD_VERSION", "BLINK_VERSION", "VERSION", "NULL"]),
        ("ff14 ff0f 5c 6e 01 61 05", ["BLINK_VERSION", "VERSION", "HOST_OBJECT"]),
        ("ff14 ff0f 5c 4c 02 00 01", ["BLINK_VERSION", "VERSION", "HOST_OBJECT"]),
        ("ff14 ff0f 5c 23 01 01 00 01 01 04 00000000", ["BLINK_VERSION", "VERSION", "HOST_OBJECT"]),
    ],
)
def test_chromes_envelope_and_host_objects_are_read(data: str, names_of_rows: list[str]) -> None:
    scan, rows = read(data, "blink")

    assert scan.fault is None, scan.fault
    assert covers(rows, bytes.fromhex(data))
    assert [row.name for row in rows] == names_of_rows


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        ("ff15 30", 2),
        ("ff14 30", 2),
        ("ff15 fe 00000000000000ff 00000006 ff0f 30", 3),
        ("ff15 fe 0000000000000012 00000006 ff0f 30 a1 00000001 69", 18),
        ("ff14 ff0f 5c 7f", 5),
    ],
)
def test_a_broken_envelope_has_its_fault_where_it_is(data: str, offset: int) -> None:
    scan, _ = read(data, "blink")

    assert scan.fault is not None
    assert scan.fault.offset == offset


def test_messages_between_nodes_processes_are_read() -> None:
    scan, rows = read(
        "00000003 ff0f30 00000009 ff0f 5c 00 01 02 0506 00 00000007 ff0f 5c01 6f7b00", "node-ipc"
    )

    assert scan.fault is None, scan.fault
    assert scan.versions == [15, 15, 15]
    assert [row.value for row in rows if row.name == "MESSAGE_LENGTH"] == [3, 9, 7]


@pytest.mark.parametrize("length", range(4, 14))
def test_a_message_cut_short_is_truncated(length: int) -> None:
    scan, _ = read(bytes.fromhex("0000000a ff0f 22 07 61626364656667")[:length], "node-ipc")

    assert scan.fault is not None and scan.fault.truncated


def test_more_levels_than_the_codec_takes_are_as_good_as_two() -> None:
    depth = 101_000
    data = b"\xff\x0f" + b"A\x01" * depth + b"0" + b"$\x00\x01" * depth

    scan, rows = read(data)

    assert scan.fault is None
    assert scan.deepest == depth
    assert len(rows) == 2 * depth + 2


@pytest.mark.parametrize(
    ("number", "key"),
    [
        (0.0, "0"), (-0.0, "0"), (1.0, "1"), (-1.5, "-1.5"), (1e21, "1e+21"), (1e20, "1" + "0" * 20),
        (1.25e-7, "1.25e-7"), (1e-6, "0.000001"), (0.1, "0.1"), (123456.789, "123456.789"),
        (5e-324, "5e-324"),
        (2.0**53, "9007199254740992"), (1.7976931348623157e308, "1.7976931348623157e+308"),
        (float("nan"), "NaN"), (float("inf"), "Infinity"), (float("-inf"), "-Infinity"),
    ],
)  # fmt: skip
def test_a_number_is_the_key_that_javascript_makes_of_it(number: float, key: str) -> None:
    assert number_as_key(number) == key

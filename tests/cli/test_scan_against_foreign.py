"""The second reader and ``clonecodec.foreign`` agree on what Chrome and Node's processes wrote."""

from __future__ import annotations

import io

import pytest

from clonecodec import DecodeError
from clonecodec.cli.rows import Row
from clonecodec.cli.scan import Scan
from clonecodec.foreign import iter_node_ipc
from tests.foreign.test_blink import ENVELOPES, MALFORMED, OBJECTS

NATIVE = "0000000c ff0f 5c 01 6f 220162 4904 7b01"
BUFFER = "00000009 ff0f 5c 00 0a 03 686921"
TRUE = "00000003 ff0f 54"


def scanned(data: bytes, form: str) -> tuple[Scan, list[Row]]:
    scan = Scan(data, form)
    return scan, list(scan.rows())


@pytest.mark.parametrize(
    ("payload", "kind"), [case[:2] for case in OBJECTS], ids=[case[1] for case in OBJECTS]
)
def test_every_host_object_of_chromes_is_read(payload: str, kind: str) -> None:
    data = bytes.fromhex("ff14 ff0f 41 03 5c" + payload + "5e01 4902 24 00 03")

    scan, rows = scanned(data, "blink")

    assert scan.fault is None, scan.fault
    assert [row.name for row in rows[3:5]] == ["HOST_OBJECT", "OBJECT_REFERENCE"]
    assert b"".join(data[row.offset : row.end] for row in rows) == data


@pytest.mark.parametrize("payload", [case[0] for case in OBJECTS], ids=[case[1] for case in OBJECTS])
def test_a_host_object_that_is_cut_is_truncated(payload: str) -> None:
    data = bytes.fromhex("ff14 ff0f 5c" + payload)

    for length in range(5, len(data)):
        fault = scanned(data[:length], "blink")[0].fault
        assert fault is not None and fault.truncated, (length, fault)


@pytest.mark.parametrize("length", range(4, 40))
def test_messages_of_nodes_processes_that_are_cut_break_in_the_same_place(length: int) -> None:
    data = bytes.fromhex(NATIVE + BUFFER + TRUE)
    data = data[:length]

    try:
        list(iter_node_ipc(io.BytesIO(data)))
        error = None
    except DecodeError as caught:
        error = caught

    assert (scanned(data, "node-ipc")[0].fault is None) == (error is None)


@pytest.mark.parametrize("data", [data for data, _ in ENVELOPES])
def test_every_envelope_is_read(data: bytes) -> None:
    scan, rows = scanned(data, "blink")

    assert scan.fault is None, scan.fault
    assert b"".join(data[row.offset : row.end] for row in rows) == data


@pytest.mark.parametrize("data", [data for data, _, _ in MALFORMED if not data.startswith("ff11 02")])
def test_a_malformed_envelope_is_a_fault(data: str) -> None:
    assert scanned(bytes.fromhex(data), "blink")[0].fault is not None

"""The second reader and the codec agree: what is whole, what is cut short, and where it breaks."""

from __future__ import annotations

from typing import Final

import pytest

from clonecodec import DecodeError, TruncatedError, loads
from clonecodec.cli.scan import Scan
from tests.cli.mutations import damaged
from tests.vectors import Case, everything

NUMBER: Final = 4000
SAME_PLACE: Final = 0.95
"""Of the faults.  The others are told at the beginning of a token by the one and inside it by the other."""


def scanned(data: bytes) -> Scan:
    scan = Scan(data, follow=False)
    for _ in scan.rows():
        pass
    return scan


def refused(data: bytes) -> DecodeError | None:
    """The codec's complaint, None if it reads *data*."""
    try:
        loads(data, legacy=True)
    except DecodeError as error:
        return error
    return None


@pytest.mark.parametrize("case", [case for case in everything() if case.how == "default"], ids=str)
def test_both_read_what_node_wrote(case: Case) -> None:
    assert refused(case.data) is None
    assert scanned(case.data).fault is None


@pytest.mark.parametrize("seed", range(100, 105))
def test_both_give_the_same_verdict_on_damaged_messages(seed: int) -> None:
    different = []
    for data in damaged(NUMBER, seed):
        scan, error = scanned(data), refused(data)
        is_whole = scan.fault is None and not scan.unresolved
        if is_whole != (error is None):
            different.append((data.hex(" "), str(scan.fault), str(error)))

    assert different == []


@pytest.mark.parametrize("seed", range(200, 203))
def test_both_find_the_fault_in_the_same_place(seed: int) -> None:
    faults = same = 0
    cut = cut_alike = 0
    for data in damaged(NUMBER, seed):
        scan, error = scanned(data), refused(data)
        if scan.fault is None or error is None or scan.unresolved:
            continue
        faults += 1
        same += scan.fault.offset == error.offset
        cut += scan.fault.truncated
        cut_alike += scan.fault.truncated and isinstance(error, TruncatedError)

    assert same / faults >= SAME_PLACE, f"{same} of {faults}"
    assert cut_alike / cut >= SAME_PLACE, f"{cut_alike} of {cut}"

"""docs/cbor.md: its examples run, and its tables say what the code says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from clonecodec.cbor import _tags as tags
from tests.cbor.test_cbor2 import REFUSED

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cbor.md"


def test_the_examples_are_true() -> None:
    outcome = doctest.testfile(str(PAGE), module_relative=False)

    assert outcome.attempted > 10
    assert outcome.failed == 0


def test_the_table_of_tags_is_complete() -> None:
    table = PAGE.read_text().split("### Tags")[1].split("\n## ")[0]
    named: set[int] = set()
    for cell in re.findall(r"^\| ([0-9][^|]*) \|", table, re.MULTILINE):
        for part in cell.split(","):
            first, _, last = part.partition(" to ")
            named.update(range(int(first), int(last or first) + 1))

    assert named == set(tags.KNOWN)


def test_what_cbor2_refuses_is_listed() -> None:
    listed = re.findall(r"^\| ([^|]*) \|", PAGE.read_text().split("by its own design:")[1], re.MULTILINE)

    assert set(listed) - {"what", "---"} == set(REFUSED)

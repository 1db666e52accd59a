"""Real JSON documents: what Node writes for them is read as JSON is, and written again to the same bytes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

import pytest

from clonecodec import dumps, loads
from tests.node import ROOT, Node

FOLDER: Final = ROOT / ".node" / "documents" / "node_modules" / "simdjson" / "jsonexamples"
DOCUMENTS: Final = ("twitter", "citm_catalog", "canada")


@pytest.fixture(params=DOCUMENTS)
def document(request: pytest.FixtureRequest) -> Path:
    """One of the documents; without npm there are none, except in CI, where they must be there."""
    path = FOLDER / f"{request.param}.json"
    if not path.exists():
        if os.environ.get("CI") == "true":
            raise RuntimeError(f"CI tests with {path}: `make documents` installs it")
        pytest.skip("the documents are not installed (`make documents`, which needs npm)")
    return path


def as_node_writes(node: Node, document: Path) -> bytes:
    """What Node writes for the value of *document*."""
    return node.serialize(f"JSON.parse(require('node:fs').readFileSync({json.dumps(str(document))}, 'utf8'))")


def as_javascript_reads(document: Path) -> object:
    """The value of *document*; a number that JavaScript rounds (twitter's ids) is the float that it gets."""
    return json.loads(
        document.read_text("utf-8"),
        parse_int=lambda text: int(text) if abs(int(text)) < 2**53 else float(text),
    )


def same_json(left: object, right: object) -> bool:
    """Equal as JSON: 1 and 1.0 are one number there, but the order of a dict's keys counts."""
    todo = [(left, right)]
    while todo:
        one, other = todo.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            if _in_javascript_order(one) != _in_javascript_order(other):
                return False
            todo.extend((one[key], other[key]) for key in one)
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            todo.extend(zip(one, other, strict=True))
        elif isinstance(one, (int, float)) and isinstance(other, (int, float)):
            if isinstance(one, bool) is not isinstance(other, bool) or one != other:
                return False
        elif type(one) is not type(other) or one != other:
            return False
    return True


def _in_javascript_order(value: dict[str, object]) -> list[str]:
    indices = sorted((key for key in value if key.isdecimal() and str(int(key)) == key), key=int)
    return indices + [key for key in value if key not in set(indices)]


def test_a_document_is_read_as_json_is(node: Node, document: Path) -> None:
    value = loads(as_node_writes(node, document))

    assert same_json(value, as_javascript_reads(document))


def test_a_document_is_written_again_to_the_same_bytes(nodes: tuple[Node, ...], document: Path) -> None:
    for node in nodes:
        data = as_node_writes(node, document)

        assert dumps(loads(data)) == data


def test_node_reads_a_document_that_python_wrote_from_json(node: Node, document: Path) -> None:
    data = dumps(as_javascript_reads(document))

    read = f"JSON.parse(require('node:fs').readFileSync({json.dumps(str(document))}, 'utf8'))"
    complaints = node.deep_equal([(data, read)])

    assert [complaint[-200:] for complaint in complaints] == []

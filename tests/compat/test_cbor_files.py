"""What a version wrote as CBOR, and what cbor-x wrote, every later version reads, with the same result."""

from __future__ import annotations

from pathlib import Path

import pytest

from clonecodec import cbor
from tests.compat.cbor import CBORX, HERE
from tests.compat.values import VALUES
from tests.same import difference

FILES = sorted(HERE.glob("[0-9]*/values.cbor"))
OTHERS = sorted(HERE.glob("others/cbor-x-*.cbor"))


def names(path: Path) -> str:
    return str(path.relative_to(HERE))


def test_there_are_files() -> None:
    assert FILES
    assert OTHERS


@pytest.mark.parametrize("path", FILES, ids=names)
def test_a_file_of_values_is_read(path: Path) -> None:
    with path.open("rb") as file:
        for name, value in VALUES.items():
            assert difference(cbor.load(file), cbor.loads(cbor.dumps(value))) is None, name
        assert file.read() == b""


@pytest.mark.parametrize("path", OTHERS, ids=names)
def test_what_cborx_wrote_is_read(path: Path) -> None:
    messages = cbor.loads(path.read_bytes())
    assert isinstance(messages, dict)
    assert len(messages) > 120

    for js, data in messages.items():
        assert difference(cbor.loads(data), CBORX[js]) is None, js

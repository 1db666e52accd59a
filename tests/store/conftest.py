"""A path for a store, and one that is open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clonecodec import store
from clonecodec.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "values.db"


@pytest.fixture(params=["file", "memory"])
def opened(request: pytest.FixtureRequest, path: Path) -> Iterator[Store]:
    """A new store, in a file and in memory."""
    with store.open(path if request.param == "file" else ":memory:") as found:
        yield found

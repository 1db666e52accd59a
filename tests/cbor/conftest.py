"""The one cbor-x that all tests ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cbor.cborx import CborX, UnavailableError, must_be_there


@pytest.fixture(scope="session")
def cborx() -> Iterator[CborX]:
    """cbor-x; a test that needs it is skipped where there is none, but never in CI."""
    try:
        running = CborX()
    except UnavailableError as reason:
        if must_be_there():
            raise
        pytest.skip(str(reason))
    yield running
    running.close()

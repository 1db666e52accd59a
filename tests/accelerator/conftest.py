"""These tests need the accelerator; where it was not built, or is turned off, there is nothing to test."""

from __future__ import annotations

import pytest

import clonecodec


@pytest.fixture(autouse=True)
def _accelerated() -> None:
    if not clonecodec.accelerated:
        pytest.skip("the accelerator was not built, or CLONECODEC_PURE is set")

"""What all tests share: the Nodes, and what to say where there is none."""

from __future__ import annotations

import pytest

from tests import node as node_module
from tests.node import HOW_TO_GET_THEM, Node


def pytest_sessionfinish() -> None:
    """End the Nodes that any test started."""
    node_module.close_all()


@pytest.fixture(scope="session")
def nodes() -> tuple[Node, ...]:
    """Every installed Node; a test that needs one is skipped where there is none, but never in CI."""
    found = node_module.installed()
    if not found:
        pytest.skip(HOW_TO_GET_THEM)
    return found


@pytest.fixture(scope="session")
def node(nodes: tuple[Node, ...]) -> Node:
    """The newest installed Node."""
    return nodes[-1]

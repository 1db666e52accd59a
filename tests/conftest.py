"""What all tests share: the Nodes, and what to say where there is none."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests import node as node_module
from tests.node import HOW_TO_GET_THEM, Node

# What a test needs is not judged by a busy machine, or one that looks at every access to memory (make asan).
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


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

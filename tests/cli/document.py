"""The examples in docs/cli.md: sessions in a shell, with the output that the commands really give.

``python -m tests.cli.document`` writes the output anew, and the picture docs/inspect.svg; the test compares.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.node import ROOT

DOCUMENT: Final = ROOT / "docs" / "cli.md"
PICTURE: Final = ROOT / "docs" / "inspect.svg"

ORDER: Final = bytes.fromhex(
    "ff0f6f22026964490e220474616773410222036e65772204676966742400022206706c616365644400b08756febc78422205"
    "6974656d733b2204626f6f6b49043a0222046e6f74655c0a0a63616c6c2066697273742205746f74616c4e00000000008033"
    "402204616c736f5e017b07"
)
"""What Node writes for the JavaScript in the document; a test asks it."""

CHANGED: Final = ORDER.replace(b'"\x04gift', b'"\x04sale').replace(b"\x80\x33\x40", b"\x80\x32\x40")


def sessions(text: str) -> Iterator[tuple[str, str]]:
    """Every command of the document's console blocks, and the output below it."""
    for block in text.split("```console\n")[1:]:
        for part in f"\n{block.partition('```')[0]}".split("\n$ ")[1:]:
            command, _, output = part.partition("\n")
            yield command, output.rstrip("\n")


class Shell:
    """A folder with the files of the examples, and ``clonecodec`` on the path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "work"
        self._folder.mkdir()
        (self._folder / "order.bin").write_bytes(ORDER)
        (self._folder / "changed.bin").write_bytes(CHANGED)
        script = folder / "bin" / "clonecodec"
        script.parent.mkdir()
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m clonecodec "$@"\n')
        script.chmod(0o755)
        self._environment = {
            **os.environ,
            "PATH": f"{script.parent}:{os.environ['PATH']}",
            "PYTHONIOENCODING": "utf-8",
            "COLUMNS": "80",
        }
        self._code = 0

    def run(self, command: str) -> str:
        """What *command* prints, on both outputs; ``$?`` is the code of the command before."""
        done = subprocess.run(
            ["sh", "-c", f"(exit {self._code}); {command}"],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=120,
        )
        self._code = done.returncode
        return done.stdout.decode("utf-8").rstrip("\n")

    def path(self, name: str) -> Path:
        """A file that a command has written."""
        return self._folder / name


def main() -> None:
    """Write the document's outputs anew."""
    text = DOCUMENT.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        shell = Shell(Path(folder))
        done = ""
        for command, output in list(sessions(text)):
            now = shell.run(command)
            if now.startswith("$ ") or "\n$ " in now:
                raise ValueError(f"{command!r} prints what looks like a prompt")
            prompt = f"\n$ {command}\n"
            before, _, text = text.partition(prompt + (f"{output}\n" if output else ""))
            done += before + prompt.rstrip("\n")
            text = "\n" + (f"{now}\n" if now else "") + text
        text = done + text
        PICTURE.write_bytes(shell.path("inspect.svg").read_bytes())
    DOCUMENT.write_text(text, "utf-8")


if __name__ == "__main__":
    main()

"""A file that Node wrote is read, shown, changed, written, and read back by Node.

Run it with ``make demo``, or ``python -m demo``.
"""

from __future__ import annotations

import pprint
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import clonecodec

HERE = Path(__file__).parent


def main() -> None:
    file = HERE / "session.bin"
    node = shutil.which("node")
    with tempfile.TemporaryDirectory() as folder:
        changed, fresh = Path(folder, "changed.bin"), Path(folder, "fresh.bin")

        title("A file that Node wrote with v8.serialize (demo/session.js is the script)")
        print(file.name, file.stat().st_size, "bytes:", file.read_bytes()[:24].hex(" "), "...")
        if node is not None:
            subprocess.run([node, HERE / "session.js", fresh], check=True)
            print("the Node on this machine writes the same:", fresh.read_bytes() == file.read_bytes())

        read_change_write(file, changed)

        title("Node reads what Python wrote")
        if node is None:
            print("no Node on PATH: install one to see this step")
        else:
            sys.stdout.flush()
            subprocess.run([node, HERE / "session.js", "--read", changed], check=True)


def read_change_write(file: Path, changed: Path) -> None:
    title("Python reads it: clonecodec.loads(data)")
    data = file.read_bytes()
    session: Any = clonecodec.loads(data)
    for name, value in session.items():
        print(f"{name:>10}  {type(value).__name__:<13} {shown(value)}")

    title("One object is one object, and cycles are closed")
    user = session["user"]
    print("user['deputy']['reportsTo'] is user:", user["deputy"]["reportsTo"] is user)
    key = next(iter(session["seen"]))  # JavaScript's Map takes objects as keys; Python wraps them
    print("the first key of seen is user:      ", key.value is user)
    print("written again to the same bytes:    ", clonecodec.dumps(session) == data)

    title("Python changes it: clonecodec.dumps(session)")
    user["roles"].add("python")
    session["seen"][key] = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    session["cart"][1] = {"sku": "note/G", "price": 42}
    session["samples"][0] = 0.75
    session["visits"] += 1
    session["tuple"] = ("a tuple", "is an Array to JavaScript", "and a tuple again to Python")
    changed.write_bytes(clonecodec.dumps(session))
    print("roles, seen, cart, samples and visits; and a tuple:", changed.stat().st_size, "bytes")

    again: Any = clonecodec.loads(changed.read_bytes())
    print("Python reads back:", again["tuple"], again["samples"].tolist(), sorted(again["user"]["roles"]))


def shown(value: object) -> str:
    """*value* in a line."""
    if isinstance(value, memoryview):
        return f"{value.format!r} {value.tolist()}"
    text = pprint.pformat(value, depth=3, compact=True, width=200, sort_dicts=False)
    return " ".join(text.split()) if len(text) < 110 else " ".join(text.split())[:107] + "..."


def title(text: str) -> None:
    print(f"\n== {text}")


if __name__ == "__main__":
    main()

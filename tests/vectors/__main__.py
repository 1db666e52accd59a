"""Do the Nodes still write what the files say?  ``python -m tests.vectors`` exits with 1 if one does not."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import cast

from tests.node import executables
from tests.vectors import FOLDER, VERSIONS, of_node


def differences(major: int, executable: str) -> list[str]:
    """What Node *major* writes otherwise than its file says."""
    command = [executable, str(FOLDER / "make.js"), "--print"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    written = cast("dict[str, dict[str, str]]", json.loads(printed)["cases"])
    kept = of_node(major)
    found = [f"only in one of the two: {name}" for name in sorted(written.keys() ^ kept.keys())]
    found += [
        f"{name}: {written[name]['hex']}, but the file has {case.data.hex()}"
        for name, case in kept.items()
        if name in written and (written[name]["hex"], written[name]["js"]) != (case.data.hex(), case.js)
    ]
    return found


def main() -> int:
    """Compare every installed Node with its file."""
    failed = False
    installed = executables()
    for major in VERSIONS:
        if major not in installed:
            print(f"Node {major} is not installed (`make nodes`)")
            failed = True
            continue
        found = differences(major, installed[major])
        failed = failed or bool(found)
        print(f"Node {major}: {len(of_node(major))} cases, {len(found)} differences")
        for line in found:
            print(f"  {line}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

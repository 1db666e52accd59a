"""Say which Nodes the tests will ask: ``python -m tests.node``."""

from __future__ import annotations

from tests.node import HOW_TO_GET_THEM, TESTED, executables

found = executables()
if not found:
    print(f"Node: {HOW_TO_GET_THEM}; the tests that need one are skipped")
else:
    missing = [str(major) for major in TESTED if major not in found]
    print(f"Node: testing with {', '.join(map(str, found))}", end="")
    print(f" (not {', '.join(missing)}: `make nodes` installs them)" if missing else "")

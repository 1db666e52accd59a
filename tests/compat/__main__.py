"""Write this version's folder, once: ``python -m tests.compat``."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from clonecodec import dump, store
from tests.compat.values import LONG, VALUES


def main() -> None:
    folder = Path(__file__).parent / version("clonecodec")
    folder.mkdir(exist_ok=True)
    for wire_version in range(13, 17):
        path = folder / f"values-{wire_version}.v8"
        if not path.exists():
            with path.open("xb") as file:
                for value in VALUES.values():
                    dump(value, file, version=wire_version)
    path = folder / "store.db"
    if not path.exists():
        with store.open(path) as opened:
            opened.update(VALUES)
            opened["long"] = LONG
            opened.compact()


if __name__ == "__main__":
    main()

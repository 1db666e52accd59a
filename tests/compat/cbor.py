"""CBOR to be read for ever: this version's file and cbor-x's, written by ``python -m tests.compat.cbor``."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Final

from clonecodec import cbor
from tests.cbor.cborx import VERSION, CborX
from tests.cbor.table import BOTH, READ
from tests.compat.values import VALUES

HERE: Final = Path(__file__).parent

CBORX: Final = {js: value for js, value in (BOTH | READ).items() if "70000" not in js}
"""What is in cbor-x's file: every expression of the table that is not long."""


def main() -> None:
    path = HERE / version("clonecodec") / "values.cbor"
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        with path.open("xb") as file:
            for value in VALUES.values():
                cbor.dump(value, file)
    path = HERE / "others" / f"cbor-x-{VERSION}.cbor"
    if not path.exists():
        running = CborX()
        path.write_bytes(cbor.dumps({js: running.encode(js) for js in CBORX}))
        running.close()


if __name__ == "__main__":
    main()

"""``convert``: the values of one file in another format, and what that format does not keep.

Several values stay several: one after the other in V8's format and in CBOR (a sequence, RFC 8742), a line
each in JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Final

from clonecodec import DataCloneError, dumps
from clonecodec.cli import jsontext
from clonecodec.cli.files import BrokenFileError
from clonecodec.cli.jsontext import Losses

TARGETS: Final = ("v8", "cbor", "json")
"""What can be written."""


def write(values: Sequence[object], target: str, file: IO[bytes], losses: Losses) -> None:
    """Write *values* to *file* in the format *target*, and count in *losses* what it does not keep.

    Raises:
        BrokenFileError: a value cannot be written in this format.
    """
    for value in values:
        try:
            if target == "json":
                for chunk in jsontext.chunks(value, losses):
                    file.write(chunk.encode("utf-8", "surrogatepass"))
                file.write(b"\n")
            elif target == "cbor":
                from clonecodec import cbor

                file.write(cbor.dumps(value))
            else:
                file.write(dumps(value))
        except DataCloneError as error:
            raise BrokenFileError(f"the value cannot be written as {target}: {error}") from None


def guess_target(name: str) -> str | None:
    """The format that the name of a file asks for."""
    endings = {
        ".json": "json",
        ".jsonl": "json",
        ".ndjson": "json",
        ".cbor": "cbor",
        ".v8": "v8",
        ".bin": "v8",
    }
    for ending, target in endings.items():
        if name.lower().endswith(ending):
            return target
    return None

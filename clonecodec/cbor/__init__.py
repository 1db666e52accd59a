"""The values of ``clonecodec`` as CBOR (RFC 8949), for programs that read no V8.

    dumps loads dump load    the same four as clonecodec's own, and the same value table

npm's cbor-x reads it (``new Decoder({structuredClone: true, useRecords: false})``), and so does any reader of
CBOR as far as it knows the registered tags; ``docs/cbor.md`` has the table of them.

>>> value = {"when": [1, (2, 3)], "big": 2**40}
>>> loads(dumps(value)) == value
True
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..errors import DecodeError
from ._decode import Reader
from ._encode import Writer
from ._source import Readable, Source

if TYPE_CHECKING:
    from ..buffers import Octets

__all__ = ["dump", "dumps", "load", "loads"]

MAX_DEPTH: Final = 100_000  # containers within containers, as in clonecodec: a frame of about 200 bytes each


class Writable(Protocol):
    """A binary file."""

    def write(self, data: bytes, /) -> Any: ...


def dumps(value: object, *, hints: bool = True, max_depth: int = MAX_DEPTH) -> bytes:
    """Return *value* as CBOR.

    Args:
        value: anything of clonecodec's value table.
        hints: mark what only Python tells apart (tuple, frozenset, bytearray, an int beyond 32 bits, ...)
            with tag 55799, which every reader drops.
        max_depth: how many containers may lie within each other.

    Raises:
        DataCloneError: it cannot be cloned, or is nested too deeply; ``.path`` says where.

    >>> dumps([1, 2]).hex(" ")
    '82 01 02'
    """
    return Writer(hints=hints, max_depth=max_depth).write(value)


def loads(
    data: Octets, *, max_depth: int = MAX_DEPTH, tag_hook: Callable[[int, object], object] | None = None
) -> object:
    """Read the value in *data*, which ``dumps`` or another writer of CBOR wrote.

    Args:
        data: One whole item, and nothing behind it (``load`` reads one of several).
        max_depth: how many containers may lie within each other.
        tag_hook: called with the number of a tag that means nothing here and the value in it; returns what to
            take for both.  ``cbor2.CBORTag`` will do.

    Raises:
        DecodeError: it is not CBOR, or means nothing here: ``.offset`` tells where.  Nothing else, whatever
            the bytes are, except out of *tag_hook*.
        TruncatedError: *data* ends too soon.  (It is a DecodeError too.)

    >>> loads(bytes.fromhex("82 01 02"))
    [1, 2]
    """
    source = Source(data if type(data) is bytes else bytes(data))
    value = Reader(source, max_depth=max_depth, tag_hook=tag_hook).read()
    if source.position < len(source.data):
        raise DecodeError(f"{len(source.data) - source.position} bytes too many", source.position)
    return value


def dump(value: object, file: Writable, *, hints: bool = True, max_depth: int = MAX_DEPTH) -> None:
    """Write *value* to the binary *file*, as ``dumps`` would have it.  Several may follow each other.

    Raises:
        DataCloneError: as ``dumps``; nothing has been written.
    """
    file.write(dumps(value, hints=hints, max_depth=max_depth))


def load(
    file: Readable, *, max_depth: int = MAX_DEPTH, tag_hook: Callable[[int, object], object] | None = None
) -> object:
    """Read one value from the binary *file*, and leave the file just after it.

    Raises:
        DecodeError: as ``loads``; the offset counts from where the value begins.
        TruncatedError: the file ends too soon, also where it is at its end already.
    """
    source = Source(bytearray(), file)
    return Reader(source, max_depth=max_depth, tag_hook=tag_hook).read()

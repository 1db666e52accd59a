"""Values in files, one after the other: ``dump`` appends one, ``load`` reads one and not a byte more.

Where the file can seek, a piece of it is read, then twice as much, until the value is whole, and the file is
left just behind it.  Elsewhere (a pipe, a socket) it is asked for exactly the bytes that the value needs;
so nothing is looked for that may not come: a view behind a buffer that is itself the whole value.
"""

from __future__ import annotations

import sys
from typing import Any, Final, Protocol

from ._node import DefaultDeserializer, dumps
from ._reader import MAX_DEPTH
from ._tags import VERSION, WRITTEN_VERSION
from ._wire import WireReader
from .errors import DecodeError, TruncatedError

FIRST_PIECE: Final = 1 << 16  # bytes; most values are smaller
LARGEST_READ: Final = 1 << 20  # bytes asked for at once on the word of a length alone


class Readable(Protocol):
    """A binary file to read from."""

    def read(self, size: int, /) -> bytes | None: ...


class Writable(Protocol):
    """A binary file to write to."""

    def write(self, data: bytes, /) -> object: ...


def dump(
    value: object,
    file: Writable,
    *,
    hints: bool = True,
    version: int = WRITTEN_VERSION,
    max_depth: int = MAX_DEPTH,
) -> None:
    """Write *value* to a binary file, as ``dumps`` would.  Values may follow each other.

    Raises:
        DataCloneError: it cannot be cloned; nothing has been written.
        ValueError: that version is not written.

    >>> import io
    >>> file = io.BytesIO()
    >>> dump("one", file); dump("two", file)
    >>> position = file.seek(0)
    >>> load(file), load(file)
    ('one', 'two')
    """
    file.write(dumps(value, hints=hints, version=version, max_depth=max_depth))


def load(file: Readable, *, legacy: bool = False, max_depth: int = MAX_DEPTH) -> Any:
    """Read one value from a binary file, and leave the file just behind it.

    Raises:
        TruncatedError: the file ends before the value does; with ``.offset`` 0, before it began.  It is an
            EOFError too.
        DecodeError: what comes next is no value; ``.offset`` counts from where it began, and a file that can
            seek is left there.
    """
    seekable = getattr(file, "seekable", None)
    if seekable is not None and seekable():
        return _load_by_pieces(file, legacy, max_depth)
    deserializer = DefaultDeserializer(StreamReader(file), legacy=legacy, max_depth=max_depth)
    deserializer.read_header()
    return deserializer.read_value()


def _load_by_pieces(file: Any, legacy: bool, max_depth: int) -> Any:
    start = file.tell()
    data = _read(file, FIRST_PIECE)
    ended = len(data) < FIRST_PIECE
    while True:
        if not ended and (data[0] != VERSION or data[1] == 13):
            # Version 13 is tried twice, and version 0 is all that there is: neither goes by pieces.
            data += _read(file, sys.maxsize)
            ended = True
        deserializer = DefaultDeserializer(data, legacy=legacy, max_depth=max_depth)
        try:
            deserializer.read_header()
            value = deserializer.read_value()
        except DecodeError as error:
            if ended or not isinstance(error, TruncatedError):
                file.seek(start)
                raise
        else:
            end = deserializer.offset
            # Behind a buffer and any padding there may be a view, so the value ends where something else
            # begins.
            if ended or not deserializer.at_end():
                file.seek(start + end)
                return value
        more = _read(file, len(data))
        ended = len(more) < len(data)
        data += more


def _read(file: Readable, size: int) -> bytes:
    """Read *size* bytes, or all that there are."""
    pieces: list[bytes] = []
    while size > 0:
        piece = file.read(min(size, LARGEST_READ))
        if isinstance(piece, str):
            raise TypeError("a file opened in binary mode is wanted, not a text file")
        if not piece:  # None where nothing is there yet and the file does not block
            break
        pieces.append(bytes(piece))
        size -= len(piece)
    return b"".join(pieces)


class StreamReader(WireReader):
    """A cursor over a file that cannot seek: it reads what it is asked for, and nothing more."""

    __slots__ = ("_file", "_received")

    def __init__(self, file: Readable) -> None:
        self._received = bytearray()
        super().__init__(self._received)
        self._file = file
        self.blind = True

    def has(self, end: int) -> bool:
        received = self._received
        while len(received) < end:
            piece = _read(self._file, min(end - len(received), LARGEST_READ))
            if not piece:
                return False
            received += piece
        return True

    def left(self) -> int:
        return sys.maxsize

    def show(self, length: int) -> memoryview:
        return memoryview(self.raw(length))  # a copy: what is received must be able to grow

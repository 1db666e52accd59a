"""CBOR's primitives: heads, runs of bytes and text, in memory or drawn from a file as they are needed.

    head   1 byte: 3 bits of major type, 5 of info; then 0, 1, 2, 4 or 8 bytes of argument, big-endian
    text   UTF-8; JavaScript's lone surrogates too, each in its own three bytes

Only this module does arithmetic on offsets.  From a file nothing is read that does not belong to the value.
"""

from __future__ import annotations

from typing import Final, Protocol

from ..errors import DecodeError, TruncatedError

INDEFINITE: Final = -1
"""The argument of a head that has none: a break will end the item."""

BREAK: Final = 0xFF

_CHUNK: Final = 1 << 20  # read at a time, since a length is a claim


class Readable(Protocol):
    """A binary file."""

    def read(self, size: int, /) -> bytes | None: ...


class Source:
    """A cursor over the bytes of one value."""

    __slots__ = ("_file", "data", "position")

    def __init__(self, data: bytes | bytearray, file: Readable | None = None) -> None:
        self.data = data
        self.position = 0
        self._file = file

    def head(self) -> tuple[int, int]:
        """Read a head; return its first byte and its argument."""
        position = self.position
        if position >= len(self.data):
            self._need(1)
        initial = self.data[position]
        self.position = position + 1
        info = initial & 0x1F
        if info < 24:
            return initial, info
        if info < 28:
            size = 1 << (info - 24)
            if position + 1 + size > len(self.data):
                self._need(size)
            self.position += size
            return initial, int.from_bytes(self.data[position + 1 : self.position], "big")
        if info == 31:
            return initial, INDEFINITE
        raise DecodeError(f"0x{initial:02x} begins no item", position)

    def octets(self, length: int) -> bytes:
        """Read *length* bytes."""
        begin = self.position
        end = begin + length
        if end > len(self.data):
            self._need(length)
        self.position = end
        return bytes(self.data[begin:end])

    def string(self, initial: int, length: int) -> bytes | str:
        """Read a byte string or a text, whose head has been read."""
        if length != INDEFINITE:
            return self._text(length) if initial >= 0x60 else self.octets(length)
        chunks: list[bytes] = []
        texts: list[str] = []
        while True:
            begin = self.position
            chunk, length = self.head()
            if chunk == BREAK:
                return "".join(texts) if initial >= 0x60 else b"".join(chunks)
            if chunk >> 5 != initial >> 5 or length == INDEFINITE:
                raise DecodeError("a string in chunks has a chunk of another kind", begin)
            if initial >= 0x60:
                texts.append(self._text(length))
            else:
                chunks.append(self.octets(length))

    def _text(self, length: int) -> str:
        begin = self.position
        octets = self.octets(length)
        try:
            return octets.decode()
        except UnicodeDecodeError:
            pass
        try:  # cbor-x writes JavaScript's lone surrogates, which UTF-8 has no place for
            units = octets.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass")
        except UnicodeDecodeError as error:
            raise DecodeError("the text is not UTF-8", begin + error.start) from None
        return units.decode("utf-16-le", "surrogatepass")

    def claims(self, items: int) -> None:
        """Raise TruncatedError if *items* more items cannot be there."""
        if self._file is None and items > len(self.data) - self.position:
            raise TruncatedError(f"expected {items} items, of a byte at least", self.position)

    def _need(self, length: int) -> None:
        """Read from the file until *length* bytes are there."""
        data = self.data
        missing = self.position + length - len(data)
        while self._file is not None and missing > 0:
            chunk = self._file.read(min(missing, _CHUNK))
            if chunk is None:
                raise BlockingIOError("the file has no bytes yet: load needs one that waits for them")
            if not chunk:
                break
            assert isinstance(data, bytearray)
            data += chunk
            missing -= len(chunk)
        if missing > 0:
            raise TruncatedError(f"expected {missing} bytes more", len(data))

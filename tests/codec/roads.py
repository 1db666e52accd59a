"""The roads that a value can take: each function takes a value and returns what arrives at the other end."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Final

from clonecodec import (
    Deserializer,
    Serializer,
    SharedArrayBuffer,
    dump,
    dumps,
    load,
    loads,
    structured_clone,
)


def hexes(data: bytes) -> str:
    return data.hex(" ")


def native(value: object, **options: Any) -> bytes:
    """What a base Serializer writes."""
    serializer = Serializer(**options)
    serializer.write_header()
    serializer.write_value(value)
    return serializer.release_buffer()


def read_native(data: bytes) -> Any:
    """What a base Deserializer reads."""
    deserializer = Deserializer(data)
    deserializer.read_header()
    return deserializer.read_value()


class WireSerializer(Serializer):
    """Writes as ports do: views native, ``bytes`` marked, shared buffers by number."""

    mark_read_only_bytes = True

    def __init__(self, *, version: int = 15, max_depth: int = 100_000) -> None:
        super().__init__(version=version, max_depth=max_depth)
        self.shared: Final[list[SharedArrayBuffer]] = []

    def get_shared_array_buffer_id(self, sab: SharedArrayBuffer) -> int:
        self.shared.append(sab)
        return len(self.shared) - 1


def marked(value: object) -> bytes:
    """What ports write."""
    serializer = WireSerializer()
    serializer.write_header()
    serializer.write_value(value)
    return serializer.release_buffer()


def wire(value: object, *, version: int = 15, max_depth: int = 100_000) -> Any:
    """What arrives at the other end of a port that writes bytes."""
    serializer = WireSerializer(version=version, max_depth=max_depth)
    serializer.write_header()
    serializer.write_value(value)
    deserializer = Deserializer(serializer.release_buffer(), max_depth=max_depth)
    for number, buffer in enumerate(serializer.shared):
        deserializer.transfer_array_buffer(number, buffer.alias())
    deserializer.read_header()
    return deserializer.read_value()


class Unseekable(io.RawIOBase):
    """Bytes that come as from a pipe: at most *piece* at once, and no way back."""

    def __init__(self, data: bytes, piece: int = 1 << 30) -> None:
        super().__init__()
        self.data: Final = data
        self.offset = 0
        self._piece: Final = piece

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        end = min(self.offset + min(size, self._piece), len(self.data))
        data, self.offset = self.data[self.offset : end], end
        return data


def message(value: object) -> Any:
    return loads(dumps(value))


def file(value: object) -> Any:
    target = io.BytesIO()
    dump(value, target)
    target.seek(0)
    result = load(target)
    assert target.read() == b""
    return result


def pipe(value: object) -> Any:
    source = Unseekable(dumps(value))
    result = load(source)
    assert source.offset == len(source.data), "load reads exactly one value"
    return result


ROADS: Final[dict[str, Callable[[object], Any]]] = {
    "dumps and loads": message,
    "dump and load": file,
    "dump and load without seeking": pipe,
    "structured_clone": structured_clone,
    "Serializer and Deserializer": wire,
}
"""All of them by name."""

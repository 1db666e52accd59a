"""How an entry lies in the file.

    key       UTF-8, and a lone surrogate as UTF-8 would write it: any str, in the order of str
    value     what ``dumps`` writes: up to 1 MiB in the entry's own row, more in chunks of 256 KiB
    checksum  CRC-32 of the key and the encoded value: what comes back is what was written, or an error

A chunked value is copied piece by piece, so that the store adds nothing to the memory that the value and its
encoded form take, and SQLite's limit of 1 GB a blob does not apply.
"""

from __future__ import annotations

import zlib
from io import BytesIO
from typing import Final

from clonecodec import dumps
from clonecodec.store._connections import Connection, Row
from clonecodec.store._errors import StoreDamagedError

INLINE: Final = 1 << 20
CHUNK: Final = 256 << 10

_WRITE: Final = (
    "INSERT INTO entries (key, size, checksum, value) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE "
    "SET size = excluded.size, checksum = excluded.checksum, value = excluded.value"
)
_READ: Final = "SELECT id, size, checksum, value FROM entries WHERE key = ?"
_READ_CHUNKS: Final = (
    "SELECT entries.size, entries.checksum, chunks.data FROM entries JOIN chunks "
    "ON chunks.entry = entries.id WHERE entries.key = ? ORDER BY chunks.number"
)


def encoded_key(key: object) -> bytes:
    """*key* as it lies in the file; TypeError if it is not a str."""
    if not isinstance(key, str):
        raise TypeError(f"a store's keys are str, not {type(key).__name__}")
    return key.encode("utf-8", "surrogatepass")


def decoded_key(key: object, path: str) -> str:
    if not isinstance(key, bytes):
        raise StoreDamagedError("is damaged (a key is not bytes)", path)
    try:
        return key.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise StoreDamagedError("is damaged (a key is not UTF-8)", path) from error


def encoded(key: bytes, value: object) -> tuple[bytes, int]:
    """*value* in the wire format, and its checksum under *key*."""
    data = dumps(value)
    return data, zlib.crc32(data, zlib.crc32(key))


def is_small(data: bytes) -> bool:
    """Whether *data* goes into its entry's row, so that writing it is one statement."""
    return len(data) <= INLINE


def write(connection: Connection, key: bytes, data: bytes, checksum: int) -> None:
    """Write one entry; inside a transaction unless it is small."""
    if is_small(data):
        connection.rows(_WRITE, (key, len(data), checksum, data))
        return
    connection.rows(_WRITE, (key, len(data), checksum, None))  # the trigger removes the old chunks
    [(entry,)] = connection.rows("SELECT id FROM entries WHERE key = ?", (key,))
    whole = memoryview(data)
    for number, start in enumerate(range(0, len(data), CHUNK)):
        connection.rows(
            "INSERT INTO chunks (entry, number, data) VALUES (?, ?, ?)",
            (entry, number, whole[start : start + CHUNK]),
        )


def read(connection: Connection, key: bytes, path: str) -> bytes | None:
    """The encoded value under *key*, checked; None if there is none."""
    found = connection.rows(_READ, (key,))
    if not found:
        return None
    _, size, checksum, value = found[0]
    if value is None:
        return _read_chunks(connection, key, path)
    return checked(key, value, size, checksum, path)


def _read_chunks(connection: Connection, key: bytes, path: str) -> bytes | None:
    """One statement, so one snapshot: nobody replaces the value while its chunks are read."""
    data = BytesIO()  # whose value is handed over without a copy
    claims: Row = ()
    for *claims_, chunk in connection.each(_READ_CHUNKS, (key,)):
        if not isinstance(chunk, bytes):
            raise _damaged(key, path)
        data.write(chunk)
        claims = tuple(claims_)
    if not claims:
        # Between the two statements the value was deleted, or became a small one; or its chunks are lost.
        found = connection.rows(_READ, (key,))
        if not found:
            return None
        if found[0][3] is None:
            raise _damaged(key, path)
        return checked(key, found[0][3], found[0][1], found[0][2], path)
    return checked(key, data.getvalue(), claims[0], claims[1], path)


def checked(key: bytes, data: object, size: object, checksum: object, path: str) -> bytes:
    """*data*, if it is what was written under *key*."""
    if not isinstance(data, bytes) or len(data) != size or zlib.crc32(data, zlib.crc32(key)) != checksum:
        raise _damaged(key, path)
    return data


def _damaged(key: bytes, path: str) -> StoreDamagedError:
    name = key.decode("utf-8", "backslashreplace")
    return StoreDamagedError(f"is damaged (the value of {name!r} is not what was written)", path)


def remove(connection: Connection, key: bytes) -> bool:
    """Delete the entry under *key*, and say whether there was one."""
    return bool(connection.rows("DELETE FROM entries WHERE key = ? RETURNING 1", (key,)))

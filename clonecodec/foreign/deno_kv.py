"""Deno KV's databases, as ``Deno.openKv(path)`` makes them: an SQLite file.

    kv  k (see _deno_keys)  v  v_encoding  version  expiration_ms (-1 for never; not in old files)

    v_encoding 1  V8's format, views its own; host object FFFFFFFF as a varint, then a plain object
               2  Deno.KvU64: 8 bytes, little-endian
               3  a Uint8Array's bytes, as they are

The file is read without a lock and without a trace if nobody has it open; if a write-ahead log lies
beside it, with SQLite's locks or, where these cannot be had, from a copy.
"""

from __future__ import annotations

import datetime
import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from clonecodec import BigInt, Date
from clonecodec.errors import DecodeError
from clonecodec.foreign._deno_keys import KeyPart, decoded_key
from clonecodec.foreign._nesting import Nested
from clonecodec.foreign._places import shifted

ENCODINGS: Final = {1: "v8", 2: "u64", 3: "bytes"}
PLAIN_OBJECT: Final = 0xFFFFFFFF
SQLITE_ERRORS: Final = (sqlite3.Error, UnicodeDecodeError)
"""What sqlite3 raises: the second when SQLite's message quotes a name in a damaged schema."""

_MAX_SAFE: Final = 2**53 - 1
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class DenoKvEntry:
    """One entry of a database.

    Attributes:
        key: its parts: ``bytes``, ``str``, ``bool``, ``BigInt`` for a bigint, an int or float for a number.
        value: of ``encoding`` "u64" an int (BigInt as far as it is a safe integer), of "bytes" bytes.
        encoding: how the value is stored: ``"v8"``, ``"u64"`` or ``"bytes"``.
        versionstamp: of the change that wrote it, as Deno shows it.
        expires_at: when Deno may delete it; it may be past.  None: never.
    """

    key: tuple[KeyPart, ...]
    value: Any
    encoding: str
    versionstamp: str
    expires_at: datetime.datetime | Date | None


class DenoDeserializer(Nested):
    """Reads V8's format with Deno's host objects."""

    def read_host_object(self) -> object:
        start = self.offset
        index = self.read_uint32()
        if index != PLAIN_OBJECT:
            raise DecodeError(f"unknown host object {index} of Deno's", start)
        return self.read_nested()


class DenoKvEntries(Iterator[DenoKvEntry]):
    """The entries of a database in the order of their keys; what ``read_deno_kv`` returns.

    Closed at its end, by ``close()`` or at the end of a ``with`` block.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._resources = ExitStack()
        try:
            self._rows = self._query()
        except SQLITE_ERRORS as error:
            self.close()
            raise DecodeError(f"not a database of Deno KV ({error})", 0) from error
        except BaseException:
            self.close()
            raise

    def _query(self) -> sqlite3.Cursor:
        connection = _connected(self._path, self._resources)
        connection.text_factory = bytes
        connection.execute("PRAGMA trusted_schema = OFF")
        columns = {row[1] for row in connection.execute("PRAGMA table_info(kv)")}
        if not columns:
            raise DecodeError("not a database of Deno KV (there is no table kv)", 0)
        expiry = "expiration_ms" if b"expiration_ms" in columns else "-1"
        return connection.execute(f"SELECT k, v, v_encoding, version, {expiry} FROM kv ORDER BY k")

    def __next__(self) -> DenoKvEntry:
        try:
            row = next(self._rows, None)
        except sqlite3.ProgrammingError:
            row = None  # closed
        except SQLITE_ERRORS as error:
            self.close()
            raise DecodeError(f"the database is damaged ({error})", 0) from error
        if row is None:
            self.close()
            raise StopIteration
        return _entry(*row)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._resources.close()

    def __enter__(self) -> DenoKvEntries:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _connected(path: str, resources: ExitStack) -> sqlite3.Connection:
    log, index = Path(path + "-wal"), Path(path + "-shm")
    if not log.exists():
        return _connection(path, "mode=ro&immutable=1", resources)
    if index.exists():
        try:
            connection = _connection(path, "mode=ro", resources)
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            resources.close()
        else:
            return connection
    return _connection(_copied(path, resources), "mode=rw", resources)


def _connection(path: str, how: str, resources: ExitStack) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{Path(path).as_uri()}?{how}", uri=True, isolation_level=None)
    resources.callback(connection.close)
    return connection


def _copied(path: str, resources: ExitStack) -> str:
    """A copy of the database with its log: reading the log needs a file beside it."""
    import shutil
    import tempfile

    folder = resources.enter_context(tempfile.TemporaryDirectory(prefix="clonecodec-"))
    copy = Path(folder, "kv")
    for suffix in ("", "-wal"):
        shutil.copyfile(path + suffix, f"{copy}{suffix}")
    return str(copy)


def _entry(key: object, value: object, encoding: object, version: object, expiry: object) -> DenoKvEntry:
    if not isinstance(key, bytes) or not isinstance(value, bytes):
        raise DecodeError("a key or value is not a blob", 0)
    parts = decoded_key(key)
    name = ENCODINGS.get(encoding) if isinstance(encoding, int) else None
    if name is None:
        raise DecodeError(f"unknown encoding {encoding!r} of the value of {parts!r}", 0)
    if not isinstance(version, int) or not isinstance(expiry, int):
        raise DecodeError(f"the version or expiry of {parts!r} is not a number", 0)
    with shifted(0, f" in the value of {parts!r}"):
        found = _value(value, name)
    return DenoKvEntry(parts, found, name, f"{version & (1 << 64) - 1:016x}0000", _time(expiry))


def _value(data: bytes, encoding: str) -> Any:
    if encoding == "bytes":
        return data
    if encoding == "u64":
        if len(data) != 8:
            raise DecodeError(f"expected 8 bytes, not {len(data)}", 0)
        number = int.from_bytes(data, "little")
        return BigInt(number) if number <= _MAX_SAFE else number
    deserializer = DenoDeserializer(data)
    deserializer.read_header()
    return deserializer.read_value()


def _time(expiry: int) -> datetime.datetime | Date | None:
    if expiry < 0:
        return None
    try:
        return _EPOCH + datetime.timedelta(milliseconds=expiry)
    except OverflowError:
        return Date(float(expiry))


def read_deno_kv(path: str | os.PathLike[str]) -> DenoKvEntries:
    """Return an iterator over all entries of the database *path*, in the order of their keys.

    The database is not changed, and nothing is written beside it.

    Raises:
        DecodeError: *path* is no such database; or, while iterating, an entry is malformed: the message names
            its key, ``.offset`` counts in its value or key, and the iteration may go on with the next one.
        OSError: it cannot be read (FileNotFoundError, IsADirectoryError, PermissionError).
    """
    name = Path(path).absolute()
    # Asked, not tried: opening and closing it would drop the locks that SQLite may hold on it here.
    if name.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(name))
    name.stat()
    if not os.access(name, os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(name))
    return DenoKvEntries(str(name))

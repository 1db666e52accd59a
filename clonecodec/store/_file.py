"""The file of a store: how one is told from any other file, made, and checked.

An SQLite database in WAL mode, with

    application_id  0x436c6f6e ("Clon")
    user_version    1, the layout below
    meta            name, value: what wrote the values (wire format, its version)
    entries         key (UTF-8, lone surrogates too), size and CRC-32 of the encoded value, the value
    chunks          the encoded values of more than 1 MiB, whose entries have no value of their own

A file is looked at before it is opened: as SQLite's ``immutable``, which takes no lock, and writes
nothing and nowhere.  (Never with open() and close(), which would drop the locks that SQLite holds on that
file for other connections of this process.)
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import time
import zlib
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from pathlib import Path
from typing import Final

from clonecodec.store._errors import SQLITE_ERRORS, StoreDamagedError, StoreError, explained

APPLICATION_ID: Final = 0x436C6F6E
LAYOUT: Final = 1
WIRE_FORMAT: Final = "v8"
WIRE_VERSION: Final = 15  # what dumps writes
READABLE: Final = range(13, 17)  # what loads reads

CHECKED_WHOLE: Final = 4 << 20
"""A file up to this size is checked to the last value as it is opened: 20 ms at most."""

CHECKED_PAGES: Final = 64 << 20
"""... and up to this size its pages are, not what they hold: 60 ms.  ``check()`` does all, at any size."""

_SMALLEST_PAGE: Final = 512

SCHEMA: Final = {
    "meta": "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "entries": (
        "CREATE TABLE entries (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, "
        "size INTEGER NOT NULL, checksum INTEGER NOT NULL, value BLOB)"
    ),
    "chunks": (
        "CREATE TABLE chunks (id INTEGER PRIMARY KEY, entry INTEGER NOT NULL, number INTEGER NOT NULL, "
        "data BLOB NOT NULL, UNIQUE (entry, number))"
    ),
    "replaced": (
        "CREATE TRIGGER replaced AFTER UPDATE OF value ON entries WHEN old.value IS NULL "
        "BEGIN DELETE FROM chunks WHERE entry = old.id; END"
    ),
    "deleted": (
        "CREATE TRIGGER deleted AFTER DELETE ON entries WHEN old.value IS NULL "
        "BEGIN DELETE FROM chunks WHERE entry = old.id; END"
    ),
}


class Found(Enum):
    """What lies at a path."""

    NOTHING = auto()
    BLANK = auto()
    """An empty file, or an SQLite database without a single table: a store that was never finished, or one
    whose beginning still lies in its write-ahead log."""
    STORE = auto()


def uri(path: str, how: str) -> str:
    return f"{Path(path).as_uri()}?{how}"


def any_text(data: bytes) -> str:
    """What is not UTF-8 is damage, and to be told as such: it must not raise as it is read."""
    return data.decode("utf-8", "backslashreplace")


def examine(path: str) -> Found:
    """Say what lies at *path*, without a trace.

    Raises:
        StoreError: something that is not a store, is newer than this version, or is damaged.
        OSError: it cannot be looked at.
    """
    try:
        status = Path(path).stat()
    except FileNotFoundError:
        return Found.NOTHING
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(status.st_mode):
        raise StoreError("is not a regular file", path)
    if not os.access(path, os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    if status.st_size == 0:
        return Found.BLANK
    if status.st_size < _SMALLEST_PAGE:
        raise StoreError("is not a store", path)  # SQLite would take it for an empty file
    for _ in range(3):
        try:
            return _look(path, status)
        except StoreDamagedError:
            # What looks damaged may be a store that others are just writing to.
            again = Path(path).stat()
            if not _has_log(path) and (again.st_mtime_ns, again.st_size) == (
                status.st_mtime_ns,
                status.st_size,
            ):
                raise
            status = again
    return Found.STORE


def _look(path: str, status: os.stat_result) -> Found:
    try:
        connection = sqlite3.connect(uri(path, "mode=ro&immutable=1"), uri=True, isolation_level=None)
    except sqlite3.Error as error:
        raise explained(error, path) from error
    try:
        connection.text_factory = any_text
        connection.execute("PRAGMA trusted_schema = OFF")
        found = identify(connection, path)
        if found is Found.STORE and not _has_log(path):
            for problem in _problems_at_once(connection, status.st_size):
                raise StoreDamagedError(f"is damaged ({problem})", path)
        return found
    except SQLITE_ERRORS as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_NOTADB:
            raise StoreError("is not a store", path) from error
        raise explained(error, path) from error
    finally:
        connection.close()


def _problems_at_once(connection: sqlite3.Connection, size: int) -> Iterator[str]:
    if size <= CHECKED_WHOLE:
        yield from problems(connection)
    elif size <= CHECKED_PAGES:
        yield from _complaints(connection, "quick_check(1)")


def _has_log(path: str) -> bool:
    """Whether the file alone does not tell the whole truth, because others write or were killed."""
    return any(_size(path + suffix) for suffix in ("-wal", "-journal"))


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def identify(connection: sqlite3.Connection, path: str) -> Found:
    """What the database at the other end of *connection* is; StoreError if it is none of ours."""
    schema: list[tuple[str, str]] = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    ).fetchall()
    [(application,)] = connection.execute("PRAGMA application_id").fetchall()
    [(layout,)] = connection.execute("PRAGMA user_version").fetchall()
    if application == 0 and layout == 0 and not schema:
        return Found.BLANK
    if application != APPLICATION_ID:
        raise StoreError("is an SQLite database, but not a store", path)
    if layout > LAYOUT:
        raise StoreError(f"has layout {layout}, of a newer version; this one knows {LAYOUT}", path)
    if layout != LAYOUT or dict(schema) != SCHEMA:
        raise StoreDamagedError("is damaged (its tables are not those of a store)", path)
    meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    wire, version = meta.get("wire_format"), meta.get("wire_version")
    if wire != WIRE_FORMAT or version not in READABLE:
        raise StoreError(f"holds values in a format that this version cannot read ({wire} {version})", path)
    return Found.STORE


def create(connection: sqlite3.Connection, path: str, timeout: float, written_by: str) -> None:
    """Make the blank database a store, unless another process was faster.  All or nothing."""
    if path != ":memory:":
        _write_ahead(connection, timeout)
    connection.execute("BEGIN IMMEDIATE")
    try:
        if identify(connection, path) is Found.BLANK:
            for statement in SCHEMA.values():
                connection.execute(statement)
            connection.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [("wire_format", WIRE_FORMAT), ("wire_version", WIRE_VERSION), ("written_by", written_by)],
            )
            connection.execute(f"PRAGMA user_version = {LAYOUT}")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _write_ahead(connection: sqlite3.Connection, timeout: float) -> None:
    """Switch to WAL.  SQLite does not wait for others here, so we do."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def problems(connection: sqlite3.Connection) -> Iterator[str]:
    """All that is wrong in the store: pages, keys, lost chunks, values that are not as written."""
    yield from _complaints(connection, "integrity_check(20)")
    orphans = connection.execute(
        "SELECT count(*) FROM chunks WHERE entry NOT IN (SELECT id FROM entries WHERE value IS NULL)"
    ).fetchone()[0]
    if orphans:
        yield f"{orphans} chunks belong to no entry"
    for entry, key, size, checksum, value in connection.execute(
        "SELECT id, key, size, checksum, value FROM entries"
    ):
        if value is None:
            parts: Iterable[object] = (
                data
                for (data,) in connection.execute(
                    "SELECT data FROM chunks WHERE entry = ? ORDER BY number", (entry,)
                )
            )
        else:
            parts = (value,)
        if not _as_written(key, parts, size, checksum):
            name = key.decode("utf-8", "backslashreplace") if isinstance(key, bytes) else key
            yield f"the value of {name!r} is not what was written"


def _complaints(connection: sqlite3.Connection, pragma: str) -> Iterator[str]:
    for (line,) in connection.execute(f"PRAGMA {pragma}"):
        if line != "ok":
            yield " ".join(str(line).split())


def _as_written(key: object, parts: Iterable[object], size: object, checksum: object) -> bool:
    if not isinstance(key, bytes):
        return False
    total, seen = 0, zlib.crc32(key)
    for part in parts:
        if not isinstance(part, bytes):
            return False
        total += len(part)
        seen = zlib.crc32(part, seen)
    return (total, seen) == (size, checksum)

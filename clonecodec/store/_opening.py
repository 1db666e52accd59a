"""From a path and a mode to connections: what is refused, what is made, and how SQLite is set."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from typing import Final, Literal

from clonecodec.store import _file
from clonecodec.store._connections import Connections, refuse_out_of_bounds
from clonecodec.store._errors import SQLITE_ERRORS, StoreError, explained
from clonecodec.store._file import Found

Mode = Literal["r", "w", "c", "n"]

_JOURNAL_KEPT: Final = 16 << 20  # bytes of the write-ahead log that stay allocated after a big transaction


def opened(path: str, mode: Mode, durable: bool, timeout: float) -> Connections:
    """Connections to the store at *path* (absolute, or ``":memory:"``), which *mode* may have made."""

    def connect() -> sqlite3.Connection:
        refuse_out_of_bounds(path)
        raw = sqlite3.connect(
            _file.uri(path, _how(path, mode)),
            uri=True,
            timeout=timeout,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            raw.text_factory = _file.any_text
            raw.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            raw.execute(f"PRAGMA journal_size_limit = {_JOURNAL_KEPT}")
            raw.execute("PRAGMA trusted_schema = OFF")
            raw.execute("PRAGMA cell_size_check = ON")
            if mode == "r":
                raw.execute("PRAGMA query_only = ON")
        except BaseException:
            raw.close()
            raise
        return raw

    if path == ":memory:":
        connections = Connections(path, _connect_to_memory, one=True)
        _create(connections, timeout)
        return connections
    found = _prepare(path, mode)
    connections = Connections(path, connect)
    try:
        if found is not Found.STORE and mode in ("c", "n"):
            _create(connections, timeout)
        _require_store(connections)
    except BaseException:
        connections.close(timeout)
        raise
    return connections


def _connect_to_memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def _prepare(path: str, mode: Mode) -> Found:
    """Refuse what cannot be opened with *mode*, without touching it; make an empty file if there is none."""
    found = _file.examine(path)
    if found is Found.NOTHING:
        directory = Path(path).parent
        if mode in ("r", "w"):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if not directory.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(directory))
        try:
            # Exclusively: what has appeared there in the meantime may be anything.
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666))
        except FileExistsError:
            found = _file.examine(path)
    elif mode != "r" and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    return found


def _how(path: str, mode: Mode) -> str:
    """The way to open the file: to read it as well, one who may write can leave no traces behind."""
    if mode != "r" or (os.access(path, os.W_OK) and os.access(Path(path).parent, os.W_OK)):
        return "mode=rw"
    if any(Path(path + suffix).exists() for suffix in ("-wal", "-journal")):
        return "mode=ro"
    return "mode=ro&immutable=1"


def _create(connections: Connections, timeout: float) -> None:
    with connections.mine() as connection:
        assert connection.raw is not None
        try:
            _file.create(connection.raw, connections.path, timeout, _written_by())
        except SQLITE_ERRORS as error:
            raise explained(error, connections.path) from error


def _require_store(connections: Connections) -> None:
    """Look again, now at what SQLite shows once it has read the write-ahead log."""
    with connections.mine() as connection:
        assert connection.raw is not None
        try:
            found = _file.identify(connection.raw, connections.path)
        except SQLITE_ERRORS as error:
            raise explained(error, connections.path) from error
    if found is not Found.STORE:
        raise StoreError("is empty, not a store", connections.path)


def _written_by() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"clonecodec {version('clonecodec')}"
    except PackageNotFoundError:
        return "clonecodec"

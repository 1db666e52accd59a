"""What can go wrong with the file of a store, as opposed to the values in it.

CloneError
└── StoreError             the file is not a store that can be used this way    .reason .path
    ├── StoreDamagedError  ... because it is not as it was written
    └── StoreBusyError     ... not now: others held it for longer than the timeout

The operating system's own refusals keep their own names (FileNotFoundError, PermissionError,
IsADirectoryError), and the values have theirs (DataCloneError, DecodeError).
"""

from __future__ import annotations

import sqlite3

from clonecodec.errors import CloneError


class StoreError(CloneError):
    """The file is not a store that can be used this way.

    Attributes:
        reason: what is wrong, without the file's name.
        path: the file, or ``":memory:"``.

    >>> print(StoreError("is not a store", "/tmp/notes.txt"))
    /tmp/notes.txt: is not a store
    """

    def __init__(self, reason: str, path: str) -> None:
        super().__init__(reason, path)
        self.reason = reason
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class StoreDamagedError(StoreError):
    """The file was a store, and something has overwritten or cut it."""


class StoreBusyError(StoreError):
    """Another thread or process held the store for longer than the timeout; nothing was changed."""


SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What sqlite3 raises: the second when SQLite's message quotes a name in a damaged schema."""

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def explained(error: Exception, path: str) -> StoreError:
    """What SQLite's *error* means for the store at *path*."""
    if isinstance(error, UnicodeDecodeError):
        return StoreDamagedError("is damaged (a name in its schema is not UTF-8)", path)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _BUSY:
        return StoreBusyError("is held by another thread or process", path)
    if code in _DAMAGED:
        return StoreDamagedError(f"is damaged ({error})", path)
    return StoreError(str(error), path)

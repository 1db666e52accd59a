"""``Store``: a mapping that lies in a file.

Everything that changes the file is one transaction of SQLite: a single statement where that is enough,
BEGIN IMMEDIATE otherwise, so that who waits for the lock waits before reading anything.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, get_args

from clonecodec import loads
from clonecodec.store import _file, _ranges, _values
from clonecodec.store._connections import Connection, Connections
from clonecodec.store._errors import SQLITE_ERRORS, StoreDamagedError, StoreError
from clonecodec.store._opening import Mode, opened
from clonecodec.store._ranges import EVERYTHING, Range, StoreItems, StoreKeys, StoreValues

_NOTHING: Final[Any] = object()


class Store(MutableMapping[str, Any]):
    """A mapping of str to anything that ``dumps`` writes, in a file; made by ``clonecodec.store.open``.

    What it returns is a copy: changing it changes nothing in the store until it is assigned again.
    Usable from any number of threads and processes at once.

    Every method may raise ``StoreError`` (``StoreBusyError`` after waiting for *timeout* seconds,
    ``StoreDamagedError`` for what is not as it was written), ``ValueError`` after ``close()``, and
    ``TypeError`` for a key that is not a str.

    Attributes:
        path: the file, absolute, or ``":memory:"``.
        mode: as given to ``open``.
    """

    def __init__(self, connections: Connections, mode: Mode, durable: bool, timeout: float) -> None:
        self.path: Final = connections.path
        self.mode: Final = mode
        self._connections = connections
        self._durable = durable
        self._timeout = timeout

    # Opening and closing

    def close(self) -> None:
        """Close the file; a second call does nothing.

        Raises:
            StoreError: inside a transaction of this thread's own.
            StoreBusyError: another thread is in a transaction for longer than *timeout*.
        """
        self._connections.close(self._timeout)

    @property
    def closed(self) -> bool:
        return self._connections.closed

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Callable[..., Store], tuple[object, ...]]:
        """A store travels as its path: another process opens the same file."""
        if self.path == ":memory:":
            raise TypeError("a store in memory cannot be sent to another process")
        mode = "r" if self.mode == "r" else "w"
        return partial(open, durable=self._durable, timeout=self._timeout), (self.path, mode)

    def __repr__(self) -> str:
        return f"<Store {self.path!r}, {'closed' if self.closed else f'mode {self.mode!r}'}>"

    # Transactions

    @contextmanager
    def transaction(self) -> Iterator[Store]:
        """Make all that happens in the ``with`` block happen at once, or not at all.

        The block has the store to itself: other writers wait, other readers see the state before it.
        An exception that leaves the block undoes it.  Blocks may be nested; an inner one that fails undoes
        its own part.  The block belongs to its thread (in asyncio, do not ``await`` in it).  With mode "r"
        the block sees one unchanging state.

        >>> with open(":memory:") as store, store.transaction():
        ...     store["from"] = store.get("from", 0) - 1
        ...     store["to"] = store.get("to", 0) + 1
        """
        with self._connections.mine() as connection:
            begin, commit, undo = _statements(connection.depth, "" if self.mode == "r" else "IMMEDIATE")
            connection.rows(begin)
            connection.enter()
            try:
                yield self
                with connection:  # raises if SQLite has rolled back by itself
                    connection.rows(commit)
            except BaseException:
                raw = connection.raw
                if raw is not None and raw.in_transaction and not connection.lost:
                    for statement in undo:
                        connection.rows(statement)
                raise
            finally:
                connection.leave()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction of one method's own, or the one that is already there."""
        self._require_writable()
        connection = self._connections.mine()
        if connection.depth:
            with connection:
                yield connection
            return
        with self.transaction():
            yield connection

    def _require_writable(self) -> None:
        if self.mode == "r" and not self.closed:
            raise StoreError("is open for reading only", self.path)

    # The mapping

    def __getitem__(self, key: str) -> Any:
        data = self._read(_values.encoded_key(key))
        if data is None:
            raise KeyError(key)
        return loads(data)

    def get(self, key: str, default: Any = None) -> Any:
        data = self._read(_values.encoded_key(key))
        return default if data is None else loads(data)

    def _read(self, key: bytes) -> bytes | None:
        with self._connections.mine() as connection:
            return _values.read(connection, key, self.path)

    def __setitem__(self, key: str, value: object) -> None:
        self._require_writable()
        name = _values.encoded_key(key)
        data, checksum = _values.encoded(name, value)
        if _values.is_small(data):
            with self._connections.mine() as connection:
                _values.write(connection, name, data, checksum)
        else:
            with self._writing() as connection:
                _values.write(connection, name, data, checksum)

    def __delitem__(self, key: str) -> None:
        self._require_writable()
        name = _values.encoded_key(key)
        with self._connections.mine() as connection:
            if not _values.remove(connection, name):
                raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        name = _values.encoded_key(key)
        with self._connections.mine() as connection:
            return bool(connection.rows("SELECT 1 FROM entries WHERE key = ?", (name,)))

    def __len__(self) -> int:
        return _ranges.count(self._connections, EVERYTHING)

    def __iter__(self) -> Iterator[str]:
        return _ranges.names(self._connections, EVERYTHING)

    def __reversed__(self) -> Iterator[str]:
        return _ranges.names(self._connections, EVERYTHING, backwards=True)

    def keys(
        self, *, prefix: str | None = None, start: str | None = None, end: str | None = None
    ) -> StoreKeys:
        """The keys in order; with arguments those that begin with *prefix*, from *start* on, before *end*.

        >>> with open(":memory:") as store:
        ...     store.update({"user:ann": 1, "user:bob": 2, "zoo": 3})
        ...     list(store.keys(prefix="user:")), list(store.keys(start="user:b"))
        (['user:ann', 'user:bob'], ['user:bob', 'zoo'])
        """
        return StoreKeys(self, self._connections, Range.of(prefix, start, end))

    def values(
        self, *, prefix: str | None = None, start: str | None = None, end: str | None = None
    ) -> StoreValues:
        """The values, in the order of their keys; arguments as for ``keys``."""
        return StoreValues(self, self._connections, Range.of(prefix, start, end))

    def items(
        self, *, prefix: str | None = None, start: str | None = None, end: str | None = None
    ) -> StoreItems:
        """The (key, value) pairs, in the order of the keys; arguments as for ``keys``."""
        return StoreItems(self, self._connections, Range.of(prefix, start, end))

    def pop(self, key: str, default: Any = _NOTHING) -> Any:
        """Remove *key* and return its value, in one step: of two that try, one gets it."""
        name = _values.encoded_key(key)
        with self._writing() as connection:
            data = _values.read(connection, name, self.path)
            if data is not None:
                _values.remove(connection, name)
        if data is None:
            if default is _NOTHING:
                raise KeyError(key)
            return default
        return loads(data)

    def popitem(self) -> tuple[str, Any]:
        """Remove the first key and return it with its value, in one step; KeyError if the store is empty."""
        with self._writing():
            for key in self:
                return key, self.pop(key)
        raise KeyError("popitem(): the store is empty")

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of *key*, which is *default* from now on if there was none, in one step."""
        with self._writing():
            found = self.get(key, _NOTHING)
            if found is not _NOTHING:
                return found
            self[key] = default
            return default

    def update(self, *others: Any, **more: Any) -> None:
        """Set all the keys of a mapping or of (key, value) pairs, and of *more*: all of them or none."""
        if len(others) > 1:
            raise TypeError(f"update() takes at most one positional argument, not {len(others)}")
        pairs: Iterable[tuple[str, Any]] = ()
        if others:
            other = others[0]
            if isinstance(other, Mapping):
                pairs = other.items()
            elif hasattr(other, "keys"):
                pairs = ((key, other[key]) for key in other.keys())  # noqa: SIM118  (it need not be iterable)
            else:
                pairs = other
        with self._writing():
            for key, value in pairs:
                self[key] = value
            for key, value in more.items():
                self[key] = value

    def clear(self) -> None:
        """Remove all keys, at once."""
        with self._writing() as connection:
            connection.rows("DELETE FROM entries")

    # Care

    def info(self) -> dict[str, object]:
        """What the file says of itself: ``wire_format``, ``wire_version``, ``written_by``, ``layout``."""
        with self._connections.mine() as connection:
            found = {str(name): value for name, value in connection.rows("SELECT name, value FROM meta")}
            [(found["layout"],)] = connection.rows("PRAGMA user_version")
        return found

    def sync(self) -> None:
        """Force all that was committed to the disk (as ``durable=True`` does at every commit)."""
        if self.mode != "r":
            with self._connections.mine() as connection:
                if not connection.depth:
                    connection.rows("PRAGMA wal_checkpoint(FULL)")

    def compact(self) -> None:
        """Give the space of deleted values back to the file system.

        Takes a while and, for that while, as much space again; others wait.

        Raises:
            StoreError: inside a transaction, or open for reading only.
        """
        self._require_writable()
        with self._connections.mine() as connection:
            if connection.depth:
                raise StoreError("cannot be compacted inside a transaction", self.path)
            connection.rows("VACUUM")
            if self.path != ":memory:":
                connection.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def check(self) -> None:
        """Read the whole file, and raise ``StoreDamagedError`` unless all is as it was written.

        The pages, the order of the keys, and the checksum of every value.  The first twenty faults are in
        the message.
        """
        with self._connections.mine() as connection:
            assert connection.raw is not None
            found: list[str] = []
            try:
                for problem in _file.problems(connection.raw):
                    found.append(problem)
                    if len(found) == 20:
                        break
            except SQLITE_ERRORS as error:
                found.append(str(error))
        if found:
            raise StoreDamagedError(f"is damaged ({'; '.join(found)})", self.path)


def _statements(depth: int, kind: str) -> tuple[str, str, tuple[str, ...]]:
    """How a transaction inside *depth* others is begun, committed and undone."""
    if depth == 0:
        return f"BEGIN {kind}", "COMMIT", ("ROLLBACK",)
    name = f"inner{depth}"
    return f"SAVEPOINT {name}", f"RELEASE {name}", (f"ROLLBACK TO {name}", f"RELEASE {name}")


def open(
    path: str | os.PathLike[str], mode: Mode = "c", *, durable: bool = True, timeout: float = 60.0
) -> Store:
    """Open the store in the file *path*, as ``shelve.open`` opens a shelf.

    Args:
        path: a file, or ``":memory:"`` for a store that lives as long as the object.
        mode: "r" an existing one for reading only, "w" an existing one, "c" an existing or a new one, "n" an
            empty one: an existing store is emptied (anything else at *path* is refused).
        durable: whether a commit returns only when the disk has it.  Without that commits are several
            times faster; a process that is killed still loses nothing, but a power failure may take the
            last commits with it.
        timeout: seconds to wait for other threads and processes.

    Returns:
        The store; close it, or use it in ``with``.

    Raises:
        StoreError: *path* is something else, was written by a newer version, or is damaged.  The file is
            untouched, and nothing is left beside it.
        OSError: FileNotFoundError (modes "r" and "w", or no such directory), PermissionError,
            IsADirectoryError.
        ValueError: no such mode.

    >>> with open(":memory:") as store:
    ...     store["answer"] = {"value": 42}
    ...     store["answer"]
    {'value': 42}
    """
    if mode not in get_args(Mode):
        raise ValueError(f"mode is 'r', 'w', 'c' or 'n', not {mode!r}")
    name = os.fspath(path)
    if not isinstance(name, str):
        raise TypeError(f"a store's path is str, not {type(name).__name__}")
    if name != ":memory:":
        name = str(Path(name).absolute())
    elif mode in ("r", "w"):
        raise ValueError("a store in memory is always new: mode is 'c' or 'n'")
    connections = opened(name, mode, durable, timeout)
    store = Store(connections, mode, durable, timeout)
    if mode == "n":
        store.clear()
    return store

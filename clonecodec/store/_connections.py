"""Who talks to SQLite: one connection for each thread, none across a fork.

A connection belongs to the thread that first needed it, and is used under its own lock, which nobody
contends for except ``close`` and a fork.

Forking.  SQLite's locks on a file are the process's, and a child inherits the belief that it holds them
but not the locks.  A child that used any connection on that file, even a new one, could lose what others
commit.  So there is none to inherit: before a fork every idle connection is closed, and both sides open
anew when they next need one.  The one that cannot be closed is the one inside a transaction: the parent
goes on with it, and in the child that file is out of bounds.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Generator
from pathlib import Path
from types import TracebackType
from typing import Final

from clonecodec.store._errors import SQLITE_ERRORS, StoreBusyError, StoreError, explained

FORK_PATIENCE: Final = 10.0  # seconds that a fork waits for other threads' transactions to end

Row = tuple[object, ...]


class Target:
    """What all connections of a store lead to."""

    def __init__(self, path: str, connect: Callable[[], sqlite3.Connection]) -> None:
        self.path: Final = path
        self.connect: Final = connect
        self.closed = False


class Connection:
    """One thread's connection; a context manager that holds its lock and is ready to be asked."""

    def __init__(self, target: Target) -> None:
        self.target: Final = target
        self.lock = threading.RLock()
        self.raw: sqlite3.Connection | None = None
        self.lost = False
        """Inherited from a parent that was inside a transaction: never to be touched."""
        self.depth = 0
        """How many ``transaction()`` blocks are open; changed by ``enter`` and ``leave``."""

    def __enter__(self) -> Connection:
        if _fork_pending:
            _give_way()
        self.lock.acquire()
        try:
            self._make_ready()
        except BaseException:
            self.lock.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.lock.release()

    def _make_ready(self) -> None:
        if self.target.closed:
            raise ValueError("the store is closed")
        if self.lost:
            raise StoreError("this process was forked inside a transaction of it", self.target.path)
        if self.raw is None:
            try:
                self.raw = self.target.connect()
            except SQLITE_ERRORS as error:
                raise explained(error, self.target.path) from error
        elif self.depth and not self.raw.in_transaction:
            raise StoreError("the transaction was rolled back after an error", self.target.path)

    def enter(self) -> None:
        """Count a transaction in."""
        self.depth += 1
        _thread.transactions = getattr(_thread, "transactions", 0) + 1

    def leave(self) -> None:
        """Count a transaction out."""
        self.depth -= 1
        _thread.transactions -= 1

    def rows(self, sql: str, parameters: Row = ()) -> list[Row]:
        """Run *sql* to its end, and return all that it answers."""
        assert self.raw is not None
        try:
            return self.raw.execute(sql, parameters).fetchall()
        except SQLITE_ERRORS as error:
            raise explained(error, self.target.path) from error

    def each(self, sql: str, parameters: Row = ()) -> Generator[Row, None, None]:
        """Run *sql* and hand out what it answers row by row; close the iterator to stop early."""
        assert self.raw is not None
        cursor = self.raw.cursor()
        try:
            yield from cursor.execute(sql, parameters)
        except SQLITE_ERRORS as error:
            raise explained(error, self.target.path) from error
        finally:
            cursor.close()

    def close(self) -> None:
        """Close SQLite's connection; it is opened anew when it is needed again."""
        raw, self.raw = self.raw, None
        if raw is not None:
            raw.close()

    def __del__(self) -> None:
        # A thread that ends drops its connection.
        if not self.lost:
            self.close()


class Connections:
    """The connections of one store."""

    def __init__(self, path: str, connect: Callable[[], sqlite3.Connection], *, one: bool = False) -> None:
        """*one* connection for all threads, kept across forks: a store in memory."""
        self.path: Final = path
        self._target = Target(path, connect)  # (not self: who refers to whom would be a circle)
        self._local = threading.local()
        self._all: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._one = self._new() if one else None
        with _gate:
            _pools.add(self)

    @property
    def closed(self) -> bool:
        return self._target.closed

    @property
    def in_memory(self) -> bool:
        return self._one is not None

    def mine(self) -> Connection:
        """This thread's connection, opened only when it is entered."""
        if self._one is not None:
            return self._one
        try:
            found: Connection = self._local.connection
        except AttributeError:
            with _gate:
                found = self._local.connection = self._new()
        return found

    def _new(self) -> Connection:
        connection = Connection(self._target)
        self._all.add(connection)
        return connection

    def everyone(self) -> list[Connection]:
        return list(self._all)

    def close(self, timeout: float) -> None:
        """Close all; waits *timeout* seconds for each that another thread uses."""
        if self.closed:
            return
        if self.mine().depth:
            raise StoreError("cannot be closed inside its own transaction", self.path)
        taken: list[Connection] = []
        try:
            for connection in self.everyone():
                if not connection.lock.acquire(timeout=timeout):
                    raise StoreBusyError("another thread is in a transaction", self.path)
                taken.append(connection)
            self._target.closed = True
            for connection in taken:
                if not connection.lost:
                    connection.close()
        finally:
            for connection in taken:
                connection.lock.release()
        with _gate:
            _pools.discard(self)


# Forks.  While one is under way the gate is shut: nobody gets a new connection, and nobody begins anything
# with the one that he has, so that the fork has only to wait for what has begun.

_gate = threading.RLock()
_fork_pending = False
_thread = threading.local()
"""``.transactions``: how many are open in this thread, of whatever store."""
_pools: weakref.WeakSet[Connections] = weakref.WeakSet()
_held: list[Connection] = []
_in_use: list[Connection] = []
_out_of_bounds: set[tuple[int, int]] = set()
"""Files (device, inode) that a parent was in a transaction of when it forked this process."""


def refuse_out_of_bounds(path: str) -> None:
    """Raise StoreError if SQLite's locks on *path* are not to be trusted in this process."""
    if _out_of_bounds:
        status = Path(path).stat()
        if (status.st_dev, status.st_ino) in _out_of_bounds:
            raise StoreError("this process was forked inside a transaction of it", path)


def _give_way() -> None:
    """Let the fork go first, unless it waits for this thread's own transaction."""
    if not getattr(_thread, "transactions", 0):
        with _gate:
            pass


def _before_fork() -> None:
    global _fork_pending  # noqa: PLW0603  (a process has one fork at a time)
    _gate.acquire()
    _fork_pending = True
    deadline = time.monotonic() + FORK_PATIENCE
    for pool in list(_pools):
        for connection in pool.everyone():
            if not connection.lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
                _in_use.append(connection)
                continue
            _held.append(connection)
            if pool.in_memory:
                continue  # the child has a copy of its own
            if connection.depth:
                _in_use.append(connection)
            else:
                connection.close()


def _after_fork_in_parent() -> None:
    global _fork_pending  # noqa: PLW0603
    while _held:
        _held.pop().lock.release()
    _in_use.clear()
    _fork_pending = False
    _gate.release()


def _after_fork_in_child() -> None:
    while _in_use:
        _abandon(_in_use.pop())
    _after_fork_in_parent()


def _abandon(connection: Connection) -> None:
    """Never touch *connection* again, not even to close it: closing would undo what the parent is writing."""
    import ctypes

    connection.lost = True
    if connection not in _held:
        connection.lock = threading.RLock()  # its owner does not exist here
    if connection.raw is not None:
        # One reference too many: no garbage collector and no exit closes it.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection.raw))
    try:
        status = Path(connection.target.path).stat()
    except OSError:
        return
    _out_of_bounds.add((status.st_dev, status.st_ino))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child
    )

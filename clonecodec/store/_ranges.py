"""A run of neighbouring keys, and the live views of it that ``keys()``, ``values()`` and ``items()`` return.

Keys are in the order of ``str``, which is the order of their bytes in the file.  An iteration reads some
hundred entries at a time and holds nothing in between, so the store may be changed by anybody while it
goes on: no key comes twice, and one that was there all the time is not missed.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, cast

from clonecodec import loads
from clonecodec.store import _values
from clonecodec.store._connections import Connections
from clonecodec.store._errors import StoreDamagedError
from clonecodec.store._values import encoded_key

BATCH: Final = 500  # keys read at a time
BATCH_BYTES: Final = 1 << 20  # encoded values read at a time

_AFTER_ALL: Final = b"\xff"  # no UTF-8 begins with it


@dataclass(frozen=True)
class Range:
    """Keys from *low* up to, not including, *high*, as they lie in the file."""

    low: bytes = b""
    high: bytes = _AFTER_ALL

    @classmethod
    def of(cls, prefix: str | None, start: str | None, end: str | None) -> Range:
        """The keys that begin with *prefix*, from *start* on, and before *end*."""
        low, high = b"", _AFTER_ALL
        if prefix is not None:
            low = encoded_key(prefix)
            high = low + _AFTER_ALL
        if start is not None:
            low = max(low, encoded_key(start))
        if end is not None:
            high = min(high, encoded_key(end))
        return cls(low, high)

    def __contains__(self, key: bytes) -> bool:
        return self.low <= key < self.high


EVERYTHING: Final = Range()


def count(connections: Connections, keys: Range) -> int:
    """How many entries there are in *keys*."""
    with connections.mine() as connection:
        [(found,)] = connection.rows(
            "SELECT count(*) FROM entries WHERE key >= ? AND key < ?", (keys.low, keys.high)
        )
    return cast(int, found)


def names(connections: Connections, keys: Range, *, backwards: bool = False) -> Iterator[str]:
    """The keys of the entries in *keys*, in order."""
    sql = f"SELECT key FROM entries WHERE key >= ? AND key < ? {_ORDER[backwards]} LIMIT {BATCH}"
    while True:
        with connections.mine() as connection:
            batch = connection.rows(sql, (keys.low, keys.high))
        for (name,) in batch:
            yield _values.decoded_key(name, connections.path)
        if len(batch) < BATCH:
            return
        keys = _rest(keys, cast(bytes, batch[-1][0]), backwards)


def pairs(connections: Connections, keys: Range, *, backwards: bool = False) -> Iterator[tuple[str, Any]]:
    """The keys and values of the entries in *keys*, in order."""
    while batch := _batch(connections, keys, backwards):
        name = b""
        for name, data in batch:
            if data is None:
                with connections.mine() as connection:
                    data = _values.read(connection, name, connections.path)
            if data is not None:  # None: a long value that was deleted just now
                yield _values.decoded_key(name, connections.path), loads(data)
        keys = _rest(keys, name, backwards)


def _batch(connections: Connections, keys: Range, backwards: bool) -> list[tuple[bytes, bytes | None]]:
    """The next entries with their encoded values, None for those that lie in chunks."""
    sql = (
        "SELECT key, size, checksum, value FROM entries WHERE key >= ? AND key < ? "
        f"{_ORDER[backwards]} LIMIT {BATCH}"
    )
    batch: list[tuple[bytes, bytes | None]] = []
    read = 0
    with connections.mine() as connection, closing(connection.each(sql, (keys.low, keys.high))) as rows:
        for name, size, checksum, value in rows:
            if not isinstance(name, bytes):
                raise StoreDamagedError("is damaged (a key is not bytes)", connections.path)
            data = None if value is None else _values.checked(name, value, size, checksum, connections.path)
            batch.append((name, data))
            read += 0 if data is None else len(data)
            if read > BATCH_BYTES:
                break
    return batch


_ORDER: Final = {False: "ORDER BY key", True: "ORDER BY key DESC"}


def _rest(keys: Range, last: bytes, backwards: bool) -> Range:
    """What of *keys* comes after *last*."""
    return Range(keys.low, last) if backwards else Range(last + b"\0", keys.high)


class StoreKeys(KeysView[str]):
    """The keys of a range; live."""

    __slots__ = ("_connections", "_range", "_store")

    def __init__(self, store: Mapping[str, Any], connections: Connections, keys: Range) -> None:
        super().__init__(store)
        self._store = store
        self._connections = connections
        self._range = keys

    def __len__(self) -> int:
        return count(self._connections, self._range)

    def __contains__(self, key: object) -> bool:
        return encoded_key(key) in self._range and key in self._store

    def __iter__(self) -> Iterator[str]:
        return names(self._connections, self._range)

    def __reversed__(self) -> Iterator[str]:
        return names(self._connections, self._range, backwards=True)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._store!r}>"


class StoreValues(ValuesView[Any]):
    """The values of a range, in the order of their keys; live, and each read when its turn comes."""

    __slots__ = ("_connections", "_range", "_store")

    def __init__(self, store: Mapping[str, Any], connections: Connections, keys: Range) -> None:
        super().__init__(store)
        self._store = store
        self._connections = connections
        self._range = keys

    def __len__(self) -> int:
        return count(self._connections, self._range)

    def __contains__(self, value: object) -> bool:
        return any(found is value or found == value for found in self)

    def __iter__(self) -> Iterator[Any]:
        return (value for _, value in pairs(self._connections, self._range))

    def __reversed__(self) -> Iterator[Any]:
        return (value for _, value in pairs(self._connections, self._range, backwards=True))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._store!r}>"


class StoreItems(ItemsView[str, Any]):
    """The (key, value) pairs of a range, in the order of their keys; live."""

    __slots__ = ("_connections", "_range", "_store")

    def __init__(self, store: Mapping[str, Any], connections: Connections, keys: Range) -> None:
        super().__init__(store)
        self._store = store
        self._connections = connections
        self._range = keys

    def __len__(self) -> int:
        return count(self._connections, self._range)

    def __contains__(self, item: object) -> bool:
        if not isinstance(item, tuple) or len(item) != 2 or encoded_key(item[0]) not in self._range:
            return False
        try:
            found = self._store[item[0]]
        except KeyError:
            return False
        return found is item[1] or bool(found == item[1])

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return pairs(self._connections, self._range)

    def __reversed__(self) -> Iterator[tuple[str, Any]]:
        return pairs(self._connections, self._range, backwards=True)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._store!r}>"

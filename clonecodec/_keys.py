"""Keys of Maps and members of sets: which of them Python may take as they are.

JavaScript tells keys apart that Python merges (1 and True, two equal Dates) and takes keys that Python cannot
hash (an array).  Such a key, and only such a one, is wrapped in ``ByIdentity``.  Hashing is bounded, since
the keys are the sender's:

    a tuple or frozenset is hashed up to 100 items and 16 levels in all (shared ones cost 2**depth)
    past 100 keys of one hash in one container, further ones are wrapped (Python's int and tuple hashes are
    no secret, so anybody can make thousands that collide)

Text and bytes have secret hashes and are never counted.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Final

from .values import MAX_SAFE_INTEGER, BigInt, ByIdentity

MAX_KEY_ITEMS: Final = 100
MAX_KEY_LEVELS: Final = 16
MAX_SAME_HASH: Final = 100

HASH_MODULUS: Final = 2**61 - 1  # sys.hash_info.modulus, on 64-bit machines
"""Ints below it have hashes of their own."""

_SIMPLE: Final = frozenset({str, bytes, type(None), bool})


class Keys:
    """The keys of one container, as they are admitted.

    Args:
        container: the Map or set that the caller puts the admitted keys in.
    """

    __slots__ = ("_canonical", "_container", "_hashes", "_wrapped")

    def __init__(self, container: Collection[object]) -> None:
        self._container = container
        self._canonical: dict[object, object] | None = None
        self._hashes: dict[int, int] | None = None
        self._wrapped: dict[object, ByIdentity] | None = None

    def admit(self, key: object) -> object:
        """Return what to put into the container for *key*: itself, an equal key there already, or a
        wrapper."""
        kind = type(key)
        if kind is str:
            return key
        if kind is float:
            if key != key:
                key = math.nan  # the one object, since it equals nothing else
            elif not key:
                key = 0.0  # Map and Set know no -0
        if not hashable(key):
            return self._wrap(key)
        if key in self._container:
            other = self._equal(key)
            return other if _token(other) == _token(key) else self._wrap(key)
        if kind in _SIMPLE or kind is float or (isinstance(key, int) and -HASH_MODULUS < key < HASH_MODULUS):
            pass
        elif self._crowded(hash(key)):
            return self._wrap(key)
        if self._canonical is not None:
            self._canonical[key] = key
        return key

    def _equal(self, key: object) -> object:
        """The key in the container that Python takes for *key*."""
        if self._canonical is None:
            self._canonical = {key: key for key in self._container}
        return self._canonical[key]

    def _crowded(self, value: int) -> bool:
        """Whether enough keys have the hash *value*; if not, this is one more."""
        if self._hashes is None:
            self._hashes = {}
        count = self._hashes.get(value, 0)
        if count >= MAX_SAME_HASH:
            return True
        self._hashes[value] = count + 1
        return False

    def _wrap(self, key: object) -> ByIdentity:
        if self._wrapped is None:
            self._wrapped = {}
        token = _token(key)
        wrapper = self._wrapped.get(token)
        if wrapper is None:
            wrapper = self._wrapped[token] = ByIdentity(key)
            if self._canonical is not None:
                self._canonical[wrapper] = wrapper
        return wrapper


def hashable(key: object) -> bool:
    """Whether *key* can be hashed and compared, and at a bounded cost."""
    if type(key) in (tuple, frozenset) and not _small(key):
        return False
    try:
        hash(key)
    except (TypeError, ValueError):  # a list; a memoryview that can be written to
        return False
    return True


def _small(key: object) -> bool:
    levels: list[object] = [key]
    items = 0
    for _ in range(MAX_KEY_LEVELS):
        inner: list[object] = []
        for container in levels:
            assert isinstance(container, (tuple, frozenset))
            items += len(container)
            if items > MAX_KEY_ITEMS:
                return False
            inner += [item for item in container if type(item) in (tuple, frozenset)]
        if not inner:
            return True
        levels = inner
    return False


def _token(key: object) -> object:
    """What two keys have in common if and only if they are one to JavaScript (SameValueZero)."""
    if isinstance(key, (str, bool)) or key is None:
        return type(key), key
    if isinstance(key, float) or (
        isinstance(key, int) and not isinstance(key, BigInt) and abs(key) <= MAX_SAFE_INTEGER
    ):
        return "number", "nan" if key != key else key
    if isinstance(key, int):
        return "bigint", hex(key)  # as text, whose hash nobody can choose
    return "object", id(key)

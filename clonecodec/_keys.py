"""Keys of Maps and members of sets: which of them Python may take as they are.

JavaScript tells keys apart that Python merges (1 and True, two equal Dates) and takes keys that Python cannot
hash (an array).  Such a key, and only such a one, is wrapped in ``ByIdentity``.  Hashing is bounded, since
the keys are the sender's:

    a tuple or frozenset is hashed up to 100 items and 16 levels in all (shared ones cost 2**depth); an int
    counts as one more for every 1024 bits, since its hash is not kept, also in a Boxed
    two memoryviews are not compared: those of one hash are taken for equal
    past 100 keys of one hash in one container, further ones are wrapped (Python's int and tuple hashes are
    no secret, so anybody can make thousands that collide)

Text and bytes have secret hashes and are never counted.
"""

from __future__ import annotations

import math

from ._properties import has_surrogates
from .errors import DataCloneError
from .values import MAX_SAFE_INTEGER, BigInt, Boxed, ByIdentity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Final

MAX_KEY_ITEMS: Final = 100
MAX_KEY_LEVELS: Final = 16
MAX_SAME_HASH: Final = 100
BITS_AN_ITEM: Final = 1024
BYTES_AN_ITEM: Final = 64  # of a memoryview, which is compared byte by byte

HASH_MODULUS: Final = 2**61 - 1  # sys.hash_info.modulus, on 64-bit machines
"""Ints below it have hashes of their own."""

_HEAVY: Final = frozenset({int, BigInt, Boxed, memoryview})
_SIMPLE: Final = frozenset({str, bytes, type(None), bool})


class Keys:
    """The keys of one container, as they are admitted.

    Args:
        container: the Map or set that the caller puts the admitted keys in.
    """

    __slots__ = ("_canonical", "_container", "_hashes", "_views", "_wrapped")

    def __init__(self, container: Collection[object]) -> None:
        self._container = container
        self._canonical: dict[object, object] | None = None
        self._hashes: dict[int, int] | None = None
        self._views: dict[int, memoryview] | None = None
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
        if not hashable(key) or (isinstance(key, memoryview) and self._known(key)):
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

    def _known(self, view: memoryview) -> bool:
        """Whether another memoryview has the hash of *view*."""
        if self._views is None:
            self._views = {}
        return self._views.setdefault(hash(view), view) is not view

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
    if type(key) in (tuple, frozenset):
        if not _small(key):
            return False
    elif type(key) is Boxed and _weight(key) > MAX_KEY_ITEMS:
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
            if items <= MAX_KEY_ITEMS and not _HEAVY.isdisjoint(map(type, container)):
                items += sum(map(_weight, container))
            if items > MAX_KEY_ITEMS:
                return False
            inner += [item for item in container if type(item) in (tuple, frozenset)]
        if not inner:
            return True
        levels = inner
    return False


def _weight(item: object) -> int:
    """For how many further items hashing or comparing *item* counts."""
    if isinstance(item, Boxed):
        item = item.value
    if isinstance(item, int):
        return item.bit_length() // BITS_AN_ITEM
    return item.nbytes // BYTES_AN_ITEM if isinstance(item, memoryview) else 0


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


def check_keys(keys: Iterable[object]) -> None:
    """Raise DataCloneError if two keys of a Map, which Python keeps apart, are one to JavaScript.

    A NaN equals no other here, surrogates that lie apart meet when they are bytes, and a ByIdentity may hold
    what is a key already.
    """
    if not any(map(_doubtful, keys)):
        return
    seen: set[object] = set()
    for key in keys:
        value = key.value if type(key) is ByIdentity else key
        if isinstance(value, str):
            token: object = str, str.encode(value, "utf-16-le", "surrogatepass")
        else:
            token = _token(value)
        if token in seen:
            raise DataCloneError(f"two keys would become one, a {type(value).__name__}")
        seen.add(token)


def _doubtful(key: object) -> bool:
    if isinstance(key, str):
        return has_surrogates(key)
    return type(key) is ByIdentity or (isinstance(key, float) and key != key)

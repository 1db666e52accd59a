"""Property keys: which ones are array indices, in which order JavaScript has them, which ones become one.

An object's keys are str here and there, but those that are array indices ("0" to "4294967294", without
leading zeros) come first, ascending, and are written as numbers.  Since key after key
costs, those seen lately are remembered with their code.
"""

from __future__ import annotations

from itertools import chain

from ._wire import varint
from .errors import DataCloneError
from .values import MAX_ARRAY_LENGTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Final

MAX_CODES: Final = 8192  # keys remembered; a program has fewer
MAX_CODE_LENGTH: Final = 64  # longer ones are data rather than names

codes: Final[dict[str, bytes | None]] = {}
"""Keys seen lately that are str and no array index, with their code; None if it depends on alignment."""


def is_index(key: str) -> bool:
    """Whether JavaScript takes *key* for an array index (ECMA-262, 6.1.7)."""
    if not key or len(key) > 10 or not key.isascii() or not key.isdigit():
        return False
    return (key[0] != "0" or key == "0") and int(key) < MAX_ARRAY_LENGTH


def index_key(index: int) -> int | float:
    """An array index as V8 writes it: an INT32, or a DOUBLE from 2**31 on."""
    return index if index < 0x8000_0000 else float(index)


def property_list(value: Mapping[Any, object]) -> list[object] | None:
    """Return the properties of an object as ``[key, value, key, value, ...]``, ready to be written.

    None if a key is not a str: *value* is a Map.

    Raises:
        DataCloneError: two keys would become one.
    """
    if value.keys() <= codes.keys():
        return list(chain.from_iterable(value.items()))
    items = list(value.items())
    indices: list[tuple[int, object]] = []
    others: list[tuple[str, object]] = []
    for key, item in items:
        if not isinstance(key, str):
            return None
        if is_index(key):
            indices.append((int(key), item))
        else:
            others.append((key, item))
            _remember(key)
    check_distinct(key for key, _ in others)
    indices.sort(key=_first)
    numbered = [(index_key(index), item) for index, item in indices]
    return list(chain.from_iterable(chain(numbered, others)))


def _first(pair: tuple[int, object]) -> int:
    return pair[0]


def _remember(key: str) -> None:
    if len(key) > MAX_CODE_LENGTH or type(key) is not str or has_surrogates(key):
        return
    if len(codes) >= MAX_CODES:
        codes.clear()
    try:
        codes[key] = b'"' + varint(len(key)) + key.encode("latin-1")
    except UnicodeEncodeError:
        codes[key] = None


def has_surrogates(text: str) -> bool:
    """Whether *text* holds a surrogate, two of which can become one character when they are bytes."""
    if text.isascii():
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def check_distinct(keys: Iterable[str]) -> None:
    """Raise DataCloneError if two keys are the same once their surrogates have met."""
    suspects = [key for key in keys if not key.isascii()]
    if not any(map(has_surrogates, suspects)):
        return
    joined = [
        key.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass") for key in suspects
    ]
    if len(set(joined)) < len(suspects):
        twice = next(key for key in joined if joined.count(key) > 1)
        raise DataCloneError(f"two keys would become one, {twice!a}, when their surrogates meet")


def check_array_properties(properties: Iterable[str]) -> None:
    """Raise DataCloneError if a property of an array would be an item, or its length."""
    for key in properties:
        if not isinstance(key, str):
            raise DataCloneError(f"a {type(key).__name__} names no property of an array; a str does")
        if key == "length" or is_index(key):
            raise DataCloneError(
                f"an array's property cannot be called {key!r}: that is an item, or its length"
            )


def check_indices(indices: Iterable[object], length: int) -> None:
    """Raise DataCloneError if one of *indices* is none of an array of that length, or the length is none."""
    for index in indices:
        if not isinstance(index, int) or not 0 <= index < length <= MAX_ARRAY_LENGTH:
            raise DataCloneError("an index of the array is not an int between 0 and its length")


def in_order(properties: dict[str, object]) -> dict[str, object]:
    """Return *properties* with the array indices first, ascending, as JavaScript has them."""
    indices = sorted((key for key in properties if is_index(key)), key=int)
    first = {key: properties[key] for key in indices}
    first.update(properties)
    return first

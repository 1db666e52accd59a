"""hypothesis strategies for everything that can be cloned.  Only this module needs ``hypothesis``.

    values()        trees: any value of the table that ``loads(dumps(value))`` gives back, type for type
    graphs()        the same with cycles, and with objects that occur more than once
    shareable()     values that ``structured_clone`` gives back, type for type
    scalars(), texts(), dates(), regexps(), errors(), boxed(), buffers(), views()    the parts

What these make is in the form in which it comes back: a dict has its array indices first, a key that Python
would merge is a ``ByIdentity``, an array that is mostly holes is a ``SparseArray``.

>>> from hypothesis import given
>>> from clonecodec import dumps, loads
>>> from clonecodec.testing import values
>>> @given(values())
... def test_it_survives(value):
...     loads(dumps(value))
>>> test_it_survives()
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from ._keys import Keys
from ._properties import in_order, is_index
from .buffers import ArrayBuffer, SharedArrayBuffer
from .jserrors import BY_NAME, JSError
from .regexp import RegExp
from .values import (
    MAX_ARRAY_LENGTH,
    MAX_SAFE_INTEGER,
    MAX_TIME,
    Array,
    BigInt,
    Boxed,
    ByIdentity,
    Date,
    Map,
    SparseArray,
    hole,
    undefined,
)
from .views import DataView, Float16Array, Uint8ClampedArray

__all__ = [
    "boxed",
    "buffers",
    "dates",
    "errors",
    "graphs",
    "regexps",
    "scalars",
    "shareable",
    "texts",
    "values",
    "views",
]

FORMATS: Final = "bBhHiIqQfd"
_SOURCES: Final = ("(?:)", "a", "a|b", "[a-z]+\\d*", "\\/", "(?<year>\\d{4})", "é", "\\u{1f600}", "^$")
_MAX_BYTES: Final = 64


def texts(max_size: int | None = 20) -> SearchStrategy[str]:
    """Text of every kind: ASCII, Latin-1, beyond, lone surrogates; none of which make a pair."""
    return st.one_of(
        st.text(st.characters(max_codepoint=0x7F), max_size=max_size),
        st.text(st.characters(max_codepoint=0xFF), max_size=max_size),
        st.text(st.characters(exclude_categories=()), max_size=max_size).map(_with_pairs_joined),
    )


def _with_pairs_joined(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def scalars() -> SearchStrategy[Any]:
    """What JavaScript has no identity of: undefined, None, bools, numbers, bigints, text."""
    return st.one_of(
        st.sampled_from([undefined, None, True, False]),
        st.integers(-300, 300),
        st.integers(-(2**70), 2**70),
        st.sampled_from([2**31 - 1, 2**31, -(2**31), -(2**31) - 1, MAX_SAFE_INTEGER, MAX_SAFE_INTEGER + 1]),
        st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER).map(BigInt),
        st.floats(),
        texts(),
    )


def dates(*, microseconds: bool = True) -> SearchStrategy[datetime | Date]:
    """Instants: datetimes whose microseconds are exact, and Dates that no datetime can hold.

    Args:
        microseconds: whether there may be any; JavaScript drops them.
    """
    exact = st.datetimes(datetime(1700, 1, 1), datetime(2248, 1, 1), timezones=st.just(UTC))
    return st.one_of(
        exact if microseconds else exact.map(lambda when: when.replace(microsecond=0)),
        st.datetimes(timezones=st.just(UTC)).map(lambda when: when.replace(microsecond=0)),
        st.builds(Date, st.floats(-MAX_TIME, -1e14)),
        st.builds(Date, st.floats(3e14, MAX_TIME)),
        st.builds(Date, st.just(math.nan)),
    )


def regexps() -> SearchStrategy[RegExp]:
    """Regular expressions that JavaScript compiles."""
    flags = st.sets(st.sampled_from("dgimsuy")).map(lambda chosen: "".join(sorted(chosen)))
    return st.builds(RegExp, st.sampled_from(_SOURCES), st.one_of(flags, st.just("v")))


def boxed() -> SearchStrategy[Boxed]:
    """``new Number(1)`` and its kin."""
    numbers = st.one_of(st.booleans(), st.floats(), st.integers(-(2**70), 2**70))
    bigints = st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER).map(BigInt)
    return st.builds(Boxed, st.one_of(numbers, bigints, texts()))


def buffers() -> SearchStrategy[ArrayBuffer]:
    """ArrayBuffers, some of them resizable."""
    return st.binary(max_size=_MAX_BYTES).flatmap(
        lambda octets: st.builds(
            ArrayBuffer,
            st.just(octets),
            max_byte_length=st.none() | st.integers(len(octets), 4 * _MAX_BYTES),
        )
    )


def views() -> SearchStrategy[Any]:
    """Views, each the whole of a buffer of its own: memoryviews of every format, and our own classes."""
    octets = st.integers(0, 8).flatmap(lambda count: st.binary(min_size=8 * count, max_size=8 * count))
    kinds: list[Callable[[bytes], Any]] = [DataView, Uint8ClampedArray, Float16Array]
    kinds += [_viewer(format) for format in FORMATS]
    return st.builds(lambda make, content: make(content), st.sampled_from(kinds), octets)


def _viewer(format: str) -> Callable[[bytes], memoryview]:
    return lambda content: ArrayBuffer(content).view(format)


def errors(causes: SearchStrategy[Any] | None = None) -> SearchStrategy[JSError]:
    """JavaScript's errors, with and without message, stack and cause."""
    return st.builds(
        _error,
        st.sampled_from(list(BY_NAME.values())),
        st.none() | texts(),
        st.none() | texts(),
        st.lists(scalars() if causes is None else causes, max_size=1),
    )


def _error(kind: type[JSError], message: str | None, stack: str | None, causes: list[Any]) -> JSError:
    error = kind(message, stack=stack)
    for cause in causes:
        error.cause = cause
    return error


def values(max_leaves: int = 20, *, microseconds: bool = True) -> SearchStrategy[Any]:
    """Trees of everything that comes back from ``loads(dumps(value))`` type for type.

    Args:
        max_leaves: how many values that hold no others a tree has at the most.
        microseconds: see ``dates``.
    """
    binary = st.binary(max_size=_MAX_BYTES)
    return _trees(st.one_of(_leaves(microseconds), binary, binary.map(bytearray)), max_leaves)


def shareable(max_leaves: int = 20) -> SearchStrategy[Any]:
    """Trees of what comes back from ``structured_clone`` type for type: no bytes, but shared buffers."""
    shared = st.binary(max_size=_MAX_BYTES).map(SharedArrayBuffer)
    return _trees(st.one_of(_leaves(), shared), max_leaves)


def _leaves(microseconds: bool = True) -> SearchStrategy[Any]:
    return st.one_of(scalars(), dates(microseconds=microseconds), regexps(), boxed(), buffers(), views())


def _trees(leaves: SearchStrategy[Any], max_leaves: int) -> SearchStrategy[Any]:
    return st.recursive(leaves, _containers, max_leaves=max_leaves)


def _containers(inner: SearchStrategy[Any]) -> SearchStrategy[Any]:
    items = st.lists(inner, max_size=5)
    names = texts(6) | st.sampled_from(["a", "b", "0", "7", "10", "4294967294", "4294967295", "01", "-1"])
    properties = st.dictionaries(names, inner, max_size=4)
    return st.one_of(
        items,
        items.map(tuple),
        properties.map(in_order),
        st.lists(st.tuples(inner, inner), max_size=4).map(_map),
        items.map(_set),
        items.map(_set).map(frozenset),
        st.builds(_array, st.lists(inner | st.just(hole), max_size=6), properties),
        st.builds(_sparse, st.dictionaries(st.integers(0, MAX_ARRAY_LENGTH - 1), inner), properties),
        errors(inner),
    )


def _map(pairs: Sequence[tuple[Any, Any]]) -> Map:
    """A Map with the keys as they are when it is read."""
    target = Map()
    keys = Keys(target)
    for key, value in pairs:
        target[keys.admit(key)] = value
    return target


def _set(items: Sequence[Any]) -> set[Any]:
    """A set with at most one member that is an object.

    Sets have no order: of several alike, with links to elsewhere, nobody could say which became which.
    """
    target: set[Any] = set()
    keys = Keys(target)
    others = 0
    for item in items:
        others += not _is_scalar(item)
        if others <= 1 or _is_scalar(item):
            target.add(keys.admit(item))
    return target


def _is_scalar(value: Any) -> bool:
    return value is None or value is undefined or value is hole or isinstance(value, (int, float, str))


def _array(items: list[Any], properties: dict[str, Any]) -> Any:
    named = _named(properties)
    if not named and not any(item is hole for item in items):
        return items
    return Array(items, named)


def _sparse(items: dict[int, Any], properties: dict[str, Any]) -> Any:
    length = max(items, default=0) + 1
    length = min(max(length, 16 * (len(items) + 4) + 1), MAX_ARRAY_LENGTH)
    return SparseArray(length, dict(sorted(items.items())), _named(properties))


def _named(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name != "length" and not is_index(name)}


@st.composite
def graphs(draw: DrawFn, trees: SearchStrategy[Any] | None = None, max_links: int = 5) -> Any:
    """Values in which objects occur more than once, also within themselves.

    Args:
        trees: what to begin with, ``values()`` by default; links are added to its lists, dicts and Maps.
        max_links: how many references are added at the most.
    """
    root = draw(values() if trees is None else trees)
    objects = _objects(root)
    hosts = [value for value in objects if type(value) in (list, dict, Map)]
    if hosts:
        # By number: hypothesis hashes what it samples from, which a memoryview does not like.
        links = st.tuples(st.integers(0, len(hosts) - 1), st.integers(0, len(objects) - 1))
        for number, (here, there) in enumerate(draw(st.lists(links, max_size=max_links))):
            host, target = hosts[here], objects[there]
            if isinstance(host, list):
                host.append(target)
            else:
                host[f"link {number}"] = target
    return root


def _objects(root: Any) -> list[Any]:
    """Everything in *root* that has an identity, each once."""
    found: list[Any] = []
    seen: set[int] = set()
    todo = [root]
    while todo:
        value = todo.pop()
        if isinstance(value, ByIdentity):
            value = value.value
        if _is_scalar(value) or id(value) in seen:
            continue
        seen.add(id(value))
        found.append(value)
        if isinstance(value, (list, tuple, set, frozenset)):
            todo += value
        if isinstance(value, dict):
            todo += [*value, *value.values()]
        if isinstance(value, (Array, SparseArray)):
            todo += value.properties.values()
        if isinstance(value, SparseArray):
            todo += value.items.values()
        if isinstance(value, JSError) and value.has_cause:
            todo.append(value.cause)
    return found

"""What a value consists of, in one form for all commands that walk values: show, diff, graph and convert.

A value is a leaf, which has a text and no parts, or it has parts: steps and the values they lead to.
Walking is left to the commands, which keep a stack of their own: values may be as deep as the data is long.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from clonecodec import (
    Array,
    ArrayBuffer,
    BigInt,
    Boxed,
    ByIdentity,
    DataView,
    Date,
    Float16Array,
    JSError,
    Map,
    RegExp,
    SharedArrayBuffer,
    SparseArray,
    Uint8ClampedArray,
    hole,
    undefined,
)
from clonecodec.cli.cursor import count
from clonecodec.cli.rows import property_step


class Part(NamedTuple):
    """One value in another."""

    step: str
    """As in a path: ``.name``, ``["any key"]``, ``[0]``, ``.key(0)``, ``.value(0)``, ``{0}``."""
    label: str
    """How it is called where the container is shown: a key as Python writes it, or nothing."""
    value: object


_VIEW_KINDS = {
    "b": "Int8Array", "B": "Uint8Array", "h": "Int16Array", "H": "Uint16Array", "i": "Int32Array",
    "I": "Uint32Array", "f": "Float32Array", "d": "Float64Array", "q": "BigInt64Array", "Q": "BigUint64Array",
}  # fmt: skip


def parts(value: object) -> Iterator[Part] | None:
    """The parts of *value*, or None for a leaf."""
    match value:
        case str() | bytes() | int() | float() | None:
            return None
        case Map():
            return _entries(value)
        case dict():
            return _properties(value)
        case Array():
            return _items(value, value.properties)
        case list() | tuple():
            return _items(value, {})
        case set() | frozenset():
            return _members(value)
        case SparseArray():
            return _sparse(value)
        case JSError():
            return _error(value)
    fields = blink_fields(value)
    return None if fields is None else _properties(fields)


def blink_fields(value: object) -> Mapping[str, object] | None:
    """The fields of an object of Chrome's own, or None if *value* is none."""
    if type(value).__name__ == "BlinkObject":
        fields = getattr(value, "fields", {})
        return fields if isinstance(fields, Mapping) else {"fields": fields}
    return None


def _properties(value: Mapping[str, object]) -> Iterator[Part]:
    for key, item in list(value.items()):
        yield Part(property_step(str(key)), repr(key), item)


def _items(value: Iterable[object], properties: Mapping[str, object]) -> Iterator[Part]:
    for index, item in enumerate(list(value)):
        yield Part(f"[{index}]", "", item)
    for key, item in properties.items():
        yield Part(property_step(key), repr(key), item)


def _members(value: Iterable[object]) -> Iterator[Part]:
    for index, item in enumerate(value):
        yield Part(f"{{{index}}}", "", bare(item))


def _entries(value: Map) -> Iterator[Part]:
    for index, (key, item) in enumerate(value.items()):
        key = bare(key)
        if parts(key) is None:
            yield Part(f".value({index})", leaf(key), item)
        else:
            yield Part(f".key({index})", "key", key)
            yield Part(f".value({index})", "value", item)


def _sparse(value: SparseArray) -> Iterator[Part]:
    for index, item in value.items.items():
        yield Part(f"[{index}]", str(index), item)
    for key, item in value.properties.items():
        yield Part(property_step(key), repr(key), item)


def _error(value: JSError) -> Iterator[Part]:
    if value.message is not None:
        yield Part(".message", "message", value.message)
    if value.stack is not None:
        yield Part(".stack", "stack", value.stack)
    if value.has_cause:
        yield Part(".cause", "cause", value.cause)


def bare(value: object) -> object:
    """A key or member without the wrapper that keeps it apart from others."""
    return value.value if isinstance(value, ByIdentity) else value


def kind(value: object) -> str:
    """What *value* is, in JavaScript's words where it has any, else in Python's."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case BigInt():
            return "bigint"
        case int():
            return "int" if abs(value) < 2**53 else "bigint"
        case float():
            return "float"
        case str():
            return "string"
        case bytes() | bytearray():
            return type(value).__name__
        case memoryview():
            return _VIEW_KINDS.get(value.format, f"memoryview {value.format!r}")
        case Map():
            return "Map"
        case dict():
            return "object"
        case list():
            return "array"
        case SparseArray():
            return "sparse array"
        case datetime.datetime() | Date():
            return "Date"
        case JSError():
            return value.name
        case re.Pattern():
            return "RegExp"
    if value is undefined or value is hole:
        return str(value)
    if blink_fields(value) is not None:
        return str(getattr(value, "kind", "Blink object"))
    return type(value).__name__


def size(value: object) -> str:
    """How much is in a container: ``(2)``."""
    match value:
        case SparseArray():
            return f"({len(value.items)} of {value.length:,})"
        case Array() if value.properties:
            return f"({len(value):,} and {count(len(value.properties), 'property')})"
        case dict() | list() | tuple() | set() | frozenset():
            return f"({len(value):,})"
    return ""


def is_object(value: object) -> bool:
    """Whether *value* has an identity: that it occurs twice can be told from two that are alike."""
    return not isinstance(
        value, (str, int, float, bytes, memoryview, datetime.datetime, type(None))
    ) and not (value is undefined or value is hole)


def leaf(value: object, limit: int | None = None) -> str:
    """The text of a value without parts, as Python would write it; of long ones the first *limit* items."""
    match value:
        case int() if not isinstance(value, bool) and value.bit_length() > 14_000:
            text = f"{'-' if value < 0 else ''}0x{abs(value):x}"  # Python writes no more than 4300 digits
        case str() | bytes() | bytearray() if limit is not None and len(value) > limit:
            what = "characters" if isinstance(value, str) else "bytes"
            return f"{value[:limit]!r}… ({len(value):,} {what})"
        case memoryview():
            return _view(value, kind(value), limit)
        case Uint8ClampedArray() | Float16Array():
            return _view(value.tolist(), type(value).__name__, limit)
        case DataView():
            return f"DataView({leaf(bytes(value.view), limit)})"
        case ArrayBuffer() if value.resizable:
            return f"ArrayBuffer({leaf(bytes(value.view()), limit)}, max_byte_length={value.max_byte_length})"
        case ArrayBuffer() | SharedArrayBuffer():
            return f"{type(value).__name__}({leaf(bytes(value.view()), limit)})"
        case datetime.datetime():
            precision = "microseconds" if value.microsecond % 1000 else "milliseconds"
            return value.isoformat(timespec=precision).replace("+00:00", "Z")
        case Boxed() | RegExp() | Date() | BigInt():
            return repr(value)
        case _:
            text = repr(value)
    if limit is not None and len(text) > 4 * limit:
        return f"{text[: 4 * limit]}…"
    return text


def _view(value: memoryview | list[int] | list[float], name: str, limit: int | None) -> str:
    if limit is None or len(value) <= limit:
        return f"{name}({value.tolist() if isinstance(value, memoryview) else value})"
    first = value[:limit]
    items = first.tolist() if isinstance(first, memoryview) else first
    return f"{name}({str(items)[:-1]}, … {len(value):,} in all])"

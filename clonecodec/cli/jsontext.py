"""Values as JSON, and what is lost on the way.

undefined            left out of objects, null in arrays (as JSON.stringify does); a hole is null
nan, inf             null
bigint, int >= 2^53  a string of digits
bytes and buffers    base64; other typed arrays an array of numbers
Date                 ISO 8601; an invalid one is null
Map                  an object if all keys are texts, else an array of pairs
set, tuple           an array
RegExp, error, boxed "/source/flags", an object of name, message, stack and cause, the primitive
shared objects       written again; a cycle cannot be written
"""

from __future__ import annotations

import base64
import datetime
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from clonecodec import (
    Array,
    ArrayBuffer,
    BigInt,
    Boxed,
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
from clonecodec.cli import outline
from clonecodec.cli.files import BrokenFileError
from clonecodec.cli.rows import property_step, shortened

_MAX_REPEATED: Final = 1_000_000  # values written again: 40 levels of [x, x] would be 2**40
_MAX_INDENT: Final = 40


class Losses:
    """What a conversion does not keep: how often, and where first."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, str]] = {}

    def __bool__(self) -> bool:
        return bool(self._seen)

    def add(self, what: str, path: Callable[[], str]) -> None:
        """Count *what*; *path* is asked only the first time."""
        number, first = self._seen.get(what, (0, ""))
        self._seen[what] = (number + 1, first or path())

    def sentences(self) -> Iterator[str]:
        """One line for each kind of loss."""
        for what, (number, first) in self._seen.items():
            times = f" (and {number - 1:,} more)" if number > 1 else ""
            yield f"{what}, at {first}{times}"


@dataclass(slots=True)
class _Pair:
    """An entry of a Map, as an array of its own."""

    index: int
    key: object
    value: object


@dataclass(slots=True)
class _Open:
    """A container that has been begun."""

    inside: Iterator[tuple[str, str | None, object]]  # step, key or None, value
    closing: str
    step: str
    value: object
    is_repeated: bool
    is_empty: bool = True


def chunks(root: object, losses: Losses, *, indent: bool = False) -> Iterator[str]:
    """The pieces of *root*'s JSON text.

    Raises:
        BrokenFileError: *root* contains itself, or shares so much that the text would have no end.
    """
    return _Writer(losses, indent).chunks(root)


class _Writer:
    def __init__(self, losses: Losses, indent: bool) -> None:
        self._losses = losses
        self._indent = indent
        self._stack: list[_Open] = []
        self._under_way: set[int] = set()
        self._met: set[int] = set()
        self._alive: list[object] = []
        self._repeated = 0

    def chunks(self, root: object) -> Iterator[str]:
        yield self._begin(root, "", is_repeated=False)
        stack = self._stack
        while stack:
            top = stack[-1]
            following = next(top.inside, None)
            if following is None:
                stack.pop()
                self._under_way.discard(id(top.value))
                yield f"{'' if top.is_empty else self._line()}{top.closing}"
                continue
            step, key, value = following
            if value is undefined and key is not None:
                self._lose("undefined is left out", step)
                continue
            separator = "" if top.is_empty else "," if self._indent else ", "
            top.is_empty = False
            name = "" if key is None else f"{json.dumps(key)}: "
            yield f"{separator}{self._line()}{name}{self._begin(value, step, is_repeated=top.is_repeated)}"

    def _line(self) -> str:
        return "\n" + "  " * min(len(self._stack), _MAX_INDENT) if self._indent else ""

    def _path(self, step: str) -> str:
        return shortened("$" + "".join(frame.step for frame in self._stack) + step)

    def _lose(self, what: str, step: str) -> None:
        self._losses.add(what, lambda: self._path(step))

    def _begin(self, value: object, step: str, *, is_repeated: bool) -> str:
        """The text of a leaf, or the opening of a container, which is pushed."""
        text = self._leaf(value, step)
        if text is not None:
            self._repeated += is_repeated
            return text
        if id(value) in self._under_way:
            raise BrokenFileError(
                f"JSON has no cycles, and {self._path(step)} is an object that it is inside of"
            )
        if id(value) in self._met:
            self._lose("an object that occurs more than once is written again", step)
            is_repeated = True
        self._met.add(id(value))
        self._alive.append(value)
        self._repeated += is_repeated
        if self._repeated > _MAX_REPEATED:
            raise BrokenFileError(
                "JSON has no shared objects, and writing each of them again has no end here"
            )
        self._under_way.add(id(value))
        brackets, inside = self._container(value, step)
        self._stack.append(_Open(inside, brackets[1], step, value, is_repeated))
        return brackets[0]

    def _leaf(self, value: object, step: str) -> str | None:
        match value:
            case None:
                return "null"
            case bool():
                return "true" if value else "false"
            case int():
                if isinstance(value, BigInt) or abs(value) >= 2**53:
                    self._lose("a bigint becomes a string", step)
                    return f'"{outline.leaf(int(value))}"'
                return str(int(value))
            case float():
                if value != value or value in (float("inf"), float("-inf")):
                    self._lose("nan and infinity become null", step)
                    return "null"
                return repr(float(value))
            case str():
                return json.dumps(value)
            case Boxed():
                self._lose("a boxed primitive becomes the primitive", step)
                return self._leaf(value.value, step)
            case RegExp() | re.Pattern():
                self._lose("a RegExp becomes a string", step)
                flags = value.flags if isinstance(value, RegExp) else ""
                source = value.source if isinstance(value, RegExp) else value.pattern
                return json.dumps(f"/{source}/{flags}")
            case datetime.datetime():
                self._lose("a Date becomes a string", step)
                return json.dumps(outline.leaf(value))
            case Date():
                self._lose("a Date that no calendar has becomes null", step)
                return "null"
        if value is undefined or value is hole:
            self._lose(f"{value} becomes null", step)
            return "null"
        return self._octets(value, step)

    def _octets(self, value: object, step: str) -> str | None:
        match value:
            case memoryview() if value.format in ("B", "b", "c"):
                data = value.tobytes()
            case bytes() | bytearray():
                data = bytes(value)
            case ArrayBuffer() | SharedArrayBuffer():
                data = bytes(value.view())
            case DataView() | Uint8ClampedArray():
                data = bytes(value.view)
            case _:
                return None
        self._lose(f"{outline.kind(value)} written as base64", step)
        return f'"{base64.b64encode(data).decode()}"'

    def _container(self, value: object, step: str) -> tuple[str, Iterator[tuple[str, str | None, object]]]:
        match value:
            case Map():
                if all(isinstance(key, str) for key in value):
                    self._lose("a Map becomes an object", step)
                    return "{}", ((property_step(str(key)), str(key), item) for key, item in value.items())
                self._lose("a Map becomes an array of pairs", step)
                pairs = (_Pair(index, *pair) for index, pair in enumerate(value.items()))
                return "[]", (("", None, pair) for pair in pairs)
            case _Pair():
                key = (f".key({value.index})", None, outline.bare(value.key))
                return "[]", iter((key, (f".value({value.index})", None, value.value)))
            case dict():
                return "{}", ((property_step(str(key)), str(key), item) for key, item in value.items())
            case SparseArray():
                self._lose("a sparse array becomes an object", step)
                items = [(f"[{index}]", str(index), item) for index, item in value.items.items()]
                return "{}", iter(
                    items + [(property_step(key), key, item) for key, item in value.properties.items()]
                )
            case list() | tuple():
                if isinstance(value, tuple):
                    self._lose("a tuple becomes an array", step)
                if isinstance(value, Array) and value.properties:
                    self._lose("properties of an array are left out", step)
                return "[]", ((f"[{index}]", None, item) for index, item in enumerate(value))
            case set() | frozenset():
                self._lose(f"a {type(value).__name__} becomes an array", step)
                return "[]", ((f"{{{index}}}", None, outline.bare(item)) for index, item in enumerate(value))
            case JSError():
                self._lose("an error becomes an object", step)
                inside = {part.label: part.value for part in outline.parts(value) or ()}
                fields = {"name": value.name, **inside}
                return "{}", ((f".{key}", key, item) for key, item in fields.items())
            case memoryview() | Float16Array():
                self._lose(f"{outline.kind(value)} written as an array of numbers", step)
                return "[]", ((f"[{index}]", None, item) for index, item in enumerate(value.tolist()))
        fields = outline.blink_fields(value)  # type: ignore[assignment]
        if fields is None:
            raise BrokenFileError(f"JSON has no {outline.kind(value)}: {self._path(step)}")
        self._lose("an object of Chrome's becomes its fields", step)
        return "{}", ((property_step(key), key, item) for key, item in fields.items())

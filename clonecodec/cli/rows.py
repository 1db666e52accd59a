"""What a reader of bytes has to say about them: one row for each token, in order, with no gap between.

A container is a row where it begins, the rows of what is in it one level deeper, and a row where it ends.
A property is the row of its key and the rows of its value.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, Literal

Role = Literal["value", "key", "begin", "end", "part"]
"""``part``: no value by itself, such as padding, a header, the flags of a RegExp."""

MAX_ARRAY_INDEX: Final = 2**32 - 2


@dataclass(slots=True)
class Row:
    """One token: the bytes from *offset* to *end*, and what they say."""

    offset: int
    end: int
    name: str
    value: str | int | float | None = None
    """The value itself, where it is a text or a number."""
    text: str = ""
    """In words: sizes, classes, what padding is for."""
    role: Role = "part"
    depth: int = 0
    step: str = ""
    """How the value is reached from what contains it: ``.name``, ``[0]``."""
    id: int | None = None
    """The number by which later bytes may refer to this object."""
    target: int | None = None
    """The number of the object that is meant here."""
    target_offset: int | None = None
    """Where that object begins."""
    head: int = 0
    """How many bytes come before a run of raw ones; 0 if there is no run."""


def array_index(key: str) -> int | None:
    """The index that *key* is in JavaScript, or None: ``"01"`` is none."""
    if not key or len(key) > 10 or not (key.isascii() and key.isdigit()) or (key[0] == "0" and key != "0"):
        return None
    index = int(key)
    return index if index <= MAX_ARRAY_INDEX else None


def property_step(key: str) -> str:
    """``.name`` for a name, ``["any other"]`` for another key."""
    if key.isidentifier():
        return f".{key}"
    return f"[{json.dumps(key)}]"


def element_step(key: str) -> str:
    """The step to a property of an array: ``[3]`` for an index, else as for an object."""
    return f"[{key}]" if array_index(key) is not None else property_step(key)


def shortened(path: str, room: int = 160) -> str:
    """*path*, or its beginning and its end."""
    if len(path) <= room:
        return path
    return f"{path[: room // 2]} … {path[-room // 2 :]}"

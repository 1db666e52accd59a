"""Where in a value something is: ``$.jobs[1].callback``.

The path is made when an error is on its way out, from the frames that were being walked: success pays
nothing for it.  A frame's items lie in one flat list, keys and values in turn where there are keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final, TypeAlias

from .errors import DataCloneError


class Shape(Enum):
    """What the flat items of a frame are."""

    OBJECT = auto()  # key, value, key, value ...
    SPARSE = auto()  # the same, and a key that is a number is an index
    MAP = auto()
    SET = auto()
    ERROR = auto()  # its cause
    TRANSPARENT = auto()  # a wrapper of which the path does not speak


Layout: TypeAlias = "Shape | int"
"""A number: so many items of an array, then its properties."""

Step: TypeAlias = "tuple[Layout, Sequence[object], int]"
"""A frame's layout, its flat items, and which of them is being walked."""

OBJECT: Final = Shape.OBJECT
SPARSE: Final = Shape.SPARSE
MAP: Final = Shape.MAP
SET: Final = Shape.SET
ERROR: Final = Shape.ERROR
TRANSPARENT: Final = Shape.TRANSPARENT


def inside(error: DataCloneError, steps: Sequence[Step]) -> DataCloneError:
    """Return *error* as seen from the outermost of *steps*."""
    path = "".join(_say(*step) for step in steps)
    return type(error)(error.reason, f"${path}{error.path[1:]}")


def _say(layout: Layout, items: Sequence[object], index: int) -> str:
    if isinstance(layout, int):
        if index < layout:
            return f"[{index}]"
        return _key(items[layout + (index - layout) // 2 * 2])
    match layout:
        case Shape.MAP:
            return f".value({index // 2})" if index % 2 else f".key({index // 2})"
        case Shape.SET:
            return f"{{{index}}}"
        case Shape.ERROR:
            return ".cause"
        case Shape.TRANSPARENT:
            return ""
        case Shape.SPARSE if isinstance(items[index // 2 * 2], (int, float)):
            return f"[{items[index // 2 * 2]:.0f}]"
        case _:
            return _key(items[index // 2 * 2])


def _key(key: object) -> str:
    if isinstance(key, (int, float)):
        return f'["{key:.0f}"]'
    name = str(key)
    if name.isidentifier():
        return f".{name}"
    import json  # only for a path that needs it

    return f"[{json.dumps(name)}]"

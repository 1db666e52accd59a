"""Where in a value something is: ``$.jobs[1].callback``.

The path is made when an error is on its way out, from the frames that were being walked: success pays
nothing for it.  A frame's items lie in one flat list, keys and values in turn where there are keys.
"""

from __future__ import annotations

from .errors import DataCloneError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final, TypeAlias


class Shape:
    """What the flat items of a frame are: one of the names below.  (An enum takes longer to import.)"""

    __slots__ = ()


OBJECT: Final = Shape()  # key, value, key, value ...
SPARSE: Final = Shape()  # the same, and a key that is a number is an index
MAP: Final = Shape()
SET: Final = Shape()
ERROR: Final = Shape()  # its cause
TRANSPARENT: Final = Shape()  # a wrapper of which the path does not speak


Layout: TypeAlias = "Shape | int"
"""A number: so many items of an array, then its properties."""

Step: TypeAlias = "tuple[Layout, Sequence[object], int]"
"""A frame's layout, its flat items, and which of them is being walked."""


def inside(error: DataCloneError, steps: Sequence[Step]) -> DataCloneError:
    """Return *error* as seen from the outermost of *steps*."""
    path = "".join(_say(*step) for step in steps)
    return type(error)(error.reason, f"${path}{error.path[1:]}")


def _say(layout: Layout, items: Sequence[object], index: int) -> str:
    if isinstance(layout, int):
        if index < layout:
            return f"[{index}]"
        return _key(items[layout + (index - layout) // 2 * 2])
    if layout is MAP:
        return f".value({index // 2})" if index % 2 else f".key({index // 2})"
    if layout is SET:
        return f"{{{index}}}"
    if layout is ERROR:
        return ".cause"
    if layout is TRANSPARENT:
        return ""
    key = items[index // 2 * 2]
    return f"[{key:.0f}]" if layout is SPARSE and isinstance(key, (int, float)) else _key(key)


def _key(key: object) -> str:
    if isinstance(key, (int, float)):
        return f'["{key:.0f}"]'
    name = str(key)
    if name.isidentifier():
        return f".{name}"
    import json  # only for a path that needs it

    return f"[{json.dumps(name)}]"

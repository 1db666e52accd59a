"""Which row of the value table a Python value belongs to: one answer for every direction."""

from __future__ import annotations

from datetime import datetime

from .buffers import ArrayBuffer, SharedArrayBuffer
from .regexp import RegExp
from .values import Array, BigInt, Boxed, ByIdentity, Date, Hole, Map, SparseArray, Undefined
from .views import DataView, Float16Array, Uint8ClampedArray

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ROWS: Final[frozenset[type]] = frozenset(
    {
        Undefined,
        Hole,
        type(None),
        bool,
        BigInt,
        int,
        float,
        str,
        dict,
        Map,
        list,
        tuple,
        Array,
        SparseArray,
        set,
        frozenset,
        ByIdentity,
        datetime,
        Date,
        Boxed,
        RegExp,
        BaseException,
        ArrayBuffer,
        SharedArrayBuffer,
        bytes,
        bytearray,
        memoryview,
        DataView,
        Uint8ClampedArray,
        Float16Array,
    }
)
"""The types that have a row; a subclass belongs to the row of its base."""

PRIMITIVE_ROWS: Final[frozenset[type]] = frozenset(
    {Undefined, Hole, type(None), bool, BigInt, int, float, str, ByIdentity}
)
"""Those whose values JavaScript does not number (and ByIdentity, which stands for its value)."""

VIEW_ROWS: Final[frozenset[type]] = frozenset(
    {bytes, bytearray, memoryview, DataView, Uint8ClampedArray, Float16Array}
)
"""Those whose values are ArrayBufferViews."""


class Movable:
    """Stands for the row of what can only be transferred (``transfer.Transferable``)."""


def row_of(value: object) -> type:
    """Return the type whose row *value* belongs to.

    ``memoryview`` for whatever else is a buffer, ``RegExp`` for a ``re.Pattern``, ``Movable`` for what
    can only be transferred, and ``object`` for everything else: a plain instance, or something to be
    refused.
    """
    kind = type(value)
    for base in kind.__mro__:
        if base in ROWS:
            return base
    from .transfer import Transferable  # not before something has no row

    if issubclass(kind, Transferable):
        return Movable
    if kind.__module__ == "re" and kind.__name__ == "Pattern":
        return RegExp
    try:
        memoryview(value)  # type: ignore[arg-type]  # whether it is a buffer is the question
    except TypeError:
        return object
    return memoryview

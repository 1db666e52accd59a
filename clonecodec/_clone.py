"""``structured_clone``: the calls, which ask C first, and ``_cloner`` for all that C leaves alone."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from datetime import datetime, timezone
from functools import partial
from typing import Any, Final

from ._accelerate import accelerator
from ._builders import NOT_YET
from ._cloner import MAX_DEPTH, Cloner
from ._keys import Keys
from .buffers import ArrayBuffer, SharedArrayBuffer
from .errors import DataCloneError
from .regexp import RegExp
from .transfer import check_transfer_list, move_all
from .values import BigInt, Boxed, ByIdentity, Date, Map, undefined
from .views import DataView, Float16Array, Uint8ClampedArray


def clone_with_transfer(
    value: object, transfer: Iterable[object] = (), *, max_depth: int = MAX_DEPTH
) -> tuple[Any, list[Any]]:
    """Clone *value* in memory and move the objects of *transfer*, or do neither.

    Returns:
        The clone, and the new object for each one that was listed, in the order of the list.

    Raises:
        DataCloneError: something cannot be cloned or transferred; nothing has been detached.
    """
    if accelerator is not None and type(transfer) in (tuple, list) and not transfer:
        copy = accelerator.clone(value, max_depth)
        if copy is not NotImplemented:
            return copy, []
    items = check_transfer_list(transfer)
    if len(items) == 1 and items[0] is value:
        moved = move_all(items)
        return moved[0], moved
    return Cloner(items, max_depth).clone(value)


def structured_clone(value: object, transfer: Iterable[object] = (), *, max_depth: int = MAX_DEPTH) -> Any:
    """Return a deep copy of *value*, made as HTML's ``structuredClone(value, {transfer})`` makes it.

    Args:
        value: anything of the value table.  Cycles and sharing are kept, and views on one ArrayBuffer stay
            views on one; instances become dicts; bytes become read-only memoryviews of the same memory.
        transfer: ArrayBuffers (and ports) to be moved instead: they are detached here, and the clone has
            what they held.
        max_depth: how many containers may lie within each other.

    Raises:
        DataCloneError: something cannot be cloned or transferred; ``.path`` says where it is in *value*.
            Nothing has been detached then.

    >>> structured_clone({"at": (1, 2)})
    {'at': (1, 2)}
    """
    return clone_with_transfer(value, transfer, max_depth=max_depth)[0]


LEAVES: Final = frozenset(
    {
        *(BigInt, Boxed, Date, RegExp, datetime),
        *(ArrayBuffer, SharedArrayBuffer, bytearray, memoryview, array),
        *(DataView, Float16Array, Uint8ClampedArray),
    }
)
"""Types whose values the loop in C has cloned one by one: they hold no others and run no code of a user's."""

if accelerator is not None:
    accelerator.know(
        ByIdentity=ByIdentity,
        DataCloneError=DataCloneError,
        Keys=Keys,
        Map=Map,
        clone_leaves=LEAVES,
        cloner=partial(Cloner, (), MAX_DEPTH),
        datetime=datetime,
        nan=math.nan,
        not_yet=NOT_YET,
        timezone=timezone,
        undefined=undefined,
    )

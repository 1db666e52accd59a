"""What most of a message is made of, read in one go: objects of well-known names, scalars, lists of scalars.

The reader's loop (``_loop``) calls these functions where a property or an item may come.  They read on as
long as all that comes is whole and in its commonest form, and leave anything else where it is: the loop finds
out what that is, and whether it is wrong.  Nothing in here raises an error.

Up to the offset *safe* there are ``ROOM`` bytes, so that a name and a number need no look at the end.
"""

from __future__ import annotations

from ._names import names
from ._properties import MAX_CODE_LENGTH
from ._tags import (
    BEGIN_DENSE_ARRAY,
    BEGIN_OBJECT,
    DOUBLE,
    END_DENSE_ARRAY,
    END_OBJECT,
    FALSE,
    INT32,
    NULL,
    ONE_BYTE_STRING,
    TRUE,
)
from ._wire import unpack_double

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

ITEMS: Final = 0
OBJECT: Final = 1
KEYED: Final = 2
"""What a container that is being filled wants next: the first thing in its state, see ``_loop``."""

LIST: Final = 2
LENGTH: Final = 3
TARGET: Final = 4
KEY: Final = 5
"""Where the state of a container that is not being filled right now has what: see ``_loop``."""

ROOM: Final = 2 + MAX_CODE_LENGTH + 10
"""The longest name that is remembered, and the longest scalar but a string."""

_CONSTANTS: Final = {NULL: None, TRUE: True, FALSE: False}
ENDS: Final = [bytes((END_DENSE_ARRAY, 0, length)) for length in range(0x80)]
"""How a dense array of that many items ends, if it has no properties."""

_INTS: Final = [code >> 1 ^ -(code & 1) for code in range(0x80)]
"""What the codes of one byte stand for."""


def properties(
    data: bytes,
    offset: int,
    safe: int,
    target: dict[str, Any],
    stack: list[tuple[Any, ...]],
    objects: list[Any],
    max_depth: int,
) -> tuple[dict[str, Any] | None, str | None, int]:
    """Read properties of *target*, of objects within it, and of those that follow it in a list.

    Returns:
        the object that is being read now, the name of the property whose value comes next, and the offset.
        Without a name, that is to be read, or the end; without an object, the stack's last container goes on.
    """
    name_of = names.get
    while offset < safe:
        stop = offset + 2 + data[offset + 1]
        name = name_of(data[offset:stop])
        if name is None:
            if data[offset] != END_OBJECT or not data[offset + 1] == len(target) < 0x80:
                break
            around = stack[-1]
            if around[0] == OBJECT:
                around[TARGET][around[KEY]] = target
                target = around[TARGET]
                del stack[-1]
                offset += 2
            elif around[0] == ITEMS:
                items = around[LIST]
                items.append(target)
                offset += 2
                if data[offset] != BEGIN_OBJECT or len(items) == around[LENGTH]:
                    return None, None, offset
                target = {}
                objects.append(target)
                offset += 1
            else:
                break
            continue
        if name in target:
            break
        tag = data[stop]
        if tag == ONE_BYTE_STRING:
            length = data[stop + 1]
            offset = stop + 2 + length
            if length > 0x7F or offset > safe:
                return target, name, stop
            target[name] = data[stop + 2 : offset].decode("latin-1")
        elif tag == INT32:
            code = data[stop + 1]
            if code < 0x80:
                target[name] = _INTS[code]
                offset = stop + 2
            elif data[stop + 2] < 0x80:
                code += (data[stop + 2] << 7) - 0x80
                target[name] = code >> 1 ^ -(code & 1)
                offset = stop + 3
            else:
                target[name], offset = _long_int(data, stop + 1)
        elif tag == DOUBLE:
            target[name] = unpack_double(data, stop + 1)[0]
            offset = stop + 9
        elif tag in _CONSTANTS:
            target[name] = _CONSTANTS[tag]
            offset = stop + 1
        elif tag == BEGIN_DENSE_ARRAY and data[stop + 1] < 0x80 and len(stack) < max_depth:
            items = []
            length = data[stop + 1]
            left, offset = scalars(data, stop + 2, safe, items, length)
            if left or offset >= safe or data[offset : offset + 3] != ENDS[length]:
                return target, name, stop
            objects.append(items)
            target[name] = items
            offset += 3
        elif tag == BEGIN_OBJECT and len(stack) < max_depth:
            stack.append((OBJECT, None, None, 0, target, name, -1, False, len(stack)))
            target = {}
            objects.append(target)
            offset = stop + 1
        else:
            return target, name, stop
    return target, None, offset


def scalars(data: bytes, offset: int, safe: int, items: list[Any], left: int) -> tuple[int, int]:
    """Read up to *left* scalars into *items*; return how many are left, and where."""
    while left and offset < safe:
        tag = data[offset]
        if tag == INT32:
            code = data[offset + 1]
            if code < 0x80:
                items.append(_INTS[code])
                offset += 2
            elif data[offset + 2] < 0x80:
                code += (data[offset + 2] << 7) - 0x80
                items.append(code >> 1 ^ -(code & 1))
                offset += 3
            elif data[offset + 3] < 0x80:
                code += (data[offset + 2] << 7) + (data[offset + 3] << 14) - 0x4080
                items.append(code >> 1 ^ -(code & 1))
                offset += 4
            else:
                number, offset = _long_int(data, offset + 1)
                items.append(number)
        elif tag == ONE_BYTE_STRING:
            length = data[offset + 1]
            stop = offset + 2 + length
            if length > 0x7F or stop > safe:
                break
            items.append(data[offset + 2 : stop].decode("latin-1"))
            offset = stop
        elif tag == DOUBLE:
            items.append(unpack_double(data, offset + 1)[0])
            offset += 9
        elif tag in _CONSTANTS:
            items.append(_CONSTANTS[tag])
            offset += 1
        else:
            break
        left -= 1
    return left, offset


def _long_int(data: bytes, offset: int) -> tuple[int, int]:
    """Read an INT32 of two bytes or more, and where it ends; V8 stops after the fifth: see ``_wire``."""
    code = data[offset] + (data[offset + 1] << 7) - 0x80
    if code < 0x4000:
        return code >> 1 ^ -(code & 1), offset + 2
    code += (data[offset + 2] << 14) - 0x4000
    if code < 0x20_0000:
        return code >> 1 ^ -(code & 1), offset + 3
    code += (data[offset + 3] << 21) - 0x20_0000
    if code < 0x1000_0000:
        return code >> 1 ^ -(code & 1), offset + 4
    code = code + (data[offset + 4] << 28) - 0x1000_0000 & 0xFFFF_FFFF
    return code >> 1 ^ -(code & 1), offset + 5

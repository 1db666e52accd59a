"""Version 0: no header, and a stack machine that ends an object after its properties.

    { properties:uint               pops so many keys and values and pushes an object
    @ properties:uint length:uint   pops so many and pushes an array of that length
    $                               never valid
    anything else                   a value as in version 1, which is pushed

The whole data is one value, which is alone on the stack in the end.  Objects made by popping have no number.
"""

from __future__ import annotations

from . import _tags as tags
from ._builders import ListBuilder, ObjectBuilder
from ._names import number_name
from ._properties import is_index
from .errors import DecodeError, TruncatedError
from .values import MAX_ARRAY_LENGTH, MAX_SAFE_INTEGER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._reader import Deserializer


def read_version_0(reader: Deserializer) -> Any:
    """Read the rest of the data as one value of version 0.

    Raises:
        DecodeError: it is none.
    """
    stack: list[object] = []
    while not reader.at_end():
        start = reader.offset
        if reader.ends(tags.END_OBJECT):
            stack.append(_object(_popped(reader, stack, start), start))
        elif reader.ends(tags.END_SPARSE_ARRAY):
            properties = _popped(reader, stack, start)
            stack.append(_array(properties, reader.read_uint32(), start))
        elif reader.ends(tags.END_DENSE_ARRAY):
            raise DecodeError("version 0 has no dense arrays", start)
        else:
            stack.append(reader.read_one())
    if len(stack) != 1:
        raise TruncatedError(f"version 0 leaves one value, not {len(stack)}", reader.offset)
    return stack[0]


def _popped(reader: Deserializer, stack: list[object], start: int) -> list[tuple[str, object]]:
    """Pop as many keys and values as the number that comes next says."""
    count = reader.read_uint32()
    if 2 * count > len(stack):
        raise DecodeError(f"{count} properties, but {len(stack)} values on the stack", start)
    first = len(stack) - 2 * count
    keys, values = stack[first::2], stack[first + 1 :: 2]
    del stack[first:]
    return [(_name(key, start), value) for key, value in zip(keys, values, strict=True)]


def _name(key: object, start: int) -> str:
    if isinstance(key, str):
        return key
    if type(key) is float or (type(key) is int and abs(key) <= MAX_SAFE_INTEGER):  # beyond is a BigInt
        return number_name(key)
    raise DecodeError(f"a property key is a string or a number, not a {type(key).__name__}", start)


def _object(properties: list[tuple[str, object]], start: int) -> dict[str, object]:
    builder = ObjectBuilder()
    for name, value in properties:
        builder.key = name
        builder.indexed = builder.indexed or is_index(name)
        if name in builder.target:
            raise DecodeError(f"the property {name!a} occurs twice", start)
        builder.take(value)
    return builder.close()


def _array(properties: list[tuple[str, object]], length: int, start: int) -> object:
    builder = ListBuilder([None], 0, min(length, MAX_ARRAY_LENGTH))
    for name, value in properties:
        builder.key = int(name) if is_index(name) else name
        if builder.has(builder.key):
            raise DecodeError(f"the property {name!a} of an array occurs twice", start)
        builder.take(value)
    return builder.close()

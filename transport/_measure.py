"""How much a queued message counts for in ``buffered_amount`` between threads, where there are no bytes to
count.

The sizes of buffers, bytes and strings, plus 64 a container; what is referred to twice counts once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from clonecodec import ArrayBuffer, DataView, Float16Array, Uint8ClampedArray
from transport.message import Carrier, EndMark, Item, Sealed

CONTAINER: Final = 64
"""About what the smallest dict or list takes."""


def measure(item: Item) -> int:
    """The size of a queued item; 0 for the end mark."""
    if isinstance(item, EndMark):
        return 0
    if isinstance(item, Sealed):
        return item.size
    total = 0
    seen: set[int] = set()
    rest: list[object] = [item.value if isinstance(item, Carrier) else item]
    while rest:
        value = rest.pop()
        if isinstance(value, (str, bytes, bytearray)):
            total += len(value)
        elif isinstance(value, memoryview):
            total += value.nbytes
        elif not (value is None or isinstance(value, (int, float)) or id(value) in seen):
            seen.add(id(value))
            if isinstance(value, ArrayBuffer):
                total += value.byte_length
                continue
            total += CONTAINER
            if isinstance(value, (DataView, Uint8ClampedArray, Float16Array)):
                rest.append(value.buffer)
            elif isinstance(value, Mapping):
                rest.extend(value.keys())
                rest.extend(value.values())
            elif isinstance(value, (list, tuple, set, frozenset)):
                rest.extend(value)
    return total or 1  # 0 is for an empty queue

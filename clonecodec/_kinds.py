"""The kinds of typed array: what they are called in Python, in V8's format and in Node's.

One table, from which every direction is derived.  ``DataView`` is the kind without elements.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class Kind:
    """One kind of ArrayBufferView.

    Attributes:
        name: JavaScript's name of its constructor.
        format: the memoryview format of its elements; 'B' and 'H' where memoryview has none of its own.
        size: bytes in an element.
        subtag: V8's ArrayBufferViewTag.
        type_index: Node's type index in the host objects of ``v8.serialize``.
    """

    __slots__ = ("format", "name", "size", "subtag", "type_index")

    def __init__(self, name: str, format: str, size: int, subtag: int, type_index: int) -> None:
        self.name = name
        self.format = format
        self.size = size
        self.subtag = subtag
        self.type_index = type_index

    def __repr__(self) -> str:
        return self.name


INT8: Final = Kind("Int8Array", "b", 1, ord("b"), 0)
UINT8: Final = Kind("Uint8Array", "B", 1, ord("B"), 1)
UINT8_CLAMPED: Final = Kind("Uint8ClampedArray", "B", 1, ord("C"), 2)
FLOAT16: Final = Kind("Float16Array", "H", 2, ord("h"), 13)
DATA_VIEW: Final = Kind("DataView", "B", 1, ord("?"), 9)

KINDS: Final = (
    INT8,
    UINT8,
    UINT8_CLAMPED,
    Kind("Int16Array", "h", 2, ord("w"), 3),
    Kind("Uint16Array", "H", 2, ord("W"), 4),
    Kind("Int32Array", "i", 4, ord("d"), 5),
    Kind("Uint32Array", "I", 4, ord("D"), 6),
    FLOAT16,
    Kind("Float32Array", "f", 4, ord("f"), 7),
    Kind("Float64Array", "d", 8, ord("F"), 8),
    Kind("BigInt64Array", "q", 8, ord("q"), 11),
    Kind("BigUint64Array", "Q", 8, ord("Q"), 12),
    DATA_VIEW,
)

NODE_BUFFER: Final = 10
"""Node's type index of a Buffer."""

BY_SUBTAG: Final = {kind.subtag: kind for kind in KINDS}
BY_INDEX: Final = {kind.type_index: kind for kind in KINDS}

_OWN_CLASS: Final = (UINT8_CLAMPED, FLOAT16, DATA_VIEW)
BY_FORMAT: Final = {kind.format: kind for kind in KINDS if kind not in _OWN_CLASS}
"""The kind of a buffer, by its format; ``l`` and ``L`` by their size on this machine."""

BY_FORMAT["l"] = BY_FORMAT["q" if struct.calcsize("l") == 8 else "i"]
BY_FORMAT["L"] = BY_FORMAT["Q" if struct.calcsize("L") == 8 else "I"]

"""Inputs that want to cost much for few bytes: each a message without its header, about *size* bytes long."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import Final

MODULUS: Final = 2**61 - 1
"""What Python's hashes of ints are taken modulo."""


def varint(number: int) -> bytes:
    code = bytearray()
    while number > 0x7F:
        code.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(code) + bytes((number,))


def big_int(number: int) -> bytes:
    digits = number.to_bytes((number.bit_length() + 7) // 8, "little")
    return b"Z" + varint(2 * len(digits)) + digits


def array(*items: bytes) -> bytes:
    return b"A" + varint(len(items)) + b"".join(items) + b"$\0" + varint(len(items))


def tuple_of(*items: bytes) -> bytes:
    return b"\0" + array(*items)


def set_of(*items: bytes) -> bytes:
    return b"'" + b"".join(items) + b"," + varint(len(items))


def reference(number: int) -> bytes:
    return b"^" + varint(number)


def repeated(unit: bytes) -> Callable[[int], bytes]:
    """The unit over and over, never closed."""
    return lambda size: unit * (size // len(unit))


def items(unit: bytes) -> Callable[[int], bytes]:
    """An array of the unit."""
    return lambda size: array(*[unit] * (size // len(unit)))


def _names(size: int) -> bytes:
    keys = [b'"' + varint(60) + b"%060d0" % number for number in range(size // 63)]
    return b"o" + b"".join(keys) + b"{" + varint(len(keys))


def _indices(size: int) -> bytes:
    keys = [b"I" + varint(2 * number) + b"0" for number in range(size // 4)]
    return b"o" + b"".join(keys) + b"{" + varint(len(keys))


def _properties(size: int) -> bytes:
    keys = [b'"\4%04x0' % number for number in range(min(size // 7, 0x10000))]
    return b"A\0" + b"".join(keys) + b"$" + varint(len(keys)) + b"\0"


def _map(keys: Iterable[bytes]) -> bytes:
    listed = list(keys)
    return b";" + b"".join(key + b"0" for key in listed) + b":" + varint(2 * len(listed))


def _after(first: bytes, number: int, size: int) -> list[bytes]:
    """*first*, then small sets that refer to object *number* within it."""
    return [first, *[set_of(reference(number))] * ((size - len(first)) // 5)]


def _half_int(size: int) -> bytes:
    return big_int(2 ** (4 * size) - 1)


def _two(buffer: bytes) -> list[bytes]:
    return [buffer, buffer]


def _small_views(size: int) -> bytes:
    """An array of one buffer and many views on it."""
    views = size // 7
    return b"A" + varint(views + 1) + b"B\0" + b"^\1VB\0\0\0" * views + b"$\0" + varint(views + 1)


CONTAINERS: Final[dict[str, Callable[[int], bytes]]] = {
    "nested Maps": repeated(b";"),
    "nested Maps as values": repeated(b";0"),
    "nested sets": repeated(b"'"),
    "nested sets with a member": repeated(b"'0"),
    "nested frozensets": repeated(b"\0'"),
    "nested arrays": repeated(b"A\1"),
    "nested tuples": repeated(b"\0A\1"),
    "nested objects": repeated(b'o"\0'),
    "nested indexed objects": repeated(b"oI\0"),
    "nested sparse arrays": repeated(b"a\0I\0"),
    "nested causes": repeated(b"rc"),
    "empty objects": items(b"o{\0"),
    "empty arrays": items(b"A\0$\0\0"),
    "empty tuples": items(b"\0A\0$\0\0"),
    "empty Maps": items(b";:\0"),
    "empty sets": items(b"',\0"),
    "empty frozensets": items(b"\0',\0"),
    "errors": items(b"r."),
    "sparse arrays": items(b"a\0@\0\0"),
    "the longest lists of holes": items(b"a\x40@\0\x40"),
    "the shortest sparse arrays": items(b"a\x41@\0\x41"),
    "sparse arrays with a little": items(b"a\x50I\0I\0@\1\x50"),
    "sparse arrays of the greatest length": items(b"a\xff\xff\xff\xff\x0f@\0\xff\xff\xff\xff\x0f"),
    "an array that grows": lambda size: b"A\0N" + struct.pack("<d", 2**32 - 2) + b"0$\1\0",
    "a sparse array that grows": lambda size: b"a\0N" + struct.pack("<d", 2**32 - 2) + b"0@\1\0",
    "many names": _names,
    "many indices": _indices,
    "many properties of an array": _properties,
    "holes": items(b"-"),
}

LEAVES: Final[dict[str, Callable[[int], bytes]]] = {
    "buffers": items(b"B\0"),
    "immutable buffers": items(b"C\0"),
    "resizable buffers": items(b"~\0\0"),
    "resizable buffers of the greatest length": items(b"~\0\xff\xff\xff\xff\x0f"),
    "Uint8Arrays": items(b"B\0VB\0\0\0"),
    "read-only views": items(b"\0B\0VB\0\0\0"),
    "DataViews": items(b"B\0V?\0\0\0"),
    "Float16Arrays": items(b"B\0Vh\0\0\0"),
    "views that track": items(b"~\0\0VB\0\0\3"),
    "views on one buffer": _small_views,
    **{f"host objects of type {kind}": items(bytes((0x5C, kind, 0))) for kind in range(14)},
    "bytearrays": items(b"\0\\\x0a\0"),
    "Dates": items(b"D" + bytes(8)),
    "Boolean objects": items(b"y"),
    "String objects": items(b's"\0'),
    "BigInt objects": items(b"z\0"),
    "regular expressions": items(b'R"\0\0'),
    "bigints": items(b"Z\0"),
    "ints": items(b"I\0"),
    "hinted ints": items(b"\0N" + struct.pack("<d", 2.0**40)),
    "empty text": items(b'"\0'),
    "one character": items(b'"\1\xe9'),
    "one two-byte character": items(b"c\2\0\1"),
}

REFERENCES: Final[dict[str, Callable[[int], bytes]]] = {
    "to the array itself": lambda size: array(*[b"^\0"] * (size // 2)),
    "to the set itself": lambda size: set_of(*[b"^\0"] * (size // 2)),
    "to the tuple itself": lambda size: array(tuple_of(*[b"^\1"] * (size // 2))),
    "to the array around a tuple": lambda size: array(tuple_of(*[b"^\0"] * (size // 2))),
    "tuples that wait": lambda size: array(tuple_of(*[tuple_of(b"^\1")] * (size // 8))),
    "out of deep arrays": lambda size: (
        b"A\1" * (size // 10) + b"A" + varint(size // 3) + b"".join(map(reference, range(size // 10)))
    ),
    "out of deep tuples": lambda size: (
        b"\0A\1" * (size // 10) + b"A" + varint(size // 3) + b"".join(map(reference, range(size // 10)))
    ),
    "back up from deep tuples": lambda size: (
        b"A\1" + b"\0A\2" * (size // 12) + b"".join(reference(n) + b"$\0\2" for n in range(1, size // 12))
    ),
}

KEYS: Final[dict[str, Callable[[int], bytes]]] = {
    "ints of one hash": lambda size: set_of(*[big_int(n * MODULUS) for n in range(1, size // 18)]),
    "a Map of ints of one hash": lambda size: _map(big_int(n * MODULUS) for n in range(1, size // 19)),
    "tuples of one hash": lambda size: set_of(
        *[tuple_of(big_int(n * MODULUS)) for n in range(1, size // 24)]
    ),
    "BigInt objects of one hash": lambda size: set_of(
        *[b"z" + big_int(n * MODULUS)[1:] for n in range(1, size // 18)]
    ),
    "equal Dates": lambda size: set_of(*[b"D" + bytes(8)] * (size // 9)),
    "equal Boolean objects": lambda size: set_of(*[b"y"] * size),
    "equal regular expressions": lambda size: set_of(*[b'R"\1a\0'] * (size // 5)),
    "empty tuples as members": lambda size: set_of(*[b"\0A\0$\0\0"] * (size // 6)),
    "arrays as members": lambda size: set_of(*[b"A\0$\0\0"] * (size // 5)),
    "ints and floats": lambda size: set_of(
        *[b"I" + varint(2 * n) + b"N" + struct.pack("<d", n) for n in range(size // 12)]
    ),
    "floats of one hash": lambda size: set_of(*[b"N" + struct.pack("<d", 2.0**n) for n in range(-999, 999)]),
    "one tuple of a big int": lambda size: array(*_after(tuple_of(_half_int(size)), 1, size)),
    "one BigInt object": lambda size: array(*_after(b"z" + _half_int(size)[1:], 1, size)),
    "a big int as one key again and again": lambda size: array(
        tuple_of(_half_int(size)), set_of(*[b"^\1"] * (size // 4))
    ),
    "a tuple of 100": lambda size: array(*_after(tuple_of(*[b"I\2"] * 100), 1, size)),
    "a tuple of tuples": lambda size: array(*_after(tuple_of(*[tuple_of()] * 50), 1, size)),
    "tuples of shared tuples": lambda size: array(
        tuple_of(),
        *[tuple_of(reference(n), reference(n)) for n in range(1, 200)],
        *[set_of(reference(n)) for n in range(1, 200)] * (size // 1200),
    ),
    "two equal Buffers": lambda size: array(
        *_two(b"\\\x0a" + varint(size // 4) + bytes(size // 4)),
        *[set_of(b"^\1", b"^\2")] * (size // 14),
    ),
    "two equal tuples of text": lambda size: array(
        *_two(tuple_of(b'"' + varint(size // 4) + bytes(size // 4))),
        *[set_of(b"^\1", b"^\2")] * (size // 14),
    ),
}

PADDING: Final[dict[str, Callable[[int], bytes]]] = {
    "nothing but padding": repeated(b"\0"),
    "object counts": repeated(b"?\0"),
    "padded object counts": repeated(b"?\0\0"),
    "padding before each int": items(b"\0\0I\0"),
    "padding behind each buffer": items(b"B\0" + bytes(100)),
    "messages of an error": lambda size: b"r" + b'm"\0' * (size // 3) + b".",
}

CLAIMS: Final[dict[str, bytes]] = {
    "an array": b"A\xff\xff\xff\xff\x0f",
    "text": b'"\xff\xff\xff\x7f',
    "two-byte text": b"c\xfe\xff\xff\x7f",
    "UTF-8": b"S\xff\xff\xff\x7f",
    "a bigint": b"Z\xff\xff\xff\x7f",
    "a buffer": b"B\xff\xff\xff\xff\x0f",
    "a buffer of 2**64 bytes": b"B" + b"\xff" * 9 + b"\1",
    "an immutable buffer": b"C\xff\xff\xff\xff\x0f",
    "a resizable buffer": b"~\xff\xff\xff\xff\x0f\xff\xff\xff\xff\x0f",
    "a resizable buffer's maximum": b"~\0" + b"\xff" * 9 + b"\1",
    "a sparse array": b"a\xff\xff\xff\xff\x0f@\0\xff\xff\xff\xff\x0f",
    "a host object": b"\\\x0a\xff\xff\xff\xff\x0f",
    "an object count": b"?\xff\xff\xff\xff\x0f0",
    "a reference": b"A\1^\xff\xff\xff\xff\x0f",
}
"""Few bytes that speak of gigabytes."""

VERSION_0: Final[dict[str, Callable[[int], bytes]]] = {
    "many values": repeated(b"0"),
    "many objects": repeated(b"{\0"),
    "many lists of holes": repeated(b"@\0\x40"),
    "many sparse arrays": repeated(b"@\0\x41"),
    "values, then objects": lambda size: b"0" * (size // 2) + b"{\0" * (size // 4),
    "objects in objects": lambda size: b"0" + b'"\1a0{\1' * (size // 6),
    "a chain of objects": lambda size: b'"\1a' * (size // 5) + b"0" + b"{\1" * (size // 5),
    "one array of everything": lambda size: b"I\0" * (size // 4) + b"@" + varint(size // 8) + b"\0",
    "padding on both sides": lambda size: bytes(size // 2) + b"0" + bytes(size // 2),
}
"""The same without a header."""

EVERYTHING: Final = {**CONTAINERS, **LEAVES, **REFERENCES, **KEYS, **PADDING}

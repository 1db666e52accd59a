"""The vectors of buffers and views, in Python."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from typing import Final

from clonecodec import (
    ArrayBuffer,
    ByIdentity,
    DataView,
    Float16Array,
    Map,
    SharedArrayBuffer,
    Uint8ClampedArray,
)
from tests.vectors.values.made import under, view

VALUES: Final[dict[str, object]] = {}

REGISTERED: Final[dict[str, Sequence[ArrayBuffer | SharedArrayBuffer]]] = {}
"""For the cases with shared and transferred buffers: the buffers that the reader is told of, by their id."""


def buffers() -> dict[str, object]:
    twice, resizable = ArrayBuffer(1), ArrayBuffer(1, max_byte_length=2)
    return {
        "empty": ArrayBuffer(0),
        "three bytes": ArrayBuffer(b"\x00\x80\xff"),
        "two hundred bytes": ArrayBuffer(200),
        "twice": [twice, twice, ArrayBuffer(1)],
        "resizable": ArrayBuffer(2, max_byte_length=4),
        "resizable from nothing": ArrayBuffer(0, max_byte_length=0),
        "resizable to 300": ArrayBuffer(3, max_byte_length=300),
        "resizable twice": [resizable, resizable],
    }


KINDS: Final[dict[str, tuple[str, tuple[float, ...]]]] = {
    "Int8Array": ("b", (-1, 1, 127, -128)),
    "Uint8Array": ("B", (0, 1, 128, 255)),
    "Int16Array": ("h", (-2, 258)),
    "Uint16Array": ("H", (1, 65535)),
    "Int32Array": ("i", (-1, 1)),
    "Uint32Array": ("I", (4294967295, 7)),
    "Float32Array": ("f", (1.5, -0.0, math.nan, math.inf)),
    "Float64Array": ("d", (1.5, -0.0, math.inf, math.nan)),
    "BigInt64Array": ("q", (-1, 1)),
    "BigUint64Array": ("Q", (2**64 - 1, 5)),
}
OWN_KINDS: Final[dict[str, tuple[type[Uint8ClampedArray | Float16Array], int, bytes]]] = {
    "Uint8ClampedArray": (Uint8ClampedArray, 1, b"\x00\xff\x00\xfe"),
    "Float16Array": (Float16Array, 2, bytes.fromhex("003c 00b8 ff7b 007e")),
}
COUNTING: Final = bytes(range(32))


def _views(make: Callable[[bytes | int], object], size: int, values: bytes) -> dict[str, object]:
    twice = make(size)
    return {
        "empty": make(0),
        "values": make(values),
        "forty bytes": make(40),
        "part of a buffer": make(COUNTING[size : size * 3]),
        "twice": [twice, twice, make(size)],
        "resizable": make(size),
        "shared": make(size),
    }


def _native(
    over: Callable[[ArrayBuffer, int, int | None], object], size: int, values: bytes
) -> dict[str, object]:
    def alone(size_or_bytes: int | bytes) -> object:
        return over(ArrayBuffer(size_or_bytes), 0, None)

    twice, then, after = alone(size), ArrayBuffer(size), ArrayBuffer(size)
    first = over(then, 0, None)
    return {
        "empty": alone(0),
        "values": alone(values),
        "part of a buffer": over(ArrayBuffer(COUNTING), size, 2),
        "twice": [twice, twice, alone(size)],
        "then its buffer": [first, then, first],
        "after its buffer": [after, over(after, 0, None), after],
        "length-tracking": over(ArrayBuffer(size * 2, max_byte_length=size * 4), 0, None),
        "on a resizable buffer": over(ArrayBuffer(size * 3, max_byte_length=size * 4), size, 1),
    }


def _add_views() -> None:
    for kind, (format, items) in KINDS.items():
        values = array(format, items)

        def make(source: bytes | int, format: str = format) -> object:
            return memoryview(array(format, bytes(source)))

        def over(buffer: ArrayBuffer, offset: int, length: int | None, format: str = format) -> object:
            return buffer.view(format, offset, length)

        size, data = values.itemsize, values.tobytes()
        VALUES.update({f"view {kind}: {name}": value for name, value in _views(make, size, data).items()})
        VALUES.update({f"native {kind}: {name}": value for name, value in _native(over, size, data).items()})
    for kind, (own, size, data) in OWN_KINDS.items():

        def make_own(source: bytes | int, own: type[Uint8ClampedArray | Float16Array] = own) -> object:
            return own(ArrayBuffer(source))

        def over_own(
            buffer: ArrayBuffer,
            offset: int,
            length: int | None,
            own: type[Uint8ClampedArray | Float16Array] = own,
        ) -> object:
            return own(buffer, offset, length)

        VALUES.update({f"view {kind}: {name}": value for name, value in _views(make_own, size, data).items()})
        VALUES.update(
            {f"native {kind}: {name}": value for name, value in _native(over_own, size, data).items()}
        )


_add_views()


def data_views() -> dict[str, object]:
    twice = DataView(ArrayBuffer(1))
    return {
        "empty": DataView(ArrayBuffer(0)),
        "three bytes": DataView(ArrayBuffer(b"\1\2\3")),
        "part of a buffer": DataView(ArrayBuffer(b"\2\3")),
        "twice": [twice, twice],
        "resizable": DataView(ArrayBuffer(3)),
    }


def native_data_views() -> dict[str, object]:
    twice = DataView(ArrayBuffer(1))
    then, beside = ArrayBuffer(1), ArrayBuffer(4)
    return {
        "empty": DataView(ArrayBuffer(0)),
        "three bytes": DataView(ArrayBuffer(b"\1\2\3")),
        "part of a buffer": DataView(ArrayBuffer(b"\1\2\3\4"), 1, 2),
        "twice": [twice, twice],
        "then its buffer": [DataView(then), then],
        "length-tracking": DataView(ArrayBuffer(3, max_byte_length=8)),
        "on a resizable buffer": DataView(ArrayBuffer(3, max_byte_length=8), 1, 2),
        "beside a typed array": [DataView(beside, 1), beside.view("H", 2)],
    }


def node_buffers() -> dict[str, object]:
    one = bytes([1])
    return {
        "empty": b"",
        "text": b"hello",
        "three bytes": b"\x00\xff\x80",
        "part of a buffer": b"cd",
        "128 bytes": b"\7" * 128,
        "twice": {"a": one, "b": one},
        "two equal ones": [bytes([1, 2]), bytes([1, 2])],
        "two equal ones of one byte": [
            one,
            (1).to_bytes(1, "little"),
        ],  # two objects, where bytes([1]) is one
        "between strings": ["ā", b"x", "ā"],
    }


def views() -> dict[str, object]:
    return {
        "three on one buffer": [view("B", 0, 0, 0, 0), view("H", 0), ArrayBuffer(4)],
        "in an object": {"d": view("d", 2), "e": view("B", 0, 0)},
        "as Map keys": Map({ByIdentity(view("B", 1)): 1, ByIdentity(view("B", 1)): 2}),
        "another tag": view("b", 1),
        "another constructor": bytes([1]),
        "out of bounds": view("B"),
    }


def native_views() -> dict[str, object]:
    eight, four = ArrayBuffer(8), ArrayBuffer(4)
    after: dict[str, object] = {}
    return {
        "three on one buffer": [eight.view("B"), eight.view("H", 2, 1), eight, eight.view("d")],
        "two equal buffers": [ArrayBuffer(b"\1").view(), ArrayBuffer(b"\1").view()],
        "in an object": {
            "d": ArrayBuffer(array("d", [2]).tobytes()).view("d"),
            "e": ArrayBuffer(2).view(),
        },
        "then an object twice": [ArrayBuffer(1).view(), after, after],
        "the same part twice": [four.view("B", 1, 2), four.view("B", 1, 2)],
    }


def shared_buffers() -> dict[str, object]:
    one, two, eight = SharedArrayBuffer(4), SharedArrayBuffer(2), SharedArrayBuffer(8)
    for name in ("alone", "twice", "with a view"):
        REGISTERED[f"shared buffer: {name}"] = [one]
    REGISTERED["shared buffer: two of them"] = [one, two]
    REGISTERED["shared buffer: view in an object"] = [eight]
    return {
        "alone": one,
        "twice": [one, one],
        "two of them": [one, two],
        "with a view": [one.view(), one],
        "view in an object": {"v": eight.view("i", 4, 1)},
    }


def transferred_buffers() -> dict[str, object]:
    one, two = ArrayBuffer(4), ArrayBuffer(2)
    for name in ("alone", "twice", "with a view", "beside a copied one"):
        REGISTERED[f"transferred buffer: {name}"] = [one]
    REGISTERED["transferred buffer: two of them"] = [one, two]
    return {
        "alone": one,
        "twice": [one, one],
        "two of them": {"b": two, "a": one},
        "with a view": [one.view("B", 1, 2), one],
        "beside a copied one": [one, ArrayBuffer(1)],
    }


VALUES.update(
    {
        **under("buffer", buffers()),
        **under("native buffer", buffers()),
        **under("view DataView", data_views()),
        **under("native DataView", native_data_views()),
        **under("Buffer", node_buffers()),
        **under("views", views()),
        **under("native views", native_views()),
        **under("shared buffer", shared_buffers()),
        **under("transferred buffer", transferred_buffers()),
    }
)

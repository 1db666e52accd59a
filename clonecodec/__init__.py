"""V8's structured clone for Python, byte for byte.

>>> from clonecodec import dumps, loads
>>> loads(dumps({"n": 1, "tags": {"a", "b"}, "at": (1, 2)})) == {"n": 1, "tags": {"a", "b"}, "at": (1, 2)}
True
"""

from typing import Any

from ._accelerate import accelerator
from ._clone import clone_with_transfer, structured_clone
from ._file import dump, load
from ._node import DefaultDeserializer, DefaultSerializer, dumps, loads
from ._reader import Deserializer
from ._writer import Serializer
from .buffers import ArrayBuffer, BufferToken, SharedArrayBuffer
from .errors import CloneError, DataCloneError, DecodeError, TruncatedError
from .jserrors import (
    JSError,
    JSEvalError,
    JSRangeError,
    JSReferenceError,
    JSSyntaxError,
    JSTypeError,
    JSURIError,
)
from .regexp import RegExp
from .transfer import (
    Transferable,
    check_transfer_list,
    is_detached,
    is_marked_as_untransferable,
    mark_as_untransferable,
    take_all,
)
from .values import Array, BigInt, Boxed, ByIdentity, Date, Map, SparseArray, hole, undefined
from .views import DataView, Float16Array, Uint8ClampedArray

accelerated: bool = accelerator is not None
"""Whether the C part does the work."""

if accelerator is not None:
    dumps, loads, structured_clone, clone_with_transfer = accelerator.shortcuts(
        dumps, loads, structured_clone, clone_with_transfer
    )


def __getattr__(name: str) -> Any:
    """Import ``clonecodec.cbor``, ``.foreign`` and ``.store`` when they are asked for."""
    if name in ("cbor", "foreign", "store"):
        import importlib

        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Array",
    "ArrayBuffer",
    "BigInt",
    "Boxed",
    "BufferToken",
    "ByIdentity",
    "CloneError",
    "DataCloneError",
    "DataView",
    "Date",
    "DecodeError",
    "DefaultDeserializer",
    "DefaultSerializer",
    "Deserializer",
    "Float16Array",
    "JSError",
    "JSEvalError",
    "JSRangeError",
    "JSReferenceError",
    "JSSyntaxError",
    "JSTypeError",
    "JSURIError",
    "Map",
    "RegExp",
    "Serializer",
    "SharedArrayBuffer",
    "SparseArray",
    "Transferable",
    "TruncatedError",
    "Uint8ClampedArray",
    "accelerated",
    "check_transfer_list",
    "clone_with_transfer",
    "dump",
    "dumps",
    "hole",
    "is_detached",
    "is_marked_as_untransferable",
    "load",
    "loads",
    "mark_as_untransferable",
    "structured_clone",
    "take_all",
    "undefined",
]

"""V8's structured clone for Python, byte for byte.

>>> from clonecodec import dumps, loads
>>> loads(dumps({"n": 1, "tags": {"a", "b"}, "at": (1, 2)})) == {"n": 1, "tags": {"a", "b"}, "at": (1, 2)}
True
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself would take as long to import as a third of the codec
if TYPE_CHECKING:
    from typing import Any

    from ._accelerate import accelerated
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

_HOMES = {
    "_accelerate": "accelerated",
    "_clone": "clone_with_transfer structured_clone",
    "_file": "dump load",
    "_node": "DefaultDeserializer DefaultSerializer dumps loads",
    "_reader": "Deserializer",
    "_writer": "Serializer",
    "buffers": "ArrayBuffer BufferToken SharedArrayBuffer",
    "errors": "CloneError DataCloneError DecodeError TruncatedError",
    "jserrors": "JSError JSEvalError JSRangeError JSReferenceError JSSyntaxError JSTypeError JSURIError",
    "regexp": "RegExp",
    "transfer": "Transferable check_transfer_list is_detached is_marked_as_untransferable "
    "mark_as_untransferable take_all",
    "values": "Array BigInt Boxed ByIdentity Date Map SparseArray hole undefined",
    "views": "DataView Float16Array Uint8ClampedArray",
}
"""Where a name is: its module is imported when the name is asked for, so that nobody waits for what they do
not use.  (It says the same as the imports above, which only type checkers see; a test compares them.)"""

_SHORTCUTS = ("clone_with_transfer", "dumps", "loads", "structured_clone")
_PACKAGES = ("cbor", "foreign", "store")


def __getattr__(name: str) -> Any:
    """Import what is asked for: a name of ``__all__``, or a package built on the codec."""
    import importlib

    if name in _PACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    for home, names in _HOMES.items():
        if name in names.split():
            value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
            if name in _SHORTCUTS:
                from ._accelerate import accelerator

                value = value if accelerator is None else accelerator.shortcut(value)
            return globals().setdefault(name, value)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_PACKAGES})


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

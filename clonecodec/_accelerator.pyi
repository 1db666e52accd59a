"""The C part, as ``_accelerate`` hands it out."""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, TypeVar, type_check_only

from .buffers import Octets

F = TypeVar("F")

@type_check_only
class Writer(Protocol):
    def write(self, serializer: object, value: object, claims: bool, /) -> None: ...

Core: TypeAlias = tuple[Writer, bytearray, dict[int, int], list[object]]
"""A Writer, and what stands for a Serializer's ``_out``, ``_ids`` and ``_objects``."""

@type_check_only
class Accelerator(Protocol):
    @property
    def know(self) -> Callable[..., None]: ...
    @property
    def writer(self) -> Callable[[int, int, int], Core]: ...
    @property
    def read(self) -> Callable[[object], object]: ...
    @property
    def clone(self) -> Callable[[object, int], object]: ...
    @property
    def dumps_plain(self) -> Callable[[object], bytes | None]: ...
    @property
    def loads_plain(self) -> Callable[[Octets], Any]: ...
    def shortcut(self, function: F, /) -> F: ...

def know(**what: object) -> None:
    """Take the classes, functions and constants that the C code needs."""

def writer(hint: int, version: int, max_depth: int, /) -> Core:
    """Return the core of a Serializer."""

def read(deserializer: object, /) -> object:
    """What ``Deserializer._read`` returns; or NotImplemented, and nothing has been read."""

def clone(value: object, max_depth: int, /) -> object:
    """What ``structured_clone`` returns, or NotImplemented."""

def dumps_plain(value: object, /) -> bytes | None:
    """What ``plain.dumps_plain`` returns."""

def loads_plain(data: Octets, /) -> Any:
    """What ``plain.loads_plain`` returns."""

def shortcut(function: F, /) -> F:
    """Return the same function, faster."""

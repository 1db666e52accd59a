"""The C part, as ``_accelerate`` hands it out."""

from collections.abc import Callable
from typing import Protocol, TypeAlias, type_check_only

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
    def dumps(self) -> Callable[[object, bool, int, int], bytes]: ...
    @property
    def loads(self) -> Callable[[object, int], object]: ...
    @property
    def read(self) -> Callable[[object], object]: ...
    @property
    def clone(self) -> Callable[[object, int], object]: ...

def know(**what: object) -> None:
    """Take the classes, functions and constants that the C code needs."""

def writer(hint: int, version: int, max_depth: int, /) -> Core:
    """Return the core of a Serializer."""

def dumps(value: object, hints: bool, version: int, max_depth: int, /) -> bytes:
    """What ``dumps`` returns."""

def loads(data: object, max_depth: int, /) -> object:
    """What ``loads`` returns, or NotImplemented."""

def read(deserializer: object, /) -> object:
    """What ``Deserializer._read`` returns; or NotImplemented, and nothing has been read."""

def clone(value: object, max_depth: int, /) -> object:
    """What ``structured_clone`` returns, or NotImplemented."""

"""What can go wrong, as a family of exceptions split by whose fault it is.

CloneError
├── DataCloneError     the value cannot be cloned     (caller's fault)     .reason .path
└── DecodeError        the bytes are not a clone      (sender's fault)     .reason .offset
    └── TruncatedError ... but a prefix of one might be

The place is data: ``args`` equals the constructor's arguments, so that every error pickles, and the
sentence is made in ``__str__``.
"""

from __future__ import annotations

__all__ = ["CloneError", "DataCloneError", "DecodeError", "TruncatedError"]


class CloneError(Exception):
    """Anything that this library itself raises about a value or its bytes."""


class DataCloneError(CloneError, TypeError):
    """The value cannot be cloned (HTML's ``DataCloneError``).

    Attributes:
        reason: what is wrong and what to do instead, without the place.
        path: where in the value, from ``$``: ``.name`` for identifiers, ``["any key"]`` for other keys,
            ``[0]`` for items, ``.key(0)`` and ``.value(0)`` in a Map, ``{0}`` in a set.

    >>> print(DataCloneError("a function cannot be cloned", "$.jobs[1].callback"))
    a function cannot be cloned at $.jobs[1].callback
    """

    def __init__(self, reason: str, path: str = "$") -> None:
        super().__init__(reason, path)
        self.reason = reason
        self.path = path

    def __str__(self) -> str:
        return self.reason if self.path == "$" else f"{self.reason} at {self.path}"


class DecodeError(CloneError, ValueError):
    """The bytes are not a structured clone.

    Attributes:
        reason: what is wrong, without its place: ``"unknown tag 0x7a"``.
        offset: index of the first byte that cannot be right.

    >>> print(DecodeError("unknown tag 0x7a", 2))
    unknown tag 0x7a at byte 2
    """

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason, offset)
        self.reason = reason
        self.offset = offset

    def __str__(self) -> str:
        return f"{self.reason} at byte {self.offset}"


class TruncatedError(DecodeError, EOFError):
    """The bytes end too soon: a prefix of a structured clone might look like this."""

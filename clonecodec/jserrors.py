"""JavaScript's errors, as exceptions that can be raised, caught and cloned.

JSError (name "Error")
├── JSEvalError       EvalError
├── JSRangeError      RangeError
├── JSReferenceError  ReferenceError
├── JSSyntaxError     SyntaxError
├── JSTypeError       TypeError
└── JSURIError        URIError

V8 keeps an error's class, message, stack and cause, and nothing else of it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, Final

__all__ = [
    "JSError",
    "JSEvalError",
    "JSRangeError",
    "JSReferenceError",
    "JSSyntaxError",
    "JSTypeError",
    "JSURIError",
]


class JSError(Exception):
    """An ``Error`` of JavaScript.

    Args:
        message: None if the error has no message of its own, as ``new Error()`` has none.
        stack: the text of its ``stack``, which V8 begins with the name and the message.
        cause: what ``new Error(message, {cause})`` was given; None for no cause.

    A cause that is ``null`` is said by assigning: ``error.cause = None``; ``del error.cause`` takes the
    cause away.  A cause that is an exception is also the exception's ``__cause__``, so that tracebacks
    show it.

    >>> JSRangeError("out of range").name
    'RangeError'
    """

    name: ClassVar[str] = "Error"
    """JavaScript's ``error.name``."""

    __slots__ = ("_cause", "message", "stack")

    message: str | None
    stack: str | None

    def __init__(self, message: str | None = None, *, stack: str | None = None, cause: object = None) -> None:
        super().__init__(*(() if message is None else (message,)))
        self.message = message
        self.stack = stack
        if cause is not None:
            self.cause = cause

    @property
    def has_cause(self) -> bool:
        """Whether there is a cause, which may be None (``null``)."""
        return hasattr(self, "_cause")

    @property
    def cause(self) -> object:
        """The cause, or None without one."""
        return getattr(self, "_cause", None)

    @cause.setter
    def cause(self, value: object) -> None:
        del self.cause
        self._cause = value
        if isinstance(value, BaseException) and value is not self:
            self.__cause__ = value

    @cause.deleter
    def cause(self) -> None:
        if self.has_cause:
            if self.__cause__ is self._cause:
                self.__cause__ = None
            del self._cause

    def __str__(self) -> str:
        return "" if self.message is None else str(self.message)

    def __reduce__(self) -> tuple[object, ...]:
        state = {"message": self.message, "stack": self.stack}
        return type(self), (self.message,), (state, self.has_cause, self.cause)

    def __setstate__(self, state: object) -> None:
        assert isinstance(state, tuple)
        fields, has_cause, cause = state
        self.message, self.stack = fields["message"], fields["stack"]
        if has_cause:
            self.cause = cause


class JSEvalError(JSError):
    """An ``EvalError`` of JavaScript."""

    __slots__ = ()
    name = "EvalError"


class JSRangeError(JSError):
    """A ``RangeError`` of JavaScript."""

    __slots__ = ()
    name = "RangeError"


class JSReferenceError(JSError):
    """A ``ReferenceError`` of JavaScript."""

    __slots__ = ()
    name = "ReferenceError"


class JSSyntaxError(JSError):
    """A ``SyntaxError`` of JavaScript."""

    __slots__ = ()
    name = "SyntaxError"


class JSTypeError(JSError):
    """A ``TypeError`` of JavaScript."""

    __slots__ = ()
    name = "TypeError"


class JSURIError(JSError):
    """A ``URIError`` of JavaScript."""

    __slots__ = ()
    name = "URIError"


BY_NAME: Final[dict[str, type[JSError]]] = {
    kind.name: kind
    for kind in (
        JSError,
        JSEvalError,
        JSRangeError,
        JSReferenceError,
        JSSyntaxError,
        JSTypeError,
        JSURIError,
    )
}
"""JavaScript's name of an error class to ours."""


def name_of(error: BaseException) -> str:
    """The JavaScript class that *error* is written as: its own, or the nearest to a Python exception's."""
    if isinstance(error, JSError):
        return error.name if error.name in BY_NAME else "Error"
    if isinstance(error, TypeError):
        return "TypeError"
    if isinstance(error, SyntaxError):
        return "SyntaxError"
    if isinstance(error, NameError):
        return "ReferenceError"
    if isinstance(error, (ValueError, IndexError, ArithmeticError)):
        return "RangeError"
    return "Error"


def message_of(error: BaseException) -> str | None:
    """The message that *error* is written with."""
    if isinstance(error, JSError):
        return None if error.message is None else str(error.message)
    return str(error)


def stack_of(error: BaseException) -> str | None:
    """The stack that *error* is written with: of a Python exception, its formatted traceback."""
    if isinstance(error, JSError):
        return error.stack if isinstance(error.stack, str) else None
    import traceback  # slow to import, and rarely needed

    kind, place = type(error), error.__traceback__
    if not _hangs_on_many(error):
        return "".join(traceback.format_exception(kind, error, place, chain=False)).rstrip("\n")
    # The module traceback looks at a whole chain, though only its first error is wanted, and each error of
    # the chain comes here.
    lines = ["Traceback (most recent call last):\n", *traceback.format_tb(place)] if place is not None else []
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    message = str(error)
    return "".join([*lines, f"{name}: {message}" if message else name])


MAX_CHAIN: Final = 30  # errors that are looked at again for each one before them


def _hangs_on_many(error: BaseException) -> bool:
    """Whether more than a few errors are causes or contexts of *error*."""
    seen = {id(error)}
    todo = [error]
    while todo and len(seen) <= MAX_CHAIN:
        last = todo.pop()
        for other in (last.__cause__, last.__context__):
            if other is not None and id(other) not in seen:
                seen.add(id(other))
                todo.append(other)
    return len(seen) > MAX_CHAIN


def cause_of(error: BaseException) -> tuple[()] | tuple[object]:
    """The cause that *error* is written with, or nothing: None (``null``) can be a cause."""
    if isinstance(error, JSError) and error.has_cause:
        return (error.cause,)
    return () if error.__cause__ is None else (error.__cause__,)

"""How the values of the vectors are made: what several of the modules beside this one need."""

from __future__ import annotations

from array import array
from datetime import UTC, datetime, timedelta

from clonecodec import JSError


def under(kind: str, values: dict[str, object]) -> dict[str, object]:
    """*values* by the full names of their cases: *kind*, and the name."""
    return {f"{kind}: {name}": value for name, value in values.items()}


def moment(milliseconds: int) -> datetime:
    """The datetime of a Date."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def js_error(kind: type[JSError] = JSError, message: str | None = "m", *cause: object) -> JSError:
    """The error that make.js has: its stack is "S"."""
    error = kind(message, stack="S")
    if cause:
        error.cause = cause[0]
    return error


def view(format: str, *items: float) -> memoryview:
    """A typed array with memory of its own."""
    return memoryview(array(format, items))

"""Where in the caller's bytes an error is, when what was read is only a part of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from clonecodec.errors import DecodeError


@contextmanager
def shifted(by: int, within: str = "") -> Iterator[None]:
    """Let a DecodeError count from *by* bytes earlier, and say *within* what it was found."""
    try:
        yield
    except DecodeError as error:
        if not by and not within:
            raise
        raise type(error)(error.reason + within, max(error.offset + by, 0)) from None

"""Dates: JavaScript's milliseconds since 1970 as a double, Python's aware datetime.

Microseconds are kept as a fraction of a millisecond, which JavaScript drops.  A double has room for them from
1700 to 2248 exactly; elsewhere the nearest one is taken.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from .values import MAX_TIME, Date

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST: Final = (datetime.min.replace(tzinfo=UTC) - EPOCH) // _MICROSECOND
_LAST: Final = (datetime.max.replace(tzinfo=UTC) - EPOCH) // _MICROSECOND


def to_milliseconds(value: datetime) -> float:
    """Return the time value of *value*.

    Raises:
        DataCloneError: it is naive, and so names no instant.
    """
    if value.utcoffset() is None:
        from ._instances import refusal

        raise refusal(value)
    return ((value - EPOCH) // _MICROSECOND) / 1000


def from_milliseconds(milliseconds: float) -> datetime | Date:
    """Return the instant as a datetime in UTC, or as a Date where no datetime can hold it."""
    if not abs(milliseconds) <= MAX_TIME:  # also true of nan
        return Date(math.nan)
    whole, parts = milliseconds.as_integer_ratio()
    microseconds = (whole * 2000 + parts) // (2 * parts)  # to the nearest, exactly
    if not _FIRST <= microseconds <= _LAST:
        microseconds = int(milliseconds) * 1000  # what a Date would hold, which may just be in range
    if _FIRST <= microseconds <= _LAST:
        return EPOCH + timedelta(microseconds=microseconds)
    return Date(milliseconds)

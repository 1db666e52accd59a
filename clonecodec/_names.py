"""Property keys as they are read: text, or numbers that become text as JavaScript has it.

The names seen lately are remembered with their bytes, so that most keys are not decoded at all.
"""

from __future__ import annotations

from ._properties import MAX_CODE_LENGTH, MAX_CODES, is_index
from ._tags import ONE_BYTE_STRING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

names: Final[dict[bytes, str]] = {}
"""One-byte keys seen lately that are no array index, by their code: tag, length, characters."""


def remember(name: str) -> None:
    """Remember the one-byte key *name*, unless it is an array index, or data rather than a name."""
    if len(name) > MAX_CODE_LENGTH or is_index(name):
        return
    if len(names) >= MAX_CODES:
        names.clear()
    names[bytes((ONE_BYTE_STRING, len(name))) + name.encode("latin-1")] = name


def number_name(number: int | float) -> str:
    """Return what JavaScript calls a property that is given as *number* (ECMA-262, Number::toString)."""
    if isinstance(number, int):
        return str(number)
    if number != number:
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    sign = "-" if number < 0 else ""
    mantissa, _, exponent = f"{abs(number)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + ("" if fraction == "0" else fraction)).lstrip("0")
    # The number is 0.digits times 10 to the power of *point*.
    point = len(whole) + int(exponent or 0)
    if whole == "0":
        point = int(exponent or 0) - (len(fraction) - len(fraction.lstrip("0")))
    stripped = digits.rstrip("0")
    if 0 < point <= 21:
        if len(stripped) <= point:
            return sign + stripped.ljust(point, "0")
        return f"{sign}{stripped[:point]}.{stripped[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{stripped}"
    power = f"e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return sign + stripped[0] + (f".{stripped[1:]}" if len(stripped) > 1 else "") + power

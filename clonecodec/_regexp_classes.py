"""JavaScript's character classes in Python's syntax, for patterns under ``re.ASCII``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

SPACE: Final = r"\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
"""WhiteSpace and LineTerminator of ECMA-262, for a class."""
LONG_S: Final = "\u017f"
KELVIN: Final = "\u212a"
KIN: Final = ((0x53, 0x73, 0x17F), (0x4B, 0x6B, 0x212A))
"""S and K, their small letters, and the third case of each, where JavaScript folds as Unicode says."""
FOLDS_TO_ASCII: Final = f"{LONG_S}{KELVIN}\u0130\u0131"
"""What Python takes for another case of a letter of ASCII; JavaScript only the first two, under u and v."""


class Members:
    """What stands between the brackets of a class."""

    def __init__(self) -> None:
        self.ranges: Final[list[tuple[int, int]]] = []
        self.sets: Final[list[str]] = []
        """Text that may stand in brackets, under re.ASCII."""
        self.others: Final[list[str]] = []
        """Classes that cannot, because they are negated."""

    def add(self, first: int | None, last: int | None) -> None:
        if first is not None and last is not None:
            self.ranges.append((first, last))

    def add_set(self, char: str, *, extended: bool) -> None:
        if char == "S":
            self.others.append(f"[^{SPACE}]")
        elif char == "W" and extended:
            self.others.append(rf"[^\w{LONG_S}{KELVIN}]")
        elif char == "w" and extended:
            self.sets.append(rf"\w{LONG_S}{KELVIN}")
        else:
            self.sets.append(SPACE if char == "s" else "\\" + char)

    def text(self, negated: bool, fold: bool, unicode: bool) -> str:
        """The class in Python's syntax: one atom, of one character's width."""
        near, far = self.ranges, ""
        if fold:
            near = [(first, min(last, 0x7F)) for first, last in self.ranges if first <= 0x7F]
            beyond = [(max(first, 0x80), last) for first, last in self.ranges if last > 0x7F]
            far = bracketed(beyond)
            near += kin(self.ranges) if unicode else []
        inside = bracketed(near) + "".join(self.sets)
        parts = [f"[{inside}]"] if inside else []
        if far:
            # What is beyond ASCII has no other case within, except what kin() has added.
            parts.append(rf"(?![\x00-\x7f])(?u:[{far}])")
        parts += self.others
        if not parts:
            return r"[\s\S]" if negated else "(?!)"
        if len(parts) == 1 and inside:
            return f"[^{inside}]" if negated else parts[0]
        return rf"(?:(?!{'|'.join(parts)})[\s\S])" if negated else f"(?:{'|'.join(parts)})"


def kin(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """What to add to *ranges* so that all of KIN are in where one is."""
    added = []
    for family in KIN:
        if any(first <= code <= last for first, last in ranges for code in family):
            added += [(code, code) for code in family]
    return added


def bracketed(ranges: Iterable[tuple[int, int]]) -> str:
    """*ranges* as they stand between brackets."""
    out = []
    for first, last in ranges:
        out.append(in_class(chr(first)))
        if last > first:
            out.append(f"-{in_class(chr(last))}")
    return "".join(out)


def in_class(char: str) -> str:
    # Of the others, Python warns of some: they may get a meaning of their own one day.
    return f"\\{char}" if char in "\\]^-[&|~" else visible(char)


def quote(char: str) -> str:
    """*char* as a literal outside classes."""
    return f"\\{char}" if char in "^$\\.*+?()[]{}|" else visible(char)


def visible(char: str) -> str:
    """*char*, or an escape of it if it would not be seen in print."""
    code = ord(char)
    if char.isprintable():
        return char
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def boundary(word: str, wanted: bool) -> str:
    """``\\b``, or ``\\B`` if it is not *wanted*, for a set of word characters of one's own."""
    if wanted:
        return f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))"
    return f"(?:(?<={word})(?={word})|(?<!{word})(?!{word}))"

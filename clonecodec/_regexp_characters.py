"""What ToPython reads a JavaScript pattern with: its characters, and all the escapes that stand for one."""

from __future__ import annotations

from typing import Final, NoReturn

from clonecodec._regexp_groups import INFINITE

CONTROLS: Final = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
SYNTAX: Final = frozenset("^$\\.*+?()[]{}|/")
DIGITS: Final = frozenset("0123456789")
OCTAL: Final = frozenset("01234567")
LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
SET_PUNCTUATION: Final = frozenset("&-!#%,:;<=>@`~")  # ClassSetReservedPunctuator
HEXADECIMAL: Final = frozenset("0123456789abcdefABCDEF")


class Characters:
    """A pattern, and how far it has been read."""

    def __init__(self, source: str, flags: str) -> None:
        # A surrogate pair is one character, however it was written.
        self.source: Final = source.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        self.sets: Final = "v" in flags
        self.unicode: Final = self.sets or "u" in flags
        self.at = 0
        self.count, self.names = count_groups(self.source)

    def refuse(self, what: str) -> NoReturn:
        raise ValueError(f"Python cannot express this regular expression: {what} before index {self.at}")

    def invalid(self, what: str) -> NoReturn:
        raise ValueError(f"this is no regular expression of JavaScript's: {what} before index {self.at}")

    def take(self, text: str) -> bool:
        if self.source.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def digits(self, allowed: frozenset[str] = DIGITS, most: int = INFINITE) -> str:
        start = self.at
        while self.at < len(self.source) and self.at - start < most and self.source[self.at] in allowed:
            self.at += 1
        return self.source[start : self.at]

    def character(self, char: str, in_class: bool = False) -> int:
        """The character that a backslash and *char*, already read, begin."""
        if char in CONTROLS:
            return CONTROLS[char]
        if char == "c":
            return self.control(in_class)
        if char in "xu":
            return self.hexadecimal(char)
        if char in DIGITS:
            return self.octal(char)
        if self.unicode:
            if char in "pP" or (self.sets and char == "q"):
                self.refuse(f"\\{char}{{...}}")
            punctuation = in_class and (char == "-" or (self.sets and char in SET_PUNCTUATION))
            if char not in SYNTAX and not punctuation:
                self.invalid(f"an unknown escape, \\{char},")
        elif char == "k" and self.names:
            self.invalid("\\k without a name")
        return ord(char)

    def control(self, in_class: bool) -> int:
        following = self.source[self.at : self.at + 1]
        if following in LETTERS or (in_class and not self.unicode and following in DIGITS | {"_"}):
            self.at += 1
            return ord(following) % 32
        if self.unicode:
            self.invalid("\\c without a letter")
        self.at -= 1  # the backslash is literal, and so is the c
        return ord("\\")

    def hexadecimal(self, char: str) -> int:
        if char == "u" and self.unicode and self.take("{"):
            digits = self.digits(HEXADECIMAL).lstrip("0") or ("0" if self.source[self.at - 1] == "0" else "")
            if not digits or len(digits) > 6 or int(digits, 16) > 0x10FFFF or not self.take("}"):
                self.invalid("a \\u{...} without a character")
            return int(digits, 16)
        code = self.fixed(2 if char == "x" else 4)
        if code is None:
            if self.unicode:
                self.invalid(f"\\{char} without its digits")
            return ord(char)
        if 0xD800 <= code <= 0xDBFF and self.take("\\u"):
            low = self.fixed(4)
            if low is not None and 0xDC00 <= low <= 0xDFFF:
                return 0x10000 + ((code - 0xD800) << 10) + low - 0xDC00
            self.at -= 2 if low is None else 6
        return code

    def fixed(self, count: int) -> int | None:
        start = self.at
        digits = self.digits(HEXADECIMAL, count)
        if len(digits) == count:
            return int(digits, 16)
        self.at = start
        return None

    def octal(self, char: str) -> int:
        if self.unicode:
            if char != "0" or self.source[self.at : self.at + 1] in DIGITS:
                self.invalid("a decimal escape without a group")
            return 0
        if char not in OCTAL:
            return ord(char)
        self.at -= 1
        return int(self.digits(OCTAL, 3 if char <= "3" else 2), 8)


def number(digits: str) -> int:
    """*digits* as an int, INFINITE at most."""
    digits = digits.lstrip("0") or "0"
    return min(int(digits), INFINITE) if len(digits) <= 10 else INFINITE


def count_groups(source: str) -> tuple[int, dict[str, int]]:
    """The number of capturing groups in *source*, and the numbers of those with a name."""
    count, at, in_class = 0, 0, False
    names: dict[str, int] = {}
    while at < len(source):
        char = source[at]
        if char == "\\":
            at += 1
        elif in_class or char == "[":
            in_class = char != "]"
        elif char == "(":
            named = source.startswith("(?<", at) and source[at + 3 : at + 4] not in ("=", "!")
            if named or not source.startswith("(?", at):
                count += 1
            if named:
                name = source[at + 3 : max(source.find(">", at), at + 3)]
                if not name.isidentifier():
                    raise ValueError(f"Python cannot express the group name {name[:80]!r} at index {at}")
                names.setdefault(name, count)
        at += 1
    return count, names

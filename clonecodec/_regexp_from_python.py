"""Python's regular expressions in JavaScript's syntax: one pass over a pattern that Python has compiled.

What is written compiles with and without the flag u, which is only set for characters beyond U+FFFF in a
class.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NoReturn

from clonecodec._regexp_groups import INFINITE, OPENINGS, Frame, Kind, Reference, Standing, repeats_oddly
from clonecodec.errors import DataCloneError

if TYPE_CHECKING:
    import re

DIGITS: Final = frozenset("0123456789")
OCTAL: Final = frozenset("01234567")
CONTROLS: Final = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
HEXADECIMAL: Final = {"x": 2, "u": 4, "U": 8}
SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
ASCII_SPACE: Final = {"s": r"\t-\r ", "S": r"\S\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"}
"""Under re.ASCII: what JavaScript's ``\\s`` has besides is no space."""
VERBOSE_SPACE: Final = " \t\n\r\v\f"


class FromPython:
    """Translates one pattern; ``run`` gives the source, and then ``unicode`` tells if it needs the flag u."""

    def __init__(self, pattern: str, flags: int) -> None:
        import re

        self.source: Final = pattern
        self.multiline: Final = bool(flags & re.MULTILINE)
        self.dot_all: Final = bool(flags & re.DOTALL)
        self.verbose: Final = bool(flags & re.VERBOSE)
        self.ascii: Final = bool(flags & re.ASCII)
        self.unicode = False
        self.at = 0
        self.out: Final[list[str]] = []
        self.frame = Frame(None)
        self.starts: Final[list[int]] = []
        """Where in ``out`` each group that is open begins."""
        self.groups: Final[list[Frame]] = []
        self.names: Final[dict[str, int]] = {}
        self.references: Final[list[Reference]] = []
        self.after_number = -1
        """The length of ``out`` after a reference, to which a digit must not be added."""

    def refuse(self, what: str) -> NoReturn:
        raise DataCloneError(
            f"JavaScript cannot express a pattern with {what}: use RegExp(source, flags) with a source in "
            "JavaScript's syntax"
        )

    def run(self) -> str:
        while self.at < len(self.source):
            if self.ignorable():
                continue
            char = self.source[self.at]
            self.at += 1
            handler = HANDLERS.get(char)
            if handler is None:
                self.literal(char)
            else:
                handler(self)
        for reference in self.references:
            standing = reference.standing(self.groups[reference.number - 1])
            if standing is not Standing.SURE:
                self.refuse(f"a reference to group {reference.number} ({standing.value})")
        return "".join(self.out)

    def take(self, text: str) -> bool:
        if self.source.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def until(self, end: str) -> str:
        start = self.at
        place = self.source.find(end, start)
        self.at = len(self.source) if place < 0 else place + len(end)
        return self.source[start : self.at - len(end)]

    def digits(self, allowed: frozenset[str], most: int = INFINITE) -> str:
        start = self.at
        while self.at < len(self.source) and self.at - start < most and self.source[self.at] in allowed:
            self.at += 1
        return self.source[start : self.at]

    def ignorable(self) -> bool:
        """Skip one comment, or what re.VERBOSE ignores, if it stands here."""
        if self.take("(?#"):
            self.until(")")
            return True
        if self.verbose and self.at < len(self.source):
            char = self.source[self.at]
            if char == "#":
                self.until("\n")
                return True
            if char in VERBOSE_SPACE:
                self.at += 1
                return True
        return False

    # -- terms

    def atom(self, text: str, *, width: bool = True) -> None:
        start = len(self.out)
        self.out.append(text)
        self.quantify(start, loose=text > "\uffff", width=width)

    def quantify(self, start: int, inside: Frame | None = None, *, loose: bool, width: bool = True) -> None:
        """Read the quantifier, if there is one, of the term that begins at ``out[start]``.

        JavaScript cannot repeat a *loose* one as it stands: a lookaround, or two halves of a character.
        """
        while self.ignorable():
            pass
        low, high, text = self.quantifier()
        lazy = False
        if text:
            if loose:
                self.out[start] = f"(?:{self.out[start]}"
                self.out.append(")")
            lazy = self.take("?")
            if not lazy and self.take("+"):
                self.refuse(f"the possessive quantifier {text}+")
            self.out.append(text + "?" * lazy)
        if inside is not None:
            inside.low, inside.high = low, high
            if repeats_oddly(inside, low, high):
                self.refuse("a repeated group that may choose to match nothing")
        self.frame.add(low, inside, lazy=lazy and low < high, width=width)

    def quantifier(self) -> tuple[int, int, str]:
        for text, low, high in (("*", 0, INFINITE), ("+", 1, INFINITE), ("?", 0, 1)):
            if self.take(text):
                return low, high, text
        start = self.at
        if self.take("{") and not self.take("}"):
            first = last = self.digits(DIGITS)
            comma = self.take(",")
            if comma:
                last = self.digits(DIGITS)
            if (first or comma) and self.take("}"):
                high = int(last) if last else INFINITE
                return int(first or 0), high, f"{{{first or 0}{',' * comma}{last * comma}}}"
        self.at = start
        return 1, 1, ""

    def literal(self, char: str) -> None:
        if char in DIGITS and self.after_number == len(self.out):
            self.atom(f"[{char}]")
        else:
            self.atom(f"\\{char}" if char in "^$\\.*+?()[]{}|/" else visible(char))

    def start(self) -> None:
        self.out.append(r"(?<![^\n])" if self.multiline else "^")

    def end(self) -> None:
        self.out.append(r"(?![^\n])" if self.multiline else r"(?=\n?$)")

    def dot(self) -> None:
        self.atom("." if self.dot_all else r"[^\n]")

    def bar(self) -> None:
        self.frame.next_branch()
        self.out.append("|")

    # -- groups

    def open(self) -> None:
        self.at -= 1
        for text, kind in OPENINGS:
            if self.take(text):
                self.push(text, kind)
                return
        if self.take("(?P<"):
            name = self.until(">")
            self.names[name] = len(self.groups) + 1
            self.push(f"(?<{name}>", Kind.GROUP, capturing=True)
        elif self.take("(?P="):
            name = self.until(")")
            self.refer(self.names[name], f"\\k<{name}>")
        elif self.take("(?>"):
            self.refuse("an atomic group")
        elif self.take("(?("):
            self.refuse("a condition")
        elif self.take("(?"):
            # Flags for the whole pattern stand at its beginning, and are among its flags.
            while self.source[self.at] not in ":)":
                self.at += 1
            if self.take(":"):
                self.refuse("flags for a part of it")
            self.at += 1
        else:
            self.at += 1
            self.push("(", Kind.GROUP, capturing=True)

    def push(self, text: str, kind: Kind, *, capturing: bool = False) -> None:
        self.frame = Frame(self.frame, kind, len(self.groups) + 1 if capturing else 0)
        if capturing:
            self.groups.append(self.frame)
        self.starts.append(len(self.out))
        self.out.append(text)

    def close(self) -> None:
        frame = self.frame
        assert frame.parent is not None
        self.frame = frame.parent
        self.out.append(")")
        self.quantify(self.starts.pop(), frame, loose=frame.kind is not Kind.GROUP)

    def refer(self, group: int, text: str) -> None:
        self.references.append(Reference(group, self.frame, len(self.groups)))
        self.after_number = len(self.out) + 1
        self.atom(text, width=False)

    # -- escapes

    def escape(self) -> None:
        char = self.source[self.at]
        self.at += 1
        if char in "AZ":
            begin, end = (r"(?<![\s\S])", r"(?![\s\S])") if self.multiline else ("^", "$")
            self.out.append(begin if char == "A" else end)
        elif char in "bB":
            self.out.append(f"\\{char}")
        elif char in "sS" and self.ascii:
            self.atom(f"[{ASCII_SPACE[char]}]")
        elif char in "dDwWsS":
            self.atom(f"\\{char}")
        elif char in "123456789":
            self.reference_or_octal()
        else:
            self.literal(self.character(char))

    def reference_or_octal(self) -> None:
        self.at -= 1
        start = self.at
        octal = self.digits(OCTAL, 3)
        if len(octal) == 3:
            self.literal(chr(int(octal, 8)))
            return
        self.at = start
        digits = self.digits(DIGITS, 2)
        self.refer(int(digits), f"\\{digits}")

    def character(self, char: str) -> str:
        """The character that a backslash and *char*, already read, begin."""
        if char in CONTROLS:
            return chr(CONTROLS[char])
        if char in HEXADECIMAL:
            start = self.at
            self.at += HEXADECIMAL[char]
            return chr(int(self.source[start : self.at], 16))
        if char == "N":
            import unicodedata

            return unicodedata.lookup(self.until("}")[1:])
        if char in OCTAL:  # outside classes only \0 comes here
            self.at -= 1
            return chr(int(self.digits(OCTAL, 3), 8))
        return char

    # -- classes

    def character_class(self) -> None:
        out = ["[^" if self.take("^") else "["]
        first = True
        while first or not self.take("]"):
            first = False
            out.append(self.member())
            if self.source.startswith("-", self.at) and not self.source.startswith("-]", self.at):
                self.at += 1
                out.append("-" + self.member())
        self.atom("".join(out) + "]")

    def member(self) -> str:
        """One character or set, as JavaScript writes it in a class."""
        char = self.source[self.at]
        self.at += 1
        if char == "\\":
            char = self.source[self.at]
            self.at += 1
            if char in "sS" and self.ascii:
                return ASCII_SPACE[char]
            if char in "dDwWsS":
                return f"\\{char}"
            char = "\b" if char == "b" else self.character(char)
        self.unicode = self.unicode or char > "\uffff"
        return f"\\{char}" if char in "\\[]^-" else visible(char)


HANDLERS: Final[dict[str, Callable[[FromPython], None]]] = {
    "^": FromPython.start,
    "$": FromPython.end,
    ".": FromPython.dot,
    "|": FromPython.bar,
    "(": FromPython.open,
    ")": FromPython.close,
    "[": FromPython.character_class,
    "\\": FromPython.escape,
}
"""What to do about a character that is not itself.  A quantifier is read with what it repeats."""


def visible(char: str) -> str:
    """*char*, or an escape of it if it would not be seen in print."""
    code = ord(char)
    if char.isprintable() or code > 0xFFFF:
        return char
    return SHORT.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def from_python(pattern: re.Pattern[str] | re.Pattern[bytes]) -> tuple[str, str]:
    """The source and the flags that mean in JavaScript what *pattern* means.

    Raises:
        DataCloneError: JavaScript cannot express it.
    """
    import re

    if not isinstance(pattern.pattern, str):
        raise DataCloneError(
            "a bytes pattern cannot be cloned: use RegExp(source, flags), which matches text"
        )
    translation = FromPython(pattern.pattern, pattern.flags)
    source = translation.run()
    flags = ""
    for flag, python in (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL)):
        if pattern.flags & python:
            flags += flag
    return source, flags + "u" * translation.unicode

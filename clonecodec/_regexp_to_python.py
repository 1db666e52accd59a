"""JavaScript's regular expressions in Python's syntax: one pass over the source, then the back references.

Everything is written for ``re.ASCII``, in which ``\\d``, ``\\w`` and ``\\b`` are JavaScript's.  Under i,
what lies beyond ASCII is put into ``(?u:...)``: there letters fold as Python folds them.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final, NoReturn

from clonecodec._regexp_characters import Characters, number
from clonecodec._regexp_classes import FOLDS_TO_ASCII, KELVIN, LONG_S, SPACE, Members, boundary, quote
from clonecodec._regexp_groups import (
    BACKWARDS,
    INFINITE,
    MAX_NESTING,
    OPENINGS,
    Frame,
    Kind,
    Reference,
    Standing,
    repeats_oddly,
)

SET_DOUBLES: Final = frozenset("&!#$%*+,.:;<=>?@^`~")  # of ClassSetReservedDoublePunctuator
NOT_A_TERMINATOR: Final = r"[^\n\r\u2028\u2029]"


class Last(Enum):
    """What a quantifier would repeat."""

    ATOM = "an atom or a group"
    HALVES = "half of a character beyond U+FFFF"
    LOOKAHEAD = "a lookahead"


class ToPython(Characters):
    """Translates one pattern."""

    def __init__(self, source: str, flags: str) -> None:
        super().__init__(source, flags)
        self.fold: Final = "i" in flags
        self.multiline: Final = "m" in flags
        self.dot_all: Final = "s" in flags
        self.out: Final[list[str | Reference]] = []
        self.frame = Frame(None)
        self.closed: Frame | None = None
        self.last = Last.ATOM
        self.groups: Final[list[Frame]] = []

    def run(self) -> str:
        source, length = self.source, len(self.source)
        while self.at < length:
            char = source[self.at]
            self.at += 1
            handler = HANDLERS.get(char)
            if handler is None:
                self.literal(ord(char))
            else:
                handler(self)
        if self.frame.parent is not None:
            self.invalid("a group is not closed")
        return "".join([piece if isinstance(piece, str) else self.resolve(piece) for piece in self.out])

    # -- terms

    def atom(self, text: str | Reference, last: Last = Last.ATOM, *, width: bool = True) -> None:
        """A term that can be repeated; what it is worth to its group is known after its quantifier."""
        self.out.append(text)
        self.closed = None
        self.last = last
        self.quantify(width)

    def quantify(self, width: bool = True) -> None:
        """Read the quantifier of the term just written, if there is one."""
        source, low, high = self.source, 1, 1
        char = source[self.at] if self.at < len(source) else ""
        text = ""
        if char in ("*", "+", "?"):
            self.at += 1
            low, high = {"*": (0, INFINITE), "+": (1, INFINITE), "?": (0, 1)}[char]
            text = char
        elif char == "{":
            numbers = self.braces()
            if numbers is not None:
                low, high = numbers
                text = f"{{{low}}}" if low == high else f"{{{low},{'' if high == INFINITE else high}}}"
        lazy = False
        if text:
            if self.last is Last.HALVES:
                self.refuse("half of a character beyond U+FFFF is repeated (the flag u would make it whole)")
            if self.last is Last.LOOKAHEAD:
                self.refuse("a lookahead is repeated")
            lazy = self.take("?")
            self.out.append(text + "?" * lazy)
        closed = self.closed
        if closed is not None:
            closed.low, closed.high = low, high
            if repeats_oddly(closed, low, high):
                self.refuse("a repeated group that may choose to match nothing")
        self.frame.add(low, closed, lazy=lazy and low < high, width=width)

    def braces(self) -> tuple[int, int] | None:
        """The numbers of ``{n}``, ``{n,}`` or ``{n,m}``; None, and nothing read, if it is none of them."""
        start = self.at
        self.at += 1
        first = self.digits()
        second = first
        if self.take(","):
            second = self.digits() or str(INFINITE)
        if not first or not self.take("}"):
            self.at = start
            return None
        low, high = number(first), number(second)
        if low > high:
            self.invalid("the numbers of a quantifier are out of order")
        if low == INFINITE:
            self.refuse("a quantifier with too large a number")
        return low, high

    def repeat(self) -> NoReturn:
        self.invalid("nothing to repeat")

    def brace(self) -> None:
        if self.unicode:
            self.invalid("a lone brace")
        self.at -= 1
        if self.braces() is not None:
            self.invalid("nothing to repeat")
        self.at += 1
        self.literal(ord("{"))

    def closing(self) -> None:
        if self.unicode:
            self.invalid("a lone bracket or brace")
        self.literal(ord(self.source[self.at - 1]))

    def assertion(self, text: str) -> None:
        self.out.append(text)

    def start(self) -> None:
        self.assertion(r"(?<![^\n\r\u2028\u2029])" if self.multiline else r"\A")

    def end(self) -> None:
        self.assertion(r"(?![^\n\r\u2028\u2029])" if self.multiline else r"\Z")

    def dot(self) -> None:
        self.atom("." if self.dot_all else NOT_A_TERMINATOR)

    def bar(self) -> None:
        self.frame.next_branch()
        self.out.append("|")

    def literal(self, code: int) -> None:
        """One character, and the other half of it if it is half of a pair in escapes."""
        char = chr(code)
        if code > 0xFFFF:
            self.atom(self.folded(char), Last.ATOM if self.unicode else Last.HALVES)
        else:
            self.atom(self.folded(char))

    def folded(self, char: str) -> str:
        if not self.fold:
            return quote(char)
        if self.unicode and char in "kKsS" + LONG_S + KELVIN:
            return f"[s{LONG_S}]" if char in "sS" + LONG_S else f"[k{KELVIN}]"
        if char < "\x80" or char in FOLDS_TO_ASCII or char.lower() == char.upper():
            return quote(char)
        if not self.unicode and (len(char.upper()) > 1 or len(char.lower().upper()) > 1):
            return quote(
                char
            )  # without u, a letter such as the sharp s has no other case (ECMA-262 Canonicalize)
        return f"(?u:{quote(char)})"

    # -- groups

    def open(self) -> None:
        self.at -= 1
        if self.frame.depth >= MAX_NESTING:
            self.refuse(f"more than {MAX_NESTING} groups within one another")
        for text, kind in OPENINGS:
            if self.take(text):
                self.push(text, kind)
                return
        if self.take("(?<"):
            name = self.name()
            if self.names[name] != len(self.groups) + 1:
                self.refuse(f"two groups with the name {name!r}")
            self.push(f"(?P<{name}>", Kind.GROUP, capturing=True)
        elif self.take("(?"):
            self.refuse("a group with flags of its own")
        else:
            self.at += 1
            self.push("(", Kind.GROUP, capturing=True)

    def push(self, text: str, kind: Kind, *, capturing: bool = False) -> None:
        frame = Frame(self.frame, kind, len(self.groups) + 1 if capturing else 0)
        if capturing:
            self.groups.append(frame)
        self.frame = frame
        self.out.append(text)

    def close(self) -> None:
        frame = self.frame
        if frame.parent is None:
            self.invalid("an unmatched parenthesis")
        self.out.append(")")
        self.frame = frame.parent
        if frame.kind in BACKWARDS or (frame.kind is not Kind.GROUP and self.unicode):
            self.frame.add(1, frame)  # a quantifier that follows has nothing to repeat
            return
        self.closed = frame
        self.last = Last.ATOM if frame.kind is Kind.GROUP else Last.LOOKAHEAD
        self.quantify()

    def name(self) -> str:
        start = self.at
        self.at = self.source.find(">", start) + 1
        return self.source[start : self.at - 1] if self.at else self.invalid("a group name is not closed")

    def refer(self, group: int) -> None:
        if group > self.count:
            self.invalid(f"a reference to group {group}, which is not there,")
        self.atom(Reference(group, self.frame, len(self.groups)), width=False)

    def resolve(self, reference: Reference) -> str:
        group = reference.number
        standing = reference.standing(self.groups[group - 1])
        if standing is Standing.NEVER:
            return "(?:)"
        if standing is Standing.FORGOTTEN or standing is Standing.BACKWARDS:
            self.refuse(f"a reference to group {group} ({standing.value})")
        if group > 99:
            self.refuse(f"a reference to group {group} (the last is 99)")
        text = f"(?u:\\{group})" if self.fold else f"(?:\\{group})"
        # A reference to a group without a match fails in Python, and is empty in JavaScript.
        return text if standing is Standing.SURE else f"(?({group}){text})"

    # -- escapes

    def escape(self) -> None:
        if self.at == len(self.source):
            self.invalid("a lone backslash")
        char = self.source[self.at]
        self.at += 1
        word = rf"[\w{LONG_S}{KELVIN}]" if self.fold and self.unicode else r"\w"
        if char in "bB":
            # Before 3.14, Python's \B does not match in an empty text.
            simple = r"\b" if char == "b" else r"(?!\b)"
            self.assertion(boundary(word, char == "b") if len(word) > 2 else simple)
        elif char in "wW":
            self.atom(word if char == "w" else rf"[^{word.strip('[]')}]")
        elif char in "sS":
            self.atom(f"[{SPACE}]" if char == "s" else f"[^{SPACE}]")
        elif char in "dD":
            self.atom("\\" + char)
        elif char in "123456789" and self.is_reference():
            self.at -= 1
            self.refer(number(self.digits()))
        elif char == "k" and (self.unicode or self.names):
            name = self.name() if self.take("<") else ""
            if name not in self.names:
                self.invalid(f"no group has the name {name!r}")
            self.refer(self.names[name])
        else:
            self.literal(self.character(char))

    def is_reference(self) -> bool:
        start = self.at
        self.at -= 1
        group = number(self.digits())
        self.at = start
        return group <= self.count or self.unicode

    # -- classes

    def character_class(self) -> None:
        negated = self.take("^")
        members = Members()
        while not self.take("]"):
            first = self.member(members)
            if not self.take("-"):
                members.add(first, first)
            elif self.source[self.at : self.at + 1] == "]":
                if self.sets:
                    self.refuse("a lone - under the flag v")
                members.add(first, first)
                members.add(45, 45)
            else:
                second = self.member(members)
                if first is None or second is None:
                    if self.unicode:
                        self.invalid("a range with a class for an end")
                    members.add(first, first)
                    members.add(second, second)
                    members.add(45, 45)
                elif first > second:
                    self.invalid("the ends of a range are out of order")
                else:
                    members.add(first, second)
        self.atom(members.text(negated, self.fold, self.unicode))

    def member(self, members: Members) -> int | None:
        """One character; None for a set of them, which has been added to *members*."""
        if self.at == len(self.source):
            self.invalid("a class is not closed")
        char = self.source[self.at]
        self.at += 1
        if char == "\\":
            if self.at == len(self.source):
                self.invalid("a lone backslash")
            char = self.source[self.at]
            self.at += 1
            if char == "b":
                return 8
            if char in "dDwWsS":
                members.add_set(char, extended=self.fold and self.unicode)
                return None
            code = self.character(char, in_class=True)
        else:
            code = ord(char)
            if self.sets and (
                char in "()[]{}/-|" or (char in SET_DOUBLES and self.source.startswith(char, self.at))
            ):
                self.refuse("set notation of the flag v")
        if code > 0xFFFF and not self.unicode:
            self.refuse("halves of a character beyond U+FFFF in a class (the flag u would make it whole)")
        return code


HANDLERS: Final[dict[str, Callable[[ToPython], None]]] = {
    "^": ToPython.start,
    "$": ToPython.end,
    ".": ToPython.dot,
    "|": ToPython.bar,
    "(": ToPython.open,
    ")": ToPython.close,
    "[": ToPython.character_class,
    "]": ToPython.closing,
    "{": ToPython.brace,
    "}": ToPython.closing,
    "*": ToPython.repeat,
    "+": ToPython.repeat,
    "?": ToPython.repeat,
    "\\": ToPython.escape,
}
"""What to do about a character that is not itself."""


def to_python(source: str, flags: str) -> str:
    """*source* in Python's syntax, for re.ASCII and the ``i``, ``m`` and ``s`` of *flags*.

    Raises:
        ValueError: JavaScript would not compile it, or Python cannot express it.
    """
    return ToPython(source, flags).run()

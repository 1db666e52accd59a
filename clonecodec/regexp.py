"""JavaScript's regular expressions as values: a source and flags, which nothing here compiles unasked."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Final, final
else:

    def final(kind: type) -> type:
        return kind


__all__ = ["FLAG_BITS", "RegExp", "bits_of", "flags_of", "from_pattern"]

FLAG_BITS: Final = {"g": 1, "i": 2, "m": 4, "y": 8, "u": 0x10, "s": 0x20, "d": 0x80, "v": 0x100}
"""V8's bit for each flag (JSRegExp::Flag, src/regexp/regexp-flags.h).

0x40 is ``l`` for "linear", which V8 refuses unless a switch of its own is on; so do we.
"""

_SORTED: Final = tuple(sorted(FLAG_BITS.items()))
_ALL_BITS: Final = sum(FLAG_BITS.values())
_LINE_TERMINATORS: Final = {"\n": "\\n", "\r": "\\r", "\u2028": "\\u2028", "\u2029": "\\u2029"}


@final
class RegExp:
    """A JavaScript regular expression.  It does not change, and it is not compiled on reading.

    Args:
        source: the pattern, in JavaScript's syntax.  Kept as JavaScript's ``source`` shows it: ``/``
            and line terminators escaped, ``(?:)`` for an empty one.  It is not checked otherwise: JavaScript
            refuses a message with a pattern that does not compile there.
        flags: any of ``dgimsuvy``, each once; kept in that order.

    Raises:
        ValueError: a flag is unknown or repeated, or ``u`` and ``v`` are both there.

    >>> RegExp("a/b", "ig")
    RegExp('a\\\\/b', 'gi')
    """

    __slots__ = ("flags", "source")

    source: str
    flags: str

    def __init__(self, source: str, flags: str = "") -> None:
        object.__setattr__(self, "source", _escape(source))
        object.__setattr__(self, "flags", flags_of(bits_of(flags)) if flags else "")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a RegExp does not change")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a RegExp does not change")

    def __repr__(self) -> str:
        more = f", {self.flags!r}" if self.flags else ""
        return f"RegExp({self.source!r}{more})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RegExp):
            return NotImplemented
        return self.source == other.source and self.flags == other.flags

    def __hash__(self) -> int:
        return hash((RegExp, self.source, self.flags))

    def __reduce__(self) -> tuple[object, ...]:
        return RegExp, (self.source, self.flags)

    def compile(self) -> re.Pattern[str]:
        """The Python pattern that matches what this does.

        ``\\d \\w \\s \\b . ^ $`` mean what JavaScript means by them.  The flags g, d and y say how to use a
        pattern, not what it matches, and are ignored.  Text is seen as characters, never as halves of them,
        as JavaScript sees it under u and v.  Under i, letters beyond ASCII have the cases that Python knows.
        Only groups in loops may hold something else: JavaScript forgets them with every turn, and does not
        take turns that match nothing (nor does it count an optional group that matches nothing as there).

        Raises:
            ValueError: JavaScript would not compile it, or Python cannot express it; the message says what.

        >>> RegExp(r"(?<year>\\d+)$").compile().search("in 1970")["year"]
        '1970'
        """
        import re

        from clonecodec._regexp_to_python import to_python

        pattern = to_python(self.source, self.flags)
        flags = re.ASCII
        for flag, python in (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL)):
            if flag in self.flags:
                flags |= python
        try:
            return re.compile(pattern, flags)
        except (re.error, RecursionError, OverflowError) as error:
            reason = str(error) or type(error).__name__
            raise ValueError(f"Python cannot express this regular expression: {reason}") from None


def from_pattern(pattern: re.Pattern[str] | re.Pattern[bytes]) -> RegExp:
    """What a Python pattern is written as: the JavaScript that matches the same.

    Python's ``. ^ $`` are written out where JavaScript's differ.  ``\\d \\w \\s \\b`` stay what they are,
    though without re.ASCII they mean all of Unicode in Python and (``\\s`` apart) ASCII in JavaScript, and
    under i letters beyond ASCII have the cases that JavaScript knows.  JavaScript sees a character beyond
    U+FFFF as two; the flag u, under which it is one, is set if there is one in a class.

    Raises:
        DataCloneError: JavaScript cannot express it: a bytes pattern, a condition, an atomic group, a
            possessive quantifier, flags for a part, a reference to a group that may not have matched, a
            repeated group that may choose to match nothing.  ``RegExp(source, flags)`` says what is meant.

    >>> import re
    >>> from_pattern(re.compile("(?P<word>[a-z]+)", re.IGNORECASE))
    RegExp('(?<word>[a-z]+)', 'i')
    """
    from clonecodec._regexp_from_python import from_python

    return RegExp(*from_python(pattern))


def bits_of(flags: str) -> int:
    """V8's bits for *flags*.

    Raises:
        ValueError: a flag is unknown or repeated, or ``u`` and ``v`` are both there.

    >>> bits_of("gi")
    3
    """
    bits = 0
    for flag in flags:
        bit = FLAG_BITS.get(flag, 0)
        if not bit:
            raise ValueError(f"{flag!r} is not a flag of JavaScript's regular expressions (dgimsuvy)")
        if bits & bit:
            raise ValueError(f"the flag {flag!r} is repeated in {flags!r}")
        bits |= bit
    _refuse_u_and_v(bits)
    return bits


def flags_of(bits: int) -> str:
    """The flags that V8's *bits* stand for, in the order of JavaScript's ``flags``.

    Raises:
        ValueError: a bit stands for none, or ``u`` and ``v`` are both there.

    >>> flags_of(3)
    'gi'
    """
    if bits & ~_ALL_BITS:
        raise ValueError(f"0x{bits:x} are not flags of a regular expression")
    _refuse_u_and_v(bits)
    return "".join([flag for flag, bit in _SORTED if bits & bit])


def _refuse_u_and_v(bits: int) -> None:
    if bits & 0x110 == 0x110:
        raise ValueError("the flags 'u' and 'v' exclude each other")


def _escape(source: str) -> str:
    """*source* as ``new RegExp(source).source`` (ECMA-262 EscapeRegExpPattern, as V8 does it)."""
    if not source:
        return "(?:)"
    if "/" not in source and not any(terminator in source for terminator in _LINE_TERMINATORS):
        return source
    out: list[str] = []
    escaped = in_class = False
    for char in source:
        if char in _LINE_TERMINATORS:
            if escaped:  # V8 writes one backslash, not two, for a terminator that had one
                out.pop()
            out.append(_LINE_TERMINATORS[char])
        elif char == "/" and not escaped and not in_class:
            out.append("\\/")
        else:
            out.append(char)
            if not escaped:
                # V8 looks for the next "]" also under the flag v, where classes nest: there a "/" in one
                # must be escaped anyway (EscapeRegExpSource, src/objects/js-regexp.cc).
                in_class = (in_class or char == "[") and char != "]"
        escaped = char == "\\" and not escaped
    return "".join(out)

"""What a back reference finds: the groups of a regular expression, and whether one has matched when asked.

In JavaScript a reference to a group that has not matched is empty, and every turn of a loop forgets what
the groups inside it matched; in Python such a reference fails, and groups remember.  A translation therefore
has to know which references are sure.  Both directions ask here.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

MAX_NESTING: Final = 200
"""Groups within groups.  Python's own compiler recurses, and ends near 480 under its default limit."""

INFINITE: Final = 2**31 - 1
"""A quantifier's largest number; V8 takes larger ones for it (RegExpTree::kInfinity)."""


class Kind(Enum):
    """What a pair of parentheses is for."""

    GROUP = "group"
    AHEAD = "lookahead"
    NOT_AHEAD = "negative lookahead"
    BEHIND = "lookbehind"
    NOT_BEHIND = "negative lookbehind"


NEGATIVE: Final = (Kind.NOT_AHEAD, Kind.NOT_BEHIND)
BACKWARDS: Final = (Kind.BEHIND, Kind.NOT_BEHIND)

OPENINGS: Final = (
    ("(?:", Kind.GROUP),
    ("(?=", Kind.AHEAD),
    ("(?!", Kind.NOT_AHEAD),
    ("(?<=", Kind.BEHIND),
    ("(?<!", Kind.NOT_BEHIND),
)
"""What both languages write alike."""


class Frame:
    """One pair of parentheses, or the whole pattern (without a parent)."""

    __slots__ = ("_choosy", "branch", "depth", "empty", "high", "kind", "low", "number", "parent", "turn")

    def __init__(self, parent: Frame | None, kind: Kind = Kind.GROUP, number: int = 0) -> None:
        self.parent: Final = parent
        self.kind: Final = kind
        self.number: Final = number
        """The capturing group's number, or 0."""
        self.turn: Final[int] = parent.branch if parent else 0
        """Which of the parent's alternatives it stands in."""
        self.depth: Final[int] = parent.depth + 1 if parent else 0
        self.branch: int = 0
        """The alternative that is being read; at the end, the last."""
        self.empty = [True]
        """For each alternative: can it match nothing?"""
        self._choosy = False
        self.low = self.high = 1

    def next_branch(self) -> None:
        """A ``|`` was read."""
        self.branch += 1
        self.empty.append(True)

    def add(self, low: int, inside: Frame | None = None, *, lazy: bool = False, width: bool = True) -> None:
        """Something was read: *low* times at least the group *inside*, or an atom that has a *width*."""
        optional = low == 0
        if inside is not None:
            width = inside.kind is Kind.GROUP and not any(inside.empty)
            optional = optional or not width
            if inside.kind is Kind.GROUP and inside.choosy:
                self._choosy = True
        if lazy and optional:
            self._choosy = True
        if low and width:
            self.empty[-1] = False

    @property
    def choosy(self) -> bool:
        """Can it choose to match nothing where it could match something, as ``a??`` and ``|a`` do?"""
        return self._choosy or any(self.empty[:-1])


def repeats_oddly(frame: Frame, low: int, high: int) -> bool:
    """Is this a loop over a group that may choose to match nothing, as in ``(?:a?|b)*``?

    JavaScript refuses the empty turn and tries on; Python ends the loop.
    """
    return low < high and frame.choosy and any(frame.empty)


class Standing(Enum):
    """What is known of a group where it is referred to."""

    SURE = "it has matched"
    MAYBE = "it may not have matched"
    NEVER = "it cannot have matched"
    FORGOTTEN = "it may have matched in an earlier turn of a loop"
    BACKWARDS = "it is matched from right to left in JavaScript"


class Reference:
    """A back reference to a group, and where it stands; ``standing`` is known when all has been read."""

    __slots__ = ("_branch", "_frame", "_known", "number")

    def __init__(self, number: int, at: Frame, known: int) -> None:
        self.number: Final = number
        self._frame: Final = at
        self._branch: Final = at.branch
        self._known: Final = known  # the groups that were begun before it

    def standing(self, group: Frame) -> Standing:
        """What the reference finds of *group*, which is the group of its number."""
        around: dict[Frame, int] = {}
        above: Frame | None = self._frame
        branch = self._branch
        while above is not None:
            around[above] = branch
            branch, above = above.turn, above.parent
        if group in around:
            return Standing.NEVER
        path = [group]
        while path[-1].parent is not None and path[-1].parent not in around:
            path.append(path[-1].parent)
        shared = path[-1].parent
        assert shared is not None
        loops = False
        common: Frame | None = shared
        while common is not None:
            if common.kind in BACKWARDS:
                return Standing.BACKWARDS
            loops = loops or common.high > 1
            common = common.parent
        if self.number > self._known or around[shared] != path[-1].turn:
            return Standing.NEVER
        return _along(path, loops)


def _along(path: list[Frame], loops: bool) -> Standing:
    """The standing of ``path[0]`` after ``path[-1]``, which may be in a loop itself."""
    maybe = ahead = False
    for frame in path:
        if frame.kind in NEGATIVE:
            return Standing.NEVER
        maybe = maybe or (frame is not path[0] and frame.branch > 0)
        ahead = ahead or frame.kind is Kind.AHEAD
        # An optional group that matched nothing was not there, for JavaScript, whatever it saw ahead.
        if (maybe and frame.high > 1) or (ahead and frame.low == 0):
            return Standing.FORGOTTEN
        # Python ends such a loop with an empty turn, which JavaScript does not take.
        if 1 < frame.high > frame.low and any(frame.empty):
            return Standing.FORGOTTEN
        maybe = maybe or frame.low == 0
    if maybe and loops:
        return Standing.FORGOTTEN
    return Standing.MAYBE if maybe else Standing.SURE

"""Rows: what was measured, what the goals say of it, and how a table of them is printed.

A row holds one value for each contender, seconds as a rule.  A goal is data: our value is to be at most so
much of a peer's, or at most so much in all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

OURS: Final = "clonecodec"


@dataclass(frozen=True)
class Goal:
    """*ours* takes at most ``at_most`` of what ``peer`` takes; without a peer, at most that many in all."""

    peer: str | None
    at_most: float

    def ratio(self, row: Row) -> float | None:
        """What there is of it; None if one of both was not measured."""
        ours = row.values.get(row.ours)
        if self.peer is None or ours is None:
            return ours
        theirs = row.values.get(self.peer)
        return None if theirs is None else ours / theirs

    def text(self, row: Row) -> str:
        """The limit: "0.6 pickle" is six tenths of what pickle takes."""
        return amount(self.at_most, row.unit) if self.peer is None else _part(self.at_most, self.peer)


def times_as_fast(times: float, peer: str) -> Goal:
    """A goal as the speed that it is: *times* the peer's."""
    return Goal(peer, 1 / times)


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    table: str
    name: str
    values: dict[str, float]
    """By contender, in the order of the columns."""
    goals: tuple[Goal, ...] = ()
    absent: dict[str, str] = field(default_factory=dict)
    """Contenders that were not measured, with the reason."""
    ours: str = OURS
    base: str | None = "pickle"
    """The contender that the others are shown as a ratio to; None shows all as they are."""
    unit: str = "s"
    note: str = ""

    def missed(self) -> list[Goal]:
        ratios = [(goal, goal.ratio(self)) for goal in self.goals]
        return [goal for goal, ratio in ratios if ratio is not None and ratio > goal.at_most]

    def unknown(self) -> list[Goal]:
        return [goal for goal in self.goals if goal.ratio(self) is None]

    def verdict(self) -> str:
        """ "reached", or which goals are not and by how much, or why nobody can tell."""
        if not self.goals:
            return ""
        missed, unknown = self.missed(), self.unknown()
        words = ["not reached: " + ", ".join(_shown(goal, self) for goal in missed)] if missed else []
        if unknown:
            words.append("not known: " + ", ".join(sorted({self._why(goal) for goal in unknown})))
        return "; ".join(words) or "reached"

    def _why(self, goal: Goal) -> str:
        for name in (self.ours, goal.peer):
            if name is not None and name not in self.values:
                return f"{name}: {self.absent.get(name, 'not measured')}"
        return "not measured"


def _shown(goal: Goal, row: Row) -> str:
    ratio = goal.ratio(row)
    assert ratio is not None
    if goal.peer is None:
        return amount(ratio, row.unit)
    return _part(ratio, goal.peer)


def _part(ratio: float, peer: str) -> str:
    """Of what the peer takes: "0.6 pickle", "v8serialize / 12"."""
    return f"{peer} / {1 / ratio:.3g}" if 0 < ratio < 0.15 else f"{ratio:.3g} {peer}"


def to_json(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """As *from_json* takes them, with what the goals say of each."""
    return [{**asdict(row), "verdict": row.verdict(), "reached": _reached(row)} for row in rows]


def _reached(row: Row) -> bool:
    return not (row.missed() or row.unknown())


def from_json(rows: Iterable[dict[str, Any]]) -> list[Row]:
    listed = []
    for row in rows:
        known = {key: value for key, value in row.items() if key not in ("verdict", "reached")}
        listed.append(Row(**{**known, "goals": tuple(Goal(**goal) for goal in row["goals"])}))
    return listed


def amount(value: float, unit: str) -> str:
    """*value* with three digits and a unit that suits it."""
    if unit == "s":
        for factor, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
            if value >= factor:
                return f"{value / factor:.3g} {name}"
        return f"{value * 1e9:.3g} ns"
    return f"{value:.3g} {unit}".rstrip()


def table(rows: Sequence[Row]) -> str:
    """One table in Markdown, aligned so that it reads well in a terminal too."""
    columns = list(dict.fromkeys(name for row in rows for name in (*row.values, *row.absent)))
    base = next((row.base for row in rows if row.base is not None), None)
    if base is not None:
        columns = [base, rows[0].ours, *(name for name in columns if name not in (base, rows[0].ours))]
    lines = [["", *columns, "at most", ""]]
    for row in rows:
        cells = [_cell(row, name) for name in columns]
        goals = ", ".join(goal.text(row) for goal in row.goals)
        lines.append([row.name, *cells, goals, row.verdict()])
    return _aligned(lines) + _remarks(rows)


def _cell(row: Row, name: str) -> str:
    value = row.values.get(name)
    if value is None:
        return "-"
    base = row.values.get(row.base) if row.base is not None else None
    if name == row.base or base is None:
        return amount(value, row.unit)
    ratio = value / base
    return f"{ratio:.2g}" if ratio < 0.1 else f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = []
    for number, line in enumerate(lines):
        cells = [
            cell.ljust(width) if column in (0, len(line) - 1) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text.append("| " + " | ".join(cells) + " |")
        if number == 0:
            rules = ["-" * width for width in widths]
            rules[1:-1] = [f"{rule[:-1]}:" for rule in rules[1:-1]]
            text.append("| " + " | ".join(rules) + " |")
    return "\n".join(text)


def _remarks(rows: Sequence[Row]) -> str:
    remarks = [f"* {row.name}: {row.note}" for row in rows if row.note]
    reasons: dict[str, list[str]] = {}
    for row in rows:
        for name, reason in row.absent.items():
            reasons.setdefault(f"{name}: {reason}", []).append(row.name)
    for reason, names in reasons.items():
        remarks.append(f"* {reason}" + ("" if len(names) == len(rows) else f" ({', '.join(names)})"))
    return "\n\n" + "\n".join(remarks) if remarks else ""


def summary(rows: Sequence[Row]) -> str:
    goals = sum(len(row.goals) for row in rows)
    missed = sum(len(row.missed()) for row in rows)
    unknown = sum(len(row.unknown()) for row in rows)
    return f"{goals - missed - unknown} of {goals} goals reached, {missed} not reached, {unknown} not known"

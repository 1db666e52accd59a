"""Interleaved rounds: every contender runs once a round, in alternating order, and its fastest round counts.

The standard library's ``timeit`` does the timing of one round.  A harness that runs one benchmark after the
other (pyperf, pytest-benchmark, asv) would compare a contender on a quiet machine with another on a busy one;
within a round they share whatever the machine is doing.
"""

from __future__ import annotations

import gc
import timeit
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol


class Contender(Protocol):
    """Something that can be run a number of times."""

    def time(self, number: int) -> float:
        """Seconds that *number* runs take."""


class Call:
    """A statement, such as ``dumps(value)``, over names."""

    def __init__(self, statement: str, **names: object) -> None:
        # timeit turns the garbage collector off; in a program it is on, and part of what reading costs.
        self._timer: Final = timeit.Timer(statement, "gc.enable()", globals={"gc": gc, **names})

    def time(self, number: int) -> float:
        return self._timer.timeit(number)


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    rounds: int
    batch: float
    """Seconds that a contender runs for, at least, in each round."""
    slow: float
    """Whoever takes longer than that for one run takes part in the first two rounds only."""
    quick: bool = False

    SLOW_ROUNDS = 2


FULL: Final = Effort(rounds=15, batch=0.015, slow=0.3)
QUICK: Final = Effort(rounds=4, batch=0.004, slow=0.02, quick=True)
SMOKE: Final = Effort(rounds=1, batch=0.0, slow=0.0, quick=True)
"""To see that it runs: the figures mean nothing."""


def minima(contenders: Mapping[str, Contender], effort: Effort) -> dict[str, float]:
    """Seconds for one run of each contender, in its fastest round."""
    for contender in contenders.values():
        contender.time(1)  # waits for caches, just-in-time code, or a process that has to start
    numbers = {name: _calibrate(contender, effort) for name, contender in contenders.items()}
    best = {name: float("inf") for name in contenders}
    order = list(contenders)
    gc.collect()
    gc.freeze()  # the payloads are the program's, not something that each collection has to look through
    try:
        for turn in range(effort.rounds):
            for name in order:
                number, slow = numbers[name]
                if not slow or turn < effort.SLOW_ROUNDS:
                    gc.collect()  # one's garbage is not another's to collect
                    best[name] = min(best[name], contenders[name].time(number) / number)
            order.reverse()
    finally:
        gc.unfreeze()
    return best


def _calibrate(contender: Contender, effort: Effort) -> tuple[int, bool]:
    """How many runs fill a batch, and whether one alone is slow."""
    number = 1
    while True:
        seconds = contender.time(number)
        if effort.batch <= seconds <= effort.slow:
            seconds = contender.time(number)  # one long wait for something else is no reason for short rounds
        if seconds >= effort.batch:
            return number, number == 1 and seconds > effort.slow
        number = max(number * 2, min(number * 10, int(number * 1.2 * effort.batch / max(seconds, 1e-9))))

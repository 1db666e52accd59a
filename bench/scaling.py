"""From 1,000 to 1,000,000 records: the ratio to pickle may rise by at most a third.

The rows hold ratios to pickle, one for each size; the goal compares the largest with the smallest.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Final

import clonecodec
from bench import _peers
from bench._measure import Call, Contender, Effort, minima
from bench._payloads import records
from bench._rows import OURS, Goal, Row

SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
QUICK_SIZES: Final = (1_000, 10_000, 100_000)
A_THIRD_MORE: Final = 4 / 3


def measure(effort: Effort, sizes: tuple[int, ...] = ()) -> Iterator[Row]:
    ratios: dict[str, dict[str, float]] = {"dumps": {}, "loads": {}, "structured_clone": {}}
    sizes = sizes or (QUICK_SIZES if effort.quick else SIZES)
    for size in sizes:
        value: object = records(size)
        for what, contenders in _contenders(value).items():
            best = minima(contenders, effort)
            ratios[what][f"{size:,}"] = best[OURS] / best["pickle"]
    smallest, largest = f"{SIZES[0]:,}", f"{SIZES[-1]:,}"
    for what, values in ratios.items():
        absent = {f"{size:,}": "a quick run has fewer records" for size in SIZES if size not in sizes}
        goals = (Goal(smallest, A_THIRD_MORE),)
        yield Row("scaling", what, values, goals, absent, ours=largest, base=None, unit="")


def _contenders(value: object) -> dict[str, dict[str, Contender]]:
    ours, theirs = clonecodec.dumps(value), pickle.dumps(value, 5)
    peer = _peers.pickle5()
    return {
        "dumps": {OURS: Call("f(v)", f=clonecodec.dumps, v=value), "pickle": peer.dumping(value)},
        "loads": {OURS: Call("f(d)", f=clonecodec.loads, d=ours), "pickle": peer.loading(theirs)},
        "structured_clone": {
            OURS: Call("f(v)", f=clonecodec.structured_clone, v=value),
            "pickle": _peers.pickling_and_unpickling(value),
        },
    }

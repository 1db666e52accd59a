"""The payloads: small and large, made the same way each time, and three real documents.

small, records1000, ints100k, floats100k, strings10k, dict10k    JSON values
twitter, citm, canada                                            documents of npm's simdjson (make documents)
graph10k                                                         a tree with parents: cycles everywhere
bytes16M, f64 16M                                                one buffer
"""

from __future__ import annotations

import json
import random
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
DOCUMENTS: Final = ROOT / ".node" / "documents" / "node_modules" / "simdjson" / "jsonexamples"
MIB: Final = 1 << 20

SMALL: Final = {"foo": "bar", "n": 1, "list": [1, 2, 3]}


class MissingError(Exception):
    """A payload that is not on this machine; the message says how to get it."""


def small(scale: float) -> object:
    return {"foo": "bar", "n": 1, "list": [1, 2, 3]}


def records(count: int) -> list[object]:
    """Records of mixed fields, no two alike, under the same ten names."""
    rng = random.Random(1)
    return [
        {
            "id": number,
            "name": f"user {number}",
            "email": f"user{number}@example.org",
            "active": number % 3 != 0,
            "score": rng.random() * 100,
            "visits": rng.randrange(10_000),
            "tags": ["alpha", "beta", f"group{number % 7}"],
            "address": {"street": f"{number} Main Street", "city": "Zürich", "zip": 8000 + number % 100},
            "manager": None,
            "position": [rng.uniform(-180, 180), rng.uniform(-90, 90)],
        }
        for number in range(count)
    ]


def records1000(scale: float) -> object:
    return records(_count(1_000, scale))


def ints100k(scale: float) -> object:
    return list(range(_count(100_000, scale)))


def floats100k(scale: float) -> object:
    rng = random.Random(2)
    return [rng.uniform(-1e6, 1e6) for _ in range(_count(100_000, scale))]


def strings10k(scale: float) -> object:
    """ASCII, Latin-1 and emoji, a third each, 10 to 30 characters."""
    rng = random.Random(3)
    alphabets = ("abcdefghijklmnopqrstuvwxyz ", "aeiouäöüéèñçßåø ", "abc 😀😎🚀🎉✨")
    return [
        "".join(rng.choices(alphabets[number % 3], k=rng.randrange(10, 31)))
        for number in range(_count(10_000, scale))
    ]


def dict10k(scale: float) -> object:
    return {f"key{number}": number for number in range(_count(10_000, scale))}


def document(name: str) -> Callable[[float], object]:
    def load(scale: float) -> object:
        path = DOCUMENTS / f"{name}.json"
        if not path.exists():
            raise MissingError("`make documents` installs it (it needs npm)")
        return json.loads(path.read_text("utf-8"))

    return load


def graph10k(scale: float) -> object:
    """A binary tree whose nodes know parent, root and themselves: flat enough for pickle's recursion."""
    nodes: list[dict[str, object]] = [
        {"id": number, "name": f"node {number}"} for number in range(_count(10_000, scale))
    ]
    for number, node in enumerate(nodes):
        node["parent"] = nodes[(number - 1) // 2] if number else None
        node["children"] = nodes[2 * number + 1 : 2 * number + 3]
        node["root"] = nodes[0]
        node["self"] = node
    return nodes[0]


def bytes16m(scale: float) -> object:
    return random.Random(4).randbytes(_count(16 * MIB, scale))


def f64_16m(scale: float) -> object:
    return array("d", random.Random(4).randbytes(_count(16 * MIB, scale) // 8 * 8))


def _count(count: int, scale: float) -> int:
    return max(1, int(count * scale))


PAYLOADS: Final[dict[str, Callable[[float], object]]] = {
    "small": small,
    "records1000": records1000,
    "ints100k": ints100k,
    "floats100k": floats100k,
    "strings10k": strings10k,
    "dict10k": dict10k,
    "twitter": document("twitter"),
    "citm": document("citm_catalog"),
    "canada": document("canada"),
    "graph10k": graph10k,
    "bytes16M": bytes16m,
    "f64 16M": f64_16m,
}
"""Each made by a function of a scale: 1 as a rule, less for a test."""

NOT_JSON: Final = ("graph10k", "bytes16M", "f64 16M")
BUFFERS: Final = ("bytes16M", "f64 16M")

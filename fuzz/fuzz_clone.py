"""A clone is what arrives over the wire: the same graph, the same types, the same order of keys."""

from __future__ import annotations

from random import Random
from typing import Any

from clonecodec import (
    Array,
    BigInt,
    Boxed,
    ByIdentity,
    DecodeError,
    Deserializer,
    Map,
    hole,
    loads,
    structured_clone,
    undefined,
)
from fuzz.corpus import message
from tests.codec.roads import wire
from tests.same import difference

NAMES = ["a", "b", "10", "2", "01", "ā", "é", "4294967294", "__proto__", "", "length"]
KEYS = [0, 1, True, 1.5, "a", None, undefined, 2**60, BigInt(3), float("nan"), (1, 2), frozenset({1})]


def attempt(random: Random) -> None:
    """Try one value: what a message says, or one of Python's own."""
    if random.random() < 0.3:
        reader = Deserializer(message(random))
        try:
            reader.read_header()
            value = reader.read_value()
        except DecodeError:
            return
    else:
        value = graph(random)
    wrong = difference(structured_clone(value), wire(value, version=16))
    assert wrong is None, (wrong, value)


def graph(random: Random) -> Any:
    """A value of Python's own kinds, with references to what is there already."""
    made: list[Any] = []
    root: list[Any] = []
    hosts: list[Any] = [root]
    for _ in range(random.randrange(1, 12)):
        value = _value(random, made)
        made.append(value)
        host = random.choice(hosts)
        if isinstance(host, list):
            host.append(value)
        else:
            host[random.choice(NAMES) if type(host) is dict else ByIdentity(value)] = value
        if type(value) in (list, dict, Map, Array):
            hosts.append(value)
        if random.random() < 0.3:
            made.append(host)
    return (root,) if random.random() < 0.3 else root


def _value(random: Random, made: list[Any]) -> Any:
    few = [random.choice(made) for _ in range(random.randrange(4))] if made else []
    match random.randrange(14):
        case 0:
            return []
        case 1:
            return {}
        case 2:
            return Map()
        case 3:
            return tuple(few)
        case 4:
            return {ByIdentity(item) for item in few[:1]}  # sets have no order in which to compare more
        case 5:
            return frozenset({ByIdentity(item) for item in few[:1]})
        case 6:
            return Array([random.choice([1, hole]) for _ in range(random.randrange(100))])
        case 7:
            return [hole] * random.randrange(100) + few
        case 8:
            return dict.fromkeys(random.sample(KEYS, random.randrange(6)), few)
        case 9:
            return dict.fromkeys(random.sample(NAMES, random.randrange(6)), 1)
        case 10:
            return random.choice([Boxed(True), Boxed(1), Boxed("a"), Boxed(2**60)])
        case 11:
            return bytes(random.randrange(4))
        case 12:
            return loads(b'\xff\x0fR"\1a\0')
        case _:
            return random.choice(KEYS)

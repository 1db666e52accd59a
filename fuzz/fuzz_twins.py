"""Invariant: with and without the accelerator there is no difference: same bytes, same values, same errors.

    python -m fuzz.fuzz_twins --rounds 1000 --seed 7

A round makes a value, writes and clones it with both implementations, reads what was written with both, then
damages the bytes a number of times and reads those with both.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import clonecodec
from clonecodec import (
    Array,
    ArrayBuffer,
    BigInt,
    Boxed,
    ByIdentity,
    CloneError,
    DataCloneError,
    Date,
    DecodeError,
    DefaultDeserializer,
    Deserializer,
    JSTypeError,
    Map,
    RegExp,
    Serializer,
    SparseArray,
    _clone,
    _node,
    _reader,
    _writer,
    hole,
    undefined,
)
from clonecodec.plain import dumps_plain, loads_plain
from tests.same import difference

USERS = (_clone, _reader, _writer)
"""The modules that hand over to the accelerator, if there is one."""


FUNCTIONS = ("dumps", "loads", "structured_clone", "clone_with_transfer")

api = SimpleNamespace(**{name: getattr(clonecodec, name) for name in FUNCTIONS})
"""The functions as everybody has them, or (``without_accelerator``) what is behind the shortcuts."""


@contextmanager
def without_accelerator() -> Iterator[None]:
    """Let everything in here be done by Python."""
    accelerator, fast = vars(_writer)["accelerator"], vars(api).copy()
    for module in USERS:
        vars(module)["accelerator"] = None
    vars(api).update(
        dumps=_node.dumps,
        loads=_node.loads,
        structured_clone=_clone.structured_clone,
        clone_with_transfer=_clone.clone_with_transfer,
    )
    try:
        yield
    finally:
        for module in USERS:
            vars(module)["accelerator"] = accelerator
        vars(api).update(fast)


@dataclass
class Outcome:
    """What came of a call: a value, or the class, reason and place of an error."""

    value: object
    error: tuple[object, ...] | None


def outcome(call: Callable[[], object]) -> Outcome:
    try:
        return Outcome(call(), None)
    except DataCloneError as error:
        return Outcome(None, (type(error), error.reason, error.path, type(error.__cause__)))
    except DecodeError as error:
        return Outcome(None, (type(error), error.reason, error.offset))
    except CloneError as error:  # pragma: no cover  # there is no other kind
        return Outcome(None, (type(error), str(error)))
    except (ValueError, ThrownError) as error:
        return Outcome(None, (type(error), str(error)))


class DifferenceError(AssertionError):
    """The twins are not alike."""


ORDERS = 30
"""Of the members of sets, that are tried at most."""

DOUBTS = (": no member ", ": one object here, two there")
"""What ``difference`` says, too, of members that it took for one another."""


def compare(what: str, call: Callable[[], object]) -> Outcome:
    """Do *call* with and without the accelerator, and return what came of it.

    ``difference`` gives each member of a set the first one that is the same, which may be the wrong one of
    two if others know them apart.  Sets of objects are in another order each time, so it may try again: what
    is really missing is missing in every order.
    """
    for left in reversed(range(ORDERS)):
        fast = outcome(call)
        with without_accelerator():
            slow = outcome(call)
        if fast.error != slow.error:
            raise DifferenceError(f"{what}: {fast.error or fast.value!r} is not {slow.error or slow.value!r}")
        where = difference(fast.value, slow.value)
        if where is None:
            break
        if not left or not any(doubt in where for doubt in DOUBTS):
            raise DifferenceError(f"{what}: {where}")
    return fast


# Values


class Plain:
    """An instance with attributes."""


class Slotted:
    __slots__ = ("left", "right")

    left: object


class ThrownError(Exception):
    """What the user's own code throws."""


class Name(str):
    """A str that is a key."""

    __slots__ = ()


KEYS = (
    *("a", "b", "id", "name", "", "x" * 70, "0", "1", "17", "007", "4294967294", "4294967295", "2147483648"),
    *("é", "ÿ", "Ā", "日本", "\ud800", "\udc00", "\U0001f600", "length", "-1", "1.5", "__proto__", "NaN"),
)
TEXTS = (
    *KEYS,
    "plain text",
    "é" * 127,
    "y" * 128,
    "z" * 200,
    "Ā" * 64,
    "\U0001f600" * 40,
    "\ud83d",
    "\ude00",
)
INTS = (0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, 2**30, 2**31 - 1, -(2**31), 2**31, 2**32, 2**53 - 1)
BIG = (2**53, -(2**53), 2**61 - 1, 2**61, 2**63, 2**64 - 1, 2**64, -(2**64), 2**100, 3 * (2**61 - 1))
FLOATS = (0.0, -0.0, 1.0, -1.0, 1.5, 1e300, 2.0**53, 2.0**60, float("inf"), float("nan"), 5e-324)


class Maker:
    """Makes values at random; some of their parts are one object, and some lie in themselves."""

    keys: tuple[str, ...] = KEYS

    def __init__(self, rng: random.Random, *, keen: bool, steady: bool = False) -> None:
        self.rng = rng
        self.keen = keen  # on what the C code does itself
        self.steady = steady  # sets have the same order whenever they are made: no member is hashed by its id
        self.made: list[object] = []
        self.left = rng.choice((3, 10, 40, 150))

    def value(self, depth: int = 0) -> object:
        rng = self.rng
        self.left -= 1
        roll = rng.random()
        if self.left <= 0 or depth > 30 or roll < 0.45:
            return self.scalar()
        if roll < 0.55 and self.made:
            return rng.choice(self.made)
        if roll < 0.62 if self.keen else roll < 0.75:
            return self.keep(self.rare(depth))
        return self.container(depth + 1)

    def keep(self, value: object) -> object:
        self.made.append(value)
        return value

    def scalar(self) -> object:
        rng = self.rng
        match rng.randrange(13):
            case 0 | 1 | 2:
                return rng.choice(TEXTS)
            case 3:
                return "".join(chr(rng.choice((65, 233, 0x101, 0x1F600))) for _ in range(rng.randrange(6)))
            case 4 | 5:
                return rng.choice(INTS) * rng.choice((1, -1))
            case 6:
                return rng.randrange(-300, 300)
            case 7:
                return rng.choice(FLOATS)
            case 8:
                return rng.random()
            case 9:
                return rng.choice((None, True, False, undefined))
            case 10:
                return rng.choice(BIG) + rng.randrange(2)
            case 11:
                return self.keep(self.date())
            case _:
                return self.keep(bytes(rng.randrange(256) for _ in range(rng.choice((0, 1, 1, 2, 9)))))

    def date(self) -> object:
        """Mostly one in UTC."""
        rng = self.rng
        zone = UTC if rng.random() < 0.8 else timezone(timedelta(hours=1))
        match rng.randrange(4):
            case 0:
                return datetime(1970, 1, 1, tzinfo=zone) + timedelta(
                    milliseconds=rng.randrange(-(10**12), 10**12)
                )
            case 1:
                return datetime(2000, 2, 28, tzinfo=zone) + timedelta(hours=rng.randrange(100))
            case 2:
                return datetime(rng.randrange(1, 10_000), 12, 31, 23, 59, 59, rng.randrange(10**6), zone)
            case _:
                return datetime(2000, 1, 1, tzinfo=zone) + timedelta(microseconds=rng.randrange(10**15))

    def container(self, depth: int) -> object:
        rng = self.rng
        size = rng.choice((0, 1, 2, 3, 5, 9))
        match rng.randrange(9):
            case 0 | 1:
                items: list[object] = []
                self.made.append(items)
                items += (self.value(depth) for _ in range(size))
                return items
            case 2 | 3:
                record: dict[object, object] = {}
                self.made.append(record)
                for _ in range(size):
                    key = rng.choice(self.keys) if rng.random() < 0.8 else f"k{rng.randrange(40)}"
                    record[key] = self.value(depth)
                return record
            case 4:
                return self.keep(tuple(self.value(depth) for _ in range(size)))
            case 5 | 6:
                mapping: dict[object, object] = Map() if rng.random() < 0.6 else {}
                self.made.append(mapping)
                for _ in range(size):
                    mapping[self.member(depth)] = self.value(depth)
                return mapping
            case 7:
                members: set[object] = set()
                self.made.append(members)
                for _ in range(size):
                    members.add(self.member(depth))
                return members
            case _:
                return self.keep(frozenset(self.member(depth) for _ in range(size)))

    def member(self, depth: int) -> object:
        if self.steady:
            return self.scalar()
        value = self.scalar() if self.rng.random() < 0.7 else self.value(depth)
        if self.rng.random() < 0.1:
            return ByIdentity(value)
        try:
            hash(value)
        except (TypeError, ValueError):
            return ByIdentity(value)
        return value

    def rare(self, depth: int) -> object:
        rng = self.rng
        match rng.randrange(24):
            case 0:
                return type("Sub", (datetime,), {})(2000, 1, 1, tzinfo=UTC)
            case 1:
                return Date(rng.choice((float("nan"), 8e15, -8e15)))
            case 2:
                return Boxed(rng.choice((True, False, 1.5, "text", "Ā", BigInt(5), 2**70)))
            case 3:
                return RegExp(rng.choice(("a+", "Ā", "")), rng.choice(("", "gi")))
            case 4:
                return BigInt(rng.choice((0, 5, -5, 2**53, 2**80)))
            case 5:
                return [self.value(depth), hole, self.value(depth)]
            case 6:
                return Array([self.value(depth), 2], {"extra": self.value(depth)})
            case 7:
                return SparseArray(1000, {5: self.value(depth), 999: 1})
            case 8:
                error = JSTypeError("message", stack="a stack")
                self.made.append(error)
                error.cause = self.value(depth)
                return error
            case 9:
                return ValueError("Python's")
            case 10:
                plain = Plain()
                self.made.append(plain)
                plain.__dict__.update({"x": self.value(depth), "7": self.value(depth)})
                return plain
            case 11:
                slotted = Slotted()
                slotted.left = self.value(depth)
                return slotted
            case 12:
                return bytearray(b"bytes")
            case 13:
                return memoryview(array(rng.choice("BHId"), range(2)))
            case 14:
                buffer = ArrayBuffer(8)
                self.made.append(buffer)
                return [buffer, buffer.view("H", 2), buffer]
            case 15:
                return ByIdentity(self.value(depth))
            case 16:
                return rng.choice((len, object(), Plain, Ellipsis, range(3), 1j, datetime(2000, 1, 1)))
            case 17:
                return hole
            case 18:
                return type("Sub", (rng.choice((list, tuple, set)),), {})(
                    [self.scalar(), self.scalar()][: rng.randrange(3)]
                )
            case 19:
                return type("Sub", (dict,), {})({rng.choice(KEYS): self.value(depth)})
            case 20:
                return {Name(rng.choice(KEYS)): self.value(depth), "a": 1}
            case 21:
                items: list[object] = []
                self.made.append(items)
                items.append((items, self.value(depth)))
                return items
            case 22:
                return {chr(0xD83D): 1, chr(0xDE00): 2, rng.choice(KEYS): 3}
            case _:
                return rng.choice((type("Int", (int,), {})(7), Name("text"), type("F", (float,), {})(1.5)))


# Bytes

INTERESTING = b"\x00\xff\x0f\x01\x02\x7f\x80" + bytes(sorted(clonecodec._tags.NAMES))


def damaged(rng: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """Return *data*, not as it was."""
    copy = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(2, len(copy) + 1) if len(copy) > 2 else len(copy)
        match rng.randrange(8):
            case 0 | 1 if at < len(copy):
                copy[at] = rng.randrange(256)
            case 2 if at < len(copy):
                copy[at] = rng.choice(INTERESTING)
            case 3:
                del copy[at : at + rng.choice((1, 2, 8))]
            case 4:
                copy[at:at] = bytes((rng.choice(INTERESTING),))
            case 5:
                copy[at:at] = copy[rng.randrange(len(copy) + 1) :][: rng.randrange(20)]
            case 6:
                other = rng.choice(others)
                copy[at:at] = other[rng.randrange(len(other) + 1) :][: rng.randrange(30)]
            case _:
                del copy[at:]
    if rng.random() < 0.05 and len(copy) > 1:
        copy[1] = rng.choice((12, 13, 14, 15, 16, 17))
    return bytes(copy)


class Hosts(Deserializer):
    """An embedder whose host objects hold values."""

    def read_host_object(self) -> object:
        return ["host", self.read_value(), self.read_uint32()]


class Writes(Serializer):
    """The same, writing; it claims what has few items."""

    def is_host_object(self, value: object) -> bool:
        return isinstance(value, (list, dict)) and len(value) == 1

    def write_host_object(self, value: object) -> None:
        if not isinstance(value, (list, dict)):
            raise ThrownError("not mine")
        self.write_value(tuple(value))
        self.write_uint32(7)


class Meddler(Serializer):
    """An embedder that changes what is being written, whenever it is asked to write something."""

    def __init__(self, made: list[object], rng: random.Random) -> None:
        super().__init__()
        self.made = made
        self.rng = rng

    def write_host_object(self, value: object) -> None:
        rng = self.rng
        for _ in range(3):
            target, other = rng.choice(self.made), rng.choice((rng.choice(self.made), 5, "text"))
            match target:
                case list() if target and rng.random() < 0.7:
                    target.pop(rng.randrange(len(target)))
                case list():
                    target.append(other)
                case dict() if target and rng.random() < 0.7:
                    target.popitem()
                case dict():
                    target[f"new{rng.randrange(9)}"] = other
                case set():
                    target.clear()
        if rng.random() < 0.3:
            self.write_value(other)
        if rng.random() < 0.05:
            raise ThrownError("enough")
        self.write_uint32(rng.randrange(300))


def meddled(seed: int) -> bytes:
    """Write the value of *seed* with functions in it, at each of which some of it changes."""
    rng = random.Random(seed)
    maker = Maker(rng, keen=True, steady=True)
    inner = {"f": len, "g": [print, maker.container(1)]}
    value = [maker.value(), len, maker.container(1), inner, maker.value()]
    serializer = Meddler([*maker.made, value], rng)
    serializer.write_value(value)
    serializer.write_value([*maker.made, max])
    return serializer.release_buffer()


def everything(deserializer: Deserializer) -> list[object]:
    """Read values until there are no more."""
    deserializer.read_header()
    values: list[object] = []
    while not deserializer.at_end() and len(values) < 5:
        values.append(deserializer.read_value())
    return [*values, deserializer.offset]


class Marks(Serializer):
    """Writes as ports do."""

    mark_read_only_bytes = True


def plainly(value: object) -> bytes:
    """What ports write, the short way if that is open: without the accelerator it never is."""
    data = dumps_plain(value) if api.dumps is clonecodec.dumps else None
    if data is not None:
        return data
    serializer = Marks()
    serializer.write_header()
    serializer.write_value(value)
    return serializer.release_buffer()


def read_plainly(data: bytes) -> object:
    """What ports read, the short way if that is open."""
    value = loads_plain(data) if api.loads is clonecodec.loads else NotImplemented
    if value is not NotImplemented:
        return value
    deserializer = Deserializer(data)
    deserializer.read_header()
    return deserializer.read_value()


def twice(serializer: Serializer, value: object) -> bytes:
    serializer.write_header()
    serializer.write_value(value)
    serializer.write_value([value, 1])
    return serializer.release_buffer()


class Round:
    """One round of comparisons.  ``inputs`` counts the damaged ones."""

    def __init__(self, rng: random.Random, others: list[bytes]) -> None:
        self.rng = rng
        self.others = others
        self.inputs = 0

    def run(self, mutations: int) -> None:
        rng = self.rng
        value = Maker(rng, keen=rng.random() < 0.7).value()
        version, hints = rng.choice((13, 14, 15, 15, 15, 16)), rng.random() < 0.8
        depth = rng.choice((100_000, 100_000, 100_000, 3))
        written = compare("dumps", lambda: api.dumps(value)).value
        compare("clone", lambda: api.structured_clone(value))
        compare("clone_with_transfer", lambda: api.clone_with_transfer(value, ()))
        plain = compare("dumps_plain", lambda: plainly(value)).value
        if rng.random() < 0.3:
            written = compare(
                "dumps with options",
                lambda: api.dumps(value, hints=hints, version=version, max_depth=depth),
            ).value
            compare("clone with max_depth", lambda: api.structured_clone(value, max_depth=depth))
        compare("Serializer", lambda: twice(Serializer(hints=hints, version=version), value))
        hosts = compare("host objects", lambda: twice(Writes(hints=hints, version=version), value)).value
        seed = rng.randrange(2**60)
        compare("a meddler", lambda: meddled(seed))
        for data in (written, hosts, plain):
            if isinstance(data, bytes):
                self.others[rng.randrange(len(self.others))] = data
                self.read(data, depth)
                for _ in range(mutations):
                    self.read(damaged(rng, data, self.others), depth)

    def read(self, data: bytes, depth: int) -> None:
        self.inputs += 1
        try:
            compare("loads", lambda: api.loads(data))
            match self.rng.randrange(8):
                case 0:
                    compare("zero_copy", lambda: api.loads(data, zero_copy=True))
                case 1:
                    compare("Deserializer", lambda: everything(Deserializer(data, max_depth=depth)))
                case 2 | 3:
                    compare("Hosts", lambda: everything(Hosts(data)))
                case 4:
                    compare("DefaultDeserializer", lambda: everything(DefaultDeserializer(data)))
                case 5:
                    compare("loads with max_depth", lambda: api.loads(data, max_depth=depth))
                case 6:
                    compare("bytearray", lambda: api.loads(bytearray(data)))
                case 7:
                    compare("loads_plain", lambda: read_plainly(data))
        except DifferenceError as difference:
            raise DifferenceError(f"{difference}\n{data.hex(' ')}") from None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1_000_000, help="values to make at the most")
    parser.add_argument("--inputs", type=int, default=60_000, help="when to stop: so many have been read")
    parser.add_argument("--mutations", type=int, default=30, help="damaged inputs for each of them")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="when to stop at the latest")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not clonecodec.accelerated:
        sys.exit("without the accelerator there is nothing to compare")
    others = [bytes.fromhex("ff0f4102490249042400025c0a0161")] * 50
    inputs, started = 0, time.monotonic()
    for number in range(options.rounds):
        seed = options.seed * 1_000_003 + number
        this = Round(random.Random(seed), others if number % 100 else others.copy())
        try:
            this.run(options.mutations)
        except BaseException:
            print(f"seed {seed}, round {number}", file=sys.stderr)
            raise
        inputs += this.inputs
        if inputs >= options.inputs or time.monotonic() - started > options.seconds:
            break
    print(f"{number + 1} values and {inputs} inputs, no difference")


if __name__ == "__main__":
    main()

"""Writing, reading and cloning every payload, beside pickle and the other codecs.

Tables: ``dumps``, ``loads``, ``structured_clone`` (against pickle's dumps and loads together), and
``buffers`` (16 MiB, against one copy of that memory).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import clonecodec
from bench import _node, _peers
from bench._measure import Call, Contender, Effort, minima
from bench._node import Node, NodeCall
from bench._payloads import BUFFERS, NOT_JSON, PAYLOADS, MissingError
from bench._rows import OURS, Goal, Row, times_as_fast

PICKLE_GOALS: Final[dict[str, tuple[float, float, float]]] = {
    "small": (0.6, 0.85, 0.4),
    "records1000": (0.5, 1.0, 0.3),
    "ints100k": (0.45, 1.0, 0.15),
    "floats100k": (0.33, 0.8, 0.15),
    "strings10k": (0.3, 0.9, 0.06),
    "dict10k": (0.4, 1.0, 0.1),
    "twitter": (0.5, 1.0, 0.35),
    "citm": (0.5, 0.95, 0.35),
    "canada": (0.55, 0.7, 0.3),
    "graph10k": (0.5, 0.9, 0.35),
}
"""At most so much of what pickle takes, for dumps, loads and structured_clone."""

NODE_READS_FASTER: Final = ("strings10k", "twitter", "canada")
"""V8 makes no Python objects: no goal in reading these."""

TO_BE_CALLED_A_COPY: Final = 1.2
"""Of one memcpy, for what copies once; a fifth is allowed for what stands around the memory."""

NOT_A_COPY: Final = 0.05
"""Of one memcpy, for what copies nothing: whatever its cost, it is not the memory's."""

NODE_SHARES: Final = "v8.deserialize hands out views on its input: its equal is the row with zero_copy=True"
DEEPCOPY_SHARES: Final = "copy.deepcopy hands back the same bytes: nothing can be ten times faster than that"
DEEPCOPY_COPIES: Final = "copy.deepcopy of an array is one memcpy: ten times faster would not be a copy"


def measure(effort: Effort, scale: float = 1.0, only: tuple[str, ...] = ()) -> Iterator[Row]:
    """A row for each payload (or those of *only*) and direction, as it is measured."""
    with _node.running() as node:
        peers = _peers.codecs()
        for name, make in PAYLOADS.items():
            if only and name not in only:
                continue
            try:
                value = make(scale)
            except MissingError as missing:
                yield from _missing(name, str(missing))
                continue
            if node is not None:
                node.load(name, value, as_json=name not in NOT_JSON)
            if name in BUFFERS:
                yield from _buffers(name, value, node, peers, effort)
            else:
                yield _dumps(name, value, node, peers, effort)
                yield _loads(name, value, node, peers, effort)
                yield _clone(name, value, node, effort)


def _missing(name: str, reason: str) -> Iterator[Row]:
    for table, limit in zip(("dumps", "loads", "structured_clone"), PICKLE_GOALS[name], strict=True):
        yield Row(table, name, {}, (Goal("pickle", limit),), {OURS: reason})


def _dumps(
    name: str, value: object, node: Node | None, peers: Mapping[str, _peers.Peer | None], effort: Effort
) -> Row:
    contenders: dict[str, Contender] = {OURS: Call("dumps(v)", dumps=clonecodec.dumps, v=value)}
    absent: dict[str, str] = {}
    _add_node(contenders, absent, node, "serialize", name)
    for peer_name, peer in _usable(peers, name, absent).items():
        contenders[peer_name] = peer.dumping(value)
    goals = [Goal("pickle", PICKLE_GOALS[name][0]), Goal("Node", 1.0), *_against_v8serialize(name)]
    return Row("dumps", name, minima(contenders, effort), tuple(goals), absent)


def _loads(
    name: str, value: object, node: Node | None, peers: Mapping[str, _peers.Peer | None], effort: Effort
) -> Row:
    data = clonecodec.dumps(value)
    contenders: dict[str, Contender] = {OURS: Call("loads(d)", loads=clonecodec.loads, d=data)}
    absent: dict[str, str] = {}
    _add_node(contenders, absent, node, "deserialize", name)
    for peer_name, peer in _usable(peers, name, absent).items():
        contenders[peer_name] = peer.loading(peer.write(value))
    goals = [Goal("pickle", PICKLE_GOALS[name][1])]
    if name not in NODE_READS_FASTER:
        goals.append(Goal("Node", 1.2 if name == "ints100k" else 1.0))
    goals += _against_v8serialize(name)
    return Row("loads", name, minima(contenders, effort), tuple(goals), absent)


def _clone(name: str, value: object, node: Node | None, effort: Effort) -> Row:
    contenders: dict[str, Contender] = {
        OURS: Call("clone(v)", clone=clonecodec.structured_clone, v=value),
        "pickle": _peers.pickling_and_unpickling(value),
        "deepcopy": _peers.deep_copying(value),
    }
    absent: dict[str, str] = {}
    _add_node(contenders, absent, node, "structuredClone", name)
    goals = (Goal("pickle", PICKLE_GOALS[name][2]), Goal("Node", 1.0), times_as_fast(10, "deepcopy"))
    return Row("structured_clone", name, minima(contenders, effort), goals, absent)


def _buffers(
    name: str, value: object, node: Node | None, peers: Mapping[str, _peers.Peer | None], effort: Effort
) -> Iterator[Row]:
    memory = memoryview(value).cast("B")  # type: ignore[arg-type]  # both are buffers
    memcpy = Call("bytes(m)", m=memory)
    data = clonecodec.dumps(value)
    copies = Goal("memcpy", TO_BE_CALLED_A_COPY)
    shares = Goal("memcpy", NOT_A_COPY)

    absent: dict[str, str] = {}
    writers: dict[str, Contender] = {"memcpy": memcpy, OURS: Call("f(v)", f=clonecodec.dumps, v=value)}
    readers: dict[str, Contender] = {"memcpy": memcpy, OURS: Call("f(d)", f=clonecodec.loads, d=data)}
    _add_node(writers, absent, node, "serialize", name)
    _add_node(readers, absent, node, "deserialize", name)
    for peer_name, peer in _usable(peers, name, absent).items():
        writers[peer_name] = peer.dumping(value)
        readers[peer_name] = peer.loading(peer.write(value))
    yield _row(f"{name}, dumps", minima(writers, effort), (copies, Goal("Node", 1.0)), absent)
    yield _row(f"{name}, loads", minima(readers, effort), (copies,), absent, NODE_SHARES)
    absent = {}
    borrowers: dict[str, Contender] = {
        "memcpy": memcpy,
        OURS: Call("f(d, zero_copy=True)", f=clonecodec.loads, d=data),
    }
    _add_node(borrowers, absent, node, "deserialize", name)
    goals = (shares, Goal("Node", 1.0))
    yield _row(f"{name}, loads(zero_copy=True)", minima(borrowers, effort), goals, absent)

    clones: dict[str, Contender] = {
        "memcpy": memcpy,
        OURS: Call("f(v)", f=clonecodec.structured_clone, v=value),
        "pickle": _peers.pickling_and_unpickling(value),
        "deepcopy": _peers.deep_copying(value),
    }
    absent = {}
    _add_node(clones, absent, node, "structuredClone", name)
    is_bytes = isinstance(value, bytes)
    clone_goals = (shares if is_bytes else copies, Goal("Node", 1.0), times_as_fast(10, "deepcopy"))
    note = DEEPCOPY_SHARES if is_bytes else DEEPCOPY_COPIES
    yield _row(f"{name}, structured_clone", minima(clones, effort), clone_goals, absent, note)
    if not is_bytes:
        held = [clonecodec.ArrayBuffer(bytes(memory))]
        moving = Call("h[0] = f(h[0], transfer=h)", f=clonecodec.structured_clone, h=held)
        yield _row(f"{name}, transferred", minima({"memcpy": memcpy, OURS: moving}, effort), (shares,))


def _row(
    name: str,
    values: dict[str, float],
    goals: tuple[Goal, ...],
    absent: dict[str, str] | None = None,
    note: str = "",
) -> Row:
    return Row("buffers", name, values, goals, absent or {}, base="memcpy", note=note)


def _against_v8serialize(name: str) -> list[Goal]:
    if name != "records1000":
        return []
    return [times_as_fast(100 if clonecodec.accelerated else 12, "v8serialize")]


def _add_node(
    contenders: dict[str, Contender], absent: dict[str, str], node: Node | None, what: str, name: str
) -> None:
    if node is None:
        absent["Node"] = _node.NONE
    else:
        contenders["Node"] = NodeCall(node, what, name)


def _usable(
    peers: Mapping[str, _peers.Peer | None], name: str, absent: dict[str, str]
) -> dict[str, _peers.Peer]:
    """The peers that are there and take this payload; the others go into *absent*."""
    usable = {}
    for peer_name, peer in peers.items():
        reason = _peers.CANNOT.get((peer_name, name), _peers.NOT_INSTALLED if peer is None else None)
        if reason is not None:
            absent[peer_name] = reason
        elif peer is not None:
            usable[peer_name] = peer
    return usable

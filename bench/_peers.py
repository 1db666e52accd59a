"""The peers: how each writes and reads a value, the fastest way that its public interface has.

Which payloads a peer cannot take, and why, stands in ``CANNOT``.  A peer that is not installed is no error:
its column says so (``pip install 'clonecodec[bench]'`` brings them).
"""

from __future__ import annotations

import copy
import importlib
import importlib.metadata
import marshal
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bench._measure import Call

NOT_INSTALLED: Final = "not installed"
CYCLES: Final = "knows no cycles"
ONE_BY_ONE: Final = "writes an array's two million numbers one by one"

CANNOT: Final[dict[tuple[str, str], str]] = {
    ("msgspec", "graph10k"): CYCLES,
    ("msgspec", "f64 16M"): "knows no arrays of numbers",
    ("cbor2", "f64 16M"): ONE_BY_ONE,
    ("v8serialize", "f64 16M"): ONE_BY_ONE,
}


@dataclass(frozen=True)
class Peer:
    """How one codec is called: statements over names, with ``v`` the value and ``d`` its bytes."""

    dumps: str
    loads: str
    names: dict[str, object]
    write: Callable[[object], bytes]

    def dumping(self, value: object) -> Call:
        return Call(self.dumps, v=value, **self.names)

    def loading(self, data: bytes) -> Call:
        return Call(self.loads, d=data, **self.names)


def find(module: str) -> Any | None:
    """The module, if it is installed; untyped, as not every peer has types."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        return None


def version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def pickle5() -> Peer:
    names: dict[str, object] = {"dumps": pickle.dumps, "loads": pickle.loads}
    return Peer("dumps(v, 5)", "loads(d)", names, lambda value: pickle.dumps(value, 5))


def with_marshal() -> Peer:
    names: dict[str, object] = {"dumps": marshal.dumps, "loads": marshal.loads}
    return Peer("dumps(v)", "loads(d)", names, marshal.dumps)  # type: ignore[arg-type]  # any object is tried


def cbor2() -> Peer | None:
    module = find("cbor2")
    if module is None:
        return None
    names = {"dumps": module.dumps, "loads": module.loads}
    # 400 levels by default; the graph's nest deeper, as each child's parent is open when it is written.
    return Peer(
        "dumps(v, value_sharing=True)",
        "loads(d, max_depth=2000)",
        names,
        lambda value: bytes(module.dumps(value, value_sharing=True)),
    )


def msgspec() -> Peer | None:
    module = find("msgspec.msgpack")
    if module is None:
        return None
    encoder, decoder = module.Encoder(), module.Decoder()
    names = {"encode": encoder.encode, "decode": decoder.decode}
    return Peer("encode(v)", "decode(d)", names, lambda value: bytes(encoder.encode(value)))


def v8serialize() -> Peer | None:
    module = find("v8serialize")
    if module is None:
        return None
    encoder, decoder = module.Encoder(), module.Decoder()
    names = {"encode": encoder.encode, "decodes": decoder.decodes}
    return Peer("encode(v)", "decodes(d)", names, lambda value: bytes(encoder.encode(value)))


def codecs() -> dict[str, Peer | None]:
    """All that write and read, pickle first; None for one that is not installed."""
    return {
        "pickle": pickle5(),
        "cbor2": cbor2(),
        "msgspec": msgspec(),
        "marshal": with_marshal(),
        "v8serialize": v8serialize(),
    }


def pickling_and_unpickling(value: object) -> Call:
    """What a clone is compared with: dumps and loads together."""
    return Call("loads(dumps(v, 5))", v=value, dumps=pickle.dumps, loads=pickle.loads)


def deep_copying(value: object) -> Call:
    return Call("deepcopy(v)", v=value, deepcopy=copy.deepcopy)

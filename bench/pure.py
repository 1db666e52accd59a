"""The Python implementation beside v8serialize, on 1,000 records, in a process with ``CLONECODEC_PURE=1``.

v8serialize writes a dict as a JavaScript Map, with tags of its own choice, so its bytes are not V8's; it is
measured reading both what it wrote itself and what V8 writes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

import clonecodec
from bench import _child, _peers
from bench._measure import Call, Contender, Effort, minima
from bench._payloads import records
from bench._rows import OURS, Row, times_as_fast

TIMES: Final = 12
"""As fast as v8serialize, in each direction."""


def measure(effort: Effort, scale: float = 1.0) -> Iterator[Row]:
    yield from _child.run("bench.pure", effort, str(scale), environment={"CLONECODEC_PURE": "1"})


def _measure(effort: Effort, scale: float) -> Iterator[Row]:
    assert not clonecodec.accelerated
    value: object = records(max(1, int(1_000 * scale)))
    data = clonecodec.dumps(value)
    peer = _peers.v8serialize()
    writing = Call("f(v)", f=clonecodec.dumps, v=value)
    reading = Call("f(d)", f=clonecodec.loads, d=data)
    theirs = peer.write(value) if peer is not None else b""
    yield _row("dumps", writing, peer.dumping(value) if peer is not None else None, effort)
    for name, read in (("loads, v8serialize its own bytes", theirs), ("loads, both V8's bytes", data)):
        yield _row(name, reading, peer.loading(read) if peer is not None else None, effort)


def _row(name: str, ours: Contender, theirs: Contender | None, effort: Effort) -> Row:
    contenders = {OURS: ours}
    absent = {"v8serialize": _peers.NOT_INSTALLED} if theirs is None else {}
    if theirs is not None:
        contenders["v8serialize"] = theirs
    goals = (times_as_fast(TIMES, "v8serialize"),)
    return Row("pure", name, minima(contenders, effort), goals, absent, base="v8serialize")


if __name__ == "__main__":
    _child.answer(_measure(_child.effort(), float(sys.argv[2])))

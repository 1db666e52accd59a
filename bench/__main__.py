"""Compare speeds, side by side: ``python -m bench [--quick] [table ...]``.

tables      codec pure scaling ports imports; all of them if none is named
--quick     few and short rounds: to see that it works, and roughly where things are
--publish   also put the figures into docs/performance.md and docs/performance.svg
--from FILE print (or publish) an earlier run's figures, and measure nothing
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import clonecodec
from bench import _node, _peers, _publish, codec, imports, ports, pure, scaling
from bench._measure import FULL, QUICK, Effort
from bench._payloads import ROOT
from bench._rows import Row, amount, from_json, summary, to_json

TABLES: Final[dict[str, Callable[[Effort], Iterator[Row]]]] = {
    "codec": codec.measure,
    "pure": pure.measure,
    "scaling": scaling.measure,
    "ports": ports.measure,
    "imports": imports.measure,
}
RESULTS: Final = ROOT / "bench" / "results"
PEERS: Final = ("cbor2", "msgspec", "v8serialize", "pyzmq", "janus")


def main(arguments: list[str] | None = None) -> None:
    parser = _parser()
    options = parser.parse_args(arguments)
    for name in options.tables:
        if name not in TABLES:  # (argparse's own "choices" refuses an empty list)
            parser.error(f"no such table: {name!r}; there are {', '.join(TABLES)}")
    if options.earlier is not None:
        results = json.loads(options.earlier.read_text("utf-8"))
        print(_publish.report(results["machine"], from_json(results["rows"])))
    else:
        results = run(options.tables or list(TABLES), QUICK if options.quick else FULL)
        print(f"\nwritten to {_save(results).relative_to(ROOT)}")
    if options.publish:
        for path in _publish.publish(results["machine"], from_json(results["rows"])):
            print(f"written to {path.relative_to(ROOT)}")


def run(names: list[str], effort: Effort) -> dict[str, Any]:
    """Measure the tables, tell what comes in on stderr, print them, and return what is to be saved."""
    about = machine(effort)
    rows = []
    for name in names:
        for row in TABLES[name](effort):
            figures = ", ".join(f"{who} {amount(value, row.unit)}" for who, value in row.values.items())
            print(f"{row.table}, {row.name}: {figures}", file=sys.stderr, flush=True)
            rows.append(row)
    print(_publish.report(about, rows))
    print(f"\n{summary(rows)}")
    return {"machine": about, "rows": to_json(rows)}


def machine(effort: Effort) -> dict[str, str]:
    """What the figures depend on."""
    node = _node.find()
    with _node.running() as running:
        node_version = running.version if node is not None and running is not None else "none"
    peers = ", ".join(f"{name} {_peers.version(name) or '(not installed)'}" for name in PEERS)
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "node": node_version,
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{_processor()}",
        "load": " ".join(f"{load:.1f}" for load in os.getloadavg()) if hasattr(os, "getloadavg") else "",
        "accelerated": "yes" if clonecodec.accelerated else "no",
        "peers": peers,
        "rounds": f"{effort.rounds} of {effort.batch * 1000:g} ms{', --quick' if effort.quick else ''}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return ""
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f", {models[0]}" if models else ""


def _save(results: dict[str, Any]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H%M%SZ")
    path = RESULTS / f"{stamp}.json"
    path.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    return path


def _parser() -> argparse.ArgumentParser:
    assert __doc__ is not None
    parser = argparse.ArgumentParser("python -m bench", description=__doc__.partition("\n")[0])
    every = ", ".join(TABLES)
    parser.add_argument("tables", nargs="*", metavar="table", help=f"any of {every}; all, if none is named")
    parser.add_argument("--quick", action="store_true", help="few and short rounds")
    parser.add_argument("--publish", action="store_true", help="renew docs/performance.md and its drawing")
    parser.add_argument("--from", dest="earlier", type=Path, metavar="FILE", help="an earlier run's figures")
    return parser


if __name__ == "__main__":
    main()

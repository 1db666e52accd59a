"""Run the fuzzers: ``python -m fuzz --seconds N [name ...]``."""

from __future__ import annotations

import argparse
import importlib
import random
import subprocess
import sys
import time
import traceback
from pathlib import Path

import clonecodec

BATCH = 200  # inputs with one seed: what a failure names, and what repeats it


def names() -> list[str]:
    """The fuzzers there are."""
    return sorted(path.stem.removeprefix("fuzz_") for path in Path(__file__).parent.glob("fuzz_*.py"))


def run(name: str, seconds: float, seed: int | None) -> bool:
    """Run one fuzzer for so long; whether every promise held."""
    if name == "twins":
        return run_twins(seconds, seed)
    module = importlib.import_module(f"fuzz.fuzz_{name}")
    begun, count = time.monotonic(), 0
    first = int(time.time()) if seed is None else seed
    batch = first
    while True:
        source = random.Random(batch)
        for _ in range(BATCH):
            try:
                module.attempt(source)
            except Exception:
                traceback.print_exc()
                print(f"{name}: broken; python -m fuzz --seed {batch} {name} repeats it", file=sys.stderr)
                return False
            count += 1
        batch += 1
        if time.monotonic() - begun >= seconds:
            print(f"{name}: {count} inputs, seeds {first} to {batch - 1}: all promises held")
            return True


def run_twins(seconds: float, seed: int | None) -> bool:
    """Compare with and without the accelerator, if there is one: a program of its own."""
    if not clonecodec.accelerated:
        print("twins: the accelerator is not built, so there is nothing to compare")
        return True
    options = ["--seconds", str(seconds), "--inputs", str(10**9)]
    options += [] if seed is None else ["--seed", str(seed)]
    return subprocess.run([sys.executable, "-m", "fuzz.fuzz_twins", *options], check=False).returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Fuzz the codec.")
    parser.add_argument("--seconds", type=float, default=60.0, help="for all of them together")
    parser.add_argument("--seed", type=int, help="begin with this one")
    parser.add_argument("names", nargs="*", choices=[[], *names()], help="all, if none is named")
    options = parser.parse_args()
    chosen = options.names or names()
    results = [run(name, options.seconds / len(chosen), options.seed) for name in chosen]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())

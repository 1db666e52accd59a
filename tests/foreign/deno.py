"""The Deno that tests ask for real databases: npm's package ``deno`` brings it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.node import ROOT

DENO = ROOT / ".node" / "deno" / "node_modules" / ".bin" / "deno"


def run(script: str, *arguments: str) -> subprocess.Popen[str]:
    """Start *script*; skipped where there is no Deno, but never in CI."""
    if not DENO.exists():
        if os.environ.get("CI") == "true":
            raise RuntimeError(f"CI tests with {DENO}: npm install --prefix .node/deno deno")
        pytest.skip("Deno is not installed (npm install --prefix .node/deno deno)")
    return subprocess.Popen(
        [str(DENO), "run", "--quiet", "--allow-all", "--unstable-kv", "-", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"},
    )


def write(script: str, path: Path) -> None:
    """Let Deno run *script*, in which ``kv`` is the open database *path*, to its end."""
    process = run("", str(path))
    process.communicate(f"const kv = await Deno.openKv(Deno.args[0]);\n{script}\nkv.close();\n", timeout=60)
    assert process.returncode == 0

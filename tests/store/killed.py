"""A writer that is killed at a random instant, again and again, and what must be true afterwards.

    python -m tests.store.killed PATH KILLS SECONDS

One round: a child opens the store and writes; after each commit it says so in a pipe.  The parent kills it
(SIGKILL) at a random instant, and compares the store with what it was told.  What was told is there; the one
write that may have been under way is there whole or not at all.
"""

from __future__ import annotations

import os
import random
import select
import signal
import struct
import sys
import time
from pathlib import Path

from clonecodec import store

TELL = struct.Struct("<I")
LONG = (1 << 20) + 12345


def pattern(step: int, size: int) -> bytes:
    return (b"%08d" % step) * (size // 8 + 1)


def write(path: Path, begin: int, told: int) -> None:
    """Write for ever: small values, long ones, transactions over several keys, deletions; compact."""
    with store.open(path) as opened:
        step = begin
        while True:
            kind = step % 8
            if kind == 5:
                opened["long"] = pattern(step, LONG)
            elif kind == 6:
                with opened.transaction():
                    for name in "abcde":
                        opened[f"together:{name}"] = step
                        if name == "c":
                            opened["together:long"] = pattern(step, LONG)
            elif kind == 7:
                opened.pop(f"step:{step - 6}", None)
            if step % 30 == 29:
                opened.compact()
            opened[f"step:{step}"] = [step, pattern(step, 3000)]
            os.write(told, TELL.pack(step))
            step += 1


def verify(path: Path, last: int) -> None:
    """All is there since the file was new, up to *last*, of which a writer told; the next step may be."""
    with store.open(path) as opened:
        opened.check()
        for step in range(last + 1):
            # Step n (n % 8 == 7) deletes n - 6.
            deleted_by = step + 6 if (step + 6) % 8 == 7 else None
            key = f"step:{step}"
            if deleted_by is not None and deleted_by <= last:
                assert key not in opened, f"{key} was deleted, and is back"
            elif deleted_by is None or deleted_by > last + 1:
                assert opened[key] == [step, pattern(step, 3000)], f"{key} is lost"
        assert f"step:{last + 2}" not in opened
        together = {opened[f"together:{name}"] for name in "abcde" if f"together:{name}" in opened}
        if together:
            [step] = together
            assert last - 8 < step <= last + 1
            assert opened["together:long"] == pattern(step, LONG)
        if "long" in opened:
            step = int(bytes(opened["long"][:8]))
            assert last - 8 < step <= last + 1
            assert opened["long"] == pattern(step, LONG)


def one_round(path: Path, begin: int, chance: random.Random) -> int:
    """Let a child write from step *begin* on, kill it, check; the step after the last that it told."""
    receive, told = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(receive)
            write(path, begin, told)
        finally:
            os._exit(1)
    os.close(told)
    if chance.random() < 0.7:  # however slow the machine is, most are killed while they write
        select.select([receive], [], [], 30)
    time.sleep(chance.uniform(0, 0.03) if chance.random() < 0.9 else chance.uniform(0, 0.15))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, "the writer failed by itself"
    last = begin - 1
    with os.fdopen(receive, "rb") as told_of:
        while len(record := told_of.read(TELL.size)) == TELL.size:
            [last] = TELL.unpack(record)
    if path.exists():
        verify(path, last)
    return last


def main(path: Path, kills: int, seconds: float) -> None:
    chance = random.Random(os.urandom(8))
    deadline = time.monotonic() + seconds
    done, steps, fresh = 0, 0, 0
    begin = 0
    while done < kills and time.monotonic() < deadline:
        if done % 10 == 0:  # often a new file, so that its making is interrupted too
            for entry in path.parent.glob(path.name + "*"):
                entry.unlink()
            begin = 0
            fresh += 1
        last = one_round(path, begin, chance)
        steps += last + 1 - begin
        # What was under way may have been committed without being told: it is written again.
        begin = last + 1
        done += 1
    print(done, steps, fresh)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))

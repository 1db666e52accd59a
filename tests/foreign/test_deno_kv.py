"""Databases that the real Deno made: whole, open, killed, copied, damaged."""

from __future__ import annotations

import datetime
import math
import random
import shutil
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from clonecodec import BigInt, DecodeError, undefined
from clonecodec.foreign import DenoKvEntry, read_deno_kv
from clonecodec.foreign._deno_keys import decoded_key
from tests.foreign import deno
from tests.foreign.hostile import assert_only_decode_errors

SCRIPT = r"""
const when = new Date(Date.UTC(2026, 10, 22));
const shared = { a: 1 };
const m = new Map([[1, new Set([2n])]]);
await kv.set(["v8", 1], { x: 1, u: new Uint8Array([1, 2]), d: when, m, both: [shared, shared] });
await kv.set(["v8", 2], undefined);
await kv.set(["v8", 3], new Blob(["text"], { type: "text/plain" }));
await kv.set(["u64"], new Deno.KvU64(5n));
await kv.set(["u64", "long"], new Deno.KvU64(2n ** 64n - 1n));
await kv.set(["bytes"], new Uint8Array([0, 1, 255]));
await kv.set(["expires"], "soon", { expireIn: 3_600_000 });
for (const part of KEYS) await kv.set(["key", part], String(part));
"""

KEYS: list[tuple[str, object]] = [
    # JavaScript, what it is here; in Deno's order
    ("new Uint8Array([])", b""),
    ("new Uint8Array([0, 255, 0, 1, 255])", b"\0\xff\0\x01\xff"),
    ('""', ""),
    (r'"a\u0000b"', "a\0b"),
    ('"é\U0001f600"', "é\U0001f600"),
    ("-(2n**100n)", BigInt(-(2**100))),
    ("-(2n**64n)", BigInt(-(2**64))),
    ("-(2n**64n) + 1n", BigInt(-(2**64) + 1)),
    ("-256n", BigInt(-256)),
    ("-1n", BigInt(-1)),
    ("0n", BigInt(0)),
    ("1n", BigInt(1)),
    ("255n", BigInt(255)),
    ("2n**63n", BigInt(2**63)),
    ("2n**64n", BigInt(2**64)),
    ("2n**500n", BigInt(2**500)),
    ("-Infinity", -math.inf),
    ("-1.5", -1.5),
    ("-1", -1),
    ("-0", -0.0),
    ("0", 0),
    ("5e-324", 5e-324),
    ("1", 1),
    ("2**53 - 1", 2**53 - 1),
    ("2**53", 2.0**53),
    ("1e300", 1e300),
    ("Infinity", math.inf),
    ("NaN", math.nan),
    ("false", False),
    ("true", True),
]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed database with a value of each encoding and a key of each kind."""
    path = tmp_path_factory.mktemp("deno") / "kv.db"
    deno.write(SCRIPT.replace("KEYS", f"[{', '.join(javascript for javascript, _ in KEYS)}]"), path)
    return path


def picture(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {entry.name: (entry.read_bytes(), entry.stat().st_mtime_ns) for entry in folder.iterdir()}


def by_key(path: Path) -> dict[tuple[object, ...], DenoKvEntry]:
    return {entry.key: entry for entry in read_deno_kv(path) if entry.key[0] != "key"}


def test_values_of_all_encodings_are_read(database: Path) -> None:
    entries = by_key(database)

    first = entries["v8", 1]
    assert first.encoding == "v8"
    assert bytes(first.value["u"]) == b"\x01\x02"
    assert first.value["d"] == datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
    assert first.value["m"] == {1: {2}}
    assert first.value["both"][0] is first.value["both"][1]
    assert entries["v8", 2].value is undefined
    assert entries["v8", 3].value["type"] == "Blob"
    assert (entries["u64",].encoding, entries["u64",].value) == ("u64", 5)
    assert entries["u64", "long"].value == 2**64 - 1
    assert (entries["bytes",].encoding, entries["bytes",].value) == ("bytes", b"\0\x01\xff")


def test_expiry_and_versionstamp_are_told(database: Path) -> None:
    entries = by_key(database)

    expires = entries["expires",].expires_at
    assert isinstance(expires, datetime.datetime)
    left = expires - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(minutes=30) < left < datetime.timedelta(hours=1)
    assert entries["bytes",].expires_at is None
    stamps = [entry.versionstamp for entry in entries.values()]
    assert all(len(stamp) == 20 and int(stamp, 16) for stamp in stamps)
    assert len(set(stamps)) == len(stamps)


def test_keys_of_all_kinds_are_read_in_their_order(database: Path) -> None:
    keys = [entry.key for entry in read_deno_kv(database) if entry.key[0] == "key"]

    expected = [("key", part) for _, part in KEYS]
    assert [repr(key) for key in keys] == [repr(key) for key in expected]
    assert [type(key[1]) for key in keys] == [type(key[1]) for key in expected]


def test_reading_leaves_no_trace(database: Path) -> None:
    before = picture(database.parent)

    assert len(list(read_deno_kv(database))) == len(KEYS) + 7

    assert picture(database.parent) == before


def test_a_database_that_deno_has_open_is_read(tmp_path: Path) -> None:
    path = tmp_path / "kv.db"
    process = deno.run("", str(path))
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(
        'const kv = await Deno.openKv(Deno.args[0]); await kv.set(["a"], 1); console.log("ready");'
        "setTimeout(() => {}, 60_000);"
    )
    process.stdin.close()
    assert process.stdout.readline() == "ready\n"

    try:
        assert [(entry.key, entry.value) for entry in read_deno_kv(path)] == [(("a",), 1)]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    # Killed, it leaves its log behind, and the entry is only there.
    assert path.with_name("kv.db-wal").stat().st_size > 0
    assert [(entry.key, entry.value) for entry in read_deno_kv(path)] == [(("a",), 1)]

    # Somebody copied the two files that matter.
    copies = tmp_path / "copies"
    copies.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", copies)
    before = picture(copies)
    assert [(entry.key, entry.value) for entry in read_deno_kv(copies / "kv.db")] == [(("a",), 1)]
    assert picture(copies) == before


def database_of(
    path: Path, rows: list[tuple[object, ...]], columns: str = "k, v, v_encoding, version"
) -> Path:
    """A database as Deno would have it, with *rows* that Deno would not write."""
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE kv ({columns})")
    connection.executemany(f"INSERT INTO kv VALUES ({', '.join('?' * len(columns.split(',')))})", rows)
    connection.commit()
    connection.close()
    return path


def test_an_old_database_without_expiry_is_read(tmp_path: Path) -> None:
    path = database_of(tmp_path / "kv.db", [(b"\x02a\0", b"\xff\x0fI\x02", 1, 1)])

    [entry] = read_deno_kv(path)

    assert (entry.key, entry.value, entry.expires_at) == (("a",), 1, None)


MALFORMED: list[tuple[object, object, object, str, int]] = [
    # key, value, encoding, reason, offset
    (b"\x02a", b"", 3, "expected the end of a part of a key, 0x00", 2),
    (b"\x02\xff\x00", b"", 3, "a part of a key is not UTF-8", 1),
    (b"\x03", b"", 3, "unknown tag 0x03 of a key", 0),
    (b"\x27\x28", b"", 3, "unknown tag 0x28 of a key", 1),
    (b"\x16\x01", b"", 3, "expected 2 bytes of a key", 2),
    (b"\x1d\xff\x01", b"", 3, "expected 255 bytes of a key", 3),
    (b"\x21\x00", b"", 3, "expected 8 bytes of a key", 2),
    (b"\x02a\0", b"", 4, "unknown encoding 4 of the value of ('a',)", 0),
    (b"\x02a\0", b"1234567", 2, "expected 8 bytes, not 7 in the value of ('a',)", 0),
    (b"\x02a\0", b"\xff\x0f\x5c\x01", 1, "unknown host object 1 of Deno's in the value of ('a',)", 3),
    (7, b"", 3, "a key or value is not a blob", 0),
    (b"\x02a\0", None, 3, "a key or value is not a blob", 0),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "encoding", "reason", "offset"), MALFORMED)
def test_a_malformed_entry_is_a_decode_error_and_the_next_one_is_read(
    tmp_path: Path, key: object, value: object, encoding: object, reason: str, offset: int
) -> None:
    path = database_of(tmp_path / "kv.db", [(key, value, encoding, 1), (b"\x27", b"ok", 3, 1)])

    errors, values = [], []
    with read_deno_kv(path) as entries:
        while True:
            try:
                values.append(next(entries).value)
            except StopIteration:
                break
            except DecodeError as error:
                errors.append((error.reason, error.offset))

    assert errors == [(reason, offset)]
    assert values == [b"ok"]


def nested(depth: int) -> bytes:
    return b"\xff\x0f" + b"\x5c\xff\xff\xff\xff\x0f" * depth + b"\x6f\x7b\x00"


def test_host_objects_within_each_other_are_bounded(tmp_path: Path) -> None:
    path = database_of(tmp_path / "kv.db", [(b"\x26", nested(10), 1, 1), (b"\x27", nested(100_000), 1, 1)])
    entries = read_deno_kv(path)

    assert next(entries).value == {}
    with pytest.raises(DecodeError, match="host objects within each other"):
        next(entries)
    entries.close()


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_deno_kv(tmp_path / "lost")
    with pytest.raises(IsADirectoryError):
        read_deno_kv(tmp_path)
    (tmp_path / "text").write_text("not a database " * 100)
    with pytest.raises(DecodeError, match="not a database"):
        read_deno_kv(tmp_path / "text")
    sqlite3.connect(tmp_path / "other").execute("CREATE TABLE t (a)").connection.close()
    with pytest.raises(DecodeError, match="there is no table kv"):
        read_deno_kv(tmp_path / "other")


def test_a_damaged_database_raises_nothing_but_decode_errors(database: Path, tmp_path: Path) -> None:
    whole = database.read_bytes()
    path = tmp_path / "kv.db"
    chance = random.Random(5)

    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 30)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged[: chance.randrange(len(damaged))] if chance.random() < 0.2 else damaged)
        try:
            entries = read_deno_kv(path)
        except DecodeError:
            refused += 1
            continue
        for _ in range(len(KEYS) + 20):
            try:
                if next(entries, None) is None:
                    break
            except DecodeError:
                refused += 1
        entries.close()
    assert refused > 20
    assert [entry.name for entry in tmp_path.iterdir()] == ["kv.db"]


def test_every_key_is_read_or_refused() -> None:
    key = (
        b"\x01\0\xff\0\x02a\0\x15\x01\x13\xfe\x1d\x09"
        + bytes(9)
        + b"\x21"
        + struct.pack(">d", 1.5)
        + b"\x26\x27"
    )
    read: Callable[[bytes], object] = decoded_key

    assert_only_decode_errors(read, key, 3000)

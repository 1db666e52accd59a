"""What may be opened how; and what is refused is left as it was, alone in its folder."""

from __future__ import annotations

import os
import pickle
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from clonecodec import CloneError, store
from clonecodec.store import Mode, StoreDamagedError, StoreError

MODES: tuple[Mode, ...] = ("r", "w", "c", "n")


def picture(folder: Path) -> dict[str, tuple[bytes, int]]:
    """All files of *folder* with their bytes and times of change."""
    return {entry.name: (entry.read_bytes(), entry.stat().st_mtime_ns) for entry in folder.iterdir()}


def filled(path: Path, megabytes: int = 0) -> Path:
    """A closed store with 200 small values and *megabytes* of longer ones."""
    with store.open(path) as opened:
        opened.update({f"key {number}": list(range(number)) for number in range(200)})
        for number in range(megabytes):
            opened[f"long {number}"] = os.urandom(1 << 20)
    return path


@pytest.mark.parametrize("mode", ["c", "n"])
def test_modes_c_and_n_make_a_store(path: Path, mode: Mode) -> None:
    with store.open(path, mode) as opened:
        opened["a"] = 1

    with store.open(path, "r") as again:
        assert dict(again) == {"a": 1}


@pytest.mark.parametrize("mode", ["c", "n"])
def test_an_empty_file_becomes_a_store(mode: Mode) -> None:
    with tempfile.NamedTemporaryFile() as file, store.open(file.name, mode) as opened:
        opened["a"] = 1

        assert dict(opened) == {"a": 1}


@pytest.mark.parametrize("mode", ["r", "w"])
def test_modes_r_and_w_want_a_store(path: Path, mode: Mode) -> None:
    with pytest.raises(FileNotFoundError):
        store.open(path, mode)
    assert not path.exists()

    path.touch()
    with pytest.raises(StoreError, match="is empty, not a store"):
        store.open(path, mode)
    assert path.stat().st_size == 0


@pytest.mark.parametrize("mode", ["r", "w", "c"])
def test_modes_r_w_and_c_keep_what_is_there(path: Path, mode: Mode) -> None:
    filled(path)

    with store.open(path, mode) as opened:
        assert len(opened) == 200
        assert opened.mode == mode
        assert opened.path == str(path)


def test_mode_n_empties_a_store(path: Path) -> None:
    filled(path, megabytes=2)

    with store.open(path, "n") as opened:
        assert dict(opened) == {}
        opened.check()


def test_mode_r_refuses_every_change(path: Path) -> None:
    filled(path)

    with store.open(path, "r") as opened:
        for attempt in (
            lambda: opened.__setitem__("key 1", 1),
            lambda: opened.__delitem__("key 1"),
            lambda: opened.update(a=1),
            lambda: opened.setdefault("a", 1),
            lambda: opened.pop("key 1"),
            opened.popitem,
            opened.clear,
            opened.compact,
        ):
            with pytest.raises(StoreError, match="reading only"):
                attempt()
        opened.sync()
        opened.check()
        assert len(opened) == 200


def test_reading_leaves_nothing_behind(path: Path) -> None:
    before = picture(filled(path).parent)

    with store.open(path, "r") as opened:
        dict(opened)

    assert picture(path.parent) == before


@pytest.mark.parametrize("crashed", [False, True])
def test_what_may_only_be_read_is_read(path: Path, monkeypatch: pytest.MonkeyPatch, crashed: bool) -> None:
    """Also when the one who may write was killed, and left a part of it in the log."""
    filled(path)
    if crashed:
        script = (
            "import os, sys; from clonecodec import store\n"
            "opened = store.open(sys.argv[1]); opened['last'] = 1; os._exit(0)"
        )
        subprocess.run([sys.executable, "-c", script, str(path)], check=True)
        assert (path.parent / "values.db-wal").stat().st_size > 0
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and access(path, mode))

    with store.open(path, "r") as opened:
        assert len(opened) == 200 + crashed
    with pytest.raises(PermissionError):
        store.open(path, "w")
    if not crashed:
        assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_wrong_mode_or_path_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="mode is"):
        store.open(path, "x")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        store.open(str(path).encode())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="always new"):
        store.open(":memory:", "r")
    with pytest.raises(FileNotFoundError):
        store.open(path / "in" / "no" / "folder")
    with pytest.raises(IsADirectoryError):
        store.open(path.parent)
    with pytest.raises(StoreError, match="regular"):
        store.open("/dev/null")
    assert not path.exists()


def test_any_file_name_will_do(tmp_path: Path) -> None:
    for name in ("a b", "50%", "?mode=ro", "#x", "ü", "back\\slash", os.fsdecode(b"\xff")):
        with store.open(tmp_path / name) as opened:
            opened["a"] = name.encode("utf-8", "surrogateescape")
        with store.open(str(tmp_path / name), "r") as opened:
            assert len(opened) == 1
        assert (tmp_path / name).is_file()


def test_a_relative_path_is_not_moved_by_chdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with store.open("values.db") as opened:
        monkeypatch.chdir("elsewhere")
        assert pickle.loads(pickle.dumps(opened)).path == str(tmp_path / "values.db")

    assert list(Path().iterdir()) == []


def text_file(path: Path) -> None:
    path.write_text("These are notes, not values.\n" * 100)


def short_file(path: Path) -> None:
    path.write_bytes(b"S")


def shelf(path: Path) -> None:
    import dbm.dumb

    with dbm.dumb.open(str(path.parent / "shelf")) as old:
        old["a"] = b"a pickle"
    shutil.move(path.parent / "shelf.dat", path)
    (path.parent / "shelf.dir").unlink()


def other_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE entries (key, value)")
    connection.commit()
    connection.close()


def database_in_wal_mode(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE entries (key, value)")
    connection.commit()
    connection.close()


def change(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(sql)
    connection.close()


def newer_layout(path: Path) -> None:
    change(filled(path), "PRAGMA user_version = 2")


def newer_wire_format(path: Path) -> None:
    change(filled(path), "UPDATE meta SET value = 99 WHERE name = 'wire_version'")


def other_wire_format(path: Path) -> None:
    change(filled(path), "UPDATE meta SET value = 'cbor' WHERE name = 'wire_format'")


def added_trigger(path: Path) -> None:
    change(filled(path), "CREATE TRIGGER evil AFTER INSERT ON entries BEGIN DELETE FROM entries; END")


REFUSED: list[tuple[Callable[[Path], None], str]] = [
    (text_file, "is not a store"),
    (short_file, "is not a store"),
    (shelf, "is not a store"),
    (other_database, "is an SQLite database, but not a store"),
    (database_in_wal_mode, "is an SQLite database, but not a store"),
    (newer_layout, "has layout 2, of a newer version"),
    (newer_wire_format, "in a format that this version cannot read"),
    (other_wire_format, "in a format that this version cannot read"),
    (added_trigger, "its tables are not those of a store"),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("make", "complaint"), REFUSED, ids=[make.__name__ for make, _ in REFUSED])
def test_what_is_refused_is_left_untouched(
    path: Path, make: Callable[[Path], None], complaint: str, mode: Mode
) -> None:
    make(path)
    before = picture(path.parent)

    with pytest.raises(StoreError, match=complaint) as caught:
        store.open(path, mode)

    assert caught.value.path == str(path)
    assert isinstance(caught.value, CloneError)
    assert picture(path.parent) == before


DAMAGE = {
    "zeros": bytes(4096),
    "ones": b"\xff" * 4096,
    "noise": bytes((7 * n * n + 13 * n) % 256 for n in range(4096)),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_page_that_was_written_over_is_found_at_opening(path: Path, kind: str) -> None:
    whole = filled(path, megabytes=2).read_bytes()

    for number in range(0, len(whole) // 4096, 7):
        path.write_bytes(whole[: number * 4096] + DAMAGE[kind] + whole[(number + 1) * 4096 :])
        if path.read_bytes() == whole:
            continue
        before = picture(path.parent)
        with pytest.raises(StoreError, match=r"is damaged|is not a store|is an SQLite database"):
            store.open(path).close()
        assert picture(path.parent) == before


def test_a_single_byte_of_a_value_that_was_changed_is_found(path: Path) -> None:
    with store.open(path) as opened:
        opened["text"] = "a text that is looked for" * 10
    data = path.read_bytes().replace(b"looked for", b"looked fxr", 1)
    path.write_bytes(data)

    with pytest.raises(StoreDamagedError, match="the value of 'text' is not what was written"):
        store.open(path)

    assert path.read_bytes() == data


def test_a_file_that_was_cut_is_found(path: Path) -> None:
    whole = filled(path).read_bytes()

    for length in (1, 99, 4096, 5000, len(whole) - 4096, len(whole) - 1):
        path.write_bytes(whole[:length])
        before = picture(path.parent)
        with pytest.raises(StoreError):
            store.open(path).close()
        assert picture(path.parent) == before


def test_damage_in_a_file_too_long_to_check_at_opening_is_an_error_when_met(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store._file, "CHECKED_WHOLE", 0)
    monkeypatch.setattr(store._file, "CHECKED_PAGES", 0)
    whole = filled(path, megabytes=1).read_bytes()
    place = len(whole) // 4096 // 2 * 4096
    path.write_bytes(whole[:place] + DAMAGE["noise"] + whole[place + 4096 :])

    with store.open(path) as opened:
        with pytest.raises(StoreDamagedError):
            opened.check()
        with pytest.raises(StoreDamagedError):
            dict(opened)

    assert path.read_bytes() == whole[:place] + DAMAGE["noise"] + whole[place + 4096 :]


def test_a_value_in_the_wrong_hands_is_noticed(path: Path) -> None:
    filled(path, megabytes=1)
    with store.open(path) as opened:
        for sql, key in (
            ("UPDATE entries SET key = x'61' WHERE key = CAST('key 7' AS BLOB)", "a"),
            ("UPDATE entries SET value = CAST(value AS TEXT) WHERE key = CAST('key 8' AS BLOB)", "key 8"),
            ("UPDATE chunks SET data = zeroblob(5) WHERE number = 2", "long 0"),
        ):
            change(path, sql)
            with pytest.raises(StoreDamagedError, match=f"the value of '{key}'"):
                opened[key]
            with pytest.raises(StoreDamagedError, match=f"the value of '{key}'"):
                opened.check()
        change(path, "DELETE FROM chunks")
        with pytest.raises(StoreDamagedError, match="the value of 'long 0'"):
            opened["long 0"]
        change(path, "INSERT INTO chunks VALUES (NULL, 12345, 0, x'00')")
        with pytest.raises(StoreDamagedError, match="1 chunks belong to no entry"):
            opened.check()


@pytest.mark.parametrize("error", [StoreError, StoreDamagedError, store.StoreBusyError])
def test_errors_pickle(error: type[StoreError]) -> None:
    again = pickle.loads(pickle.dumps(error("is odd", "/a/path")))

    assert type(again) is error
    assert str(again) == "/a/path: is odd"
    assert (again.reason, again.path) == ("is odd", "/a/path")


def test_whatever_is_done_to_a_file_it_is_a_store_or_a_store_error(path: Path) -> None:
    """Also where SQLite's own complaint cannot be told, because the name that it quotes is damaged."""
    whole = filled(path).read_bytes()
    chance = random.Random(7)

    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        area = chance.choice([100, 4096, len(whole)])
        for _ in range(chance.randint(1, 20)):
            damaged[chance.randrange(area)] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            with store.open(path) as opened:
                opened.check()
                dict(opened)
        except StoreError:
            refused += 1
            assert path.read_bytes() == damaged
        else:
            path.unlink()
    assert refused > 150

"""What a version wrote, every later version reads, with the same result."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest

from clonecodec import dumps, load, loads, store
from clonecodec.foreign import iter_node_ipc, read_deno_kv
from tests.compat.values import LONG, VALUES
from tests.same import difference

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("[0-9]*/values-*.v8"))
STORES = sorted(HERE.glob("[0-9]*/store.db"))


def as_read(value: object, version: int = 15) -> object:
    """What a value is once it has been written and read: views become memoryviews, for one."""
    return loads(dumps(value, version=version))


def names(path: Path) -> str:
    return str(path.relative_to(HERE))


def test_there_are_files() -> None:
    assert len(FILES) >= 4
    assert STORES


@pytest.mark.parametrize("path", FILES, ids=names)
def test_a_file_of_values_is_read(path: Path) -> None:
    version = int(path.stem.removeprefix("values-"))
    with path.open("rb") as file:
        for name, value in VALUES.items():
            assert difference(load(file), as_read(value, version)) is None, name
        assert file.read() == b""


@pytest.mark.parametrize("path", STORES, ids=names)
def test_a_store_is_read(path: Path, tmp_path: Path) -> None:
    shutil.copy(path, tmp_path / "store.db")

    with store.open(tmp_path / "store.db", "w") as opened:
        opened.check()
        assert sorted(opened) == sorted([*VALUES, "long"])
        for name, value in VALUES.items():
            assert difference(opened[name], as_read(value)) is None, name
        assert opened["long"] == LONG
        opened["new"] = 1
        assert opened["new"] == 1


@pytest.mark.parametrize("path", sorted(HERE.glob("others/node-*.ipc")), ids=names)
def test_a_recording_of_nodes_channel_is_read(path: Path) -> None:
    messages = list(iter_node_ipc(io.BytesIO(path.read_bytes())))

    shared, views, text = messages
    assert shared[0] is shared[1]
    assert [bytes(view) for view in views] == [b"\x01\x02", b"buffer"]
    assert text == {"text": "a\u0101", "big": 2**80}


@pytest.mark.parametrize("path", sorted(HERE.glob("others/deno-*.kv")), ids=names)
def test_a_database_of_denos_is_read(path: Path) -> None:
    entries = {entry.key: entry for entry in read_deno_kv(path)}

    assert {key: entry.encoding for key, entry in entries.items()} == {
        ("bytes",): "bytes",
        ("u64",): "u64",
        ("v8", 1, True): "v8",
    }
    assert entries["v8", 1, True].value == {"m": {1: {2}}, "text": "a\u0101"}
    assert entries["u64",].value == 5
    assert entries["bytes",].value == b"\0\x01\xff"

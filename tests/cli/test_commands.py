"""The commands as a user runs them: outputs, exit codes, files that appear or do not."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from clonecodec import Array, Map, cbor, dumps, loads, store, undefined
from clonecodec.cli import jsontext
from clonecodec.cli.app import main
from tests.cli import clonecodec
from tests.cli.document import ORDER

BROKEN = ORDER[:-3]


@pytest.fixture
def order(tmp_path: Path) -> Path:
    path = tmp_path / "order.bin"
    path.write_bytes(ORDER)
    return path


def written(tmp_path: Path, name: str, value: object) -> Path:
    path = tmp_path / name
    path.write_bytes(dumps(value))
    return path


@pytest.mark.parametrize("command", ["", "inspect", "show", "convert", "check", "diff", "graph"])
def test_every_command_explains_itself(command: str) -> None:
    ran = clonecodec(*command.split(), "--help")

    assert ran.code == 0
    assert ran.out.startswith("Usage: clonecodec")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["inspect"],
        ["inspect", "no-such-file"],
        ["show", "--format", "xml", "no-such-file"],
        ["convert", "no-such-file", "out.json"],
        ["diff", "-", "-"],
        ["check"],
    ],
)
def test_wrong_use_is_2(arguments: list[str], tmp_path: Path) -> None:
    ran = clonecodec(*arguments, cwd=tmp_path)

    assert ran.code == 2
    assert "Traceback" not in ran.err


def test_without_its_packages_the_command_line_says_what_to_install() -> None:
    script = "import sys; sys.modules['click'] = None; from clonecodec.cli import main; main()"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "pip install 'clonecodec[cli]'" in done.stderr


def test_importing_clonecodec_needs_neither_click_nor_rich() -> None:
    script = "import sys, clonecodec; print({'click', 'rich', 'clonecodec.cli'} & sys.modules.keys())"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


# inspect


def test_inspect_shows_every_byte(order: Path) -> None:
    ran = clonecodec("inspect", order)

    shown = "".join(line[6:35] for line in ran.out.splitlines())
    assert ran.code == 0
    assert bytes.fromhex(shown) == ORDER


def test_inspect_shows_every_byte_of_a_broken_file_too(tmp_path: Path) -> None:
    data = ORDER[:60] + b"\x01" + ORDER[60:]

    ran = clonecodec("inspect", "-", stdin=data)

    shown = "".join(line[6:35] for line in ran.out.splitlines())
    assert ran.code == 1
    assert bytes.fromhex(shown) == data
    assert "is broken at byte" in ran.err


def test_inspect_for_programs_is_one_json_document_with_every_byte() -> None:
    ran = clonecodec("inspect", "--json", "-", stdin=ORDER)

    document = json.loads(ran.out)
    assert bytes.fromhex("".join(row["hex"] for row in document["rows"])) == ORDER
    assert document["fault"] is None
    assert document["versions"] == [15]
    reference = next(row for row in document["rows"] if row["tag"] == "OBJECT_REFERENCE")
    assert (reference["refers_to"], reference["refers_to_offset"]) == (1, 15)


def test_inspect_for_programs_tells_the_fault_as_data() -> None:
    ran = clonecodec("inspect", "--json", "-", stdin=ORDER[:21])

    assert ran.code == 1
    assert json.loads(ran.out)["fault"] == {
        "offset": 19,
        "path": "$.tags[0]",
        "expected": "3 bytes of Latin-1 text",
        "found": "only 2",
        "truncated": True,
    }


def test_numbers_that_json_cannot_hold_are_texts_in_json() -> None:
    ran = clonecodec("inspect", "--json", "-", stdin=dumps([2**64, float("nan"), float("-inf"), "\ud800"]))

    values = [row["value"] for row in json.loads(ran.out)["rows"] if row["role"] == "value"]
    assert values == ["18446744073709551616", "NaN", "-Infinity", "\ud800"]


def test_a_pipe_gets_no_colours_and_a_terminal_does(order: Path) -> None:
    plain = clonecodec("inspect", order).out
    forced = clonecodec("inspect", "--color", "always", order).out

    assert "\x1b" not in plain
    assert "\x1b[" in forced
    assert "\x1b[" in on_a_terminal("inspect", str(order))
    assert "\x1b[" not in on_a_terminal("inspect", str(order), NO_COLOR="1")


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What the command prints on a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "clonecodec", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so when the last writer has gone
            break
        if not part:
            break
        parts.append(part)
    process.wait(timeout=60)
    os.close(ours)
    return b"".join(parts).decode()


def test_nothing_in_a_value_reaches_the_terminal_as_an_escape_sequence(tmp_path: Path) -> None:
    path = written(
        tmp_path, "evil.bin", {"\x1b[31mkey": "\x1b]0;title\x07", "b": b"\x1b[2J", "rtl": "\u202e"}
    )

    for arguments in (["inspect"], ["show"], ["show", "--format", "tree"], ["show", "--format", "json"]):
        ran = clonecodec(*arguments, path)
        assert ran.code == 0
        assert "\x1b" not in ran.out
        assert "\u202e" not in ran.out


def test_long_runs_can_be_cut(tmp_path: Path) -> None:
    path = written(tmp_path, "long.bin", bytes(10_000))

    ran = clonecodec("inspect", "--max-run", "16", path)

    assert len(ran.out.splitlines()) == 5
    assert "9,984 bytes more" in ran.out


def test_a_file_without_tags_of_v8_cannot_be_inspected_and_the_error_says_what_can_be_done(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"a": 1}')

    ran = clonecodec("inspect", path)

    assert ran.code == 2
    assert "clonecodec show" in ran.err


# show


def test_show_marks_what_is_shared_and_what_contains_itself(tmp_path: Path) -> None:
    value: dict[str, object] = {"list": [1]}
    value.update(again=value["list"], me=value)
    path = written(tmp_path, "cycle.bin", value)

    assert clonecodec("show", path).out == "&1 {'list': &2 [1], 'again': *2, 'me': *1}\n"
    assert clonecodec("show", "--format", "tree", path).out.splitlines() == [
        "&1 object (3)",
        "├── 'list': &2 array (1)",
        "│   └── [0]: 1",
        "├── 'again': *2",
        "└── 'me': *1",
    ]


def test_show_as_json_tells_what_is_lost(tmp_path: Path) -> None:
    path = written(tmp_path, "a.bin", {"u": undefined, "s": {1}})

    ran = clonecodec("show", "--format", "json", path)

    assert json.loads(ran.out) == {"s": [1]}
    assert ran.err.splitlines() == [
        "lost: undefined is left out, at $.u",
        "lost: a set becomes an array, at $.s",
    ]


def test_show_reads_every_value_of_a_file(tmp_path: Path) -> None:
    assert clonecodec("show", "-", stdin=dumps(1) + dumps("two")).out == "1\n'two'\n"


def test_a_broken_file_is_1_and_the_error_says_where() -> None:
    ran = clonecodec("show", "-", stdin=BROKEN)

    assert ran.code == 1
    assert ran.out == ""
    assert "byte 108" in ran.err
    assert "$.also" in ran.err


# convert


def test_convert_goes_to_cbor_and_back_without_loss(order: Path, tmp_path: Path) -> None:
    assert clonecodec("convert", order, tmp_path / "a.cbor").code == 0
    assert clonecodec("convert", tmp_path / "a.cbor", tmp_path / "b.bin").code == 0

    assert (tmp_path / "b.bin").read_bytes() == ORDER
    assert cbor.loads((tmp_path / "a.cbor").read_bytes()) == loads(ORDER)


def test_convert_goes_through_pipes() -> None:
    ran = clonecodec("convert", "-", "-", "--to", "json", stdin=dumps([1, None, "é"]))

    assert ran.out == '[1, null, "\\u00e9"]\n'


@pytest.mark.parametrize("before", [None, b"what was there"])
def test_a_conversion_that_fails_leaves_what_was_there(tmp_path: Path, before: bytes | None) -> None:
    value: list[object] = ["x" * 100_000]
    value.append(value)
    source, target = written(tmp_path, "cycle.bin", value), tmp_path / "out.json"
    if before is not None:
        target.write_bytes(before)

    ran = clonecodec("convert", source, target)

    assert ran.code == 1
    assert (target.read_bytes() if target.exists() else None) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cycle.bin"] + ["out.json"] * (
        before is not None
    )


def test_a_broken_input_makes_no_output(tmp_path: Path) -> None:
    ran = clonecodec("convert", "-", tmp_path / "out.json", stdin=BROKEN)

    assert ran.code == 1
    assert list(tmp_path.iterdir()) == []


def test_shared_objects_without_end_are_refused_not_written_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsontext, "_MAX_REPEATED", 10_000)  # so in this process, unlike the other commands
    value: list[object] = []
    for _ in range(60):
        value = [value, value]
    bomb, out = written(tmp_path, "bomb.bin", value), tmp_path / "out.json"

    ran = CliRunner().invoke(main, ["convert", str(bomb), str(out)])

    assert ran.exit_code == 1
    assert "has no end" in ran.output
    assert list(tmp_path.iterdir()) == [bomb]


def test_an_output_whose_name_says_nothing_needs_a_format(order: Path, tmp_path: Path) -> None:
    assert clonecodec("convert", order, tmp_path / "out").code == 2
    assert clonecodec("convert", order, tmp_path / "out", "--to", "cbor").code == 0


def test_an_output_keeps_its_permissions_and_a_link_stays_a_link(order: Path, tmp_path: Path) -> None:
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)

    assert clonecodec("convert", order, link).code == 0

    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert json.loads(target.read_text())["id"] == 7


def test_what_chrome_and_node_processes_wrote_is_converted(tmp_path: Path) -> None:
    blink = bytes.fromhex("ff14ff0f6f22017849027b01")
    frames = bytes.fromhex("00000004ff0f490200000004ff0f4904")

    assert clonecodec("convert", "-", "-", "--to", "json", stdin=blink).out == '{"x": 1}\n'
    assert clonecodec("convert", "-", "-", "--to", "json", stdin=frames).out == "1\n2\n"


# check


def test_check_is_1_if_any_file_is_broken(order: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.bin").write_bytes(BROKEN)

    ran = clonecodec("check", order, tmp_path / "broken.bin")

    assert clonecodec("check", order).code == 0
    assert ran.code == 1
    assert "order.bin: ok, v8 version 15" in ran.out
    assert "broken.bin: BROKEN, at byte 108" in ran.out


def test_check_for_programs_tells_features_and_whether_the_form_is_v8s(tmp_path: Path) -> None:
    path = written(tmp_path, "a.bin", {"m": Map(), "a": Array([1], {"x": 2}), "t": (1,), "b": b"1"})
    (tmp_path / "odd.bin").write_bytes(bytes.fromhex("ff0f4982 00"))

    canonical, odd = json.loads(clonecodec("check", "--json", path, tmp_path / "odd.bin").out)

    assert canonical["canonical"] is True
    assert canonical["features"] == ["Buffer", "Map", "hints for Python"]
    assert odd["canonical"] is False
    assert odd["oddities"] == [[3, "a varint of 2 bytes for 2"]]


@pytest.mark.parametrize(
    ("data", "note"),
    [
        ("ff10 30", "version 16"),
        ("ff0f 72 63 49 02 73 22 01 53 2e", "Node 22 and later refuse"),
        ("ff0f 5c 0d 02 003c", "Node 24"),
        ("ff0f 43 01 00", "Node 26"),
    ],
)
def test_check_tells_who_cannot_read_a_file(data: str, note: str) -> None:
    ran = clonecodec("check", "-", stdin=bytes.fromhex(data))

    assert ran.code == 0
    assert note in ran.out


def test_a_value_that_needs_a_transfer_list_is_not_whole() -> None:
    ran = clonecodec("check", "-", stdin=bytes.fromhex("ff0f 74 00"))

    assert ran.code == 1
    assert "ARRAY_BUFFER_TRANSFER 0 is outside the data" in ran.out


# diff


def test_diff_is_0_for_the_same_1_for_others(order: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.bin"
    other.write_bytes(ORDER.replace(b"gift", b"sale"))

    assert clonecodec("diff", order, order) == (0, "", "")
    assert clonecodec("diff", order, other)[:2] == (1, "$.tags[1]: 'gift' -> 'sale'\n")


# graph


def test_graph_draws_each_object_once_and_cycles_dashed(tmp_path: Path) -> None:
    team: dict[str, object] = {"name": "<&core>"}
    ann = {"name": "Ann", "team": team}
    team.update(lead=ann, members=[ann])

    ran = clonecodec("graph", written(tmp_path, "team.bin", team), "-o", tmp_path / "team.svg")

    drawing = ElementTree.parse(tmp_path / "team.svg").getroot()
    svg = "{http://www.w3.org/2000/svg}"
    lines = [path.get("class") for path in drawing.findall(f"{svg}path")]
    assert ran.code == 0
    assert len(drawing.findall(f"{svg}g")) == 3
    assert sorted(lines, key=str) == [None, None, "cycle", "shared"]


def test_graph_stops_at_as_many_objects_as_it_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "many.bin", [[[n] for n in range(100)] for _ in range(100)])

    clonecodec("graph", path, "-o", tmp_path / "many.svg", "--max-nodes", "50")

    drawing = ElementTree.parse(tmp_path / "many.svg").getroot()
    assert len(drawing.findall("{http://www.w3.org/2000/svg}g")) == 50


# Large and deep


def test_a_deep_value_is_an_ordinary_value_for_every_command(tmp_path: Path) -> None:
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    path = written(tmp_path, "deep.bin", deep)

    commands: list[list[str | Path]] = [
        ["inspect", "--json", path],
        ["show", path],
        ["show", "--format", "tree", path],
        ["convert", path, tmp_path / "deep.json"],
        ["convert", path, tmp_path / "deep.cbor"],
        ["check", path],
        ["diff", path, path],
        ["graph", path, "-o", tmp_path / "deep.svg"],
    ]

    for arguments in commands:
        ran = clonecodec(*arguments)
        assert (ran.code, ran.err) == (0, ""), arguments


def test_a_large_file_has_a_progress_bar_on_a_terminal(tmp_path: Path) -> None:
    path = written(tmp_path, "large.bin", bytes(33 << 20))

    shown = on_a_terminal("check", str(path))

    assert "reading" in shown
    assert "large.bin: ok" in shown
    assert clonecodec("check", path).err == ""


@pytest.mark.parametrize("form", ["cbor", "json"])
def test_what_was_written_as_several_values_is_read_as_several(form: str, tmp_path: Path) -> None:
    several = tmp_path / "several.bin"
    several.write_bytes(dumps({"a": 1}) + dumps([2]) + dumps("x"))

    assert clonecodec("convert", several, tmp_path / f"several.{form}").code == 0
    assert clonecodec("show", tmp_path / f"several.{form}").out == "{'a': 1}\n[2]\n'x'\n"
    assert "3 values" in clonecodec("check", tmp_path / f"several.{form}").out
    assert clonecodec("diff", several, tmp_path / f"several.{form}").code == 0


def test_a_database_is_not_taken_for_a_value(tmp_path: Path) -> None:
    with store.open(tmp_path / "store.db") as mapping:
        mapping["a"] = 1

    for command in ("inspect", "show", "check"):
        ran = clonecodec(command, tmp_path / "store.db")
        assert ran.code == 2
        assert "is an SQLite database: clonecodec.store.open reads it" in ran.err


def test_what_is_nothing_known_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello, these are notes")
    (tmp_path / "empty").touch()

    notes, empty = clonecodec("show", tmp_path / "notes.txt"), clonecodec("show", tmp_path / "empty")

    assert (notes.code, empty.code) == (1, 1)
    assert "looks like nothing that is known" in notes.err
    assert "byte 0: expected a version header" in notes.err
    assert empty.err == f"clonecodec: {tmp_path / 'empty'} is empty\n"


def test_binary_is_not_written_to_a_terminal(order: Path) -> None:
    master, slave = pty.openpty()
    try:
        command = [sys.executable, "-m", "clonecodec", "convert", str(order), "-", "--to", "cbor"]
        ran = subprocess.run(command, stdout=slave, stderr=subprocess.PIPE, text=True, check=False)
        assert ran.returncode == 2
        assert "would go to a terminal" in ran.stderr
    finally:
        os.close(master)
        os.close(slave)

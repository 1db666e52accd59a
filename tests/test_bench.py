"""The benchmarks run: every table yields rows with goals, and says why it lacks one.  No figure is judged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import bench.__main__ as command
from bench import _peers, _publish, codec, imports, ports, pure, scaling
from bench._measure import SMOKE, Call, Effort, minima
from bench._payloads import NOT_JSON, PAYLOADS, MissingError
from bench._rows import OURS, Goal, Row, from_json, table, times_as_fast, to_json

TINY = 0.0002
LARGE = ("citm", "canada")
"""Documents of the same kind as twitter, but larger."""

NEEDS = {"msgspec": "msgspec", "v8serialize": "v8serialize", "janus": "janus", "pyzmq": "zmq"}


def assert_measured_or_explained(rows: list[Row]) -> None:
    """Each row has our figure and its goals' peers', or says which is missing, and why."""
    assert rows
    for row in rows:
        assert row.goals, row
        for who in (row.ours, *(goal.peer for goal in row.goals)):
            assert who is None or (who in row.values) is not (who in row.absent), (row.name, who)
        for who, reason in row.absent.items():
            if reason == _peers.NOT_INSTALLED:
                assert _peers.find(NEEDS[who.removesuffix("+pickle")]) is None
        assert all(value >= 0 for value in row.values.values())


@pytest.mark.parametrize("payload", [name for name in PAYLOADS if name not in LARGE])
def test_the_codec_table_has_rows_for_each_payload(payload: str) -> None:
    rows = list(codec.measure(SMOKE, TINY, only=(payload,)))

    assert_measured_or_explained(rows)
    assert {row.table for row in rows} in ({"dumps", "loads", "structured_clone"}, {"buffers"})
    assert all(OURS in row.values or "make documents" in row.absent[OURS] for row in rows)


def test_the_python_implementation_is_measured_beside_v8serialize_in_both_directions() -> None:
    rows = list(pure.measure(SMOKE, TINY))

    assert_measured_or_explained(rows)
    assert [row.name.split(",")[0] for row in rows] == ["dumps", "loads", "loads"]


def test_the_scaling_table_compares_the_largest_with_the_smallest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "SIZES", (1, 3))
    rows = list(scaling.measure(SMOKE, sizes=(1, 3)))

    assert_measured_or_explained(rows)
    assert [row.name for row in rows] == ["dumps", "loads", "structured_clone"]
    assert all(list(row.values) == ["1", "3"] and row.ours == "3" for row in rows)


def test_a_run_with_too_few_records_does_not_judge_scaling() -> None:
    rows = list(scaling.measure(SMOKE, sizes=(1, 3)))

    assert all(row.verdict().startswith("not known: 1,000,000") for row in rows)


def test_the_ports_table_measures_each_row_free_and_on_one_core() -> None:
    rows = list(ports.measure(SMOKE, TINY, timeout=100))

    failed = [row for row in rows if row.name == "the rest"]
    assert failed == []
    free = [row for row in rows if row.name.endswith(", free")]
    one_core = [row for row in rows if row.name.endswith(", one core")]
    assert_measured_or_explained(free)
    assert {row.table for row in free} == {
        "between threads",
        "from a thread to asyncio",
        "between processes",
        "over TCP",
    }
    assert len(one_core) in (len(free), 1)


def test_imports_are_measured_in_new_interpreters() -> None:
    rows = {row.name: row for row in imports.measure_imports(Effort(1, 0.0, 0.0))}

    assert rows["modules of asyncio after import transport"].values == {OURS: 0}
    for name in ("import", "import, and the first message"):
        assert all(value > 0 for value in rows[name].values.values())


def test_the_fastest_round_counts_and_the_order_turns() -> None:
    calls: list[str] = []

    class Counted:
        def __init__(self, name: str, seconds: Iterator[float]) -> None:
            self.name = name
            self.seconds = seconds

        def time(self, number: int) -> float:
            calls.append(self.name)
            return next(self.seconds) * number

    # A run to warm up and two to calibrate, then two rounds.
    contenders = {
        "a": Counted("a", iter((9.0, 8.0, 1.0, 3.0, 2.0))),
        "b": Counted("b", iter((1.0, 1.0, 1.0, 4.0, 5.0))),
    }
    best = minima(contenders, Effort(rounds=2, batch=0.0, slow=100.0))

    assert best == {"a": 2.0, "b": 4.0}
    assert calls[-4:] == ["a", "b", "b", "a"]


def test_a_slow_contender_takes_part_in_two_rounds_only() -> None:
    class Slow:
        runs = 0

        def time(self, number: int) -> float:
            self.runs += 1
            return 1.0

    slow = Slow()
    minima({"slow": slow}, Effort(rounds=7, batch=0.5, slow=0.9))

    assert slow.runs == 2 + 2


def test_a_statement_is_timed_with_the_garbage_collector_on() -> None:
    seen: list[bool] = []

    Call("seen.append(isenabled())", seen=seen, isenabled=__import__("gc").isenabled).time(3)

    assert seen == [True] * 3


@pytest.mark.parametrize(
    ("ours", "goal", "verdict"),
    [
        (0.5, Goal("pickle", 0.5), "reached"),
        (0.6, Goal("pickle", 0.5), "not reached: 0.6 pickle"),
        (0.1, times_as_fast(10, "pickle"), "reached"),
        (0.125, times_as_fast(10, "pickle"), "not reached: pickle / 8"),
        (0.5, Goal(None, 0.4), "not reached: 500 ms"),
        (0.5, Goal("Node", 1.0), "not known: Node: no node on PATH"),
    ],
)
def test_a_goal_is_reached_or_not_or_not_known(ours: float, goal: Goal, verdict: str) -> None:
    row = Row("dumps", "x", {OURS: ours, "pickle": 1.0}, (goal,), {"Node": "no node on PATH"})

    assert row.verdict() == verdict


def test_rows_survive_their_json() -> None:
    row = Row("dumps", "x", {OURS: 0.5, "pickle": 1.0}, (Goal("pickle", 0.5),), {"Node": "no"}, note="why")

    assert from_json(json.loads(json.dumps(to_json([row])))) == [row]


def test_a_table_shows_ratios_to_its_base_and_the_base_as_time() -> None:
    rows = [
        Row("dumps", "x", {OURS: 0.0005, "pickle": 0.001, "Node": 0.02}, (Goal("pickle", 0.6),)),
        Row("dumps", "y", {OURS: 0.002, "pickle": 0.001}, (Goal("pickle", 0.6),), {"Node": "no cycles"}),
    ]

    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table(rows).splitlines()[:4]]

    assert cells[0] == ["", "pickle", OURS, "Node", "at most", ""]
    assert cells[2] == ["x", "1 ms", "0.50", "20", "0.6 pickle", "reached"]
    assert cells[3] == ["y", "1 ms", "2.00", "-", "0.6 pickle", "not reached: 2 pickle"]
    assert table(rows).endswith("* Node: no cycles (y)")


def test_every_payload_is_the_same_each_time() -> None:
    for name, make in PAYLOADS.items():
        if name == "graph10k":
            continue  # equality never ends on cycles
        try:
            assert make(TINY) == make(TINY)
        except MissingError:
            assert name not in NOT_JSON


def test_publishing_renews_what_is_between_the_marks_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib", reason="the bench extra is not installed")
    page, drawing = tmp_path / "page.md", tmp_path / "drawing.svg"
    page.write_text(f"before\n{_publish.BEGIN}\nold\n{_publish.END}\nafter\n", "utf-8")
    monkeypatch.setattr(_publish, "PAGE", page)
    monkeypatch.setattr(_publish, "DRAWING", drawing)
    rows = [Row("dumps", "small", {OURS: 0.5, "pickle": 1.0, "Node": 2.0}, (Goal("pickle", 0.6),))]
    machine = {"python": "CPython", "node": "v20"}

    for _ in range(2):
        written = _publish.publish(machine, rows)

    text = page.read_text("utf-8")
    assert text.startswith(f"before\n{_publish.BEGIN}\n")
    assert text.endswith(f"{_publish.END}\nafter\n")
    assert "old" not in text and text.count("1 of 1 goals reached") == 1
    assert written == [page, drawing]
    assert "small" in drawing.read_text("utf-8")


def test_a_table_that_does_not_exist_is_refused_with_those_that_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        command.main(["codecs"])

    assert (
        "no such table: 'codecs'; there are codec, pure, scaling, ports, imports" in capsys.readouterr().err
    )

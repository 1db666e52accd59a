"""A run's figures as text, in docs/performance.md, and as a drawing, docs/performance.svg.

What stands between the two marks of the page is written here, all else by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench import _peers
from bench._payloads import ROOT
from bench._rows import OURS, Row, summary, table

PAGE: Final = ROOT / "docs" / "performance.md"
DRAWING: Final = ROOT / "docs" / "performance.svg"
BEGIN: Final = "<!-- figures: `python -m bench --publish` writes what follows -->"
END: Final = "<!-- end of figures -->"

TITLES: Final[dict[str, str]] = {
    "dumps": "`dumps`: time as a ratio to `pickle.dumps(value, 5)`",
    "loads": "`loads`: time as a ratio to `pickle.loads`",
    "structured_clone": "`structured_clone`: time as a ratio to pickle's dumps and loads together",
    "buffers": "16 MiB buffers: time as a ratio to one copy of the memory",
    "pure": "The Python implementation beside v8serialize, 1,000 records",
    "scaling": "Ratio to pickle, by number of records",
    "between threads": "Between threads",
    "from a thread to asyncio": "From a thread to asyncio",
    "between processes": "Between processes",
    "over TCP": "Over TCP, on this machine",
    "imports": "Import and size",
}

DRAWN: Final = ("dumps", "loads", "structured_clone")
COLOURS: Final[dict[str, str]] = {
    OURS: "#1f6feb",
    "Node": "#57ab5a",
    "msgspec": "#b9b9c5",
    "marshal": "#8f8fa0",
    "cbor2": "#dba642",
    "deepcopy": "#c96198",
    "v8serialize": "#8957e5",
}
"""Of the peers, in the order of the drawing; pickle is the line at 1."""


def report(machine: Mapping[str, str], rows: Sequence[Row]) -> str:
    """All tables, under their titles."""
    parts = ["\n".join(f"* {name}: {what}" for name, what in machine.items() if what)]
    for name in dict.fromkeys(row.table for row in rows):
        mine = [row for row in rows if row.table == name]
        parts += [f"### {TITLES.get(name, name)}", table(mine)]
    return "\n\n".join(parts)


def publish(machine: Mapping[str, str], rows: Sequence[Row]) -> list[Path]:
    """Renew the page, and the drawing if there is something to draw and matplotlib to draw it with."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    figures = f"{report(machine, rows)}\n\n{summary(rows)}."
    PAGE.write_text(f"{before}{BEGIN}\n\n{figures}\n\n{END}{after}", "utf-8")
    if _peers.find("matplotlib") is None or not any(row.table in DRAWN for row in rows):
        return [PAGE]
    draw(machine, rows, DRAWING)
    return [PAGE, DRAWING]


def draw(machine: Mapping[str, str], rows: Sequence[Row], path: Path) -> None:
    """Bars for each payload: time as a ratio to pickle, on a logarithmic scale; to the left is faster."""
    matplotlib = _peers.find("matplotlib")
    assert matplotlib is not None
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "clonecodec", "svg.fonttype": "none", "font.size": 9})
    figure_module = _peers.find("matplotlib.figure")
    assert figure_module is not None
    shown = [name for name in DRAWN if any(row.table == name for row in rows)]
    height = max(len([row for row in rows if row.table == name]) for name in shown)
    figure = figure_module.Figure(figsize=(12, 1.4 + 0.62 * height), layout="constrained")
    axes = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axis, name in zip(axes, shown, strict=True):
        _draw_table(axis, name, [row for row in rows if row.table == name])
    handles: dict[str, Any] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=len(handles), frameon=False
    )
    versions = f"{machine['python']}, Node {machine['node']}"
    figure.suptitle(f"Time as a ratio to C pickle, protocol 5; to the left is faster ({versions})")
    figure.savefig(path, format="svg", metadata={"Date": None}, facecolor="white")
    # matplotlib leaves blanks at the ends of lines, which no editor would.
    path.write_text("\n".join(line.rstrip() for line in path.read_text("utf-8").splitlines()) + "\n", "utf-8")


def _draw_table(axis: Any, name: str, rows: Sequence[Row]) -> None:
    rows = [row for row in rows if row.base in row.values]
    present = [who for who in COLOURS if any(who in row.values for row in rows)]
    width = 0.84 / len(present)
    for place, who in enumerate(present):
        drawn = [(number, row) for number, row in enumerate(rows) if who in row.values]
        axis.barh(
            [number - 0.42 + width * (place + 0.5) for number, _ in drawn],
            [row.values[who] / row.values[str(row.base)] - 1 for _, row in drawn],
            left=1,  # left of pickle is faster, right of it slower
            height=width * 0.95,
            color=COLOURS[who],
            label=who,
        )
    axis.axvline(1, color="black", linewidth=0.8, label="pickle")
    axis.set_xscale("log")
    axis.set_yticks(range(len(rows)), [row.name for row in rows])
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_title(name, fontsize=10)
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.grid(axis="x", alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)

"""``check``: is a file whole, what is in it, who can read it, and is it in the form that V8 writes.

The second reader (``scan``) says what is wrong and where; the codec itself has the last word on whether
it reads.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Final

from clonecodec.cli import files
from clonecodec.cli.cursor import count
from clonecodec.cli.files import BrokenFileError
from clonecodec.cli.rows import Row, shortened
from clonecodec.cli.scan import FORMATS, Scan

_FEATURES: Final = {
    "BEGIN_MAP": "Map",
    "BEGIN_SET": "Set",
    "BEGIN_SPARSE_ARRAY": "sparse array",
    "HOLE": "hole",
    "BIG_INT": "bigint",
    "DATE": "Date",
    "REGEXP": "RegExp",
    "ERROR": "error",
    "TRUE_OBJECT": "boxed primitive",
    "FALSE_OBJECT": "boxed primitive",
    "NUMBER_OBJECT": "boxed primitive",
    "BIG_INT_OBJECT": "boxed primitive",
    "STRING_OBJECT": "boxed primitive",
    "OBJECT_REFERENCE": "reference",
    "ARRAY_BUFFER": "ArrayBuffer",
    "RESIZABLE_ARRAY_BUFFER": "resizable ArrayBuffer",
    "IMMUTABLE_ARRAY_BUFFER": "immutable ArrayBuffer",
}
_MAX_TOLD: Final = 5  # odd places of one file, in the text; --json has them all


@dataclass(slots=True)
class Report:
    """What there is to say about one file."""

    file: str
    format: str
    bytes: int
    valid: bool = True
    reason: str = ""
    offset: int | None = None
    path: str | None = None
    versions: list[int] = field(default_factory=list)
    values: int = 1
    objects: int = 0
    depth: int = 0
    features: list[str] = field(default_factory=list)
    canonical: bool | None = None
    oddities: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The report for programs."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The report for people; the first line says it all."""
        if not self.valid:
            return [f"{self.file}: BROKEN, {self.reason}", *(f"  note: {note}" for note in self.notes)]
        version = f" version {', '.join(map(str, sorted(set(self.versions))))}" if self.versions else ""
        several = f", {self.values} values" if self.values != 1 else ""
        form = {True: ", canonical", False: ", not canonical", None: ""}[self.canonical]
        lines = [f"{self.file}: ok, {self.format}{version}{several}, {self.bytes:,} bytes{form}"]
        if self.objects:
            lines.append(f"  {count(self.objects, 'object')}, {self.depth:,} deep at most")
        if self.features:
            lines.append(f"  has: {', '.join(self.features)}")
        lines += [f"  odd: {what}, at byte {offset}" for offset, what in self.oddities[:_MAX_TOLD]]
        if len(self.oddities) > _MAX_TOLD:
            lines.append(f"  odd: {len(self.oddities) - _MAX_TOLD:,} more such places")
        return lines + [f"  note: {note}" for note in self.notes]


def check(name: str, data: bytes, form: str, headerless: int = 0) -> Report:
    """Read all of *data* and report."""
    report = Report(name, form, len(data))
    if form in FORMATS:
        _scan(report, data, headerless)
    if report.valid:
        try:
            values = files.read_values(data, form, headerless)
        except BrokenFileError as error:
            report.valid, report.reason = False, str(error)
        else:
            report.values = len(values)
            if form == "cbor":
                _compare_cbor(report, data, values)
    return report


def _scan(report: Report, data: bytes, headerless: int) -> None:
    scan = Scan(data, report.format, headerless=headerless)
    seen = _Features()
    with files.progress(f"checking {report.file}", len(data)) as advance:
        done = 0
        for row in scan.rows():
            seen.add(row)
            if row.end - done > 1 << 20:
                advance(row.end - done)
                done = row.end
    report.versions, report.objects, report.depth = scan.versions, scan.objects, scan.deepest
    report.values = len(scan.versions)
    report.notes = scan.notes + seen.notes()
    report.features = sorted(seen.names)
    if scan.fault is not None:
        fault = scan.fault
        inside = f", in {shortened(fault.path)}" if len(fault.path) > 1 else ""
        report.valid, report.offset, report.path = False, fault.offset, fault.path
        report.reason = f"at byte {fault.offset}{inside}: expected {fault.expected}, found {fault.found}"
    elif scan.unresolved:
        offset, what = scan.unresolved[0]
        report.valid, report.offset = False, offset
        report.reason = f"at byte {offset}: {what} is outside the data, it went along with a message"
    else:
        report.oddities = scan.oddities
        report.canonical = not scan.oddities and all(version >= 13 for version in scan.versions)


class _Features:
    """What a file makes use of, from its rows, and which programs cannot read that."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._versions: set[object] = set()
        self._had_cause: set[int] = set()
        self._is_reordered = False

    def add(self, row: Row) -> None:
        name = row.name
        if name in _FEATURES:
            self.names.add(_FEATURES[name])
        elif name in ("HOST_OBJECT", "ARRAY_BUFFER_VIEW"):
            self.names.add(row.text.partition(",")[0])
        elif name == "PADDING" and row.text.startswith("hint"):
            self.names.add("hints for Python")
        elif name == "VERSION":
            self._versions.add(row.value)
        elif name == "ERROR_CAUSE":
            self.names.add("error with a cause")
            self._had_cause.add(row.depth)
        elif name in ("ERROR_STACK", "ERROR_MESSAGE", "ERROR_PROTOTYPE"):
            self._is_reordered |= row.depth in self._had_cause
        if name == "ERROR":
            self._had_cause.discard(row.depth + 1)

    def notes(self) -> list[str]:
        notes = []
        if 16 in self._versions:
            notes.append("version 16: Node up to 26 cannot read it, Deno can")
        if self._is_reordered:
            notes.append(
                "an error's cause before its stack, as Node 18 and 20 write it: Node 22 and later refuse that"
            )
        if "Float16Array" in self.names:
            notes.append("Float16Array: Node 24 and later can read it")
        if "immutable ArrayBuffer" in self.names:
            notes.append("immutable ArrayBuffer: Node 26 and later can read it")
        return notes


def _compare_cbor(report: Report, data: bytes, values: list[object]) -> None:
    from clonecodec import CloneError, cbor

    try:
        report.canonical = b"".join(map(cbor.dumps, values)) == data
    except CloneError:
        report.canonical = False

"""The commands, their options and their exit codes; what they do is in the module of each.

Exit codes: 0 fine, 1 broken or different, 2 used wrongly.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final, NoReturn

import click

from clonecodec.cli import files
from clonecodec.cli.files import FORMATS, BrokenFileError

_LINES_AT_ONCE: Final = 200
_FILE: Final = click.Path(exists=True, dir_okay=False, allow_dash=True, readable=True)

_from = click.option(
    "--from",
    "form",
    type=click.Choice(FORMATS),
    help="The format to read; guessed from the bytes if left out.",
)
_headerless = click.option(
    "--headerless",
    type=click.IntRange(0, 16),
    default=0,
    metavar="VERSION",
    show_default=False,
    help="The version of a V8 value without header, such as 13 for old Durable Objects.",
)


def run() -> None:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    main(prog_name="clonecodec")


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 fine, 1 broken or different, 2 used wrongly.  FILE may be - for standard input.",
)
@click.version_option(package_name="clonecodec")
def main() -> None:
    """Look into files of JavaScript values.

    Reads what v8.serialize, Chrome, Deno and Node's child processes write, and CBOR and JSON.  The format is
    guessed from the bytes; --from says it.

    \b
      clonecodec inspect data.bin            every byte, and what it means
      clonecodec show data.bin               the value
      clonecodec check *.bin                 are they whole?
      clonecodec convert data.bin data.json  the value in another format
      clonecodec diff old.bin new.bin        what has changed, by path
      clonecodec graph data.bin -o data.svg  a drawing of the objects
    """


@main.command()
@click.argument("file", type=_FILE)
@_from
@_headerless
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON document, a row a line.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Colours; auto is for terminals only.",
)
@click.option("--max-run", type=click.IntRange(0), help="Show at most so many bytes of a run of raw bytes.")
@click.option(
    "--svg", type=click.Path(dir_okay=False, allow_dash=True), help="Draw it into this file instead."
)
def inspect(
    file: str,
    form: str | None,
    headerless: int,
    as_json: bool,
    color: str,
    max_run: int | None,
    svg: str | None,
) -> None:
    """Show every byte, and what it means.

    A line has the offset, the bytes, the tag, the value, and its place in what contains it.  #3 is the
    number of an object; "OBJECT_REFERENCE to BEGIN_OBJECT #3 at byte 17" means that one again.  If the
    file is broken, all that could be read comes first, then the byte at which it stops making sense and
    what was expected there; the exit code is 1.
    """
    from clonecodec.cli import inspect as command
    from clonecodec.cli.scan import FORMATS as SCANNED
    from clonecodec.cli.scan import Scan

    data = _read(file)
    form = form or files.guess(data, headerless)
    if form not in SCANNED:
        known = ", ".join(SCANNED)
        raise click.UsageError(
            f"{file} is {form}, and inspect knows only {known}; try: clonecodec show {file}"
        )
    scan = Scan(data, form, headerless=headerless)
    if svg is not None:
        with _reporting(file), files.whole_file(svg) as drawing:
            drawing.write(command.svg(data, scan.rows(), f"clonecodec inspect {file}").encode())
    elif as_json:
        _print_lines(command.json_document(data, scan, scan.rows()), scan, len(data), file)
    else:
        paint = command.painter(_color_system()) if _wants_color(color) else command.plain
        _print_lines(
            (paint(line) for line in command.lines(data, scan.rows(), max_run)), scan, len(data), file
        )
    if not as_json:
        for note in scan.notes:
            click.echo(f"note: {note}", err=True)
    if scan.fault is not None:
        from clonecodec.cli.rows import shortened

        fault = scan.fault
        inside = f", in {shortened(fault.path)}" if len(fault.path) > 1 else ""
        _fail(
            f"{file} is broken at byte {fault.offset}{inside}: expected {fault.expected}, found {fault.found}"
        )
    if scan.unresolved:
        offset, what = scan.unresolved[0]
        _fail(f"{file} cannot be read by itself: {what} at byte {offset} went along with a message")


@main.command()
@click.argument("file", type=_FILE)
@_from
@_headerless
@click.option(
    "--format",
    "style",
    type=click.Choice(["python", "json", "tree"]),
    default="python",
    show_default=True,
    help="As Python would write it, as JSON, or as a tree with long values cut.",
)
def show(file: str, form: str | None, headerless: int, style: str) -> None:
    """Print the value.

    What occurs more than once is marked &1 where it occurs first, and is *1 wherever it occurs again.
    Several values in one file follow each other.
    """
    values = _values(file, form, headerless)
    from clonecodec.cli import jsontext
    from clonecodec.cli import show as command

    losses = jsontext.Losses()
    with _reporting(file):
        for value in values:
            if style == "json":
                sys.stdout.write("".join(jsontext.chunks(value, losses, indent=True)) + "\n")
                continue
            ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
            lines = (
                command.python_lines(value)
                if style == "python"
                else command.tree_lines(value, ascii_only=ascii_only)
            )
            for line in lines:
                sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    for sentence in losses.sentences():
        click.echo(f"lost: {sentence}", err=True)


@main.command()
@click.argument("source", metavar="IN", type=_FILE)
@click.argument("target", metavar="OUT", type=click.Path(allow_dash=True))
@_from
@click.option(
    "--to",
    type=click.Choice(["v8", "cbor", "json"]),
    help="The format to write; by the name of OUT if left out.",
)
@_headerless
@click.option("--strict", is_flag=True, help="Write nothing if anything would be lost.")
def convert(
    source: str, target: str, form: str | None, to: str | None, headerless: int, strict: bool
) -> None:
    """Write the value in another format.

    What the new format does not keep is told on standard error.  OUT appears only when all of it has been
    written; a conversion that fails leaves what was there before.
    """
    from clonecodec.cli import convert as command
    from clonecodec.cli.jsontext import Losses

    to = to or command.guess_target(target)
    if target == "-" and to in ("v8", "cbor") and sys.stdout.isatty():
        raise click.UsageError("the output is binary, and would go to a terminal: name a file")
    if to is None:
        raise click.UsageError(
            f"the name {target} does not tell the format; say --to v8, --to cbor or --to json"
        )
    values = _values(source, form, headerless)
    losses = Losses()
    with _reporting(source), files.whole_file(target) as file:
        command.write(values, to, file, losses)
        if strict and losses:
            raise BrokenFileError("something would be lost: " + "; ".join(losses.sentences()))
    for sentence in losses.sentences():
        click.echo(f"lost: {sentence}", err=True)


@main.command()
@click.argument("names", metavar="FILE...", type=_FILE, nargs=-1, required=True)
@_from
@_headerless
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON array.")
def check(names: tuple[str, ...], form: str | None, headerless: int, as_json: bool) -> None:
    """Say whether files are whole, and what is in them.

    For each file: its version, what it makes use of, who cannot read that, and whether it is canonical,
    which means: byte for byte in a form that V8 writes, with no padding, overlong number or old tag that
    it would not write.  The exit code is 1 if any file is broken.
    """
    from clonecodec.cli import check as command

    reports = []
    for name in names:
        data = _read(name)
        report = command.check(name, data, form or files.guess(data, headerless), headerless)
        reports.append(report)
        if not as_json:
            click.echo("\n".join(report.lines()))
    if as_json:
        click.echo(json.dumps([report.as_json() for report in reports], indent=2))
    if not all(report.valid for report in reports):
        sys.exit(1)


@main.command()
@click.argument("left", metavar="A", type=_FILE)
@click.argument("right", metavar="B", type=_FILE)
@_from
@_headerless
@click.option(
    "--max", "limit", type=click.IntRange(1), default=100, show_default=True, help="Stop after so many."
)
def diff(left: str, right: str, form: str | None, headerless: int, limit: int) -> None:
    """Say where two values differ, by path.

    The formats may differ too.  Types count (1 is not 1.0), and so does what is one object and what are
    two that are alike.  The exit code is 1 if anything differs.
    """
    if left == right == "-":
        raise click.UsageError("only one of A and B can be standard input")
    lefts, rights = _values(left, form, headerless), _values(right, form, headerless)
    from clonecodec.cli import diff as command

    told = 0
    if len(lefts) != len(rights):
        click.echo(f"{left} has {len(lefts)} values, {right} has {len(rights)}")
        told = 1
    for index, (one, other) in enumerate(zip(lefts, rights, strict=False)):
        root = "$" if len(lefts) == len(rights) == 1 else f"value {index + 1} $"
        for difference in command.differences(one, other, root):
            if told >= limit:
                click.echo(f"... and more; --max {limit} are shown")
                sys.exit(1)
            told += 1
            click.echo(str(difference))
    sys.exit(1 if told else 0)


@main.command()
@click.argument("file", type=_FILE)
@click.option(
    "-o", "--output", required=True, type=click.Path(allow_dash=True), help="The SVG file to write."
)
@_from
@_headerless
@click.option(
    "--max-nodes", type=click.IntRange(1), default=200, show_default=True, help="Draw so many objects."
)
def graph(file: str, output: str, form: str | None, headerless: int, max_nodes: int) -> None:
    """Draw the objects and what refers to what, as SVG.

    An object to which several references lead is drawn once; references that close a cycle are dashed.
    """
    values = _values(file, form, headerless)
    from clonecodec.cli import graph as command

    with _reporting(file), files.whole_file(output) as drawing:
        value = values[0] if len(values) == 1 else values
        drawing.write(command.svg(value, max_nodes, title=file).encode("utf-8", "backslashreplace"))


# What the commands share


def _read(name: str) -> bytes:
    try:
        data = files.read(name)
    except OSError as error:
        raise click.UsageError(f"{name} cannot be read: {error.strerror}") from None
    if data.startswith(files.SQLITE):
        raise click.UsageError(
            f"{name} is an SQLite database: clonecodec.store.open reads it if it is a store, and "
            "clonecodec.foreign.read_deno_kv if it is Deno's"
        )
    return data


def _values(name: str, form: str | None, headerless: int) -> list[object]:
    data = _read(name)
    if not data:
        _fail(f"{name} is empty")
    guessed = form or files.guess(data, headerless)
    with _reporting(name, data, guessed, headerless):
        try:
            return files.read_values(data, guessed, headerless)
        except BrokenFileError:
            if form is None and not headerless and guessed == "v8" and data[0] != 0xFF:
                raise BrokenFileError(
                    "looks like nothing that is known; read as V8's oldest format"
                ) from None
            raise


@contextmanager
def _reporting(name: str, data: bytes | None = None, form: str = "", headerless: int = 0) -> Iterator[None]:
    """Turn what can go wrong with *name* into a sentence and an exit code."""
    try:
        yield
    except BrokenFileError as error:
        _fail(f"{name}: {error}{_explained(data, form, headerless)}")
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.UsageError(f"{error.filename or name}: {error.strerror or error}") from None


def _explained(data: bytes | None, form: str, headerless: int) -> str:
    """What the second reader has to add to the codec's complaint."""
    from clonecodec.cli.rows import shortened
    from clonecodec.cli.scan import FORMATS as SCANNED
    from clonecodec.cli.scan import Scan

    if data is None or form not in SCANNED:
        return ""
    scan = Scan(data, form, headerless=headerless)
    for _ in scan.rows():
        pass
    if scan.fault is None:
        return ""
    return (
        f"\n  {scan.fault}, in {shortened(scan.fault.path or '$')}\n  (clonecodec inspect shows every byte)"
    )


def _fail(sentence: str) -> NoReturn:
    sys.stdout.flush()
    click.echo(f"clonecodec: {sentence}", err=True)
    sys.exit(1)


def _print_lines(lines: Iterator[str], scan: Any, size: int, name: str) -> None:
    """Write *lines* to standard output, with a bar on standard error if they go elsewhere."""
    write = sys.stdout.write
    with files.progress(f"inspecting {name}", 0 if sys.stdout.isatty() else size) as advance:
        done = 0
        for some in iter(lambda: list(islice(lines, _LINES_AT_ONCE)), []):
            write("\n".join(some) + "\n")
            if scan.position - done > 1 << 20:
                advance(scan.position - done)
                done = scan.position
    sys.stdout.flush()


def _wants_color(choice: str) -> bool:
    if choice != "auto":
        return choice == "always"
    from rich.console import Console

    console = Console()
    return console.is_terminal and not console.no_color


def _color_system() -> str | None:
    from rich.console import Console

    return Console().color_system

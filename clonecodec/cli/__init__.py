"""``python -m clonecodec`` and ``clonecodec``: see, check, convert and compare files of values.

    app        the commands, their options and exit codes
    files      reading, guessing formats, writing only what is whole
    scan       the second reader: every byte as a row, and what was expected where they stop making sense
    inspect, show, convert, check, diff, graph      one module a command

What it is built on comes with ``pip install 'clonecodec[cli]'``; ``import clonecodec`` needs none of that.
"""

from __future__ import annotations

import sys

__all__ = ["main"]

_MISSING = """\
clonecodec: the command line needs two more packages (click and rich); install them with

    pip install 'clonecodec[cli]'
"""


def main() -> None:
    """Run the command that ``sys.argv`` names, and exit: 0 fine, 1 broken or different, 2 used wrongly."""
    try:
        import click
        import rich
    except ImportError:
        sys.stderr.write(_MISSING)
        sys.exit(2)
    del click, rich
    from clonecodec.cli.app import run

    run()

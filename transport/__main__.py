"""What this package can do: ``python -m transport demo`` shows it, ``python -m transport bench`` measures."""

from __future__ import annotations

import argparse
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m transport", description="MessageChannel and MessagePort, shown and measured."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="ports between threads, processes and sockets")
    bench = commands.add_parser("bench", help="messages a second on each backend")
    bench.add_argument(
        "--seconds", type=float, default=1.0, metavar="S", help="about how long a figure takes (default: 1)"
    )
    chosen = parser.parse_args(arguments)
    if chosen.command == "demo":
        from transport._demo import demo

        demo()
    else:
        from transport._rates import measure

        measure(chosen.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What tests run in another process, at the far end of a connection: ``python -m ... URL WHAT``."""

from __future__ import annotations

import os
import signal
import sys
import time
from itertools import count

from transport import MessagePort, connect


def echo(port: MessagePort) -> None:
    for value in port:
        port.post_message(value, [value] if isinstance(value, MessagePort) else [])
    time.sleep(0)


def sleep(port: MessagePort) -> None:
    port.post_message("asleep")
    time.sleep(60)


def flood(port: MessagePort) -> None:
    for i in range(20_000):
        port.post_message(i)
    port.post_message("y" * 3_000_000)


def flood_for_ever(port: MessagePort) -> None:
    for i in count():
        port.post_message(i)


def ignore(port: MessagePort) -> None:
    time.sleep(0.3)
    port.post_message("bye")


def fork_and_die(port: MessagePort) -> None:
    if os.fork() == 0:
        port.post_message("dormant: nobody hears this")
        time.sleep(30)
        os._exit(0)
    port.post_message("forked")
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    _, url, what = sys.argv
    doings = {"echo": echo, "sleep": sleep, "flood": flood, "ignore": ignore, "fork and die": fork_and_die}
    doings["flood for ever"] = flood_for_ever
    doings[what](connect(url))

"""What runs in the children of the tests: importable functions."""

from __future__ import annotations

import os
import sys
import time

import transport
from transport import MessagePort


def echo(port: MessagePort) -> None:
    for value in port:
        port.post_message(value)


def worker_echo(*args: object) -> None:
    port = transport.parent_port()
    assert port is not None
    port.post_message({"args": list(args), "data": transport.worker_data(), "pid": os.getpid()})
    port.on("message", port.post_message)


def worker_fail(text: str) -> None:
    port = transport.parent_port()
    assert port is not None
    port.post_message("before")
    raise IndexError(text)


def worker_leave(code: int) -> None:
    port = transport.parent_port()
    assert port is not None
    port.post_message("last words")
    sys.exit(code)


def worker_sleep() -> None:
    port = transport.parent_port()
    assert port is not None
    port.post_message("asleep")
    while True:
        time.sleep(0.01)

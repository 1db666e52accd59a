"""Waiting in tests: until something is so, or long enough that it would have been."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Final

from transport import Message, MessageChannel, MessagePort, receive_message_on_port

PATIENCE: Final = 10.0
"""Seconds after which a test gives up; far more than anything takes, for a busy machine."""


def until(condition: Callable[[], object], what: str = "it never came") -> None:
    """Return as soon as *condition* holds; fail if it does not in ``PATIENCE`` seconds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.001)


def quiet(seconds: float = 0.05) -> None:
    """Give what should not happen the time to happen."""
    time.sleep(seconds)


def collect() -> bool:
    """Have garbage collected, cycles too, and orphaned ends closed (which opening a channel does)."""
    for _ in range(3):
        gc.collect()
        MessageChannel()
    return True


def take_message(port: MessagePort) -> Message:
    """The next message, once it is there."""
    messages: list[Message] = []

    def taken() -> bool:
        message = receive_message_on_port(port)
        if message is not None:
            messages.append(message)
        return message is not None

    until(taken)
    return messages[0]

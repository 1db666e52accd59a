"""What a connection puts up with: every limit has a name, a reason and a default that can be changed.

Each side has its own.  Those that the other side must know to keep to them go out in the handshake
(``frame_size``, ``message_size``, ``channels``, ``ports_per_message``); the others are kept here alone.
"""

from __future__ import annotations

from typing import Final, NamedTuple

SMALLEST_FRAME: Final = 32 << 10
"""The table of a message's attachments stands in one frame; a frame of this size holds the longest one."""

MOST_ATTACHMENTS: Final = 1024
"""Ports in a message, and buffers in it: the table is then 20 KiB at most."""

INITIAL_CREDIT: Final = 32 << 10
"""Bytes that may be sent on a new channel before its receiver has granted any: enough for any table."""

SHORT: Final = 8 << 10
"""Up to this size a message is copied, with others, into one system call, and read on arrival if it is
plain."""

FRAGMENT: Final = 256 << 10
"""Bytes of one message that are sent in a row while other channels have something to send, too."""


ALONE: Final = 1 << 20
"""The same while no other channel has: fewer, longer frames wake the reader less often."""


class Limits(NamedTuple):
    """The limits of one side of a connection.

    >>> Limits(message_size=1 << 20).message_size
    1048576
    """

    frame_size: int = 1 << 20
    """Bytes in the body of a frame: a longer one is a breach of the protocol."""

    message_size: int = 256 << 20
    """Bytes in a message.  The other side's ``post_message`` raises DataCloneError past it."""

    channels: int = 16_384
    """Channels that are open on one connection.  The other side's ``post_message`` of a port raises
    DataCloneError past it."""

    ports_per_message: int = 253
    """Ports in one message: as many as descriptors in a message between processes.  At most 1024."""

    window: int = 4 << 20
    """Bytes of one channel that wait here to be taken before the other side must hold back the rest."""

    queued_bytes: int = 1 << 30
    """Bytes of a connection's channels that may wait here, beyond 32 KiB of each; past it they take turns."""

    handshake_seconds: float = 10.0
    """After this, a connection whose handshake is not complete is closed."""

    half_open: int = 128
    """Connections of a listener whose handshake is not complete; past it the oldest is closed."""

    waiting: int = 1024
    """Connections of a listener that nobody has accepted yet; past it no more are taken in."""

    keep_alive_interval: float | None = 20.0
    """Seconds of silence after which the other side is asked whether it lives; None: never."""

    keep_alive_timeout: float = 20.0
    """Seconds for its answer; then it is dead."""

    def checked(self) -> Limits:
        """Return itself.

        Raises:
            ValueError: a limit is too small to work with, or larger than the protocol has room for.
        """
        for name, least, most in (
            ("frame_size", SMALLEST_FRAME, 1 << 31),
            ("message_size", 1, 1 << 40),
            ("channels", 1, 1 << 30),
            ("ports_per_message", 0, MOST_ATTACHMENTS),
            ("window", 2 * INITIAL_CREDIT, 1 << 40),
            ("queued_bytes", 0, 1 << 60),
            ("half_open", 1, 1 << 30),
            ("waiting", 1, 1 << 30),
        ):
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"the limit {name} must be between {least} and {most}")
        for name in ("handshake_seconds", "keep_alive_interval", "keep_alive_timeout"):
            seconds = getattr(self, name)
            if seconds is not None and not seconds > 0:
                raise ValueError(f"the limit {name} must be more than 0 seconds")
        return self

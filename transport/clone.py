"""structured_clone: clonecodec's, documented for ports, which move in it as they move in a message."""

from __future__ import annotations

from collections.abc import Iterable

import clonecodec


def structured_clone(value: object, transfer: Iterable[object] = ()) -> object:
    """Return a deep copy of *value* by the rules of messages, in memory (HTML: ``structuredClone(value,
    {transfer})``).

    Args:
        value: what to clone.
        transfer: the ports and ArrayBuffers that move into the copy: they are unusable here afterwards.

    Raises:
        DataCloneError: *value* cannot be cloned, a port in it is not listed, or something listed cannot be
        moved.

    >>> from transport import MessageChannel
    >>> port1, port2 = MessageChannel()
    >>> moved = structured_clone({"port": port1}, transfer=[port1])
    >>> port1.detached
    True
    """
    return clonecodec.structured_clone(value, transfer)

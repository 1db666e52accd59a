"""Values that need nobody's say: most messages hold nothing else.

What C writes and reads by itself needs no ``Serializer`` or ``Deserializer``, whose making takes longer than
most messages: undefined, None, bool, int, float, str, list, tuple, dict, set, frozenset, Map,
datetime in UTC, references, and short ``bytes`` and ``bytearray``.  The last two become views, as where
``mark_read_only_bytes`` is set: ``bytes`` a read-only memoryview, a bytearray one on an ArrayBuffer (which is
written here, but not read).

Everything else (other views, buffers, other dates, instances, holes, huge ints, what cannot be cloned, bytes
that are no value) is given up here: the caller goes the general way, which gives the result or the error.
So are 64 KiB of bytes or more, which a transport need not copy into a message.
"""

from __future__ import annotations

from . import _node as _node  # C does not know what it writes and reads before this has told it
from ._accelerate import accelerator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .buffers import Octets


def dumps_plain(value: object, /) -> bytes | None:
    """Return what a Serializer with ``mark_read_only_bytes`` writes for *value*, with the header.

    Returns:
        The bytes; None if the value is not plain, or cannot be cloned: no code of anybody's has run then.
        Always None without the accelerator.

    >>> from clonecodec import accelerated
    >>> data = dumps_plain([1, "two"])
    >>> data.hex(" ") if accelerated else "ff 0f 41 02 49 02 22 03 74 77 6f 24 00 02"
    'ff 0f 41 02 49 02 22 03 74 77 6f 24 00 02'
    >>> dumps_plain([memoryview(b"view")]) is None
    True
    """
    return None


def loads_plain(data: Octets, /) -> Any:
    """Return the value that ``Deserializer(data)`` reads, after the header.

    Returns:
        The value; NotImplemented if it is not plain, or none at all.  Always so without the accelerator.

    >>> loads_plain(b"no value")
    NotImplemented
    """
    return NotImplemented


if accelerator is not None:
    dumps_plain = accelerator.dumps_plain
    loads_plain = accelerator.loads_plain

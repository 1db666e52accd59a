"""Where a buffer's bytes live: a bytearray, or a memfd that other processes can map.

    bytearray   the default: private, and it can grow
    memfd       from birth for ``movable`` and shared buffers: anonymous, sealed against resizing before
                anything is mapped (a mapping that somebody else shrinks kills its reader with SIGBUS)

Elsewhere than on Linux there is no memfd, and a shared buffer is shared between threads only.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap
    from typing import Final, TypeAlias

Memory: TypeAlias = "bytearray | mmap.mmap"

HAVE_MEMFD: Final = hasattr(os, "memfd_create")

F_ADD_SEALS: Final = 1033
F_GET_SEALS: Final = 1034
F_SEAL_SEAL: Final = 1
F_SEAL_SHRINK: Final = 2
F_SEAL_GROW: Final = 4
"""From Linux's fcntl.h; the ``fcntl`` module has them too, but only if it was built with new headers."""


class Descriptor:
    """A file descriptor that is closed with its last owner."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        os.close(self.number)


def new_memfd(size: int) -> tuple[Memory, Descriptor]:
    """Return *size* zero bytes that live in a memfd of their own, sealed, and the memfd.

    Raises:
        OSError: there are no descriptors or no memory left.
    """
    import fcntl

    descriptor = Descriptor(os.memfd_create("clonecodec", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING))
    os.ftruncate(descriptor.number, max(size, 1))  # an empty file cannot be mapped
    fcntl.fcntl(descriptor.number, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
    return _map(descriptor.number, size), descriptor


def map_memfd(descriptor: Descriptor, size: int) -> Memory:
    """Map *size* bytes of a memfd that somebody else made, if that is safe.

    Raises:
        ValueError: it is not sealed against shrinking, or is smaller than *size*.
        OSError: it is no memfd, or cannot be mapped.
    """
    import fcntl

    seals = fcntl.fcntl(descriptor.number, F_GET_SEALS)
    if not seals & F_SEAL_SHRINK:
        raise ValueError("a memfd that is not sealed against shrinking is not mapped")
    try:
        if size >= 0:
            return _map(descriptor.number, size)  # which looks at the length of a regular file itself
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"a memfd of {os.fstat(descriptor.number).st_size} bytes has no {size} bytes")


def _map(fd: int, size: int) -> Memory:
    import mmap

    return mmap.mmap(fd, max(size, 1))

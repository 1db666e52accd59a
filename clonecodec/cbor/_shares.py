"""Value sharing (tags 28 and 29): put in afterwards, and only where something was really met twice.

The writer leaves nothing where a reference is to stand, and remembers the place and where its object begins.
Indices count the SHAREABLE tags in the order of the bytes, so they are known only at the end.
"""

from __future__ import annotations

from collections.abc import Sequence

from ._tags import SHAREABLE, SHARED, head, tag

_SHAREABLE = tag(SHAREABLE)
_SHARED = tag(SHARED)


def insert_shares(out: bytearray, references: Sequence[tuple[int, int]]) -> bytes:
    """Return *out* with its references put in.

    Args:
        out: everything else.
        references: where each stands, and where its object begins; both count bytes of *out*.
    """
    if not references:
        return bytes(out)
    indices = {begins: index for index, begins in enumerate(sorted({begins for _, begins in references}))}
    # Where both stand at one place the reference is a whole item, and comes before the next one begins.
    insertions = [(place, 0, _SHARED + head(0, indices[begins])) for place, begins in references]
    insertions += [(begins, 1, _SHAREABLE) for begins in indices]
    insertions.sort(key=_place)
    parts: list[bytes | bytearray] = []
    done = 0
    for place, _, octets in insertions:
        parts += (out[done:place], octets)
        done = place
    parts.append(out[done:])
    return b"".join(parts)


def _place(insertion: tuple[int, int, bytes]) -> tuple[int, int]:
    return insertion[:2]

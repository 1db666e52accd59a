"""Whether anybody but us still looks into a buffer's memory.

A buffer hands out slices of one root memoryview.  They all share the root's managed buffer, and so does
every further slice or cast of them, so the references to that managed buffer count the views.  What else
can look in (numpy, ctypes, ``re``) exports a view: CPython counts that in the view itself, in a field
that only C can see.  It is read through ctypes where a self-test shows that the field is where it should be;
elsewhere nobody can tell, and a buffer with views handed out is not transferred.
"""

from __future__ import annotations

import gc
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_EXPORTS_OFFSET = 48
"""Of ``exports`` in CPython's PyMemoryViewObject, 64-bit, 3.11 to 3.13."""


def looked_into(root: memoryview, views: Sequence[memoryview]) -> bool:
    """Whether the memory of *root* is visible through anything else than *root* and *views*.

    *views* are slices of *root*, or empty.  True also where that cannot be found out.
    """
    managed = gc.get_referents(root)
    if len(managed) != 1:
        return True
    ours = 1 + sum(gc.get_referents(view)[0] is managed[0] for view in views) if views else 1
    # Beside the views' references there are the list's and the argument's.
    if sys.getrefcount(managed[0]) - 2 != ours:
        return True
    if not views:
        return False
    if not _counters:
        _counters.append(_counter())
    count = _counters[0]
    return any(count(view) != 0 for view in views)


_counters: list[Callable[[memoryview], int]] = []
"""What ``_counter`` has returned, once it was asked."""


def _counter() -> Callable[[memoryview], int]:
    """A function that reads a memoryview's export count; one that says "some" if that is not safe."""
    try:
        import ctypes
    except ImportError:
        return lambda view: 1
    if sys.implementation.name != "cpython" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return lambda view: 1
    if memoryview(b"").__sizeof__() < _EXPORTS_OFFSET + 8:
        return lambda view: 1

    def count(view: memoryview) -> int:
        return ctypes.c_ssize_t.from_address(id(view) + _EXPORTS_OFFSET).value

    view = memoryview(bytearray(8))
    seen = [count(view)]
    first = struct.iter_unpack("B", view)  # an iterator that exports the view as long as it lives
    seen.append(count(view))
    second = struct.iter_unpack("B", view)
    seen.append(count(view))
    del first, second
    seen.append(count(view))
    return count if seen == [0, 1, 2, 0] else lambda view: 1

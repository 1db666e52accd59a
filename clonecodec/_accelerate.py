"""The accelerator: hot paths of ``_writer``, ``_reader`` and ``_clone`` in C, if they were built.

They do what those modules do, and hand back to them what is not hot; ``_accelerator/accelerator.h`` says how.
With ``CLONECODEC_PURE=1`` in the environment they are left alone.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from . import _accelerator


def _built() -> _accelerator.Accelerator | None:
    if os.environ.get("CLONECODEC_PURE", "0") not in ("", "0"):
        return None
    try:
        from . import _accelerator

        return _accelerator if hasattr(_accelerator, "know") else None  # a folder of sources has nothing
    except ImportError:
        return None


accelerator: Final = _built()
"""The C module, or None."""

accelerated: Final = accelerator is not None
"""Whether the C part does the work."""

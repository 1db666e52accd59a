"""What the vectors are in Python: VALUES has, by the name of a case, the value that must be read.

A case that is not here is still read and written again.
"""

from __future__ import annotations

from typing import Final

from tests.vectors.values import binary, graphs, kinds, plain
from tests.vectors.values.binary import REGISTERED

__all__ = ["REGISTERED", "VALUES"]

VALUES: Final[dict[str, object]] = {**plain.VALUES, **kinds.VALUES, **binary.VALUES, **graphs.VALUES}

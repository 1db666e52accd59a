"""Values within host objects, which the readers here read by calling themselves."""

from __future__ import annotations

from typing import Final

from clonecodec import Deserializer
from clonecodec.errors import DecodeError

DEEPEST: Final = 50
"""Host objects within host objects: nobody writes so many, and each takes some of Python's own stack."""


class Nested(Deserializer):
    """A deserializer whose host objects may hold values."""

    _nesting = 0

    def read_nested(self) -> object:
        """Read a value within the host object that is being read."""
        if self._nesting >= DEEPEST:
            raise DecodeError(f"more than {DEEPEST} host objects within each other", self.offset)
        self._nesting += 1
        try:
            return self.read_value()
        finally:
            self._nesting -= 1

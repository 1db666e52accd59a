"""The containers that the reader is in the middle of: what may come next in each, and how it ends.

A frame is a builder that also knows its place in the bytes: ``before`` reads what comes before each value and
says whether the container is complete.  Most objects and dense arrays have none: the reader's loop fills a
dict or a list itself, and makes a frame only when something comes that they have no place for (an array
index as a key; a hole, a property or a reference to itself in an array).
"""

from __future__ import annotations

from . import _tags as tags
from ._builders import Builder, ErrorBuilder, ListBuilder, ObjectBuilder, Root, Table, TupleBuilder
from ._keyed_builders import FrozenSetBuilder, MapBuilder, SetBuilder
from ._properties import is_index
from .errors import DecodeError
from .values import MAX_ARRAY_LENGTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._reader import Deserializer


class Frame(Builder):
    """A container that is being read."""

    __slots__ = ()

    def before(self, reader: Deserializer) -> bool:
        """Read what comes before the next value; True if that is the end of the container."""
        raise NotImplementedError


class RootFrame(Root, Frame):
    """Where one value goes."""

    __slots__ = ()

    def before(self, reader: Deserializer) -> bool:
        return True


class ObjectFrame(ObjectBuilder, Frame):
    """``o (key value)* { properties:uint``, some of its keys being array indices.

    Args:
        target: the properties so far.
    """

    __slots__ = ()

    def __init__(self, target: dict[str, object]) -> None:
        super().__init__()
        self.target = target
        self.indexed = True

    def before(self, reader: Deserializer) -> bool:
        key = reader.property_or_end(self.target)
        if key is None:
            return True
        self.key = key
        return False


class DenseFrame(ListBuilder, Frame):
    """``A length:uint value*length (key value)* $ properties:uint length:uint``

    Args:
        items: those that have been read.
        claimed: how many there are in all.
    """

    __slots__ = ("claimed", "pairs")
    end = tags.END_DENSE_ARRAY

    def __init__(self, table: Table, number: int, items: list[object], claimed: int) -> None:
        super().__init__(table, number)
        self.items = items
        self.claimed = claimed
        self.pairs = 0

    def before(self, reader: Deserializer) -> bool:
        return _property_or_end(self, reader)


class TupleFrame(TupleBuilder, Frame):
    """The same, hinted."""

    __slots__ = ("claimed", "pairs")
    end = tags.END_DENSE_ARRAY

    def __init__(self, table: Table, number: int, items: list[object], claimed: int) -> None:
        super().__init__(table, number)
        self.items = items
        self.claimed = claimed
        self.pairs = 0

    def before(self, reader: Deserializer) -> bool:
        return _property_or_end(self, reader)


class SparseFrame(ListBuilder, Frame):
    """``a length:uint (key value)* @ properties:uint length:uint``"""

    __slots__ = ("claimed", "pairs")
    end = tags.END_SPARSE_ARRAY

    def __init__(self, table: Table, number: int, length: int) -> None:
        super().__init__(table, number, min(length, MAX_ARRAY_LENGTH))
        self.claimed = length
        self.pairs = 0

    def before(self, reader: Deserializer) -> bool:
        return _property_or_end(self, reader)


def _property_or_end(frame: DenseFrame | TupleFrame | SparseFrame, reader: Deserializer) -> bool:
    """What comes before the next value of an array when its items have been read."""
    if reader.ends(frame.end):
        reader.check_count(frame.pairs, "properties")
        reader.check_count(frame.claimed, "items")
        return True
    start = reader.offset
    name = reader.key()
    key: int | str = int(name) if is_index(name) else name
    if frame.has(key):
        raise DecodeError(f"the property {name!a} of an array occurs twice", start)
    frame.key = key
    frame.pairs += 1
    return False


class MapFrame(MapBuilder, Frame):
    """``; (value value)* : length:uint``, where the length counts keys and values."""

    __slots__ = ("_read",)

    def __init__(self) -> None:
        super().__init__()
        self._read = 0

    def before(self, reader: Deserializer) -> bool:
        if not self._read & 1 and reader.ends(tags.END_MAP):
            reader.check_count(self._read, "keys and values")
            return True
        self._read += 1
        return False


class SetFrame(SetBuilder, Frame):
    """``' value* , length:uint``"""

    __slots__ = ("_read",)

    def __init__(self) -> None:
        super().__init__()
        self._read = 0

    def before(self, reader: Deserializer) -> bool:
        if reader.ends(tags.END_SET):
            reader.check_count(self._read, "members")
            return True
        self._read += 1
        return False


class FrozenSetFrame(FrozenSetBuilder, Frame):
    """The same, hinted."""

    __slots__ = ("_read",)

    def __init__(self, table: Table, number: int) -> None:
        super().__init__(table, number)
        self._read = 0

    def before(self, reader: Deserializer) -> bool:
        if reader.ends(tags.END_SET):
            reader.check_count(self._read, "members")
            return True
        self._read += 1
        return False


class ErrorFrame(ErrorBuilder, Frame):
    """``r`` and error tags up to ``.``, in any order, the last of each winning, as V8 11 reads them.

    V8 12 and later want prototype, message, stack, cause; but Node 20 writes the cause before the stack.
    """

    __slots__ = ()

    def before(self, reader: Deserializer) -> bool:
        while True:
            start = reader.offset
            tag = reader.read_uint8()
            if tag == tags.ERROR_END:
                return True
            if tag == tags.ERROR_CAUSE:
                return False
            if tag == tags.ERROR_MESSAGE:
                self.message = reader.string()
            elif tag == tags.ERROR_STACK:
                self.stack = reader.string()
            elif tag in tags.ERROR_PROTOTYPES:
                self.name = tags.ERROR_PROTOTYPES[tag]
            else:
                raise DecodeError(f"unknown error tag 0x{tag:02x}", start)

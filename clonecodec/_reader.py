"""Bytes to values: V8's ValueDeserializer, the mirror of ``_writer``.

What an embedder calls is here; what it overrides, and one method for each tag, in ``_payloads``; the loop
that reads values in ``_loop``, and its short way through what most of a message is made of in ``_runs``.

Every length, count and number in here is the sender's claim.  Nothing is allocated, and nothing repeated,
on the word of a number that no bytes stand behind.
"""

from __future__ import annotations

import math

from . import _tags as tags
from ._accelerate import accelerator
from ._builders import NOT_YET, Unfinished
from ._frames import RootFrame
from ._keys import Keys
from ._loop import Loop
from ._payloads import LEAVES
from ._properties import in_order
from ._wire import WireReader
from .buffers import ArrayBuffer, SharedArrayBuffer
from .errors import DecodeError, TruncatedError
from .values import BigInt, Map, undefined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from .buffers import Octets

MAX_DEPTH: Final = 100_000  # frames on our own stack; see _writer


class Deserializer(Loop):
    """Reads values in V8's wire format; a subclass supplies what an embedder must.

    This is Node's ``v8.Deserializer``.

    Args:
        data: bytes-like.
        legacy: accept versions 0 to 12 too, as Chrome does and Node does not.
        zero_copy: let views be memoryviews of *data* itself.
        max_depth: how many containers may lie within each other.

    >>> deserializer = Deserializer(bytes.fromhex("ff0f 4102 4902 4904 240002"))
    >>> deserializer.read_header()
    >>> deserializer.read_value()
    [1, 2]
    """

    def __init__(
        self,
        data: Octets | WireReader,
        *,
        legacy: bool = False,
        zero_copy: bool = False,
        max_depth: int = MAX_DEPTH,
    ) -> None:
        self._source = memoryview(b"")
        if isinstance(data, WireReader):
            self._wire = data
        else:
            self._source = _octets_of(data)
            if isinstance(data, bytes):
                self._wire = WireReader(data)
            else:
                self._wire = WireReader(self._source.toreadonly() if zero_copy else self._source.tobytes())
        self._legacy = legacy
        self._zero_copy = zero_copy
        self._max_depth = max_depth
        self._version = 0
        self._flags_in_13 = False  # whether views have flags in version 13, which a broken Chrome wrote
        self._stack: list[tuple[Any, ...]] = []  # the containers around the one that is being filled
        self._objects: list[Any] = []  # by number
        self._transferred: dict[int, ArrayBuffer | SharedArrayBuffer] = {}
        self._floor = 0  # the first number that an embedder's own read_value can give
        self._hinted = False  # of the host object that is being read

    # What an embedder calls

    @property
    def wire_format_version(self) -> int:
        """The version that the header says; 0 before it has been read, and without one."""
        return self._version

    def read_header(self) -> None:
        """Read ``FF`` and the version.

        Raises:
            DecodeError: there is no header, or of a version that is not read.
        """
        wire = self._wire
        if wire.has(wire.offset + 1) and wire.data[wire.offset] == tags.VERSION:
            wire.offset += 1
            start = wire.offset
            self._version = wire.varint()
            if self._version > tags.LATEST_VERSION:
                raise DecodeError(f"version {self._version} is newer than the newest known, 16", start)
            if self._version < 13 and not self._legacy:
                raise DecodeError(f"version {self._version} is read with legacy=True only", start)
        elif not self._legacy:
            if not wire.has(wire.offset + 1):
                raise TruncatedError("expected a version header, 0xff", wire.offset)
            raise DecodeError("expected a version header, 0xff", wire.offset)

    def read_value(self) -> Any:
        """Read a value.  Several values may follow each other; they share the numbers of objects.

        Raises:
            DecodeError: there is none; ``.offset`` tells where, ``.reason`` what is wrong.
        """
        if self._version == 0:
            from ._legacy import read_version_0

            return read_version_0(self)
        start = self._wire.offset
        try:
            return self._read()
        except DecodeError:
            if self._version != 13 or self._flags_in_13 or self._wire.blind:
                raise
            # A version of Chrome wrote flags into version 13, so V8 tries again and expects them; numbers
            # that objects got in the first try stay given.  (ReadObjectWrapper.)
            self._flags_in_13 = True
            self._wire.offset = start
            try:
                return self._read()
            except DecodeError:
                pass
            raise

    def read_one(self) -> Any:
        """Read one value, whatever the version."""
        return self._read()

    def at_end(self) -> bool:
        """Whether nothing but padding is left; if so, that is read."""
        wire = self._wire
        offset = wire.padded()
        if wire.has(offset + 1):
            return False
        wire.offset = offset
        return True

    def transfer_array_buffer(self, id: int, buffer: ArrayBuffer | SharedArrayBuffer) -> None:
        """Say which buffer the transferred (or shared) buffer *id* is.  TypeError if it is none."""
        if not isinstance(buffer, (ArrayBuffer, SharedArrayBuffer)):
            raise TypeError(f"an ArrayBuffer or SharedArrayBuffer is wanted, not {type(buffer).__name__}")
        self._transferred[id] = buffer

    def read_uint32(self) -> int:
        """Read a varint of 32 bits.  TruncatedError if the data ends."""
        return self._wire.varint()

    def read_uint64(self) -> int:
        """Read a varint of 64 bits.  TruncatedError if the data ends."""
        return self._wire.uint64()

    def read_double(self) -> float:
        """Read 8 bytes.  TruncatedError if the data ends."""
        return self._wire.double()

    def read_raw_bytes(self, length: int) -> bytes:
        """Read *length* bytes.  TruncatedError if there are fewer; ValueError if *length* is negative."""
        if length < 0:
            raise ValueError(f"{length} bytes cannot be read")
        return bytes(self._wire.raw(length))

    def _read(self) -> object:
        """Read a value of any version but 0, in C if that is possible."""
        if accelerator is not None and self._version >= 13:
            value = accelerator.read(self)
            if value is not NotImplemented:
                return value
        stack = self._stack
        base, floor = len(stack), self._floor
        root = RootFrame()
        root.lie_in(base, 0)
        if base:  # called by an embedder that is reading a host object
            self._floor = len(self._objects)
        try:
            self._walk(root)
        except BaseException:
            self._leave_open(base)
            raise
        finally:
            del stack[base:]
            self._floor = floor
        return root.items[0]


def _octets_of(data: Octets) -> memoryview:
    view = memoryview(data)
    if not view.c_contiguous:
        return memoryview(view.tobytes())
    return view.cast("B") if view.nbytes else view


if accelerator is not None:
    accelerator.know(
        not_yet=NOT_YET,
        nan=math.nan,
        in_order=in_order,
        leaves=LEAVES,
        BigInt=BigInt,
        DecodeError=DecodeError,
        Keys=Keys,
        Map=Map,
        Unfinished=Unfinished,
        WireReader=WireReader,
        undefined=undefined,
    )

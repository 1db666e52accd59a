"""Bytes to values: V8's ValueDeserializer, the mirror of ``_writer``.

One loop (``_walk``) reads keys and the commonest scalars itself, up to the last bytes, and asks a
method for everything else: one for each tag, in the order of the tag table.  A method reads its value
whole, or begins a container: it puts a frame on the stack, which the loop fills until it is complete and is
itself an item of the frame below.  Nothing recurses.

Every length, count and number in here is the sender's claim.  Nothing is allocated, and nothing repeated,
on the word of a number that no bytes stand behind.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from . import _tags as tags
from ._accelerate import accelerator
from ._builders import NOT_YET, Unfinished
from ._frames import (
    DenseFrame,
    ObjectFrame,
    RootFrame,
    TupleFrame,
)
from ._keys import Keys
from ._names import names
from ._payloads import CONTAINERS, LEAVES, METHODS, METHODS_BEFORE_15, Payloads, say
from ._properties import MAX_CODE_LENGTH, in_order, is_index
from ._tags import (
    BEGIN_DENSE_ARRAY,
    BEGIN_OBJECT,
    DOUBLE,
    END_DENSE_ARRAY,
    END_OBJECT,
    INT32,
    ONE_BYTE_STRING,
)
from ._wire import WireReader, unpack_double
from .buffers import ArrayBuffer, SharedArrayBuffer
from .errors import DecodeError, TruncatedError
from .values import BigInt, Map, hole, undefined

if TYPE_CHECKING:
    from .buffers import Octets

MAX_DEPTH: Final = 100_000  # frames on our own stack; see _writer

CONSTANTS: Final = {tags.NULL: None, tags.TRUE: True, tags.FALSE: False}

ROOM: Final = 2 + MAX_CODE_LENGTH + 10
"""Bytes that the loop wants to be there before it reads anything itself."""

ITEMS: Final = 0
OBJECT: Final = 1
KEYED: Final = 2
"""What the container that is being filled wants next: see ``_walk``."""


class Deserializer(Payloads):
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

    # The loop

    def _read(self) -> object:
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
        finally:
            del stack[base:]
            self._floor = floor
        return root.items[0]

    def _walk(self, root: RootFrame) -> None:
        """Read the value of *root* and all that is inside.

        The container that is being filled is in local variables, those around it are on the stack:

            mode    ITEMS: *left* values are still to come, for the list *items*
                    OBJECT: a key, or the end; then a value for the dict *target*
                    KEYED: what *frame* reads before a value, or the end; then a value for *frame*
            frame   None as long as a list or a dict will do
            number  of the array that *items* is for; while it is open, its place in the table holds its depth
            hinted  whether it is to be a tuple
            anchor  how deep the innermost container is that a reference from inside can be patched in
        """
        wire, stack, objects = self._wire, self._stack, self._objects
        data: Any = wire.data
        # Up to here, a name that may be remembered and the longest scalar fit in what is left.
        safe = len(data) - ROOM if isinstance(data, bytes) else 0
        name_of, offset, max_depth = names.get, wire.offset, self._max_depth
        methods = METHODS if self._version >= 15 else METHODS_BEFORE_15
        frame: Any = root
        mode, left, number, hinted, anchor, key = ITEMS, 1, -1, False, root.anchor, ""
        items: list[Any] = root.items
        target: dict[str, Any] = {}
        take: Callable[[Any], None] = items.append
        while True:
            # What comes before the value: nothing, a key, or the end of the container.
            complete = False
            if mode == OBJECT:
                # Names seen lately, and common scalars.
                name = None
                while offset < safe:
                    stop = offset + 2 + data[offset + 1]
                    name = name_of(data[offset:stop])
                    if name is None or name in target:
                        name = None
                        break
                    tag = data[stop]
                    if tag == ONE_BYTE_STRING:
                        length = data[stop + 1]
                        offset = stop + 2 + length
                        if length > 0x7F or offset > safe:
                            break
                        target[name] = data[stop + 2 : offset].decode("latin-1")
                    elif tag == INT32:
                        code = data[stop + 1]
                        if code < 0x80:
                            offset = stop + 2
                        elif data[stop + 2] < 0x80:
                            code += (data[stop + 2] - 1) << 7
                            offset = stop + 3
                        elif data[stop + 3] < 0x80:
                            code += (data[stop + 2] - 1 << 7) + (data[stop + 3] - 1 << 14)
                            offset = stop + 4
                        else:
                            break
                        target[name] = (code >> 1) ^ -(code & 1)
                    elif tag == DOUBLE:
                        target[name] = unpack_double(data, stop + 1)[0]
                        offset = stop + 9
                    elif tag in CONSTANTS:
                        target[name] = CONSTANTS[tag]
                        offset = stop + 1
                    else:
                        break
                    name = None
                if name is not None:
                    key, offset = name, stop
                elif offset < safe and data[offset] == END_OBJECT and data[offset + 1] == len(target) < 0x80:
                    complete = True
                    offset += 2
                else:
                    wire.offset = offset
                    name = self.property_or_end(target)
                    offset = wire.offset
                    if name is None:
                        complete = True
                    elif is_index(name):
                        frame, mode = self._object_frame(target, name), KEYED
                        take = frame.take
                    else:
                        key = name
            elif left:
                # Common scalars.
                while offset < safe:
                    tag = data[offset]
                    if tag == INT32:
                        code = data[offset + 1]
                        if code < 0x80:
                            offset += 2
                        elif data[offset + 2] < 0x80:
                            code += (data[offset + 2] - 1) << 7
                            offset += 3
                        elif data[offset + 3] < 0x80:
                            code += (data[offset + 2] - 1 << 7) + (data[offset + 3] - 1 << 14)
                            offset += 4
                        else:
                            break
                        take((code >> 1) ^ -(code & 1))
                    elif tag == ONE_BYTE_STRING:
                        length = data[offset + 1]
                        stop = offset + 2 + length
                        if length > 0x7F or stop > safe:
                            break
                        take(data[offset + 2 : stop].decode("latin-1"))
                        offset = stop
                    elif tag == DOUBLE:
                        take(unpack_double(data, offset + 1)[0])
                        offset += 9
                    elif tag in CONSTANTS:
                        take(CONSTANTS[tag])
                        offset += 1
                    else:
                        break
                    left -= 1
                    if not left:
                        break
                if not left:
                    continue
                left -= 1
            elif (
                frame is None
                and offset < safe
                and data[offset] == END_DENSE_ARRAY
                and data[offset + 1] == 0
                and data[offset + 2] == len(items) < 0x80
            ):
                complete = True
                offset += 3
            else:
                if frame is None:
                    frame = self._array_frame(items, 0, number, hinted, len(stack), anchor)
                mode, take = KEYED, frame.take
                wire.offset = offset
                complete = frame.before(self)
                offset = wire.offset

            # Any other value: one that is complete now, one that begins, or one that is read whole.
            if complete:
                if frame is None:
                    value: Any = target
                    if mode == ITEMS:
                        value = objects[number] = tuple(items) if hinted else items
                    mode, frame, items, left, target, key, number, hinted, anchor = stack.pop()
                    if mode == OBJECT:
                        target[key] = value
                        continue
                elif frame is root:
                    wire.offset = offset
                    return
                else:
                    value = frame.close()
                    mode, frame, items, left, target, key, number, hinted, anchor = stack.pop()
                take = frame.take if mode == KEYED else items.append
            elif offset < safe and data[offset] == BEGIN_OBJECT and len(stack) < max_depth:
                stack.append((mode, frame, items, left, target, key, number, hinted, anchor))
                frame, mode, left, anchor, target = None, OBJECT, 0, len(stack), {}
                objects.append(target)
                offset += 1
                continue
            elif (
                offset < safe
                and data[offset] == BEGIN_DENSE_ARRAY
                and data[offset + 1] <= ROOM
                and len(stack) < max_depth
            ):
                stack.append((mode, frame, items, left, target, key, number, hinted, anchor))
                frame, mode, anchor, items, left = None, ITEMS, len(stack), [], data[offset + 1]
                take, number, hinted = items.append, len(objects), False
                objects.append(anchor)
                offset += 2
                continue
            else:
                wire.offset = offset
                tag, padded = self._next_tag()
                begins = tag in (BEGIN_OBJECT, BEGIN_DENSE_ARRAY) or tag in CONTAINERS
                holey = tag == tags.HOLE and mode == ITEMS and frame is not root
                if begins or (tag not in methods and not holey):  # an embedder reads it, and may read on
                    stack.append((mode, frame, items, left, target, key, number, hinted, anchor))
                if begins:
                    depth = len(stack)
                    if depth > max_depth:
                        raise DecodeError(f"nested more than {max_depth} deep", offset)
                    if tag == BEGIN_OBJECT:
                        frame, mode, left, anchor, target = None, OBJECT, 0, depth, {}
                        objects.append(target)
                    elif tag == BEGIN_DENSE_ARRAY:
                        frame, mode, items, left = None, ITEMS, [], self._count()
                        take, number, hinted = items.append, len(objects), padded
                        anchor = anchor if hinted else depth
                        objects.append(depth)
                    else:
                        frame, mode, left = CONTAINERS[tag](self, padded), KEYED, 0
                        frame.lie_in(depth, anchor)
                        anchor, take = frame.anchor, frame.take
                    offset = wire.offset
                    continue
                if holey:
                    value = hole
                elif tag in methods:
                    value = methods[tag](self, padded)
                    if value is undefined and mode == ITEMS and self._version < 11 and frame is not root:
                        value = hole
                else:
                    value = self._unknown(tag, padded)
                    mode, frame, items, left, target, key, number, hinted, anchor = stack.pop()
                offset = wire.offset
                if tag == tags.OBJECT_REFERENCE and type(value) is int:
                    # An array that is still open: it gets a frame, which can hear who refers to it.
                    if value == len(stack):
                        value = frame = self._array_frame(items, left + 1, number, hinted, value, anchor)
                    else:
                        value = self._frame_at(value)
                if isinstance(value, Unfinished):
                    value.referred_from(anchor)

            # What to do with it.
            if mode == OBJECT:
                if isinstance(value, Unfinished):
                    value.add_site(target.__setitem__, key)  # type: ignore[arg-type]  # it is a str
                    value = value.provisional()
                target[key] = value
            elif value is hole or isinstance(value, Unfinished):
                if frame is None:
                    frame = self._array_frame(items, left + 1, number, hinted, len(stack), anchor)
                if value is hole:
                    frame.holey = True
                    items.append(hole)
                else:
                    frame.take_unfinished(value)
            else:
                take(value)

    def _next_tag(self) -> tuple[int, bool]:
        """Read the tag of a value; also whether padding stands right before it."""
        wire = self._wire
        start = wire.offset
        tag = wire.tag()
        padded = wire.offset - 1 > start
        if tag == tags.VERIFY_OBJECT_COUNT:
            while tag == tags.VERIFY_OBJECT_COUNT:
                wire.varint()
                start = wire.offset
                tag = wire.tag()
                padded = wire.offset - 1 > start
            if tag == tags.HOLE:
                raise DecodeError(f"expected a value, not {say(tag)}", wire.offset - 1)
        return tag, padded

    def _count(self) -> int:
        """Read the length of a dense array, each of whose items takes a byte at least."""
        wire = self._wire
        start = wire.offset
        length = wire.varint()
        if length > wire.left():
            raise TruncatedError(f"an array of {length} items in {wire.left()} bytes", start)
        return length

    def _array_frame(
        self, items: list[object], more: int, number: int, hinted: bool, depth: int, anchor: int
    ) -> DenseFrame | TupleFrame:
        """Return a frame for an array that so far was a list; *more* items are still to come."""
        kind = TupleFrame if hinted else DenseFrame
        frame = kind(self._objects, number, items, len(items) + more)
        frame.lie_in(depth, anchor)
        return frame

    def _frame_at(self, depth: int) -> DenseFrame | TupleFrame:
        """The same, for an array around the one that is being read."""
        mode, _, items, left, target, key, number, hinted, anchor = self._stack[depth]
        frame = self._array_frame(items, left + 1, number, hinted, depth, anchor)
        self._stack[depth] = (mode, frame, items, left, target, key, number, hinted, anchor)
        return frame

    def _object_frame(self, target: dict[str, object], key: str) -> ObjectFrame:
        """Return a frame for an object, now that its next key is an array index."""
        frame = ObjectFrame(target)
        frame.lie_in(len(self._stack), 0)
        frame.key = key
        return frame

    def property_or_end(self, target: dict[str, object]) -> str | None:
        """Read a key that *target* does not have yet; None if the object ends."""
        if self._wire.ends(tags.END_OBJECT):
            self.check_count(len(target), "properties")
            return None
        start = self._wire.offset
        key = self.key()
        if key in target:
            raise DecodeError(f"the property {key!a} occurs twice", start)
        return key


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

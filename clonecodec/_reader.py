"""Bytes to values: V8's ValueDeserializer, the mirror of ``_writer``.

One loop (``_walk``) reads keys and the commonest scalars itself where at least ten bytes are left, and asks a
method for everything else: one for each tag, in the order of the tag table.  A method reads its value
whole, or begins a container: it puts a frame on the stack, which the loop fills until it is complete and is
itself an item of the frame below.  Nothing recurses.

Every length, count and number in here is the sender's claim.  Nothing is allocated, and nothing repeated,
on the word of a number that no bytes stand behind.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from . import _tags as tags
from ._accelerate import accelerator
from ._builders import Unfinished
from ._dates import from_milliseconds
from ._frames import (
    DenseFrame,
    ErrorFrame,
    Frame,
    FrozenSetFrame,
    MapFrame,
    ObjectFrame,
    RootFrame,
    SetFrame,
    SparseFrame,
    TupleFrame,
)
from ._keys import Keys
from ._kinds import BY_FORMAT, BY_SUBTAG, UINT8
from ._names import names, number_name, remember
from ._properties import in_order, is_index
from ._tags import (
    BEGIN_DENSE_ARRAY,
    BEGIN_OBJECT,
    DOUBLE,
    END_DENSE_ARRAY,
    END_OBJECT,
    INT32,
    ONE_BYTE_STRING,
)
from ._views import cast_view, make_view
from ._wire import WireReader, unpack_double
from .buffers import ArrayBuffer, SharedArrayBuffer
from .errors import DecodeError, TruncatedError
from .regexp import RegExp, flags_of
from .values import MAX_SAFE_INTEGER, BigInt, Boxed, Map, hole, undefined

if TYPE_CHECKING:
    from .buffers import Octets

Method: TypeAlias = "Callable[[Deserializer, bool], object]"

MAX_DEPTH: Final = 100_000  # frames on our own stack; see _writer
MAX_STRING_LENGTH: Final = 2**29 - 24  # characters; V8's own, on 64-bit machines

CONSTANTS: Final = {tags.NULL: None, tags.TRUE: True, tags.FALSE: False}

ITEMS: Final = 0
OBJECT: Final = 1
KEYED: Final = 2
"""What the container that is being filled wants next: see ``_walk``."""

HINTED: Final = 7
"""Where the state of a suspended container says whether it is to be a tuple."""


class Deserializer:
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

    @property
    def offset(self) -> int:
        """Where the next byte is read."""
        return self._wire.offset

    def read_header(self) -> None:
        """Read ``FF`` and the version.

        Raises:
            DecodeError: there is no header, or of a version that is not read.
        """
        wire = self._wire
        if wire.has(wire.offset + 1) and wire.data[wire.offset] == tags.VERSION:
            wire.offset += 1
            self._version = wire.varint()
            if self._version > tags.LATEST_VERSION:
                raise DecodeError(f"version {self._version} is newer than the newest known, 16", 1)
            if self._version < 13 and not self._legacy:
                raise DecodeError(f"version {self._version} is read with legacy=True only", 1)
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

    def read_uint8(self) -> int:
        """Read a varint of 8 bits.  TruncatedError if the data ends."""
        return self._wire.uint8()

    def read_double(self) -> float:
        """Read 8 bytes.  TruncatedError if the data ends."""
        return self._wire.double()

    def read_raw_bytes(self, length: int) -> bytes:
        """Read *length* bytes.  TruncatedError if there are fewer; ValueError if *length* is negative."""
        if length < 0:
            raise ValueError(f"{length} bytes cannot be read")
        return bytes(self._wire.raw(length))

    # What an embedder may override

    def read_host_object(self) -> Any:
        """Read what ``write_host_object`` wrote, and return the object: override this.

        It may read values; they take numbers after the host object's own.
        """
        raise DecodeError("a host object, which only its embedder can read", self._wire.offset)

    def get_shared_array_buffer(self, id: int) -> ArrayBuffer | SharedArrayBuffer:
        """Return the shared buffer *id*: override this, or call ``transfer_array_buffer`` before."""
        return self._transfer(id, "SharedArrayBuffer")

    def get_wasm_module(self, id: int) -> Any:
        """Return the WebAssembly module *id*: override this."""
        raise DecodeError(
            f"a WebAssembly module, number {id}, which only its embedder has", self._wire.offset
        )

    def get_shared_object(self, id: int) -> Any:
        """Return the shared object (of V8's shared heap) *id*: override this."""
        raise DecodeError(f"a shared object, number {id}, which only its embedder has", self._wire.offset)

    def _transfer(self, id: int, kind: str) -> ArrayBuffer | SharedArrayBuffer:
        buffer = self._transferred.get(id)
        if buffer is None:
            raise DecodeError(f"a transferred {kind}, number {id}, which was not supplied", self._wire.offset)
        return buffer

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
        # Up to here, the longest scalar fits in what is left.
        safe = len(data) - 10 if isinstance(data, bytes) else 0
        name_of, offset, max_depth = names.get, wire.offset, self._max_depth
        methods = _METHODS if self._version >= 15 else _METHODS_BEFORE_15
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
                    if name is None or name in target or stop >= safe:
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
                and data[offset + 1] <= min(safe - offset, 0x7F)
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
                begins = tag in (BEGIN_OBJECT, BEGIN_DENSE_ARRAY) or tag in _CONTAINERS
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
                        frame, mode, left = _CONTAINERS[tag](self, padded), KEYED, 0
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
                raise DecodeError(f"expected a value, not {_say(tag)}", wire.offset - 1)
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

    def ends(self, end: int) -> bool:
        """Whether the tag *end* comes next; if so, read it."""
        return self._wire.ends(end)

    def check_count(self, actual: int, what: str) -> None:
        """Read a number at the end of a container, which must be *actual*."""
        start = self._wire.offset
        claimed = self._wire.varint()
        if claimed != actual & 0xFFFF_FFFF:
            raise DecodeError(f"{actual} {what} close with the count {claimed}", start)

    def key(self) -> str:
        """Read a property key: text or a number."""
        wire = self._wire
        tag = wire.tag()
        start = wire.offset - 1
        while tag == tags.VERIFY_OBJECT_COUNT:
            wire.varint()
            tag = wire.tag()
            start = wire.offset - 1
        if tag == ONE_BYTE_STRING:
            octets = wire.raw(wire.varint())
            name = str(octets, "latin-1")
            remember(name)
            return name
        method = _KEY_METHODS.get(tag)
        if method is None:
            raise DecodeError(f"a property key is a string or a number, not {_say(tag)}", start)
        value: Any = method(self, False)
        return value if isinstance(value, str) else number_name(value)

    def string(self) -> str:
        """Read a string that is part of something: a value, or before version 12 bare UTF-8."""
        if self._version < 12:
            return self._utf8_string(False)
        wire = self._wire
        tag = wire.tag()
        while tag == tags.VERIFY_OBJECT_COUNT:
            wire.varint()
            tag = wire.tag()
        method = _STRING_METHODS.get(tag)
        if method is None:
            raise DecodeError(f"expected a string, not {_say(tag)}", wire.offset - 1)
        text = method(self, False)
        assert isinstance(text, str)
        return text

    def _unknown(self, tag: int, padded: bool) -> object:
        """A host object, or nothing that V8 knows; before version 13, host objects had no tag."""
        wire = self._wire
        if tag != tags.HOST_OBJECT:
            if self._version >= 13:
                raise DecodeError(f"expected a value, not {_say(tag)}", wire.offset - 1)
            wire.offset -= 1
        self._objects.append(_NOT_YET)
        number = len(self._objects) - 1
        self._hinted = padded
        value = self._objects[number] = self.read_host_object()
        return value

    # Primitives, which have no number

    def _undefined(self, hinted: bool) -> object:
        return undefined

    def _null(self, hinted: bool) -> None:
        return None

    def _true(self, hinted: bool) -> bool:
        return True

    def _false(self, hinted: bool) -> bool:
        return False

    def _int32(self, hinted: bool) -> int:
        return self._wire.zigzag()

    def _uint32(self, hinted: bool) -> int:
        return self._wire.varint()

    def _double(self, hinted: bool) -> int | float:
        number = self._wire.double()
        if hinted and number.is_integer() and abs(number) <= MAX_SAFE_INTEGER:
            return int(number)
        return number

    def _big_int(self, hinted: bool) -> int:
        number = self._wire.big_int()
        return BigInt(number) if abs(number) <= MAX_SAFE_INTEGER else number

    def _utf8_string(self, hinted: bool) -> str:
        return str(self._characters(1), "utf-8", "replace")

    def _one_byte_string(self, hinted: bool) -> str:
        return str(self._characters(1), "latin-1")

    def _two_byte_string(self, hinted: bool) -> str:
        return str(self._characters(2), "utf-16-le", "surrogatepass")

    def _characters(self, width: int) -> bytes | memoryview:
        wire = self._wire
        start = wire.offset
        length = wire.varint()
        if length % width:
            raise DecodeError(f"a two-byte string of {length} bytes", start)
        if length // width > MAX_STRING_LENGTH:
            raise DecodeError(f"{length // width} characters are more than JavaScript's strings have", start)
        return wire.raw(length)

    # Objects

    def _reference(self, hinted: bool) -> object:
        start = self._wire.offset
        number = self._wire.varint()
        if number >= len(self._objects):
            raise DecodeError(f"reference to object {number}, not yet begun", start)
        value = self._objects[number]
        if value is _NOT_YET:
            raise DecodeError(f"reference to object {number}, not yet there", start)
        if number < self._floor and self._hidden(value):
            raise DecodeError(f"reference to object {number}, which its embedder would see unfinished", start)
        if isinstance(value, _Octets):
            value = self._objects[number] = ArrayBuffer(value.octets)
        if isinstance(value, (ArrayBuffer, SharedArrayBuffer)):
            return self._view_or(value, False)
        return value

    def _hidden(self, value: object) -> bool:
        """Whether *value*, from the table of objects, is a container that nothing can stand for yet."""
        if type(value) is int:  # an array that is open
            return bool(self._stack[value][HINTED])
        return isinstance(value, Unfinished) and value.provisional() is None

    def _sparse_array(self, hinted: bool) -> Frame:
        return SparseFrame(self._objects, self._next_number(), self._wire.varint())

    def _map(self, hinted: bool) -> Frame:
        frame = MapFrame()
        self._objects.append(frame.target)
        return frame

    def _set(self, hinted: bool) -> Frame:
        if hinted:
            return FrozenSetFrame(self._objects, self._next_number())
        frame = SetFrame()
        self._objects.append(frame.target)
        return frame

    def _error(self, hinted: bool) -> Frame:
        return ErrorFrame(self._objects, self._next_number())

    def _next_number(self) -> int:
        """Give the object that begins here its number, before what is inside it."""
        self._objects.append(_NOT_YET)
        return len(self._objects) - 1

    def _numbered(self, value: object) -> object:
        self._objects.append(value)
        return value

    def _date(self, hinted: bool) -> object:
        return self._numbered(from_milliseconds(self._wire.double()))

    def _true_object(self, hinted: bool) -> object:
        return self._numbered(Boxed(True))

    def _false_object(self, hinted: bool) -> object:
        return self._numbered(Boxed(False))

    def _number_object(self, hinted: bool) -> object:
        return self._numbered(Boxed(self._wire.double()))

    def _big_int_object(self, hinted: bool) -> object:
        return self._numbered(Boxed(self._big_int(False)))

    def _string_object(self, hinted: bool) -> object:
        return self._numbered(Boxed(self.string()))

    def _regexp(self, hinted: bool) -> object:
        source = self.string()
        start = self._wire.offset
        bits = self._wire.varint()
        try:
            flags = flags_of(bits)
        except ValueError as error:
            raise DecodeError(str(error), start) from None
        return self._numbered(RegExp(source, flags))

    # Buffers, and the view that may follow one

    def _array_buffer(self, hinted: bool) -> object:
        octets = self._wire.raw(self._wire.uint64())
        if hinted or self._zero_copy:
            view = self._view_of_bytes(octets, hinted)
            if view is not None:
                return view
        return self._view_or(ArrayBuffer(octets), True)

    def _resizable_array_buffer(self, hinted: bool) -> object:
        wire = self._wire
        length = wire.uint64()
        start = wire.offset
        maximum = wire.uint64()
        if length > maximum:
            raise DecodeError(f"a resizable buffer of {length} bytes and {maximum} at most", start)
        return self._view_or(ArrayBuffer(wire.raw(length), max_byte_length=maximum), True)

    def _transferred_array_buffer(self, hinted: bool) -> object:
        return self._view_or(self._transfer(self._wire.varint(), "ArrayBuffer"), True)

    def _shared_array_buffer(self, hinted: bool) -> object:
        return self._view_or(self.get_shared_array_buffer(self._wire.varint()), True)

    def _view_or(self, buffer: ArrayBuffer | SharedArrayBuffer, new: bool) -> object:
        """Return *buffer*, or the view on it if one follows."""
        if new:
            self._objects.append(buffer)
        if not self._view_follows():
            return buffer
        wire = self._wire
        start = wire.offset
        resizable = isinstance(buffer, ArrayBuffer) and buffer.resizable
        subtag, offset, length, flags = self._view_header()
        kind = BY_SUBTAG.get(subtag)
        if kind is None:
            raise DecodeError(f"unknown kind of view, 0x{subtag:02x}", start)
        if offset > buffer.byte_length or length > buffer.byte_length - offset:
            raise DecodeError(
                f"a view of {length} bytes from {offset} on, in a buffer of {buffer.byte_length} bytes", start
            )
        if offset % kind.size or length % kind.size:
            raise DecodeError(f"a view from {offset} on of {length} bytes, in elements of {kind.size}", start)
        tracking = bool(flags & tags.VIEW_TRACKS_LENGTH)
        if bool(flags & tags.VIEW_BUFFER_RESIZABLE) != resizable or (tracking and not resizable):
            what = "resizable" if resizable else "fixed"
            raise DecodeError(f"a view with flags {flags} on a {what} buffer", start)
        if tracking:
            length = (buffer.byte_length - offset) // kind.size * kind.size
        return self._numbered(make_view(kind, buffer, offset, length, tracking))

    def _view_follows(self) -> bool:
        # Behind a value that ends here, and where looking could wait for ever, nothing is looked for.
        if self._wire.blind and not self._stack:
            return False
        return self._wire.ends(tags.ARRAY_BUFFER_VIEW)

    def _view_header(self) -> tuple[int, int, int, int]:
        wire = self._wire
        subtag, offset, length = wire.uint8(), wire.uint64(), wire.uint64()
        if self._version >= 14 or (self._version == 13 and self._flags_in_13):
            return subtag, offset, length, wire.varint()
        looking = not wire.blind or bool(self._stack)
        if looking and wire.has(wire.offset + 1) and wire.data[wire.offset] == tags.PADDING:
            wire.offset += 1  # flags of 0 that should not be there; never a hint
        return subtag, offset, length, 0

    def _view_of_bytes(self, octets: bytes | memoryview, hinted: bool) -> object | None:
        """Read a view over the whole of a buffer without making the buffer; None if no such view follows."""
        wire = self._wire
        start = wire.offset
        if not self._view_follows():
            return None
        subtag, offset, length, flags = self._view_header()
        kind = BY_SUBTAG.get(subtag)
        plain = kind is not None and BY_FORMAT.get(kind.format) is kind and not flags
        if kind is None or not plain or (hinted and kind is not UINT8 and not self._zero_copy):
            wire.offset = start
            return None
        if offset or length != len(octets) or length % kind.size:
            wire.offset = start
            return None
        self._objects.append(_Octets(octets))
        if self._zero_copy:
            octets = self._source[start - length : start]
        view = memoryview(octets)
        return self._numbered(cast_view(view.toreadonly() if hinted else view, kind.format))

    # What only an embedder has

    def _shared_object(self, hinted: bool) -> object:
        return self.get_shared_object(self._wire.varint())

    def _wasm_module(self, hinted: bool) -> object:
        return self._numbered(self.get_wasm_module(self._wire.varint()))

    def _wasm_memory(self, hinted: bool) -> object:
        raise DecodeError("a WebAssembly memory, which Python has not", self._wire.offset - 1)


_NOT_YET: Final = object()
"""In the table of objects: one that has begun, but that nothing can refer to yet."""


class _Octets:
    """In the table of objects: a buffer that nobody has asked for, only for the view on it."""

    __slots__ = ("octets",)

    def __init__(self, octets: bytes | memoryview) -> None:
        self.octets = octets


def _octets_of(data: Octets) -> memoryview:
    view = memoryview(data)
    if not view.c_contiguous:
        return memoryview(view.tobytes())
    return view.cast("B") if view.nbytes else view


def _say(tag: int) -> str:
    name = tags.NAMES.get(tag)
    return f"tag 0x{tag:02x}" if name is None else f"0x{tag:02x} ({name})"


_METHODS: Final[dict[int, Method]] = {
    tags.UNDEFINED: Deserializer._undefined,
    tags.NULL: Deserializer._null,
    tags.TRUE: Deserializer._true,
    tags.FALSE: Deserializer._false,
    tags.INT32: Deserializer._int32,
    tags.UINT32: Deserializer._uint32,
    tags.DOUBLE: Deserializer._double,
    tags.BIG_INT: Deserializer._big_int,
    tags.UTF8_STRING: Deserializer._utf8_string,
    tags.ONE_BYTE_STRING: Deserializer._one_byte_string,
    tags.TWO_BYTE_STRING: Deserializer._two_byte_string,
    tags.OBJECT_REFERENCE: Deserializer._reference,
    tags.DATE: Deserializer._date,
    tags.TRUE_OBJECT: Deserializer._true_object,
    tags.FALSE_OBJECT: Deserializer._false_object,
    tags.NUMBER_OBJECT: Deserializer._number_object,
    tags.BIG_INT_OBJECT: Deserializer._big_int_object,
    tags.STRING_OBJECT: Deserializer._string_object,
    tags.REGEXP: Deserializer._regexp,
    tags.ARRAY_BUFFER: Deserializer._array_buffer,
    tags.RESIZABLE_ARRAY_BUFFER: Deserializer._resizable_array_buffer,
    tags.IMMUTABLE_ARRAY_BUFFER: Deserializer._array_buffer,
    tags.ARRAY_BUFFER_TRANSFER: Deserializer._transferred_array_buffer,
    tags.SHARED_ARRAY_BUFFER: Deserializer._shared_array_buffer,
    tags.SHARED_OBJECT: Deserializer._shared_object,
    tags.WASM_MODULE_TRANSFER: Deserializer._wasm_module,
    tags.WASM_MEMORY_TRANSFER: Deserializer._wasm_memory,
}
_METHODS_BEFORE_15: Final = {tag: method for tag, method in _METHODS.items() if tag != tags.SHARED_OBJECT}

_CONTAINERS: Final[dict[int, Callable[[Deserializer, bool], Frame]]] = {
    tags.BEGIN_SPARSE_ARRAY: Deserializer._sparse_array,
    tags.BEGIN_MAP: Deserializer._map,
    tags.BEGIN_SET: Deserializer._set,
    tags.ERROR: Deserializer._error,
}
"""Containers of which each has a frame; objects and dense arrays are begun by the loop itself."""

_STRING_TAGS: Final = (tags.UTF8_STRING, tags.ONE_BYTE_STRING, tags.TWO_BYTE_STRING)
_STRING_METHODS: Final = {tag: _METHODS[tag] for tag in _STRING_TAGS}
_KEY_METHODS: Final = {tag: _METHODS[tag] for tag in (tags.INT32, tags.UINT32, tags.DOUBLE, *_STRING_TAGS)}

LEAVES: Final[dict[int, Method]] = {
    tag: _METHODS[tag]
    for tag in (
        tags.BIG_INT,
        tags.UTF8_STRING,
        tags.OBJECT_REFERENCE,
        tags.DATE,
        tags.TRUE_OBJECT,
        tags.FALSE_OBJECT,
        tags.NUMBER_OBJECT,
        tags.BIG_INT_OBJECT,
        tags.STRING_OBJECT,
        tags.REGEXP,
        tags.ARRAY_BUFFER,
        tags.RESIZABLE_ARRAY_BUFFER,
        tags.IMMUTABLE_ARRAY_BUFFER,
        tags.ARRAY_BUFFER_TRANSFER,
    )
}
"""What the loop in C asks for a single value: methods that call nothing that a subclass may override."""

if accelerator is not None:
    accelerator.know(
        not_yet=_NOT_YET,
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

"""Bytes to values: V8's ValueDeserializer, the mirror of ``_writer``.

One loop (``_walk``) reads keys and the commonest scalars itself where at least ten bytes are left, and asks a
method for everything else: one for each tag, in the order of the tag table.  A method reads its value
whole, or begins a container: it puts a frame on the stack, which the loop fills until it is complete and is
itself an item of the frame below.  Nothing recurses.

Every length, count and number in here is the sender's claim.  Nothing is allocated, and nothing repeated,
on the word of a number that no bytes stand behind.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from . import _tags as tags
from ._builders import Unfinished
from ._dates import from_milliseconds
from ._frames import (
    ITEMS,
    KEYED,
    OBJECT,
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
from ._kinds import BY_FORMAT, BY_SUBTAG, UINT8
from ._names import names, number_name, remember
from ._tags import DOUBLE, INT32, NULL, ONE_BYTE_STRING
from ._views import cast_view, make_view
from ._wire import WireReader, unpack_double
from .buffers import ArrayBuffer, SharedArrayBuffer
from .errors import DecodeError, TruncatedError
from .regexp import RegExp, flags_of
from .values import MAX_SAFE_INTEGER, BigInt, Boxed, hole, undefined

if TYPE_CHECKING:
    from .buffers import Octets

Method: TypeAlias = "Callable[[Deserializer, bool], object]"

MAX_DEPTH: Final = 100_000  # frames on our own stack; see _writer
MAX_STRING_LENGTH: Final = 2**29 - 24  # characters; V8's own, on 64-bit machines

GENERIC: Final = object()
"""Of the loop: the value is none of those that it reads itself."""

FRAME: Final = object()
"""Of a method: the value is a container, whose frame is now on the stack."""


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
        self._stack: list[Frame] = []
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
        stack = self._stack
        base, floor = len(stack), self._floor
        root = RootFrame()
        if base:  # called by an embedder that is reading a host object
            root.lie_in(stack[-1])
            self._floor = len(self._objects)
        stack.append(root)
        try:
            self._walk(root)
        finally:
            del stack[base:]
            self._floor = floor
        return root.items[0]

    def _walk(self, root: RootFrame) -> None:
        """Read the value of *root* and all that is inside."""
        wire, stack = self._wire, self._stack
        data: Any = wire.data
        size = len(data)
        safe = size - 10  # up to here, the longest scalar fits in what is left
        name_of, offset = names.get, wire.offset
        frame: Any = root
        mode, left, take = frame.mode, frame.left, frame.items.append
        target: dict[str, object] = {}
        key: str | None = None
        while True:
            # What comes before the value: nothing, a key, or the end of the container.
            complete = False
            if mode == OBJECT:
                key = None
                if offset < safe and data[offset] == ONE_BYTE_STRING and data[offset + 1] < 0x80:
                    stop = offset + 2 + data[offset + 1]
                    if stop <= size:
                        key = name_of(data[offset + 2 : stop])
                if key is None or key in target:
                    wire.offset = offset
                    complete = frame.before(self)
                    offset = wire.offset
                    key = frame.key
                else:
                    offset = stop
            elif mode == ITEMS and left:
                left -= 1
            else:
                if mode == ITEMS:
                    frame.mode = mode = KEYED
                    take = frame.take
                wire.offset = offset
                complete = frame.before(self)
                offset = wire.offset

            # The value.
            value: Any = GENERIC
            if complete:
                stack.pop()
                if frame is root:
                    return
                value = frame.close()
                frame = stack[-1]
                mode, left = frame.mode, frame.left
                if mode == OBJECT:
                    target, key = frame.target, frame.key
                else:
                    take = frame.items.append if mode == ITEMS else frame.take
            elif offset < safe:
                tag = data[offset]
                if tag == ONE_BYTE_STRING:
                    stop = offset + 2 + data[offset + 1]
                    if data[offset + 1] < 0x80 and stop <= size:
                        value = str(data[offset + 2 : stop], "latin-1")
                        offset = stop
                elif tag == INT32:
                    number = data[offset + 1]
                    if number < 0x80:
                        value = (number >> 1) ^ -(number & 1)
                        offset += 2
                    elif data[offset + 2] < 0x80:
                        number = number & 0x7F | data[offset + 2] << 7
                        value = (number >> 1) ^ -(number & 1)
                        offset += 3
                elif tag == DOUBLE:
                    value = unpack_double(data, offset + 1)[0]
                    offset += 9
                elif tag == NULL:
                    value = None
                    offset += 1
            if value is GENERIC:
                wire.offset = offset
                value = self._value()
                offset = wire.offset
                if value is FRAME:
                    if mode == OBJECT:
                        frame.key = key
                    elif mode == ITEMS:
                        frame.left = left
                    frame = stack[-1]
                    mode, left = frame.mode, frame.left
                    if mode == OBJECT:
                        target = frame.target
                    else:
                        take = frame.items.append if mode == ITEMS else frame.take
                    continue

            # What to do with it.
            if isinstance(value, Unfinished):
                if mode == OBJECT:
                    frame.key = key
                frame.take_unfinished(value)
            elif mode == OBJECT:
                target[key] = value  # type: ignore[index]  # it is set in this mode
            else:
                take(value)

    def _value(self) -> object:
        """Read one value of any kind, or begin the frame of a container and return FRAME."""
        wire = self._wire
        start = wire.offset
        tag = wire.tag()
        if tag == tags.HOLE:
            return self._hole()
        hinted = wire.offset - 1 > start
        while tag == tags.VERIFY_OBJECT_COUNT:
            wire.varint()
            start = wire.offset
            tag = wire.tag()
            hinted = wire.offset - 1 > start
        method = _METHODS.get(tag)
        if method is None:
            return self._unknown(tag)
        return method(self, hinted)

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
            remember(octets, name)
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

    def _unknown(self, tag: int) -> object:
        wire = self._wire
        if self._version < 13:
            # Before version 13 host objects had no tag: what V8 did not know was for its embedder to read.
            wire.offset -= 1
            return self._host_object(False)
        raise DecodeError(f"expected a value, not {_say(tag)}", wire.offset - 1)

    def _next_number(self) -> int:
        """Give the object that begins here its number, before what is inside it."""
        self._objects.append(_NOT_YET)
        return len(self._objects) - 1

    def _placer(self) -> Callable[[object], None]:
        return partial(self._objects.__setitem__, self._next_number())

    def _enter(self, frame: Frame, value: object) -> object:
        """Begin a container: *value* is what references to it mean from now on."""
        stack = self._stack
        if len(stack) > self._max_depth:
            raise DecodeError(f"nested more than {self._max_depth} deep", self._wire.offset - 1)
        frame.lie_in(stack[-1])
        self._objects[-1] = value
        stack.append(frame)
        return FRAME

    # Primitives, which have no number

    def _hole(self) -> object:
        frame = self._stack[-1]
        if isinstance(frame, (DenseFrame, TupleFrame)) and frame.mode == ITEMS:
            frame.holey = True
            return hole
        return self._unknown(tags.HOLE)

    def _undefined(self, hinted: bool) -> object:
        frame = self._stack[-1]
        if self._version < 11 and isinstance(frame, (DenseFrame, TupleFrame)) and frame.mode == ITEMS:
            return self._hole()
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
        if isinstance(value, Unfinished):
            value.referred_from(self._stack[-1])
            if number < self._floor and value.provisional() is None:
                raise DecodeError(
                    f"reference to object {number}, which its embedder would see unfinished", start
                )
        elif isinstance(value, _Octets):
            value = self._objects[number] = ArrayBuffer(value.octets)
        if isinstance(value, (ArrayBuffer, SharedArrayBuffer)):
            return self._view_or(value, False)
        return value

    def _object(self, hinted: bool) -> object:
        self._next_number()
        frame = ObjectFrame()
        return self._enter(frame, frame.target)

    def _dense_array(self, hinted: bool) -> object:
        wire = self._wire
        start = wire.offset
        length = wire.varint()
        left = wire.left()
        if length > left:  # each item takes a byte at least
            raise TruncatedError(f"an array of {length} items in {left} bytes", start)
        place = self._placer()
        frame = TupleFrame(place, length) if hinted else DenseFrame(place, length)
        return self._enter(frame, frame)

    def _sparse_array(self, hinted: bool) -> object:
        length = self._wire.varint()
        frame = SparseFrame(self._placer(), length)
        return self._enter(frame, frame)

    def _map(self, hinted: bool) -> object:
        self._next_number()
        frame = MapFrame()
        return self._enter(frame, frame.target)

    def _set(self, hinted: bool) -> object:
        if hinted:
            frozen = FrozenSetFrame(self._placer())
            return self._enter(frozen, frozen)
        self._next_number()
        frame = SetFrame()
        return self._enter(frame, frame.target)

    def _error(self, hinted: bool) -> object:
        frame = ErrorFrame(self._placer())
        return self._enter(frame, frame)

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
        try:
            flags = flags_of(self._wire.varint())
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
        if self._wire.blind and len(self._stack) == 1:
            return False
        return self._wire.ends(tags.ARRAY_BUFFER_VIEW)

    def _view_header(self) -> tuple[int, int, int, int]:
        wire = self._wire
        subtag, offset, length = wire.uint8(), wire.uint64(), wire.uint64()
        if self._version >= 14 or (self._version == 13 and self._flags_in_13):
            return subtag, offset, length, wire.varint()
        looking = not wire.blind or len(self._stack) > 1
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

    def _host_object(self, hinted: bool) -> object:
        number = self._next_number()
        self._hinted = hinted
        value = self._objects[number] = self.read_host_object()
        return value

    def _shared_object(self, hinted: bool) -> object:
        if self._version < 15:
            return self._unknown(tags.SHARED_OBJECT)
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
    tags.BEGIN_OBJECT: Deserializer._object,
    tags.BEGIN_DENSE_ARRAY: Deserializer._dense_array,
    tags.BEGIN_SPARSE_ARRAY: Deserializer._sparse_array,
    tags.DATE: Deserializer._date,
    tags.TRUE_OBJECT: Deserializer._true_object,
    tags.FALSE_OBJECT: Deserializer._false_object,
    tags.NUMBER_OBJECT: Deserializer._number_object,
    tags.BIG_INT_OBJECT: Deserializer._big_int_object,
    tags.STRING_OBJECT: Deserializer._string_object,
    tags.REGEXP: Deserializer._regexp,
    tags.BEGIN_MAP: Deserializer._map,
    tags.BEGIN_SET: Deserializer._set,
    tags.ARRAY_BUFFER: Deserializer._array_buffer,
    tags.RESIZABLE_ARRAY_BUFFER: Deserializer._resizable_array_buffer,
    tags.IMMUTABLE_ARRAY_BUFFER: Deserializer._array_buffer,
    tags.ARRAY_BUFFER_TRANSFER: Deserializer._transferred_array_buffer,
    tags.SHARED_ARRAY_BUFFER: Deserializer._shared_array_buffer,
    tags.ERROR: Deserializer._error,
    tags.HOST_OBJECT: Deserializer._host_object,
    tags.SHARED_OBJECT: Deserializer._shared_object,
    tags.WASM_MODULE_TRANSFER: Deserializer._wasm_module,
    tags.WASM_MEMORY_TRANSFER: Deserializer._wasm_memory,
}
_STRING_TAGS: Final = (tags.UTF8_STRING, tags.ONE_BYTE_STRING, tags.TWO_BYTE_STRING)
_STRING_METHODS: Final = {tag: _METHODS[tag] for tag in _STRING_TAGS}
_KEY_METHODS: Final = {tag: _METHODS[tag] for tag in (tags.INT32, tags.UINT32, tags.DOUBLE, *_STRING_TAGS)}

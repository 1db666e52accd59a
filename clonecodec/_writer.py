"""Values to bytes: V8's ValueSerializer.

One loop (``_walk``) writes the scalars itself, since there are so many, and asks a method for everything
else: one for each line of the value table, in its order.  A method writes its value whole, or begins a
container and returns a frame of what is inside; the loop goes down into it and comes back.  Nothing
recurses.

    frame = (iterator, end, layout, items, start)

the items left to write; the bytes that close the container; what its items are, for the path of an error; all
of them; and, of a list, where its bytes and numbers began (see ``_hole``).

Every object that V8 numbers gets a number here, in V8's order: see ``_begin``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from . import _tags as tags
from ._accelerate import accelerator
from ._dates import to_milliseconds
from ._instances import attributes_of, refusal
from ._paths import ERROR, MAP, OBJECT, SET, SPARSE, TRANSPARENT, Layout, inside
from ._properties import check_array_properties, check_indices, codes, index_key, property_list
from ._rows import PRIMITIVE_ROWS, row_of
from ._views import view_on
from ._wire import NAN, big_int, double, pack_double, varint
from .buffers import ArrayBuffer, SharedArrayBuffer
from .errors import DataCloneError
from .jserrors import cause_of, message_of, name_of, stack_of
from .regexp import RegExp, bits_of, from_pattern
from .transfer import Transferable
from .values import (
    MAX_SAFE_INTEGER,
    Array,
    BigInt,
    Boxed,
    ByIdentity,
    Date,
    Hole,
    Map,
    SparseArray,
    Undefined,
    hole,
    undefined,
)
from .views import DataView, Float16Array, Uint8ClampedArray

if TYPE_CHECKING:
    import re

    from ._accelerator import Writer
    from .buffers import Octets

Frame: TypeAlias = "tuple[Iterator[object], bytes, Layout, Sequence[object], tuple[int, int] | None]"
Method: TypeAlias = "Callable[[Serializer, Any], Frame | None]"

MAX_DEPTH: Final = 100_000  # containers within containers; each costs a frame of about 100 bytes

SMALL: Final = 256
_INT_CODES: Final = [
    bytes((tags.INT32,)) + varint((number << 1) ^ (number >> 31))
    for number in chain(range(SMALL), range(-SMALL, 0))
]
"""The code of a small int, which is also its index: negative ones count from the end."""

_TEXT_BEGINS: Final = [bytes((tags.ONE_BYTE_STRING, length)) for length in range(0x80)]
_PROTOTYPES: Final = {name: bytes((tag,)) for tag, name in tags.ERROR_PROTOTYPES.items()}


class Serializer:
    """Writes values in V8's wire format; a subclass may say what V8's embedder may (Node: ``v8.Serializer``).

    Args:
        hints: mark Python's own kinds (int beyond 32 bits, tuple, frozenset) with a padding byte, which
            JavaScript skips, so that they come back as themselves.
        version: of the wire format, 13 to 16.
        max_depth: how many containers may lie within each other.

    Views are written with their buffer, as V8 itself writes them; ``DefaultSerializer`` writes them as Node's
    ``v8.serialize`` does.

    >>> serializer = Serializer()
    >>> serializer.write_header()
    >>> serializer.write_value([1, 2])
    >>> serializer.release_buffer().hex(" ")
    'ff 0f 41 02 49 02 49 04 24 00 02'
    """

    treat_array_buffer_views_as_host_objects: bool = False
    """Hand every view, bytes and bytearray among them, to ``write_host_object``."""

    mark_read_only_bytes: bool = False
    """Write ``bytes`` with a hint, by which a Deserializer makes a read-only memoryview of them."""

    _hint_bytearrays: bool = False

    def __init__(
        self, *, hints: bool = True, version: int = tags.WRITTEN_VERSION, max_depth: int = MAX_DEPTH
    ) -> None:
        if not 13 <= version <= tags.LATEST_VERSION:
            raise ValueError(f"version {version} is not written; 13 to {tags.LATEST_VERSION} are")
        self._version = version
        # Below version 14 one padding byte after a view would be taken for a stray byte of flags.
        self._hint = (b"\0" if version >= 14 else b"\0\0") if hints else b""
        self._max_depth = max_depth
        self._out = bytearray()
        self._ids: dict[int, int] = {}
        self._objects: list[object] = []  # by number; held, so that no id is used again
        self._transferred: dict[int, tuple[int, ArrayBuffer]] = {}
        self._methods: dict[type, Method] = {}
        self._stack: list[Frame] = []
        self._holey: dict[int, object] = {}  # lists known to have holes, by id
        self._core: Writer | None = None  # does the walking in C; and holds the bytes and the numbers
        if accelerator is not None:
            self._core, self._out, self._ids, self._objects = accelerator.writer(
                len(self._hint), version, max_depth
            )

    # What an embedder calls

    def write_header(self) -> None:
        """Write ``FF`` and the version."""
        self._out += bytes((tags.VERSION, self._version))

    def write_value(self, value: object) -> None:
        """Write *value*.  Several values may be written; they share the numbers of objects.

        Raises:
            DataCloneError: it cannot be cloned, or is nested too deeply; ``.path`` says where.
        """
        self._run(value)

    def release_buffer(self) -> bytes:
        """Return what has been written since the last call."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def transfer_array_buffer(self, id: int, buffer: ArrayBuffer) -> None:
        """Write *buffer*, where it occurs, as a reference to the transferred buffer *id*.

        Raises:
            TypeError: it is no ArrayBuffer.
            ValueError: *id* is not within 32 bits.
        """
        if not isinstance(buffer, ArrayBuffer):
            raise TypeError(f"an ArrayBuffer can be transferred, not {type(buffer).__name__}")
        if not 0 <= id < 1 << 32:
            raise ValueError(f"{id} is no unsigned number of 32 bits")
        self._transferred[_identity(buffer)] = id, buffer

    def write_uint32(self, number: int) -> None:
        """Write a varint.  ValueError if it is not within 32 bits."""
        if not 0 <= number < 1 << 32:
            raise ValueError(f"{number} is no unsigned number of 32 bits")
        self._out += varint(number)

    def write_uint64(self, number: int) -> None:
        """Write a varint.  ValueError if it is not within 64 bits."""
        if not 0 <= number < 1 << 64:
            raise ValueError(f"{number} is no unsigned number of 64 bits")
        self._out += varint(number)

    def write_double(self, number: float) -> None:
        """Write 8 bytes, little-endian."""
        self._out += double(number)

    def write_raw_bytes(self, octets: Octets) -> None:
        """Write the bytes of a bytes-like object, as they are."""
        self._out += memoryview(octets).tobytes()

    # What an embedder may override

    def is_host_object(self, value: object) -> bool:
        """Whether ``write_host_object`` is to write *value*, an object that could be written without it."""
        return False

    def write_host_object(self, value: object) -> None:
        """Write what the format has no tag for: override this.  The tag of a host object has been written.

        Raises:
            Exception: what ``data_clone_error`` returns, unless it is overridden.
        """
        if isinstance(value, Transferable):
            raise self.data_clone_error(f"the {type(value).__name__} is not in the transfer list")
        raise self.data_clone_error(refusal(value).reason)

    def get_shared_array_buffer_id(self, buffer: SharedArrayBuffer) -> int:
        """Return the number by which the receiver finds *buffer*: override this."""
        raise self.data_clone_error(
            "a SharedArrayBuffer cannot be written as bytes; structured_clone and ports can share it"
        )

    def data_clone_error(self, message: str) -> Exception:
        """Return the exception to raise for a value that cannot be cloned."""
        return DataCloneError(message)

    # The loop

    def _run(self, value: object) -> None:
        if self._core is not None:
            self._core.write(self, value, type(self).is_host_object is not Serializer.is_host_object)
            return
        stack = self._stack
        base = len(stack)
        try:
            self._walk((iter((value,)), b"", TRANSPARENT, (value,), None))
        except DataCloneError as error:
            steps = [
                (layout, flat, len(flat) - items.__length_hint__() - 1)  # type: ignore[attr-defined]
                for items, _, layout, flat, _ in stack[base:]
            ]
            raise inside(error, steps) from error.__cause__
        finally:
            del stack[base:]

    def _walk(self, frame: Frame) -> None:
        """Write the items of *frame* and all that is inside."""
        out, ids, methods, stack = self._out, self._ids, self._methods, self._stack
        code_of, names, max_depth = codes.get, codes.keys(), self._max_depth
        claims = None if type(self).is_host_object is Serializer.is_host_object else self.is_host_object
        base = len(stack)
        stack.append(frame)
        items: Iterator[Any] = frame[0]
        while True:
            for item in items:
                kind = type(item)
                if kind is str:
                    code = code_of(item)
                    if code is not None:
                        out += code
                    elif len(item) < 0x80 and item.isascii():
                        out += _TEXT_BEGINS[len(item)]
                        out += item.encode()
                    else:
                        self._str(item)
                elif kind is int:
                    if -SMALL <= item < SMALL:
                        out += _INT_CODES[item]
                    else:
                        self._int(item)
                elif kind is float:
                    out += b"N"
                    out += pack_double(item) if item == item else NAN
                elif item is None:
                    out += b"0"
                elif item is True:
                    out += b"T"
                elif item is False:
                    out += b"F"
                else:
                    number = ids.get(id(item))
                    if number is not None:
                        out += b"^" + varint(number)
                        continue
                    if kind is dict and claims is None and item.keys() <= names:
                        inner: Frame | None = self._object(item, list(chain.from_iterable(item.items())))
                    else:
                        method = methods.get(kind)
                        if method is None:
                            method = methods[kind] = _METHODS[row_of(item)]
                        if claims is not None and row_of(item) not in PRIMITIVE_ROWS and claims(item):
                            method = Serializer._host_object
                        inner = method(self, item)
                    if inner is not None:
                        if len(stack) > max_depth:
                            raise DataCloneError(f"nested more than {max_depth} deep")
                        stack.append(inner)
                        break
            else:
                out += stack.pop()[1]
                if len(stack) == base:
                    return
            items = stack[-1][0]

    def _other(self, value: object) -> Frame | None:
        """Write an object, or return its frame: what ``_walk`` does with one that has no number yet."""
        method = self._methods.get(type(value))
        if method is None:
            method = self._methods[type(value)] = _METHODS[row_of(value)]
        if type(self).is_host_object is not Serializer.is_host_object:  # noqa: SIM102
            if row_of(value) not in PRIMITIVE_ROWS and self.is_host_object(value):
                method = Serializer._host_object
        return method(self, value)

    def _begin(self, value: object) -> None:
        """Give *value* the next number, before what is inside it, which may refer to it."""
        self._ids[id(value)] = len(self._objects)
        self._objects.append(value)

    # Primitives, which have no number

    def _undefined(self, value: Undefined) -> None:
        self._out.append(tags.UNDEFINED)

    def _int(self, value: int) -> None:
        out = self._out
        value = int.__index__(value)  # of a subclass, the int that it is
        if -0x8000_0000 <= value <= 0x7FFF_FFFF:
            out.append(tags.INT32)
            out += varint((value << 1) ^ (value >> 31))
        elif -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
            out += self._hint + b"N" + double(value)
        else:
            self._big_int(value)

    def _big_int(self, value: int) -> None:
        self._out += b"Z" + big_int(value)

    def _float(self, value: float) -> None:
        self._out += b"N" + double(value)

    def _str(self, value: str) -> None:
        out = self._out
        try:
            octets = str.encode(value, "latin-1")
        except UnicodeEncodeError:
            octets = str.encode(value, "utf-16-le", "surrogatepass")
            length = varint(len(octets))
            # V8 has its two-byte characters start at an even offset from the start of the buffer.
            out += b"\0c" if (len(out) + 1 + len(length)) & 1 else b"c"
            out += length
        else:
            out += b'"' + varint(len(octets))
        out += octets

    # Containers

    def _dict(self, value: dict[object, object]) -> Frame:
        flat = property_list(value if type(value) is dict else dict(value))
        if flat is None:
            return self._map(value)
        return self._object(value, flat)

    def _object(self, value: object, flat: list[object]) -> Frame:
        self._ids[id(value)] = len(self._objects)
        self._objects.append(value)
        self._out.append(tags.BEGIN_OBJECT)
        return iter(flat), b"{" + varint(len(flat) // 2), OBJECT, flat, None

    def _map(self, value: dict[object, object]) -> Frame:
        self._begin(value)
        self._out.append(tags.BEGIN_MAP)
        flat = list(chain.from_iterable(value.items()))
        if ByIdentity in map(type, value):
            flat[::2] = _unwrapped(flat[::2])
        return iter(flat), b":" + varint(len(flat)), MAP, flat, None

    def _list(self, value: list[object]) -> Frame:
        start = (len(self._out), len(self._objects))
        self._begin(value)
        flat = list(value)
        if id(value) in self._holey:
            return self._sparse(len(flat), enumerate(flat), {})
        self._out += b"A" + varint(len(flat))
        return iter(flat), b"$\0" + varint(len(flat)), len(flat), flat, start

    def _hole(self, value: Hole) -> Frame:
        """A list turns out to have a hole: V8 writes such arrays in the sparse form, from the start."""
        start = self._stack[-1][4]
        if start is None:
            raise no_item()
        flat = self._stack.pop()[3]
        offset, number = start
        for begun in self._objects[number + 1 :]:
            self._ids.pop(id(begun), None)
        del self._objects[number + 1 :]
        del self._out[offset:]
        return self._without_holes(self._objects[number], flat)

    def _without_holes(self, container: object, flat: Sequence[object]) -> Frame:
        self._holey[id(container)] = container
        return self._sparse(len(flat), enumerate(flat), {})

    def _tuple(self, value: tuple[object, ...]) -> Frame:
        self._begin(value)
        flat = tuple(value)
        self._out += self._hint + b"A" + varint(len(flat))
        return iter(flat), b"$\0" + varint(len(flat)), len(flat), flat, None

    def _array(self, value: Array) -> Frame:
        flat = list(value)
        properties = dict(value.properties)
        check_array_properties(properties)
        self._begin(value)
        if any(item is hole for item in flat):
            return self._sparse(len(flat), enumerate(flat), properties)
        length = len(flat)
        self._out += b"A" + varint(length)
        flat += property_list(cast("dict[object, object]", properties)) or ()
        return iter(flat), b"$" + varint(len(properties)) + varint(length), length, flat, None

    def _sparse_array(self, value: SparseArray) -> Frame:
        items, properties = dict(value.items), dict(value.properties)
        check_array_properties(properties)
        check_indices(items, value.length)
        self._begin(value)
        return self._sparse(value.length, sorted(items.items(), key=_first), properties)

    def _sparse(
        self, length: int, items: Iterable[tuple[int, object]], properties: dict[str, object]
    ) -> Frame:
        flat: list[object] = []
        for index, item in items:
            if item is not hole:
                flat += (index_key(index), item)
        flat += property_list(cast("dict[object, object]", properties)) or ()
        self._out += b"a" + varint(length)
        return iter(flat), b"@" + varint(len(flat) // 2) + varint(length), SPARSE, flat, None

    def _set(self, value: set[object]) -> Frame:
        self._begin(value)
        self._out.append(tags.BEGIN_SET)
        flat = list(value)
        if ByIdentity in map(type, flat):
            flat = _unwrapped(flat)
        return iter(flat), b"," + varint(len(flat)), SET, flat, None

    def _frozenset(self, value: frozenset[object]) -> Frame:
        self._out += self._hint
        return self._set(value)  # type: ignore[arg-type]  # it is only read

    def _by_identity(self, value: ByIdentity) -> Frame:
        flat = (value.value,)
        return iter(flat), b"", TRANSPARENT, flat, None

    def _instance(self, value: object) -> Frame | None:
        try:
            attributes = attributes_of(value)
        except DataCloneError:
            self._host_object(value)
            return None
        return self._object(value, property_list(attributes) or [])

    # Objects without items

    def _date(self, value: datetime) -> None:
        self._begin(value)
        self._out += b"D" + double(to_milliseconds(value))

    def _far_date(self, value: Date) -> None:
        self._begin(value)
        self._out += b"D" + double(value.milliseconds)

    def _boxed(self, value: Boxed) -> None:
        self._begin(value)
        content = value.value
        if isinstance(content, bool):
            self._out.append(tags.TRUE_OBJECT if content else tags.FALSE_OBJECT)
        elif isinstance(content, str):
            self._out.append(tags.STRING_OBJECT)
            self._str(content)
        elif isinstance(content, BigInt) or (isinstance(content, int) and abs(content) > MAX_SAFE_INTEGER):
            self._out += b"z" + big_int(content)
        else:
            self._out += b"n" + double(content)

    def _regexp(self, value: RegExp | re.Pattern[str]) -> None:
        regexp = value if isinstance(value, RegExp) else from_pattern(value)
        self._begin(value)
        self._out.append(tags.REGEXP)
        self._str(regexp.source)
        self._out += varint(bits_of(regexp.flags))

    def _error(self, error: BaseException) -> Frame:
        name, message, stack, cause = name_of(error), message_of(error), stack_of(error), cause_of(error)
        self._begin(error)
        self._out += b"r" + _PROTOTYPES.get(name, b"")
        # Message, stack, cause: the order of V8 12 and later, which every V8 reads.
        if message is not None:
            self._out.append(tags.ERROR_MESSAGE)
            self._str(message)
        if stack is not None:
            self._out.append(tags.ERROR_STACK)
            self._str(stack)
        if cause:
            self._out.append(tags.ERROR_CAUSE)
        return iter(cause), b".", ERROR, cause, None

    # Buffers and views

    def _array_buffer(self, buffer: ArrayBuffer) -> None:
        transfer = self._transferred.get(id(buffer))
        if transfer is not None:
            self._begin(buffer)
            self._out += b"t" + varint(transfer[0])
            return
        if buffer.detached:
            raise DataCloneError("the ArrayBuffer is detached and cannot be cloned")
        self._begin(buffer)
        with buffer.view() as octets:
            if buffer.resizable and self._version >= 14:
                self._out += b"~" + self._length(len(octets)) + self._length(buffer.max_byte_length)
                self._out += octets
            else:
                self._plain_buffer(octets)

    def _plain_buffer(self, octets: bytes | bytearray | memoryview) -> None:
        self._out += b"B" + self._length(len(octets))
        self._out += octets

    def _length(self, number: int) -> bytes:
        """Return the code of a length in bytes: 32 bits, 64 in version 16."""
        if number >= 1 << 32 and self._version < 16:
            raise DataCloneError(f"{number} bytes do not fit in version {self._version}, only in 16")
        return varint(number)

    def _shared_array_buffer(self, buffer: SharedArrayBuffer) -> None:
        number = self.get_shared_array_buffer_id(buffer)
        self._begin(buffer)
        self._out += b"u" + varint(number)

    def _bytes(self, value: bytes) -> None:
        if self.mark_read_only_bytes and not self.treat_array_buffer_views_as_host_objects:
            self._out += self._hint
        self._view(value)

    def _bytearray(self, value: bytearray) -> None:
        if self._hint_bytearrays:
            self._out += self._hint
        self._view(value)

    def _view(self, value: object) -> None:
        if self.treat_array_buffer_views_as_host_objects:
            self._host_object(value)
        else:
            self._native_view(value)

    def _native_view(self, value: object) -> None:
        view = view_on(value)
        buffer = view.buffer
        if buffer is None:
            self._objects.append(None)  # the number of a buffer that is no object here
            self._plain_buffer(view.octets)
        elif id(buffer) in self._ids:
            self._out += b"^" + varint(self._ids[id(buffer)])
        elif isinstance(buffer, ArrayBuffer):
            self._array_buffer(buffer)
        else:
            self._shared_array_buffer(buffer)
        self._begin(value)
        self._out += bytes((tags.ARRAY_BUFFER_VIEW, view.kind.subtag))
        # A view that tracks its buffer's length has none of its own: V8 writes 0.
        length = 0 if view.tracking and self._version >= 14 else len(view.octets)
        self._out += self._length(view.offset) + self._length(length)
        if self._version >= 14:
            resizable = isinstance(buffer, ArrayBuffer) and buffer.resizable
            self._out.append(resizable * tags.VIEW_BUFFER_RESIZABLE + view.tracking * tags.VIEW_TRACKS_LENGTH)

    # The rest

    def _host_object(self, value: object) -> None:
        self._begin(value)
        self._out.append(tags.HOST_OBJECT)
        self.write_host_object(value)


def no_item() -> DataCloneError:
    return DataCloneError("a hole is no value, only a missing item of a list")


def _identity(value: object) -> int:
    return id(value)


def _first(pair: tuple[int, object]) -> int:
    return pair[0]


def _unwrapped(keys: list[object]) -> list[object]:
    return [key.value if type(key) is ByIdentity else key for key in keys]


_METHODS: Final[dict[type, Method]] = {
    object: Serializer._instance,
    Transferable: Serializer._host_object,
    Undefined: Serializer._undefined,
    Hole: Serializer._hole,
    BigInt: Serializer._big_int,
    int: Serializer._int,
    float: Serializer._float,
    str: Serializer._str,
    dict: Serializer._dict,
    Map: Serializer._map,
    list: Serializer._list,
    tuple: Serializer._tuple,
    Array: Serializer._array,
    SparseArray: Serializer._sparse_array,
    set: Serializer._set,
    frozenset: Serializer._frozenset,
    ByIdentity: Serializer._by_identity,
    datetime: Serializer._date,
    Date: Serializer._far_date,
    Boxed: Serializer._boxed,
    RegExp: Serializer._regexp,
    BaseException: Serializer._error,
    ArrayBuffer: Serializer._array_buffer,
    SharedArrayBuffer: Serializer._shared_array_buffer,
    bytes: Serializer._bytes,
    bytearray: Serializer._bytearray,
    memoryview: Serializer._view,
    DataView: Serializer._view,
    Uint8ClampedArray: Serializer._view,
    Float16Array: Serializer._view,
}
"""One line for each row of the value table."""

if accelerator is not None:
    accelerator.know(
        Map=Map,
        BigInt=BigInt,
        ByIdentity=ByIdentity,
        hole=hole,
        undefined=undefined,
        DataCloneError=DataCloneError,
        inside=inside,
        no_item=no_item,
        OBJECT=OBJECT,
        MAP=MAP,
        SET=SET,
    )

"""The tags of V8's wire format, one line each: name, byte, character, payload.

The names are those of V8's ``SerializationTag``, ``ErrorTag`` and ``ArrayBufferViewTag``
(src/objects/value-serializer.cc).  A *value* is a tag and its payload; *uint* is a base-128 varint; a number
after a container counts its properties (pairs), but in a Map both keys and values.

Versions: 0 has no header and is read by a stack machine; 1 to 8 were Blink's own; 9 has Map and Set; 10
one-byte strings; 11 tells undefined from a hole in dense arrays; 12 writes the strings of RegExp, String
objects and errors as values; 13 has a tag for host objects; 14 flags for views; 15 shared objects; 16
lengths of 64 bits.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

VERSION: Final = 0xFF  # version:uint, only at the start
PADDING: Final = 0x00  # skipped before any tag; one of them here means "Python's flavour of this value"
VERIFY_OBJECT_COUNT: Final = 0x3F  # ?   count:uint value, the count is ignored

HOLE: Final = 0x2D  # -   only an item of a dense array
UNDEFINED: Final = 0x5F  # _
NULL: Final = 0x30  # 0
TRUE: Final = 0x54  # T
FALSE: Final = 0x46  # F
INT32: Final = 0x49  # I   zigzag:uint
UINT32: Final = 0x55  # U   uint; V8 no longer writes it
DOUBLE: Final = 0x4E  # N   8 bytes
BIG_INT: Final = 0x5A  # Z   bitfield:uint digits; sign in bit 0, byte length in the rest
UTF8_STRING: Final = 0x53  # S   length:uint bytes; V8 no longer writes it
ONE_BYTE_STRING: Final = 0x22  # "   length:uint Latin-1
TWO_BYTE_STRING: Final = 0x63  # c   length:uint UTF-16LE, the length in bytes

OBJECT_REFERENCE: Final = 0x5E  # ^   id:uint
BEGIN_OBJECT: Final = 0x6F  # o   (key value)*
END_OBJECT: Final = 0x7B  # {   properties:uint
BEGIN_DENSE_ARRAY: Final = 0x41  # A   length:uint value*length (key value)*
END_DENSE_ARRAY: Final = 0x24  # $   properties:uint length:uint
BEGIN_SPARSE_ARRAY: Final = 0x61  # a   length:uint (key value)*
END_SPARSE_ARRAY: Final = 0x40  # @   properties:uint length:uint
DATE: Final = 0x44  # D   milliseconds:double
TRUE_OBJECT: Final = 0x79  # y
FALSE_OBJECT: Final = 0x78  # x
NUMBER_OBJECT: Final = 0x6E  # n   double
BIG_INT_OBJECT: Final = 0x7A  # z   bitfield:uint digits
STRING_OBJECT: Final = 0x73  # s   value, a string
REGEXP: Final = 0x52  # R   source:value flags:uint
BEGIN_MAP: Final = 0x3B  # ;   (value value)*
END_MAP: Final = 0x3A  # :   length:uint, twice the entries
BEGIN_SET: Final = 0x27  # '   value*
END_SET: Final = 0x2C  # ,   length:uint
ARRAY_BUFFER: Final = 0x42  # B   length:uint bytes
RESIZABLE_ARRAY_BUFFER: Final = 0x7E  # ~   length:uint maximum:uint bytes
IMMUTABLE_ARRAY_BUFFER: Final = 0x43  # C   length:uint bytes; since V8 14.6
ARRAY_BUFFER_TRANSFER: Final = 0x74  # t   transfer id:uint
SHARED_ARRAY_BUFFER: Final = 0x75  # u   clone id:uint
ARRAY_BUFFER_VIEW: Final = 0x56  # V   subtag:uint8 offset:uint length:uint [flags:uint], right after a buffer
ERROR: Final = 0x72  # r   error tags, up to "."
HOST_OBJECT: Final = 0x5C  # \   whatever the embedder writes
SHARED_OBJECT: Final = 0x70  # p   id:uint
WASM_MODULE_TRANSFER: Final = 0x77  # w   transfer id:uint
WASM_MEMORY_TRANSFER: Final = 0x6D  # m   maximum pages, then a shared buffer

NAMES: Final[dict[int, str]] = {
    byte: name for name, byte in list(globals().items()) if name.isupper() and isinstance(byte, int)
}
"""Tag byte to tag name, for error messages."""

LATEST_VERSION: Final = 16  # V8 14.9, in Deno 2.9
WRITTEN_VERSION: Final = 15  # what Node 18 to 26 write, and the newest that they read

# Within an error

ERROR_PROTOTYPES: Final[dict[int, str]] = {
    0x45: "EvalError",  # E
    0x52: "RangeError",  # R
    0x46: "ReferenceError",  # F
    0x53: "SyntaxError",  # S
    0x54: "TypeError",  # T
    0x55: "URIError",  # U
}
ERROR_MESSAGE: Final = 0x6D  # m   value, a string
ERROR_CAUSE: Final = 0x63  # c   value
ERROR_STACK: Final = 0x73  # s   value, a string
ERROR_END: Final = 0x2E  # .

# Flags of a view, since version 14

VIEW_TRACKS_LENGTH: Final = 1
VIEW_BUFFER_RESIZABLE: Final = 2

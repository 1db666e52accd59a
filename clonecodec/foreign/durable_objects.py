"""Values in the storage of Cloudflare's Durable Objects, as workerd writes them.

    FF 0F value      V8's format, whose version workerd pins to 15
    value            no header: very old data, in version 13

Views are V8's own.  Host objects begin with a number; only one of them is known here:

    10 kind:uint [name] message properties     an error (compatibility flag enhanced_error_serialization);
                                               the name for kind 0 alone, then a value and an object

(workerd's jsg/ser.c++ and io/.)
"""

from __future__ import annotations

from typing import Any, Final

from clonecodec import JSError
from clonecodec.errors import DecodeError, TruncatedError
from clonecodec.foreign._nesting import Nested
from clonecodec.foreign._places import shifted
from clonecodec.jserrors import BY_NAME

HEADERLESS: Final = b"\xff\x0d"
ERROR: Final = 10
KINDS: Final = (
    "",
    "Error",
    "TypeError",
    "RangeError",
    "ReferenceError",
    "SyntaxError",
    "CompileError",
    "LinkError",
    "RuntimeError",
    "SuspendError",
    "EvalError",
    "URIError",
    "AggregateError",
    "SuppressedError",
)


class DurableObjectDeserializer(Nested):
    """Reads V8's format with workerd's host objects."""

    def read_host_object(self) -> object:
        start = self.offset
        tag = self.read_uint32()
        if tag != ERROR:
            raise DecodeError(f"unknown host object {tag} of workerd's", start)
        start = self.offset
        kind = self.read_uint32()
        if kind >= len(KINDS):
            raise DecodeError(f"unknown kind of error {kind}", start)
        name = KINDS[kind] if kind else self.read_nested()
        message = self.read_nested()
        start = self.offset
        properties = self.read_nested()
        if not isinstance(properties, dict):
            raise DecodeError("the properties of an error are not an object", start)
        return _error(str(name), message, properties)


def _error(name: str, message: object, properties: dict[Any, Any]) -> JSError:
    rest = dict(properties)
    stack = rest.pop("stack", None)
    error = BY_NAME.get(name, JSError)(
        message if isinstance(message, str) else str(message), stack=stack if isinstance(stack, str) else None
    )
    if "cause" in rest:
        error.cause = rest.pop("cause")
    if name != error.name:
        vars(error)["name"] = name
    if rest:
        vars(error)["properties"] = rest
    return error


def read_durable_object(data: bytes | bytearray | memoryview) -> Any:
    """Read one value of a Durable Object's storage.

    An error that was stored with all it has comes back as a ``JSError`` with its stack and cause; what else
    it had is in its attribute ``properties``, and a name that is none of JavaScript's own in ``name``.

    Raises:
        DecodeError: *data* is no such value; ``.offset`` counts in *data*.

    >>> read_durable_object(bytes.fromhex("ff0f 4902")), read_durable_object(bytes.fromhex("4902"))
    (1, 1)
    """
    whole = bytes(data)
    if not whole:
        raise TruncatedError("expected a value", 0)
    missing = b"" if whole[0] == HEADERLESS[0] else HEADERLESS
    with shifted(-len(missing)):
        deserializer = DurableObjectDeserializer(missing + whole)
        deserializer.read_header()
        return deserializer.read_value()

"""What Node's child_process sends with ``serialization: "advanced"``.

    message      length:4 (big-endian), then a value of V8's format, header and all
    host object  0  index:uint  length:uint  bytes      a view: Node's table of ``v8.serialize``
                 1  value                               any other native object, as a plain one

(lib/internal/child_process/serialization.js.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Protocol

from clonecodec import DefaultDeserializer
from clonecodec.errors import DecodeError, TruncatedError
from clonecodec.foreign._nesting import Nested
from clonecodec.foreign._places import shifted

VIEW: Final = 0
NATIVE_OBJECT: Final = 1
HEADER: Final = 4
PIECE: Final = 1 << 20
"""Bytes asked for at a time: a length is a claim until they are here."""


class Readable(Protocol):
    """A binary file, a pipe, ``socket.makefile("rb")``."""

    def read(self, size: int, /) -> bytes | None: ...


class NodeIPCDeserializer(Nested, DefaultDeserializer):
    """Reads one message of Node's."""

    def read_host_object(self) -> object:
        start = self.offset
        kind = self.read_uint32()
        if kind == VIEW:
            return super().read_host_object()
        if kind == NATIVE_OBJECT:
            return self.read_nested()
        raise DecodeError(f"unknown kind of host object {kind}", start)


class NodeIPCMessages(Iterator[Any]):
    """The messages in a stream, one after the other; what ``iter_node_ipc`` returns.

    Attributes:
        offset: bytes of the stream that have been read.
    """

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._lost = False
        self.offset = 0

    def __next__(self) -> Any:
        if self._lost:
            raise StopIteration
        head = self._read(HEADER)
        if not head:
            raise StopIteration
        if len(head) < HEADER:
            self._lost = True
            raise TruncatedError("expected the length of a message", self.offset)
        length = int.from_bytes(head, "big")
        start = self.offset
        data = self._read(length)
        if len(data) < length:
            self._lost = True
            raise TruncatedError(f"expected a message of {length} bytes", self.offset)
        with shifted(start):
            deserializer = NodeIPCDeserializer(data)
            deserializer.read_header()
            return deserializer.read_value()

    def _read(self, length: int) -> bytes:
        """Up to *length* bytes; fewer at the end of the stream."""
        data = bytearray()
        while len(data) < length:
            piece = self._stream.read(min(length - len(data), PIECE))
            if piece is None:
                raise BlockingIOError("the stream does not block; iter_node_ipc needs one that does")
            if not isinstance(piece, bytes):
                raise TypeError(f"the stream gives {type(piece).__name__}, not bytes")
            if not piece:
                break
            data += piece
            self.offset += len(piece)
        return bytes(data)


def iter_node_ipc(stream: Readable) -> NodeIPCMessages:
    """Return an iterator over the values in *stream*, which a Node process writes.

    That is what comes out of the channel (by default descriptor 3 of the child, which ``NODE_CHANNEL_FD``
    names) of a process that was forked with ``serialization: "advanced"``, or a recording of it.  Node's own
    messages, objects whose ``cmd`` begins with ``"NODE_"``, are among them.

    Args:
        stream: a binary file whose ``read`` waits.

    Raises:
        DecodeError: while iterating.  ``.offset`` counts from where *stream* was at first.  If only the
            message is malformed, the iteration may go on with the next one.
        TruncatedError: *stream* ends within a message.

    >>> import io
    >>> list(iter_node_ipc(io.BytesIO(bytes.fromhex("00000004 ff0f 4902 00000005 ff0f 220161"))))
    [1, 'a']
    """
    return NodeIPCMessages(stream)

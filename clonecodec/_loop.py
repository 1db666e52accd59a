"""The loop that reads values: the mirror of the one in ``_writer``.

It asks ``_runs`` for what is common, up to the last bytes, and a method for everything else: one for each
tag, in the order of the tag table.  A method reads its value whole, or begins a container: it puts a frame on
the stack, which the loop fills until it is complete and is itself an item of the frame below.  Nothing
recurses.
"""

from __future__ import annotations

from . import _tags as tags
from ._builders import Unfinished
from ._frames import DenseFrame, ObjectFrame, RootFrame, TupleFrame
from ._payloads import CONTAINERS, METHODS, METHODS_BEFORE_15, Payloads, say
from ._properties import is_index
from ._runs import ENDS, ITEMS, KEYED, OBJECT, ROOM, properties, scalars
from ._tags import BEGIN_DENSE_ARRAY, BEGIN_OBJECT, END_DENSE_ARRAY
from .errors import DecodeError, TruncatedError
from .values import SparseArray, hole, undefined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Loop(Payloads):
    """What ``Deserializer`` reads values with."""

    _max_depth: int

    def _walk(self, root: RootFrame) -> None:
        """Read the value of *root* and all that is inside.

        The container that is being filled is in local variables, those around it are on the stack:

            mode    ITEMS: values, until the list *items* holds *length*
                    OBJECT: a key, or the end; then a value for the dict *target*
                    KEYED: what *frame* reads before a value, or the end; then a value for *frame*
            frame   None as long as a list or a dict will do
            number  of the array that *items* is for; while it is open, its place in the table holds its depth
            hinted  whether it is to be a tuple
            anchor  how deep the innermost container is that a reference from inside can be patched in
        """
        wire, stack, objects = self._wire, self._stack, self._objects
        data: Any = wire.data
        safe = len(data) - ROOM if isinstance(data, bytes) else 0
        offset, max_depth = wire.offset, self._max_depth
        methods = METHODS if self._version >= 15 else METHODS_BEFORE_15
        frame: Any = root
        mode, length, number, hinted, anchor = ITEMS, 1, -1, False, root.anchor
        key: Any = None
        items: list[Any] = root.items
        target: dict[str, Any] = {}
        try:
            while True:
                # What comes before the value: nothing, a key, or the end of the container.
                complete = False
                if mode == OBJECT:
                    inner, key, offset = properties(data, offset, safe, target, stack, objects, max_depth)
                    if inner is None:
                        mode, frame, items, length, target, key, number, hinted, anchor = stack.pop()
                        continue
                    target, anchor = inner, len(stack)
                    if key is None:
                        wire.offset = offset
                        key = self.property_or_end(target)
                        offset = wire.offset
                        if key is None:
                            complete = True
                        elif is_index(key):
                            frame, mode = self._object_frame(target, key), KEYED
                elif mode == ITEMS and len(items) < length:
                    left, offset = scalars(data, offset, safe, items, length - len(items))
                    if not left:
                        continue
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
                        frame = self._array_frame(items, length, number, hinted, len(stack), anchor)
                    mode = KEYED
                    wire.offset = offset
                    complete = frame.before(self)
                    offset = wire.offset

                # Any other value: one that is complete now, one that begins, or one that is read whole.
                if complete:
                    if frame is None:
                        value: Any = target
                        if mode == ITEMS:
                            value = objects[number] = tuple(items) if hinted else items
                        mode, frame, items, length, target, key, number, hinted, anchor = stack.pop()
                        if mode == OBJECT:
                            target[key] = value
                            continue
                    elif frame is root:
                        wire.offset = offset
                        return
                    else:
                        value = frame.close()
                        mode, frame, items, length, target, key, number, hinted, anchor = stack.pop()
                elif offset < safe and data[offset] == BEGIN_OBJECT and len(stack) < max_depth:
                    stack.append((mode, frame, items, length, target, key, number, hinted, anchor))
                    frame, mode, anchor, target = None, OBJECT, len(stack), {}
                    objects.append(target)
                    offset += 1
                    continue
                elif (
                    offset < safe
                    and data[offset] == BEGIN_DENSE_ARRAY
                    and data[offset + 1] <= ROOM
                    and len(stack) < max_depth
                ):
                    begun: list[Any] = []
                    count = data[offset + 1]
                    left, offset = scalars(data, offset + 2, safe, begun, count)
                    if left or offset >= safe or data[offset : offset + 3] != ENDS[count]:
                        stack.append((mode, frame, items, length, target, key, number, hinted, anchor))
                        frame, mode, anchor, items, length = None, ITEMS, len(stack), begun, count
                        number, hinted = len(objects), False
                        objects.append(anchor)
                        continue
                    objects.append(begun)
                    value = begun
                    offset += 3
                else:
                    wire.offset = offset
                    tag, padded = self._next_tag()
                    begins = tag in (BEGIN_OBJECT, BEGIN_DENSE_ARRAY) or tag in CONTAINERS
                    holey = tag == tags.HOLE and mode == ITEMS and frame is not root
                    if begins or (tag not in methods and not holey):  # an embedder reads it, and may read on
                        stack.append((mode, frame, items, length, target, key, number, hinted, anchor))
                    if begins:
                        depth = len(stack)
                        if depth > max_depth:
                            raise DecodeError(f"nested more than {max_depth} deep", offset)
                        if tag == BEGIN_OBJECT:
                            frame, mode, anchor, target = None, OBJECT, depth, {}
                            objects.append(target)
                        elif tag == BEGIN_DENSE_ARRAY:
                            frame, mode, items, length = None, ITEMS, [], self._count()
                            number, hinted = len(objects), padded
                            anchor = anchor if hinted else depth
                            objects.append(depth)
                        else:
                            frame, mode = CONTAINERS[tag](self, padded), KEYED
                            frame.lie_in(depth, anchor)
                            anchor = frame.anchor
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
                        mode, frame, items, length, target, key, number, hinted, anchor = stack.pop()
                    offset = wire.offset
                    if tag == tags.OBJECT_REFERENCE and type(value) is int:
                        # An array that is still open: it gets a frame, which can hear who refers to it.
                        if value == len(stack):
                            value = frame = self._array_frame(items, length, number, hinted, value, anchor)
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
                        frame = self._array_frame(items, length, number, hinted, len(stack), anchor)
                    if value is hole:
                        frame.holey = True
                        items.append(hole)
                    else:
                        frame.take_unfinished(value)
                elif mode == ITEMS:
                    items.append(value)
                else:
                    frame.take(value)
        except BaseException:
            # ``_leave_open`` looks at the innermost container, too.
            stack.append((mode, frame, items, length, target, key, number, hinted, anchor))
            raise

    def _leave_open(self, base: int) -> None:
        """After an error: the arrays that were begun are in the table what V8 leaves there, with holes.

        (Who reads on may find a reference to one: an embedder, or the second try of version 13.)
        """
        for mode, _, items, length, _, _, number, *_ in self._stack[base:]:
            if mode == ITEMS and number >= 0:
                sparse = len(items) < length  # and no list of that length: it is a claim
                self._objects[number] = SparseArray(length, dict(enumerate(items))) if sparse else items

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
        self, items: list[object], length: int, number: int, hinted: bool, depth: int, anchor: int
    ) -> DenseFrame | TupleFrame:
        """Return a frame for an array that so far was a list, and is to be *length* long."""
        kind = TupleFrame if hinted else DenseFrame
        frame = kind(self._objects, number, items, length)
        frame.lie_in(depth, anchor)
        return frame

    def _frame_at(self, depth: int) -> DenseFrame | TupleFrame:
        """The same, for an array around the one that is being read."""
        mode, _, items, length, target, key, number, hinted, anchor = self._stack[depth]
        frame = self._array_frame(items, length, number, hinted, depth, anchor)
        self._stack[depth] = (mode, frame, items, length, target, key, number, hinted, anchor)
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

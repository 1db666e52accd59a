"""CBOR to values.

One loop reads item after item; a container is a ``Frame`` on a stack, so that nothing recurses.  Tags are
gathered as they are read: those right around a container say what to make of it before its items come, so
that the items can refer to it; the others are applied to a value when it is complete (``_leaves``).

cbor2's decoder does not do: it does not tell an integer's width (cbor-x writes a bigint in eight bytes,
however small), merges keys that JavaScript keeps apart, refuses lone surrogates and cyclic sets, and has no
offsets.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

from .._properties import check_array_properties
from ..buffers import ArrayBuffer
from ..errors import DataCloneError, DecodeError
from ..jserrors import BY_NAME, JSError
from ..regexp import RegExp
from ..values import Array, SparseArray, hole, undefined
from . import _frames
from . import _tags as tags
from ._frames import (
    ARRAY,
    CLONE,
    FROZENSET,
    GENERIC,
    HOLEY,
    INNER,
    MAP,
    OBJECT,
    SET,
    TUPLE,
    Content,
    Frame,
    Slot,
)
from ._leaves import apply, as_integer, refer, simple, unknown_tag
from ._source import BREAK, INDEFINITE, Source
from ._unbuilt import Patch, Unbuilt, build, depends

TagHook: TypeAlias = "Callable[[int, object], object]"

MAX_HOOKED: Final = 400  # as deep as cbor2 reads; the stack overflows when 100,000 CBORTags are freed at once

_OPENED: Final = object()
_BROKEN: Final = object()

_ARRAYS: Final = {tags.SET: SET, tags.GENERIC: GENERIC, tags.CLONE: CLONE}
_MAPS: Final = {tags.MAP: MAP}
"""What a tag right around a container makes of it."""


class Reader:
    """Reads one value.

    Args:
        source: the bytes.
        max_depth: how many containers may lie within each other.
        tag_hook: called with a tag that means nothing here and the value in it; returns the value to take.
    """

    def __init__(self, source: Source, *, max_depth: int, tag_hook: TagHook | None) -> None:
        self._source = source
        self._max_depth = max_depth
        self._depth = 0
        self._tag_hook = tag_hook
        self._hooked_around = 0
        """Tags for the hook that are around what is being read."""
        self._stack: list[Frame] = []
        self._slots: list[Slot] = []
        self._unbuilt: list[Unbuilt] = []
        self._patches: list[Patch] = []
        self._specials = False
        """Whether there has been a hole or an Unbuilt, which cannot be added like other items."""

    def read(self) -> object:
        """Return the value.  Raises DecodeError if there is none."""
        stack = self._stack
        while True:
            value = self._item()
            if value is _OPENED:
                if stack[-1].remaining:
                    continue
                value = self._close(stack.pop())
            elif value is _BROKEN:
                value = self._close(stack.pop())
            while stack:
                frame = stack[-1]
                if self._specials and (value is hole or type(value) is Unbuilt):
                    frame.add_special(value, self._patches)
                else:
                    frame.add(value)
                frame.remaining -= 1
                if frame.remaining:
                    break
                stack.pop()
                value = self._close(frame)
            else:
                return self._finish(value)

    def _finish(self, value: object) -> object:
        if value is hole:
            raise DecodeError("a hole can only be an item of an array", 0)
        build(self._unbuilt, self._patches)
        return value.value if isinstance(value, Unbuilt) else value

    def _item(self) -> object:
        """Read a value that is no container, or open a container, or end one."""
        source = self._source
        start = source.position
        initial, argument = source.head()
        around: list[int | Slot] = []
        while 0xC0 <= initial < 0xE0:
            if argument == INDEFINITE:
                raise DecodeError(f"0x{initial:02x} begins no item", source.position - 1)
            if argument == tags.SHAREABLE:
                slot = Slot()
                self._slots.append(slot)
                around.append(slot)
            elif argument != tags.FLAVOUR or source.position != len(tags.MAGIC):
                around.append(argument)  # the first FLAVOUR of all is the magic number
            initial, argument = source.head()
        if initial < 0x80:
            if initial >= 0x40:
                value: object = source.string(initial, argument)
            else:
                value = as_integer(initial, argument, start)
        elif initial < 0xC0:
            return self._open(initial >> 5, argument, around, start)
        elif initial == BREAK:
            return self._break(around, start)
        else:
            value = simple(initial, argument, start)
        return self._tagged(value, around, start) if around else value

    def _break(self, around: list[int | Slot], start: int) -> object:
        if not self._stack or self._stack[-1].remaining > 0 or around or self._stack[-1].is_between():
            raise DecodeError("a break that ends nothing", start)
        return _BROKEN

    # Tags

    def _tagged(self, value: object, around: list[int | Slot], start: int) -> object:
        if around[-1] == tags.SHARED:
            del around[-1]
            slot = self._referred(value, start)
            if type(slot.value) is Unbuilt:
                if any(tag != tags.FLAVOUR for tag in around):
                    raise DecodeError("a tag around a reference to what is not complete", start)
                return slot.value
            value = refer(slot, around, start)
        else:
            value = apply(value, Content(value) if type(value) is bytes else None, around, start)
        value = self._hooked(value, around, start)
        self._specials = self._specials or value is hole
        return value

    def _referred(self, index: object, start: int) -> Slot:
        if type(index) is not int or not 0 <= index < len(self._slots):
            raise DecodeError(f"there is no shared value {index!r} yet", start)
        if self._stack and self._stack[-1].kind in INNER:
            # Its parts are copied: referring to one again and again would multiply it.
            raise DecodeError("a reference where a part of an object is expected", start)
        slot = self._slots[index]
        if slot.frame is not None:
            slot.frame.referenced = True
        if not slot.ready:
            if slot.frame is None:
                raise DecodeError(f"the shared value {index} is not complete", start)
            slot.value = self._early(slot.frame, start)
            for other in slot.frame.slots:
                other.value, other.ready = slot.value, True
        return slot

    def _hooked(self, value: object, around: list[Any], start: int) -> object:
        """Apply the tags that are left over."""
        self._for_hook(around, start)
        while around:
            tag = around.pop()
            if isinstance(tag, Slot):
                tag.value, tag.ready, tag.frame = value, True, None
            elif tag != tags.FLAVOUR and self._tag_hook is not None:
                if type(value) is Unbuilt or value is hole:
                    raise DecodeError("a tag for the hook around what is not complete", start)
                value = self._tag_hook(tag, value)
        return value

    def _for_hook(self, around: list[Any], start: int) -> int:
        """Return how many of the tags *around* something are for the hook; raise if it cannot have them."""
        numbers = [tag for tag in around if not isinstance(tag, Slot) and tag != tags.FLAVOUR]
        for tag in numbers:
            if self._tag_hook is None or tag in tags.KNOWN:
                raise unknown_tag(tag, start)
        if self._hooked_around + len(numbers) > MAX_HOOKED:
            raise DecodeError(f"more than {MAX_HOOKED} tags for the hook lie within each other", start)
        return len(numbers)

    # Containers

    def _open(self, major: int, argument: int, around: list[Any], start: int) -> object:
        slots: list[Slot] = []
        flavours = 0
        meanings = _MAPS if major == 5 else _ARRAYS
        kind = None
        while around:
            tag = around[-1]
            if isinstance(tag, Slot):
                slots.append(tag)
            elif tag == tags.FLAVOUR:
                flavours += 1
            elif kind is None and tag in meanings:
                kind = meanings[tag]
                flavours = 0
            else:
                break
            del around[-1]
        if kind == SET and flavours:
            kind = FROZENSET
        elif kind is None:
            kind = OBJECT if major == 5 else (ARRAY, TUPLE, HOLEY)[min(flavours, 2)]
        hooked = self._for_hook(around, start) if around else 0
        self._hooked_around += hooked
        items = argument * 2 if major == 5 and argument != INDEFINITE else argument
        self._source.claims(items)
        if kind not in INNER:
            self._depth += 1
            if self._depth > self._max_depth:
                raise DecodeError(f"nested more than {self._max_depth} deep", start)
        self._stack.append(Frame(kind, items, start, slots, around, hooked))
        return _OPENED

    def _early(self, frame: Frame, start: int) -> object:
        """What stands for the container *frame*, to which something inside refers."""
        if frame.kind in (TUPLE, FROZENSET):
            self._specials = True
            frame.unbuilt = self._postpone(frame)
            return frame.unbuilt
        target = self._new(frame)
        if target is None:
            raise DecodeError("a reference to an object of which too little has been read", start)
        frame.early = target
        return target

    def _postpone(self, frame: Frame) -> Unbuilt:
        unbuilt = Unbuilt(frame.target, frame.start)
        self._unbuilt.append(unbuilt)
        self._specials = True
        return unbuilt

    def _close(self, frame: Frame) -> object:
        if frame.kind not in INNER:
            self._depth -= 1
        value = self._complete(frame)
        for slot in frame.slots:
            slot.value, slot.ready, slot.frame = value, True, None
        if not frame.outer:
            return value
        self._hooked_around -= frame.hooked
        return self._hooked(value, frame.outer, frame.start)

    def _complete(self, frame: Frame) -> object:
        kind, target = frame.kind, frame.target
        if kind == ARRAY:
            return self._with_holes(frame) if frame.holey and not frame.referenced else target
        if kind == FROZENSET:  # its members that are unbuilt are wrapped, so it need not wait for them
            return frame.unbuilt or frozenset(target)
        if kind == TUPLE:
            if frame.unbuilt is None and not (self._unbuilt and depends(target)):
                return tuple(target)
            return frame.unbuilt or self._postpone(frame)
        if kind == GENERIC:
            return self._generic(frame)
        if kind == CLONE:
            return self._clone(frame)
        return target

    def _with_holes(self, frame: Frame) -> Array:
        """A list in which a hole was met, from a writer that did not say so first."""
        return self._extended(Array(), frame.target)

    def _extended(self, array: Array, items: list[object]) -> Array:
        array.extend(items)
        self._patch_again(array, enumerate(array))
        return array

    def _patch_again(self, target: Any, entries: Any) -> None:
        """Have the unbuilt *entries* of *target*, which were patched elsewhere, patched here."""
        if self._unbuilt:
            for key, value in entries:
                if type(value) is Unbuilt:
                    self._patches.append((partial(target.__setitem__, key), value))

    # Objects made of parts

    def _new(self, frame: Frame) -> JSError | Array | SparseArray | None:
        """The object that *frame* is going to be, as yet without what may refer to it."""
        match frame.kind, frame.target:
            case _frames.GENERIC, [str(name), message, *_] if name != "RegExp" or len(frame.target) < 3:
                if message is undefined or isinstance(message, str):
                    return BY_NAME.get(name, JSError)(None if message is undefined else str(message))
            case _frames.CLONE, ["Array", *_]:
                return Array()
            case _frames.CLONE, ["SparseArray", int(length), *_] if 0 <= length < 2**32:
                return SparseArray(length)
        return None

    def _generic(self, frame: Frame) -> object:
        match frame.target:
            case ["RegExp", str(source), str(flags)]:
                try:
                    return RegExp(source, flags)
                except ValueError as error:
                    raise DecodeError(str(error), frame.start) from None
            case [_, _] | [_, _, dict()]:
                made = self._new(frame) if frame.early is None else frame.early
                if isinstance(made, JSError):
                    self._give(made, frame.target[2] if len(frame.target) == 3 else {}, frame.start)
                    return made
        raise DecodeError("an object of a class that is neither RegExp nor an error's", frame.start)

    def _give(self, error: JSError, options: dict[object, object], start: int) -> None:
        stack = options.get("stack", undefined)
        if isinstance(stack, str):
            error.stack = stack
        elif stack is not undefined:
            raise DecodeError("an error's stack is no text", start)
        if "cause" in options:
            cause = options["cause"]
            if type(cause) is Unbuilt:
                self._patches.append((partial(setattr, error, "cause"), cause))
            else:
                error.cause = cause

    def _clone(self, frame: Frame) -> object:
        made = self._new(frame) if frame.early is None else frame.early
        match frame.target:
            case ["Array", list(items), dict(properties)] if isinstance(made, Array):
                made.properties = self._properties(properties, frame.start)
                return self._extended(made, items)
            case ["SparseArray", _, dict(items), dict(properties)] if isinstance(made, SparseArray):
                made.properties = self._properties(properties, frame.start)
                for index in items:
                    if type(index) is not int or not 0 <= index < made.length:  # perhaps too long for a repr
                        raise DecodeError(f"no index of an array of {made.length}", frame.start)
                made.items.update(items)
                self._patch_again(made.items, items.items())
                return made
            case ["ArrayBuffer", bytes(octets), int(most)]:
                if most < len(octets):
                    raise DecodeError("an ArrayBuffer is longer than its maximum length", frame.start)
                return ArrayBuffer(octets, max_byte_length=most)
        raise DecodeError("clonecodec's tag with parts that make no object", frame.start)

    def _properties(self, properties: dict[Any, object], start: int) -> dict[str, object]:
        if not all(type(key) is str for key in properties):  # and not named: a repr may recurse without end
            raise DecodeError("a property of an array whose name is no text", start)
        try:
            check_array_properties(properties)
        except DataCloneError as error:
            raise DecodeError(error.reason, start) from None
        return properties

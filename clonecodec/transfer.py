"""What can be handed over instead of copied: the seam between the codec and whatever can be moved.

HTML calls such objects transferable.  ArrayBuffer is one; a transport's ports are others.  Transferring takes
the same steps for each: check the list, clone the value, check again (the clone may have run the
user's code), then take from every object what it owns.  Nothing is taken unless everything can be.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeGuard, runtime_checkable

from .buffers import ArrayBuffer, is_released
from .errors import DataCloneError
from .views import DataView, Float16Array, Uint8ClampedArray

__all__ = [
    "Transferable",
    "check_transfer_list",
    "is_detached",
    "is_marked_as_untransferable",
    "mark_as_untransferable",
    "take_all",
]


@runtime_checkable
class Transferable(Protocol):
    """An object that can be moved: what it owns becomes a token, and the token becomes a new object."""

    def transfer_check(self) -> None:
        """Raise DataCloneError if it may not be moved now.  Change nothing."""

    def transfer_take(self) -> object:
        """Give up what is owned, and return it as a token.  The object is dead (detached) from then on."""

    @classmethod
    def transfer_build(cls, token: object) -> Transferable:
        """Return a new object that owns what the token owns."""

    def transfer_restore(self, token: object) -> None:
        """Take back what ``transfer_take`` gave up, because another object of the list could not be taken."""


def _can_move(item: object) -> TypeGuard[Transferable]:
    return _is_transferable(type(item))  # type: ignore[arg-type]  # a type can be hashed


@functools.lru_cache
def _is_transferable(kind: type) -> bool:
    return issubclass(kind, Transferable)  # which takes about as long as all the rest of a transfer


def check_transfer_list(transfer: Iterable[object]) -> list[Transferable]:
    """Return the objects of a transfer list, if they may be listed at all.

    This comes before the value is looked at.  Whether an ArrayBuffer is detached is judged after that
    (``take_all``), as HTML has it; everything else is asked at once.

    Raises:
        DataCloneError: an object cannot be transferred, is listed twice, is marked as untransferable, or is
            detached.  Whatever *transfer* itself raises passes through.
    """
    items: list[Transferable] = []
    seen: set[int] = set()
    for item in transfer:
        name = type(item).__name__
        if not _can_move(item):
            raise DataCloneError(f"a {name} cannot be transferred; ArrayBuffers and ports can")
        if id(item) in seen:
            raise DataCloneError(f"the transfer list contains a duplicate, the same {name} twice")
        if is_marked_as_untransferable(item):
            raise DataCloneError(f"the {name} is marked as untransferable")
        if not isinstance(item, ArrayBuffer):
            item.transfer_check()
        seen.add(id(item))
        items.append(item)
    return items


def take_all(items: Sequence[Transferable]) -> list[object]:
    """Take from each of *items* what it owns, or from none of them; return the tokens.

    Raises:
        DataCloneError: one of them may not be moved; none has been.
    """
    for item in items:
        item.transfer_check()
    tokens: list[object] = []
    try:
        for item in items:
            tokens.append(item.transfer_take())  # noqa: PERF401  # those taken so far are put back
    except BaseException:
        for item, token in zip(items, tokens, strict=False):
            item.transfer_restore(token)
        raise
    return tokens


def move_all(items: Sequence[Transferable]) -> list[object]:
    """Move what each of *items* owns to a new object, or nothing at all; return the new objects.

    Raises:
        DataCloneError: one of them may not be moved; none has been.
    """
    return [type(item).transfer_build(token) for item, token in zip(items, take_all(items), strict=True)]


_untransferable: dict[int, weakref.ref[object]] = {}


def mark_as_untransferable(value: object) -> None:
    """Forbid that *value* is ever transferred (Node: ``markAsUntransferable``).

    It can still be cloned.  The mark cannot be removed.  Objects that cannot be transferred
    anyway, numbers and strings among them, are left as they are.
    """
    if not isinstance(value, Transferable):
        return
    key = id(value)

    def forget(reference: weakref.ref[object]) -> None:
        if _untransferable.get(key) is reference:
            del _untransferable[key]

    _untransferable[key] = weakref.ref(value, forget)


def is_marked_as_untransferable(value: object) -> bool:
    """Whether ``mark_as_untransferable(value)`` has been called."""
    reference = _untransferable.get(id(value))
    return reference is not None and reference() is value


def is_detached(value: object) -> bool:
    """Whether what *value* owned has been transferred: an ArrayBuffer, a view on one, or a port.

    >>> from clonecodec import ArrayBuffer, structured_clone
    >>> buffer = ArrayBuffer(8)
    >>> moved = structured_clone(buffer, transfer=[buffer])
    >>> is_detached(buffer), is_detached(moved)
    (True, False)
    """
    if isinstance(value, (DataView, Uint8ClampedArray, Float16Array)):
        value = value.view
    if isinstance(value, memoryview):
        return is_released(value)
    return bool(getattr(value, "detached", False))

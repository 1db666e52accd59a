"""What becomes of Python objects that no line of the value table names: attributes, or a refusal that helps.

A plain instance is written as JavaScript writes one: its own attributes, no class, no properties, nothing
that begins with an underscore.  Whoever keeps state where Python cannot see it, in C, is refused, and so is
whoever hides all of it: half a value is worse than an error.
"""

from __future__ import annotations

import enum
import types
from contextlib import suppress

from .errors import DataCloneError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

_HEAP_TYPE: Final = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement, or by C at run time

_ADVICE: Final[dict[str, str]] = {
    "builtins.function": "send what it needs, or its name",
    "builtins.complex": "send a list of the two parts",
    "builtins.range": "send list(value)",
    "builtins.generator": "send list(value)",
    "builtins.Ellipsis": "send None or undefined",
    "datetime.datetime": "give it a time zone: a naive datetime names no instant",
    "datetime.date": "send value.isoformat(), or an aware datetime",
    "datetime.time": "send value.isoformat()",
    "datetime.timedelta": "send value.total_seconds()",
    "decimal.Decimal": "send str(value), or float(value)",
    "fractions.Fraction": "send str(value), or the two ints",
    "uuid.UUID": "send str(value), or value.bytes",
    "collections.deque": "send list(value)",
    "pathlib": "send str(value)",
    "enum": "send value.value, or value.name",
}

_REFUSED: Final = frozenset(
    {"uuid.UUID", "fractions.Fraction", "datetime.datetime", "datetime.date", "datetime.time"}
)
"""Classes that may be written in Python, with visible attributes, and yet are values of a kind of their
own."""


def attributes_of(value: object) -> dict[str, object]:
    """Return the own attributes of a plain instance, in order.

    Raises:
        DataCloneError: it is not plain; the reason says what to do instead.
    """
    kind = type(value)
    if not _is_plain(kind) or isinstance(value, (type, enum.Enum, types.ModuleType)):
        raise refusal(value)
    attributes = dict(_own(value))
    visible = {name: attribute for name, attribute in attributes.items() if not name.startswith("_")}
    if attributes and not visible:
        raise refusal(value)
    return visible


def _own(value: object) -> Iterator[tuple[str, object]]:
    for kind in reversed(type(value).__mro__):
        for name in _slots(kind):
            slot = kind.__dict__.get(name)
            if slot is None:
                yield name, None  # a private one, under its mangled name
                continue
            with suppress(AttributeError):  # it was never filled
                yield name, slot.__get__(value)
    yield from getattr(value, "__dict__", {}).items()


def _slots(kind: type) -> list[str]:
    slots = kind.__dict__.get("__slots__", ())
    names = [slots] if isinstance(slots, str) else list(slots)
    return [name for name in names if name not in ("__dict__", "__weakref__")]


def _is_plain(kind: type) -> bool:
    """Whether all state of its instances is in attributes: no more memory than those take."""
    if kind is types.SimpleNamespace:
        return True
    if not kind.__flags__ & _HEAP_TYPE or any(_full_name(base) in _REFUSED for base in kind.__mro__):
        return False
    slots = sum(len(_slots(base)) for base in kind.__mro__)
    # The instance dict and the weak references each take a pointer, in front of the object or in it.
    room = object.__basicsize__ + 8 * (slots + 2)
    return kind.__itemsize__ == 0 and kind.__basicsize__ <= room


def _full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def refusal(value: object) -> DataCloneError:
    """Return the error that says that *value* cannot be cloned, and what to do instead."""
    kind = type(value)
    name = kind.__name__
    article = "an" if name[:1].lower() in "aeiou" else "a"
    if isinstance(value, type):
        what, advice = f"the class {value.__name__}", "send its name"
    elif isinstance(value, types.ModuleType):
        what, advice = f"the module {value.__name__}", "send its name"
    elif callable(value) and not _is_plain(kind):
        what, advice = f"{article} {name}", _ADVICE["builtins.function"]
    elif isinstance(value, enum.Enum):
        what, advice = f"the enum member {kind.__name__}.{value.name}", _ADVICE["enum"]
    else:
        what, advice = f"{article} {name}", _advice(kind)
    return DataCloneError(f"{what} cannot be cloned" + (f"; {advice}" if advice else ""))


def _advice(kind: type) -> str:
    for base in kind.__mro__[:-1]:
        advice = _ADVICE.get(_full_name(base)) or _ADVICE.get(base.__module__.partition(".")[0])
        if advice:
            return advice
    if _is_plain(kind):
        return "all its attributes begin with an underscore: send a dict of what matters"
    return "its state is not in attributes: send a dict of what matters"

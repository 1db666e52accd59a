"""Views: what in Python is an ArrayBufferView of JavaScript's, and which bytes it shows of which buffer.

    bytes, bytearray                          Uint8Array (Node's Buffer, where there is one)
    memoryview, array.array, any 1-D buffer   the typed array of its native format
    DataView, Uint8ClampedArray, Float16Array themselves

A memoryview that an ArrayBuffer handed out is a view on that buffer.  Anything else is a view on a buffer of
its own that holds just the bytes it shows: never a neighbour's.
"""

from __future__ import annotations

from ._kinds import BY_FORMAT, DATA_VIEW, FLOAT16, UINT8, UINT8_CLAMPED, Kind
from .buffers import ArrayBuffer, SharedArrayBuffer, empty_view, is_released, view_of
from .errors import DataCloneError
from .views import DataView, Float16Array, Uint8ClampedArray

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    AnyBuffer: TypeAlias = "ArrayBuffer | SharedArrayBuffer"
    OwnView: TypeAlias = "DataView | Uint8ClampedArray | Float16Array"

OWN_VIEWS = (DataView, Uint8ClampedArray, Float16Array)


class View:
    """An ArrayBufferView, as the format and a clone see it.

    Attributes:
        kind: which one.
        octets: the bytes it shows: contiguous, and ``len`` counts bytes.
        buffer: the buffer it is a view on; None if it has one of its own.
        offset: where in the buffer it begins, in bytes.
        tracking: whether it tracks the buffer's length.
    """

    __slots__ = ("buffer", "kind", "octets", "offset", "tracking")

    def __init__(
        self,
        kind: Kind,
        octets: bytes | bytearray | memoryview,
        buffer: AnyBuffer | None = None,
        offset: int = 0,
        tracking: bool = False,
    ) -> None:
        self.kind = kind
        self.octets = octets
        self.buffer = buffer
        self.offset = offset
        self.tracking = tracking


def view_on(value: object) -> View:
    """Describe *value*, an object that has the buffer protocol or is a view of ours.

    Raises:
        DataCloneError: no typed array has its format or shape, or what it showed is gone.
    """
    if isinstance(value, (bytes, bytearray)):
        return View(UINT8, value)
    kind: Kind | None = None
    if isinstance(value, OWN_VIEWS):
        kind = value.kind
        view = value.view
    else:
        view = value if isinstance(value, memoryview) else memoryview(value)  # type: ignore[arg-type]
    if is_released(view):
        raise DataCloneError("the view has been released: its ArrayBuffer is detached")
    if view.ndim != 1:
        raise DataCloneError(
            f"a buffer of {view.ndim} dimensions cannot be cloned; send it flat, with its shape"
        )
    if kind is None:
        kind = BY_FORMAT.get(view.format)
        if kind is None:
            raise DataCloneError(
                f"a buffer of format {view.format!r} cannot be cloned; a native b B h H i I q Q f d can"
            )
    octets = view.cast("B") if view.nbytes and view.c_contiguous else view.tobytes()
    what = view_of(view)
    if what is None:
        return View(kind, octets)
    return View(kind, octets, what.buffer, what.offset, what.tracking)


def make_view(
    kind: Kind, buffer: AnyBuffer, offset: int, byte_length: int, tracking: bool
) -> OwnView | memoryview:
    """Return the view of *kind* on *buffer*: a memoryview, or a class of ours if the kind needs one."""
    own = _OWN_CLASS.get(kind)
    length = byte_length // kind.size
    if own is not None:
        return own.over(buffer, offset, length, tracking)
    return buffer.hand_out(kind, offset, length, tracking)


def cast_view(octets: memoryview, format: str) -> memoryview:
    """Return *octets* as elements of *format*; their number of bytes is a multiple of the element's size."""
    if format == "B":
        return octets
    if not octets.nbytes:  # an empty memoryview cannot be cast
        return empty_view(format)
    return octets.cast(format)  # type: ignore[call-overload, no-any-return]  # it wants literals


_OWN_CLASS: dict[Kind, type[OwnView]] = {
    DATA_VIEW: DataView,
    UINT8_CLAMPED: Uint8ClampedArray,
    FLOAT16: Float16Array,
}

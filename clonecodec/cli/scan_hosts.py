"""Host objects, which V8 leaves to the program around it: Node's table, and Blink's.

Node:   type index, length, bytes; only what the view shows, and no buffer.
Blink:  a byte for the kind, then fields: ``s`` text (length and UTF-8), ``n`` number (varint), ``d`` double,
        ``b`` bytes behind a length, ``f`` the fields of a File, ``i`` a list of image settings,
        ``*`` a count and that many of what follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clonecodec.cli.cursor import Fault, count
from clonecodec.cli.names import NODE_HOST_TYPES
from clonecodec.cli.scan_leaves import OBJECT, Result

if TYPE_CHECKING:
    from clonecodec.cli.scan_values import ValueScanner


def node(scanner: ValueScanner, start: int) -> Result:
    """What Node's DefaultSerializer writes for a view or a Buffer."""
    cursor = scanner.cursor
    at = cursor.position
    index = cursor.varint("the type of a host object")
    if index >= len(NODE_HOST_TYPES):
        raise Fault(at, f"a type of Node's host objects, 0 to {len(NODE_HOST_TYPES) - 1}", f"{index:,}")
    name = NODE_HOST_TYPES[index]
    length = cursor.varint(f"the length of a {name}")
    head = cursor.position - start
    cursor.skip(length, f"a {name}")
    ident = scanner.number(start, name)
    scanner.add(start, "HOST_OBJECT", None, f"{name}, {count(length, 'byte')}", ident=ident, head=head)
    return OBJECT


_CELLS: Final = " ".join(f"d:m{row}{column}" for row in range(1, 5) for column in range(1, 5))

_BLINK: Final[dict[str, tuple[str, str]]] = {
    # tag: kind, fields as "type:name"
    "b": ("Blob", "s:uuid s:type n64:size"),
    "i": ("Blob by index", "n:index"),
    "f": ("File", "f:"),
    "e": ("File by index", "n:index"),
    "l": ("FileList", "*f:"),
    "L": ("FileList by index", "*n:index"),
    "d": ("DOMFileSystem", "n:type s:name s:rootURL"),
    "n": ("FileSystemFileHandle", "s:name n:token"),
    "N": ("FileSystemDirectoryHandle", "s:name n:token"),
    "#": ("ImageData", "i18: n:width n:height b64:pixels"),
    "g": ("ImageBitmap", "i: n:width n:height b:pixels"),
    "G": ("ImageBitmap, transferred", "n:index"),
    "H": ("OffscreenCanvas, transferred", "n:width n:height n:id n:client n:sink n:filterQuality"),
    "r": ("ReadableStream, transferred", "n:index"),
    "w": ("WritableStream, transferred", "n:index"),
    "m": ("TransformStream, transferred", "n:index"),
    "M": ("MessagePort, transferred", "n:index"),
    "h": ("MojoHandle, transferred", "n:index"),
    "Q": ("DOMPoint", "d:x d:y d:z d:w"),
    "W": ("DOMPointReadOnly", "d:x d:y d:z d:w"),
    "E": ("DOMRect", "d:x d:y d:width d:height"),
    "R": ("DOMRectReadOnly", "d:x d:y d:width d:height"),
    "T": ("DOMQuad", " ".join(f"d:{axis}{point}" for point in range(1, 5) for axis in "xyzw")),
    "I": ("DOMMatrix", " ".join(f"d:{cell}" for cell in "abcdef")),
    "O": ("DOMMatrixReadOnly", " ".join(f"d:{cell}" for cell in "abcdef")),
    "Y": ("DOMMatrix", _CELLS),
    "U": ("DOMMatrixReadOnly", _CELLS),
    "k": ("RTCCertificate", "s:privateKey s:certificate"),
    "x": ("DOMException", "s:name s:message s:stack"),
}

_MAX_SHOWN: Final = 8  # fields of one object in its row; the bytes are all there anyway


def blink(scanner: ValueScanner, start: int) -> Result:
    """What Blink writes for its own objects, by its version."""
    cursor = scanner.cursor
    at = cursor.position
    tag = chr(cursor.raw(1, "the kind of a host object")[0])
    if tag not in _BLINK:
        raise Fault(at, "a host object of Blink's that is known here", f"0x{ord(tag):02x} {tag!r}")
    name, fields = _BLINK[tag]
    ident = scanner.number(start, name)
    shown: list[str] = []
    for field in fields.split():
        kind, _, label = field.partition(":")
        if kind.startswith("*"):
            number = cursor.varint(f"the number of {name}'s entries")
            shown.append(count(number, "entry"))
            for _ in range(number):  # each takes a byte at least, so the data bounds this
                _field(scanner, name, kind[1:], label, shown)
        else:
            _field(scanner, name, kind, label, shown)
    if len(shown) > _MAX_SHOWN:
        shown[_MAX_SHOWN:] = ["…"]
    row = scanner.add(start, "HOST_OBJECT", None, f"{name}, {', '.join(shown)}", ident=ident)
    row.head = cursor.position - start if cursor.position - start <= 9 else at + 1 - start
    return OBJECT


def _field(scanner: ValueScanner, name: str, kind: str, label: str, shown: list[str]) -> None:
    cursor = scanner.cursor
    what = f"{name}'s {label}" if label else name
    match kind:
        case "s":
            length = cursor.varint(f"the length of {what}")
            _show(shown, f"{label} {cursor.raw(length, what).decode('utf-8', 'replace')!r}")
        case "n" | "n64":
            _show(shown, f"{label} {cursor.varint(what, 64 if kind == 'n64' else 32)}")
        case "d":
            _show(shown, f"{label} {cursor.double(what):g}")
        case "b" | "b64":
            length = cursor.varint(f"the length of {what}", 64 if kind == "b64" else 32)
            cursor.skip(length, what)
            _show(shown, f"{label} {count(length, 'byte')}")
        case "f":
            _file(scanner, shown)
        case "i" | "i18":
            if scanner.blink >= 18:
                _image_settings(scanner, what)
            elif kind == "i":
                _show(shown, f"originClean {cursor.varint(what)}, premultiplied {cursor.varint(what)}")


def _show(shown: list[str], text: str) -> None:
    if len(shown) <= _MAX_SHOWN:
        shown.append(text)


def _file(scanner: ValueScanner, shown: list[str]) -> None:
    """A File has had more fields with nearly every version."""
    version = scanner.blink

    def texts(*labels: str) -> None:
        for label in labels:
            _field(scanner, "File", "s", label, shown)

    texts("path")
    if version >= 4:
        texts("name", "relativePath")
    texts("uuid", "type")
    if version >= 4:
        at = scanner.cursor.position
        has_snapshot = scanner.cursor.varint("File's snapshot")
        if has_snapshot > 1:
            raise Fault(at, "0 or 1, whether a File has a snapshot", str(has_snapshot))
        if has_snapshot:
            _field(scanner, "File", "n64", "size", shown)
            _field(scanner, "File", "d", "lastModified", shown)
    if version >= 7:
        _field(scanner, "File", "n", "userVisible", shown)


def _image_settings(scanner: ValueScanner, what: str) -> None:
    cursor = scanner.cursor
    while True:
        at = cursor.position
        setting = cursor.varint(f"a setting of {what}")
        if setting == 0:
            return
        if setting > 6:
            raise Fault(at, "a setting of an image, 1 to 6, or their end, 0", str(setting))
        cursor.varint(f"a setting of {what}")

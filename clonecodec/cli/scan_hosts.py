"""Host objects, which V8 leaves to the program around it: Node's table, and Blink's.

Node:   type index, length, bytes; only what the view shows, and no buffer.
Blink:  a byte for the kind, then fields.  One letter says what a field is:

    s text (length and UTF-8)   n number (varint of 32 bits)   N number (64 bits)   d double   o a byte
    b bytes behind a length     B bytes behind a length of 64 bits

    * before the letters: a count and that many of them        ? before the letters: a flag, then maybe them

Kinds whose fields depend on one another, or on Blink's version, have a function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from clonecodec.cli.cursor import Fault, count
from clonecodec.cli.names import NODE_HOST_TYPES, tag_in_words
from clonecodec.cli.scan_leaves import OBJECT, Result

if TYPE_CHECKING:
    from clonecodec.cli.scan_frames import FrameScanner


def node(scanner: FrameScanner, start: int) -> Result:
    """What Node's DefaultSerializer writes for a view or a Buffer."""
    cursor = scanner.cursor
    at = cursor.position
    index = cursor.varint("the type of a host object")
    if index >= len(NODE_HOST_TYPES):
        if at == start:  # an unknown tag, before there was one for host objects
            is_first = scanner.version == 0 and start == scanner.origin
            expected = "a version header, 0xff, or a value of version 0" if is_first else "a value"
            raise Fault(start, expected, tag_in_words(cursor.data[start]))
        raise Fault(at, f"a type of Node's host objects, 0 to {len(NODE_HOST_TYPES) - 1}", f"{index:,}")
    name = NODE_HOST_TYPES[index]
    length = cursor.varint(f"the length of a {name}")
    head = cursor.position - start
    cursor.skip(length, f"a {name}")
    ident = scanner.number(start, name)
    scanner.add(start, "HOST_OBJECT", None, f"{name}, {count(length, 'byte')}", ident=ident, head=head)
    return OBJECT


_CELLS: Final = " ".join(f"d:m{row}{column}" for row in range(1, 5) for column in range(1, 5))
_RECTANGLE: Final = "d:x d:y d:width d:height"
_INDEX: Final = "n:index"

_BLINK: Final[dict[str, tuple[str, str]]] = {
    "b": ("Blob", "s:uuid s:type N:size"),
    "i": ("Blob by index", _INDEX),
    "f": ("File", "file"),
    "e": ("File by index", _INDEX),
    "l": ("FileList", "files"),
    "L": ("FileList by index", "*n:index"),
    "d": ("DOMFileSystem", "n:type s:name s:rootURL"),
    "n": ("FileSystemFileHandle", "s:name n:token"),
    "N": ("FileSystemDirectoryHandle", "s:name n:token"),
    "#": ("ImageData", "image-data n:width n:height B:pixels"),
    "g": ("ImageBitmap", "image-bitmap n:width n:height b:pixels"),
    "G": ("ImageBitmap, transferred", _INDEX),
    "H": ("OffscreenCanvas, transferred", "n:width n:height n:id n:client n:sink n:filterQuality"),
    "r": ("ReadableStream, transferred", _INDEX),
    "w": ("WritableStream, transferred", _INDEX),
    "m": ("TransformStream, transferred", _INDEX),
    "M": ("MessagePort, transferred", _INDEX),
    "h": ("MojoHandle, transferred", _INDEX),
    "Q": ("DOMPoint", "d:x d:y d:z d:w"),
    "W": ("DOMPointReadOnly", "d:x d:y d:z d:w"),
    "E": ("DOMRect", _RECTANGLE),
    "R": ("DOMRectReadOnly", _RECTANGLE),
    "T": ("DOMQuad", " ".join(f"d:{axis}{point}" for point in range(1, 5) for axis in "xyzw")),
    "I": ("DOMMatrix", " ".join(f"d:{cell}" for cell in "abcdef")),
    "O": ("DOMMatrixReadOnly", " ".join(f"d:{cell}" for cell in "abcdef")),
    "Y": ("DOMMatrix", _CELLS),
    "U": ("DOMMatrixReadOnly", _CELLS),
    "K": ("CryptoKey", "crypto-key"),
    "k": ("RTCCertificate", "s:privateKey s:certificate"),
    "s": ("MediaStreamTrack", "track"),
    "A": ("RTCEncodedAudioFrame", _INDEX),
    "V": ("RTCEncodedVideoFrame", _INDEX),
    "p": ("RTCDataChannel", _INDEX),
    "a": ("AudioData", _INDEX),
    "v": ("VideoFrame", _INDEX),
    "y": ("EncodedAudioChunk", _INDEX),
    "z": ("EncodedVideoChunk", _INDEX),
    "c": ("CropTarget", "s:id"),
    "D": ("RestrictionTarget", "s:id"),
    "S": ("MediaSourceHandle", _INDEX),
    "C": ("FencedFrameConfig", "s:url n:visibility n:freeze s:urn ?s:storage ?nn:container ?nn:content"),
    "x": ("DOMException", "s:name s:message s:stack"),
    # Behind a flag in Chrome 71 to 81
    "B": ("DetectedBarcode", f"s:value {_RECTANGLE} *dd:corner"),
    "F": ("DetectedFace", f"{_RECTANGLE} landmarks"),
    "t": ("DetectedText", f"s:value {_RECTANGLE} *dd:corner"),
}

_MAX_SHOWN: Final = 8  # fields of one object in its row; the bytes are all there anyway
_PARAMETERS: Final = 16  # doubles of a parametric colour space: a transfer function and a matrix


def blink(scanner: FrameScanner, start: int) -> Result:
    """What Blink writes for its own objects, by its version."""
    cursor = scanner.cursor
    at = cursor.position
    tag = chr(cursor.raw(1, "the kind of a host object")[0])
    if tag not in _BLINK:
        raise Fault(at, "a host object of Blink's that is known here", f"0x{ord(tag):02x}")
    name, fields = _BLINK[tag]
    ident = scanner.number(start, name, usable=False)
    reader = _Fields(scanner, name)
    reader.read(fields)
    scanner.finish(ident)
    text = ", ".join([name, *reader.shown[:_MAX_SHOWN], *["…"] * (len(reader.shown) > _MAX_SHOWN)])
    row = scanner.add(start, "HOST_OBJECT", None, text, ident=ident)
    row.head = at + 1 - start
    return OBJECT


class _Fields:
    """Reads the fields of one object, and keeps the first of them to be shown."""

    def __init__(self, scanner: FrameScanner, name: str) -> None:
        self.shown: list[str] = []
        self._cursor: Final = scanner.cursor
        self._version: Final = scanner.blink
        self._name: Final = name
        self._functions: Final[dict[str, Callable[[], None]]] = {
            "file": self._file,
            "files": self._files,
            "image-data": self._image_data,
            "image-bitmap": self._image_bitmap,
            "crypto-key": self._crypto_key,
            "track": self._track,
            "landmarks": self._landmarks,
        }

    def read(self, fields: str) -> None:
        for field in fields.split():
            letters, _, label = field.partition(":")
            if not label:
                self._functions[letters]()
            elif letters[0] == "*":
                for _ in range(
                    self._number(f"number of {label}s")
                ):  # each takes bytes, so the data bounds this
                    self._letters(letters[1:], label)
            elif letters[0] == "?":
                if self._number(f"whether there is a {label}"):
                    self._letters(letters[1:], label)
            else:
                self._letters(letters, label)

    def _letters(self, letters: str, label: str) -> None:
        for letter in letters:
            self._one(letter, label)

    def _number(self, label: str, bits: int = 32) -> int:
        return self._cursor.varint(f"{self._name}'s {label}", bits)

    def _one(self, letter: str, label: str) -> int:
        """Read and show one field; a number is returned too."""
        what, value = f"{self._name}'s {label}", 0
        match letter:
            case "s":
                length = self._number(f"length of {label}")
                at = self._cursor.position
                data = self._cursor.raw(length, what)
                try:
                    self._show(label, repr(data.decode("utf-8")))
                except UnicodeDecodeError as error:
                    raise Fault(at + error.start, f"{what} in UTF-8", f"0x{data[error.start]:02x}") from None
            case "n" | "N":
                value = self._number(label, 32 if letter == "n" else 64)
                self._show(label, str(value))
            case "o":
                value = self._cursor.raw(1, what)[0]
                self._show(label, str(value))
            case "d":
                self._show(label, f"{self._cursor.double(what):g}")
            case _:
                value = self._number(f"length of {label}", 32 if letter == "b" else 64)
                self._cursor.skip(value, what)
                self._show(label, count(value, "byte"))
        return value

    def _show(self, label: str, text: str) -> None:
        if len(self.shown) <= _MAX_SHOWN:
            self.shown.append(f"{label} {text}")

    def _file(self) -> None:
        """A File has had more fields with nearly every version."""
        self.read("s:path")
        if self._version >= 4:
            self.read("s:name s:relativePath")
        self.read("s:uuid s:type")
        if self._version >= 4 and self._number("snapshot"):
            self.read("N:size d:lastModified")
        if self._version >= 7:
            self.read("n:userVisible")

    def _files(self) -> None:
        for _ in range(self._number("number of files")):
            self._file()

    def _image_data(self) -> None:
        if self._version >= 18:
            self._settings((1, 3))

    def _image_bitmap(self) -> None:
        if self._version >= 18:
            self._settings((1, 2, 4, 5, 6, 7, 8))
        else:
            self.read("n:originClean n:premultiplied")

    def _settings(self, allowed: tuple[int, ...]) -> None:
        """Pairs of a setting's number and its value, up to a 0."""
        while True:
            at = self._cursor.position
            setting = self._number("setting")
            if setting == 0:
                return
            if setting not in allowed:
                raise Fault(at, f"a setting of an image ({', '.join(map(str, allowed))}) or 0", str(setting))
            if setting == 7:
                for _ in range(_PARAMETERS):
                    self._cursor.double(f"{self._name}'s colour space")
            else:
                self._one("n", f"setting {setting}")

    def _crypto_key(self) -> None:
        at = self._cursor.position
        kind = self._one("o", "kind")
        parameters = {
            1: "n:algorithm n:length",
            2: "n:length n:hash",
            4: "n:algorithm n:type n:modulusLength b:publicExponent n:hash",
            5: "n:algorithm n:type n:curve",
            6: "n:algorithm",
            7: "n:algorithm n:type",
            8: "n:algorithm n:type",
        }
        if kind not in parameters:
            raise Fault(at, "a kind of CryptoKey, 1, 2 or 4 to 8", str(kind))
        self.read(f"{parameters[kind]} n:usages b:key")

    def _track(self) -> None:
        subtype = self._one("n", "subtype")
        self.read(
            "N:session N:session N:transfer N:transfer s:kind s:id s:label o:enabled o:muted n:hint n:state"
        )
        if subtype == 3:
            self.read("n:version")

    def _landmarks(self) -> None:
        for _ in range(self._number("number of landmarks")):
            self.read("s:landmark *dd:location")

"""Blink's host objects: what follows the tag ``\\`` (or stands bare, before version 13 of V8's format).

    uint    varint of 32 bits, or of 64 where it says so          double  8 bytes, little-endian
    text    length:uint, UTF-8                                     octets  length:uint, bytes

One line of ``_SIMPLE``, or one function, for each tag of Chromium's serialization_tag.h (its names there), in
its order.  Where a field came with a version of Blink's envelope, ``Fields.version`` decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from clonecodec.errors import DecodeError

if TYPE_CHECKING:
    from clonecodec import Deserializer


@dataclass
class BlinkObject:
    """An object that the browser provides, as far as its bytes tell of it.

    Attributes:
        kind: its class, as JavaScript names it: ``"Blob"``, ``"File"``, ``"CryptoKey"``.  Some have a name of
            ours: ``"BlobIndex"``, ``"FileIndex"`` and ``"FileListIndex"`` only point into the list of blobs
            that IndexedDB keeps beside the record, and ``"ExternalValue"`` stands for a whole value there.
        fields: what was written of it.

    >>> BlinkObject("DOMPoint", {"x": 1.0, "y": 2.0, "z": 0.0, "w": 1.0}).fields["x"]
    1.0
    """

    kind: str
    fields: dict[str, Any]


class Fields:
    """Reads the fields of one host object."""

    def __init__(self, deserializer: Deserializer, version: int, position: Callable[[], int]) -> None:
        self.version: Final = version
        self.position: Final = position
        self.uint = deserializer.read_uint32
        self.uint64 = deserializer.read_uint64
        self.double = deserializer.read_double
        self._raw = deserializer.read_raw_bytes

    def raw(self, length: int) -> bytes:
        return bytes(self._raw(length))

    def octets(self) -> bytes:
        return self.raw(self.uint())

    def byte(self) -> int:
        return self.raw(1)[0]

    def text(self) -> str:
        start = self.position()
        data = self.octets()
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DecodeError("a host object's text is not UTF-8", start) from error

    def flag(self) -> bool:
        return bool(self.choice((False, True), "flag"))

    def flag_byte(self) -> bool:
        start = self.position()
        value = self.byte()
        if value > 1:
            raise DecodeError(f"unknown flag {value}", start)
        return bool(value)

    def choice(self, names: tuple[Any, ...] | dict[int, Any], what: str) -> Any:
        """The name of an enumeration's member."""
        start = self.position()
        number = self.uint()
        if isinstance(names, dict):
            if number in names:
                return names[number]
        elif number < len(names):
            return names[number]
        raise DecodeError(f"unknown {what} {number}", start)

    def token(self) -> str:
        """A base::UnguessableToken, as Chromium prints it."""
        return f"{self.uint64():016X}{self.uint64():016X}"

    def doubles(self, names: str) -> dict[str, float]:
        return {name: self.double() for name in names.split()}

    def points(self) -> list[dict[str, float]]:
        return [self.doubles("x y") for _ in range(self.uint())]

    def require(self, version: int, what: str) -> None:
        if self.version < version:
            raise DecodeError(f"{what} in an envelope of version {self.version}", self.position())


Read = Callable[[Fields], dict[str, Any]]


def _blob(fields: Fields) -> dict[str, Any]:
    fields.require(3, "a Blob")
    return {"uuid": fields.text(), "type": fields.text(), "size": fields.uint64()}


def _index(version: int = 0, what: str = "an index") -> Read:
    def read(fields: Fields) -> dict[str, Any]:
        fields.require(version, what)
        return {"index": fields.uint()}

    return read


def _file(fields: Fields) -> dict[str, Any]:
    fields.require(3, "a File")
    found: dict[str, Any] = {"path": fields.text(), "name": None, "relative_path": None}
    if fields.version >= 4:
        found["name"] = fields.text()
        found["relative_path"] = fields.text()
    found["uuid"] = fields.text()
    found["type"] = fields.text()
    found["size"] = found["last_modified"] = None
    if fields.version >= 4 and fields.uint():
        found["size"] = fields.uint64()
        # Milliseconds since 1970, from version 8 on; seconds before.
        found["last_modified"] = fields.double() * (1 if fields.version >= 8 else 1000)
    found["user_visible"] = bool(fields.uint()) if fields.version >= 7 else True
    return found


def _file_list(fields: Fields) -> dict[str, Any]:
    return {"files": [_file(fields) for _ in range(fields.uint())]}


def _file_list_index(fields: Fields) -> dict[str, Any]:
    fields.require(6, "an indexed FileList")
    return {"indices": [fields.uint() for _ in range(fields.uint())]}


def _file_system(fields: Fields) -> dict[str, Any]:
    kinds = ("temporary", "persistent", "isolated", "external")
    start = fields.position()
    number = fields.uint()
    kind = kinds[number] if number < len(kinds) else number
    if number > 0xFF:
        raise DecodeError(f"unknown type of a file system {number}", start)
    return {"type": kind, "name": fields.text(), "root_url": fields.text()}


def _file_system_handle(fields: Fields) -> dict[str, Any]:
    return {"name": fields.text(), "token_index": fields.uint()}


_COLOR_SPACES: Final = ("legacy", "srgb", "rec2020", "display-p3")
_PIXEL_FORMATS: Final = ("legacy", "rgba-float16", "rgba-unorm8", "bgra-unorm8")
_STORAGE_FORMATS: Final = ("uint8-clamped", "uint16", "float32")
_BYTES_PER_PIXEL: Final = {"uint8-clamped": 4, "uint16": 8, "float32": 16}
_DATA_SETTINGS: Final = (1, 3)
_BITMAP_SETTINGS: Final = (1, 2, 4, 5, 6, 7, 8)
_PARAMETERS: Final = 16  # of a parametric colour space: a transfer function (7) and a matrix (9)


def _settings(fields: Fields, allowed: tuple[int, ...]) -> dict[str, Any]:
    """``(setting:uint value)* 0``, since version 18."""
    found: dict[str, Any] = {}
    while True:
        start = fields.position()
        setting = fields.uint()
        if setting == 0:
            return found
        if setting not in allowed:
            raise DecodeError(f"unknown setting {setting} of an image", start)
        match setting:
            case 1:
                found["color_space"] = fields.choice(_COLOR_SPACES, "colour space")
            case 2:
                found["pixel_format"] = fields.choice(_PIXEL_FORMATS, "pixel format")
            case 3:
                found["storage_format"] = fields.choice(_STORAGE_FORMATS, "storage format")
            case 4:
                found["origin_clean"] = fields.flag()
            case 5:
                found["premultiplied"] = fields.flag()
            case 6:
                found["opaque"] = fields.flag()
            case 7:
                found["parametric_color_space"] = [fields.double() for _ in range(_PARAMETERS)]
            case 8:
                found["orientation"] = fields.uint()


def _image_data(fields: Fields) -> dict[str, Any]:
    found = _settings(fields, _DATA_SETTINGS) if fields.version >= 18 else {}
    found["width"], found["height"] = fields.uint(), fields.uint()
    start = fields.position()
    length = fields.uint64()
    depth = _BYTES_PER_PIXEL[found.get("storage_format", "uint8-clamped")]
    if length != found["width"] * found["height"] * depth:
        raise DecodeError(f"{length} bytes are not {found['width']} by {found['height']} pixels", start)
    found["data"] = fields.raw(length)
    return found


def _image_bitmap(fields: Fields) -> dict[str, Any]:
    if fields.version >= 18:
        found = _settings(fields, _BITMAP_SETTINGS)
    else:
        found = {"origin_clean": fields.flag(), "premultiplied": fields.flag()}
    found["width"], found["height"] = fields.uint(), fields.uint()
    start = fields.position()
    length = fields.uint()
    depth = 8 if found.get("pixel_format") == "rgba-float16" else 4
    if length != found["width"] * found["height"] * depth:
        raise DecodeError(f"{length} bytes are not {found['width']} by {found['height']} pixels", start)
    found["data"] = fields.raw(length)
    return found


def _offscreen_canvas(fields: Fields) -> dict[str, Any]:
    names = ("width", "height", "canvas_id", "client_id", "sink_id", "filter_quality")
    return {name: fields.uint() for name in names}


def _numbers(names: str) -> Read:
    return lambda fields: fields.doubles(names)


def _quad(fields: Fields) -> dict[str, Any]:
    return {name: fields.doubles("x y z w") for name in ("p1", "p2", "p3", "p4")}


_ALGORITHMS: Final = {
    1: "AES-CBC",
    2: "HMAC",
    3: "RSASSA-PKCS1-v1_5",
    5: "SHA-1",
    6: "SHA-256",
    7: "SHA-384",
    8: "SHA-512",
    9: "AES-GCM",
    10: "RSA-OAEP",
    11: "AES-CTR",
    12: "AES-KW",
    13: "RSA-PSS",
    14: "ECDSA",
    15: "ECDH",
    16: "HKDF",
    17: "PBKDF2",
    18: "Ed25519",
    19: "X25519",
}
_CURVES: Final = {1: "P-256", 2: "P-384", 3: "P-521"}
_KEY_TYPES: Final = {1: "public", 2: "private"}
_USAGES: Final = ("encrypt", "decrypt", "sign", "verify", "deriveKey", "wrapKey", "unwrapKey", "deriveBits")


def _crypto_key(fields: Fields) -> dict[str, Any]:
    start = fields.position()
    sub_tag = fields.byte()
    algorithm: dict[str, Any] = {}
    kind = "secret"
    match sub_tag:
        case 1:  # AES
            algorithm["name"] = fields.choice(_ALGORITHMS, "algorithm")
            algorithm["length"] = fields.uint() * 8
        case 2:  # HMAC
            algorithm["name"] = "HMAC"
            algorithm["length"] = fields.uint() * 8
            algorithm["hash"] = fields.choice(_ALGORITHMS, "algorithm")
        case 4:  # RSA with a hash
            algorithm["name"] = fields.choice(_ALGORITHMS, "algorithm")
            kind = fields.choice(_KEY_TYPES, "type of a key")
            algorithm["modulus_length"] = fields.uint()
            algorithm["public_exponent"] = fields.octets()
            algorithm["hash"] = fields.choice(_ALGORITHMS, "algorithm")
        case 5:  # elliptic curve
            algorithm["name"] = fields.choice(_ALGORITHMS, "algorithm")
            kind = fields.choice(_KEY_TYPES, "type of a key")
            algorithm["named_curve"] = fields.choice(_CURVES, "curve")
        case 6:  # no parameters
            algorithm["name"] = fields.choice(_ALGORITHMS, "algorithm")
        case 7 | 8:  # Ed25519, X25519
            algorithm["name"] = fields.choice(_ALGORITHMS, "algorithm")
            kind = fields.choice(_KEY_TYPES, "type of a key")
        case _:
            raise DecodeError(f"unknown kind of key {sub_tag}", start)
    start = fields.position()
    usages = fields.uint()
    if usages >> (len(_USAGES) + 1):
        raise DecodeError(f"unknown usages of a key 0x{usages:x}", start)
    return {
        "algorithm": algorithm,
        "type": kind,
        "extractable": bool(usages & 1),
        "usages": [name for bit, name in enumerate(_USAGES, 1) if usages >> bit & 1],
        "data": fields.octets(),
    }


def _texts(*names: str) -> Read:
    return lambda fields: {name: fields.text() for name in names}


_TRACKS: Final = ("MediaStreamTrack", "CanvasCapture", "Generator", "BrowserCapture")
_READY: Final = ("live", "muted", "ended")


def _media_stream_track(fields: Fields) -> dict[str, Any]:
    found: dict[str, Any] = {
        "subtype": fields.choice(_TRACKS, "subtype of a track"),
        "session_id": fields.token(),
        "transfer_id": fields.token(),
        "kind": fields.text(),
        "id": fields.text(),
        "label": fields.text(),
        "enabled": fields.flag_byte(),
        "muted": fields.flag_byte(),
        "content_hint": fields.uint(),
        "ready_state": fields.choice(_READY, "state of a track"),
    }
    if found["subtype"] == "BrowserCapture":
        found["sub_capture_target_version"] = fields.uint()
    return found


def _size(fields: Fields) -> dict[str, int] | None:
    return {"width": fields.uint(), "height": fields.uint()} if fields.uint() else None


def _fenced_frame_config(fields: Fields) -> dict[str, Any]:
    return {
        "url": fields.text(),
        "url_visibility": fields.uint(),
        "freeze_initial_size": bool(fields.uint()),
        "urn_uuid": fields.text(),
        "shared_storage_context": fields.text() if fields.uint() else None,
        "container_size": _size(fields),
        "content_size": _size(fields),
    }


def _barcode_or_text(fields: Fields) -> dict[str, Any]:
    return {
        "raw_value": fields.text(),
        "bounding_box": fields.doubles("x y width height"),
        "corner_points": fields.points(),
    }


def _face(fields: Fields) -> dict[str, Any]:
    return {
        "bounding_box": fields.doubles("x y width height"),
        "landmarks": [{"type": fields.text(), "locations": fields.points()} for _ in range(fields.uint())],
    }


_MATRIX: Final = " ".join(f"m{column}{row}" for column in range(1, 5) for row in range(1, 5))

_KINDS: Final[dict[str, tuple[str, Read]]] = {
    "b": ("Blob", _blob),
    "i": ("BlobIndex", _index(6, "an indexed Blob")),
    "f": ("File", _file),
    "e": ("FileIndex", _index(6, "an indexed File")),
    "d": ("DOMFileSystem", _file_system),
    "n": ("FileSystemFileHandle", _file_system_handle),
    "N": ("FileSystemDirectoryHandle", _file_system_handle),
    "l": ("FileList", _file_list),
    "L": ("FileListIndex", _file_list_index),
    "#": ("ImageData", _image_data),
    "g": ("ImageBitmap", _image_bitmap),
    "G": ("ImageBitmapTransfer", _index()),
    "H": ("OffscreenCanvas", _offscreen_canvas),
    "r": ("ReadableStream", _index()),
    "w": ("WritableStream", _index()),
    "m": ("TransformStream", _index()),
    "M": ("MessagePort", _index()),
    "h": ("MojoHandle", _index()),
    "Q": ("DOMPoint", _numbers("x y z w")),
    "W": ("DOMPointReadOnly", _numbers("x y z w")),
    "E": ("DOMRect", _numbers("x y width height")),
    "R": ("DOMRectReadOnly", _numbers("x y width height")),
    "T": ("DOMQuad", _quad),
    "I": ("DOMMatrix", _numbers("a b c d e f")),
    "O": ("DOMMatrixReadOnly", _numbers("a b c d e f")),
    "Y": ("DOMMatrix", _numbers(_MATRIX)),
    "U": ("DOMMatrixReadOnly", _numbers(_MATRIX)),
    "K": ("CryptoKey", _crypto_key),
    "k": ("RTCCertificate", _texts("private_key", "certificate")),
    "s": ("MediaStreamTrack", _media_stream_track),
    "A": ("RTCEncodedAudioFrame", _index()),
    "V": ("RTCEncodedVideoFrame", _index()),
    "p": ("RTCDataChannel", _index()),
    "a": ("AudioData", _index()),
    "v": ("VideoFrame", _index()),
    "y": ("EncodedAudioChunk", _index()),
    "z": ("EncodedVideoChunk", _index()),
    "c": ("CropTarget", _texts("id")),
    "D": ("RestrictionTarget", _texts("id")),
    "S": ("MediaSourceHandle", _index()),
    "C": ("FencedFrameConfig", _fenced_frame_config),
    "x": ("DOMException", _texts("name", "message", "stack")),
    # Of Chrome 71 to 81, behind a flag.
    "B": ("DetectedBarcode", _barcode_or_text),
    "F": ("DetectedFace", _face),
    "t": ("DetectedText", _barcode_or_text),
}


def read_blink_object(fields: Fields) -> BlinkObject:
    """Read a host object: its tag, and what follows it."""
    start = fields.position()
    tag = fields.byte()
    found = _KINDS.get(chr(tag))
    if found is None:
        raise DecodeError(f"unknown tag 0x{tag:02x} of a host object", start)
    kind, read = found
    return BlinkObject(kind, read(fields))

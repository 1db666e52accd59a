"""Chrome's envelopes of all versions, IndexedDB's wrappers, every host object, and what is none of them."""

from __future__ import annotations

import builtins
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import cramjam
import pytest

from clonecodec import Boxed, DecodeError, TruncatedError, dumps
from clonecodec.foreign import BlinkObject, Envelope, read_blink, read_envelope
from tests.foreign.hostile import assert_only_decode_errors

VALUE = "ff0f 6f 2201 78 4902 7b01"  # {x: 1} in V8's format
TRAILER = "a0 00000002 51 62"


def trailed(version: int, value: str, trailer: str = "") -> bytes:
    """*value* in an envelope of version 21 or more."""
    head = bytes([0xFF, version, 0xFE])
    body, tail = bytes.fromhex(value), bytes.fromhex(trailer)
    place = len(head) + 12 + len(body) if tail else 0
    return head + struct.pack(">QI", place, len(tail)) + body + tail


def swapped(data: bytes) -> bytes:
    """As IndexedDB kept it before April 2017: padded to pairs, the bytes of each swapped."""
    data += b"\0" * (len(data) % 2)
    return b"".join(data[place : place + 2][::-1] for place in range(0, len(data), 2))


def varint(number: int) -> bytes:
    code = bytearray()
    while number > 0x7F:
        code.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(code) + bytes([number])


ENVELOPES = [
    # bytes                                             what lies around them
    (bytes.fromhex(VALUE), Envelope(15, 0, 10)),
    (bytes.fromhex("ff10" + VALUE[4:]), Envelope(16, 0, 10)),
    (bytes.fromhex("ff0d" + VALUE[4:]), Envelope(13, 0, 10)),
    (bytes.fromhex("ff09 6f 5301 78 4902 7b01"), Envelope(9, 0, 10)),
    (bytes.fromhex("ff10" + VALUE), Envelope(16, 2, 12)),
    (bytes.fromhex("ff11" + VALUE), Envelope(17, 2, 12)),
    (bytes.fromhex("ff13" + VALUE), Envelope(19, 2, 12)),
    (bytes.fromhex("ff14" + VALUE), Envelope(20, 2, 12)),
    (trailed(21, VALUE), Envelope(21, 15, 25)),
    (trailed(21, VALUE, TRAILER), Envelope(21, 15, 25, None, b"Qb")),
    (trailed(22, VALUE), Envelope(22, 15, 25)),
    (bytes.fromhex("5301 78 4902 7b01"), Envelope(0, 0, 7)),
]


@pytest.mark.parametrize(("data", "envelope"), ENVELOPES)
def test_every_envelope_is_read(data: bytes, envelope: Envelope) -> None:
    assert read_envelope(data) == envelope
    assert read_blink(data) == {"x": 1}
    assert read_blink(bytearray(data)) == read_blink(memoryview(data)) == {"x": 1}


@pytest.mark.parametrize(("data", "envelope"), ENVELOPES)
def test_a_record_version_before_it_is_seen_or_said(data: bytes, envelope: Envelope) -> None:
    for record in (1, 7, 0x49, 127, 128, 255, 300, 70000):
        recorded = varint(record) + data

        assert read_blink(recorded, record_version=True) == {"x": 1}
        if envelope.start:  # IndexedDB writes two headers since it has no more swapping
            assert read_blink(recorded) == {"x": 1}


def test_an_argument_is_believed_and_not_what_the_bytes_look_like() -> None:
    assert read_blink(bytes.fromhex("ff14" + VALUE), record_version=False) == {"x": 1}
    # FF 14 is a record version here, of 2687.
    assert read_blink(bytes.fromhex("ff14" + VALUE), record_version=True) == {"x": 1}
    with pytest.raises(DecodeError):
        read_blink(b"\x01" + bytes.fromhex("ff14" + VALUE), record_version=False)


@pytest.mark.parametrize("record", [b"", b"\x05", b"\xac\x02"])
@pytest.mark.parametrize("version", [1, 5, 9, 13, 15])
def test_swapped_bytes_are_seen(version: int, record: bytes) -> None:
    data = swapped(bytes([0xFF, version]) + bytes.fromhex("6f 5301 78 4902 7b01"))

    assert read_blink(record + data, record_version=bool(record)) == {"x": 1}
    assert read_blink(record + data) == {"x": 1}


def test_swapped_bytes_without_a_header_are_read_when_that_is_said() -> None:
    assert read_blink(swapped(bytes.fromhex("5301 78 4902 7b01")), byte_swapped=True) == {"x": 1}


@pytest.mark.parametrize("record", [b"", b"\x07"])
def test_a_compressed_value_is_read(record: bytes) -> None:
    value = {"text": "again and again " * 1000}
    whole = b"\xff\x14" + dumps(value)
    data = b"\xff\x11\x02" + bytes(cramjam.snappy.compress_raw(whole))

    assert len(data) < 1000
    assert read_envelope(data).wrapper == "snappy"
    assert read_blink(record + data) == value


def test_a_compressed_value_without_cramjam_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        if name == "cramjam":
            raise ImportError(name)
        return original(name, globals, locals, fromlist or (), level)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'clonecodec\[foreign\]'"):
        read_blink(b"\xff\x11\x02" + bytes(cramjam.snappy.compress_raw(bytes.fromhex(VALUE))))


def test_a_value_in_a_blob_says_which() -> None:
    data = bytes.fromhex("ff11 01 ac02 03")

    assert read_envelope(data).wrapper == "blob"
    assert read_blink(data) == BlinkObject("ExternalValue", {"size": 300, "index": 3})
    assert read_blink(b"\x01" + data) == BlinkObject("ExternalValue", {"size": 300, "index": 3})


def text(value: str) -> str:
    data = value.encode()
    return (varint(len(data)) + data).hex()


def doubles(*values: float) -> str:
    return struct.pack(f"<{len(values)}d", *values).hex()


FILE = text("/p") + text("n") + text("r/n") + text("u-u") + text("t/t") + "01" + "ac02" + doubles(5.0) + "01"
FILE_FIELDS = {
    "path": "/p",
    "name": "n",
    "relative_path": "r/n",
    "uuid": "u-u",
    "type": "t/t",
    "size": 300,
    "last_modified": 5.0,
    "user_visible": True,
}
XYZW: dict[str, object] = {"x": 1.0, "y": 2.0, "z": 3.0, "w": 4.0}
RECT: dict[str, object] = {"x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0}
M16 = {f"m{column}{row}": float(4 * column + row) for column in range(1, 5) for row in range(1, 5)}
M6 = dict(zip("abcdef", (1.0, 2.0, 3.0, 4.0, 5.0, 6.0), strict=True))


def key(algorithm: dict[str, object], kind: str = "secret") -> dict[str, object]:
    return {
        "algorithm": algorithm,
        "type": kind,
        "extractable": True,
        "usages": ["encrypt", "decrypt"],
        "data": b"\x01\x02",
    }


USE = "07 02 0102"  # extractable, encrypt, decrypt; two bytes of key

OBJECTS: list[tuple[str, str, dict[str, object]]] = [
    # tag and payload                                       kind                 fields
    ("62" + text("u-u") + text("t/t") + "ac02", "Blob", {"uuid": "u-u", "type": "t/t", "size": 300}),
    ("69 ac02", "BlobIndex", {"index": 300}),
    ("66" + FILE, "File", FILE_FIELDS),
    (
        "66" + text("") * 5 + "00 00",
        "File",
        {
            "path": "",
            "name": "",
            "relative_path": "",
            "uuid": "",
            "type": "",
            "size": None,
            "last_modified": None,
            "user_visible": False,
        },
    ),
    ("65 02", "FileIndex", {"index": 2}),
    ("6c 02" + FILE + FILE, "FileList", {"files": [FILE_FIELDS, FILE_FIELDS]}),
    ("4c 03 00 01 ac02", "FileListIndex", {"indices": [0, 1, 300]}),
    ("64 01" + text("n") + text("r"), "DOMFileSystem", {"type": "persistent", "name": "n", "root_url": "r"}),
    ("6e" + text("n") + "04", "FileSystemFileHandle", {"name": "n", "token_index": 4}),
    ("4e" + text("ü") + "04", "FileSystemDirectoryHandle", {"name": "ü", "token_index": 4}),
    (
        "23 01 03 03 00 00 02 01 08 0102030405060708",
        "ImageData",
        {
            "color_space": "display-p3",
            "storage_format": "uint8-clamped",
            "width": 2,
            "height": 1,
            "data": bytes(range(1, 9)),
        },
    ),
    (
        "67 07" + doubles(*range(16)) + "02 02 06 01 04 01 05 00 08 02 00 01 01 04 01020304",
        "ImageBitmap",
        {
            "parametric_color_space": [float(n) for n in range(16)],
            "pixel_format": "rgba-unorm8",
            "opaque": True,
            "origin_clean": True,
            "premultiplied": False,
            "orientation": 2,
            "width": 1,
            "height": 1,
            "data": b"\x01\x02\x03\x04",
        },
    ),
    ("47 01", "ImageBitmapTransfer", {"index": 1}),
    (
        "48 01 02 03 04 05 06",
        "OffscreenCanvas",
        {"width": 1, "height": 2, "canvas_id": 3, "client_id": 4, "sink_id": 5, "filter_quality": 6},
    ),
    ("72 01", "ReadableStream", {"index": 1}),
    ("77 01", "WritableStream", {"index": 1}),
    ("6d 01", "TransformStream", {"index": 1}),
    ("4d 01", "MessagePort", {"index": 1}),
    ("68 01", "MojoHandle", {"index": 1}),
    ("51" + doubles(1, 2, 3, 4), "DOMPoint", XYZW),
    ("57" + doubles(1, 2, 3, 4), "DOMPointReadOnly", XYZW),
    ("45" + doubles(1, 2, 3, 4), "DOMRect", RECT),
    ("52" + doubles(1, 2, 3, 4), "DOMRectReadOnly", RECT),
    ("54" + doubles(1, 2, 3, 4) * 4, "DOMQuad", {"p1": XYZW, "p2": XYZW, "p3": XYZW, "p4": XYZW}),
    ("49" + doubles(*M6.values()), "DOMMatrix", dict(M6)),
    ("4f" + doubles(*M6.values()), "DOMMatrixReadOnly", dict(M6)),
    ("59" + doubles(*M16.values()), "DOMMatrix", dict(M16)),
    ("55" + doubles(*M16.values()), "DOMMatrixReadOnly", dict(M16)),
    ("4b 01 01 20" + USE, "CryptoKey", key({"name": "AES-CBC", "length": 256})),
    ("4b 02 40 06" + USE, "CryptoKey", key({"name": "HMAC", "length": 512, "hash": "SHA-256"})),
    (
        "4b 04 0d 01 8010 03 010001 06" + USE,
        "CryptoKey",
        key(
            {
                "name": "RSA-PSS",
                "modulus_length": 2048,
                "public_exponent": b"\x01\0\x01",
                "hash": "SHA-256",
            },
            "public",
        ),
    ),
    ("4b 05 0e 02 01" + USE, "CryptoKey", key({"name": "ECDSA", "named_curve": "P-256"}, "private")),
    ("4b 06 11" + USE, "CryptoKey", key({"name": "PBKDF2"})),
    ("4b 07 12 02" + USE, "CryptoKey", key({"name": "Ed25519"}, "private")),
    ("4b 08 13 01" + USE, "CryptoKey", key({"name": "X25519"}, "public")),
    ("6b" + text("key") + text("cert"), "RTCCertificate", {"private_key": "key", "certificate": "cert"}),
    (
        "73 03 01 02 03 04" + text("video") + text("i") + text("l") + "01 00 02 02 09",
        "MediaStreamTrack",
        {
            "subtype": "BrowserCapture",
            "session_id": "0000000000000001" + "0000000000000002",
            "transfer_id": "0000000000000003" + "0000000000000004",
            "kind": "video",
            "id": "i",
            "label": "l",
            "enabled": True,
            "muted": False,
            "content_hint": 2,
            "ready_state": "ended",
            "sub_capture_target_version": 9,
        },
    ),
    ("41 05", "RTCEncodedAudioFrame", {"index": 5}),
    ("56 05", "RTCEncodedVideoFrame", {"index": 5}),
    ("70 05", "RTCDataChannel", {"index": 5}),
    ("61 05", "AudioData", {"index": 5}),
    ("76 05", "VideoFrame", {"index": 5}),
    ("79 05", "EncodedAudioChunk", {"index": 5}),
    ("7a 05", "EncodedVideoChunk", {"index": 5}),
    ("53 05", "MediaSourceHandle", {"index": 5}),
    ("63" + text("c-c"), "CropTarget", {"id": "c-c"}),
    ("44" + text("d-d"), "RestrictionTarget", {"id": "d-d"}),
    (
        "43" + text("https://a/") + "01 01" + text("urn:uuid:1") + "01" + text("s") + "01 02 03 00",
        "FencedFrameConfig",
        {
            "url": "https://a/",
            "url_visibility": 1,
            "freeze_initial_size": True,
            "urn_uuid": "urn:uuid:1",
            "shared_storage_context": "s",
            "container_size": {"width": 2, "height": 3},
            "content_size": None,
        },
    ),
    (
        "78" + text("DataError") + text("m") + text("s"),
        "DOMException",
        {"name": "DataError", "message": "m", "stack": "s"},
    ),
    (
        "42" + text("raw") + doubles(1, 2, 3, 4) + "01" + doubles(5, 6),
        "DetectedBarcode",
        {"raw_value": "raw", "bounding_box": RECT, "corner_points": [{"x": 5.0, "y": 6.0}]},
    ),
    (
        "46" + doubles(1, 2, 3, 4) + "01" + text("eye") + "01" + doubles(5, 6),
        "DetectedFace",
        {"bounding_box": RECT, "landmarks": [{"type": "eye", "locations": [{"x": 5.0, "y": 6.0}]}]},
    ),
    (
        "74" + text("raw") + doubles(1, 2, 3, 4) + "00",
        "DetectedText",
        {"raw_value": "raw", "bounding_box": RECT, "corner_points": []},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("payload", "kind", "fields"), OBJECTS, ids=[kind for _, kind, _ in OBJECTS])
def test_every_host_object_is_read(payload: str, kind: str, fields: dict[str, object]) -> None:
    """Twice in an array, so that what follows it is read from the right place, and its number is its own."""
    data = bytes.fromhex("ff14 ff0f 41 03 5c" + payload + "5e01 4902 24 00 03")

    first, second, one = read_blink(data)

    assert first == BlinkObject(kind, fields)
    assert first is second
    assert one == 1


@pytest.mark.parametrize(("payload", "kind", "fields"), OBJECTS, ids=[kind for _, kind, _ in OBJECTS])
def test_a_host_object_that_is_cut_is_a_decode_error(
    payload: str, kind: str, fields: dict[str, object]
) -> None:
    data = bytes.fromhex("ff14 ff0f 5c" + payload)

    for length in range(5, len(data)):
        with pytest.raises(DecodeError) as caught:
            read_blink(data[:length])
        assert 4 <= caught.value.offset <= length
    assert read_blink(data).kind == kind


def test_files_of_old_versions_have_fewer_fields() -> None:
    def read(version: int, payload: str) -> Any:
        return read_blink(bytes.fromhex(f"ff{version:02x} 66 {payload}")).fields

    three = text("/p") + text("u") + text("t")
    four = text("/p") + text("n") + text("r") + text("u") + text("t") + "01 05" + doubles(2.5)
    assert read(3, three)["uuid"] == "u"
    assert read(3, three)["name"] is None
    assert read(6, four)["last_modified"] == 2500.0
    assert read(7, four + "00")["user_visible"] is False
    assert read(8, four + "01")["last_modified"] == 2.5
    with pytest.raises(DecodeError, match="a File in an envelope of version 2"):
        read(2, three)


def test_images_of_old_versions_have_fixed_settings() -> None:
    bitmap = read_blink(bytes.fromhex("ff11 ff0f 5c 67 01 00 01 01 04 01020304"))
    data = read_blink(bytes.fromhex("ff0c 23 01 01 04 01020304"))

    assert bitmap.fields == {
        "origin_clean": True,
        "premultiplied": False,
        "width": 1,
        "height": 1,
        "data": b"\x01\x02\x03\x04",
    }
    assert data == BlinkObject("ImageData", {"width": 1, "height": 1, "data": b"\x01\x02\x03\x04"})


def test_strings_of_old_versions_are_read() -> None:
    """Before version 12 a RegExp's source and a String object have no tag of their own."""
    found = read_blink(bytes.fromhex("ff09 41 02 52 01 78 01 73 01 79 24 00 02"))

    assert (found[0].source, found[0].flags) == ("x", "g")
    assert found[1] == Boxed("y")


MALFORMED = [
    # bytes                                          reason                                          offset
    ("ff14", "expected V8's header, 0xff", 2),
    ("ff14 0f", "expected V8's header, 0xff", 2),
    ("ff14 ff63 30", "version 99 is newer than the newest known, 16", 3),
    ("ff11 03", "expected V8's header, 0xff", 2),
    ("ff15 ff0f 30", "expected the place of the trailer, 0xfe", 2),
    ("ff15 fe 00000000", "expected the place of the trailer", 7),
    ("ff15 fe 0000000000000000 00000001 ff0f 30", "a trailer of 1 bytes at 0 is not within the data", 3),
    ("ff15 fe 0000000000000013 00000001 ff0f 30", "a trailer of 1 bytes at 19 is not within the data", 3),
    ("ff15 fe 0000000000000012 00000001 ff0f 30 a1", "unknown section 0xa1 of the trailer", 18),
    ("ff15 fe 0000000000000012 00000005 ff0f 30 a0 00000001", "a section of the trailer is longer", 18),
    ("ff14 ff0f 5c 5f", "unknown tag 0x5f of a host object", 5),
    ("ff14 ff0f 5c 62 01 ff 00 00", "a host object's text is not UTF-8", 6),
    ("ff14 ff0f 5c 23 02 00", "unknown setting 2 of an image", 6),
    ("ff14 ff0f 5c 23 01 04 00", "unknown colour space 4", 7),
    ("ff14 ff0f 5c 23 00 02 02 0f", "15 bytes are not 2 by 2 pixels", 9),
    ("ff14 ff0f 5c 4b 03", "unknown kind of key 3", 6),
    ("ff14 ff0f 5c 4b 01 04", "unknown algorithm 4", 7),
    ("ff14 ff0f 5c 4b 06 11 8004", "unknown usages of a key 0x200", 8),
    ("ff11 02 ffffffff0f 00", "6 bytes of Snappy cannot hold 4294967295", 3),
    ("ff11 02 05 00", "not Snappy's raw format", 3),
    ("ff11 02 07 18 ff1101 0102 0000", "a compressed value in a compressed value (after decompressing)", 0),
    ("ff11 02 04 0c ff14 ff63", "version 99 is newer than the newest known, 16 (after decompressing)", 3),
    ("01ff 6f22", "(after swapping the bytes)", 4),
    ("", "expected", 0),
]  # fmt: skip


@pytest.mark.parametrize(("data", "reason", "offset"), MALFORMED)
def test_what_is_malformed_is_told_with_its_place(data: str, reason: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        read_blink(bytes.fromhex(data))

    assert reason in caught.value.reason
    assert caught.value.offset == offset


def test_every_proper_prefix_is_a_truncated_error() -> None:
    data = bytes.fromhex("ff14" + VALUE)

    for length in range(1, len(data)):
        with pytest.raises(TruncatedError):
            read_blink(data[:length])


@pytest.mark.parametrize("start", ["ff14", "ff0c", "ff15 fe 000000000000000000000000", "07 ff14", "ff11 02"])
def test_whatever_the_bytes_there_are_only_decode_errors(start: str) -> None:
    value = (
        "ff0f 41 04 5c 66"
        + FILE
        + "5c 23 01 03 00 01 01 04 01020304 5c 4b 01 01 20"
        + USE
        + "5c 69 05 24 00 04"
    )
    data = bytes.fromhex(start + value)
    if start == "ff11 02":
        data = bytes.fromhex(start) + bytes(cramjam.snappy.compress_raw(bytes.fromhex("ff14" + value)))

    assert_only_decode_errors(read_blink, data, 1500, room=22 * len(data))

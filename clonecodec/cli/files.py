"""Files in and out: reading with a progress bar, guessing the format, and writing all or nothing.

Formats are guessed from the bytes alone, in this order:

    ff, a version below 16            v8         what v8.serialize writes
    ff 10, no second ff               v8         version 16
    ff, 16 or more, then ff or fe     blink      Chrome's envelope (and ff 11 01 / 02, its wrappers)
    a version, then that              blink      a record of IndexedDB
    length of 4 bytes, then ff 0d..10 node-ipc   what Node's child_process sends
    text that begins like JSON        json
    d9 d9 f7                          cbor       self-described
    a whole value of version 0        v8         no header
    whole items                       cbor       one, or several that are arrays, maps or tagged
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from clonecodec.cli.names import LATEST_VERSION
from clonecodec.cli.scan import Scan

FORMATS: Final = ("v8", "cbor", "json", "blink", "node-ipc")
"""What can be read."""

SQLITE: Final = b"SQLite format 3\0"
"""What an SQLite database begins with: there may be values in it, but it is none."""

PROGRESS_FROM: Final = 32 << 20  # bytes; smaller files are read before a bar would have been drawn
_CHUNK: Final = 1 << 20
_BLANKS: Final = re.compile(r"[ \t\r\n]*")


class BrokenFileError(Exception):
    """The file does not hold what it should; the message is a sentence for people."""


def read(name: str) -> bytes:
    """Every byte of the file *name*, or of standard input for ``-``."""
    if name == "-":
        return sys.stdin.buffer.read()
    size = Path(name).stat().st_size
    with Path(name).open("rb") as file:
        if size < PROGRESS_FROM:
            return file.read()
        with progress(f"reading {name}", size) as advance:
            parts = []
            while part := file.read(_CHUNK):
                parts.append(part)
                advance(sum(map(len, parts[-1:])))
            return b"".join(parts)


@contextlib.contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error while a long run is under way; the function given takes the bytes done since.

    Nothing is drawn below ``PROGRESS_FROM`` bytes, nor where standard error is no terminal.
    """
    if total < PROGRESS_FROM or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.advance(task, done)


@contextlib.contextmanager
def busy(title: str, size: int) -> Iterator[None]:
    """A sign of life on standard error while something takes long that cannot say how far it is."""
    if size < PROGRESS_FROM or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(title):
        yield


def guess(data: bytes, headerless: int = 0) -> str:
    """The format of *data*; ``v8`` if nothing fits, for it can say best what is wrong."""
    if data[:1] == b"\xff":
        return _guess_header(data)
    if len(data) >= 6 and data[4] == 0xFF and 13 <= data[5] <= 16 and data[0] < 0x10:
        return "node-ipc"
    if data[1:2] == b"\xff" and _guess_header(data[1:]) == "blink":
        return "blink"  # behind the version of IndexedDB's record
    if not data or headerless:
        return "v8"
    if _looks_like_json(data):
        return "json"
    if data[:3] == b"\xd9\xd9\xf7":
        return "cbor"
    scan = Scan(data)
    for _ in scan.rows():
        if scan.position > PROGRESS_FROM:
            break  # far enough to be sure
    if scan.fault is None:
        return "v8"
    return "cbor" if _is_cbor(data) else "v8"


def _is_cbor(data: bytes) -> bool:
    """Whether *data* is an item, or several of which the first is no number or string, as it is in text."""
    try:
        return len(read_values(data, "cbor")) == 1 or 0x80 <= data[0] < 0xE0
    except (BrokenFileError, ImportError):
        return False


def _guess_header(data: bytes) -> str:
    version, shift, at = 0, 0, 1
    while at < len(data) and shift < 35:
        version |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            break
    behind = data[at : at + 1]
    if version >= 16 and behind in (b"\xff", b"\xfe"):
        return "blink"
    if version == 17 and behind in (b"\x01", b"\x02"):
        return "blink"
    return "v8"


def _looks_like_json(data: bytes) -> bool:
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] not in b'{["-0123456789tfn' or not start:
        return False
    if any(byte < 0x20 and byte not in b"\t\r\n" for byte in start):
        return False
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(start) - error.start > 3:
            return False
    if start[:1] in b"{[":
        return True
    try:
        read_json(data)
    except BrokenFileError:
        return False
    return True


def read_values(data: bytes, form: str, headerless: int = 0) -> list[object]:
    """The values in *data*: one, unless the format lets them follow each other.

    Raises:
        BrokenFileError: they cannot be read, and where.
    """
    from clonecodec import CloneError

    try:
        with busy("decoding", len(data)):
            match form:
                case "v8":
                    return _read_v8(data, headerless)
                case "cbor":
                    return _read_cbor(data)
                case "json":
                    return read_json(data)
                case "blink":
                    from clonecodec.foreign import read_blink

                    return [read_blink(data)]
                case _:
                    from clonecodec.foreign import iter_node_ipc

                    return list(iter_node_ipc(io.BytesIO(data)))
    except CloneError as error:
        raise BrokenFileError(f"no whole {form} value: {error}") from None
    except ImportError as error:
        raise BrokenFileError(f"{error}") from None


def _read_v8(data: bytes, headerless: int) -> list[object]:
    from clonecodec import DecodeError, DefaultDeserializer

    if headerless:
        data = bytes((0xFF, headerless)) + data
    values: list[object] = []
    start = 0
    while start == 0 or _begins_a_value(data, start):
        deserializer = DefaultDeserializer(memoryview(data)[start:], legacy=True)
        try:
            deserializer.read_header()
            values.append(deserializer.read_value())
        except DecodeError as error:
            raise type(error)(error.reason, error.offset + start) from None
        start += deserializer.offset
    return values


def _begins_a_value(data: bytes, at: int) -> bool:
    """Whether what follows a value is another; anything else is ignored, as V8 does."""
    return data[at : at + 1] == b"\xff" and (len(data) == at + 1 or 0 < data[at + 1] <= LATEST_VERSION)


def _read_cbor(data: bytes) -> list[object]:
    """The items of a sequence (RFC 8742), which is nothing but one behind the other."""
    from clonecodec import DecodeError, cbor

    with contextlib.suppress(DecodeError):  # faster, and there is hardly ever more than one
        return [cbor.loads(data)]
    file = io.BytesIO(data)
    values: list[object] = []
    while not values or file.tell() < len(data):
        start = file.tell()
        try:
            values.append(cbor.load(file))
        except DecodeError as error:
            raise type(error)(error.reason, error.offset + start) from None
    return values


def read_json(data: bytes) -> list[object]:
    """The values of a JSON text, or of several, as in JSON lines.

    Objects have ``str`` keys, and the last of equal ones counts.
    """

    def refuse(name: str) -> object:
        raise ValueError(f"{name} is no JSON")

    decoder = json.JSONDecoder(parse_constant=refuse)
    values: list[object] = []
    try:
        text = data.decode("utf-8-sig")
        at = 0
        while not values or at < len(text):
            value, at = decoder.raw_decode(text, _behind_blanks(text, at))
            values.append(value)
            at = _behind_blanks(text, at)
    except RecursionError:
        raise BrokenFileError("no JSON that can be read: it nests too deeply") from None
    except UnicodeDecodeError as error:
        raise BrokenFileError(f"no JSON: not UTF-8 at byte {error.start}") from None
    except ValueError as error:
        raise BrokenFileError(f"no JSON: {error}") from None
    return values


def _behind_blanks(text: str, at: int) -> int:
    blanks = _BLANKS.match(text, at)
    return at if blanks is None else blanks.end()


@contextlib.contextmanager
def whole_file(name: str) -> Iterator[IO[bytes]]:
    """A file to write into, which becomes *name* when the block ends well and vanishes when it does not."""
    if name == "-":
        buffer = io.BytesIO()
        yield buffer
        sys.stdout.buffer.write(buffer.getvalue())
        sys.stdout.buffer.flush()
        return
    target = Path(name)
    if target.is_dir():
        raise IsADirectoryError(f"{name} is a directory")
    if target.exists() and not target.is_file():  # /dev/stdout, a pipe: nothing to replace
        with target.open("wb") as device:
            yield device
        return
    target = target.resolve()  # through a symbolic link, so that the link stays one
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename == str(temporary):
            error.filename = name
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise

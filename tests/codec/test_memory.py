"""Memory that lives in a memfd: what is mapped of what another process sends, and what is not."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clonecodec import ArrayBuffer, BufferToken, SharedArrayBuffer, _exports

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memfd is Linux's")

F_ADD_SEALS, F_SEAL_SHRINK = 1033, 2


def memfd(size: int, *, sealed: bool) -> int:
    fd = os.memfd_create("test", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    if sealed:
        fcntl.fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK)
    return fd


@pytest.fixture
def fds() -> Iterator[set[str]]:
    """The descriptors that are open; none more may be afterwards."""
    before = {path.name for path in Path("/proc/self/fd").iterdir()}
    yield before
    after = {path.name for path in Path("/proc/self/fd").iterdir()}
    assert len(after) <= len(before)


@pytest.mark.usefixtures("fds")
def test_a_shared_buffer_of_another_process_is_the_same_memory() -> None:
    shared = SharedArrayBuffer(b"abcd")
    assert shared.fd is not None
    other = SharedArrayBuffer.from_fd(os.dup(shared.fd), 4)
    other.view()[0] = 0x7A

    assert bytes(shared) == b"zbcd"
    alias = shared.alias()
    assert bytes(alias) == b"zbcd" and alias is not shared and alias.fd == shared.fd
    del shared, other, alias


@pytest.mark.usefixtures("fds")
def test_a_movable_buffer_is_rebuilt_from_its_descriptor() -> None:
    buffer = ArrayBuffer(b"abcd", movable=True, max_byte_length=8)
    token = buffer.transfer_take()
    assert token.fd is not None
    again = BufferToken.from_fd(os.dup(token.fd), 4, 8)
    assert (again.byte_length, again.max_byte_length) == (4, 8)
    rebuilt = ArrayBuffer.transfer_build(again)

    assert (bytes(rebuilt), rebuilt.max_byte_length) == (b"abcd", 8)
    del token, again, rebuilt
    assert BufferToken(bytearray(3), 3).fd is None


@pytest.mark.usefixtures("fds")
@pytest.mark.parametrize("kind", [BufferToken, SharedArrayBuffer])
def test_memory_that_could_shrink_or_is_too_small_is_never_mapped(
    kind: type[BufferToken] | type[SharedArrayBuffer],
) -> None:
    with pytest.raises(ValueError, match="sealed"):
        kind.from_fd(memfd(10, sealed=False), 4)
    for length in (11, -1, 2**62, 2**64 - 1):
        with pytest.raises(ValueError, match="has no"):
            kind.from_fd(memfd(10, sealed=True), length)
    reading, writing = os.pipe()
    os.close(writing)
    with pytest.raises(OSError, match="Invalid argument"):
        kind.from_fd(reading, 0)


def test_a_buffer_of_no_bytes_can_be_movable_and_shared() -> None:
    assert bytes(ArrayBuffer(0, movable=True)) == bytes(SharedArrayBuffer(0)) == b""


@pytest.mark.parametrize("how", ["no ctypes", "another Python", "a short memoryview", "a wrong count"])
def test_where_exports_cannot_be_counted_a_buffer_with_views_is_not_transferred(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "no ctypes":
        monkeypatch.setitem(sys.modules, "ctypes", None)
    elif how == "another Python":
        monkeypatch.setattr(sys.implementation, "name", "other")
    elif how == "a short memoryview":
        monkeypatch.setattr(_exports, "_EXPORTS_OFFSET", 10_000)
    else:
        monkeypatch.setattr(_exports, "_EXPORTS_OFFSET", 16)
    counter = _exports._counter()

    assert counter(memoryview(b"abc")) == 1

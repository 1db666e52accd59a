"""A client in another language, written from docs/socket-protocol.md alone; and the bytes on that page."""

from __future__ import annotations

import re
import shutil
import subprocess
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from clonecodec import ArrayBuffer
from tests.transport.settling import until
from tests.transport.socket_client import END, RawClient
from transport import CloseReason, Limits, MessageChannel, MessagePort, PortClosedError, listen

PAGE = Path(__file__).parents[2] / "docs" / "socket-protocol.md"
SECRET = "a secret, not stretched"


@pytest.fixture(params=[SECRET, None], ids=["secret", "open"])
def node(request: pytest.FixtureRequest) -> Iterator[MessagePort]:
    binary = shutil.which("node")
    if binary is None:
        pytest.skip("there is no node")
    with listen("tcp://127.0.0.1:0", secret=request.param) as listener:
        host, _, number = listener.url.removeprefix("tcp://").rpartition(":")
        client = Path(__file__).with_name("client.js")
        with subprocess.Popen([binary, client, host, number, request.param or ""]) as process:
            port = listener.accept(20)
            assert port.receive(10) == "hello from node"
            yield port
            port.post_message("bye")
            with pytest.raises(PortClosedError) as caught:
                port.receive(10)
            assert caught.value.reason is CloseReason.PEER
            assert process.wait(10) == 0


def test_values_go_both_ways(node: MessagePort) -> None:
    for value in (1, "text", [None, True, 1.5, 2**70], {"deep": [{"a": {1, 2}}]}):
        node.post_message(value)

        assert node.receive(10) == {"echo": value}


def test_bytes_go_both_ways_in_as_many_fragments_as_it_takes(node: MessagePort) -> None:
    for size in (3, 60_000, 70_000, 1_000_000):
        node.post_message(bytes(range(256)) * (size // 256) + b"end")

        message = node.receive(10)

        assert isinstance(message, dict)
        echo = bytes(message["echo"])
        assert len(echo) == size // 256 * 256 + 3
        assert echo.endswith(b"end")


@pytest.mark.parametrize("code", "bBhHiIqQfd")
def test_long_typed_arrays_go_both_ways(node: MessagePort, code: str) -> None:
    numbers = array(code, [number % 100 for number in range(30_000)])
    node.post_message({"numbers": numbers})

    message = node.receive(10)

    assert isinstance(message, dict)
    echo = message["echo"]["numbers"]
    assert (echo.format, echo.tolist()) == (code, numbers.tolist())


def test_a_buffer_moves_to_and_fro(node: MessagePort) -> None:
    buffer = ArrayBuffer(b"moving")
    node.post_message({"buffer": buffer}, [buffer])

    message = node.receive(10)

    assert isinstance(message, dict)
    assert isinstance(message["moved"], ArrayBuffer)
    assert (bytes(message["moved"]), message["size"]) == (b"moving", 6)


def test_a_port_is_a_channel_of_its_own(node: MessagePort) -> None:
    mine, its = MessageChannel()
    node.post_message(its, [its])

    assert mine.receive(10) == "hello from node"
    mine.post_message("more")
    assert mine.receive(10) == {"echo": "more"}
    node.post_message("still there")
    assert node.receive(10) == {"echo": "still there"}
    mine.close()


def example() -> bytes:
    """The exchange of section 7, as bytes."""
    section = PAGE.read_text(encoding="utf-8").split("## 7.")[1].split("```")[1]
    lines = [re.match(r"((?:[0-9a-f]{2,} ?)+)", line.strip()) for line in section.strip().splitlines()]
    assert all(lines)
    return b"".join(bytes.fromhex(line.group(1)) for line in lines if line)


def test_the_page_s_example_is_what_it_says() -> None:
    with listen("tcp://127.0.0.1:0") as listener, RawClient(listener.url) as client:
        port = listener.accept(5)
        client.socket.sendall(example())

        assert port.receive(5) == 1
        value = port.receive(5)
        assert isinstance(value, list)
        assert value[0].receive(5) == 1
        assert client.until(END) == (END, 1, b"\0")
        until(lambda: port.closed)
        assert port.close_reason is CloseReason.PEER
        value[0].close()


def test_the_page_s_limits_are_the_defaults() -> None:
    section = PAGE.read_text(encoding="utf-8").split("## 8.")[1]
    units = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "s": 1}
    said: dict[str, float] = {}
    for names, defaults in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([^|]+) \|", section, re.MULTILINE):
        for name, text in zip(re.findall(r"\w+", names), re.split(r", (?!\d{3})", defaults), strict=True):
            number, _, unit = text.strip().partition(" ")
            said[name] = float(number.replace(",", "")) * units.get(unit, 1)

    assert said == {name: float(value) for name, value in Limits()._asdict().items() if value is not None}

"""What a queued message counts for, between threads."""

from __future__ import annotations

import pytest

from clonecodec import ArrayBuffer, Map, Uint8ClampedArray
from transport import BufferFullError, CloseReason, MessageChannel, PortClosedError
from transport._measure import CONTAINER, measure
from transport.message import EndMark

SHARED = ["x" * 10]


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (None, 1),
        (5, 1),
        ("", 1),
        ("x" * 1000, 1000),
        (b"x" * 1000, 1000),
        (memoryview(bytearray(16)).cast("d"), 16),
        (ArrayBuffer(100), 100),
        ([], CONTAINER),
        ([1, 2.0, None, True], CONTAINER),
        ({"ab": "cd"}, CONTAINER + 4),
        (Map({1: ("x",)}), 2 * CONTAINER + 1),
        ({"x", "y"}, CONTAINER + 2),
        ([SHARED, SHARED], 2 * CONTAINER + 10),
        (Uint8ClampedArray(8), CONTAINER + 8),
    ],
)
def test_sizes_of_buffers_bytes_and_strings_and_64_a_container(value: object, size: int) -> None:
    assert measure(value) == size


def test_a_cycle_is_measured_once() -> None:
    cycle: list[object] = []
    cycle.append(cycle)

    assert measure(cycle) == CONTAINER


def test_the_end_mark_weighs_nothing() -> None:
    assert measure(EndMark(CloseReason.LOCAL)) == 0


def test_the_errors_of_ports_survive_pickling() -> None:
    import pickle

    closed = pickle.loads(pickle.dumps(PortClosedError(CloseReason.PEER)))
    full = pickle.loads(pickle.dumps(BufferFullError(5, 4)))

    assert (closed.reason, str(closed)) == (CloseReason.PEER, "the port is closed: the other side closed it")
    assert (full.buffered_amount, full.high_water_mark) == (5, 4)
    assert "5 bytes" in str(full)
    assert "transferred" in str(PortClosedError())


def test_once_is_a_decorator_too_and_takes_one_emit() -> None:
    port, _ = MessageChannel()
    heard: list[object] = []

    @port.once("foo")
    def listener(value: object) -> None:
        heard.append(value)

    assert port.emit("foo", 1)
    assert not port.emit("foo", 2)
    assert heard == [1]
    assert port.listener_count("foo") == 0
    assert callable(listener)


def test_there_is_no_other_backend() -> None:
    with pytest.raises(ValueError, match="no such backend"):
        MessageChannel("carrier pigeon")  # type: ignore[arg-type]


def test_ten_thousand_open_ports_are_nothing_special() -> None:
    channels = [MessageChannel() for _ in range(5_000)]

    for i, channel in enumerate(channels):
        channel.port1.post_message(i)

    assert [channel.port2.receive(5) for channel in channels] == list(range(5_000))

"""Long views over sockets: they stay out of the payload, and are what they are all the same."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pytest

from clonecodec import ArrayBuffer, DataCloneError, DataView, DecodeError, Float16Array, Uint8ClampedArray
from clonecodec.buffers import view_of
from tests.transport.socket_client import BEGIN, MESSAGE, TABLE, RawClient
from transport import Listener, MessagePort, connect, listen
from transport.socket_values import APART

FORMATS = "bBhHiIqQfd"


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with listen("tcp://127.0.0.1:0") as listener:
        yield listener


@pytest.fixture
def ports(listener: Listener) -> Iterator[tuple[MessagePort, MessagePort]]:
    near = connect(listener.url)
    far = listener.accept(5)
    yield near, far
    near.close()


def passed(ports: tuple[MessagePort, MessagePort], value: object) -> object:
    near, far = ports
    near.post_message(value)
    return far.receive(5)


@pytest.mark.parametrize("length", [APART - 8, APART, APART + 8])
@pytest.mark.parametrize("code", FORMATS)
def test_arrays_of_every_kind_arrive(ports: tuple[MessagePort, MessagePort], code: str, length: int) -> None:
    values = array(code, range(100))
    values *= length // len(values.tobytes()) + 1
    del values[length // values.itemsize :]
    for shown in (values, memoryview(values), np.frombuffer(values, dtype=code)):
        for value in (shown, [shown], {"a": shown}, {"deep": [shown], "top": shown}):
            arrived = passed(ports, value)

            if isinstance(arrived, dict):
                view = arrived.get("a", arrived.get("top"))
                assert "deep" not in arrived or arrived["deep"][0] is view
            else:
                view = arrived[0] if isinstance(arrived, list) else arrived
            assert isinstance(view, memoryview)
            assert (view.format, view.tolist(), view.readonly) == (code, values.tolist(), False)


def test_numbers_of_the_machine_s_long_arrive_as_what_they_are(
    ports: tuple[MessagePort, MessagePort],
) -> None:
    for code in "lL":
        numbers = array(code, range(20_000))
        arrived = passed(ports, numbers)

        assert isinstance(arrived, memoryview)
        assert (arrived.itemsize, arrived.tolist()) == (numbers.itemsize, numbers.tolist())


def test_a_view_with_steps_arrives_without_them(ports: tuple[MessagePort, MessagePort]) -> None:
    numbers = np.arange(100_000, dtype="i4")

    arrived = passed(ports, [numbers[::2]])

    assert isinstance(arrived, list)
    assert np.array_equal(np.asarray(arrived[0]), numbers[::2])


def test_what_no_typed_array_shows_is_refused_big_or_small(ports: tuple[MessagePort, MessagePort]) -> None:
    released = memoryview(bytearray(APART))
    released.release()
    for bad in (np.zeros((300, 300)), np.zeros(APART, dtype=">i4"), np.zeros(APART, dtype="?"), released):
        with pytest.raises(DataCloneError):
            ports[0].post_message([bad])

    assert passed(ports, "works") == "works"


def test_a_change_after_the_post_is_not_seen(ports: tuple[MessagePort, MessagePort]) -> None:
    near, far = ports
    things: list[Any] = [np.ones(APART), array("d", [1.0]) * APART, bytearray(b"1") * APART]
    things.append(ArrayBuffer(b"1" * APART))
    near.post_message("in the way" * 1_000_000)
    for thing in things:
        near.post_message({"thing": thing})
        view = thing.view() if isinstance(thing, ArrayBuffer) else memoryview(thing)
        view.cast("B")[:] = bytes(view.nbytes)

    far.receive(5)
    for _ in things:
        message = far.receive(5)
        assert isinstance(message, dict)
        thing = message["thing"]
        assert bytes(thing)[-8:] in (b"1" * 8, np.ones(1).tobytes())


def test_views_on_one_buffer_stay_views_on_one_buffer(ports: tuple[MessagePort, MessagePort]) -> None:
    buffer = ArrayBuffer(range_bytes := bytes(range(256)) * (APART // 128))
    value = {
        "half": buffer.view("d", 8, 100),
        "buffer": buffer,
        "data": DataView(buffer, 1, 10),
        "clamped": Uint8ClampedArray(buffer),
        "halves": Float16Array(buffer),
        "deep": [buffer.view("i")],
    }

    arrived = passed(ports, value)

    assert isinstance(arrived, dict)
    behind = arrived["buffer"]
    assert bytes(behind) == range_bytes
    what = view_of(arrived["half"])
    assert what is not None
    assert (what.buffer, what.offset, len(arrived["half"])) == (behind, 8, 100)
    for key in ("data", "clamped", "halves"):
        assert arrived[key].buffer is behind
    assert arrived["deep"][0].obj is arrived["half"].obj


def test_a_copied_and_a_moved_buffer_are_not_mixed_up(ports: tuple[MessagePort, MessagePort]) -> None:
    near, far = ports
    moved, copied = ArrayBuffer(b"m" * APART), ArrayBuffer(b"c" * APART, max_byte_length=2 * APART)
    numbers = array("d", [2.0]) * APART
    near.post_message([copied, numbers, moved, b"b" * APART], [moved])

    arrived = far.receive(5)

    assert isinstance(arrived, list)
    assert (moved.detached, copied.detached) == (True, False)
    assert [bytes(thing)[:1] for thing in (arrived[0], arrived[2], arrived[3])] == [b"c", b"m", b"b"]
    assert arrived[0].resizable and arrived[0].max_byte_length == 2 * APART
    assert not arrived[2].resizable
    assert arrived[1].tolist() == numbers.tolist()


def test_more_long_views_than_a_table_holds_arrive(ports: tuple[MessagePort, MessagePort]) -> None:
    near, far = ports
    near.post_message([b"%04d" % i + bytes(APART) for i in range(1100)])

    arrived = far.receive(20)

    assert isinstance(arrived, list)
    assert [bytes(view[:4]) for view in arrived] == [b"%04d" % i for i in range(1100)]


def test_subclasses_of_bytes_are_what_they_are_when_short(ports: tuple[MessagePort, MessagePort]) -> None:
    class Named(bytes):
        pass

    class Grown(bytearray):
        pass

    for kind in (Named, Grown):
        short, long = passed(ports, [kind(b"s")]), passed(ports, [kind(b"s" * APART), np.zeros(APART)])

        assert isinstance(short, list)
        assert isinstance(long, list)
        assert (type(long[0]), long[0].readonly) == (type(short[0]), short[0].readonly)


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 8185, 16_383, 16_384, APART - 1, APART])
def test_bytes_of_every_length_arrive(ports: tuple[MessagePort, MessagePort], length: int) -> None:
    octets = (b"0123456789" * (length // 10 + 1))[:length]
    for kind in (bytes, bytearray):
        for depth in range(3):
            value: object = kind(octets)
            for _ in range(depth):
                value = [value, "text", value]
            arrived = passed(ports, value)
            for _ in range(depth):
                assert isinstance(arrived, list)
                assert arrived[0] is arrived[2]
                arrived = arrived[0]

            assert isinstance(arrived, memoryview)
            assert (arrived.format, bytes(arrived), arrived.readonly) == ("B", octets, kind is bytes)


@pytest.mark.parametrize("what", ["", "00", "01", "80", "80 80", "80 00", "81 00 61", "02 61 62", "01 61 62"])
def test_bytes_alone_are_read_as_any_value_is(listener: Listener, what: str) -> None:
    """By the short way and by the long one: the same value, or an error both ways."""
    payload = bytes.fromhex("ff0f5c44" + what)
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        client.send(MESSAGE, 1, payload)
        client.send(BEGIN, 1, TABLE.pack(len(payload), 0, 1) + bytes(16) + payload)
        outcomes: list[object] = []
        for _ in range(2):
            try:
                outcomes.append(bytes(cast(memoryview, port.receive(5))))
            except DecodeError:
                outcomes.append(DecodeError)

    assert outcomes[0] == outcomes[1]
    assert (outcomes[0] is DecodeError) == (what in ("", "01", "80", "80 80"))


def test_an_echo_of_what_arrived_is_the_same_again(ports: tuple[MessagePort, MessagePort]) -> None:
    near, far = ports
    numbers = np.arange(APART, dtype="f8")
    value: object = {"numbers": numbers, "frozen": b"f" * APART}
    for _ in range(3):
        near.post_message(value)
        far.post_message(far.receive(5))
        value = near.receive(5)

    assert isinstance(value, dict)
    assert np.array_equal(np.asarray(value["numbers"]), numbers)
    assert bytes(value["frozen"]) == b"f" * APART


def test_long_views_stand_beside_the_payload_and_short_ones_in_it(listener: Listener) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        port.post_message(array("d", [1.0]) * 10)
        assert client.next().kind == MESSAGE
        port.post_message([np.zeros(APART), ArrayBuffer(APART)])
        frame = client.until(BEGIN)

    payload, ports, buffers = TABLE.unpack_from(frame.body)
    assert (payload < 100, ports, buffers) == (True, 0, 2)


@pytest.mark.parametrize(
    "what", ["5c 43 0e 00", "5c 43 08 01", "5c 43 08 00", "5c 43", "5c 45 00", "5c 44", "5c 44 02 61"]
)
def test_a_view_that_cannot_be_is_a_messageerror(listener: Listener, what: str) -> None:
    """No such kind of view, no such buffer, 7 bytes as Float64Array, nothing behind, no such host object, no
    length, too few bytes."""
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        payload = bytes.fromhex("ff0f" + what)
        table = TABLE.pack(len(payload), 0, 1) + (7).to_bytes(8, "little") + bytes([255] * 8)
        client.send(BEGIN, 1, table + payload + b"1234567")
        client.send(MESSAGE, 1, bytes.fromhex("ff0f4902"))

        with pytest.raises(ValueError):
            port.receive(5)
        assert port.receive(5) == 1

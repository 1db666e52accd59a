"""Many short messages at once: written, read and accounted for together, and still one by one."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from clonecodec import DecodeError
from tests.transport.settling import quiet, until
from tests.transport.socket_client import ABORT, ACK, END, MESSAGE, RawClient, frame
from transport import (
    CloseReason,
    Limits,
    Listener,
    MessageChannel,
    MessagePort,
    PortClosedError,
    connect,
    listen,
    receive_message_on_port,
)

ONE = bytes.fromhex("ff0f4902")
NONE = bytes.fromhex("ff0f30")
NO_MESSAGE = bytes.fromhex("ff0f7a")


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listen("tcp://127.0.0.1:0", limits=Limits(window=64 << 10)) as listener:
        yield listener


def varint(number: int) -> bytes:
    octets = b""
    while number >> 7:
        octets += bytes((number & 0x7F | 0x80,))
        number >>= 7
    return octets + bytes((number,))


def joined(listener: Listener) -> tuple[MessagePort, MessagePort]:
    near = connect(listener.url)
    return near, listener.accept(5)


def received(port: MessagePort) -> Iterator[object]:
    while True:
        try:
            value = port.receive(5)
        except DecodeError:
            yield DecodeError
        except PortClosedError as error:
            yield error.reason
            return
        else:
            yield value


# -------------------------------------------------------------------- out


def test_a_burst_goes_out_while_its_poster_waits_for_something_else(listener: Listener) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        for i in range(5):
            port.post_message(i)

        assert [client.next().kind for _ in range(5)] == [MESSAGE] * 5


def test_a_burst_goes_out_while_its_poster_computes(listener: Listener) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        for i in range(5):
            port.post_message(i)
        deadline = time.monotonic() + 0.2
        while time.monotonic() < deadline:
            pass

        client.socket.setblocking(False)
        assert client.socket.recv(1 << 16).count(frame(MESSAGE, 1)[:5]) == 5


def test_a_burst_takes_few_writes(listener: Listener) -> None:
    near, far = joined(listener)
    stream = near._end.link.connection._stream  # type: ignore[attr-defined]
    send, calls = stream.send, list[int]()

    def counted(pieces: list[bytes]) -> int:
        calls.append(len(pieces))
        return int(send(pieces))

    stream.send = counted

    for i in range(10_000):
        near.post_message(i)
    for i in range(10_000):
        assert far.receive(5) == i

    assert len(calls) < 1000
    near.close()


def test_what_can_and_cannot_be_written_in_a_batch_stays_in_order(listener: Listener) -> None:
    near, far = joined(listener)
    values = [1, b"bytes", {"a": [1]}, datetime(2020, 1, 1, tzinfo=UTC), "x" * 8100, "x" * 8200, None, 2**80]
    values += ["y" * 70_000, [], b"z" * 70_000, (), {"deep": [{"a": {1, 2}}]}]
    for _ in range(20):
        for value in values:
            near.post_message(value)

    for _ in range(20):
        for value in values:
            assert far.receive(5) == value
    near.close()


def another(near: MessagePort, far: MessagePort) -> tuple[MessagePort, MessagePort]:
    """A further channel over the connection of *near* and *far*."""
    one, two = MessageChannel()
    near.post_message(two, [two])
    arrived = far.receive(5)
    assert isinstance(arrived, MessagePort)
    return one, arrived


@pytest.mark.parametrize("short", [True, False])
def test_threads_that_post_on_several_channels_lose_and_swap_nothing(listener: Listener, short: bool) -> None:
    near, far = joined(listener)
    pairs = [(near, far)]
    pairs += [another(near, far) for _ in range(3)]
    count = 1000

    def post(who: int) -> None:
        for i in range(count):
            pairs[(who + i) % 4][0].post_message([who, i] if short else [who, i, b"not plain"])

    threads = [threading.Thread(target=post, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for index, (_, port) in enumerate(pairs):
        seen: dict[int, list[int]] = {who: [] for who in range(4)}
        for _ in range(count):
            value = port.receive(5)
            assert isinstance(value, list)
            seen[value[0]].append(value[1])
        assert seen == {who: [i for i in range(count) if (who + i) % 4 == index] for who in range(4)}
    for thread in threads:
        thread.join()
    for port, _ in pairs:
        port.close()


def test_a_channel_that_nobody_reads_holds_up_none_of_twenty_others(listener: Listener) -> None:
    near, far = joined(listener)
    pairs = [another(near, far) for _ in range(20)]
    for i in range(5000):
        near.post_message([i, "unread for now"])
        pairs[i % 20][0].post_message(i)

    for index, (_, port) in enumerate(pairs):
        assert [port.receive(5) for _ in range(250)] == list(range(index, 5000, 20))
    assert near.buffered_amount > 64 << 10
    assert [far.receive(5) for _ in range(5000)] == [[i, "unread for now"] for i in range(5000)]
    near.close()
    for one, _ in pairs:
        one.close()


# -------------------------------------------------------------------- how full the way is


def test_messages_of_a_batch_count_until_each_is_taken(listener: Listener) -> None:
    near, far = joined(listener)
    for _ in range(500):
        near.post_message("x" * 30)
    size = near.buffered_amount // 500
    assert near.buffered_amount == 500 * size

    for taken, left in ((1, 499), (49, 450), (1, 449), (448, 1), (1, 0)):
        for _ in range(taken):
            far.receive(5)
        until(lambda left=left: near.buffered_amount == left * size)  # type: ignore[misc]
    near.close()


@pytest.mark.parametrize(
    ("window", "size"), [(64, 15_000), (64, 8000), (64, 1000), (4096, 400_000), (4096, 8200), (4096, 1000)]
)
def test_what_was_taken_is_granted_while_others_wait(window: int, size: int) -> None:
    """At the latest when it is half of the window."""
    window <<= 10
    limits = Limits(window=window)
    with listen("tcp://127.0.0.1:0", limits=limits) as listener, RawClient(listener.url) as client:
        port = listener.accept(5)
        client.send(MESSAGE, 1, ONE)
        assert (32 << 10) + struct.unpack("<QQ", client.until(ACK).body)[0] == window
        payload = bytes.fromhex("ff0f22") + varint(size) + b"x" * size
        count = (window - len(ONE)) // len(payload)
        client.socket.sendall(frame(MESSAGE, 1, payload) * count)
        until(lambda: len(port._end.items) == count + 1)

        assert port.receive(5) == 1
        granted, taken = 0, len(ONE)
        while taken < window * 5 // 8:
            port.receive(5)
            taken += len(payload)
        while taken - granted >= window >> 1:
            granted += struct.unpack("<QQ", client.until(ACK).body)[0]
        assert len(port._end.items) > 0


def test_who_waits_for_room_is_let_go_in_the_middle_of_a_batch(listener: Listener) -> None:
    near, far = joined(listener)
    for _ in range(500):
        near.post_message("x" * 30)
    near.set_high_water_mark(near.buffered_amount // 2, "block")
    thread = threading.Thread(target=near.post_message, args=("let go",))
    thread.start()
    for _ in range(240):
        far.receive(5)
    quiet()
    assert thread.is_alive()

    for _ in range(20):
        far.receive(5)
    thread.join(5)

    assert not thread.is_alive()
    assert [far.receive(5) for _ in range(241)][-1] == "let go"
    near.close()


def test_what_many_threads_take_counts_once_each(listener: Listener) -> None:
    near, far = joined(listener)
    for i in range(4000):
        near.post_message([i, "x" * 50])
    taken: list[object] = []

    def take() -> None:
        while len(taken) < 4000:
            message = receive_message_on_port(far)
            if message is not None:
                taken.append(message.value[0])  # type: ignore[index]

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(taken) == list(range(4000))  # type: ignore[type-var]
    until(lambda: near.buffered_amount == 0)
    near.close()


def test_a_slow_reader_behind_a_relay_slows_the_writer_down() -> None:
    """Short messages pass two connections: what nobody takes waits where it was posted."""
    limits = Limits(window=64 << 10)
    with listen("tcp://127.0.0.1:0", limits=limits) as listener:
        first, middle = connect(listener.url, limits=limits), listener.accept(5)
        onward, last = connect(listener.url, limits=limits), listener.accept(5)
        onward.post_message(middle, [middle])
        far = last.receive(5)
        assert isinstance(far, MessagePort)

        for i in range(100_000):
            first.post_message([i, "0123456789"])
        quiet(0.5)
        assert first.buffered_amount > 200_000

        assert [far.receive(5) for _ in range(100_000)] == [[i, "0123456789"] for i in range(100_000)]
        until(lambda: first.buffered_amount == 0)
        first.close()
        onward.close()


# -------------------------------------------------------------------- in


def test_frames_may_be_cut_anywhere_between_two_reads(listener: Listener) -> None:
    data = frame(MESSAGE, 1, ONE) + frame(MESSAGE, 1, NONE) + frame(MESSAGE, 1, ONE)
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        for cut in range(1, len(data)):
            client.socket.sendall(data[:cut])
            if cut % 3:
                quiet(0.002)
            client.socket.sendall(data[cut:])

            assert [port.receive(5) for _ in range(3)] == [1, None, 1]


def test_what_is_no_value_in_the_middle_of_a_batch_is_one_error(listener: Listener) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        payloads = [ONE, ONE, NO_MESSAGE, ONE, b"", NONE]
        client.socket.sendall(
            b"".join(frame(MESSAGE, 1, payload) for payload in payloads) + frame(END, 1, b"\0")
        )

        got = list(received(port))

    assert got == [1, 1, DecodeError, 1, DecodeError, None, CloseReason.PEER]


HOSTILE = [
    frame(0, 1),
    frame(MESSAGE, 5, ONE),
    struct.pack("<BII", MESSAGE, 1, 1 << 31),
    struct.pack("<BII", MESSAGE, 1, 65_600),
    frame(ACK, 1, struct.pack("<QQ", 0, 1)),
    frame(ABORT, 0, b"enough"),
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_frame_in_the_middle_of_a_batch_ends_it_there(listener: Listener, hostile: bytes) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        client.socket.sendall(frame(MESSAGE, 1, ONE) * 3 + hostile + frame(MESSAGE, 1, ONE) * 3)

        assert list(received(port)) == [1, 1, 1, CloseReason.PROTOCOL_ERROR]
        assert client.ended()


def test_a_batch_behind_the_end_mark_is_a_breach(listener: Listener) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        one, two = MessageChannel()
        port.post_message(two, [two])  # keeps the connection when channel 1 ends
        client.socket.sendall(frame(MESSAGE, 1, ONE) + frame(END, 1, b"\0") + frame(MESSAGE, 1, ONE) * 3)

        assert list(received(port)) == [1, CloseReason.PEER]
        assert list(received(one)) == [CloseReason.PROTOCOL_ERROR]


def test_a_flood_beyond_the_credit_is_a_breach_and_takes_no_more_memory(listener: Listener) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        try:
            for _ in range(100):
                client.socket.sendall(frame(MESSAGE, 1, ONE) * 1000)
        except ConnectionError:
            pass
        until(lambda: port.peer_closed)

        values = list(received(port))

    assert values[-1] is CloseReason.PROTOCOL_ERROR
    assert len(values) <= (64 << 10) // len(ONE) + 1


def test_of_a_child_that_is_killed_in_mid_flood_a_beginning_arrives() -> None:
    with listen("tcp://127.0.0.1:0") as listener:
        command = [sys.executable, "-m", "tests.transport.socket_child", listener.url, "flood for ever"]
        with subprocess.Popen(command) as process:
            port = listener.accept(20)
            values = [port.receive(10) for _ in range(1000)]
            os.kill(process.pid, signal.SIGKILL)
            values += received(port)

    assert values.pop() is CloseReason.PEER_DIED
    assert values == list(range(len(values)))

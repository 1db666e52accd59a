"""Many channels on one connection: credit, limits, and what happens when it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from clonecodec import ArrayBuffer, DataCloneError, SharedArrayBuffer
from tests.transport.settling import quiet, until
from tests.transport.socket_client import END, MESSAGE, PING, PROBE, RawClient
from transport import (
    CloseReason,
    Limits,
    Listener,
    MessageChannel,
    MessagePort,
    PortClosedError,
    connect,
    listen,
)
from transport._measure import measure
from transport.socket_connection import Connection
from transport.socket_link import SocketLink

SMALL = Limits(window=64 << 10, message_size=10 << 20, ports_per_message=3, channels=5)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listen("tcp://127.0.0.1:0", limits=SMALL) as listener:
        yield listener


def joined(listener: Listener) -> tuple[MessagePort, MessagePort]:
    near = connect(listener.url, limits=SMALL)
    return near, listener.accept(5)


def sent(near: MessagePort, far: MessagePort) -> tuple[MessagePort, MessagePort]:
    """A further channel on the connection of *near*."""
    one, two = MessageChannel()
    near.post_message(two, [two])
    arrived = far.receive(5)
    assert isinstance(arrived, MessagePort)
    return one, arrived


def link_of(port: MessagePort) -> SocketLink:
    link = port._end.link
    assert isinstance(link, SocketLink)
    return link


def connection_of(port: MessagePort) -> Connection:
    return link_of(port).connection


def test_a_port_that_is_sent_becomes_a_channel_of_the_same_connection(listener: Listener) -> None:
    near, far = joined(listener)
    one, two = sent(near, far)

    one.post_message("there")
    two.post_message("back")

    assert (two.receive(5), one.receive(5)) == ("there", "back")
    assert connection_of(one) is connection_of(near)
    assert link_of(one).channel == link_of(two).channel != link_of(near).channel
    near.close()
    one.close()


def test_one_slow_channel_does_not_stop_the_others(listener: Listener) -> None:
    near, far = joined(listener)
    slow, slow_far = sent(near, far)
    for i in range(100):
        slow.post_message(f"{i}" + "x" * 100_000)

    for i in range(200):
        near.post_message(i)
        assert far.receive(5) == i

    values = [slow_far.receive(5) for _ in range(100)]
    assert [str(value).rstrip("x") for value in values] == [str(i) for i in range(100)]
    near.close()
    slow.close()


def test_a_long_message_on_one_channel_lets_short_ones_on_another_pass(listener: Listener) -> None:
    near, far = joined(listener)
    other, other_far = sent(near, far)
    other.post_message(b"x" * (9 << 20))
    near.post_message("short")

    assert far.receive(5) == "short"
    value = other_far.receive(10)
    assert isinstance(value, memoryview) and len(value) == 9 << 20
    near.close()
    other.close()


def test_a_message_larger_than_the_window_passes_behind_others(listener: Listener) -> None:
    near, far = joined(listener)
    near.post_message("first")
    near.post_message("x" * (5 << 20))
    near.post_message("last")
    quiet()

    assert far.receive(5) == "first"
    assert far.receive(10) == "x" * (5 << 20)
    assert far.receive(5) == "last"
    near.close()


def test_an_unread_channel_holds_no_more_than_its_window(listener: Listener) -> None:
    near, far = joined(listener)
    for _ in range(1000):
        near.post_message("x" * 1000)
    quiet(0.2)

    assert 30_000 < sum(map(measure, tuple(far._end.items))) <= SMALL.window
    assert near.buffered_amount >= 1_000_000
    assert sum(len(str(far.receive(5))) for _ in range(1000)) == 1_000_000
    near.close()


def test_a_connection_that_holds_too_much_slows_every_channel_down_but_loses_nothing() -> None:
    limits = Limits(window=1 << 20, queued_bytes=200_000)
    with listen("tcp://127.0.0.1:0", limits=limits) as listener:
        near = connect(listener.url)
        far = listener.accept(5)
        ports = [sent(near, far) for _ in range(5)]
        for near_end, _ in ports:
            for i in range(50):
                near_end.post_message([i, "x" * 20_000])
        quiet(0.2)
        assert connection_of(far).ledger.held <= 200_000 + 6 * (32 << 10)

        for _, far_end in reversed(ports):
            values = [far_end.receive(5) for _ in range(50)]
            assert [value[0] for value in values if isinstance(value, list)] == list(range(50))
        near.close()


def test_messages_longer_than_the_other_side_takes_are_refused_at_the_poster(listener: Listener) -> None:
    near, far = joined(listener)
    buffer = ArrayBuffer(11 << 20)

    for value, transfer in (("x" * (11 << 20), []), (b"x" * (11 << 20), []), (1, [buffer])):
        with pytest.raises(DataCloneError, match="takes 10485760"):
            near.post_message(value, transfer)

    assert not buffer.detached
    near.post_message("works")
    assert far.receive(5) == "works"
    near.close()


def test_ports_past_the_limit_are_refused_at_the_poster_and_stay(listener: Listener) -> None:
    near, far = joined(listener)
    pairs = [MessageChannel() for _ in range(4)]
    ports = [pair.port1 for pair in pairs]

    with pytest.raises(DataCloneError, match="takes 3"):
        near.post_message(ports, ports)
    near.post_message(ports[:3], ports[:3])
    with pytest.raises(DataCloneError, match="5 ports in a connection"):
        near.post_message(pairs[3].port2, [pairs[3].port2, ports[3]])

    pairs[3].port2.post_message("still a pair")
    assert ports[3].receive(5) == "still a pair"
    arrived = far.receive(5)
    assert isinstance(arrived, list)
    for port in arrived:
        port.close()
    until(lambda: len(connection_of(near).links) == 1)
    near.post_message(ports[3], [ports[3]])
    near.close()


def test_a_shared_buffer_cannot_be_sent(listener: Listener) -> None:
    near, _ = joined(listener)

    with pytest.raises(DataCloneError, match="over a socket"):
        near.post_message({"shared": SharedArrayBuffer(4)})
    near.close()


def test_transferred_buffers_arrive_with_what_they_were(listener: Listener) -> None:
    near, far = joined(listener)
    plain, growing, empty = ArrayBuffer(b"abc"), ArrayBuffer(b"def", max_byte_length=10), ArrayBuffer(0)
    near.post_message([plain, growing, empty], [empty, growing, plain])

    arrived = far.receive(5)

    assert isinstance(arrived, list)
    assert [bytes(buffer) for buffer in arrived] == [b"abc", b"def", b""]
    assert [buffer.max_byte_length for buffer in arrived] == [3, 10, 0]
    arrived[1].resize(10)
    near.close()


@pytest.mark.parametrize("size", [1, 8191, 8192, 65_535, 65_536, 262_143, 262_144, 1 << 20, 5_000_000])
@pytest.mark.parametrize("kind", [bytes, bytearray, str])
def test_sizes_around_every_threshold_arrive_whole(listener: Listener, size: int, kind: type) -> None:
    near, far = joined(listener)
    pattern = bytes(range(32, 127)) * (size // 95 + 1)
    octets = pattern[:size]
    value = octets.decode() if kind is str else kind(octets)

    near.post_message({"value": value, "again": value})

    message = far.receive(10)
    assert isinstance(message, dict)
    if kind is str:
        assert message["value"] == value
    else:
        assert message["value"] == octets
        assert message["value"] is message["again"]
        assert message["value"].readonly == (kind is bytes)
    near.close()


# -------------------------------------------------------------------- acknowledgement


def test_drained_waits_for_the_reader_beyond_the_window(listener: Listener) -> None:
    near, far = joined(listener)
    for _ in range(20):
        near.post_message("x" * 50_000)

    async def main() -> None:
        task = asyncio.create_task(near.drained())
        await asyncio.sleep(0.05)
        assert not task.done()
        for _ in range(20):
            await far.receive_async()
        await asyncio.wait_for(task, 5)

    asyncio.run(main())
    assert near.buffered_amount == 0
    near.close()


def test_what_is_dropped_at_the_other_side_s_close_counts_as_taken(listener: Listener) -> None:
    near, far = joined(listener)
    for _ in range(20):
        near.post_message("x" * 50_000)
    until(lambda: far._end.items)

    far.close()

    until(lambda: near.buffered_amount == 0)
    assert near.close_reason in (None, CloseReason.PEER)


def test_a_probe_is_sent_only_when_somebody_asks(listener: Listener) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        port.post_message(1)
        assert client.next().kind == MESSAGE
        assert port.buffered_amount == 4

        assert client.next() == (PROBE, 1, b"")


# -------------------------------------------------------------------- the end


def test_a_connection_closes_with_its_last_channel(listener: Listener) -> None:
    near, far = joined(listener)
    one, two = sent(near, far)
    sides = [connection_of(near), connection_of(far)]

    near.close()
    until(lambda: far.closed)
    two.post_message("alive")
    assert one.receive(5) == "alive"
    assert not any(side._dead for side in sides)

    two.close()
    until(lambda: all(side._dead for side in sides))
    with pytest.raises(PortClosedError) as caught:
        one.receive(5)
    assert caught.value.reason is CloseReason.PEER


def test_an_end_mark_is_answered_by_the_other_side_by_itself(listener: Listener) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        client.send(END, 1, b"\0")

        assert client.until(END) == (END, 1, b"\0")
        assert client.ended()
    assert list(port) == []
    assert port.close_reason is CloseReason.PEER


def test_all_channels_of_a_broken_connection_hear_that_the_peer_died(listener: Listener) -> None:
    near, far = joined(listener)
    ports = [port for pair in [(near, far), *(sent(near, far) for _ in range(3))] for port in pair]
    far.post_message("before")
    until(lambda: near._end.items)

    connection_of(far)._stream.shutdown()

    assert near.receive(5) == "before"
    for port in ports:
        with pytest.raises(PortClosedError) as caught:
            port.receive(5)
        assert caught.value.reason is CloseReason.PEER_DIED
    near.post_message("into the void")
    assert near.buffered_amount == 0


def test_a_silent_peer_is_dead_after_a_while() -> None:
    limits = Limits(keep_alive_interval=0.05, keep_alive_timeout=0.1)
    with listen("tcp://127.0.0.1:0", limits=limits) as listener, RawClient(listener.url) as client:
        port = listener.accept(5)
        started = time.monotonic()
        with pytest.raises(PortClosedError) as caught:
            port.receive(5)

        assert caught.value.reason is CloseReason.PEER_DIED
        assert 0.1 < time.monotonic() - started < 3
        assert client.next() == (PING, 0, b"")


def test_a_peer_that_answers_is_not_dead() -> None:
    limits = Limits(keep_alive_interval=0.05, keep_alive_timeout=0.1)
    with listen("tcp://127.0.0.1:0", limits=limits) as listener, child(listener.url, "echo") as process:
        port = listener.accept(10)
        quiet(0.5)

        port.post_message("there?")
        assert port.receive(5) == "there?"
        port.close()
        assert process.wait(10) == 0


def test_limits_are_checked() -> None:
    for name, value in (("frame_size", 100), ("window", 1), ("ports_per_message", 5000), ("half_open", 0)):
        with pytest.raises(ValueError, match=name):
            listen("tcp://127.0.0.1:0", limits=Limits(**{name: value}))
    with pytest.raises(ValueError, match="handshake_seconds"):
        connect("tcp://127.0.0.1:1", limits=Limits(handshake_seconds=0))


def test_many_threads_post_at_once_and_every_order_is_kept(listener: Listener) -> None:
    near, far = joined(listener)
    total = 500

    def post(who: int) -> None:
        for i in range(total):
            near.post_message((who, i))

    threads = [threading.Thread(target=post, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    got = [far.receive(5) for _ in range(4 * total)]
    for thread in threads:
        thread.join()

    for who in range(4):
        numbers = [value[1] for value in got if isinstance(value, tuple) and value[0] == who]
        assert numbers == list(range(total))
    near.close()


# -------------------------------------------------------------------- another process


def child(url: str, what: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.transport.socket_child", url, what])


@pytest.fixture(params=["tcp", "unix"])
def far_listener(request: pytest.FixtureRequest, tmp_path: object) -> Iterator[Listener]:
    with listen("tcp://127.0.0.1:0" if request.param == "tcp" else f"unix://{tmp_path}/port") as listener:
        yield listener


def test_a_child_echoes_values_and_ports(far_listener: Listener) -> None:
    with child(far_listener.url, "echo") as process:
        port = far_listener.accept(10)
        for value in ({"a": [1, 2.5, None]}, "text", b"x" * 1_000_000):
            port.post_message(value)
            assert port.receive(10) == value
        one, two = MessageChannel()
        one.post_message("queued")
        port.post_message(two, [two])
        back = port.receive(10)
        assert isinstance(back, MessagePort)
        one.post_message("through the child and back")
        assert [back.receive(10), back.receive(10)] == ["queued", "through the child and back"]
        port.close()
        back.close()
        assert process.wait(10) == 0


def test_a_killed_child_is_heard(far_listener: Listener) -> None:
    with child(far_listener.url, "sleep") as process:
        port = far_listener.accept(10)
        assert port.receive(10) == "asleep"
        os.kill(process.pid, signal.SIGKILL)

        with pytest.raises(PortClosedError) as caught:
            port.receive(10)

        assert caught.value.reason is CloseReason.PEER_DIED


def test_what_a_child_posts_before_it_ends_is_delivered(far_listener: Listener) -> None:
    with child(far_listener.url, "flood") as process:
        port = far_listener.accept(10)
        quiet(0.3)

        values = list(port)

        assert values[:-1] == list(range(20_000))
        assert values[-1] == "y" * 3_000_000
        assert port.close_reason is CloseReason.PEER
        assert process.wait(10) == 0


def test_a_child_that_ends_with_unread_messages_ends_at_once(far_listener: Listener) -> None:
    with child(far_listener.url, "ignore") as process:
        port = far_listener.accept(10)
        for i in range(1000):
            port.post_message([i, "x" * 1000])

        assert port.receive(10) == "bye"
        with pytest.raises(PortClosedError) as caught:
            port.receive(10)
        assert caught.value.reason is CloseReason.PEER
        assert process.wait(10) == 0


def test_a_forked_child_s_copy_does_not_hide_the_end() -> None:
    with listen("tcp://127.0.0.1:0") as listener, child(listener.url, "fork and die"):
        port = listener.accept(10)
        assert port.receive(10) == "forked"

        with pytest.raises(PortClosedError) as caught:
            port.receive(10)

        assert caught.value.reason is CloseReason.PEER_DIED

"""What passes from one connection to another, and what cannot: nothing is lost without a word."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from textwrap import dedent

import pytest

from clonecodec import DecodeError, SharedArrayBuffer
from tests.transport.settling import until
from transport import CloseReason, Limits, MessageChannel, MessagePort, PortClosedError, connect, listen
from transport.socket_link import SocketLink

SMALL = Limits(window=64 << 10, message_size=100_000, ports_per_message=2)


@pytest.fixture
def passage() -> Iterator[tuple[MessagePort, MessagePort]]:
    """A port at the near end of one connection, and one at the far end of another, with a relay between."""
    with listen("tcp://127.0.0.1:0") as wide, listen("tcp://127.0.0.1:0", limits=SMALL) as narrow:
        first, middle = connect(wide.url), wide.accept(5)
        onward, last = connect(narrow.url), narrow.accept(5)
        onward.post_message(middle, [middle])
        far = last.receive(5)
        assert isinstance(far, MessagePort)
        yield first, far
        first.close()
        onward.close()


def test_what_the_next_connection_does_not_take_is_a_messageerror_there(
    passage: tuple[MessagePort, MessagePort],
) -> None:
    near, far = passage
    near.post_message("before")
    near.post_message(b"x" * 200_000)
    near.post_message("y" * 200_000)
    near.post_message("after")

    assert far.receive(5) == "before"
    for _ in range(2):
        with pytest.raises(DecodeError):
            far.receive(5)
    assert far.receive(5) == "after"


def test_ports_that_the_next_connection_does_not_take_are_closed(
    passage: tuple[MessagePort, MessagePort],
) -> None:
    near, far = passage
    pairs = [MessageChannel() for _ in range(3)]
    ports = [pair.port2 for pair in pairs]
    near.post_message(ports, ports)
    near.post_message("after")

    with pytest.raises(DecodeError):
        far.receive(5)
    assert far.receive(5) == "after"
    for pair in pairs:
        with pytest.raises(PortClosedError) as caught:
            pair.port1.receive(5)
        assert caught.value.reason is CloseReason.LOST


def test_bytes_that_are_no_value_pass_as_they_are(passage: tuple[MessagePort, MessagePort]) -> None:
    near, far = passage
    link = near._end.link
    assert isinstance(link, SocketLink)
    for payload in (b"", bytes.fromhex("ff0f7a"), b"no value" * 4000):
        link.post_raw(payload)
        near.post_message("after")

        with pytest.raises(DecodeError):
            far.receive(5)
        assert far.receive(5) == "after"


def test_a_value_of_a_process_channel_that_no_socket_takes_is_a_messageerror() -> None:
    with listen("tcp://127.0.0.1:0") as listener:
        near, far = connect(listener.url), listener.accept(5)
        channel = MessageChannel("process")
        near.post_message(channel.port2, [channel.port2])
        port = far.receive(5)
        assert isinstance(port, MessagePort)

        channel.port1.post_message(SharedArrayBuffer(8))
        channel.port1.post_message("after")

        with pytest.raises(DecodeError):
            port.receive(5)
        assert port.receive(5) == "after"
        channel.port1.close()
        near.close()


def test_the_oldest_of_those_that_wait_for_credit_make_room() -> None:
    with listen("tcp://127.0.0.1:0", limits=SMALL) as listener:
        near, far = connect(listener.url), listener.accept(5)
        buffer_port = MessageChannel()
        near.set_high_water_mark(200_000, "drop-oldest")
        for i in range(1000):
            near.post_message([i, "x" * 1000])
        near.post_message(buffer_port.port2, [buffer_port.port2])
        assert near.buffered_amount < 210_000

        got = []
        while isinstance(value := far.receive(5), list):
            got.append(value[0])
        near.close()

    assert got == sorted(set(got))
    assert got[-1] == 999
    assert 100 < len(got) < 300
    assert isinstance(value, MessagePort)


def test_a_port_in_a_message_that_makes_room_is_closed() -> None:
    with listen("tcp://127.0.0.1:0", limits=SMALL) as listener:
        near, far = connect(listener.url), listener.accept(5)
        lost = MessageChannel()
        while near.buffered_amount < 200_000:
            near.post_message("x" * 1000)
        near.post_message(lost.port2, [lost.port2])
        near.set_high_water_mark(10_000, "drop-oldest")  # less than is out already
        near.post_message("last")

        with pytest.raises(PortClosedError) as caught:
            lost.port1.receive(5)
        assert caught.value.reason is CloseReason.LOST
        while far.receive(5) != "last":
            pass
        near.close()


def test_a_listener_without_descriptors_waits_for_some() -> None:
    """Clients wait in the kernel's backlog meanwhile."""
    program = """
        import os, resource, socket, time
        from transport import listen
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        with listen("tcp://127.0.0.1:0") as listener:
            address = listener.url.removeprefix("tcp://").split(":")
            hoard = []
            try:
                while True:
                    hoard.append(os.dup(0))
            except OSError:
                os.close(hoard.pop())
            client = socket.create_connection((address[0], int(address[1])))
            time.sleep(0.3)
            try:
                listener.accept(timeout=0.01)
            except TimeoutError:
                print("waits")
            for number in hoard:
                os.close(number)
            from transport import connect
            port = connect(listener.url)
            listener.accept(timeout=5).post_message("served")
            print(port.receive(5))
            port.close()
        """
    result = subprocess.run(
        [sys.executable, "-c", dedent(program)], capture_output=True, text=True, timeout=30, check=False
    )

    assert (result.stdout, result.stderr) == ("waits\nserved\n", "")


def test_a_closed_listener_refuses_those_that_come_in_the_same_moment() -> None:
    with listen("tcp://127.0.0.1:0") as listener:
        ports = [connect(listener.url) for _ in range(5)]
        until(lambda: len(listener._waiting) == 5)

    for port in ports:
        with pytest.raises(PortClosedError):
            port.receive(5)

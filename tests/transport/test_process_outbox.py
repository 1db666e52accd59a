"""What is posted in a burst: in order, whole, and never left lying, whoever posts, waits or dies."""

from __future__ import annotations

import errno
import signal
import sys
import threading
import time
from collections.abc import Sequence
from typing import cast

import pytest

from clonecodec import ArrayBuffer
from tests.transport.links import process_link
from tests.transport.settling import quiet, until
from transport import MessageChannel, MessagePort, PortClosedError
from transport._io import GRACE
from transport._process_outbox import LITTLE, Outbox
from transport._process_socket import Side
from transport._process_wire import SMALL, Octets
from transport._source import Source


def source_of(port: MessagePort) -> Source:
    source = port._end.link.source
    assert source is not None
    return source


@pytest.mark.parametrize("count", [2, 3, 70, 1025, 30_000])
def test_a_burst_is_not_left_lying_by_one_who_waits_for_nothing(count: int) -> None:
    near, far = MessageChannel("process")
    heard: list[object] = []
    far.on("message", heard.append)

    for i in range(count):
        near.post_message(i)

    until(lambda: len(heard) == count)
    assert heard == list(range(count))
    near.close()


def test_a_burst_goes_out_before_its_poster_waits() -> None:
    near, far = MessageChannel("process")

    def echo_sum() -> None:
        far.post_message(sum(far.receive(10) for _ in range(50)))  # type: ignore[misc]

    thread = threading.Thread(target=echo_sum)
    thread.start()
    for i in range(50):
        near.post_message(i)

    assert near.receive(10) == sum(range(50))
    thread.join(10)


def test_a_burst_goes_out_before_the_end_and_before_what_has_attachments() -> None:
    near, far = MessageChannel("process")
    buffer = ArrayBuffer(b"moved")
    for i in range(20):
        near.post_message(i)
    near.post_message(buffer, [buffer])
    near.post_message("x" * LITTLE)
    for i in range(20):
        near.post_message(i)
    near.close()

    got = list(far)

    assert [bytes(value) if isinstance(value, ArrayBuffer) else value for value in got] == [
        *range(20),
        b"moved",
        "x" * LITTLE,
        *range(20),
    ]


@pytest.mark.parametrize("count", [2, 31, 70, 300])
def test_a_burst_of_ports_is_not_left_lying_by_one_who_waits_for_nothing(count: int) -> None:
    near, far = MessageChannel("process")
    pairs = [MessageChannel("process") for _ in range(count)]
    heard: list[MessagePort] = []
    far.on("message", heard.append)

    for pair in pairs:
        near.post_message(pair.port1, [pair.port1])

    until(lambda: len(heard) == count)
    for number, (port, pair) in enumerate(zip(heard, pairs, strict=True)):
        port.post_message(number)
        assert pair.port2.receive(10) == number
        port.close()
    near.close()


def test_ports_values_and_what_is_long_arrive_in_the_order_in_which_they_were_posted() -> None:
    near, far = MessageChannel("process")
    pairs = [MessageChannel("process") for _ in range(60)]

    for number, pair in enumerate(pairs):
        near.post_message({"number": number, "port": pair.port1}, [pair.port1])
        if number % 3 == 0:
            near.post_message(number)
        if number % 7 == 0:
            near.post_message(bytes(100_000 + number))
        if number % 11 == 0:
            many = [end for _ in range(130) for end in MessageChannel("process")]
            near.post_message(many, many)
    near.close()

    got = list(far)
    expected: list[object] = []
    for number in range(60):
        expected.append(("port", number))
        expected += [number] if number % 3 == 0 else []
        expected += [("bytes", 100_000 + number)] if number % 7 == 0 else []
        expected += ["many"] if number % 11 == 0 else []
    assert [kind_of(value) for value in got] == expected
    for value in got:
        if isinstance(value, dict):
            value["port"].post_message(value["number"])
            assert pairs[value["number"]].port2.receive(10) == value["number"]


def kind_of(value: object) -> object:
    if isinstance(value, dict):
        return "port", value["number"]
    if isinstance(value, list):
        return "many"
    return ("bytes", len(value)) if isinstance(value, (bytes, memoryview)) else value


def test_a_burst_of_ports_that_finds_no_room_is_written_when_there_is() -> None:
    near, far = MessageChannel("process")
    source_of(far).retire()
    while not process_link(near).outbox:
        near.post_message(bytes(1000))
        time.sleep(0)
    pairs = [MessageChannel("process") for _ in range(50)]
    for pair in pairs:
        near.post_message(pair.port1, [pair.port1])

    source_of(far).resume()

    ports: list[MessagePort] = []
    while len(ports) < len(pairs):
        value = far.receive(10)
        if isinstance(value, MessagePort):
            ports.append(value)
    for number, (port, pair) in enumerate(zip(ports, pairs, strict=True)):
        pair.port2.post_message(number)
        assert port.receive(10) == number


def test_a_burst_of_ports_travels_with_its_port() -> None:
    near, far = MessageChannel("process")
    carrier, to = MessageChannel("process")
    pairs = [MessageChannel("process") for _ in range(10)]
    for pair in pairs:
        near.post_message(pair.port1, [pair.port1])

    carrier.post_message(near, [near])
    moved = cast(MessagePort, to.receive(10))
    moved.post_message("behind them")

    for number, pair in enumerate(pairs):
        cast(MessagePort, far.receive(10)).post_message(number)
        assert pair.port2.receive(10) == number
    assert far.receive(10) == "behind them"


def test_the_ports_of_a_burst_that_nobody_reads_are_closed() -> None:
    near, far = MessageChannel("process")
    pairs = [MessageChannel("process") for _ in range(20)]
    for pair in pairs:
        near.post_message(pair.port1, [pair.port1])

    far.close()
    near.close()

    for pair in pairs:
        with pytest.raises(PortClosedError):
            pair.port2.receive(10)


def test_a_burst_travels_with_its_port() -> None:
    near, far = MessageChannel("process")
    carrier, to = MessageChannel("process")
    for i in range(10):
        near.post_message(i)

    carrier.post_message(near, [near])
    moved = to.receive(10)

    assert isinstance(moved, MessagePort)
    moved.post_message("behind it")
    assert [far.receive(10) for _ in range(11)] == [*range(10), "behind it"]


def test_what_finds_no_room_is_kept_in_order_and_written_when_there_is() -> None:
    near, far = MessageChannel("process")
    source_of(far).retire()
    count = 0
    while not process_link(near).outbox:
        near.post_message(count)
        count += 1
        time.sleep(0)
    for i in range(count, count + 5000):
        near.post_message(i)
    buffer = ArrayBuffer(4)
    near.post_message(buffer, [buffer])
    near.post_message("last")

    source_of(far).resume()

    assert [far.receive(10) for _ in range(count + 5000)] == list(range(count + 5000))
    assert isinstance(far.receive(10), ArrayBuffer)
    assert far.receive(10) == "last"


def test_each_of_many_receivers_gets_one_of_a_burst() -> None:
    near, far = MessageChannel("process")
    got: list[object] = []
    threads = [threading.Thread(target=lambda: got.append(far.receive(10))) for _ in range(6)]
    for thread in threads:
        thread.start()
    until(lambda: len(far._end.waiters) >= 5)

    for i in range(6):
        near.post_message(i)
    for thread in threads:
        thread.join(5)

    assert sorted(got) == list(range(6))  # type: ignore[type-var]


def test_the_oldest_is_dropped_alone_and_is_not_owed_any_more() -> None:
    near, far = MessageChannel("process")
    source_of(far).retire()  # nobody reads: the kernel's buffer fills
    near.set_high_water_mark(3_000_000, "drop-oldest")

    for i in range(8000):
        near.post_message([i, "x" * 1000])

    assert 2_900_000 < near.buffered_amount < 3_002_000
    source_of(far).resume()
    near.set_high_water_mark(None)
    near.post_message("last")
    got = list(iter(lambda: far.receive(10), "last"))
    numbers = [message[0] for message in got]  # type: ignore[index]
    assert numbers == sorted(numbers)
    assert numbers[-2000:] == list(range(6000, 8000))
    assert len(numbers) < 4000
    until(lambda: near.buffered_amount == 0)


def test_dropped_ports_are_closed_and_what_stands_around_them_arrives() -> None:
    near, far = MessageChannel("process")
    mine, peer = MessageChannel("process")
    source_of(far).retire()
    near.post_message(bytes(3_000_000))
    near.set_high_water_mark(1, "drop-oldest")
    near.post_message(mine, [mine])
    near.post_message("stays")

    with pytest.raises(PortClosedError):
        peer.receive(10)
    source_of(far).resume()
    assert len(far.receive(10)) == 3_000_000  # type: ignore[arg-type]
    assert far.receive(10) == "stays"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="it needs a signal that comes often")
def test_a_signal_handler_may_post_at_any_point() -> None:
    near, far = MessageChannel("process")
    mine: list[int] = []
    posted = 0

    def handler(number: int, frame: object) -> None:
        mine.append(len(mine))
        near.post_message(["handler", mine[-1]])

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            near.post_message(["main", posted])
            posted += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert mine
    got = [cast("tuple[str, int]", far.receive(10)) for _ in range(posted + len(mine))]
    assert [value for who, value in got if who == "main"] == list(range(posted))
    assert sorted(value for who, value in got if who == "handler") == mine  # one may interrupt another
    assert near.buffered_amount >= 0


def test_a_signal_handler_may_close_the_port_that_is_received_from() -> None:
    near, _far = MessageChannel("process")
    before = signal.signal(signal.SIGALRM, lambda number, frame: near.close())
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(PortClosedError):
            near.receive(10)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_thread_that_receives_in_a_loop_is_the_only_one_to_read() -> None:
    """No other thread is woken for a message, and no poll set is changed."""
    near, far = MessageChannel("process")
    source = source_of(near)
    far.post_message("first")
    near.receive(10)
    changes: list[object] = []
    join, leave = source._join_poller, source._leave_poller
    source._join_poller = lambda poller: (changes.append("join"), join(poller))  # type: ignore[assignment, func-returns-value]
    source._leave_poller = lambda: (changes.append("leave"), leave())  # type: ignore[assignment, func-returns-value]

    deadline = time.monotonic() + 0.2
    turns = 0
    while time.monotonic() < deadline:
        far.post_message(turns)
        assert near.receive(10) == turns
        turns += 1

    # (On a busy machine the I/O thread may think that nobody comes any more.)
    assert len(changes) < turns / 20


def test_one_to_whom_nobody_listens_hears_of_the_end_all_the_same() -> None:
    near, far = MessageChannel("process")

    far.close()

    until(lambda: near.peer_closed)
    until(lambda: near.closed)


def test_acknowledgements_come_to_one_who_only_posts() -> None:
    near, far = MessageChannel("process")
    for i in range(100):
        near.post_message(i)
        far.receive(10)

    until(lambda: near.buffered_amount == 0)
    near.post_message("later")
    assert near.buffered_amount > 0
    quiet()
    far.receive(10)
    until(lambda: near.buffered_amount == 0)


if not sys.platform.startswith("linux"):
    pytest.skip("process channels need Linux", allow_module_level=True)


@pytest.mark.parametrize("length", [LITTLE, SMALL - 30, SMALL, SMALL + 1, 3 * SMALL])
def test_text_of_any_length_keeps_its_place_among_others(length: int) -> None:
    near, far = MessageChannel("process")
    near.post_message("first")
    for number in range(40):
        near.post_message({"number": number, "text": "é" * length})
        near.post_message(number)
    assert near.buffered_amount > 40 * length

    assert far.receive(10) == "first"
    for number in range(40):
        assert far.receive(10) == {"number": number, "text": "é" * length}
        assert far.receive(10) == number
    far.post_message("taken")
    assert near.receive(10) == "taken"
    assert near.buffered_amount == 0


class FullForDescriptors:
    """A socket that takes nothing for as long as the kernel has too many descriptors in flight."""

    def __init__(self) -> None:
        self.full = True
        self.written = b""

    def send(self, data: bytes, flags: int) -> int:
        if self.full:
            raise OSError(errno.ENOBUFS, "No buffer space available")
        self.written += data
        return len(data)

    def sendmsg(self, data: Sequence[Octets], ancillary: Sequence[object], flags: int) -> int:
        return self.send(b"".join(data), flags)


def test_what_the_kernel_has_no_room_for_is_tried_again_by_one_for_all_that_is_posted() -> None:
    socket = FullForDescriptors()
    lock = threading.RLock()
    tries = 0

    def try_again() -> None:
        nonlocal tries
        with lock:
            tries += 1
            outbox.flush()

    outbox = Outbox(cast(Side, socket), try_again, lambda: None)
    start = time.monotonic()
    with lock:
        for _ in range(500):
            outbox.post(b"x" * 100)
        outbox.flush()
    quiet(0.1)
    assert 1 <= tries <= (time.monotonic() - start) / GRACE + 1

    socket.full = False
    until(lambda: not outbox)
    assert socket.written.count(b"x") == 500 * 100

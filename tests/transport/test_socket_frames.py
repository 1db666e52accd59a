"""Frames that no rule allows: the connection ends with PROTOCOL_ERROR, and nothing else happens."""

from __future__ import annotations

import random
import struct
import threading
from collections.abc import Iterator

import pytest

from tests.transport.settling import until
from tests.transport.socket_client import (
    ABORT,
    ACK,
    BEGIN,
    END,
    HEADER,
    MESSAGE,
    MORE,
    PING,
    PONG,
    PROBE,
    RawClient,
    frame,
    table,
)
from transport import CloseReason, Limits, Listener, MessagePort, listen
from transport.socket_connection import Connection

ONE = bytes.fromhex("ff0f4902")
FIXED = (1 << 64) - 1

MALFORMED = [
    # what is sent                                                    what is complained of
    (frame(0, 1), "kind 0"),
    (frame(10, 1), "kind 10"),
    (frame(MESSAGE, 0, ONE), "channel 0"),
    (frame(MESSAGE, 5, ONE), "channel 5, which is not open"),
    (HEADER.pack(MESSAGE, 1, 1 << 31), "frame of 2147483648 bytes"),
    (HEADER.pack(MESSAGE, 1, 40_000), "more than its credit"),
    (frame(MESSAGE, 1, ONE * 9000), "more than its credit"),
    (frame(MORE, 1, b"x"), "no message is under way"),
    (frame(BEGIN, 1, b"short"), "without a whole table"),
    (frame(BEGIN, 1, table(4, [3], [])[:-1]), "without a whole table"),
    (frame(BEGIN, 1, table(1 << 40, [], [])), "message of"),
    (frame(BEGIN, 1, table(2, [], []) + b"xxx"), "longer than its message"),
    (frame(BEGIN, 1, table(4, [], []) + b"xx") + frame(MORE, 1, b"xxx"), "longer than its message"),
    (frame(BEGIN, 1, table(4, [], []) + b"xx") + frame(MESSAGE, 1, ONE), "within another"),
    (frame(BEGIN, 1, table(4, [], []) + b"xx") + frame(BEGIN, 1, table(4, [], [])), "within another"),
    (frame(BEGIN, 1, table(4, [2], []) + ONE), "channel 2 cannot be opened"),
    (frame(BEGIN, 1, table(4, [0], []) + ONE), "channel 0 cannot be opened"),
    (frame(BEGIN, 1, table(4, [1], []) + ONE), "channel 1 cannot be opened"),
    (frame(BEGIN, 1, table(4, [3, 3], []) + ONE), "channel 3 cannot be opened"),
    (frame(BEGIN, 1, table(4, list(range(3, 600, 2)), []) + ONE), "ports in a message"),
    (frame(BEGIN, 1, table(4, list(range(3, 60, 2)), []) + ONE), "more than 20 channels"),
    (frame(BEGIN, 1, struct.pack("<QII", 4, 0, 5000)), "5000 buffers"),
    (frame(BEGIN, 1, table(4, [], [(9, 8)]) + ONE), "longer than it can be"),
    (frame(BEGIN, 1, table(4, [], [(1 << 62, FIXED)]) + ONE), "message of"),
    (frame(END, 1), "kind 4 with 0 bytes"),
    (frame(END, 1, b"\x07"), "reason 7"),
    (frame(END, 3, b"\0"), "not open"),
    (frame(BEGIN, 1, table(4, [3], []) + ONE) + frame(END, 3, b"\0") * 2, "channel 3, which is not open"),
    (frame(ACK, 1, bytes(15)), "kind 5 with 15 bytes"),
    (frame(ACK, 1, struct.pack("<QQ", 0, 1)), "more than was sent"),
    (frame(ACK, 1, struct.pack("<QQ", 1 << 63, 0)), "more credit"),
    (frame(PROBE, 1, b"x"), "kind 6 with 1 bytes"),
    (frame(PROBE, 9), "not open"),
    (frame(PING, 0, b"x"), "kind 7 with 1 bytes"),
    (frame(ABORT, 0, b"x" * 2000), "kind 9 with 2000 bytes"),
]  # fmt: skip


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listen("tcp://127.0.0.1:0", limits=Limits(channels=20)) as listener:
        yield listener


@pytest.fixture(autouse=True)
def no_exception_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    raised: list[object] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)
    yield
    assert raised == []


@pytest.mark.parametrize(("sent", "complaint"), MALFORMED, ids=[complaint for _, complaint in MALFORMED])
def test_a_malformed_frame_is_a_protocol_error_and_the_other_side_is_told(
    listener: Listener, sent: bytes, complaint: str
) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        client.socket.sendall(sent)

        abort = client.until(ABORT)

        assert complaint in abort.body.decode()
        assert client.ended()
    port.on("message", lambda value: None)
    until(lambda: port.close_reason is not None)
    assert port.close_reason is CloseReason.PROTOCOL_ERROR


def test_an_abort_is_a_protocol_error_too(listener: Listener) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        client.send(ABORT, 0, b"no reason")

        until(lambda: port.close_reason is CloseReason.PROTOCOL_ERROR)


def test_what_came_before_a_malformed_frame_is_delivered(listener: Listener) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        client.socket.sendall(frame(MESSAGE, 1, ONE) + frame(77, 1))

        assert port.receive(5) == 1
        assert list(port) == []
        assert port.close_reason is CloseReason.PROTOCOL_ERROR


def test_a_payload_that_is_no_value_is_a_messageerror_and_no_more(listener: Listener) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        for payload in (b"", b"\xff\x0fz", ONE):
            client.send(MESSAGE, 1, payload)

        for _ in range(2):
            with pytest.raises(ValueError):
                port.receive(5)
        assert port.receive(5) == 1


@pytest.mark.parametrize("kind", [64, 65, 66, 67, 2, 14])
def test_a_host_object_that_did_not_come_along_is_a_messageerror(listener: Listener, kind: int) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        client.send(MESSAGE, 1, b"\xff\x0f\\" + bytes((kind, 9)))

        with pytest.raises(ValueError):
            port.receive(5)


def test_ports_in_a_message_that_cannot_be_read_are_closed(listener: Listener) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        client.send(BEGIN, 1, table(3, [3], []) + b"\xff\x0fz")

        with pytest.raises(ValueError):
            port.receive(5)

        assert client.until(END) == (END, 3, b"\x01")


def test_a_ping_is_answered(listener: Listener) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        client.send(PING, 0)

        assert client.next() == (PONG, 0, b"")
        assert not port.closed


def test_pings_of_one_who_does_not_read_pile_up_nothing(listener: Listener) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        connection = port._end.link.source
        assert isinstance(connection, Connection)
        client.socket.settimeout(0.2)
        for _ in range(200):
            try:
                client.socket.sendall(frame(PING, 0) * 10_000)
            except TimeoutError:
                break

        assert connection.writer._outlet.size < 1 << 20
        client.socket.settimeout(10)
        assert client.next() == (PONG, 0, b"")


def test_pings_that_cannot_be_answered_at_once_get_one_answer_later(listener: Listener) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        client.send(ACK, 1, struct.pack("<QQ", 1 << 30, 0))
        client.send(MESSAGE, 1, ONE)
        assert port.receive(5) == 1
        port.post_message(b"x" * (64 << 20))  # more than any kernel keeps for one who does not read
        for _ in range(3):
            client.send(PING, 0)
        client.send(MESSAGE, 1, ONE)
        assert port.receive(5) == 1
        client.socket.settimeout(0.5)

        kinds = []
        with pytest.raises(TimeoutError):
            while True:
                kinds.append(client.next().kind)

    assert kinds.count(PONG) == 1
    assert kinds.count(BEGIN) == 1


def test_a_message_may_come_byte_by_byte(listener: Listener) -> None:
    with RawClient(listener.url) as client:
        port = listener.accept(5)
        data = frame(BEGIN, 1, table(4, [3], [(2, FIXED)]) + ONE[:1]) + frame(MORE, 1, ONE[1:] + b"ab")

        for octet in data:
            client.socket.sendall(bytes((octet,)))

        assert port.receive(5) == 1


def test_a_claim_of_a_long_message_takes_no_memory(listener: Listener) -> None:
    """256 MiB are claimed on each of twenty channels, and none of it comes."""
    import resource

    with RawClient(listener.url) as client:
        port = listener.accept(5)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        numbers = list(range(3, 33, 2))
        client.send(BEGIN, 1, table(4, numbers, []) + ONE)
        for number in numbers:
            client.send(BEGIN, number, table((256 << 20) - 100, [], []) + b"x")
        client.send(MESSAGE, 1, ONE)

        assert [port.receive(5), port.receive(5)] == [1, 1]

        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < (100 << 10)


def conversation() -> bytes:
    return b"".join(
        (
            frame(MESSAGE, 1, ONE),
            frame(BEGIN, 1, table(4, [3, 5], [(3, FIXED), (0, 9)]) + ONE + b"abc"),
            frame(MESSAGE, 3, ONE),
            frame(PROBE, 3),
            frame(BEGIN, 5, table(8, [], []) + ONE),
            frame(MORE, 5, ONE),
            frame(END, 3, b"\0"),
            frame(ACK, 1, struct.pack("<QQ", 1000, 0)),
            frame(PING, 0),
        )
    )


def read_all(port: MessagePort) -> None:
    port.on("message", lambda value: None)


@pytest.mark.parametrize("seed", range(20))
def test_mutated_frames_do_nothing_but_end_the_connection(listener: Listener, seed: int) -> None:
    """Any bytes are frames or a PROTOCOL_ERROR: no exception in a thread, and the next client is served."""
    mutations = random.Random(seed)
    for _ in range(10):
        data = bytearray(conversation())
        for _ in range(mutations.randrange(1, 6)):
            place = mutations.randrange(len(data))
            match mutations.randrange(3):
                case 0:
                    data[place] = mutations.randrange(256)
                case 1:
                    del data[place : place + mutations.randrange(1, 9)]
                case _:
                    data[place:place] = mutations.randbytes(mutations.randrange(1, 9))
        with RawClient(listener.url) as client:
            port = listener.accept(5)
            read_all(port)
            client.socket.sendall(data)
        until(lambda port=port: port.closed)  # type: ignore[misc]
        assert port.close_reason in (CloseReason.PROTOCOL_ERROR, CloseReason.PEER_DIED, CloseReason.PEER)

"""The handshake: bytes in, bytes out, and over connections that say too little, too much or the wrong."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator

import pytest

from tests.transport.settling import until
from tests.transport.socket_client import HELLO, MESSAGE, RawClient, frame, hello
from transport import CloseReason, HandshakeError, Limits, Listener, PortError, connect, listen
from transport.socket_handshake import Handshake, Role, secret_bytes

LIMITS = Limits()
VALUE = bytes.fromhex("ff0f4902")


def pair(client: bytes | None, server: bytes | None) -> tuple[Handshake, Handshake]:
    return Handshake("client", client, LIMITS), Handshake("server", server, Limits(channels=7))


def shake(client: Handshake, server: Handshake) -> None:
    to_server = client.start()
    while to_server:
        to_client = server.feed(to_server)
        to_server = client.feed(to_client) if to_client else b""


@pytest.mark.parametrize("secret", [None, b"secret"])
def test_both_sides_agree(secret: bytes | None) -> None:
    client, server = pair(secret, secret)

    shake(client, server)

    assert client.done and server.done
    assert client.connection_id == server.connection_id
    assert client.peer is not None and server.peer is not None
    assert (client.peer.channels, server.peer.channels) == (7, LIMITS.channels)


@pytest.mark.parametrize("secret", [None, b"secret"])
def test_a_handshake_may_come_byte_by_byte(secret: bytes | None) -> None:
    client, server = pair(secret, secret)
    to_server, to_client = client.start(), b""

    while to_server or to_client:
        to_client += b"".join(server.feed(bytes((octet,))) for octet in to_server)
        to_server = b"".join(client.feed(bytes((octet,))) for octet in to_client)
        to_client = b""

    assert client.done and server.done


@pytest.mark.parametrize(
    ("mine", "its"),
    [(b"one", b"other"), (None, b"secret"), (b"secret", None)],
    ids=["wrong", "none", "extra"],
)
def test_secrets_that_differ_are_refused(mine: bytes | None, its: bytes | None) -> None:
    client, server = pair(mine, its)

    with pytest.raises(HandshakeError):
        shake(client, server)

    assert not client.done and not server.done


def test_what_comes_behind_the_handshake_is_kept() -> None:
    client, server = pair(None, None)
    client.feed(server.feed(client.start()) + b"frames")

    assert client.rest == b"frames"


def test_a_proof_sent_back_to_its_maker_is_worth_nothing() -> None:
    """A listener that knows no secret sends the client's own proof back."""
    client = Handshake("client", b"secret", LIMITS)
    proof = client.feed(hello(secret=True))

    with pytest.raises(HandshakeError, match="does not know"):
        client.feed(b"\0" + proof)


def test_a_proof_is_worth_nothing_in_the_next_handshake() -> None:
    client, server = pair(b"secret", b"secret")
    first = client.start()
    proof = client.feed(server.feed(first))
    _, again = pair(b"secret", b"secret")
    again.feed(first)

    with pytest.raises(HandshakeError, match="does not know"):
        again.feed(proof)


def test_the_limits_are_proved_too() -> None:
    """Who changes a hello on its way is found out."""
    client, server = pair(b"secret", b"secret")
    start = bytearray(client.start())
    start[-1] ^= 1

    answer = server.feed(bytes(start))

    with pytest.raises(HandshakeError, match="does not know"):
        server.feed(client.feed(answer))


@pytest.mark.parametrize("role", ["client", "server"])
@pytest.mark.parametrize("secret", [None, b"secret"])
def test_mutated_bytes_are_an_error_or_a_wait_and_never_an_agreement_on_a_secret(
    role: Role, secret: bytes | None
) -> None:
    """Any bytes are a HandshakeError or not enough; with a secret they are never the end of it."""
    random_bytes = random.Random(1)
    for _ in range(2000):
        side = Handshake(role, secret, LIMITS)
        data = bytearray(hello(secret=secret is not None) + b"\0" + random_bytes.randbytes(32))
        for _ in range(random_bytes.randrange(4)):
            data[random_bytes.randrange(len(data))] = random_bytes.randrange(256)
        try:
            side.feed(bytes(data[: random_bytes.randrange(len(data) + 1)]))
        except HandshakeError:
            continue
        assert not (side.done and secret is not None)


@pytest.mark.parametrize(("secret", "octets"), [("sé", b"s\xc3\xa9"), (b"x", b"x"), (None, None)])
def test_a_secret_is_bytes_or_text(secret: bytes | str | None, octets: bytes | None) -> None:
    assert secret_bytes(secret) == octets


def test_an_empty_secret_is_none_at_all_and_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        listen("tcp://127.0.0.1:0", secret="")
    with pytest.raises(TypeError, match="bytes or str"):
        connect("tcp://127.0.0.1:1", secret=5)  # type: ignore[arg-type]


# -------------------------------------------------------------------- over connections


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listen("tcp://127.0.0.1:0", secret="secret", limits=Limits(handshake_seconds=0.3)) as listener:
        yield listener


def test_a_secret_opens_the_door(listener: Listener) -> None:
    client = connect(listener.url, secret=b"secret")
    server = listener.accept(5)

    client.post_message("in")

    assert server.receive(5) == "in"
    client.close()


@pytest.mark.parametrize("secret", ["wrong", None])
def test_a_wrong_secret_is_an_error_at_the_client(listener: Listener, secret: str | None) -> None:
    with pytest.raises(HandshakeError) as caught:
        connect(listener.url, secret=secret)

    assert isinstance(caught.value, PortError) and isinstance(caught.value, OSError)
    with pytest.raises(TimeoutError):
        listener.accept(0.05)


def test_a_client_with_a_secret_refuses_a_listener_without() -> None:
    with listen("tcp://127.0.0.1:0") as open_to_all, pytest.raises(HandshakeError, match="no secret"):
        connect(open_to_all.url, secret="secret")


def test_no_value_is_parsed_before_the_proof(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.setattr("transport.socket_reader.Arrived", opened.append)
    with RawClient(listener.url, shake=False) as client:
        client.socket.sendall(hello(secret=True) + bytes(32) + frame(MESSAGE, 1, VALUE) * 10)

        assert client.ended()

    assert opened == []


def test_a_client_that_says_nothing_holds_up_nobody_and_is_closed(listener: Listener) -> None:
    with RawClient(listener.url, shake=False) as silent:
        started = time.monotonic()
        client = connect(listener.url, secret="secret")
        listener.accept(5)
        assert time.monotonic() - started < 0.25
        client.close()

        assert silent.ended()
        assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "words",
    [b"GET / HTTP/1.1\r\n\r\n", b"", b"\x16\x03\x01\x02\x00\x01", hello()[:50]],
    ids=["http", "end", "tls", "half"],
)
def test_who_speaks_something_else_is_shown_the_door(listener: Listener, words: bytes) -> None:
    with RawClient(listener.url, shake=False) as stranger:
        stranger.socket.sendall(words)
        if not words:
            stranger.socket.shutdown(socket.SHUT_WR)

        assert stranger.ended()

    client = connect(listener.url, secret="secret")
    client.close()


def test_rejections_can_be_heard(listener: Listener) -> None:
    heard: list[Exception] = []
    listener.on("rejected", heard.append)

    with pytest.raises(HandshakeError):
        connect(listener.url, secret="wrong")

    until(lambda: heard)
    assert isinstance(heard[0], HandshakeError)


def test_too_many_half_open_connections_push_out_the_oldest() -> None:
    with listen("tcp://127.0.0.1:0", limits=Limits(half_open=3)) as listener:
        silent = [RawClient(listener.url, shake=False) for _ in range(5)]

        assert silent[0].ended()
        assert silent[1].ended()
        client = connect(listener.url)
        listener.accept(5)

        client.close()
        for connection in silent:
            connection.close()


def test_a_listener_that_says_nothing_is_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(TimeoutError):
            connect(url, timeout=0.1)


def test_a_listener_that_speaks_something_else_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        url = f"tcp://127.0.0.1:{stranger.getsockname()[1]}"
        stranger.settimeout(5)

        import threading

        def answer() -> None:
            sock, _ = stranger.accept()
            sock.sendall(b"220 mail.example ESMTP\r\n")
            sock.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises((HandshakeError, ConnectionError)):
            connect(url, timeout=5)
        thread.join()


def test_frames_may_follow_the_handshake_at_once() -> None:
    with listen("tcp://127.0.0.1:0") as listener, RawClient(listener.url, shake=False) as client:
        client.socket.sendall(hello() + frame(MESSAGE, 1, VALUE))

        port = listener.accept(5)

        assert port.receive(5) == 1
        assert client.read(HELLO.size)[:8] == b"MSGPORT1"
        client.close()
        until(lambda: port.closed)
        assert port.close_reason is CloseReason.PEER_DIED

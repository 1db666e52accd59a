"""TLS: the contract over it, who is refused, and large messages in both directions at once."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.transport.settling import until
from tests.transport.socket_client import RawClient, hello
from tests.transport.test_socket import Connected
from transport import HandshakeError, Limits, Listener, MessagePort, connect, listen

if shutil.which("openssl") is None:
    pytest.skip("certificates are made with openssl", allow_module_level=True)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    command = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", str(path), "-out", f"{path}.crt"]
    subprocess.run(["openssl", *command.split(), *names, *files], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


@pytest.fixture(scope="module")
def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture(scope="module")
def client_context(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


class TestTls(Connected):
    context: ssl.SSLContext

    def connect(self) -> MessagePort:
        return connect(self.listener.url, ssl=self.context, secret="as well")

    @pytest.fixture(autouse=True)
    def _listen(self, server_context: ssl.SSLContext, client_context: ssl.SSLContext) -> Iterator[None]:
        self.context = client_context
        with listen("tcp://127.0.0.1:0", ssl=server_context, secret="as well") as self.listener:
            yield


@pytest.fixture
def listener(server_context: ssl.SSLContext) -> Iterator[Listener]:
    limits = Limits(handshake_seconds=0.5)
    with listen("tcp://127.0.0.1:0", ssl=server_context, limits=limits) as listener:
        yield listener


def test_a_certificate_of_another_name_is_refused(listener: Listener, client_context: ssl.SSLContext) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(listener.url, ssl=client_context, server_hostname="example.org")


def test_a_certificate_that_nobody_signed_is_refused(listener: Listener) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(listener.url, ssl=ssl.create_default_context())


def test_a_client_without_tls_is_refused(listener: Listener) -> None:
    with pytest.raises(HandshakeError):
        connect(listener.url, timeout=5)


def test_a_listener_without_tls_is_refused(client_context: ssl.SSLContext) -> None:
    with listen("tcp://127.0.0.1:0") as plain, pytest.raises((ssl.SSLError, HandshakeError)):
        connect(plain.url, ssl=client_context, timeout=5)


def test_a_client_that_stops_in_the_tls_handshake_is_closed(
    listener: Listener, client_context: ssl.SSLContext
) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    with RawClient(listener.url, shake=False) as client:
        client.socket.sendall(outgoing.read())

        assert client.ended()


def test_nothing_in_the_clear_is_looked_at(listener: Listener) -> None:
    with RawClient(listener.url, shake=False) as client:
        client.socket.sendall(hello())

        assert client.ended()
    with pytest.raises(TimeoutError):
        listener.accept(0.05)


def test_large_messages_go_both_ways_at_once(listener: Listener, client_context: ssl.SSLContext) -> None:
    near = connect(listener.url, ssl=client_context)
    far = listener.accept(5)
    octets = bytes(range(256)) * 8192
    threads = [
        threading.Thread(target=lambda port=port: [port.post_message(octets) for _ in range(5)])
        for port in (near, far)
    ]
    for thread in threads:
        thread.start()

    for port in (near, far):
        for _ in range(5):
            assert port.receive(20) == octets

    for thread in threads:
        thread.join()
    near.close()
    until(lambda: far.closed)


def test_tls_over_a_unix_socket_checks_the_name_that_it_is_given(
    tmp_path: Path, server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> None:
    with listen(f"unix://{tmp_path}/port", ssl=server_context) as listener:
        with pytest.raises((ValueError, OSError)):
            connect(listener.url, ssl=client_context)
        near = connect(listener.url, ssl=client_context, server_hostname="localhost")
        far = listener.accept(5)
        near.post_message("hidden")

        assert far.receive(5) == "hidden"
        near.close()

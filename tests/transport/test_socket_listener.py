"""Listeners: addresses, ways to take a connection, files of Unix sockets, and closing."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.transport.settling import quiet, until
from tests.transport.socket_client import RawClient
from transport import CloseReason, Limits, Listener, MessagePort, PortClosedError, connect, listen
from transport.socket_url import Address


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listen("tcp://127.0.0.1:0") as listener:
        yield listener


def test_the_url_tells_the_real_port(listener: Listener) -> None:
    assert listener.url.startswith("tcp://127.0.0.1:")
    assert not listener.url.endswith(":0")


@pytest.mark.parametrize(
    "url",
    ["", "tcp://", "tcp://host", "tcp://host:port", "tcp://h:70000", "http://h:1", "unix://", "tcp://::1:5"],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        listen(url)
    with pytest.raises(ValueError):
        connect(url)


def test_ipv6_stands_in_brackets() -> None:
    address = Address("tcp://[::1]:80")

    assert address.host == "::1"
    if not socket.has_ipv6:
        return
    try:
        listener = listen("tcp://[::1]:0")
    except OSError:
        return  # this machine has none
    with listener:
        assert listener.url.startswith("tcp://[::1]:")
        client = connect(listener.url)
        listener.accept(5)
        client.close()


def test_accept_gives_up_in_time(listener: Listener) -> None:
    with pytest.raises(TimeoutError):
        listener.accept(0.01)
    with pytest.raises(TimeoutError):
        listener.accept(0)


def test_clients_are_given_out_in_order(listener: Listener) -> None:
    clients = [connect(listener.url) for _ in range(5)]
    for i, client in enumerate(clients):
        client.post_message(i)

    assert [listener.accept(5).receive(5) for _ in clients] == [0, 1, 2, 3, 4]
    for client in clients:
        client.close()


def test_iteration_yields_ports_until_the_listener_is_closed(listener: Listener) -> None:
    got: list[MessagePort] = []
    thread = threading.Thread(target=lambda: got.extend(listener))
    thread.start()
    clients = [connect(listener.url) for _ in range(3)]
    until(lambda: not listener._waiting)

    listener.close()
    thread.join(5)

    assert not thread.is_alive()
    assert len(got) == 3
    for client in clients:
        client.close()


def test_async_iteration_yields_ports_until_the_listener_is_closed(listener: Listener) -> None:
    async def main() -> list[object]:
        clients = [await asyncio.to_thread(connect, listener.url) for _ in range(3)]
        for client in clients:
            client.post_message("hello")
        asyncio.get_running_loop().call_later(0.1, listener.close)
        values = [await port.receive_async() async for port in listener]
        for client in clients:
            client.close()
        return values

    assert asyncio.run(main()) == ["hello"] * 3


def test_a_cancelled_accept_loses_nothing(listener: Listener) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(listener.accept_async(), 0.01)
        waiting = [asyncio.create_task(listener.accept_async()) for _ in range(2)]
        await asyncio.sleep(0.01)
        waiting[0].cancel()
        client = await asyncio.to_thread(connect, listener.url)
        port = await asyncio.wait_for(waiting[1], 5)
        client.post_message("there")
        assert await port.receive_async() == "there"
        client.close()

    asyncio.run(main())


def test_connection_listeners_get_the_ports(listener: Listener) -> None:
    early = connect(listener.url)
    until(lambda: listener._waiting)
    ports: list[MessagePort] = []
    listener.on("connection", ports.append)
    late = connect(listener.url)

    until(lambda: len(ports) == 2)

    early.post_message("early")
    late.post_message("late")
    assert [port.receive(5) for port in ports] == ["early", "late"]
    early.close()
    late.close()


def test_connection_listeners_run_in_the_loop_that_they_were_attached_in(listener: Listener) -> None:
    async def main() -> bool:
        here = threading.get_ident()
        seen = asyncio.get_running_loop().create_future()
        listener.on("connection", lambda port: seen.set_result(threading.get_ident() == here))
        client = await asyncio.to_thread(connect, listener.url)
        try:
            return await asyncio.wait_for(seen, 5)
        finally:
            client.close()
            listener.close()

    assert asyncio.run(main())


def test_a_connection_listener_keeps_the_program_alive_while_it_listens(listener: Listener) -> None:
    assert not listener.has_ref()
    listener.on("connection", print)
    assert listener.has_ref() and listener.keeps_alive()
    listener.unref()
    assert not listener.has_ref()
    listener.ref()
    listener.off("connection", print)
    assert not listener.has_ref()
    listener.on("connection", print)

    listener.close()

    assert not listener.has_ref()


def test_close_ends_those_who_wait_and_is_heard(listener: Listener) -> None:
    heard: list[str] = []
    listener.on("close", lambda: heard.append("close"))
    threading.Timer(0.05, listener.close).start()

    with pytest.raises(PortClosedError):
        listener.accept(5)

    assert listener.closed
    until(lambda: heard == ["close"])
    listener.close()
    quiet()
    assert heard == ["close"]
    with pytest.raises(OSError):
        connect(listener.url, timeout=1)


def test_close_leaves_accepted_ports_and_closes_the_others(listener: Listener) -> None:
    accepted, waiting = connect(listener.url), connect(listener.url)
    port = listener.accept(5)
    until(lambda: listener._waiting)

    listener.close()

    with pytest.raises(PortClosedError) as caught:
        waiting.receive(5)
    assert caught.value.reason is CloseReason.PEER
    accepted.post_message("still there")
    assert port.receive(5) == "still there"
    accepted.close()


def test_a_listener_that_nobody_accepts_from_takes_in_only_so_many() -> None:
    with listen("tcp://127.0.0.1:0", limits=Limits(waiting=2)) as listener:
        clients = [connect(listener.url) for _ in range(2)]
        until(lambda: len(listener._waiting) == 2)
        with pytest.raises(TimeoutError):
            connect(listener.url, timeout=0.1)

        listener.accept(5)
        listener.accept(5)
        clients.append(connect(listener.url))

        for client in clients:
            client.close()


def test_no_descriptor_is_left_behind(listener: Listener) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    connect(listener.url).close()
    listener.accept(5)
    quiet()
    before = descriptors()
    for _ in range(20):
        client = connect(listener.url)
        server = listener.accept(5)
        server.close()
        until(lambda client=client: client.closed)  # type: ignore[misc]

    until(lambda: descriptors() <= before)


# -------------------------------------------------------------------- files of Unix sockets


def test_the_file_appears_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "port"
    with listen(f"unix://{path}") as listener:
        assert listener.url == f"unix://{path}"
        assert path.is_socket()

    assert not path.exists()


def test_a_file_on_which_nobody_listens_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "port"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()

    with listen(f"unix://{path}") as listener:
        connect(listener.url).close()


def test_a_file_on_which_somebody_listens_is_left_alone(tmp_path: Path) -> None:
    with listen(f"unix://{tmp_path}/port") as first:
        with pytest.raises(OSError, match="in use"):
            listen(first.url)

        client = connect(first.url)
        first.accept(5)
        client.close()


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "port"
    path.write_text("precious")

    with pytest.raises(OSError):
        listen(f"unix://{path}")

    assert path.read_text() == "precious"


def test_a_file_that_is_another_s_by_now_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "port"
    first = listen(f"unix://{path}")
    path.unlink()
    with listen(f"unix://{path}") as second:
        first.close()

        connect(second.url).close()


def test_a_unix_client_needs_no_port(tmp_path: Path) -> None:
    with listen(f"unix://{tmp_path}/port") as listener, RawClient(listener.url):
        listener.accept(5)


def test_nobody_there_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        connect(f"unix://{tmp_path}/nobody")
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"tcp://127.0.0.1:{gone.getsockname()[1]}"
    with pytest.raises(ConnectionRefusedError):
        connect(url)


def test_an_async_listener_is_refused(listener: Listener) -> None:
    async def serve(port: MessagePort) -> None:
        raise AssertionError(port)

    with pytest.raises(TypeError, match="iterate"):
        listener.on("connection", serve)


def test_repr_says_where_and_how_many(listener: Listener) -> None:
    assert repr(listener) == f"<Listener {listener.url} waiting=0>"
    listener.close()
    assert "closed" in repr(listener)

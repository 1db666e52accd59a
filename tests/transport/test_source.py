"""Whoever reads a descriptor (a loop, the dispatcher, the I/O thread, a receiver), the port is the same."""

from __future__ import annotations

import asyncio
import os
import select
import threading
import time

import pytest

from tests.transport import pipe
from tests.transport.contract_close import CloseContract
from tests.transport.contract_delivery import DeliveryContract
from tests.transport.contract_ref import RefContract
from tests.transport.settling import quiet, until
from transport import (
    CloseReason,
    MessageChannel,
    MessagePort,
    PortClosedError,
    receive_message_on_port,
    structured_clone,
)
from transport._end import End
from transport._relay import relay
from transport._source import Source, borrow_sleeper, return_sleeper
from transport._thread_link import convert, open_pair
from transport.message import Item
from transport.port import open_port


class TestPipe(DeliveryContract, CloseContract, RefContract):
    def channel(self) -> tuple[MessagePort, MessagePort]:
        return pipe.channel()

    def post_undecodable(self, port: MessagePort) -> None:
        link = port._end.link
        assert isinstance(link, pipe.PipeLink)
        link.send(pipe.Bytes(b"\xff\x0fz"))


def source_of(port: MessagePort) -> Source:
    source = port._end.link.source
    assert source is not None
    return source


def test_a_thread_that_receives_reads_the_descriptor_itself() -> None:
    near, far = pipe.channel()
    readers: list[int] = []
    source = source_of(near)
    original = source.pump

    def pump() -> bool:
        readers.append(threading.get_ident())
        return original()

    source.pump = pump  # type: ignore[method-assign]
    with pytest.raises(TimeoutError):
        near.receive(0.01)
    readers.clear()

    for i in range(100):
        far.post_message(i)
        assert near.receive(5) == i

    # (On a busy machine the I/O thread may think that nobody comes any more.)
    assert readers.count(threading.get_ident()) > 0.8 * len(readers)


@pytest.mark.parametrize("waits", [False, True])
def test_one_who_comes_in_mid_reading_gets_what_the_other_thread_reads(waits: bool) -> None:
    near, far = pipe.channel()
    source, end = source_of(near), near._end
    reading = threading.Event()

    class Slowly:
        put_end = end.put_end

        def put(self, item: Item) -> None:
            reading.set()
            time.sleep(0.1)
            end.put(item)

    source._end = Slowly()  # type: ignore[attr-defined]
    far.post_message("sync!")
    assert reading.wait(5)

    if waits:
        began = time.monotonic()
        assert near.receive(5) == "sync!"
        assert time.monotonic() - began < 3
    else:
        message = receive_message_on_port(near)
        assert message is not None and message.value == "sync!"


def test_a_loop_that_listens_reads_the_descriptor_itself() -> None:
    near, far = pipe.channel()
    readers: set[int] = set()
    source = source_of(near)
    original = source.pump

    def pump() -> bool:
        readers.add(threading.get_ident())
        return original()

    async def main() -> None:
        done = asyncio.Event()
        near.on("message", lambda value: done.set() if value == "last" else None)
        source.pump = pump  # type: ignore[method-assign]
        for i in range(50):
            far.post_message(i)
            await asyncio.sleep(0)
        far.post_message("last")
        await asyncio.wait_for(done.wait(), 10)
        near.close()

    asyncio.run(main())
    assert readers == {threading.get_ident()}


def test_when_a_receiver_has_gone_the_close_is_still_heard() -> None:
    near, far = pipe.channel()
    far.post_message(1)
    assert near.receive(5) == 1

    far.close()

    until(lambda: near.peer_closed)


def test_receivers_hand_the_descriptor_on_to_each_other() -> None:
    near, far = pipe.channel()
    got: list[object] = []

    def work() -> None:
        for _ in range(50):
            got.append(near.receive(10))  # noqa: PERF401  # as they come

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for i in range(150):
        far.post_message(i)
        if i % 10 == 0:
            time.sleep(0.001)
    for thread in threads:
        thread.join(20)

    assert sorted(got) == list(range(150))  # type: ignore[type-var]


def test_one_who_waits_in_receive_is_woken_by_a_transfer() -> None:
    near, far = pipe.channel()
    ended: list[type[BaseException]] = []

    def work() -> None:
        try:
            near.receive(10)
        except PortClosedError as error:
            ended.append(type(error))

    thread = threading.Thread(target=work)
    thread.start()
    quiet()
    moved = structured_clone(near, [near])
    thread.join(10)

    assert ended == [PortClosedError]
    assert isinstance(moved, MessagePort)
    far.post_message("to the new owner")
    assert moved.receive(5) == "to the new owner"


def test_a_transferred_port_goes_on_reading_under_its_new_object() -> None:
    near, far = pipe.channel()
    carrier, receiver = MessageChannel()
    far.post_message("queued")
    until(lambda: "queued=1" in repr(near))

    carrier.post_message(near, [near])
    far.post_message("in flight")

    theirs = receiver.receive(5)
    assert isinstance(theirs, MessagePort)
    heard: list[object] = []
    theirs.on("message", heard.append)
    far.post_message("after")
    until(lambda: heard == ["queued", "in flight", "after"])
    theirs.close()
    until(lambda: far.closed)


def test_no_descriptor_is_left_when_channels_are_closed() -> None:
    from pathlib import Path

    descriptors = Path("/proc/self/fd")
    if not descriptors.exists():
        pytest.skip("descriptors are counted on Linux")
    pipe.channel()[0].close()
    quiet()
    before = len(list(descriptors.iterdir()))

    for _ in range(50):
        near, far = pipe.channel()
        near.post_message("x")
        near.close()
        far.close()

    until(lambda: len(list(descriptors.iterdir())) <= before)


# -------------------------------------------------------------------- relays and conversion


def test_a_relay_passes_everything_on_in_both_directions() -> None:
    thread_one, thread_two = open_pair()
    pipe_one, pipe_two = pipe.ends()
    port = open_port(thread_one)
    port.post_message("before")
    far = open_port(pipe_two)

    relay(thread_two, pipe_one)
    port.post_message("after")
    far.post_message("back")

    assert [far.receive(5), far.receive(5), port.receive(5)] == ["before", "after", "back"]
    far.close()
    until(lambda: port.closed)
    assert port.close_reason is CloseReason.PEER


def test_a_converted_channel_keeps_what_was_queued_and_the_end_behind_it() -> None:
    leaving, staying = open_pair()
    port = open_port(staying)
    for i in range(10):
        port.post_message(i)
    heard: list[object] = []
    port.on("message", heard.append)
    ends = []

    def make_link(peer: End) -> pipe.PipeLink:
        near, far = pipe.ends()
        ends.append(far)
        link = near.link
        assert isinstance(link, pipe.PipeLink)
        link.source._end = peer
        peer.taken = link._taken
        return link

    assert convert(leaving, make_link)
    far = open_port(ends[0])
    port.post_message(10)

    assert [far.receive(5) for _ in range(11)] == list(range(11))
    far.post_message("back")
    until(lambda: heard == ["back"])
    assert not convert(staying, make_link), "it is no channel between threads any more"
    port.close()
    with pytest.raises(PortClosedError):
        far.receive(5)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_sleeps_on_a_wake_up_of_its_own() -> None:
    """An inherited one is one with the parent's: a child that was woken woke its parent, or another child."""
    sleeper = borrow_sleeper()
    return_sleeper(sleeper)
    child = os.fork()
    if not child:
        inherited = borrow_sleeper()
        inherited.promote(os.pipe()[0])  # writes the wake-up
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert borrow_sleeper() is sleeper
    poll = select.poll()
    poll.register(sleeper._wakeup.fd, select.POLLIN)
    assert not poll.poll(0)
    return_sleeper(sleeper)

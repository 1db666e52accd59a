"""Ends that nobody has used: they travel, close, fork and end with the program like any other."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
from multiprocessing import get_context
from typing import cast

import pytest

from clonecodec import DecodeError
from tests.transport import children
from tests.transport.links import process_link
from tests.transport.settling import until
from transport import CloseReason, MessageChannel, MessagePort, PortClosedError
from transport._process_codec import MOVED_PORT
from transport._process_folded import Folded, fresh
from transport._process_outbox import bursts
from transport._process_owner import here
from transport._process_parcel import ALONE
from transport._process_wire import MESSAGE, Descriptor, Record, chunks


def is_folded(port: MessagePort) -> bool:
    return isinstance(port._end.link, Folded)


def passed_on(port: MessagePort) -> MessagePort:
    """*port*, after it has travelled."""
    near, far = MessageChannel("process")
    near.post_message(port, [port])
    arrived = cast(MessagePort, far.receive(5))
    near.close()
    return arrived


def test_one_that_travels_on_and_on_stays_folded_and_has_all_that_was_posted() -> None:
    near, far = MessageChannel("process")

    for i in range(20):
        near.post_message(i)
        far = passed_on(far)
        assert is_folded(far)

    assert [far.receive(5) for _ in range(20)] == list(range(20))
    far.post_message("back")
    assert near.receive(5) == "back"


def test_one_that_is_closed_unused_was_closed_by_its_peer() -> None:
    near, far = MessageChannel("process")

    passed_on(far).close()

    with pytest.raises(PortClosedError) as caught:
        near.receive(5)
    assert caught.value.reason is CloseReason.PEER


@pytest.mark.parametrize("how", ["close", "drop"])
def test_the_ports_in_messages_that_wait_in_it_are_lost_with_it(how: str) -> None:
    near, far = MessageChannel("process")
    mine, peer = MessageChannel("process")
    near.post_message({"port": mine}, [mine])
    far = passed_on(far)
    assert is_folded(far)

    if how == "close":
        far.close()
    del far
    gc.collect()

    with pytest.raises(PortClosedError) as caught:
        peer.receive(5)
    assert caught.value.reason is CloseReason.LOST


def test_one_whose_other_end_has_closed_closes_too() -> None:
    near, far = MessageChannel("process")
    near.close()

    assert is_folded(far)
    far.close()

    assert far.close_reason is CloseReason.LOCAL


def test_one_that_is_dropped_closes_its_peer() -> None:
    near, far = MessageChannel("process")

    del far
    gc.collect()

    with pytest.raises(PortClosedError) as caught:
        near.receive(5)
    assert caught.value.reason is CloseReason.PEER


def test_one_that_waits_unused_is_read_so_that_its_writer_is_not_held_up() -> None:
    near, far = MessageChannel("process")
    far = passed_on(far)
    for _ in range(30):
        near.post_message(bytes(100_000))

    until(lambda: not process_link(near).outbox)

    assert not is_folded(far)
    assert [len(cast(bytes, far.receive(5))) for _ in range(30)] == [100_000] * 30


def test_one_that_waits_unused_knows_when_its_peer_has_closed() -> None:
    near, far = MessageChannel("process")
    far = passed_on(far)

    near.close()

    until(lambda: far.peer_closed)
    assert far.closed


def test_a_cancelled_transfer_leaves_it_as_it_was() -> None:
    near, far = MessageChannel("process")
    other, _ = MessageChannel("process")
    carrier, _ = MessageChannel("process")
    other.close()

    with pytest.raises(Exception, match="closed"):
        carrier.post_message([far, other], [far, other])

    near.post_message("still there")
    assert far.receive(5) == "still there"


def test_threads_that_use_it_at_once_use_the_same() -> None:
    for _ in range(50):
        near, far = MessageChannel("process")
        together = threading.Barrier(4)

        def post(number: int, near: MessagePort = near, together: threading.Barrier = together) -> None:
            together.wait(5)
            near.post_message(number)

        threads = [threading.Thread(target=post, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)

        assert sorted(cast("list[int]", [far.receive(5) for _ in range(4)])) == [0, 1, 2, 3]
        near.close()


def test_unfolding_one_waits_for_no_other_link(monkeypatch: pytest.MonkeyPatch) -> None:
    # (Whoever holds that link may himself be waiting for this end: one who reads it and hears a CLAIM is.)
    monkeypatch.setattr("transport._process_outbox.call_when_idle", lambda call: None)
    other, _ = MessageChannel("process")
    link = process_link(other)
    monkeypatch.setattr("transport._process_outbox.monotonic", lambda: 0.0)
    other.post_message("first")
    other.post_message("at once behind it, and so kept")
    assert bursts.outboxes
    near, far = MessageChannel("process")
    folded = far._end.link
    assert isinstance(folded, Folded)
    with link.lock:
        thread = threading.Thread(target=folded.unfold, daemon=True)
        thread.start()
        thread.join(5)

        assert not thread.is_alive()
    near.post_message("read all the same")
    until(lambda: far._end.items)


def test_one_that_is_sent_away_meanwhile_is_not_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, far = MessageChannel("process")
    folded = far._end.link
    assert isinstance(folded, Folded)
    remember = here.remember

    def late(unused: Folded) -> None:
        folded.take()
        remember(unused)

    monkeypatch.setattr(here, "remember", late)
    folded.attend(None)

    assert folded not in here._unused


def test_both_ends_are_known_to_be_here() -> None:
    near, far = MessageChannel("process")

    link = process_link(near)

    assert is_folded(far)
    assert link.twin is not None
    assert not is_folded(far)
    assert link.twin is far._end.link


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_fork_finds_none() -> None:
    near, far = MessageChannel("process")
    far = passed_on(far)

    child = os.fork()
    if not child:
        try:
            far.post_message("the child's")
            os._exit(0)
        finally:
            os._exit(1)

    assert not is_folded(far)
    assert near.receive(10) == "the child's"
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_one_in_a_message_between_threads_is_watched_by_its_peer_from_a_fork_on() -> None:
    control, there = MessageChannel("process")
    process = get_context("spawn").Process(target=children.hang_with_a_port_in_a_message, args=(there,))
    process.start()
    mine, peer = MessageChannel("process")
    control.post_message(mine, [mine])
    forked = cast(int, control.receive(20))
    try:
        process.kill()

        with pytest.raises(PortClosedError) as caught:
            peer.receive(5)
        assert caught.value.reason is CloseReason.PEER_DIED
    finally:
        os.kill(forked, signal.SIGKILL)
        process.join(10)


def test_what_is_no_socket_is_no_end() -> None:
    near, far = MessageChannel("process")
    state = fresh(bytes(16))
    file = Descriptor(os.open("/dev/null", os.O_RDONLY))

    for chunk in chunks(MESSAGE, ALONE, [Record(MOVED_PORT, 1, len(state))], [state], [file]):
        process_link(near).outbox.put_now(chunk)
    near.post_message("next")

    with pytest.raises(DecodeError, match="of no use"):
        far.receive(5)
    assert far.receive(5) == "next"


PROGRAM = """
import sys
from multiprocessing import get_context
from tests.transport import test_process_folded
from transport import MessageChannel

if __name__ == "__main__":
    channel = MessageChannel("process")
    child = get_context("spawn").Process(target=test_process_folded.take_one, args=(channel.port2,))
    child.start()
    mine, peer = MessageChannel("process")
    channel.port1.post_message(mine, [mine])
    print(list(peer), peer.close_reason.name)
    child.join()
"""


def take_one(port: MessagePort) -> None:
    """Take a port, and end with it unused."""
    port.worker = cast(MessagePort, port.receive(10))  # type: ignore[assignment]  # (it is held until the end)


def test_the_end_of_the_program_closes_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.stdout, done.stderr) == ("[] PEER\n", "")


def test_none_is_remembered_that_is_over() -> None:
    for _ in range(10):
        near, far = MessageChannel("process")
        passed_on(far).close()
        near.close()
    del near, far
    gc.collect()

    until(lambda: not here._unused)

"""Contract, transferring ports: items 123 to 149 of the list, and what is dropped on the way."""

from __future__ import annotations

import threading
import warnings
import weakref
from typing import Literal

import pytest

from clonecodec import ArrayBuffer, DataCloneError, is_detached, mark_as_untransferable
from tests.transport.settling import collect, quiet, take_message, until
from transport import (
    CloseReason,
    MessageChannel,
    MessagePort,
    PortClosedError,
    receive_message_on_port,
    structured_clone,
)


def port_in(value: object) -> MessagePort:
    """The port that a message carries, which is all of it, or its ``port``, or its one item."""
    if isinstance(value, dict):
        value = value["port"]
    elif isinstance(value, list):
        value = value[0]
    assert isinstance(value, MessagePort)
    return value


class TransferContract:
    """What every backend does with ports in messages."""

    def channel(self) -> tuple[MessagePort, MessagePort]:
        raise NotImplementedError

    def moved(self) -> tuple[MessagePort, MessagePort]:
        """A channel to be sent through ``channel()``: of the same backend, unless a subclass mixes them."""
        return self.channel()

    def test_a_transferred_port_is_dead_at_once(self) -> None:
        """port2.postMessage(p1, [p1]); p1.postMessage(1); p1.close(); p1.on('message', f); // nothing"""
        near, _far = self.channel()
        mine, peer = self.moved()

        near.post_message({"port": mine}, [mine])
        mine.post_message("lost")
        mine.start()
        mine.ref()
        mine.close()
        mine.on("message", print)

        assert is_detached(mine)
        assert not mine.has_ref()
        assert receive_message_on_port(mine) is None
        with pytest.raises(PortClosedError, match="transferred"):
            mine.receive(1)
        with pytest.raises(DataCloneError, match="detached"):
            near.post_message(mine, [mine])
        assert receive_message_on_port(peer) is None

    def test_the_received_port_is_new_and_its_queue_intact(self) -> None:
        """p2.postMessage(1); port1.postMessage(p1, [p1]); // 1 waits at the received port"""
        near, far = self.channel()
        mine, peer = self.moved()
        mine.on("message", lambda value: None)
        mine.remove_all_listeners()
        peer.post_message("before")

        near.post_message({"port": mine}, [mine])
        peer.post_message("in flight")
        theirs = port_in(far.receive(5))
        peer.post_message("after")

        assert theirs is not mine
        assert (theirs.has_ref(), theirs.listener_count("message")) == (False, 0)
        assert [theirs.receive(5) for _ in range(3)] == ["before", "in flight", "after"]
        theirs.post_message("back")
        assert peer.receive(5) == "back"

    def test_what_was_not_delivered_goes_to_the_new_owner(self) -> None:
        """p1 has listeners and transfers itself in mid-drain; // old: 1, 2; new: 3, 4, 5"""
        near, far = self.channel()
        mine, peer = self.moved()
        old: list[object] = []

        def listener(value: object) -> None:
            old.append(value)
            if value == 2:
                near.post_message(mine, [mine])

        for i in range(1, 6):
            peer.post_message(i)
        mine.on("message", listener)
        theirs = port_in(far.receive(5))

        assert [theirs.receive(5) for _ in range(3)] == [3, 4, 5]
        assert old == [1, 2]

    def test_several_hops_keep_the_order(self) -> None:
        """// messages added before every hop: 0, 1, 2, last"""
        near, far = self.channel()
        moving, peer = self.moved()
        hops = 5
        for i in range(hops):
            peer.post_message(i)
            carrier, to = (near, far) if i % 2 == 0 else (far, near)
            carrier.post_message([moving], [moving])
            moving = port_in(to.receive(5))

        peer.post_message("last")

        assert [moving.receive(5) for _ in range(hops + 1)] == [*range(hops), "last"]

    def test_a_port_moves_in_mid_flood_and_nothing_is_lost(self) -> None:
        """// 2000 messages while the port goes to and fro"""
        near, far = self.channel()
        moving, peer = self.moved()
        total = 2000

        def flood() -> None:
            for i in range(total):
                peer.post_message(i)

        thread = threading.Thread(target=flood)
        thread.start()
        got: list[object] = []
        carrier, to = near, far
        # A number of times: each hop may leave a relay behind, and a port that never rests can outrun
        # messages that have to pass through all of them.
        for _ in range(40):
            for _ in range(20):
                message = receive_message_on_port(moving)
                if message is not None:
                    got.append(message.value)
            carrier.post_message(moving, [moving])
            moving = port_in(to.receive(10))
            carrier, to = to, carrier
        thread.join()
        while len(got) < total:
            got.append(moving.receive(10))

        assert got == list(range(total))

    def test_both_ends_of_a_channel_may_move_at_once(self) -> None:
        """port1.postMessage([p1, p2], [p1, p2]); // 'via'"""
        near, far = self.channel()
        one, two = self.moved()
        one.post_message("queued")

        near.post_message([one, two], [one, two])

        value = far.receive(5)
        assert isinstance(value, list)
        value[0].post_message("via")
        assert [value[1].receive(5), value[1].receive(5)] == ["queued", "via"]

    def test_both_ends_may_move_in_separate_messages(self) -> None:
        """port1.postMessage(p1, [p1]); port2.postMessage(p2, [p2]);"""
        near, far = self.channel()
        one, two = self.moved()
        one.post_message("queued")

        near.post_message(one, [one])
        far.post_message(two, [two])
        new_one, new_two = port_in(far.receive(5)), port_in(near.receive(5))

        new_one.post_message("more")
        assert [new_two.receive(5), new_two.receive(5)] == ["queued", "more"]

    def test_a_port_in_a_message_on_a_port_in_flight_arrives(self) -> None:
        """// 'deep'"""
        near, far = self.channel()
        outer, outer_peer = self.moved()
        inner, inner_peer = self.moved()
        outer_peer.post_message({"port": inner}, [inner])
        inner_peer.post_message("deep")

        near.post_message({"port": outer}, [outer])

        arrived = port_in(port_in(far.receive(5)).receive(5))
        assert arrived.receive(5) == "deep"

    def test_both_ends_in_a_message_on_a_port_in_flight_arrive(self) -> None:
        """Both leave a channel between threads before either has gone over to its successor."""
        near, far = self.channel()
        outer, outer_peer = MessageChannel()
        one, two = MessageChannel()
        one.post_message("early")
        outer_peer.post_message([one, two], [one, two])

        near.post_message(outer, [outer])
        value = port_in(far.receive(5)).receive(5)
        collect()  # nothing but the library holds what passes the messages on

        assert isinstance(value, list)
        value[0].post_message("late")
        value[1].post_message("back")
        assert [value[1].receive(5), value[1].receive(5)] == ["early", "late"]
        assert value[0].receive(5) == "back"
        value[0].close()
        until(lambda: value[1].closed)

    def test_the_peer_closing_in_flight_is_heard_behind_the_messages(self) -> None:
        """// q, then close"""
        near, far = self.channel()
        mine, peer = self.moved()
        peer.post_message("q")
        near.post_message(mine, [mine])
        peer.close()
        theirs = port_in(far.receive(5))
        log: list[object] = []
        theirs.on("close", lambda: log.append("close"))

        theirs.on("message", log.append)

        until(lambda: "close" in log)
        assert log == ["q", "close"]

    @pytest.mark.parametrize("how", ["message", "receive"])
    def test_a_close_in_flight_is_heard_by_who_gets_the_port(self, how: str) -> None:
        """port1.postMessage(p1, [p1]); p2.close(); /* later */ port2.on('message', p => p.on('close', f));"""
        near, far = self.channel()
        mine, peer = self.moved()
        near.post_message(mine, [mine])
        quiet()
        peer.close()
        quiet()
        heard: list[str] = []

        if how == "message":
            far.on("message", lambda port: port_in(port).on("close", lambda: heard.append("close")))
        else:
            theirs = port_in(far.receive(5))
            until(lambda: theirs.peer_closed)
            quiet()
            theirs.on("close", lambda: heard.append("close"))

        until(lambda: heard)
        quiet()
        assert heard == ["close"]

    def test_a_port_is_not_sent_over_itself(self) -> None:
        """port1.postMessage(port1, [buffer, port1]); // DataCloneError: Transfer list contains source port"""
        near, far = self.channel()
        buffer = ArrayBuffer(4)

        with pytest.raises(DataCloneError, match="source port"):
            near.post_message(near, [buffer, near])

        assert not buffer.detached
        near.post_message("works")
        assert far.receive(5) == "works"

    def test_a_port_sent_over_its_own_peer_closes_the_channel(self) -> None:
        """port2.postMessage(ab, [port1, ab]); // Warning: The target port was posted to itself"""
        near, far = self.channel()
        if near._end.link.channel != far._end.link.channel:
            pytest.skip("the peer of this port is in another process")
        buffer = ArrayBuffer(4)
        log: list[str] = []
        near.on("message", lambda value: log.append("message"))
        near.on("close", lambda: log.append("near"))
        far.on("close", lambda: log.append("far"))

        with pytest.warns(RuntimeWarning, match="posted to itself"):
            far.post_message(buffer, [near, buffer])

        until(lambda: len(log) == 2)
        assert sorted(log) == ["far", "near"]
        assert buffer.detached
        assert (near.close_reason, far.close_reason) == (CloseReason.LOST, CloseReason.LOST)
        far.post_message("nothing")

    def test_a_closed_port_is_not_transferred(self) -> None:
        """p1.close(); port1.postMessage(1, [ab, p1]); // DataCloneError, ab stays as it is"""
        near, _ = self.channel()
        mine, _peer = self.moved()
        mine.close()
        buffer = ArrayBuffer(4)

        for _ in range(2):
            with pytest.raises(DataCloneError, match="MessagePort"):
                near.post_message(1, [buffer, mine])
            quiet()

        assert not buffer.detached

    def test_a_port_is_listed_once(self) -> None:
        """port1.postMessage(1, [p1, p1]); // DataCloneError, p1 stays as it is"""
        near, _ = self.channel()
        mine, peer = self.moved()

        with pytest.raises(DataCloneError, match="twice"):
            near.post_message(1, [mine, mine])

        mine.post_message("works")
        assert peer.receive(5) == "works"

    def test_a_port_in_the_value_must_be_listed(self) -> None:
        """port1.postMessage({ p1 }); // an error, and p1 stays as it is"""
        near, _ = self.channel()
        mine, peer = self.moved()

        with pytest.raises(DataCloneError) as caught:
            near.post_message({"port": mine})
        with pytest.raises(DataCloneError):
            near.post_message(near)

        assert isinstance(caught.value, TypeError)
        assert caught.value.path == "$.port"
        mine.post_message("works")
        assert peer.receive(5) == "works"

    def test_a_port_that_was_seen_to_be_closed_is_not_transferred(self) -> None:
        """p2.close(); // and once p1 knows of it: DataCloneError, though 'close' may still have to come"""
        near, _ = self.channel()
        mine, peer = self.moved()
        heard: list[str] = []
        mine.on("close", lambda: heard.append("close"))
        peer.close()

        until(lambda: mine.closed)

        with pytest.raises(DataCloneError, match="closed"):
            near.post_message(1, [mine])
        assert mine.close_reason is CloseReason.PEER
        with pytest.raises(PortClosedError) as caught:
            mine.receive()
        assert caught.value.reason is CloseReason.PEER
        until(lambda: heard == ["close"])

    def test_a_closed_port_in_the_value_is_refused(self) -> None:
        """p1.close(); port1.postMessage(p1); // DataCloneError"""
        near, _ = self.channel()
        mine, _peer = self.moved()
        mine.close()

        with pytest.raises(DataCloneError):
            near.post_message(mine)

    def test_a_port_that_is_marked_stays(self) -> None:
        """markAsUntransferable(p1); port1.postMessage(p1, [p1]); // DataCloneError"""
        near, _ = self.channel()
        mine, peer = self.moved()
        mark_as_untransferable(mine)

        with pytest.raises(DataCloneError, match="untransferable"):
            near.post_message(mine, [mine])

        mine.post_message("works")
        assert peer.receive(5) == "works"

    def test_a_failed_transfer_leaves_listeners_and_ref_as_they_were(self) -> None:
        """// failure is atomic"""
        near, _ = self.channel()
        mine, peer = self.moved()
        heard: list[object] = []
        mine.on("message", heard.append)
        pinned = ArrayBuffer(8)
        sub = pinned.view()[2:4]

        with pytest.raises(DataCloneError):
            near.post_message(1, [mine, pinned])

        assert (mine.has_ref(), pinned.detached, len(sub)) == (True, False, 2)
        peer.post_message("still heard")
        until(lambda: heard == ["still heard"])

    def test_a_port_that_is_listed_but_absent_is_in_message_ports(self) -> None:
        """port1.postMessage('x', [p1]); port2.onmessage = (event) => event.ports[0]"""
        near, far = self.channel()
        mine, peer = self.moved()
        near.post_message("x", [mine])

        message = take_message(far)

        assert message.value == "x"
        port = message.ports[0]
        assert isinstance(port, MessagePort)
        peer.post_message("there")
        assert port.receive(5) == "there"

    def test_message_ports_are_the_ports_in_the_value_in_list_order(self) -> None:
        """event.ports[1] === event.data.p"""
        near, far = self.channel()
        one, one_peer = self.moved()
        two, two_peer = self.moved()
        near.post_message({"p": two}, [one, ArrayBuffer(1), two])

        message = take_message(far)

        assert isinstance(message.value, dict)
        assert len(message.ports) == 2
        assert message.ports[1] is message.value["p"]
        one_peer.post_message(1)
        two_peer.post_message(2)
        assert [port_in(message.ports[0]).receive(5), port_in(message.value["p"]).receive(5)] == [1, 2]

    def test_a_port_that_nobody_can_take_is_closed(self) -> None:
        """port1.postMessage('x', [p1]); port2.on('message', f); // f cannot reach it: p2 hears 'close'"""
        near, far = self.channel()
        mine, peer = self.moved()
        closed: list[str] = []
        peer.on("close", lambda: closed.append("close"))
        heard: list[object] = []
        far.on("message", heard.append)

        near.post_message("x", [mine])

        until(lambda: closed and heard)  # each by a way of its own
        assert heard == ["x"]
        assert peer.close_reason is CloseReason.LOST

    def test_a_port_that_receive_cannot_return_is_closed(self) -> None:
        """port1.postMessage('x', [p1]); // whoever takes the value alone"""
        near, far = self.channel()
        mine, peer = self.moved()

        near.post_message("x", [mine])

        assert far.receive(5) == "x"
        with pytest.raises(PortClosedError) as caught:
            peer.receive(5)
        assert caught.value.reason is CloseReason.LOST

    def test_a_port_in_a_message_that_is_dropped_is_closed(self) -> None:
        """// the carrier's receiving end closes before reading"""
        near, far = self.channel()
        mine, peer = self.moved()
        near.post_message(mine, [mine])

        far.close()

        with pytest.raises(PortClosedError):
            peer.receive(5)
        assert peer.close_reason is CloseReason.LOST

    def test_a_port_posted_into_the_void_is_closed(self) -> None:
        """port1.close(); port1.postMessage(p1, [p1]); // p2 hears 'close'"""
        near, _ = self.channel()
        mine, peer = self.moved()
        near.close()

        near.post_message(mine, [mine])

        with pytest.raises(PortClosedError):
            peer.receive(5)

    def test_ports_in_the_queue_of_a_dropped_port_are_closed_however_deep(self) -> None:
        """// recursively"""
        near, far = self.channel()
        depth = 30
        peers: list[MessagePort] = []
        carrier = near
        for _ in range(depth):
            mine, peer = self.moved()
            carrier.post_message(mine, [mine])
            peers.append(peer)
            carrier = peer

        far.close()

        for peer in peers:
            with pytest.raises(PortClosedError):
                peer.receive(5)

    def test_a_queued_port_outlives_the_close_of_its_sender(self) -> None:
        """// a port in an unread queue whose sender closed stays alive"""
        near, far = self.channel()
        mine, peer = self.moved()
        near.post_message(mine, [mine])
        near.close()
        quiet()

        theirs = port_in(far.receive(5))

        peer.post_message("alive")
        assert theirs.receive(5) == "alive"

    def test_ports_that_carry_each_other_are_collected(self) -> None:
        """// A carries B's end and B carries A's: once nobody holds the other ends, nothing is left"""
        a, a_far = self.channel()
        b, b_far = self.channel()
        if a._end.link.backend != "thread":
            pytest.skip("a cycle through the kernel is the kernel's to collect")
        ends = [weakref.ref(port._end) for port in (a_far, b_far)]
        a.post_message(b_far, [b_far])
        b.post_message(a_far, [a_far])

        del a, a_far, b, b_far

        until(lambda: collect() and all(end() is None for end in ends))

    def test_many_ports_at_once_may_be_sent(self) -> None:
        """port1.postMessage(ports, ports); // 100 of them"""
        near, far = self.channel()
        pairs = [self.moved() for _ in range(100)]
        ports = [mine for mine, _ in pairs]

        near.post_message(ports, ports)

        value = far.receive(10)
        assert isinstance(value, list)
        for i, (_, peer) in enumerate(pairs):
            peer.post_message(i)
        assert [port.receive(5) for port in value] == list(range(100))

    def test_structured_clone_moves_ports(self) -> None:
        """structuredClone({ p1 }, { transfer: [p1] }); // live there, detached here"""
        mine, peer = self.moved()

        copy = structured_clone({"port": mine}, transfer=[mine])

        assert mine.detached
        port_in(copy).post_message("hello")
        assert peer.receive(5) == "hello"

    @pytest.mark.parametrize("kind", ["thread", "process", "socket"])
    def test_a_port_of_any_kind_can_be_sent_too(self, kind: Literal["thread", "process", "socket"]) -> None:
        """// a port of any kind can be sent through a port of any kind, and back"""
        near, far = self.channel()
        mine, peer = MessageChannel(kind)
        peer.post_message("queued")
        near.post_message(mine, [mine])

        theirs = port_in(far.receive(5))

        peer.post_message("live")
        theirs.post_message("back")
        assert [theirs.receive(5), theirs.receive(5), peer.receive(5)] == ["queued", "live", "back"]
        peer.post_message("home again")
        far.post_message([theirs], [theirs])
        ours = port_in(near.receive(5))
        peer.post_message("for good")
        assert [ours.receive(5), ours.receive(5)] == ["home again", "for good"]

    def test_this_kind_of_port_can_be_sent_between_threads(self) -> None:
        """// a port of any kind can be sent through a port of any kind"""
        near, far = MessageChannel()
        mine, peer = self.moved()
        peer.post_message("queued")
        near.post_message(mine, [mine])

        theirs = port_in(far.receive(5))

        peer.post_message("live")
        theirs.post_message("back")
        assert [theirs.receive(5), theirs.receive(5), peer.receive(5)] == ["queued", "live", "back"]

    def test_a_transfer_says_nothing_on_the_old_object(self) -> None:
        """// Node 20 emits 'close' on the neutered object: an artefact"""
        near, _ = self.channel()
        mine, _peer = self.moved()
        heard: list[str] = []
        mine.on("close", lambda: heard.append("close"))

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            near.post_message(mine, [mine])

        quiet()
        assert heard == []

"""Contract: closing (items 101 to 122), receiving by hand (168 to 173), errors of listeners (162 to 166)."""

from __future__ import annotations

import sys
import threading
import time
import weakref
from typing import Any

import pytest

from clonecodec import DataCloneError
from tests.transport.settling import collect, quiet, take_message, until
from transport import (
    CloseReason,
    Message,
    MessagePort,
    PortClosedError,
    receive_message_on_port,
)


class CloseContract:
    """What every backend does when a side closes, and when a thread receives."""

    def channel(self) -> tuple[MessagePort, MessagePort]:
        raise NotImplementedError

    def post_undecodable(self, port: MessagePort) -> None:
        """Have something arrive at the other side of *port* that cannot be read."""
        raise NotImplementedError

    def test_close_is_heard_once_on_both_sides(self) -> None:
        """port1.on('close', f); port2.on('close', g); port1.close(); // f and g, once each, later"""
        near, far = self.channel()
        heard: list[str] = []
        near.on("close", lambda *args: heard.append(f"near{len(args)}"))
        far.on("close", lambda *args: heard.append(f"far{len(args)}"))

        near.close()
        near.close()

        until(lambda: len(heard) == 2)
        quiet()
        assert sorted(heard) == ["far0", "near0"]
        assert (near.close_reason, far.close_reason) == (CloseReason.LOCAL, CloseReason.PEER)
        assert (near.closed, far.closed, near.peer_closed, far.peer_closed) == (True, True, False, True)

    def test_closed_is_true_from_close_on(self) -> None:
        """port1.close();"""
        near, _ = self.channel()
        assert (near.closed, near.close_reason) == (False, None)

        near.close()

        assert near.closed

    def test_nothing_posted_after_close_is_delivered(self) -> None:
        """port1.close(); port1.postMessage(1); // does not throw, does not arrive"""
        near, far = self.channel()

        near.close()
        near.post_message("late")

        with pytest.raises(PortClosedError):
            far.receive(5)

    def test_posting_on_a_closed_port_still_checks(self) -> None:
        """port1.close(); port1.postMessage(() => {}); // DataCloneError"""
        near, _ = self.channel()
        near.close()

        with pytest.raises(DataCloneError):
            near.post_message(lambda: 1)
        with pytest.raises(TypeError):
            near.post_message(1, 5)  # type: ignore[arg-type]

    def test_close_calls_back(self) -> None:
        """port1.close(f); // f runs once; port1.close(g); // on a closed port it never does"""
        near, _ = self.channel()
        heard: list[str] = []

        near.close(lambda: heard.append("f"))
        until(lambda: heard)
        near.close(lambda: heard.append("g"))
        quiet()

        assert heard == ["f"]

    def test_what_was_posted_before_close_arrives_before_it(self) -> None:
        """for (i of [0, 1, 2]) port1.postMessage(i); port1.close(); // 0, 1, 2, close"""
        near, far = self.channel()
        log: list[object] = []
        far.on("close", lambda: log.append("close"))
        for i in range(3):
            near.post_message(i)
        near.close()
        quiet()

        far.on("message", log.append)

        until(lambda: "close" in log)
        assert log == [0, 1, 2, "close"]

    def test_listeners_attached_in_one_go_hear_what_is_queued_whatever_their_order(self) -> None:
        """port2.postMessage(1); port2.close(); port1.on('message', f).on('message', g).on('close', h)"""
        for _ in range(20):
            near, far = self.channel()
            far.post_message(1)
            far.close()
            until(lambda near=near: near.peer_closed)  # type: ignore[misc]
            log: list[object] = []

            near.on("message", lambda value, log=log: log.append(("first", value)))
            near.on("message", lambda value, log=log: log.append(("second", value)))
            near.on("close", lambda log=log: log.append("close"))

            until(lambda log=log: len(log) == 3)  # type: ignore[misc]
            assert log == [("first", 1), ("second", 1), "close"]

    def test_close_waits_behind_unread_messages_but_peer_closed_does_not(self) -> None:
        """port2.on('close', f); port1.postMessage(1); port1.close(); // f waits until 1 is taken"""
        near, far = self.channel()
        heard: list[str] = []
        far.on("close", lambda: heard.append("close"))
        near.post_message(1)
        near.close()

        until(lambda: far.peer_closed)
        quiet()
        assert (heard, far.closed) == ([], False)

        assert receive_message_on_port(far) == Message(1)
        until(lambda: heard == ["close"])

    def test_close_is_heard_without_a_message_listener(self) -> None:
        """port2.on('close', f); port1.close(); // no start() is needed"""
        near, far = self.channel()
        heard: list[str] = []
        far.on("close", lambda: heard.append("close"))

        near.close()

        until(lambda: heard == ["close"])

    def test_a_started_port_without_listener_hears_close_behind_what_it_threw_away(self) -> None:
        """port2.start(); port2.on('close', f); port1.postMessage(1); port1.close(); // f"""
        near, far = self.channel()
        heard: list[str] = []
        far.on("close", lambda: heard.append("close"))
        near.post_message(1)

        far.start()
        near.close()

        until(lambda: heard == ["close"])

    def test_closing_drops_what_is_unread(self) -> None:
        """port2.postMessage(1); port1.on('close', f); port1.close(); port1.on('message', g); // only f"""
        near, far = self.channel()
        far.post_message(1)
        quiet()
        log: list[object] = []
        near.on("close", lambda: log.append("close"))

        near.close()
        near.on("message", log.append)

        until(lambda: log)
        quiet()
        assert log == ["close"]
        assert not near.has_ref()

    def test_closing_in_a_listener_delivers_what_is_queued(self) -> None:
        """port1.on('message', (m) => { log(m); port1.close() }); // 1, 2, 3, close"""
        near, far = self.channel()
        for i in (1, 2, 3):
            far.post_message(i)
        log: list[object] = []
        near.on("close", lambda: log.append("close"))

        def listener(value: object) -> None:
            if value == 1:
                quiet()  # so that all three have come, over any backend
            log.append(value)
            near.close()

        near.on("message", listener)

        until(lambda: "close" in log)
        assert log == [1, 2, 3, "close"]

    def test_the_peer_closing_in_between_loses_nothing(self) -> None:
        """port1.on('message', (m) => { log(m); port2.close() }); // all, then close"""
        near, far = self.channel()
        for i in range(5):
            far.post_message(i)
        log: list[object] = []
        near.on("close", lambda: log.append("close"))

        def listener(value: object) -> None:
            log.append(value)
            far.close()

        near.on("message", listener)

        until(lambda: "close" in log)
        assert log == [0, 1, 2, 3, 4, "close"]

    def test_a_reply_to_one_who_has_closed_is_lost_silently(self) -> None:
        """port1.close(); port2.postMessage('reply'); // nothing happens"""
        near, far = self.channel()
        near.close()

        far.post_message("reply")
        until(lambda: far.closed)
        far.post_message("and again")

        assert far.close_reason is CloseReason.PEER

    def test_a_closed_port_takes_every_call(self) -> None:
        """port1.close(); port1.start(); port1.ref(); port1.unref(); port1.on('message', f); // no throw"""
        near, _ = self.channel()
        near.close()

        for _ in range(2):
            near.start()
            near.ref()
            near.unref()
            near.on("message", print)
            near.off("message", print)
            near.close()
            until(lambda: not near.has_ref())
            quiet(0.01)

    def test_a_close_listener_that_comes_right_after_close_runs_once(self) -> None:
        """port1.close(); port1.on('close', f);"""
        near, _ = self.channel()
        heard: list[str] = []
        near.close()

        near.on("close", lambda: heard.append("close"))

        until(lambda: heard)
        near.on("close", lambda: heard.append("late"))
        quiet()
        assert heard == ["close"]

    def test_a_close_listener_that_comes_much_later_never_runs(self) -> None:
        """port1.close(); setTimeout(() => port1.on('close', f), 100); // never"""
        near, _ = self.channel()
        heard: list[str] = []
        near.close()
        quiet(0.1)

        near.on("close", lambda: heard.append("late"))

        quiet()
        assert heard == []

    def test_a_close_listener_that_comes_too_late_never_runs(self) -> None:
        """port1.close(); /* later */ port1.on('close', f); // never"""
        near, _ = self.channel()
        done: list[str] = []
        near.close(lambda: done.append("done"))
        until(lambda: done)
        heard: list[str] = []

        near.on("close", lambda: heard.append("late"))
        quiet()

        assert heard == []

    def test_ref_is_gone_in_the_close_listener(self) -> None:
        """port1.on('message', f); port1.on('close', () => port1.hasRef()); // false"""
        near, far = self.channel()
        near.on("message", lambda value: None)
        seen: list[bool] = []
        near.on("close", lambda: seen.append(near.has_ref()))
        assert near.has_ref()

        far.close()

        until(lambda: seen)
        assert seen == [False]

    def test_a_dropped_port_closes_its_peer(self) -> None:
        """// a port that nobody holds and nobody listens on closes when it is collected"""
        near, far = self.channel()
        heard: list[str] = []
        far.on("close", lambda: heard.append("close"))
        near.post_message("last words")

        del near
        collect()

        assert far.receive(5) == "last words"
        until(lambda: heard == ["close"])
        assert far.close_reason is CloseReason.PEER

    def test_a_port_with_a_listener_lives_on_unheld(self) -> None:
        """(() => { port1.on('message', f) })(); // still heard after a collection"""
        near, far = self.channel()
        heard: list[object] = []
        near.on("message", heard.append)

        near.unref()
        del near
        collect()
        far.post_message(1)

        until(lambda: heard == [1])

    # ---------------------------------------------------------------- receiving by hand

    def test_a_close_listener_keeps_a_port_that_nobody_holds(self) -> None:
        """port1.on('close', f); port1 = null; // f is called when port2 closes, and not before"""
        near, far = self.channel()
        heard: list[str] = []
        near.on("close", lambda: heard.append("close"))
        gone = weakref.ref(near)
        del near

        assert collect()
        quiet()
        assert not far.peer_closed
        far.close()

        until(lambda: heard == ["close"])
        until(lambda: collect() and gone() is None)

    def test_receive_message_on_port_pops_without_an_event(self) -> None:
        """receiveMessageOnPort(port1); // { message: 1 }, and no 'message' event"""
        near, far = self.channel()
        far.post_message(1)
        far.post_message(2)

        assert [take_message(near), take_message(near)] == [Message(1), Message(2)]
        assert receive_message_on_port(near) is None

    def test_receive_message_on_port_wants_a_port(self) -> None:
        """receiveMessageOnPort({}); // TypeError ERR_INVALID_ARG_TYPE"""
        with pytest.raises(TypeError, match="port"):
            receive_message_on_port({})  # type: ignore[arg-type]

    def test_receive_message_on_port_of_a_closed_port_is_none(self) -> None:
        """port1.close(); /* later */ receiveMessageOnPort(port1); // undefined"""
        near, far = self.channel()
        far.post_message(1)
        done: list[int] = []
        near.close(lambda: done.append(1))
        until(lambda: done)

        assert receive_message_on_port(near) is None

    def test_receive_can_be_used_within_a_listener(self) -> None:
        """port1.on('message', (m) => log(m, receiveMessageOnPort(port1))); // 0 1, 2 3"""
        near, far = self.channel()
        log: list[object] = []

        def listener(value: object) -> None:
            log.append(value)
            log.append(near.receive(5))

        near.on("message", listener)
        for i in range(4):
            far.post_message(i)

        until(lambda: len(log) == 4)
        assert log == [0, 1, 2, 3]

    def test_receive_waits_as_long_as_it_is_told(self) -> None:
        """// TimeoutError, and the next message is not lost"""
        near, far = self.channel()
        before = time.monotonic()

        with pytest.raises(TimeoutError):
            near.receive(0.05)
        with pytest.raises(TimeoutError):
            near.receive(0)

        assert 0.04 < time.monotonic() - before < 5
        far.post_message(1)
        assert near.receive(5) == 1

    def test_receive_blocks_until_another_thread_posts(self) -> None:
        """// Atomics.wait, then receiveMessageOnPort: the loop need not turn"""
        near, far = self.channel()
        timer = threading.Timer(0.05, far.post_message, ["sync!"])
        timer.start()

        assert near.receive(5) == "sync!"
        timer.join()

    def test_each_of_many_receivers_gets_its_own_message(self) -> None:
        """// one message, one receiver"""
        near, far = self.channel()
        got: list[object] = []

        def work() -> None:
            for value in near:
                got.append(value)  # noqa: PERF402  # list.extend would lose what an exception interrupts

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for i in range(400):
            far.post_message(i)
        far.close()
        for thread in threads:
            thread.join(10)

        assert sorted(got) == list(range(400))  # type: ignore[type-var]

    @pytest.mark.parametrize("who", ["near", "far"])
    def test_a_pending_receive_ends_when_the_port_closes(self, who: str) -> None:
        """// PortClosedError, with the reason"""
        near, far = self.channel()
        timer = threading.Timer(0.05, (near if who == "near" else far).close)
        timer.start()

        with pytest.raises(PortClosedError) as caught:
            near.receive(5)

        assert caught.value.reason is (CloseReason.LOCAL if who == "near" else CloseReason.PEER)
        assert near.closed
        timer.join()

    def test_iteration_ends_with_the_port(self) -> None:
        """for await (const [value] of on(port1, 'message', { close: ['close'] })) {}"""
        near, far = self.channel()
        with far:
            far.post_message(1)
            far.post_message(2)

        assert list(near) == [1, 2]
        assert near.close_reason is CloseReason.PEER

    def test_from_receiving_to_listening_and_back_nothing_is_lost(self) -> None:
        """// changing from one to another loses nothing"""
        near, far = self.channel()
        total = 3000
        got: list[object] = []

        def post() -> None:
            for i in range(total):
                far.post_message(i)

        thread = threading.Thread(target=post)
        thread.start()
        listener = got.append
        while len(got) < total:
            for _ in range(50):
                if len(got) < total:
                    try:
                        got.append(near.receive(1))
                    except TimeoutError:
                        break
            near.on("message", listener)
            quiet(0.001)
            near.off("message", listener)
            self.settled(near)
        thread.join()

        assert got == list(range(total))

    def settled(self, near: MessagePort) -> None:
        """Return when no turn of *near* is under way, so that the next receiver does not overtake it."""
        until(lambda: near._turning == 0)

    # ---------------------------------------------------------------- errors

    def test_a_listener_that_raises_loses_no_later_message(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """process.on('uncaughtException', g); port1.on('message', () => { throw new Error() });"""
        reported: list[BaseException] = []
        monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: reported.append(error))
        near, far = self.channel()
        log: list[object] = []

        def bad(value: object) -> None:
            log.append(value)
            raise ValueError(value)

        near.on("message", bad)
        near.on("message", lambda value: log.append("skipped"))
        near.on("close", lambda: log.append("close"))
        far.post_message(1)
        far.post_message(2)
        far.close()

        until(lambda: "close" in log)
        assert log == [1, 2, "close"]
        assert [error.args for error in reported] == [(1,), (2,)]

    def test_a_close_listener_that_raises_stops_no_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """port1.on('close', () => { throw new Error() }); port1.on('close', f); // f runs"""
        reported: list[BaseException] = []
        monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: reported.append(error))
        near, _ = self.channel()
        heard: list[str] = []

        def bad() -> None:
            raise ValueError

        near.on("close", bad)
        near.on("close", lambda: heard.append("close"))
        near.close()

        until(lambda: heard == ["close"])
        assert reported

    def test_an_async_listener_needs_a_loop(self) -> None:
        """port1.on('message', async (m) => {});"""
        near, _ = self.channel()

        async def listener(value: object) -> None:
            raise AssertionError(value)

        with pytest.raises(TypeError, match="loop"):
            near.on("message", listener)
        assert near.listener_count("message") == 0

    def test_what_cannot_be_read_is_a_messageerror_and_the_next_message_comes(self) -> None:
        """port1.on('messageerror', f); // f(error), then the next message"""
        near, far = self.channel()
        log: list[Any] = []
        near.on("messageerror", lambda error: log.append(type(error)))
        near.on("message", log.append)

        far.post_message("a")
        self.post_undecodable(far)
        far.post_message("b")

        until(lambda: "b" in log)
        assert [log[0], log[2]] == ["a", "b"]
        assert issubclass(log[1], ValueError)

    def test_what_cannot_be_read_is_raised_by_receive(self) -> None:
        """// DecodeError, once; the next message can be received"""
        near, far = self.channel()
        self.post_undecodable(far)
        far.post_message("b")

        with pytest.raises(ValueError):
            near.receive(5)
        assert near.receive(5) == "b"

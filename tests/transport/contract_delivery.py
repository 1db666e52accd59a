"""Contract, delivery: items 10 to 44 of the list of behaviours (order, start and stop, listeners).

A test is a rule; its docstring is the JavaScript that it was.  ``channel()`` gives the two ends.
"""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.transport.remote import post_numbers
from tests.transport.settling import quiet, until
from transport import MessagePort, receive_message_on_port


class DeliveryContract:
    """What every backend does with messages and listeners."""

    def channel(self) -> tuple[MessagePort, MessagePort]:
        """Two entangled ports; the backend under test lies between them."""
        raise NotImplementedError

    def test_nothing_is_delivered_while_posting_or_attaching(self) -> None:
        """port2.postMessage(1); port1.on('message', f); /* f has not run */"""
        near, far = self.channel()
        far.post_message(1)
        here = threading.get_ident()
        heard: list[tuple[object, bool]] = []

        near.on("message", lambda value: heard.append((value, threading.get_ident() == here)))
        far.post_message(2)

        until(lambda: len(heard) == 2)
        assert heard == [(1, False), (2, False)]

    def test_messages_keep_their_order(self) -> None:
        """for (let i = 0; i < 1000; i++) port2.postMessage(i);"""
        near, far = self.channel()
        heard: list[object] = []
        near.on("message", heard.append)

        for i in range(1000):
            far.post_message(i)

        until(lambda: len(heard) == 1000)
        assert heard == list(range(1000))

    def test_a_large_message_does_not_let_a_small_one_pass(self) -> None:
        """port2.postMessage(large); port2.postMessage('small');"""
        near, far = self.channel()

        far.post_message("x" * 5_000_000)
        far.post_message("small")

        first = near.receive(10)
        assert isinstance(first, str) and len(first) == 5_000_000
        assert near.receive(10) == "small"

    def test_both_directions_work_at_once(self) -> None:
        """port1.postMessage('a'); port2.postMessage('b');"""
        near, far = self.channel()

        near.post_message("a")
        far.post_message("b")

        assert (near.receive(5), far.receive(5)) == ("b", "a")

    def test_a_turn_is_bounded_but_covers_what_was_queued(self) -> None:
        """port1.on('message', (n) => port2.postMessage(n + 1)); // others have their turn, too"""
        near, far = self.channel()
        others: list[object] = []
        other_near, other_far = self.channel()
        other_near.on("message", others.append)
        count = 0

        def again(value: object) -> None:
            nonlocal count
            count += 1
            if not others and count < 1_000_000:
                far.post_message(value)

        near.on("message", again)
        far.post_message("endless")
        quiet(0.01)
        other_far.post_message("me too")

        until(lambda: others)
        near.close()

    def test_all_listeners_get_the_same_object(self) -> None:
        """port1.on('message', (m) => a = m); port1.on('message', (m) => b = m); // a === b"""
        near, far = self.channel()
        heard: list[object] = []

        def first(value: object) -> None:
            heard.append(value)

        def second(value: object) -> None:
            heard.append(value)

        near.on("message", first)
        near.on("message", second)
        far.post_message({"x": 1})

        until(lambda: len(heard) == 2)
        assert heard[0] is heard[1]

    def test_a_listener_gets_the_value_and_nothing_else(self) -> None:
        """port1.on('message', (...args) => { assert.strictEqual(args.length, 1) });"""
        near, far = self.channel()
        heard: list[tuple[object, ...]] = []
        near.on("message", lambda *args: heard.append(args))

        far.post_message({"foo": "bar"})

        until(lambda: heard)
        assert heard == [({"foo": "bar"},)]

    @pytest.mark.parametrize("value", [None, 0, "", False, 0.0, [], {}])
    def test_an_empty_value_is_a_message(self, value: object) -> None:
        """port2.postMessage(undefined); receiveMessageOnPort(port1); // { message: undefined }"""
        near, far = self.channel()
        far.post_message(value)

        assert near.receive(5) == value
        assert receive_message_on_port(near) is None

    def test_posting_never_blocks(self) -> None:
        """for (let i = 0; i < 20000; i++) port2.postMessage(i); // nobody reads"""
        near, far = self.channel()

        post_numbers(far, 20_000)

        assert [near.receive(10) for _ in range(20_000)] == list(range(20_000))

    # ---------------------------------------------------------------- start and stop

    def test_messages_wait_for_the_first_listener(self) -> None:
        """port2.postMessage(1); port2.postMessage(2); setTimeout(() => port1.on('message', f), 50);"""
        near, far = self.channel()
        far.post_message(1)
        far.post_message(2)
        quiet()
        heard: list[object] = []

        near.on("message", heard.append)

        until(lambda: heard == [1, 2])

    @pytest.mark.parametrize("attach", ["on", "once", "add_listener"])
    def test_attaching_a_message_listener_starts_the_port(self, attach: str) -> None:
        """port1.on('message', f); // no start() is needed"""
        near, far = self.channel()
        heard: list[object] = []

        getattr(near, attach)("message", heard.append)
        far.post_message(1)

        until(lambda: heard == [1])

    def test_on_is_a_decorator_too(self) -> None:
        """port1.on('message', function f(m) {})"""
        near, far = self.channel()
        heard: list[object] = []

        @near.on("message")
        def listener(value: object) -> None:
            heard.append(value)

        far.post_message(1)

        until(lambda: heard == [1])
        assert near.listeners("message") == [listener]

    def test_start_without_a_listener_throws_messages_away(self) -> None:
        """port1.start(); port2.postMessage(1); /* later */ port1.on('message', f); // f is never called"""
        near, far = self.channel()
        near.start()
        far.post_message("lost")
        quiet(0.2)
        heard: list[object] = []

        near.on("message", heard.append)
        far.post_message("heard")

        until(lambda: heard)
        assert heard == ["heard"]

    def test_removing_the_last_listener_stops_the_port(self) -> None:
        """port1.on('message', f); port1.off('message', f); port2.postMessage(1); // waits"""
        near, far = self.channel()
        heard: list[object] = []
        listener = heard.append
        near.on("message", listener)
        near.off("message", listener)

        far.post_message(1)
        quiet()

        assert heard == []
        assert near.receive(5) == 1

    def test_a_stop_takes_effect_between_two_messages(self) -> None:
        """port1.on('message', function f() { port1.off('message', f) }); // of three one is delivered"""
        near, far = self.channel()
        for i in range(3):
            far.post_message(i)
        heard: list[object] = []

        def listener(value: object) -> None:
            heard.append(value)
            near.off("message", listener)

        near.on("message", listener)
        until(lambda: heard)
        quiet()

        assert heard == [0]
        assert [near.receive(5), near.receive(5)] == [1, 2]

    def test_once_takes_one_message_and_leaves_the_second(self) -> None:
        """port1.once('message', f); // the second waits for the next listener"""
        near, far = self.channel()
        far.post_message(1)
        far.post_message(2)
        heard: list[object] = []

        near.once("message", heard.append)
        until(lambda: heard)
        quiet()

        assert heard == [1]
        near.on("message", heard.append)
        until(lambda: heard == [1, 2])

    def test_start_is_one_flag_that_once_takes_down(self) -> None:
        """port1.start(); port1.once('message', f); // after f the port is stopped all the same"""
        near, far = self.channel()
        heard: list[object] = []
        near.once("message", heard.append)
        near.start()

        far.post_message(1)
        until(lambda: heard == [1])
        far.post_message(2)
        quiet()

        assert heard == [1]
        assert near.receive(5) == 2

    def test_once_in_a_row_loses_nothing(self) -> None:
        """await once(port1, 'message'); await once(port1, 'message'); // 1, 2"""
        near, far = self.channel()
        heard: list[object] = []
        for i in range(50):
            far.post_message(i)

        for i in range(50):
            near.once("message", heard.append)
            until(lambda i=i: len(heard) == i + 1)  # type: ignore[misc]

        assert heard == list(range(50))

    def test_a_listener_added_in_a_dispatch_sees_the_next_message(self) -> None:
        """port1.on('message', (m) => { log('A' + m); if (m === 1) port1.on('message', b) }); // A1 A2 B2"""
        near, far = self.channel()
        log: list[str] = []

        def a(value: object) -> None:
            log.append(f"A{value}")
            if value == 1:
                near.on("message", b)

        def b(value: object) -> None:
            log.append(f"B{value}")

        near.on("message", a)
        far.post_message(1)
        far.post_message(2)

        until(lambda: len(log) == 3)
        assert log == ["A1", "A2", "B2"]

    def test_a_listener_removed_in_a_dispatch_is_still_called_this_once(self) -> None:
        """emitter.on('x', a); emitter.on('x', b); // a removes b: a, b, then a (EventEmitter's rule)"""
        near, far = self.channel()
        log: list[str] = []

        def a(value: object) -> None:
            log.append(f"a{value}")
            near.off("message", b)

        def b(value: object) -> None:
            log.append(f"b{value}")

        near.on("message", a)
        near.on("message", b)
        far.post_message(1)
        far.post_message(2)

        until(lambda: len(log) == 3)
        assert log == ["a1", "b1", "a2"]

    def test_one_function_is_one_listener(self) -> None:
        """port1.on('message', f); port1.on('message', f); // pyee's rule: once"""
        near, far = self.channel()
        heard: list[object] = []
        listener = heard.append

        near.on("message", listener)
        near.on("message", listener)
        far.post_message(1)
        far.post_message(2)

        until(lambda: len(heard) >= 2)
        assert near.listener_count("message") == 1
        assert heard == [1, 2]

    def test_a_user_emits_events_of_his_own(self) -> None:
        """port1.on('foo', f); port1.emit('foo', 'bar', 'baz'); // true, and both arguments"""
        near, _ = self.channel()
        heard: list[tuple[Any, ...]] = []
        near.on("foo", lambda *args: heard.append(args))

        assert near.emit("foo", "bar", "baz") is True
        assert near.emit("nobody") is False
        assert heard == [("bar", "baz")]

    def test_emitting_message_sends_nothing(self) -> None:
        """port1.emit('message', 1); // local and at once"""
        near, far = self.channel()
        heard: list[object] = []
        near.on("message", heard.append)

        near.emit("message", "local")

        assert heard == ["local"]
        quiet()
        assert receive_message_on_port(far) is None

    def test_an_error_event_without_a_listener_is_raised(self) -> None:
        """port1.emit('error', e); // throws e (EventEmitter's rule)"""
        near, _ = self.channel()

        with pytest.raises(KeyError, match="it"):
            near.emit("error", KeyError("it"))

    def test_remove_all_listeners_stops_and_unrefs(self) -> None:
        """port1.on('message', f); port1.removeAllListeners(); // the port is stopped, and not ref'd"""
        near, far = self.channel()
        heard: list[object] = []
        near.on("message", heard.append)
        near.on("close", lambda: None)

        near.remove_all_listeners("message")
        far.post_message(1)
        quiet()

        assert (heard, near.has_ref(), near.event_names()) == ([], False, {"close"})
        assert near.receive(5) == 1

    def test_removing_an_unknown_listener_does_nothing(self) -> None:
        """port1.on('message', f); port1.off('message', g); // still started"""
        near, far = self.channel()
        heard: list[object] = []
        near.on("message", heard.append)

        near.off("message", print)
        near.remove_listener("nothing", print)
        far.post_message(1)

        until(lambda: heard == [1])
        assert near.has_ref()

"""Contract: shape (items 1 to 9), ref and unref (150 to 158), and how full the way is."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.transport.settling import until
from transport import BufferFullError, MessagePort


class RefContract:
    """What a port looks like, when it keeps the program alive, and how full the way is."""

    def channel(self) -> tuple[MessagePort, MessagePort]:
        raise NotImplementedError

    def test_ports_are_instances_of_message_port(self) -> None:
        """port1 instanceof MessagePort"""
        near, far = self.channel()

        assert isinstance(near, MessagePort)
        assert near is not far

    def test_a_port_cannot_be_constructed(self) -> None:
        """new MessagePort(); // TypeError: Constructor cannot be called"""
        with pytest.raises(TypeError, match="constructed"):
            MessagePort()

    def test_a_fresh_port_is_unrefd_and_open(self) -> None:
        """port1.hasRef(); // false"""
        near, _ = self.channel()

        assert not any((near.has_ref(), near.closed, near.peer_closed))
        assert near.close_reason is None

    def test_repr_shows_state_ref_and_queue(self) -> None:
        """util.inspect(port1); // MessagePort { active: true, refed: false }"""
        near, far = self.channel()
        assert "paused unref queued=0" in repr(near)

        far.post_message(1)
        far.post_message(2)
        until(lambda: "queued=2" in repr(near))
        near.receive(5)
        near.receive(5)
        near.on("message", print)

        assert "flowing ref queued=0" in repr(near)

    def test_the_first_message_listener_refs_and_the_last_unrefs(self) -> None:
        """port1.on('message', f); port1.hasRef(); // true"""
        near, _ = self.channel()

        def f(value: object) -> None: ...
        def g(value: object) -> None: ...

        near.on("message", f)
        assert near.has_ref()
        near.on("message", g)
        near.off("message", f)
        assert near.has_ref()
        near.off("message", g)
        assert not near.has_ref()

    @pytest.mark.parametrize("event", ["close", "messageerror", "foo"])
    def test_other_listeners_do_not_ref(self, event: str) -> None:
        """port1.on('close', f); port1.hasRef(); // false"""
        near, _ = self.channel()

        near.on(event, print)

        assert not near.has_ref()

    def test_ref_is_one_flag_and_the_last_call_wins(self) -> None:
        """port1.ref(); port1.ref(); port1.unref(); port1.hasRef(); // false"""
        near, _ = self.channel()

        near.ref()
        near.ref()
        near.unref()
        assert not near.has_ref()

        near.ref()
        near.on("message", print)
        near.off("message", print)
        assert not near.has_ref()

        near.unref()
        near.on("message", print)
        assert near.has_ref()

        near.unref()
        near.on("message", len)
        assert not near.has_ref()

        near.ref()
        near.off("message", repr)
        assert near.has_ref()
        near.close()

    def test_start_does_not_ref(self) -> None:
        """port1.start(); port1.hasRef(); // false"""
        near, _ = self.channel()

        near.start()

        assert not near.has_ref()

    def test_the_peer_closing_releases_the_ref(self) -> None:
        """port1.ref(); port2.close(); /* later */ port1.hasRef(); // false"""
        near, far = self.channel()
        near.ref()

        far.close()

        until(lambda: not near.has_ref())

    def test_once_has_unrefd_before_its_listener_runs(self) -> None:
        """port1.once('message', () => port1.hasRef()); // false"""
        near, far = self.channel()
        seen: list[bool] = []
        near.once("message", lambda value: seen.append(near.has_ref()))
        assert near.has_ref()

        far.post_message(1)

        until(lambda: seen)
        assert seen == [False]

    # ---------------------------------------------------------------- how full the way is

    def test_buffered_amount_falls_to_zero_when_all_is_taken(self) -> None:
        """// WebSocket's bufferedAmount"""
        near, far = self.channel()
        assert near.buffered_amount == 0

        near.post_message("x" * 1000)
        near.post_message(b"y" * 1000)

        assert near.buffered_amount >= 2000
        far.receive(5)
        until(lambda: near.buffered_amount < 2000)
        far.receive(5)
        until(lambda: near.buffered_amount == 0)

    def test_policy_raise_raises_at_the_mark(self) -> None:
        """// BufferFullError"""
        near, far = self.channel()
        near.set_high_water_mark(1000, "raise")
        near.post_message("x" * 1000)

        with pytest.raises(BufferFullError):
            near.post_message("more")

        far.receive(5)
        until(lambda: near.buffered_amount == 0)
        near.post_message("more")
        assert far.receive(5) == "more"

    def test_policy_block_waits_for_the_reader(self) -> None:
        """// the one policy under which posting blocks"""
        near, far = self.channel()
        near.set_high_water_mark(1000, "block")
        near.post_message("x" * 1000)
        timer = threading.Timer(0.05, far.receive)
        timer.start()

        near.post_message("more")

        timer.join()
        assert far.receive(5) == "more"

    def test_policy_block_raises_where_blocking_would_stop_the_listeners(self) -> None:
        """// in a listener, and in a loop"""
        near, far = self.channel()
        near.set_high_water_mark(10, "block")
        near.post_message("x" * 1000)

        async def main() -> None:
            with pytest.raises(BufferFullError):
                near.post_message("more")

        asyncio.run(main())
        raised: list[bool] = []

        def listener(value: object) -> None:
            try:
                near.post_message("more")
            except BufferFullError:
                raised.append(True)

        near.on("message", listener)
        far.post_message("go")
        until(lambda: raised == [True])
        near.close()

    def test_policy_drop_oldest_keeps_the_newest(self) -> None:
        """// what was posted first goes first"""
        near, far = self.channel()
        near.set_high_water_mark(3000, "drop-oldest")
        if near._end.link.backend != "thread":
            pytest.skip("what is out of this process cannot be dropped any more")

        for i in range(10):
            near.post_message(f"{i}" * 1000)

        got = [far.receive(5) for _ in range(3)]
        assert got == [f"{i}" * 1000 for i in (7, 8, 9)]
        assert near.buffered_amount == 0

    def test_a_mark_is_checked(self) -> None:
        """// ValueError"""
        near, _ = self.channel()

        with pytest.raises(ValueError, match="policy"):
            near.set_high_water_mark(1, "panic")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="bytes"):
            near.set_high_water_mark(-1)
        near.set_high_water_mark(5, "raise")
        assert near.high_water_mark == 5
        near.set_high_water_mark(5, "grow")
        assert near.high_water_mark is None

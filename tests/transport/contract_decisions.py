"""Contract: the decisions on ports that a quick version would not keep, one by one."""

from __future__ import annotations

import asyncio
import gc
import threading
from functools import partial
from typing import Any

import pytest

from tests.transport.settling import collect, quiet, until
from transport import MessagePort, PortClosedError


class DecisionsContract:
    """Who reads, which loop, what a task is, what collection does, what is counted, what pyee lacks."""

    def channel(self) -> tuple[MessagePort, MessagePort]:
        raise NotImplementedError

    def test_decision_14_one_reader_whose_role_is_taken_over_and_nothing_is_lost(self) -> None:
        """A listener, a loop and a thread in receive() take turns while messages come in."""
        near, far = self.channel()
        count = 600
        heard: list[object] = []

        def post() -> None:
            for i in range(count):
                far.post_message(i)

        poster = threading.Thread(target=post)
        poster.start()

        async def in_a_loop() -> None:
            heard.extend([await asyncio.wait_for(near.receive_async(), 10) for _ in range(20)])

        while len(heard) < count:
            heard.extend([near.receive(10) for _ in range(min(20, count - len(heard)))])
            if count - len(heard) > 60:
                asyncio.run(in_a_loop())
                near.once("message", heard.append)
                until(lambda: near.listener_count("message") == 0)
                until(lambda: near._turning == 0)
        poster.join()

        assert heard == list(range(count))

    def test_decision_14_the_role_is_taken_from_one_who_sleeps_before_the_port_closes(self) -> None:
        near, _ = self.channel()
        ended: list[object] = []

        def receive() -> None:
            try:
                near.receive()
            except PortClosedError as error:
                ended.append(error.reason)

        threads = [threading.Thread(target=receive) for _ in range(3)]
        for thread in threads:
            thread.start()
        until(lambda: len(near._end.waiters) >= 2)  # a third may read alone
        quiet()

        near.close()

        for thread in threads:
            thread.join(10)
        assert len(ended) == 3

    def test_decision_15_the_first_listener_since_the_last_stop_decides_for_the_port(self) -> None:
        near, far = self.channel()
        here = threading.get_ident()
        threads: list[int] = []

        def listener(value: object) -> None:
            threads.append(threading.get_ident())

        near.on("message", listener)

        async def main(*, stop: bool) -> None:
            if stop:
                near.off("message", listener)
            extra = near.on("message", partial(listener))
            far.post_message(1)
            while len(threads) < (1 if stop else 2):
                await asyncio.sleep(0.001)
            near.off("message", extra)

        asyncio.run(main(stop=False))
        assert len(threads) == 2 and here not in threads, "the dispatcher had it, and keeps it"

        threads.clear()
        asyncio.run(main(stop=True))
        assert threads == [here], "after a stop the loop has it"

    def test_decision_15_the_poster_sees_no_error_when_the_loop_has_closed(self) -> None:
        near, far = self.channel()

        async def main() -> None:
            near.on("message", lambda value: None)

        asyncio.run(main())
        far.post_message("kept")

        assert near.receive(10) == "kept"

    def test_decision_16_tasks_of_async_listeners_are_held_while_they_run(self) -> None:
        near, far = self.channel()
        done: list[object] = []

        async def main() -> None:
            @near.on("message")
            async def listener(value: object) -> None:
                await asyncio.sleep(0.02)
                done.append(value)

            far.post_message("held")
            while not done:
                gc.collect()
                await asyncio.sleep(0.001)
            near.off("message", listener)

        asyncio.run(asyncio.wait_for(main(), 10))
        assert done == ["held"]

    def test_decision_20_a_port_with_a_pending_receive_is_held(self) -> None:
        pair: list[MessagePort] = list(self.channel())
        far = pair.pop()
        heard: list[object] = []

        def receive(port: MessagePort) -> None:
            heard.append(port.receive(10))

        thread = threading.Thread(target=receive, args=(pair.pop(),))
        thread.start()
        collect()
        far.post_message("held")
        thread.join(10)

        assert heard == ["held"]

    def test_decision_20_what_was_posted_goes_out_before_the_end_of_a_collected_port(self) -> None:
        pair: list[Any] = list(self.channel())
        near = pair.pop(0)
        far = pair.pop(0)

        near.post_message("last words")
        del near
        collect()

        assert far.receive(10) == "last words"
        with pytest.raises(PortClosedError):
            far.receive(10)

    def test_decision_21_payload_is_counted_and_nothing_is_left_when_all_is_taken(self) -> None:
        near, far = self.channel()

        near.post_message(["x" * 3000, b"y" * 3000])

        assert 6000 <= near.buffered_amount < 7000
        assert far.receive(10)
        until(lambda: near.buffered_amount == 0)

    def test_decision_22_the_emitter_has_off_and_counts_and_forgives(self) -> None:
        near, _ = self.channel()
        listener = near.on("message", lambda value: None)

        near.off("message", print)
        near.remove_listener("nothing", print)
        assert near.listener_count("message") == 1

        near.off("message", listener)
        near.off("message", listener)
        assert (near.listener_count("message"), near.listener_count("nothing")) == (0, 0)

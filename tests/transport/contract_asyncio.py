"""Contract: ports and asyncio, under its own loop and under any other."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.transport.settling import quiet, until
from transport import MessagePort, PortClosedError, drain


class AsyncioContract:
    """How a port lives in a loop: listeners, waiting, and when the loop has gone."""

    def channel(self) -> tuple[MessagePort, MessagePort]:
        raise NotImplementedError

    def test_a_listener_attached_in_a_loop_runs_in_the_loop(self) -> None:
        """// the loop's thread, one wake-up a batch"""
        near, far = self.channel()
        threads: list[int] = []

        async def main() -> None:
            done = asyncio.Event()

            def listener(value: object) -> None:
                threads.append(threading.get_ident())
                if value == 99:
                    done.set()

            near.on("message", listener)
            for i in range(100):
                far.post_message(i)
            await asyncio.wait_for(done.wait(), 10)
            near.close()

        asyncio.run(main())
        assert threads == [threading.get_ident()] * 100

    def test_async_listeners_run_as_tasks_in_order(self) -> None:
        """port1.on('message', async (m) => { ... });"""
        near, far = self.channel()
        log: list[object] = []

        async def main() -> None:
            done = asyncio.Event()

            async def listener(value: object) -> None:
                log.append(value)
                await asyncio.sleep(0)
                if value == 9:
                    done.set()

            near.on("message", listener)
            for i in range(10):
                far.post_message(i)
            await asyncio.wait_for(done.wait(), 10)
            near.close()

        asyncio.run(main())
        assert log == list(range(10))

    @pytest.mark.parametrize("early", [True, False])
    def test_close_comes_when_the_async_listeners_of_all_messages_have_begun(self, early: bool) -> None:
        """port2.on('message', async (m) => log.push(m)); port2.on('close', () => log.push('close'));"""
        near, far = self.channel()
        log: list[object] = []

        def post() -> None:
            for i in range(3):
                far.post_message(i)
            far.close()

        async def main() -> None:
            if early:
                post()
            closed = asyncio.Event()

            @near.on("message")
            async def listener(value: object) -> None:
                log.append(value)

            @near.on("close")
            def close() -> None:
                log.append("close")
                closed.set()

            if not early:
                post()
            await asyncio.wait_for(closed.wait(), 10)

        asyncio.run(main())
        assert log == [0, 1, 2, "close"]

    def test_the_errors_of_a_loop_s_listeners_go_to_its_handler(self) -> None:
        """process.on('unhandledRejection', f)"""
        near, far = self.channel()
        reported: list[str] = []

        async def main() -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda loop, context: reported.append(repr(context["exception"])))
            done = asyncio.Event()

            def bad(value: object) -> None:
                raise ValueError(value)

            async def worse(value: object) -> None:
                raise KeyError(value)

            near.once("message", bad)
            far.post_message(1)
            while not reported:
                await asyncio.sleep(0.001)
            near.once("message", worse)
            far.post_message(2)
            while len(reported) < 2:
                await asyncio.sleep(0.001)
            near.on("message", lambda value: done.set())
            far.post_message(3)
            await asyncio.wait_for(done.wait(), 10)
            near.close()

        asyncio.run(main())
        assert reported == ["ValueError(1)", "KeyError(2)"]

    def test_receive_async_waits_and_a_cancelled_one_loses_nothing(self) -> None:
        """await once(port1, 'message')"""
        near, far = self.channel()

        async def main() -> list[object]:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(near.receive_async(), 0.01)
            waiting = [asyncio.create_task(near.receive_async()) for _ in range(3)]
            await asyncio.sleep(0.01)
            waiting[0].cancel()
            for i in range(3):
                far.post_message(i)
            got = [await task for task in waiting[1:]]
            got.append(await near.receive_async())
            return got

        assert sorted(asyncio.run(main())) == [0, 1, 2]  # type: ignore[type-var]

    def test_async_iteration_ends_with_the_port(self) -> None:
        """for await (const [value] of on(port1, 'message')) {}"""
        near, far = self.channel()

        async def main() -> list[object]:
            async with far:
                for i in range(3):
                    far.post_message(i)
            values = [value async for value in near]
            with pytest.raises(PortClosedError):
                await near.receive_async()
            return values

        assert asyncio.run(main()) == [0, 1, 2]

    def test_a_pending_receive_async_ends_when_the_port_closes(self) -> None:
        """// PortClosedError"""
        near, far = self.channel()

        async def main() -> None:
            task = asyncio.create_task(near.receive_async())
            await asyncio.sleep(0.01)
            far.close()
            with pytest.raises(PortClosedError):
                await asyncio.wait_for(task, 10)

        asyncio.run(main())

    def test_a_flood_leaves_the_loop_its_timers(self) -> None:
        """// an endless onmessage/postMessage loop blocks no timer"""
        near, far = self.channel()

        async def main() -> int:
            count = 0

            def again(value: object) -> None:
                nonlocal count
                count += 1
                far.post_message(value)

            near.on("message", again)
            far.post_message("endless")
            await asyncio.sleep(0.1)
            near.close()
            return count

        assert asyncio.run(main()) > 0

    def test_a_closed_loop_stops_the_port_and_loses_nothing(self) -> None:
        """// the poster sees no error, nothing is kept alive, the next listener hears it all"""
        near, far = self.channel()
        first: list[object] = []

        async def main() -> None:
            near.on("message", first.append)
            far.post_message("in the loop")
            while not first:
                await asyncio.sleep(0.001)

        asyncio.run(main())
        far.post_message("after it")
        quiet()
        assert not near.keeps_alive()
        again: list[object] = []
        near.remove_all_listeners("message")
        near.on("message", again.append)

        until(lambda: again == ["after it"])
        near.close()

    def test_drain_waits_until_no_refd_port_is_left(self) -> None:
        """// the process ends when no ref'd port is left"""
        near, far = self.channel()
        heard: list[object] = []

        async def main() -> None:
            def listener(value: object) -> None:
                heard.append(value)
                if value == "last":
                    near.close()

            near.on("message", listener)
            asyncio.get_running_loop().call_later(0.05, far.post_message, "last")
            await asyncio.wait_for(drain(), 10)

        asyncio.run(main())
        assert heard == ["last"]

    def test_drained_waits_until_all_is_taken(self) -> None:
        """await port.drained()"""
        near, far = self.channel()

        async def main() -> None:
            await asyncio.wait_for(near.drained(), 10)
            for _ in range(10):
                near.post_message("x" * 100)
            waiting = [asyncio.create_task(near.drained()) for _ in range(2)]
            await asyncio.sleep(0.02)
            assert not any(task.done() for task in waiting)
            for _ in range(10):
                await far.receive_async()
            await asyncio.wait_for(asyncio.gather(*waiting), 10)

        asyncio.run(main())

    def test_drained_ends_when_the_reader_closes(self) -> None:
        """// nobody will take it"""
        near, far = self.channel()

        async def main() -> None:
            near.post_message("x")
            task = asyncio.create_task(near.drained())
            await asyncio.sleep(0.02)
            far.close()
            await asyncio.wait_for(task, 10)

        asyncio.run(main())

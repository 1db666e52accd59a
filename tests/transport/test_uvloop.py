"""The contract's part on asyncio under uvloop, whose loops poll with libuv, on every backend."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from tests.transport.contract_asyncio import AsyncioContract
from transport import MessageChannel, MessagePort, connect, listen

uvloop = pytest.importorskip("uvloop", reason="there is no uvloop for Windows")


class UvloopContract(AsyncioContract):
    @pytest.fixture(autouse=True)
    def _uvloop(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def run(main: Coroutine[Any, Any, object]) -> object:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                assert isinstance(runner.get_loop(), uvloop.Loop)
                return runner.run(main)

        monkeypatch.setattr(asyncio, "run", run)
        monkeypatch.setattr(asyncio, "new_event_loop", uvloop.new_event_loop)


class TestThread(UvloopContract):
    def channel(self) -> tuple[MessagePort, MessagePort]:
        port1, port2 = MessageChannel()
        return port1, port2


class TestProcess(UvloopContract):
    def channel(self) -> tuple[MessagePort, MessagePort]:
        port1, port2 = MessageChannel("process")
        return port1, port2


class TestTcp(UvloopContract):
    @pytest.fixture(autouse=True)
    def _listen(self) -> Iterator[None]:
        with listen("tcp://127.0.0.1:0") as self.listener:
            yield

    def channel(self) -> tuple[MessagePort, MessagePort]:
        near = connect(self.listener.url)
        return near, self.listener.accept(5)

"""Whole programs: when they end, and when they do not.  Each is run by a Python of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Final

import pytest

import transport
from transport import CloseReason, MessagePort, PortClosedError

ROOT = Path(__file__).resolve().parents[2]


HEAR_CTRL_C: Final = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""What a shell runs in the background may have been told to ignore it, and hands that on."""


def start(program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", HEAR_CTRL_C + dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def run(program: str) -> tuple[int, str, str]:
    """Exit code, output and errors of *program*, which ends by itself."""
    process = start(program)
    try:
        out, err = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, out, err


def stays_alive(program: str) -> bool:
    """Whether *program*, which prints "ready" at the end of its script, lives on after that."""
    process = start(program)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.stderr and process.stderr.read()
        try:
            process.wait(0.5)
        except subprocess.TimeoutExpired:
            return True
        return False
    finally:
        process.kill()
        process.communicate()


def test_an_idle_channel_does_not_keep_a_program_alive() -> None:
    assert run("import transport; channel = transport.MessageChannel()") == (0, "", "")


def test_a_message_listener_keeps_a_program_alive() -> None:
    assert stays_alive(
        """
        from transport import MessageChannel
        channel = MessageChannel()
        channel.port1.on("message", print)
        print("ready", flush=True)
        """
    )


def test_an_unrefd_listener_does_not() -> None:
    assert not stays_alive(
        """
        from transport import MessageChannel
        channel = MessageChannel()
        channel.port1.on("message", print)
        channel.port1.unref()
        print("ready", flush=True)
        """
    )


def test_a_close_listener_does_not() -> None:
    assert not stays_alive(
        """
        from transport import MessageChannel
        channel = MessageChannel()
        channel.port1.on("close", print)
        print("ready", flush=True)
        """
    )


def test_an_explicit_ref_does_without_a_listener() -> None:
    assert stays_alive(
        """
        from transport import MessageChannel
        channel = MessageChannel()
        channel.port1.ref()
        print("ready", flush=True)
        """
    )


def test_a_removed_listener_does_not() -> None:
    assert not stays_alive(
        """
        from transport import MessageChannel
        channel = MessageChannel()
        channel.port1.on("message", print)
        channel.port1.remove_all_listeners()
        print("ready", flush=True)
        """
    )


def test_a_listener_hears_what_comes_after_the_main_script_and_the_program_ends_with_the_port() -> None:
    code, out, err = run(
        """
        import threading, time
        from transport import MessageChannel
        channel = MessageChannel()

        def listener(value):
            print("heard", value, flush=True)
            if value == "last":
                channel.port1.close()

        channel.port1.on("message", listener)
        channel.port1.on("close", lambda: print("close", flush=True))

        def post():
            time.sleep(0.1)
            channel.port2.post_message("first")
            channel.port2.post_message("last")

        threading.Thread(target=post).start()
        print("main is over", flush=True)
        """
    )

    assert (code, out, err) == (0, "main is over\nheard first\nheard last\nclose\n", "")


def test_a_listener_may_listen_anew_after_the_main_script() -> None:
    code, out, err = run(
        """
        from transport import MessageChannel
        one, two = MessageChannel()

        def first(value):
            far, near = MessageChannel()

            def second(value):
                print("second", value, flush=True)
                near.close()
                one.close()

            near.on("message", second)
            far.post_message(value)

        one.on("message", first)
        two.post_message("x")
        """
    )

    assert (code, out, err) == (0, "second x\n", "")


def test_a_dropped_peer_lets_the_program_end() -> None:
    code, out, err = run(
        """
        from transport import MessageChannel

        def main():
            channel = MessageChannel()
            channel.port1.on("message", print)
            channel.port1.on("close", lambda: print("close", flush=True))
            channel.port2.post_message("x")

        main()
        """
    )

    assert (code, out, err) == (0, "x\nclose\n", "")


def test_wait_blocks_until_no_refd_port_is_left() -> None:
    code, out, _ = run(
        """
        import threading, transport
        channel = transport.MessageChannel()
        channel.port1.once("message", lambda value: print(value, flush=True))
        threading.Timer(0.1, channel.port2.post_message, ["x"]).start()
        print(transport.wait(0.01))
        print(transport.wait())
        """
    )

    assert (code, out) == (0, "False\nx\nTrue\n")


def test_ctrl_c_ends_wait() -> None:
    process = start(
        """
        import transport
        channel = transport.MessageChannel()
        channel.port1.on("message", print)
        print("ready", flush=True)
        try:
            transport.wait()
        except KeyboardInterrupt:
            print("interrupted", flush=True)      # and the program ends, though the port still listens
        """
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.2)

    process.send_signal(signal.SIGINT)

    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "interrupted\n", "")


@pytest.mark.parametrize("waiting", ["transport.wait()", "time.sleep(60)", "channel.port2.receive()"])
def test_ctrl_c_ends_a_program_that_listens(waiting: str) -> None:
    process = start(
        f"""
        import time, transport
        channel = transport.MessageChannel()
        channel.port1.on("message", print)
        print("ready", flush=True)
        {waiting}
        """
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.2)

    process.send_signal(signal.SIGINT)

    _, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert err.endswith("KeyboardInterrupt\n")


def test_an_exception_ends_a_program_that_listens_and_what_it_posted_goes_out() -> None:
    code, out, err = run(
        """
        import os, transport
        here, there = transport.MessageChannel("process")
        if os.fork() == 0:
            transport.port.adopt_after_fork(there)
            print(list(there), there.close_reason, flush=True)
            os._exit(0)
        here.on("message", print)
        here.post_message("last words")
        raise ValueError("enough")
        """
    )
    assert (code, out) == (1, "['last words'] CloseReason.PEER\n")
    assert err.endswith("ValueError: enough\n")


def test_ctrl_c_ends_receive() -> None:
    process = start(
        """
        import transport
        channel = transport.MessageChannel()
        print("ready", flush=True)
        try:
            channel.port1.receive()
        except KeyboardInterrupt:
            channel.port2.post_message("not lost")
            print(channel.port1.receive(1))
        """
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.2)

    process.send_signal(signal.SIGINT)

    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "not lost\n", "")


def test_an_exception_in_a_listener_is_reported_and_the_program_goes_on() -> None:
    code, out, err = run(
        """
        from transport import MessageChannel
        channel = MessageChannel()

        def listener(value):
            if value == 1:
                raise ValueError("one")
            print(value, flush=True)
            channel.port1.close()

        channel.port1.on("message", listener)
        channel.port2.post_message(1)
        channel.port2.post_message(2)
        """
    )

    assert (code, out) == (0, "2\n")
    assert "ValueError: one" in err


def test_the_loop_of_asyncio_run_keeps_nothing_alive_when_it_is_over() -> None:
    code, out, err = run(
        """
        import asyncio, transport
        channel = transport.MessageChannel()

        async def main():
            channel.port1.on("message", print)
            channel.port2.post_message("x")
            await asyncio.sleep(0.05)

        asyncio.run(main())
        channel.port2.post_message("nobody hears it")
        print(transport.wait(), channel.port1.has_ref())
        """
    )

    assert (code, out, err) == (0, "x\nTrue False\n", "")


def test_drain_keeps_a_loop_going_for_its_ports() -> None:
    code, out, err = run(
        """
        import asyncio, transport

        async def main():
            channel = transport.MessageChannel()

            async def listener(value):
                await asyncio.sleep(0.01)
                print(value)
                channel.port1.close()

            channel.port1.on("message", listener)
            channel.port2.post_message("x")
            await transport.drain()

        asyncio.run(main())
        """
    )

    assert (code, out, err) == (0, "x\n", "")


def test_a_forked_child_ends_though_its_parent_listens() -> None:
    code, out, err = run(
        """
        import os, warnings
        warnings.simplefilter("ignore")  # 3.12 warns of a fork with threads
        from transport import MessageChannel
        channel = MessageChannel()
        channel.port1.on("message", lambda value: (print(value, flush=True), channel.port1.close()))
        pid = os.fork()
        if pid == 0:
            del channel
            a, b = MessageChannel()
            b.on("message", lambda value: (print("child", value, flush=True), b.close()))
            a.post_message("has its own dispatcher")
        else:
            print("child ended with", os.waitpid(pid, 0)[1], flush=True)
            channel.port2.post_message("parent goes on")
        """
    )

    assert (code, err) == (0, "")
    assert out == "child has its own dispatcher\nchild ended with 0\nparent goes on\n"


def test_an_inherited_port_is_dormant_until_it_is_adopted() -> None:
    code, out, err = run(
        """
        import os, warnings
        warnings.simplefilter("ignore")
        from tests.transport import pipe
        from transport.port import adopt_after_fork
        near, far = pipe.channel()
        near.on("message", lambda value: None)
        near.unref()
        near.remove_all_listeners()
        if os.fork() == 0:
            far.__class__.__del__(far)  # as the collector would
            os._exit(0)
        os.wait()
        assert not near.peer_closed
        far._end.link.source.retire()  # the parent does not read it any more
        if os.fork() == 0:
            adopt_after_fork(far)
            far.on("message", lambda value: (far.post_message([value, os.getpid()]), far.close()))
        else:
            near.post_message("who are you?")
            value, pid = near.receive(10)
            print(value, pid == os.wait()[0], flush=True)
            os._exit(0)
        """
    )

    assert (code, out, err) == (0, "who are you? True\n", "")


@pytest.mark.parametrize("backend", ["thread", "process", "socket"])
def test_the_first_example_prints_and_lives_on_until_ctrl_c(backend: str) -> None:
    process = start(
        f"""
        import atexit
        from transport import MessageChannel
        atexit.register(print, "first")

        channel = MessageChannel({backend!r})
        channel.port1.on("message", lambda message: print("received", message, flush=True))
        channel.port2.post_message({{"foo": "bar"}})
        atexit.register(print, "last")
        """
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "received {'foo': 'bar'}\n"
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)

    process.send_signal(signal.SIGINT)

    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (-signal.SIGINT, "last\nfirst\n", "")


@pytest.mark.parametrize("backend", ["thread", "process"])
def test_ctrl_c_ends_a_program_with_its_workers(backend: str) -> None:
    process = start(
        f"""
        from tests.transport import children
        from transport import Worker
        if __name__ == "__main__":
            worker = Worker(children.worker_echo, backend={backend!r})
            worker.once("message", lambda value: print(value["pid"], flush=True))
        """
    )
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    time.sleep(0.2)

    process.send_signal(signal.SIGINT)

    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (-signal.SIGINT, "", "")
    if backend == "process":
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize("backend", ["thread", "process"])
def test_unrefd_workers_end_with_the_program(backend: str) -> None:
    code, out, err = run(
        f"""
        from tests.transport import children
        from transport import Worker, wait
        if __name__ == "__main__":
            workers = [
                Worker(target, backend={backend!r})
                for target in (children.worker_echo, children.worker_sleep, children.worker_sleeps_in_a_loop)
            ]
            heard = []
            for worker in workers:
                worker.unref()
                worker.on("message", heard.append)
            while len(heard) < 3:
                pass
            print("over", wait(0))
        """
    )

    assert (code, out, err) == (0, "over True\n", "")


def test_channels_stay_open_for_threads_that_are_no_daemons() -> None:
    code, out, err = run(
        """
        import multiprocessing, threading, time, transport
        from tests.transport import children

        def ask():
            for i in range(3):
                time.sleep(0.05)
                near.post_message(i)
                print(near.receive(10), flush=True)
            near.close()

        if __name__ == "__main__":
            near, far = transport.MessageChannel("process")
            multiprocessing.get_context("spawn").Process(target=children.echo, args=(far,)).start()
            threading.Thread(target=ask).start()
        """
    )

    assert (code, out, err) == (0, "0\n1\n2\n", "")


def test_a_thread_that_is_no_daemon_may_listen_when_the_script_is_over() -> None:
    code, out, err = run(
        """
        import threading, time
        from transport import MessageChannel
        one, two = MessageChannel("process")

        def late():
            time.sleep(0.2)
            one.on("message", lambda value: (print(value, flush=True), one.close()))
            two.post_message("x")

        threading.Thread(target=late).start()
        """
    )

    assert (code, out, err) == (0, "x\n", "")


def test_what_cannot_be_sent_in_time_is_warned_of() -> None:
    code, _, err = run(
        """
        import atexit, multiprocessing, os, signal, transport
        from tests.transport import children
        if __name__ == "__main__":
            transport.exit_timeout = 0.2
            assert transport.exit_timeout == 0.2
            near, far = transport.MessageChannel("process")
            context = multiprocessing.get_context("spawn")
            context.Process(target=children.hang, args=(far,), daemon=True).start()
            pid = near.receive(30)
            os.kill(pid, signal.SIGSTOP)
            atexit.register(os.kill, pid, signal.SIGKILL)
            near.post_message("x" * 10_000_000)
        """
    )

    assert code == 0
    assert "1 channels had unsent messages 0.2 s after the program ended: lost" in err


def test_importing_transport_imports_neither_asyncio_nor_sockets() -> None:
    code, out, err = run(
        """
        import sys
        before = set(sys.modules)
        import transport
        slow = ["asyncio", "ssl", "socket", "multiprocessing", "subprocess", "inspect", "traceback"]
        print([name for name in slow if name in sys.modules and name not in before])
        """
    )

    assert (code, out, err) == (0, "[]\n", "")


def post_and_end(port: MessagePort) -> None:
    for _ in range(4):
        port.post_message(b"x" * 1_000_000)


def post_and_die(port: MessagePort) -> None:
    port.post_message("last")
    assert port.receive() == "die"
    os.kill(os.getpid(), signal.SIGKILL)


def connect_and(act: Callable[[MessagePort], None], url: str) -> None:
    act(transport.connect(url))


def in_a_child(backend: str, act: Callable[[MessagePort], None]) -> MessagePort:
    """A port to a child in which *act* is called with the other one."""
    context = multiprocessing.get_context("spawn")
    if backend == "process":
        near, far = transport.MessageChannel("process")
        context.Process(target=act, args=(far,)).start()
        return near
    with transport.listen("tcp://127.0.0.1:0") as listener:
        context.Process(target=connect_and, args=(act, listener.url)).start()
        return listener.accept(30)


@pytest.mark.parametrize("backend", ["process", "socket"])
def test_decision_17_what_a_program_posted_before_its_end_is_delivered_to_one_who_reads(backend: str) -> None:
    port = in_a_child(backend, post_and_end)
    time.sleep(0.5)

    sizes = [memoryview(value).nbytes for value in port if isinstance(value, memoryview)]

    assert sizes == [1_000_000] * 4
    assert port.close_reason is CloseReason.PEER


@pytest.mark.parametrize("backend", ["process", "socket"])
def test_decision_17_an_end_without_a_mark_is_a_death(backend: str) -> None:
    port = in_a_child(backend, post_and_die)
    assert port.receive(30) == "last"

    port.post_message("die")

    with pytest.raises(PortClosedError) as caught:
        port.receive(30)
    assert caught.value.reason is CloseReason.PEER_DIED


def test_decision_17_nobody_waits_for_a_channel_with_both_ends_in_the_program() -> None:
    for backend in ("thread", "process", "socket"):
        began = time.monotonic()
        result = run(
            f"""
            import transport
            channel = transport.MessageChannel({backend!r})
            for _ in range(20):
                channel.port1.post_message(b"x" * 1_000_000)
            """
        )
        assert result == (0, "", "")
        assert time.monotonic() - began < 4


@pytest.mark.parametrize("how", ["", "channel.port1.close()"], ids=["open", "closed"])
@pytest.mark.parametrize("backend", ["thread", "process", "socket"])
def test_decision_17_what_was_posted_passes_a_relay_before_the_program_ends(backend: str, how: str) -> None:
    """An end of the program's own channel was sent away: what it posts passes through the program itself."""
    with transport.listen("tcp://127.0.0.1:0") as listener:
        program = start(
            f"""
            import transport
            port = transport.connect({listener.url!r})
            channel = transport.MessageChannel({backend!r})
            port.post_message(channel.port2, [channel.port2])
            for i in range(10_000):
                channel.port1.post_message(i)
            {how}
            """
        )
        far = listener.accept(30).receive(30)
        assert isinstance(far, MessagePort)

        assert list(far) == list(range(10_000))
        assert far.close_reason is CloseReason.PEER
        assert program.communicate(timeout=10) == ("", "")

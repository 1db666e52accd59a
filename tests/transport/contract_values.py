"""Contract, values: items 45 to 100 of the list (arguments, clones, buffers and their transfer)."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from clonecodec import (
    ArrayBuffer,
    DataCloneError,
    SharedArrayBuffer,
    mark_as_untransferable,
    undefined,
)
from tests.transport.settling import quiet, until
from transport import MessagePort, receive_message_on_port


def list_of(value: object) -> list[Any]:
    assert isinstance(value, list)
    return value


class ValuesContract:
    """What every backend does with the value and the transfer list."""

    shares_memory = True
    """Can a SharedArrayBuffer be shared over this backend?"""

    def channel(self) -> tuple[MessagePort, MessagePort]:
        raise NotImplementedError

    def test_a_value_is_needed(self) -> None:
        """port1.postMessage(); // TypeError: Not enough arguments"""
        near, _ = self.channel()

        with pytest.raises(TypeError):
            near.post_message()  # type: ignore[call-arg]

    def test_no_transfer_list_and_an_empty_one_are_the_same(self) -> None:
        """port1.postMessage(1, null); port1.postMessage(2, []); port1.postMessage(3, new Set());"""
        near, far = self.channel()
        nothing: Iterator[object] = iter(())

        near.post_message(1, None)
        near.post_message(2, [])
        near.post_message(3, set())
        near.post_message(4, nothing)

        assert [far.receive(5) for _ in range(4)] == [1, 2, 3, 4]

    @pytest.mark.parametrize("wrong", [0, False, "X", b"X", object()])
    def test_a_transfer_list_is_an_iterable(self, wrong: object) -> None:
        """port1.postMessage(1, 'X'); // TypeError: Optional transferList argument must be an iterable"""
        near, far = self.channel()

        with pytest.raises(TypeError, match="transfer list"):
            near.post_message(1, wrong)  # type: ignore[arg-type]

        quiet()
        assert receive_message_on_port(far) is None

    def test_an_error_of_the_transfer_list_passes_through(self) -> None:
        """port1.postMessage(1, { *[Symbol.iterator]() { yield buffer; throw new RangeError() } });"""
        near, _ = self.channel()
        buffer = ArrayBuffer(2)

        def entries() -> Iterator[object]:
            yield buffer
            raise IndexError("mine")

        with pytest.raises(IndexError, match="mine"):
            near.post_message(1, entries())

        assert buffer.byte_length == 2

    @pytest.mark.parametrize("entry", [1, "x", None, {}, b"", bytearray(2), SharedArrayBuffer(1)])
    def test_only_transferables_are_listed(self, entry: object) -> None:
        """port1.postMessage(1, [{}]); // TypeError: Found invalid object in transferList"""
        near, _ = self.channel()

        with pytest.raises(DataCloneError) as caught:
            near.post_message(1, [entry])

        assert isinstance(caught.value, TypeError)

    def test_the_clone_is_taken_immediately(self) -> None:
        """port2.postMessage(value); value.x = 2; // the receiver sees 1"""
        near, far = self.channel()
        value = {"x": 1, "list": [1]}

        near.post_message(value)
        value["x"] = 2
        value["list"] = []

        assert far.receive(5) == {"x": 1, "list": [1]}

    def test_cycles_and_shared_references_keep_their_identity(self) -> None:
        """const r = {}; r.self = r; r.x = r.y = []; port2.postMessage(r);"""
        near, far = self.channel()
        r: dict[str, object] = {}
        r["self"] = r
        r["x"] = r["y"] = []

        near.post_message(r)
        near.post_message(r)

        one, two = far.receive(5), far.receive(5)
        assert isinstance(one, dict)
        assert one["self"] is one
        assert one["x"] is one["y"]
        assert one is not two
        assert one is not r

    def test_primitives_survive(self) -> None:
        """port2.postMessage([NaN, -0, Infinity, 2n ** 70n, undefined, null, '\\ud800', true]);"""
        near, far = self.channel()
        values = [-0.0, float("inf"), 2**70, -(2**70), undefined, None, "\ud800", "é", True, 1, 1.5]

        near.post_message(values)

        arrived = list_of(far.receive(5))
        assert arrived == values
        assert [type(value) for value in arrived] == [type(value) for value in values]
        assert str(arrived[0]) == "-0.0"

    def test_a_class_instance_becomes_a_plain_object(self) -> None:
        """class Foo { #a = 1; c = 3; get d() { return 4 } }; // arrives as { c: 3 }"""

        @dataclass
        class Foo:
            c: int
            _hidden: int = 1

            @property
            def d(self) -> int:
                return 4

        near, far = self.channel()
        near.post_message(Foo(3))

        assert far.receive(5) == {"c": 3}

    def test_bytes_arrive_as_a_plain_uint8array(self) -> None:
        """port2.postMessage(Buffer.from('abc')); // arrives as Uint8Array"""
        near, far = self.channel()

        near.post_message([b"abc", bytearray(b"de")])

        views = far.receive(5)
        assert isinstance(views, list)
        assert [type(view) for view in views] == [memoryview, memoryview]
        assert [(bytes(view), view.format, view.readonly) for view in views] == [
            (b"abc", "B", True),
            (b"de", "B", False),
        ]

    @pytest.mark.parametrize("length", [0, 1, 200, 5_000, 65_535, 65_536, 200_000])
    def test_bytes_of_any_length_lie_in_a_message(self, length: int) -> None:
        """port2.postMessage([1, Buffer.alloc(length), 'after']);"""
        near, far = self.channel()
        body = random.Random(length).randbytes(length)

        near.post_message([1, body, "after"])

        before, view, after = list_of(far.receive(5))
        assert (before, after) == (1, "after")
        assert isinstance(view, memoryview)
        assert (view.tobytes(), view.format, view.readonly) == (body, "B", True)

    def test_a_view_sends_only_what_it_shows(self) -> None:
        """port2.postMessage(Buffer.from('hello')); // Node ships the whole pool; here: five bytes"""
        near, far = self.channel()
        big = bytearray(b"secret" + b"hello" + b"secret")

        near.post_message(memoryview(big)[6:11])

        view = far.receive(5)
        assert isinstance(view, memoryview)
        assert bytes(view) == b"hello"
        assert view.obj is not big

    def test_views_of_one_buffer_share_one_buffer_again(self) -> None:
        """const ab = new ArrayBuffer(8); port2.postMessage([new Uint8Array(ab), new Uint8Array(ab, 4)]);"""
        near, far = self.channel()
        buffer = ArrayBuffer(8)

        near.post_message([buffer.view("B"), buffer.view("B", 4)])

        whole, half = list_of(far.receive(5))
        half[0] = 7
        assert whole[4] == 7

    @pytest.mark.parametrize("bad", [lambda: 1, threading.Lock(), int, iter(()), object()])
    def test_what_cannot_be_cloned_is_refused_at_the_poster(self, bad: object) -> None:
        """port2.postMessage({ jobs: [() => {}] }); // DataCloneError, and the channel is as it was"""
        near, far = self.channel()

        with pytest.raises(DataCloneError) as caught:
            near.post_message({"jobs": [bad]})
        near.post_message("still there")

        assert caught.value.path == "$.jobs[0]"
        assert far.receive(5) == "still there"

    def test_deep_nesting_is_an_ordinary_value(self) -> None:
        """// Node: RangeError at 3,300 levels"""
        near, far = self.channel()
        value: list[object] = []
        for _ in range(20_000):
            value = [value]

        near.post_message(value)

        arrived, depth = far.receive(10), 0
        while arrived:
            assert isinstance(arrived, list)
            arrived, depth = arrived[0], depth + 1
        assert depth == 20_000

    def test_an_error_arrives_with_its_class_message_and_stack(self) -> None:
        """port2.postMessage(new RangeError('x'));"""
        near, far = self.channel()
        try:
            raise IndexError("x")
        except IndexError as error:
            near.post_message(error)

        arrived = far.receive(5)
        assert isinstance(arrived, Exception)
        assert getattr(arrived, "message", None) == "x"
        assert "IndexError" in str(getattr(arrived, "stack", ""))

    # ---------------------------------------------------------------- ArrayBuffers

    def test_a_transferred_buffer_is_detached_at_once(self) -> None:
        """port2.postMessage(ab, [ab]); ab.byteLength; // 0"""
        near, far = self.channel()
        buffer = ArrayBuffer(b"abcd")
        view = buffer.view()

        near.post_message({"b": buffer}, [buffer])

        assert buffer.detached
        assert buffer.byte_length == 0
        with pytest.raises(ValueError):
            view[0]
        message = far.receive(5)
        assert isinstance(message, dict)
        assert bytes(message["b"]) == b"abcd"

    def test_a_buffer_is_detached_even_if_it_is_not_in_the_value(self) -> None:
        """port2.postMessage(1, [ab]);"""
        near, far = self.channel()
        buffer = ArrayBuffer(4)

        near.post_message(1, [buffer])

        assert buffer.detached
        assert far.receive(5) == 1

    def test_a_buffer_that_is_not_listed_is_copied(self) -> None:
        """port2.postMessage(ab); ab.byteLength; // as it was"""
        near, far = self.channel()
        buffer = ArrayBuffer(b"abcd")

        near.post_message(buffer)
        buffer.view()[0] = 0

        assert bytes(far.receive(5)) == b"abcd"  # type: ignore[call-overload]
        assert not buffer.detached

    def test_a_transferred_buffer_takes_its_views_along(self) -> None:
        """port2.postMessage(new Uint8Array(ab, 2, 2), [ab]); // the whole buffer moves"""
        near, far = self.channel()
        buffer = ArrayBuffer(b"abcdefgh")

        near.post_message([buffer.view("B", 2, 2), buffer], [buffer])

        view, whole = list_of(far.receive(5))
        assert bytes(view) == b"cd"
        assert whole.byte_length == 8
        view[0] = ord("X")
        assert bytes(whole)[2] == ord("X")

    def test_a_buffer_that_is_listed_twice_is_refused(self) -> None:
        """port2.postMessage(ab, [ab, ab]); // DataCloneError, not detached"""
        near, _ = self.channel()
        buffer = ArrayBuffer(4)

        with pytest.raises(DataCloneError):
            near.post_message(buffer, [buffer, buffer])

        assert not buffer.detached

    def test_nothing_is_detached_when_a_post_fails(self) -> None:
        """port2.postMessage(() => {}, [ab, port]); // both are as they were"""
        near, far = self.channel()
        buffer = ArrayBuffer(4)
        other, other_far = self.channel()

        with pytest.raises(DataCloneError):
            near.post_message([buffer, lambda: 1], [buffer, other])

        assert (buffer.byte_length, other.detached) == (4, False)
        other.post_message("works")
        assert other_far.receive(5) == "works"
        quiet()
        assert receive_message_on_port(far) is None

    def test_a_detached_buffer_is_refused_listed_or_not(self) -> None:
        """port2.postMessage(ab, [ab]); port2.postMessage(ab); // DataCloneError"""
        near, _ = self.channel()
        buffer = ArrayBuffer(4)
        near.post_message(None, [buffer])

        with pytest.raises(DataCloneError):
            near.post_message(buffer)
        with pytest.raises(DataCloneError):
            near.post_message(1, [buffer])

    def test_an_empty_buffer_is_detached_too(self) -> None:
        """port2.postMessage(new ArrayBuffer(0), [...]); // once"""
        near, far = self.channel()
        buffer = ArrayBuffer(0)

        near.post_message(buffer, [buffer])

        assert buffer.detached
        arrived = far.receive(5)
        assert isinstance(arrived, ArrayBuffer)
        assert arrived.byte_length == 0

    def test_what_is_marked_untransferable_is_refused(self) -> None:
        """markAsUntransferable(ab); port2.postMessage(ab, [ab]); // DataCloneError, not detached"""
        near, far = self.channel()
        buffer = ArrayBuffer(4)
        mark_as_untransferable(buffer)

        with pytest.raises(DataCloneError):
            near.post_message(buffer, [buffer])
        near.post_message(buffer)

        assert not buffer.detached
        assert isinstance(far.receive(5), ArrayBuffer)

    def test_what_is_listed_is_detached_even_if_the_post_goes_nowhere(self) -> None:
        """port1.close(); port1.postMessage(ab, [ab]); ab.byteLength; // 0"""
        near, far = self.channel()
        mine, its = ArrayBuffer(4), ArrayBuffer(4)
        near.close()
        near.post_message(mine, [mine])
        until(lambda: far.peer_closed)

        far.post_message(its, [its])

        assert (mine.detached, its.detached) == (True, True)

    def test_a_shared_buffer_is_shared(self) -> None:
        """port2.postMessage({ a: sab, b: sab }); // one object there, over the same memory"""
        near, far = self.channel()
        shared = SharedArrayBuffer(8)
        if not self.shares_memory:
            with pytest.raises(DataCloneError):
                near.post_message(shared)
            return

        near.post_message({"a": shared, "b": shared, "other": SharedArrayBuffer(8)})

        message = far.receive(5)
        assert isinstance(message, dict)
        assert message["a"] is message["b"]
        assert message["a"] is not shared
        message["a"].view()[0] = 9
        assert shared.view()[0] == 9
        assert message["other"].view()[0] == 0

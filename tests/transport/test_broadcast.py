"""BroadcastChannel: items 173 to 183 of the list of behaviours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clonecodec import ArrayBuffer, DataCloneError, SharedArrayBuffer
from tests.transport.settling import collect, quiet, until
from transport import (
    BroadcastChannel,
    Message,
    MessageChannel,
    PortClosedError,
    receive_message_on_port,
)
from transport.broadcast import KEPT, Hub, hub


@pytest.fixture
def three() -> Iterator[list[BroadcastChannel]]:
    channels = [BroadcastChannel("name") for _ in range(3)]
    yield channels
    for channel in channels:
        channel.close()


def test_every_other_channel_of_the_name_hears_and_the_sender_does_not(three: list[BroadcastChannel]) -> None:
    heard: list[tuple[int, object]] = []
    for i, channel in enumerate(three):
        channel.on("message", lambda value, i=i: heard.append((i, value)))
    other = BroadcastChannel("other")
    other.on("message", lambda value: heard.append((9, value)))

    three[0].post_message("x")

    until(lambda: len(heard) == 2)
    quiet()
    assert sorted(heard) == [(1, "x"), (2, "x")]
    other.close()


def test_names_are_made_into_strings() -> None:
    one, two = BroadcastChannel(5), BroadcastChannel("5")
    assert one.name == "5"

    one.post_message(1)

    assert receive_message_on_port(two) == Message(1)
    one.close()
    two.close()


def test_each_receiver_has_its_own_clone_and_memory_is_shared_by_all(three: list[BroadcastChannel]) -> None:
    shared = SharedArrayBuffer(4)

    three[0].post_message({"list": [1], "shared": shared})

    one, two = receive_message_on_port(three[1]), receive_message_on_port(three[2])
    assert one is not None
    assert two is not None
    assert isinstance(one.value, dict)
    assert isinstance(two.value, dict)
    assert one.value["list"] == two.value["list"]
    assert one.value["list"] is not two.value["list"]
    one.value["shared"].view()[0] = 7
    assert (shared.view()[0], two.value["shared"].view()[0]) == (7, 7)


def test_nothing_is_transferred(three: list[BroadcastChannel]) -> None:
    port, _ = MessageChannel()

    with pytest.raises(DataCloneError):
        three[0].post_message({"port": port})
    three[0].post_message(ArrayBuffer(2))

    message = receive_message_on_port(three[1])
    assert message is not None
    assert isinstance(message.value, ArrayBuffer)


def test_what_cannot_be_cloned_is_refused_though_nobody_listens() -> None:
    alone = BroadcastChannel("alone")

    with pytest.raises(DataCloneError):
        alone.post_message(lambda: 1)

    alone.close()


def test_a_closed_channel_refuses_to_post_and_closing_twice_is_nothing(three: list[BroadcastChannel]) -> None:
    three[0].close()
    three[0].close()

    with pytest.raises(PortClosedError):
        three[0].post_message(1)
    three[1].post_message(2)
    assert receive_message_on_port(three[0]) is None


def test_what_was_posted_before_the_sender_closed_is_delivered(three: list[BroadcastChannel]) -> None:
    heard: list[object] = []
    three[1].on("message", heard.append)

    three[0].post_message(1)
    three[0].close()

    until(lambda: heard == [1])


def test_what_came_before_the_first_listener_is_not_delivered(three: list[BroadcastChannel]) -> None:
    three[0].post_message(1)
    heard: list[object] = []

    three[1].on("message", heard.append)
    three[0].post_message(2)

    until(lambda: heard)
    quiet()
    assert heard == [2]


def test_a_channel_that_is_opened_after_the_post_hears_nothing(three: list[BroadcastChannel]) -> None:
    three[0].post_message(1)

    late = BroadcastChannel("name")

    assert receive_message_on_port(late) is None
    late.close()


def test_a_channel_that_closes_in_its_listener_still_hears_what_is_queued(
    three: list[BroadcastChannel],
) -> None:
    heard: list[object] = []

    def listener(value: object) -> None:
        quiet()
        heard.append(value)
        three[1].close()

    three[1].on("message", listener)
    three[0].post_message(1)
    three[0].post_message(2)

    until(lambda: heard == [1, 2])


def test_posts_keep_their_order_at_every_receiver(three: list[BroadcastChannel]) -> None:
    heard: list[object] = []
    three[2].on("message", heard.append)

    for i in range(100):
        three[i % 2].post_message(i)

    until(lambda: len(heard) == 100)
    assert heard == list(range(100))


def test_it_is_refd_from_birth_until_close_or_unref(three: list[BroadcastChannel]) -> None:
    one, two, _ = three
    assert one.has_ref()
    one.on("message", print)
    one.off("message", print)
    assert one.has_ref()

    assert one.unref() is one
    one.on("message", print)
    assert not one.has_ref()
    assert one.ref() is one
    assert one.has_ref()

    two.close()
    until(lambda: not two.has_ref())


def test_an_unrefd_channel_that_nobody_holds_is_collected() -> None:
    channel = BroadcastChannel("short-lived").unref()
    assert "short-lived" in hub._channels
    del channel

    collect()
    another = BroadcastChannel("short-lived")
    another.close()

    assert "short-lived" not in hub._channels


def test_without_a_listener_only_the_newest_are_kept(three: list[BroadcastChannel]) -> None:
    for i in range(KEPT + 10):
        three[0].post_message(i)

    assert receive_message_on_port(three[1]) == Message(10)


def test_hubs_of_a_process_tree_pass_messages_on_without_an_echo(three: list[BroadcastChannel]) -> None:
    child = Hub()
    here, there = MessageChannel()
    hub.connect(here)
    child.connect(there)
    grandchild = Hub()
    down, up = MessageChannel()
    child.connect(down)
    passed: list[object] = []
    up.on("message", passed.append)
    up.unref()
    heard: list[object] = []
    three[0].on("message", heard.append)

    three[1].post_message("down")
    grandchild.connect(MessageChannel().port1)
    up.post_message(["name", "up"])

    until(lambda: passed == [["name", "down"]])
    until(lambda: heard == ["down", "up"])
    quiet()
    assert passed == [["name", "down"]]
    up.close()
    here.close()
    until(lambda: not hub._uplinks)


def test_repr_shows_name_and_state(three: list[BroadcastChannel]) -> None:
    assert repr(three[0]) == "<BroadcastChannel 'name' paused ref>"


def test_close_is_heard_by_the_one_who_closes_alone(three: list[BroadcastChannel]) -> None:
    one, two, _ = three
    heard: list[str] = []
    one.on("close", lambda: heard.append("one"))
    two.on("close", lambda: heard.append("two"))

    one.close()

    until(lambda: heard)
    quiet()
    assert heard == ["one"]

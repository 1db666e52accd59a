"""All of a block or nothing of it, for everybody who looks."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from clonecodec import store
from clonecodec.store import Store, StoreBusyError, StoreError


def test_a_block_that_ends_is_kept(opened: Store) -> None:
    with opened.transaction() as inside:
        inside["a"] = 1
        inside.update(b=2)
        inside["long"] = bytes(2 << 20)

    assert (opened["a"], opened["b"], len(opened["long"])) == (1, 2, 2 << 20)


def test_a_block_that_raises_leaves_no_trace(opened: Store) -> None:
    opened.update(a=1, b=2)

    with pytest.raises(ZeroDivisionError), opened.transaction():
        opened["a"] = 5
        del opened["b"]
        opened["long"] = bytes(2 << 20)
        assert sorted(opened) == ["a", "long"]
        _ = 1 / 0

    assert dict(opened) == {"a": 1, "b": 2}
    opened.check()


def test_an_inner_block_that_raises_undoes_its_own_part(opened: Store) -> None:
    with opened.transaction():
        opened["outer"] = 1
        with pytest.raises(ZeroDivisionError), opened.transaction():
            opened["inner"] = 2
            with opened.transaction():
                opened["innermost"] = 3
            _ = 1 / 0
        with opened.transaction():
            opened["second"] = 4

    assert dict(opened) == {"outer": 1, "second": 4}


def test_an_outer_block_that_raises_undoes_the_inner_ones(opened: Store) -> None:
    with pytest.raises(ZeroDivisionError), opened.transaction():
        with opened.transaction():
            opened["inner"] = 2
        _ = 1 / 0

    assert dict(opened) == {}


def test_others_see_nothing_of_a_block_before_its_end(path: Path) -> None:
    with store.open(path) as opened, store.open(path, "r") as other:
        opened["a"] = 1
        with opened.transaction():
            opened["a"] = 2
            opened["b"] = 3

            assert dict(other) == {"a": 1}
        assert dict(other) == {"a": 2, "b": 3}


def test_other_threads_see_nothing_of_a_block_before_its_end(path: Path) -> None:
    seen: list[dict[str, object]] = []
    with store.open(path) as opened:
        opened["a"] = 1
        with opened.transaction():
            opened["a"] = 2
            thread = threading.Thread(target=lambda: seen.append(dict(opened)))
            thread.start()
            thread.join()

    assert seen == [{"a": 1}]


def test_a_reader_of_mode_r_sees_one_state_in_a_block(path: Path) -> None:
    with store.open(path) as opened, store.open(path, "r") as reader:
        opened["a"] = 1
        with reader.transaction():
            before = reader["a"]
            opened["a"] = 2
            assert reader["a"] == before == 1
        assert reader["a"] == 2


def test_who_waits_too_long_is_told(path: Path) -> None:
    with store.open(path) as opened, store.open(path, timeout=0.05) as other:
        with opened.transaction():
            opened["a"] = 1
            for attempt in (
                lambda: other.__setitem__("a", 2),
                lambda: other.__setitem__("a", bytes(2 << 20)),
                lambda: other.pop("a"),
                other.clear,
                other.compact,
            ):
                with pytest.raises(StoreBusyError, match="another thread or process"):
                    attempt()
        assert dict(other) == {"a": 1}


def test_a_block_counts_up_without_losing_a_step(opened: Store) -> None:
    def count() -> None:
        for _ in range(50):
            with opened.transaction():
                opened["n"] = opened.get("n", 0) + 1

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert opened["n"] == 400


def test_pop_gives_each_value_to_one_thread(opened: Store) -> None:
    opened.update({str(number): number for number in range(200)})
    taken: list[list[int]] = [[] for _ in range(4)]

    def take(mine: list[int]) -> None:
        for number in range(200):
            value = opened.pop(str(number), None)
            if value is not None:
                mine.append(value)

    threads = [threading.Thread(target=take, args=(mine,)) for mine in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(number for mine in taken for number in mine) == list(range(200))


def test_setdefault_and_popitem_are_one_step(opened: Store) -> None:
    winners: list[object] = []

    def claim(name: int) -> None:
        winners.append(opened.setdefault("owner", name))

    threads = [threading.Thread(target=claim, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert winners == [opened["owner"]] * 8


def test_closing_and_compacting_inside_a_block_are_refused(opened: Store) -> None:
    with opened.transaction():
        opened["a"] = 1
        with pytest.raises(StoreError, match="inside its own transaction"):
            opened.close()
        with pytest.raises(StoreError, match="inside a transaction"):
            opened.compact()

    assert opened["a"] == 1


def test_closing_waits_for_the_transaction_of_another_thread(path: Path) -> None:
    opened = store.open(path, timeout=10)
    begun, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with opened.transaction():
            opened["a"] = 1
            begun.set()
            go_on.wait()
            opened["b"] = 2

    thread = threading.Thread(target=write)
    thread.start()
    begun.wait()
    threading.Timer(0.1, go_on.set).start()
    opened.close()
    thread.join()

    with store.open(path, "r") as again:
        assert dict(again) == {"a": 1, "b": 2}


def test_closing_gives_up_on_a_transaction_that_does_not_end(path: Path) -> None:
    opened = store.open(path, timeout=0.05)
    begun, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with opened.transaction():
            opened["a"] = 1
            begun.set()
            go_on.wait()

    thread = threading.Thread(target=write)
    thread.start()
    begun.wait()
    with pytest.raises(StoreBusyError):
        opened.close()
    go_on.set()
    thread.join()

    assert opened["a"] == 1
    opened.close()

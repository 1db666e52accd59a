"""A store is a mapping: what dict does, in the order of the keys, with copies of values."""

from __future__ import annotations

import datetime
import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from clonecodec import DataCloneError, store
from clonecodec.store import Store

VALUES = [
    None,
    True,
    -5,
    2**80,
    1.5,
    "tex\u0101t\ud800",
    b"bytes",
    [1, [2]],
    (1, 2),
    {1, 2},
    {"a": {"b": None}},
    datetime.datetime(2026, 11, 22, 12, 30, 15, 123456, tzinfo=datetime.UTC),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_as_it_was_set(opened: Store, value: object) -> None:
    opened["key"] = value

    assert opened["key"] == value
    assert type(opened["key"]) is type(value)


def test_a_value_comes_back_in_another_process_life(path: Path) -> None:
    with store.open(path) as first:
        for number, value in enumerate(VALUES):
            first[str(number)] = value

    with store.open(path, "r") as second:
        assert [second[str(number)] for number in range(len(VALUES))] == VALUES


def test_shared_references_and_cycles_stay(opened: Store) -> None:
    loop: list[object] = []
    loop.append(loop)

    opened["loop"] = loop

    found = opened["loop"]
    assert found[0] is found


def test_what_comes_back_is_a_copy(opened: Store) -> None:
    opened["list"] = [1]

    opened["list"].append(2)

    assert opened["list"] == [1]


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 64, 1 << 20, (1 << 20) + 1, 5_000_001])
def test_a_value_of_any_size_comes_back(opened: Store, size: int) -> None:
    value = os.urandom(size)

    opened["other"] = 1
    opened["value"] = value

    assert opened["value"] == value
    assert dict(opened.items()) == {"other": 1, "value": value}
    opened.check()


@pytest.mark.parametrize("sizes", [(3 << 20, 2 << 20), (3 << 20, 10), (10, 3 << 20)])
def test_replacing_a_value_leaves_nothing_of_it_behind(opened: Store, sizes: tuple[int, int]) -> None:
    before, after = os.urandom(sizes[0]), os.urandom(sizes[1])
    opened["value"] = before

    opened["value"] = after

    assert opened["value"] == after
    opened.check()  # it counts chunks that belong to nothing


def test_deleting_a_long_value_removes_its_chunks(path: Path) -> None:
    with store.open(path) as opened:
        opened["value"] = os.urandom(8 << 20)
        opened.compact()
        full = path.stat().st_size
        del opened["value"]
        opened.check()
        opened.compact()

        assert full > 8 << 20
        assert path.stat().st_size < 100_000


KEYS = [
    "",
    "a",
    "a\0",
    "a\0b",
    "\x7f",
    "\x80",
    "é",
    "\ud800",
    "\ud83d\ude00",
    "\udfff",
    "\uffff",
    "😀",
    "\U0010ffff",
]


def test_any_str_is_a_key_and_keys_are_in_the_order_of_str(opened: Store) -> None:
    for number, key in enumerate(reversed(KEYS)):
        opened[key] = number

    assert list(opened) == sorted(KEYS)
    assert list(reversed(opened)) == sorted(KEYS, reverse=True)
    assert [opened[key] for key in reversed(KEYS)] == list(range(len(KEYS)))
    opened.check()


def test_a_surrogate_pair_and_its_character_are_two_keys(opened: Store) -> None:
    opened["\ud83d\ude00"] = "pair"
    opened["😀"] = "character"

    assert (opened["\ud83d\ude00"], opened["😀"], len(opened)) == ("pair", "character", 2)


@pytest.mark.parametrize("key", [1, b"a", None, ("a",)])
def test_a_key_that_is_no_str_is_a_type_error_everywhere(opened: Store, key: Any) -> None:
    for attempt in (
        lambda: opened[key],
        lambda: opened.__setitem__(key, 1),
        lambda: opened.__delitem__(key),
        lambda: opened.get(key),
        lambda: opened.pop(key, None),
        lambda: key in opened,
    ):
        with pytest.raises(TypeError, match="keys are str"):
            attempt()


def test_a_missing_key_is_a_key_error(opened: Store) -> None:
    with pytest.raises(KeyError, match="lost"):
        opened["lost"]
    with pytest.raises(KeyError, match="lost"):
        del opened["lost"]
    with pytest.raises(KeyError, match="lost"):
        opened.pop("lost")
    with pytest.raises(KeyError):
        opened.popitem()
    assert opened.get("lost") is None
    assert opened.get("lost", 5) == 5
    assert opened.pop("lost", 6) == 6
    assert "lost" not in opened


def test_none_is_a_value_like_any_other(opened: Store) -> None:
    opened["none"] = None

    assert "none" in opened
    assert opened.get("none", 5) is None
    assert opened.setdefault("none", 5) is None
    assert opened.pop("none", 5) is None
    assert "none" not in opened


def test_what_cannot_be_cloned_changes_nothing(opened: Store) -> None:
    opened["key"] = 1

    with pytest.raises(DataCloneError):
        opened["key"] = print
    with pytest.raises(DataCloneError):
        opened.update({"key": 2, "new": lambda: 0})

    assert dict(opened) == {"key": 1}


def test_update_takes_what_dict_takes(opened: Store) -> None:
    class Pairs:
        def keys(self) -> list[str]:
            return ["d"]

        def __getitem__(self, key: str) -> int:
            return 4

    opened.update({"a": 1}, b=2)
    opened.update([("c", 3)])
    opened.update(Pairs())
    opened.update()

    assert dict(opened) == {"a": 1, "b": 2, "c": 3, "d": 4}
    with pytest.raises(TypeError):
        opened.update({}, {})


def test_it_is_a_mutable_mapping(opened: Store) -> None:
    opened.update(a=1, b=2, c=3)

    assert isinstance(opened, MutableMapping)
    assert opened.popitem() == ("a", 1)
    assert len(opened) == 2
    assert opened == {"b": 2, "c": 3}
    assert set(opened.keys()) == {"b", "c"}
    assert opened.keys() & {"b", "x"} == {"b"}
    assert ("b", 2) in opened.items()
    assert ("b", 3) not in opened.items()
    assert ("x", 3) not in opened.items()
    assert 3 in opened.values()
    assert 4 not in opened.values()
    assert list(reversed(opened.items())) == [("c", 3), ("b", 2)]
    assert list(reversed(opened.values())) == [3, 2]
    opened.clear()
    assert dict(opened) == {}


def test_a_range_is_chosen_by_prefix_start_and_end(opened: Store) -> None:
    names = ["", "a", "a:1", "a:2", "a:\U0010ffff", "a;", "b", "b:1"]
    opened.update({name: name.upper() for name in names})

    assert list(opened.keys(prefix="a:")) == ["a:1", "a:2", "a:\U0010ffff"]
    assert list(opened.keys(start="a:2")) == names[3:]
    assert list(opened.keys(end="a:2")) == names[:3]
    assert list(opened.keys(start="a:1", end="b")) == names[2:6]
    assert list(opened.keys(prefix="a:", start="a:2", end="a:3")) == ["a:2"]
    assert list(opened.keys(prefix="a:", end="a")) == []
    assert list(opened.values(prefix="b")) == ["B", "B:1"]
    assert list(opened.items(prefix="b:")) == [("b:1", "B:1")]
    assert list(reversed(opened.keys(prefix="a:"))) == ["a:\U0010ffff", "a:2", "a:1"]
    assert len(opened.keys(prefix="a:")) == 3
    assert "a:1" in opened.keys(prefix="a:")
    assert "b" not in opened.keys(prefix="a:")


def test_an_iteration_survives_changes(opened: Store) -> None:
    opened.update({f"{number:04}": number for number in range(1500)})

    seen = []
    for key in opened:
        seen.append(key)
        del opened[key]
        opened[f"9{key}"] = 0
        if len(seen) == 1600:
            break

    assert seen[:1500] == [f"{number:04}" for number in range(1500)]
    assert len(seen) == len(set(seen)) == 1600


def test_items_survive_the_removal_of_long_values(opened: Store) -> None:
    opened.update({"a": 1, "b": bytes(2 << 20), "c": bytes(2 << 20), "d": 4})

    items = iter(opened.items())
    first = next(items)
    del opened["c"]

    assert [first, *items] == [("a", 1), ("b", bytes(2 << 20)), ("d", 4)]


def test_after_close_everything_is_a_value_error(opened: Store) -> None:
    opened["a"] = 1

    opened.close()
    opened.close()

    assert opened.closed
    for attempt in (
        lambda: opened["a"],
        lambda: opened.get("a"),
        lambda: opened.__setitem__("a", 2),
        lambda: list(opened),
        lambda: len(opened),
        lambda: opened.transaction().__enter__(),
        opened.compact,
        opened.check,
        opened.sync,
        opened.info,
    ):
        with pytest.raises(ValueError, match="closed"):
            attempt()


def test_info_names_the_wire_format(opened: Store) -> None:
    info = opened.info()

    assert info["wire_format"] == "v8"
    assert info["wire_version"] == 15
    assert info["layout"] == 1
    assert str(info["written_by"]).startswith("clonecodec")


class Model(RuleBasedStateMachine):
    """Invariant: a store is a dict that sorts its keys."""

    keys = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.store = store.open(":memory:")
        self.dict: dict[str, object] = {}

    @rule(target=keys, key=st.text(st.characters(), max_size=3))
    def name(self, key: str) -> str:
        return key

    @rule(key=keys, value=st.integers() | st.text() | st.binary())
    def set(self, key: str, value: object) -> None:
        self.store[key] = self.dict[key] = value

    @rule(key=keys)
    def pop(self, key: str) -> None:
        assert self.store.pop(key, None) == self.dict.pop(key, None)

    @rule(key=keys, fail=st.booleans())
    def change_in_a_transaction(self, key: str, fail: bool) -> None:
        try:
            with self.store.transaction():
                self.store[key] = 0
                self.store[key + "x"] = 1
                if fail:
                    raise InterruptedError
        except InterruptedError:
            return
        self.dict.update({key: 0, key + "x": 1})

    @rule(prefix=keys, start=keys, end=keys)
    def choose(self, prefix: str, start: str, end: str) -> None:
        chosen = [key for key in sorted(self.dict) if key.startswith(prefix) and start <= key < end]
        assert list(self.store.keys(prefix=prefix, start=start, end=end)) == chosen
        assert len(self.store.keys(prefix=prefix, start=start, end=end)) == len(chosen)

    @invariant()
    def same(self) -> None:
        assert list(self.store.items()) == sorted(self.dict.items())

    def teardown(self) -> None:
        self.store.check()
        self.store.close()


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)

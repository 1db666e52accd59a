"""Both implementations do the same; and the comparison would notice if they did not."""

from __future__ import annotations

import random

import pytest

import clonecodec
from clonecodec import _node
from fuzz.fuzz_twins import DifferenceError, Round, api, compare, without_accelerator
from tests.vectors import everything

OTHERS = [case.data for case in everything() if case.how == "default"]


@pytest.mark.parametrize("seed", range(60))
def test_random_values_and_damaged_bytes_have_one_outcome(seed: int) -> None:
    Round(random.Random(seed), OTHERS.copy()).run(mutations=20)


def test_what_node_wrote_has_one_outcome_wherever_it_is_cut_and_whichever_byte_is_wrong() -> None:
    rng = random.Random(0)
    compared = Round(rng, OTHERS)

    for data in OTHERS:
        for length in range(min(len(data), 200)):
            compared.read(data[:length], 100_000)
        for _ in range(20):
            copy = bytearray(data)
            copy[rng.randrange(len(copy))] = rng.randrange(256)
            compared.read(bytes(copy), 100_000)

    assert compared.inputs > 10_000


@pytest.mark.parametrize("wrong", [[1, 2, 3.0], [1, 2, 3, 4], (1, 2, 3), None])
def test_the_comparison_notices_a_difference(wrong: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_node, "loads", lambda data: wrong)

    with pytest.raises(DifferenceError):
        compare("loads", lambda: api.loads(clonecodec.dumps([1, 2, 3])))


def test_the_comparison_compares_with_python() -> None:
    with without_accelerator():
        assert clonecodec.Serializer()._core is None
        assert api.dumps is _node.dumps

    assert clonecodec.Serializer()._core is not None
    assert api.dumps is clonecodec.dumps


@pytest.mark.parametrize(
    "data",
    [
        "ff0f 41 01 3b 4902 5e00 4902 4906 3a04 240001",  # [new Map([[1, the array], [1, 3]])]
        "ff0f 0041 01 3b 4902 5e00 4902 4906 3a04 240001",  # the same in a tuple
        "ff0f 41 02 72 63 5e00 63 4906 2e 5e01 240002",  # an error with the array as its cause, and then 3
    ],
)
def test_the_last_value_wins_over_an_earlier_one_that_came_later(data: str) -> None:
    value = compare("loads", lambda: api.loads(bytes.fromhex(data))).value

    assert isinstance(value, (list, tuple))
    assert value[0] == {1: 3} or value[0].cause == 3


@pytest.mark.parametrize(
    "characters", ["\U0001f600", "\U00010000\U0010ffff", "a\uffff\U00010000", "Ā\U0001f600"]
)
def test_text_beyond_ffff_has_one_outcome_of_any_length(characters: str) -> None:
    rng = random.Random(0)
    for length in range(40):
        text = "".join(rng.choices(characters, k=length))
        for value in (text, text + "a", "a" + text, text + "\ud83d", "\ude00" + text, {text: [text]}):
            compare("dumps", lambda value=value: api.dumps(value))  # type: ignore[misc]
            compare("loads", lambda value=value: api.loads(clonecodec.dumps(value)))  # type: ignore[misc]


def with_gaps(count: int, removed: int) -> set[object]:
    """A set from which members have been removed: what they leave in its table is none."""
    members: set[object] = set(range(0, 7 * count, 7)) | {str(number) for number in range(count)}
    for number in range(removed):
        members.discard(7 * number)
        members.discard(str(count - number))
    return members


@pytest.mark.parametrize(("count", "removed"), [(0, 0), (3, 3), (5, 2), (40, 39), (1000, 900)])
def test_sets_have_one_outcome_whatever_was_removed_from_them(count: int, removed: int) -> None:
    members = with_gaps(count, removed)
    shared = (1, 2)
    for value in (
        members,
        frozenset(members),
        members | {shared, (shared, 1 << 70), 1 << 70, None, 1.5},
        [members, members, members | {frozenset({shared}), clonecodec.ByIdentity(members)}],
        members | {object()},
    ):
        compare("dumps", lambda value=value: api.dumps(value))  # type: ignore[misc]
        compare("clone", lambda value=value: api.structured_clone(value))  # type: ignore[misc]

"""Laws that hold of every value: they are tried with values that hypothesis thinks of."""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clonecodec import DataCloneError, DecodeError, TruncatedError, dumps, loads, structured_clone
from clonecodec.testing import graphs, shareable, values
from tests.codec.roads import file, pipe, wire
from tests.node import Node
from tests.same import difference

LAWS = settings(
    derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)


@LAWS
@given(values())
def test_a_value_survives_the_round_trip_type_for_type(value: Any) -> None:
    assert difference(loads(dumps(value)), value) is None


@LAWS
@given(graphs())
def test_the_graph_of_identities_survives_the_round_trip(value: Any) -> None:
    assert difference(loads(dumps(value)), value) is None


@LAWS
@given(graphs(shareable()))
def test_a_clone_is_the_same_graph_type_for_type(value: Any) -> None:
    assert difference(structured_clone(value), value) is None


@LAWS
@given(graphs())
def test_a_clone_is_what_arrives_over_the_wire(value: Any) -> None:
    assert difference(structured_clone(value), wire(value)) is None


@LAWS
@given(graphs())
def test_a_file_with_and_without_seeking_gives_what_loads_gives(value: Any) -> None:
    expected = loads(dumps(value))

    assert difference(file(value), expected) is None
    assert difference(pipe(value), expected) is None


@LAWS
@given(graphs(), st.sampled_from([13, 14, 15, 16]))
def test_writing_settles_at_once_in_every_version(value: Any, version: int) -> None:
    once = dumps(value, version=version)

    assert difference(loads(dumps(loads(once), version=version)), loads(once)) is None


@LAWS
@given(graphs())
def test_without_hints_the_bytes_are_the_same_but_for_padding(value: Any) -> None:
    plain = dumps(value, hints=False)
    settled = loads(plain)

    assert len(plain) <= len(dumps(value))
    assert difference(loads(dumps(settled, hints=False)), settled) is None


@LAWS
@given(values(), st.data())
def test_a_proper_prefix_is_refused(value: Any, data: st.DataObject) -> None:
    message = dumps(value)
    length = data.draw(st.integers(0, len(message) - 1))

    with pytest.raises(TruncatedError):
        loads(message[:length])


@LAWS
@given(st.binary(max_size=60), st.integers(0, 16))
def test_any_bytes_are_a_value_or_a_decode_error(octets: bytes, version: int) -> None:
    for data in (octets, bytes((0xFF, version)) + octets):
        for legacy in (False, True):
            try:
                value = loads(data, legacy=legacy)
            except DecodeError as error:
                assert 0 <= error.offset <= len(data)
                assert error.reason
            else:
                assert difference(loads(data, legacy=legacy), value) is None


@LAWS
@given(graphs(), st.integers(0, 6))
def test_writer_reader_and_clone_count_the_same_depth(value: Any, depth: int) -> None:
    def refuses(function: Any, argument: object) -> bool:
        try:
            function(argument, max_depth=depth)
        except (DataCloneError, DecodeError):
            return True
        return False

    written = refuses(dumps, value)

    assert refuses(structured_clone, value) == written
    assert refuses(loads, dumps(value)) == written


TOO_NEW_FOR_20: Final = (b"r", b"\\\x0d")
"""Tags of what Node 20 may refuse: errors (that their causes refer to), and views that are a Float16Array."""


def test_node_reads_what_python_writes_and_python_what_node_makes_of_it(node: Node) -> None:
    messages: list[bytes] = []

    @settings(LAWS, database=None, max_examples=200)
    @given(graphs(values(microseconds=False)))
    def collect(value: Any) -> None:
        messages.append(dumps(value))

    collect()
    if node.major == 20:
        messages = [data for data in messages if not any(tag in data for tag in TOO_NEW_FOR_20)]
    there = _answers(node, "reserialize", [data.hex() for data in messages])
    back = [dumps(loads(bytes.fromhex(data))).hex() for data in there]
    ours = _answers(node, "read", [data.hex() for data in messages])
    theirs = _answers(node, "read", back)

    for data, first, second in zip(messages, ours, theirs, strict=True):
        # A set has an order of its own here, so that the text of one may come in another order; and which of
        # its members are shown whole, and which as references to them, depends on that order.
        if "Set(" in first and ("<ref" in first or "<ref" in second):
            continue
        assert sorted(first) == sorted(second), data.hex(" ")


def _answers(node: Node, question: str, messages: list[str]) -> list[str]:
    answers = node._batch([{"op": question, "hex": data} for data in messages])
    for data, answer in zip(messages, answers, strict=True):
        assert "value" in answer, f"{node!r} refuses {data}: {answer}"
    return [str(answer["value"]) for answer in answers]

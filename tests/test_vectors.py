"""What Node wrote is read type for type and written to the same bytes again; Node reads what Python wrote."""

from __future__ import annotations

from typing import Final

import pytest

from clonecodec import (
    ArrayBuffer,
    BigInt,
    DecodeError,
    DefaultDeserializer,
    DefaultSerializer,
    Deserializer,
    Serializer,
    SharedArrayBuffer,
    dumps,
    loads,
)
from tests.node import TESTED, Node
from tests.same import difference
from tests.vectors import VERSIONS, Case, everything, of_node
from tests.vectors.values import REGISTERED, VALUES

TWO_BYTE_STORAGE: Final = "V8 may keep Latin-1 text in two bytes a character, which a str does not tell"
ONCE_SPARSE: Final = "a full array: V8 writes frozen and once holey ones as sparse, which no value can tell"
HOLED_WHILE_WRITTEN: Final = "an array that a getter changed while it was written as a dense one"
OLD_ERROR_ORDER: Final = (
    "Node 20 writes the cause before the stack; later Nodes refuse that, we write what all read"
)

NOT_WRITTEN_AGAIN: Final[dict[tuple[str, int], str]] = {
    ("string: a slice of a two-byte string keeps two bytes", 20): TWO_BYTE_STORAGE,
    ("array: a regexp match", 20): ONCE_SPARSE,
    ("array: an element deleted by a getter", 20): HOLED_WHILE_WRITTEN,
    ("array: shrunk by a getter", 20): HOLED_WHILE_WRITTEN,
    **{
        (f"sparse: {name}", 20): ONCE_SPARSE
        for name in (
            *("zero length", "full, but once holey", "frozen", "frozen ints", "frozen and empty", "sealed"),
            *("an accessor element", "Array.prototype"),
        )
    },
    **{
        (f"{kind}: with a cause", 20): OLD_ERROR_ORDER
        for kind in (
            *("Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"),
        )
    },
    **{
        (f"error: {name}", 20): OLD_ERROR_ORDER
        for name in (
            *("cause undefined", "cause null", "cause an object", "cause an error", "three causes deep"),
            *("cause without message", "cause shared"),
        )
    },
}
"""By name and Node: what Python writes otherwise than that Node did, and why."""

SETS_IN_ANOTHER_ORDER: Final = frozenset(
    {
        "alignment: set",
        "mix: a record",
        *(f"set: {name}" for name in ("order of entry", "every scalar", "1 and true", "objects")),
    }
)
"""Cases with a set whose order of iteration in Python is not JavaScript's order of entry."""

PYTHON_OWN: Final[list[tuple[object, str]]] = [
    ((1, 2), "[1, 2]"),
    (((), (1,)), "[[], [1]]"),
    (frozenset({1}), "new Set([1])"),
    (2**31, "2147483648"),
    (-(2**53) + 1, "-9007199254740991"),
    (2**53, "9007199254740992n"),
    (BigInt(7), "7n"),
    (bytearray(b"ab"), "Buffer.from('ab')"),
    ({1: "a", "b": 2}, "new Map([[1, 'a'], ['b', 2]])"),
    ({"t": (1, [2]), "n": 2**40}, "({t: [1, [2]], n: 2**40})"),
    ([(0.5, 2**33), {"ā": ("ā",)}], "[[0.5, 2**33], {'\\u0101': ['\\u0101']}]"),
]
"""Values that Python marks with hints, and what JavaScript makes of them."""


class SharingSerializer(Serializer):
    """Numbers shared buffers by a list."""

    def __init__(self, buffers: list[SharedArrayBuffer]) -> None:
        super().__init__()
        self._buffers: Final = buffers

    def get_shared_array_buffer_id(self, sab: SharedArrayBuffer) -> int:
        return next(index for index, buffer in enumerate(self._buffers) if buffer is sab)


def read(case: Case) -> object:
    """The value of *case*, by the reader that fits how it was written."""
    if case.how in ("default", "native"):
        return loads(case.data)
    if case.how == "several":
        several = DefaultDeserializer(case.data)
        several.read_header()
        count = len(_listed(VALUES[case.name]))
        return [several.read_value() for _ in range(count)]
    deserializer = Deserializer(case.data)
    for number, buffer in enumerate(REGISTERED[case.name]):
        deserializer.transfer_array_buffer(number, buffer)
    deserializer.read_header()
    return deserializer.read_value()


def write(case: Case, value: object) -> bytes:
    """The message of *value*, by the writer that fits how *case* was written."""
    if case.how == "default":
        return dumps(value)
    serializer: Serializer
    if case.how == "native":
        serializer = Serializer()
    elif case.how == "several":
        serializer = DefaultSerializer()
    elif case.how == "shared":
        serializer = SharingSerializer([b for b in REGISTERED[case.name] if isinstance(b, SharedArrayBuffer)])
    else:
        serializer = Serializer()
        for number, buffer in enumerate(REGISTERED[case.name]):
            assert isinstance(buffer, ArrayBuffer)
            serializer.transfer_array_buffer(number, buffer)
    serializer.write_header()
    for item in _listed(value) if case.how == "several" else [value]:
        serializer.write_value(item)
    return serializer.release_buffer()


def _listed(value: object) -> list[object]:
    assert isinstance(value, list)
    return value


def test_there_are_at_least_500_cases_and_400_of_them_have_a_python_value() -> None:
    assert all(len(of_node(major)) >= 500 for major in VERSIONS)
    assert len(VALUES) >= 400
    assert VALUES.keys() <= of_node(VERSIONS[-1]).keys()


@pytest.mark.parametrize("case", everything(), ids=str)
def test_what_node_wrote_is_read_as_the_python_value(case: Case) -> None:
    value = read(case)

    if case.name in VALUES:
        assert difference(value, VALUES[case.name]) is None


@pytest.mark.parametrize("case", everything(), ids=str)
def test_what_node_wrote_is_written_again_to_the_same_bytes(case: Case) -> None:
    again = write(case, read(case))

    if (case.name, case.major) in NOT_WRITTEN_AGAIN:
        assert again != case.data, "it is written again: take it off the list"
        assert write(case, loads(again)) == again, "what was written settles at once"
    elif case.name in SETS_IN_ANOTHER_ORDER:
        assert difference(loads(again), VALUES[case.name]) is None
    else:
        assert again.hex(" ") == case.data.hex(" ")


@pytest.mark.parametrize("name", sorted(VALUES.keys() - SETS_IN_ANOTHER_ORDER))
def test_the_python_value_is_written_as_the_newest_node_writes_it(name: str) -> None:
    case = of_node(VERSIONS[-1])[name]

    if (name, case.major) not in NOT_WRITTEN_AGAIN:
        assert write(case, VALUES[name]).hex(" ") == case.data.hex(" ")


@pytest.mark.parametrize("major", TESTED)
def test_node_reads_what_python_wrote(nodes: tuple[Node, ...], major: int) -> None:
    node = _of_major(nodes, major)
    cases = [case for case in of_node(major).values() if case.how in ("default", "native")]

    complaints = node.deep_equal((write(case, read(case)), case.reads) for case in cases)

    assert not complaints, "\n".join(complaint[:1000] for complaint in complaints)


@pytest.mark.parametrize("major", TESTED)
def test_node_reads_pythons_own_kinds_as_what_they_are_to_javascript(
    nodes: tuple[Node, ...], major: int
) -> None:
    node = _of_major(nodes, major)

    assert node.deep_equal((dumps(value), js) for value, js in PYTHON_OWN) == []
    assert node.deep_equal((dumps(value, hints=False), js) for value, js in PYTHON_OWN) == []


@pytest.mark.parametrize(
    "name", [name for (name, _), why in NOT_WRITTEN_AGAIN.items() if why is OLD_ERROR_ORDER]
)
def test_an_error_of_an_old_node_is_written_as_newer_nodes_write_it(name: str) -> None:
    old, new = of_node(VERSIONS[0])[name], of_node(VERSIONS[-1])[name]

    assert write(old, read(old)).hex(" ") == new.data.hex(" ")


@pytest.mark.parametrize(
    "name",
    [name for (name, _), why in NOT_WRITTEN_AGAIN.items() if why in (ONCE_SPARSE, HOLED_WHILE_WRITTEN)],
)
def test_an_array_that_is_not_written_again_is_written_as_node_writes_what_is_read(
    node: Node, name: str
) -> None:
    case = of_node(VERSIONS[0])[name]

    assert write(case, read(case)).hex(" ") == node.serialize(case.reads).hex(" ")


@pytest.mark.parametrize(
    "case", [case for case in everything() if case.how == "default" and len(case.data) < 100], ids=str
)
def test_no_proper_prefix_of_a_message_is_a_message(case: Case) -> None:
    for length in range(len(case.data)):
        with pytest.raises(DecodeError):
            loads(case.data[:length])


@pytest.mark.parametrize("name", ["object: every scalar", "array: small ints", "Buffer: text"])
def test_bytes_after_the_value_are_ignored(name: str) -> None:
    case = of_node(VERSIONS[-1])[name]

    assert difference(loads(case.data + b"\x00\xff more"), VALUES[name]) is None


def _of_major(nodes: tuple[Node, ...], major: int) -> Node:
    for node in nodes:
        if node.major == major:
            return node
    pytest.skip(f"Node {major} is not installed (`make nodes`)")

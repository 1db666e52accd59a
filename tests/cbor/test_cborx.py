"""cbor-x, the real one: what it writes is read, and it reads what is written."""

from __future__ import annotations

import pytest

from clonecodec import ArrayBuffer, DecodeError, JSTypeError, cbor
from tests.cbor.cborx import CborX
from tests.cbor.table import BEYOND, BOTH, READ, WRITTEN
from tests.same import difference


@pytest.mark.parametrize("js", [*BOTH, *READ], ids=lambda js: str(js)[:60])
def test_reads_what_cborx_writes(cborx: CborX, js: str) -> None:
    data = cborx.encode(js)

    assert difference(cbor.loads(data), BOTH.get(js, READ.get(js))) is None


@pytest.mark.parametrize("js", BOTH, ids=lambda js: str(js)[:60])
def test_cborx_reads_what_is_written(cborx: CborX, js: str) -> None:
    data = cbor.dumps(BOTH[js])

    assert cborx.differs(data, js) is None


@pytest.mark.parametrize("js", WRITTEN, ids=lambda js: str(js)[:60])
def test_cborx_reads_what_python_tells_apart(cborx: CborX, js: str) -> None:
    data = cbor.dumps(WRITTEN[js])

    assert cborx.differs(data, js) is None


@pytest.mark.parametrize("hints", [True, False])
@pytest.mark.parametrize("js", WRITTEN, ids=lambda js: str(js)[:60])
def test_hints_are_invisible_to_cborx(cborx: CborX, js: str, hints: bool) -> None:
    nested = cbor.dumps([WRITTEN[js], {"k": WRITTEN[js]}], hints=hints)

    assert cborx.differs(nested, f"(v => [v, {{k: v}}])({js})") is None


@pytest.mark.parametrize("value", BEYOND, ids=lambda value: type(value).__name__)
def test_cborx_survives_what_it_does_not_know(cborx: CborX, value: object) -> None:
    data = cbor.dumps([value, "after"])

    assert cborx.ask(data, "v => v[1]") == "after"


@pytest.mark.parametrize("js", BOTH, ids=lambda js: str(js)[:60])
def test_a_value_survives_the_way_through_cborx(cborx: CborX, js: str) -> None:
    value = BOTH[js]

    assert difference(cbor.loads(cborx.recode(cbor.dumps(value))), value) is None


def test_sharing_is_sharing_in_cborx(cborx: CborX) -> None:
    one = {"x": 1}
    pair = (one, [one])
    data = cbor.dumps([one, one, pair, pair, {"again": one}])

    assert cborx.ask(
        data, "v => v[0] === v[1] && v[2] === v[3] && v[2][1][0] === v[0] && v[4].again === v[0]"
    )


def test_a_cycle_is_a_cycle_in_cborx(cborx: CborX) -> None:
    knot: dict[str, object] = {"list": []}
    knot["list"] = [knot, (knot,)]

    assert cborx.ask(cbor.dumps(knot), "v => v.list[0] === v && v.list[1][0] === v")


def test_views_of_one_buffer_share_its_bytes_in_cborx(cborx: CborX) -> None:
    buffer = ArrayBuffer(8)
    data = cbor.dumps([buffer, buffer.view("B"), buffer.view("d")])

    assert cborx.ask(
        data, "v => { v[0][7] = 0x40; return [v[1][7], v[2].length, v[0].buffer === v[1].buffer] }"
    ) == [
        0x40,
        1,
        True,
    ]


def test_the_name_of_an_error_is_written_though_cborx_drops_it(cborx: CborX) -> None:
    data = cbor.dumps(JSTypeError("m"))

    assert data == cborx.encode("new TypeError('m')")


def test_the_bytes_are_those_of_cborx_where_lengths_are_as_short_as_can_be(cborx: CborX) -> None:
    """cbor-x gives objects a length of 16 bits, and a shared index too."""
    for js in ("[1, 'a', null, undefined, true, 1.5]", "new Map([[1, 2]])", "new Set([1, 2])", "/a/g", "5n"):
        assert cbor.dumps(BOTH.get(js, cbor.loads(cborx.encode(js)))) == cborx.encode(js), js


def test_records_of_cborx_are_refused_with_advice() -> None:
    """What new Encoder({structuredClone: true}) writes for {a: 1}."""
    data = bytes.fromhex("d9dfff 83 19e000 81 6161 01")

    with pytest.raises(DecodeError, match="useRecords: false"):
        cbor.loads(data)

"""No bytes whatever do anything but raise DecodeError: nothing else is raised, nothing crashes."""

from __future__ import annotations

import time
import tracemalloc
from contextlib import suppress

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clonecodec import DecodeError, RegExp, TruncatedError, cbor
from tests.cbor.table import BEYOND, BOTH, READ, WRITTEN

MALFORMED = [
    # bytes                        reason                                                       offset
    ("1c",                         "0x1c begins no item",                                       0),
    ("81 3f",                      "0x3f begins no item",                                       1),
    ("df",                         "0xdf begins no item",                                       0),
    ("ff",                         "a break that ends nothing",                                 0),
    ("81 ff",                      "a break that ends nothing",                                 1),
    ("bf 6161 ff",                 "a break that ends nothing",                                 3),
    ("9f c1 ff",                   "a break that ends nothing",                                 1),
    ("e0",                         "the simple value 0 means nothing",                          0),
    ("f8 ff",                      "the simple value 255 means nothing",                        0),
    ("61 ff",                      "the text is not UTF-8",                                     1),
    ("63 61 c3 28",                "the text is not UTF-8",                                     2),
    ("7f 41 61 ff",                "a string in chunks has a chunk of another kind",            1),
    ("5f 5f ff ff",                "a string in chunks has a chunk of another kind",            1),
    ("01 02",                      "1 bytes too many",                                          1),
    ("a2 6161 01 6161 02",         "the key 'a' is repeated",                                   0),
    ("d81d 00",                    "there is no shared value 0 yet",                            0),
    ("82 d81c 80 d81d 01",         "there is no shared value 1 yet",                            4),
    ("d81d 20",                    "there is no shared value -1 yet",                           0),
    ("d81d 60",                    "there is no shared value '' yet",                           0),
    ("d81c c1 d81d 00",            "the shared value 0 is not complete",                        0),
    ("82 d81c 80 d81c d81d 00",    "a tag around a reference",                                  4),
    ("82 d81c 80 c1 d81d 00",      "a tag around a reference",                                  4),
    ("d90102 01",                  "tag 258 around what it does not belong to",                 0),
    ("d90102 a0",                  "tag 258 around what it does not belong to",                 0),
    ("d90103 80",                  "tag 259 around what it does not belong to",                 0),
    ("c1 60",                      "tag 1 around what it does not belong to",                   0),
    ("c1 80",                      "tag 1 around what it does not belong to",                   0),
    ("c2 01",                      "tag 2 around what it does not belong to",                   0),
    ("c0 63 6e6f77",               "'now' is no date as RFC 3339 writes them",                  0),
    ("d845 41 00",                 "1 bytes are no whole number of elements of 2",              0),
    ("d84c 40",                    "unknown tag 76: a tag_hook could say what it means",        0),
    ("d853 50" + "00" * 16,        "unknown tag 83: a tag_hook could say what it means",        0),
    ("d825 50" + "00" * 16,        "unknown tag 37: a tag_hook could say what it means",        0),
    ("d823 61 61",                 "unknown tag 35: a regular expression is read from tag 27 only", 0),
    ("d81f f7",                    "a hole can only be an item of an array",                    0),
    ("a1 6161 d81f f7",            "a hole can only be an item of an array",                    0),
    ("81 d81f f6",                 "tag 31 around what it does not belong to",                  1),
    ("d81b 80",                    "an object of a class that is neither RegExp nor an error's", 0),
    ("d81b 82 01 02",              "an object of a class that is neither RegExp nor an error's", 0),
    ("d81b 83 66526567457870 6161 617a",
     "'z' is not a flag of JavaScript's regular expressions (dgimsuvy)", 0),
    ("d81b 83 654572726f72 616d a1 65737461636b 01", "an error's stack is no text",             0),
    ("d81c d81b 82 d81d 00 616d",  "a reference where a part of an object is expected",         5),
    ("da636c6f6e 80",              "clonecodec's tag with parts that make no object",           0),
    ("da636c6f6e 83 6b4172726179427566666572 42 0000 01",
     "an ArrayBuffer is longer than its maximum length", 0),
    ("da636c6f6e 84 6b5370617273654172726179 02 d90103 a1 05 01 a0", "no index of an array of 2", 0),
    ("da636c6f6e 83 654172726179 80 a1 6130 01",
     "an array's property cannot be called '0': that is an item, or its length", 0),
    ("da636c6f6e 84 6b5370617273654172726179 02 d90103 a1 c2592000" + "ff" * 8192 + "00 a0",
     "no index of an array of 2", 0),
    ("da636c6f6e 83 654172726179 80 a1 c2592000" + "ff" * 8192 + "01",
     "a property of an array whose name is no text", 0),
    ("da636c6f6e 83 654172726179 80 a1" + "81" * 50000 + "80 01",
     "a property of an array whose name is no text", 0),
    ("d95652 80",                  "tag 22098 around what it does not belong to",               0),
    ("d81c c2 49 010000000000000000", "a bignum beyond 64 bits cannot be shared",               0),
]  # fmt: skip


@pytest.mark.parametrize(("octets", "reason", "offset"), MALFORMED, ids=lambda part: str(part)[:30])
def test_a_fault_is_told_with_its_place(octets: str, reason: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        cbor.loads(bytes.fromhex(octets))

    assert caught.value.args == (reason, offset)


CORPUS = [
    data
    for data in (cbor.dumps(value) for table in (BOTH, READ, WRITTEN) for value in table.values())
    if len(data) < 500
] + [cbor.dumps(value) for value in BEYOND]


@pytest.mark.parametrize("data", CORPUS, ids=map(str, range(len(CORPUS))))
def test_every_proper_prefix_is_truncated(data: bytes) -> None:
    for length in range(len(data)):
        with pytest.raises(TruncatedError):
            cbor.loads(data[:length])


PIECES = ["d81c", "d81d00", "d81d01", "d9d9f7", "d90102", "d90103", "d81b", "c1", "d840", "80", "9f"]


@settings(max_examples=500)
@given(st.data())
def test_mutated_messages_are_values_or_decode_errors(data: st.DataObject) -> None:
    octets = bytearray(data.draw(st.sampled_from(CORPUS)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(octets)))
        match data.draw(st.integers(0, 2)):
            case 0:
                octets[place : place + 1] = bytes([data.draw(st.integers(0, 255))])
            case 1:
                del octets[place : place + data.draw(st.integers(1, 4))]
            case _:
                octets[place:place] = bytes.fromhex(data.draw(st.sampled_from(PIECES)))

    try:
        value = cbor.loads(octets)
    except DecodeError as error:
        assert 0 <= error.offset <= len(octets)
        return  # rejected, as documented
    cbor.loads(cbor.dumps(value))  # what is read can be written, and read again


@given(st.binary(max_size=100))
def test_any_bytes_are_a_value_or_a_decode_error(octets: bytes) -> None:
    try:
        cbor.loads(octets)
    except DecodeError:
        return  # rejected, as documented


CLAIMS = [
    "9b ffffffffffffffff",
    "bb ffffffffffffffff",
    "5b 7fffffffffffffff",
    "7b 7fffffffffffffff",
    "5f 5a ffffffff",
    "9a 7fffffff 01",
    "d90102 9a ffffffff",
    "da636c6f6e 84 6b5370617273654172726179 1affffffff d90103 a1 00 01 a0",
    "da636c6f6e 83 6b4172726179427566666572 41 00 1b 00ffffffffffffff",
]


@pytest.mark.parametrize("octets", CLAIMS)
def test_a_claim_allocates_nothing(octets: str) -> None:
    data = bytes.fromhex(octets)
    tracemalloc.start()
    with suppress(TruncatedError):  # what was claimed is not there
        cbor.loads(data)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 100_000


SHARED = b"\xd8\x1c\x5a" + (500_000).to_bytes(4, "big") + b"a" * 500_000
TEN_THOUSAND = bytes.fromhex("99 2710")

MULTIPLIERS = {
    "bytes": b"\x82" + SHARED + TEN_THOUSAND + bytes.fromhex("d81d00") * 10_000,
    "hinted bytes": b"\x82" + SHARED + TEN_THOUSAND + bytes.fromhex("d9d9f7 d81d00") * 10_000,
    "views": b"\x82" + SHARED + TEN_THOUSAND + bytes.fromhex("d848 d81d00") * 10_000,
    "buffers": b"\x82" + SHARED + TEN_THOUSAND + bytes.fromhex("d9d9f7 d840 d81d00") * 10_000,
    "many hints": b"\x81" + bytes.fromhex("d9d9f7") * 30_000 + SHARED[2:],
    "many shares": b"\x81" + bytes.fromhex("d81c") * 30_000 + SHARED[2:],
    "hinted arrays": bytes.fromhex("82 d81c")
    + TEN_THOUSAND
    + bytes(10_000)
    + TEN_THOUSAND
    + bytes.fromhex("d9d9f7 d81d00") * 10_000,
}


@pytest.mark.parametrize("name", MULTIPLIERS)
def test_memory_is_bounded_by_the_input(name: str) -> None:
    data = MULTIPLIERS[name]
    tracemalloc.start()
    cbor.loads(data)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 200 * len(data)
    assert most < 60_000_000


REPEATED = [
    *("81", "a16161", "9f", "bf", "5f", "ff", "c1", "c2", "d825", "d840", "d95652", "d9010281", "d9010381"),
    *("d81c", "d81d", "d81d00", "d81ca0", "d81c80", "d9d9f7", "d9d9f781", "d81b81"),
]


@pytest.mark.parametrize("piece", REPEATED)
@pytest.mark.parametrize("start", ["", "9f d81c 80", "d9d9f7 d9d9f7 d81c 9f"])
def test_long_runs_take_linear_time(piece: str, start: str) -> None:
    data = bytes.fromhex(start) + bytes.fromhex(piece) * 20_000
    began = time.process_time()
    with suppress(DecodeError):  # most of them are no values
        cbor.loads(data)
    assert time.process_time() - began < 5  # 20,000 squared would be minutes


def test_keys_that_collide_take_linear_time() -> None:
    modulus = 2**61 - 1
    numbers = [number * modulus for number in range(1, 20_001)]
    items = b"".join(cbor2.dumps(cbor2.CBORTag(2, number.to_bytes(10, "big"))) for number in numbers)
    data = b"\xd9\x01\x02\x99" + len(numbers).to_bytes(2, "big") + items
    began = time.process_time()
    value = cbor.loads(data)

    assert isinstance(value, set)
    assert len(value) == 20_000
    assert time.process_time() - began < 5


def test_a_regular_expression_is_never_compiled() -> None:
    assert cbor.loads(bytes.fromhex("d81b 83 66526567457870 6128 60")) == RegExp("(")


def test_a_tag_hook_takes_what_means_nothing() -> None:
    data = cbor2.dumps([cbor2.CBORTag(4711, [1, {"a": 2}]), cbor2.CBORTag(4711, "x")])

    assert cbor.loads(data, tag_hook=lambda tag, value: (tag, value)) == [(4711, [1, {"a": 2}]), (4711, "x")]


@pytest.mark.parametrize("piece", ["d825", "d825 81", "81 d825", "d825 d81c a1 6161"])
def test_tags_for_the_hook_do_not_nest_without_bound(piece: str) -> None:
    """Freeing very many nested CBORTags would overflow the stack."""
    for levels in (400, 50_000):
        data = bytes.fromhex(piece) * levels + b"\x01"
        if levels == 400:
            cbor.loads(data, tag_hook=cbor2.CBORTag)
            continue
        with pytest.raises(DecodeError, match="more than 400 tags"):
            cbor.loads(data, tag_hook=cbor2.CBORTag)


def test_tags_for_the_hook_may_follow_each_other() -> None:
    data = b"\x99\x27\x10" + bytes.fromhex("d825 80") * 10_000

    assert cbor.loads(data, tag_hook=lambda tag, value: value) == [[]] * 10_000


def test_an_error_of_the_hook_passes_through() -> None:
    def hook(tag: int, value: object) -> object:
        raise KeyError(tag)

    with pytest.raises(KeyError):
        cbor.loads(bytes.fromhex("d825 01"), tag_hook=hook)


def test_the_hook_never_sees_what_is_not_complete() -> None:
    """A tuple that an unknown tag in it refers to: magic FLAVOUR SHAREABLE [[37([SHARED 0])]]."""
    data = bytes.fromhex("d9d9f7 d9d9f7 d81c 81 81 d825 d9d9f7 81 d81d 00")

    with pytest.raises(DecodeError):
        cbor.loads(data, tag_hook=lambda tag, value: value)

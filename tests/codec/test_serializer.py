"""Serializer and Deserializer: each name as documented, alone and overridden."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from types import BuiltinFunctionType
from typing import Any

import pytest

import clonecodec
from clonecodec import (
    ArrayBuffer,
    DataCloneError,
    DecodeError,
    DefaultDeserializer,
    DefaultSerializer,
    Deserializer,
    Serializer,
    SharedArrayBuffer,
    SparseArray,
    TruncatedError,
    dumps,
    hole,
    loads,
)
from tests.codec.roads import hexes, native, read_native
from tests.node import Node
from tests.same import difference


def opened(text: str, **options: Any) -> Deserializer:
    """A Deserializer whose header has been read."""
    deserializer = Deserializer(bytes.fromhex(text), **options)
    deserializer.read_header()
    return deserializer


# Writing raw parts


@pytest.mark.parametrize(
    ("number", "code"),
    [(0, "00"), (127, "7f"), (128, "80 01"), (300, "ac 02"), (2**32 - 1, "ff ff ff ff 0f")],
)
def test_write_uint32_writes_a_varint(number: int, code: str) -> None:
    serializer = Serializer()
    serializer.write_uint32(number)
    serializer.write_uint64(number)

    assert hexes(serializer.release_buffer()) == f"{code} {code}"


def test_write_uint64_has_up_to_ten_bytes() -> None:
    serializer = Serializer()
    serializer.write_uint64(2**64 - 1)
    data = serializer.release_buffer()

    assert hexes(data) == "ff ff ff ff ff ff ff ff ff 01"
    assert Deserializer(data).read_uint64() == 2**64 - 1


@pytest.mark.parametrize("number", [-1, 2**64])
def test_numbers_out_of_range_are_value_errors(number: int) -> None:
    serializer = Serializer()
    for write in (serializer.write_uint32, serializer.write_uint64):
        with pytest.raises(ValueError, match="no unsigned number"):
            write(number)
    with pytest.raises(ValueError, match="no unsigned number of 32 bits"):
        serializer.write_uint32(2**32)
    with pytest.raises(ValueError, match="no unsigned number of 32 bits"):
        serializer.transfer_array_buffer(number, ArrayBuffer(1))
    assert serializer.release_buffer() == b""


def test_write_double_and_raw_bytes_are_read_back() -> None:
    serializer = Serializer()
    serializer.write_double(1.5)
    serializer.write_double(float("nan"))
    serializer.write_raw_bytes(b"ab")
    serializer.write_raw_bytes(array("H", [1, 2]))
    serializer.write_raw_bytes(memoryview(b"a-b-c")[::2])
    data = serializer.release_buffer()

    deserializer = Deserializer(data)
    assert deserializer.read_double() == 1.5
    assert deserializer.read_raw_bytes(8) == bytes.fromhex("000000000000f87f")
    assert deserializer.read_raw_bytes(9) == b"ab\x01\0\x02\0abc"
    assert deserializer.read_raw_bytes(0) == b""
    with pytest.raises(TruncatedError):
        deserializer.read_raw_bytes(1)
    with pytest.raises(ValueError, match="-1 bytes"):
        deserializer.read_raw_bytes(-1)


@pytest.mark.parametrize(
    "read",
    [Deserializer.read_uint32, Deserializer.read_uint64, Deserializer.read_uint8, Deserializer.read_double],
)
def test_reading_past_the_end_is_truncated(read: Callable[[Deserializer], object]) -> None:
    for data in (b"", b"\x80"):
        with pytest.raises(TruncatedError):
            read(Deserializer(data))


def test_varints_end_after_as_many_bytes_as_their_bits_need() -> None:
    long = b"\x81" * 20
    for read, count in (
        (Deserializer.read_uint8, 2),
        (Deserializer.read_uint32, 5),
        (Deserializer.read_uint64, 10),
    ):
        deserializer = Deserializer(long)
        read(deserializer)
        assert deserializer.offset == count


# Several values


def test_release_buffer_gives_what_was_written_since_the_last_time() -> None:
    serializer = Serializer()
    serializer.write_header()
    assert serializer.release_buffer() == b"\xff\x0f"
    assert serializer.release_buffer() == b""
    serializer.write_value(1)
    assert serializer.release_buffer() == b"I\x02"


def test_several_values_share_the_numbers_of_objects() -> None:
    value: dict[str, object] = {}
    serializer = Serializer()
    serializer.write_header()
    serializer.write_value(value)
    serializer.write_value([value])
    data = serializer.release_buffer()

    assert hexes(data) == "ff 0f 6f 7b 00 41 01 5e 00 24 00 01"
    deserializer = Deserializer(data)
    deserializer.read_header()
    first = deserializer.read_value()
    assert deserializer.read_value()[0] is first
    with pytest.raises(TruncatedError):
        deserializer.read_value()


def test_a_value_that_failed_leaves_the_serializer_usable() -> None:
    serializer = Serializer()
    with pytest.raises(DataCloneError) as caught:
        serializer.write_value([[1, print]])
    assert caught.value.path == "$[0][1]"
    serializer.release_buffer()
    serializer.write_value("next")

    assert serializer.release_buffer() == b'"\x04next'


@pytest.mark.parametrize("before", range(4))
def test_two_byte_text_starts_at_an_even_offset_whatever_was_written_before(before: int) -> None:
    serializer = Serializer()
    serializer.write_raw_bytes(bytes(before))
    serializer.write_value("ā")
    data = serializer.release_buffer()

    assert data.endswith(b"c\x02\x01\x01")
    assert (len(data) - 2) % 2 == 0
    assert data[before:].lstrip(b"\0") == b"c\x02\x01\x01"


# Versions


@pytest.mark.parametrize("version", [13, 14, 15, 16])
def test_each_version_that_is_written_is_read(version: int) -> None:
    value = [1, "ā", (2,), {"a": {3}}, 2**40, b"x", array("d", [1.5]), frozenset({4})]
    data = dumps(value, version=version)

    assert data[:2] == bytes((0xFF, version))
    assert difference(loads(data), [*value[:6], memoryview(array("d", [1.5])), value[7]]) is None
    deserializer = DefaultDeserializer(data)
    assert deserializer.wire_format_version == 0
    deserializer.read_header()
    assert deserializer.wire_format_version == version


@pytest.mark.parametrize("version", [0, 9, 12, 17, -1])
def test_other_versions_are_not_written(version: int) -> None:
    for make in (Serializer, DefaultSerializer, lambda version: dumps(1, version=version)):
        with pytest.raises(ValueError, match="is not written"):
            make(version=version)


def test_below_version_14_a_resizable_buffer_is_a_fixed_one() -> None:
    buffer = ArrayBuffer(b"ab", max_byte_length=9)

    assert native(buffer, version=13)[2:3] == b"B"
    assert native(buffer, version=14)[2:3] == b"~"


def test_a_bad_header_has_its_offset_wherever_it_stands() -> None:
    deserializer = Deserializer(b"raw\xff\x11")
    deserializer.read_raw_bytes(3)
    with pytest.raises(DecodeError) as caught:
        deserializer.read_header()
    assert caught.value.offset == 4
    assert deserializer.wire_format_version == 17


# Old versions


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ff 0c 41 01 5f 24 00 01", [clonecodec.undefined]),
        ("ff 0a 41 01 5f 24 00 01", clonecodec.Array([hole])),
        ("ff 0a 5f", clonecodec.undefined),
        ("ff 0b 52 01 61 01", clonecodec.RegExp("a", "g")),
        ("ff 0c 52 22 01 61 01", clonecodec.RegExp("a", "g")),
        ("ff 0b 73 02 c3 a9", clonecodec.Boxed("é")),
        ("ff 0b 72 6d 01 61 73 01 62 2e", clonecodec.JSError("a", stack="b")),
        ("ff 01 53 01 61", "a"),
        ("22 01 61", "a"),
        ("00 49 02 00", 1),
        ("22 01 61 49 02 7b 01", {"a": 1}),
        ("22 01 62 49 02 49 02 49 04 7b 02", {"1": 2, "b": 1}),
        ("49 00 22 01 61 40 01 02", clonecodec.Array(["a", hole])),
        ("4e 00 00 00 00 00 00 f8 3f 30 7b 01", {"1.5": None}),
        ("7b 00", {}),
    ],
)
def test_old_versions_are_read_with_legacy_and_not_without(text: str, value: object) -> None:
    data = bytes.fromhex(text)

    assert difference(loads(data, legacy=True), value) is None
    with pytest.raises(DecodeError):
        loads(data)


def test_before_version_13_an_unknown_tag_is_the_embedders() -> None:
    class Reader(Deserializer):
        def read_host_object(self) -> Any:
            return ("host", self.read_uint8())

    deserializer = Reader(bytes.fromhex("ff 0c 41 02 4d 5e 01 24 00 02"), legacy=True)
    deserializer.read_header()
    first, second = deserializer.read_value()
    assert first == ("host", 0x4D)
    assert second is first


def test_a_deserializer_without_a_header_reads_version_0() -> None:
    assert Deserializer(bytes.fromhex("22 01 61 49 02 7b 01")).read_value() == {"a": 1}


# Host objects


class Thing:
    def __init__(self, name: object) -> None:
        self.name = name


class ThingSerializer(Serializer):
    def is_host_object(self, value: object) -> bool:
        return isinstance(value, Thing)

    def write_host_object(self, value: object) -> None:
        if not isinstance(value, Thing):
            return super().write_host_object(value)
        self.write_uint32(1)
        self.write_value(value.name)
        return None


class ThingDeserializer(Deserializer):
    def read_host_object(self) -> Any:
        assert self.read_uint32() == 1
        return Thing(self.read_value())


def things(value: object) -> Any:
    serializer = ThingSerializer()
    serializer.write_header()
    serializer.write_value(value)
    deserializer = ThingDeserializer(serializer.release_buffer())
    deserializer.read_header()
    return deserializer.read_value()


def test_host_objects_may_hold_values_and_each_other() -> None:
    inner = Thing(["x"])
    shared: list[object] = [inner]
    outer = Thing({"inner": inner, "shared": shared})
    first, second = things([outer, shared])

    assert first.name["inner"].name == ["x"]
    assert first.name["shared"] is second
    assert second[0] is first.name["inner"]


def test_a_host_object_takes_its_number_before_what_is_in_it() -> None:
    serializer = ThingSerializer()
    serializer.write_value([Thing([1]), 2])

    assert hexes(serializer.release_buffer()) == "41 02 5c 01 41 01 49 02 24 00 01 49 04 24 00 02"
    thing = Thing(None)
    thing.name = [thing]
    serializer.write_value(thing)
    assert hexes(serializer.release_buffer()) == "5c 01 41 01 5e 03 24 00 01"


def test_a_reference_to_a_host_object_that_is_being_read_is_refused() -> None:
    deserializer = ThingDeserializer(bytes.fromhex("ff 0f 5c 01 5e 00"))
    deserializer.read_header()
    with pytest.raises(DecodeError, match="not yet there"):
        deserializer.read_value()


def test_is_host_object_is_asked_about_objects_and_not_about_primitives() -> None:
    asked: list[object] = []

    class Asking(Serializer):
        def is_host_object(self, value: object) -> bool:
            asked.append(value)
            return False

    serializer = Asking()
    serializer.write_value([1, "a", None, True, 1.5, 2**70, {"k": (1,)}, {1}])

    assert [type(value).__name__ for value in asked] == ["list", "dict", "tuple", "set"]


def test_is_host_object_may_claim_containers_and_views() -> None:
    class Claiming(Serializer):
        def is_host_object(self, value: object) -> bool:
            return isinstance(value, (set, bytes))

        def write_host_object(self, value: object) -> None:
            self.write_uint32(9)

    serializer = Claiming()
    serializer.write_value([{1}, b"x", [2]])
    assert hexes(serializer.release_buffer()) == "41 03 5c 09 5c 09 41 01 49 04 24 00 01 24 00 03"


def test_write_host_object_gets_what_the_table_refuses() -> None:
    class Naming(Serializer):
        def write_host_object(self, value: object) -> None:
            assert isinstance(value, BuiltinFunctionType)
            self.write_value(value.__name__)

    serializer = Naming()
    serializer.write_value({"f": print})
    assert serializer.release_buffer().endswith(b'\\"\x05print{\x01')


def test_an_error_inside_a_host_object_has_the_whole_path() -> None:
    with pytest.raises(DataCloneError) as caught:
        things({"a": [Thing({"b": print})]})
    assert caught.value.path == "$.a[0].b"


def test_an_exception_of_the_users_own_code_passes_through() -> None:
    class Failing(Serializer):
        def write_host_object(self, value: object) -> None:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        Failing().write_value([print])


def test_data_clone_error_makes_the_exception() -> None:
    class Polite(Serializer):
        def data_clone_error(self, message: str) -> Exception:
            return RuntimeError(f"sorry: {message}")

    with pytest.raises(RuntimeError, match="sorry: a builtin_function_or_method cannot be cloned"):
        Polite().write_value(print)
    with pytest.raises(RuntimeError, match="sorry: a SharedArrayBuffer"):
        Polite().write_value(SharedArrayBuffer(1))


def test_without_an_embedder_host_objects_are_refused_by_name() -> None:
    for text, kind in [
        ("ff0f 5c 00", "host object"),
        ("ff0f 74 07", "transferred ArrayBuffer, number 7"),
        ("ff0f 75 07", "transferred SharedArrayBuffer, number 7"),
        ("ff0f 70 07", "shared object, number 7"),
        ("ff0f 77 07", "WebAssembly module, number 7"),
        ("ff0f 6d 00 75 07", "WebAssembly memory"),
    ]:
        with pytest.raises(DecodeError, match=kind):
            opened(text).read_value()


def test_an_embedder_supplies_modules_and_shared_objects() -> None:
    class Supplying(Deserializer):
        def get_wasm_module(self, id: int) -> Any:
            return f"module {id}"

        def get_shared_object(self, id: int) -> Any:
            return f"shared {id}"

    deserializer = Supplying(bytes.fromhex("ff0f 41 02 77 03 70 04 24 00 02"))
    deserializer.read_header()
    assert deserializer.read_value() == ["module 3", "shared 4"]


# Views as host objects, transferred and shared buffers


def test_views_are_native_unless_they_are_to_be_host_objects() -> None:
    class Counting(Serializer):
        treat_array_buffer_views_as_host_objects = True

        def write_host_object(self, value: object) -> None:
            self.write_raw_bytes(memoryview(value))  # type: ignore[arg-type]  # all are buffers here

    serializer = Counting()
    serializer.write_value([b"a", bytearray(b"b"), array("B", b"c"), ArrayBuffer(b"d")])
    assert hexes(serializer.release_buffer()) == "41 04 5c 61 5c 62 5c 63 42 01 64 24 00 04"
    switched = Serializer()
    switched.treat_array_buffer_views_as_host_objects = True
    with pytest.raises(DataCloneError):
        switched.write_value(b"a")


def test_a_transferred_buffer_is_its_id_and_the_receiver_says_which_it_is() -> None:
    buffer, moved = ArrayBuffer(b"abcd"), ArrayBuffer(b"wxyz")
    serializer = Serializer()
    serializer.transfer_array_buffer(5, buffer)
    serializer.write_header()
    serializer.write_value([buffer, buffer.view("H", 2), buffer])
    data = serializer.release_buffer()

    assert hexes(data) == "ff 0f 41 03 74 05 5e 01 56 57 02 02 00 5e 01 24 00 03"
    deserializer = Deserializer(data)
    deserializer.transfer_array_buffer(5, moved)
    deserializer.read_header()
    first, view, again = deserializer.read_value()
    assert first is again is moved
    assert view.tobytes() == b"yz"


def test_only_buffers_are_transferred() -> None:
    for wrong in (b"x", None, [1]):
        with pytest.raises(TypeError, match="ArrayBuffer"):
            Serializer().transfer_array_buffer(0, wrong)  # type: ignore[arg-type]  # that is the point
        with pytest.raises(TypeError, match="ArrayBuffer"):
            Deserializer(b"").transfer_array_buffer(0, wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="ArrayBuffer"):
        Serializer().transfer_array_buffer(0, SharedArrayBuffer(1))  # type: ignore[arg-type]


def test_shared_buffers_go_by_the_id_that_the_embedder_gives() -> None:
    class Sharing(Serializer):
        def get_shared_array_buffer_id(self, sab: SharedArrayBuffer) -> int:
            return 300

    shared = SharedArrayBuffer(b"abcd")
    serializer = Sharing()
    serializer.write_header()
    serializer.write_value([shared, shared.view("B", 1, 2)])
    data = serializer.release_buffer()

    assert hexes(data) == "ff 0f 41 02 75 ac 02 5e 01 56 42 01 02 00 24 00 02"
    deserializer = Deserializer(data)
    deserializer.transfer_array_buffer(300, shared)
    deserializer.read_header()
    result, view = deserializer.read_value()
    assert result is shared
    view[0] = 0x7A
    assert bytes(shared) == b"azcd"


# Options of dumps and loads


def test_loads_takes_any_bytes_like_object_and_ignores_what_follows() -> None:
    data = dumps([1, "ā", b"x"]) + b"\0garbage"
    for source in (data, bytearray(data), memoryview(data), array("B", data)):
        assert loads(source) == [1, "ā", b"x"]
    assert loads(memoryview(b"-".join(bytes((byte,)) for byte in data))[::2]) == [1, "ā", b"x"]


def test_zero_copy_shows_the_inputs_own_memory() -> None:
    source = bytearray(dumps([b"abc", array("H", [1, 2])]))
    loaded = loads(source, zero_copy=True)
    buffer, numbers = loaded

    assert (type(buffer), bytes(buffer), numbers.tolist()) == (memoryview, b"abc", [1, 2])
    source[source.index(b"abc")] = 0x7A
    assert bytes(buffer) == b"zbc"
    buffer[1] = 0x79
    assert source.count(b"zyc") == 1
    assert not numbers.readonly
    constant = bytes(source)
    shown = loads(constant, zero_copy=True)
    assert [view.obj is constant and view.readonly for view in shown] == [True, True]
    assert shown[1].format == "H"


@pytest.mark.parametrize("value", [b"", b"a", array("d"), array("d", [0.5]), [array("b", [1])] * 2])
def test_zero_copy_has_the_same_values(value: Any) -> None:
    data = dumps(value)
    plain, shown = loads(data), loads(data, zero_copy=True)

    assert memoryview(shown if not isinstance(shown, list) else shown[0]) == memoryview(
        plain if not isinstance(plain, list) else plain[0]
    )


def test_zero_copy_reads_native_views_too_and_a_reference_to_their_buffer() -> None:
    buffer = ArrayBuffer(b"abcd")
    view = buffer.view("H")
    for value in ([view], [view, buffer], [view, view], [buffer, view]):
        data = native(value)
        deserializer = Deserializer(data, zero_copy=True)
        deserializer.read_header()
        result = deserializer.read_value()
        assert [bytes(part) for part in result] == [b"abcd"] * len(value)


def test_accelerated_says_whether_the_c_part_works() -> None:
    assert isinstance(clonecodec.accelerated, bool)


def test_every_public_name_is_there_and_other_names_are_not() -> None:
    for name in clonecodec.__all__:
        assert getattr(clonecodec, name) is not None or name == "accelerated"
    assert clonecodec.cbor.__name__ == "clonecodec.cbor"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        clonecodec.nothing  # noqa: B018  # that is the point


def test_a_read_value_that_failed_leaves_nothing_open() -> None:
    deserializer = opened("ff0f 41 02 6f 22 01 61 01")
    with pytest.raises(DecodeError):
        deserializer.read_value()
    assert read_native(native([1])) == [1]


def test_node_reads_what_a_serializer_wrote_in_parts(node: Node) -> None:
    serializer = Serializer()
    serializer.write_header()
    serializer.write_value({"a": [1, 2**40], "b": array("H", [1, 2])})

    assert (
        node.deep_equal([(serializer.release_buffer(), "({a: [1, 2**40], b: new Uint16Array([1, 2])})")])
        == []
    )


SECOND_TRY = "ff0d 4102 4102 4902 7e010261 56420001 02 240002 5e{:02x} 240002"
"""[[1, a view with flags], a reference]: it is not read without flags, but numbers have been given."""


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, SparseArray(2)),
        (1, SparseArray(2, {0: 1})),
        (2, ArrayBuffer(b"a", max_byte_length=2)),
        (5, [1, memoryview(bytearray(b"a"))]),
    ],
)
def test_the_second_try_of_version_13_finds_what_the_first_has_left(number: int, expected: object) -> None:
    assert difference(loads(bytes.fromhex(SECOND_TRY.format(number)))[1], expected) is None  # as Node's


def test_the_second_try_of_version_13_counts_the_view_that_the_first_could_not_make() -> None:
    value = loads(bytes.fromhex(SECOND_TRY.format(4)))

    assert value[1] is value
    with pytest.raises(DecodeError, match="flags 0 on a resizable buffer"):
        loads(bytes.fromhex(SECOND_TRY.format(3)))

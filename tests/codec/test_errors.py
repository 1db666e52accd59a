"""Errors: those that the codec raises, and those that it carries."""

from __future__ import annotations

import pickle
import traceback
from typing import Any

import pytest

from clonecodec import (
    CloneError,
    DataCloneError,
    DecodeError,
    JSError,
    JSEvalError,
    JSRangeError,
    JSReferenceError,
    JSSyntaxError,
    JSTypeError,
    JSURIError,
    TruncatedError,
    dumps,
    loads,
    structured_clone,
)
from tests.codec.roads import ROADS
from tests.node import Node
from tests.same import difference

KINDS = (JSError, JSEvalError, JSRangeError, JSReferenceError, JSSyntaxError, JSTypeError, JSURIError)


# Raised


def test_the_family_is_split_by_whose_fault_it_is() -> None:
    assert issubclass(DataCloneError, (CloneError, TypeError))
    assert issubclass(DecodeError, (CloneError, ValueError))
    assert issubclass(TruncatedError, (DecodeError, EOFError))
    assert not issubclass(DataCloneError, ValueError)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DataCloneError("no"), "no"),
        (DataCloneError("no", "$.a[1]"), "no at $.a[1]"),
        (DecodeError("bad", 7), "bad at byte 7"),
        (TruncatedError("short", 0), "short at byte 0"),
    ],
)
def test_the_place_is_data_and_survives_pickling(error: CloneError, text: str) -> None:
    again = pickle.loads(pickle.dumps(error))

    assert (type(again), str(again), vars(again)) == (type(error), text, vars(error))


def test_success_pays_nothing_for_paths_and_the_cause_is_kept() -> None:
    class StrangeError(Exception):
        def __str__(self) -> str:
            raise DataCloneError("mine", "$.inner") from KeyError("why")

    for road in (dumps, structured_clone):
        with pytest.raises(DataCloneError) as caught:
            road({"a": [StrangeError()]})
        assert caught.value.path == "$.a[0].inner"
        assert isinstance(caught.value.__cause__, KeyError)


# Carried


@pytest.mark.parametrize("kind", KINDS)
def test_each_error_of_javascript_comes_back_as_its_class(kind: type[JSError]) -> None:
    for error in (kind(), kind(""), kind("message"), kind("m", stack="s"), kind(stack="s", cause=[1])):
        for road in ROADS.values():
            assert difference(road(error), error) is None


def has_cause(error: JSError) -> bool:
    return error.has_cause  # asked anew each time, whatever a type checker remembers


def test_a_cause_may_be_null_and_can_be_taken_away() -> None:
    error = JSError("x", cause=None)
    assert not has_cause(error)
    error.cause = None
    assert has_cause(error)
    assert loads(dumps(error)).has_cause
    del error.cause
    assert not has_cause(error)
    assert not loads(dumps(error)).has_cause
    del error.cause  # once more does no harm


def test_a_cause_that_is_an_error_is_shown_in_tracebacks_and_forgotten_with_the_cause() -> None:
    error = JSError("outer", cause=JSTypeError("inner"))
    assert "inner" in "".join(traceback.format_exception(error))
    del error.cause
    assert error.__cause__ is None
    assert not loads(dumps(error)).has_cause
    error.cause = JSTypeError("inner")
    error.cause = 5
    assert error.__cause__ is None
    assert loads(dumps(error)).cause == 5


def test_cyclic_causes_are_kept() -> None:
    error = JSError("x")
    error.cause = {"again": error}
    own = JSError("y")
    own.cause = own
    for road in ROADS.values():
        result = road(error)
        assert result.cause["again"] is result
        result = road(own)
        assert result.cause is result


def test_an_error_pickles_with_all_it_has() -> None:
    for error in (JSRangeError("m", stack="s", cause=[1]), JSError(), JSError("m", cause=JSError("c"))):
        assert difference(pickle.loads(pickle.dumps(error)), error) is None
    null = JSError("x")
    null.cause = None
    assert pickle.loads(pickle.dumps(null)).has_cause


def test_errors_can_be_raised_and_say_their_message() -> None:
    for error, text in ((JSError(), ""), (JSTypeError("no"), "no")):
        with pytest.raises(JSError) as caught:
            raise error
        assert str(caught.value) == text


def test_a_message_that_is_no_text_becomes_text_and_such_a_stack_is_left_out() -> None:
    odd: Any = JSError(5, stack=6)  # type: ignore[arg-type]  # that is the point
    for road in (lambda value: loads(dumps(value)), structured_clone):
        result = road(odd)
        assert (result.message, result.stack) == ("5", None)
    assert str(odd) == "5"


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (TypeError("m"), "TypeError"),
        (SyntaxError("m"), "SyntaxError"),
        (IndentationError("m"), "SyntaxError"),
        (NameError("m"), "ReferenceError"),
        (UnboundLocalError("m"), "ReferenceError"),
        (ValueError("m"), "RangeError"),
        (IndexError("m"), "RangeError"),
        (ZeroDivisionError("m"), "RangeError"),
        (OverflowError("m"), "RangeError"),
        (UnicodeDecodeError("utf-8", b"", 0, 1, "m"), "RangeError"),
        (KeyError("m"), "Error"),
        (OSError("m"), "Error"),
        (Exception("m"), "Error"),
        (KeyboardInterrupt("m"), "Error"),
        (DecodeError("m", 1), "RangeError"),
        (DataCloneError("m"), "TypeError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value,
)
def test_exceptions_of_python_become_the_nearest_error(error: BaseException, name: str) -> None:
    for road in ROADS.values():
        result = road(error)
        assert (result.name, result.message) == (name, str(error))


def raised(depth: int = 0) -> BaseException:
    try:
        if depth:
            raise ValueError(f"level {depth}") from raised(depth - 1)
        raise KeyError("innermost")
    except Exception as error:
        return error


@pytest.mark.parametrize("depth", [0, 3, 60])
def test_the_stack_is_the_traceback_and_the_cause_is_the_cause(depth: int) -> None:
    error = raised(depth)
    result = loads(dumps(error))

    at: BaseException | None = error
    while at is not None:
        lines = traceback.format_exception(type(at), at, at.__traceback__, chain=False)
        assert result.stack == "".join(lines).rstrip("\n")
        assert result.has_cause == (at.__cause__ is not None)
        result, at = result.cause, at.__cause__


def test_a_context_is_no_cause_and_groups_are_shown_whole() -> None:
    try:
        try:
            raise KeyError("first")
        except KeyError:
            raise ValueError("second")  # noqa: B904  # without "from": that is the point
    except ValueError as error:
        assert not loads(dumps(error)).has_cause
    group = ExceptionGroup("group", [ValueError("one"), TypeError("two")])
    assert "two" in loads(dumps(group)).stack


def test_an_exception_without_traceback_or_message_is_its_name() -> None:
    assert loads(dumps(ValueError())).stack == "ValueError"
    assert loads(dumps(ValueError())).message == ""
    last: BaseException | None = None
    for _ in range(50):
        error = DecodeError("m", 1)
        error.__cause__ = last
        last = error
    assert loads(dumps(last)).stack == "clonecodec.errors.DecodeError: m at byte 1"


def test_node_reads_errors_of_both_languages(nodes: tuple[Node, ...]) -> None:
    pairs = [
        (
            dumps(JSRangeError("m", stack="s", cause={"a": 1})),
            "(() => { const e = new RangeError('m', {cause: {a: 1}}); e.stack = 's'; return e })()",
        ),
    ]
    for node in nodes:
        assert node.deep_equal(pairs) == []
        assert "inner" in node.read(dumps(raised(1))) or "innermost" in node.read(dumps(raised(1)))

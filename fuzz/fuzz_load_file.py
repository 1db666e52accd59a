"""``load`` from any file has the verdict of ``loads``, and leaves the file just behind the value."""

from __future__ import annotations

import io
from random import Random
from typing import Any

from clonecodec import ArrayBuffer, DecodeError, dumps, load, loads
from fuzz.corpus import message
from tests.codec.roads import Unseekable
from tests.same import difference


def attempt(random: Random) -> None:
    """Try one input."""
    data = message(random)
    expected = outcome(loads, data)
    file = io.BytesIO(b"before" + data)
    file.seek(6)
    found = outcome(load, file)
    pipe = Unseekable(data, piece=random.choice((1, 3, 1 << 20)))
    piped = outcome(load, pipe)

    if isinstance(expected, DecodeError):
        assert isinstance(found, DecodeError), (expected, found, data.hex(" "))
        assert (type(found), found.args) == (type(expected), expected.args), (found, data.hex(" "))
        assert file.tell() == 6, data.hex(" ")
        return
    assert difference(found, expected) is None, data.hex(" ")
    end = file.tell() - 6
    # Something must follow a varint that is as long as can be, but nothing that belongs to the value.
    assert difference(loads(data[:end] + b"\xff"), expected) is None, data.hex(" ")
    if isinstance(piped, DecodeError):
        # Version 13 is tried once where there is no way back.
        assert data[1] == 13, (piped, data.hex(" "))
    elif not isinstance(piped, ArrayBuffer):
        assert difference(piped, expected) is None, data.hex(" ")
        assert pipe.offset == end, (pipe.offset, end, data.hex(" "))
    follow(data[:end], random)


def follow(data: bytes, random: Random) -> None:
    """Assert that a value which comes behind is found."""
    if type(outcome(loads, data + dumps("next"))) is DecodeError:
        return
    file = io.BytesIO(data + dumps("next"))
    load(file)
    assert load(file) == "next", data.hex(" ")


def outcome(function: Any, argument: Any) -> Any:
    try:
        return function(argument)
    except DecodeError as error:
        return error

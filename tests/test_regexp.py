"""RegExp, and its translations to and from Python's patterns, compared with what real Nodes make of them."""

from __future__ import annotations

import copy
import itertools
import json
import pickle
import re
import time
import warnings
from collections.abc import Iterable, Sequence
from typing import Final, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clonecodec.errors import DataCloneError
from clonecodec.regexp import FLAG_BITS, RegExp, bits_of, flags_of, from_pattern
from tests.node import Node

SUBJECTS: Final = (
    "", "a", "b", "ab", "ba", "aab", "abab", "aaaa", "abc", "aXb", "a1_-", "k1", "11", "0", "x{,2}", "a{1",
    "]}", "\n", "a\n", "a\r", "a\nb", "a\r\nb", "b\u2028a", "\v\f", " \xa0\ufeff\u3000", "/#& ~",
    "\x00\x07\x08", "\\c1", "kK\u212a", "sS\u017f", "iI\u0130\u0131", "\xe9 \xc9", "\xdf\u1e9e", "2020-02-02",
    "the year 1970", "aa bb",
)  # fmt: skip
"""What is searched.  None has a character beyond U+FFFF: without u, JavaScript sees two in it."""

NO_MEMORY: Final = str.maketrans("", "", "gy")

Found = list[str | None] | None


def node_finds(
    node: Node, patterns: Iterable[RegExp], subjects: Sequence[str] = SUBJECTS
) -> list[list[Found]]:
    """What each pattern finds in each subject, groups included; g and y would make it remember the last."""
    asked = json.dumps([[pattern.source, pattern.flags.translate(NO_MEMORY)] for pattern in patterns])
    found = node.evaluate(
        f"{asked}.map(([source, flags]) => {{ const pattern = new RegExp(source, flags);"
        f" return {json.dumps(subjects)}.map((text) => {{ const found = pattern.exec(text);"
        " return found && Array.from(found, (group) => group ?? null); }); })"
    )
    return cast("list[list[Found]]", found)


def node_compiles(node: Node, source: str, flags: str) -> bool:
    attempt = f"new RegExp({json.dumps(source)}, {json.dumps(flags)})"
    return bool(node.evaluate(f"(() => {{ try {{ {attempt}; return true; }} catch {{ return false; }} }})()"))


def python_finds(pattern: re.Pattern[str], subjects: Sequence[str] = SUBJECTS) -> list[Found]:
    matches = [pattern.search(text) for text in subjects]
    return [[match[0], *match.groups()] if match else None for match in matches]


def compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # "possible nested set", in a pattern that is a test
        return re.compile(pattern, flags)


# -- the value

SOURCES: Final = (
    "", "(?:)", "a", "/", "a/b", "//", "\\/", "\\\\/", "\\\\\\/", "[/]", "[\\]/]", "[[/]/", "]/", "[a]/",
    "[]/]", "[^]/", "\n", "\r", "\u2028", "\u2029", "\\\n", "\\\r", "\\\u2028", "\\\u2029", "\\\\\n", "\r\n",
    "\\\r\n", "[\n]", "[\\\n/]/", "\\n", "\\[/", "\\[/]", "a\\\u2028/\u2029[/\r", "\xe9/\U0001f600/",
    "[\u2028/]/",
)  # fmt: skip


def test_source_is_what_javascript_shows(nodes: tuple[Node, ...]) -> None:
    valid = [source for source in SOURCES if not source.endswith("[/\r")]
    for node in nodes:
        shown = node.evaluate(f"{json.dumps(valid)}.map((source) => new RegExp(source).source)")
        assert [RegExp(source).source for source in valid] == shown


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_is_escaped_once(source: str) -> None:
    once = RegExp(source).source

    assert RegExp(once).source == once


def test_flags_are_sorted_as_javascript_sorts_them(node: Node) -> None:
    every = ["".join(flags) for n in range(4) for flags in itertools.permutations("vusmigyd", n)]
    valid = [flags for flags in every if not {"u", "v"} <= set(flags)]

    shown = node.evaluate(f"{json.dumps(valid)}.map((flags) => new RegExp('a', flags).flags)")

    assert [RegExp("a", flags).flags for flags in valid] == shown


@pytest.mark.parametrize("flags", ["x", "G", "l", "gg", "gig", "uv", "gvu", "g ", "\xdf"])
def test_flags_that_javascript_refuses_are_refused(flags: str, node: Node) -> None:
    assert not node_compiles(node, "a", flags)

    with pytest.raises(ValueError, match="flag"):
        RegExp("a", flags)
    with pytest.raises(ValueError, match="flag"):
        bits_of(flags)


@pytest.mark.parametrize("flags", [*FLAG_BITS, "", "dgimsuy", "dgimsvy"])
def test_bits_are_those_that_v8_writes(flags: str, node: Node) -> None:
    written = node.serialize(f"new RegExp('a', '{flags}')")
    bits = sum(
        (byte & 0x7F) << 7 * index for index, byte in enumerate(written.removeprefix(b"\xff\x0fR\x22\x01a"))
    )

    assert bits_of(flags) == bits
    assert flags_of(bits) == flags


@pytest.mark.parametrize("bits", [0x40, 0x41, 0x200, 0x110, 0x11F, 1 << 40, -1])
def test_bits_that_v8_refuses_are_refused(bits: int) -> None:
    with pytest.raises(ValueError, match="flags"):
        flags_of(bits)


def test_patterns_are_equal_by_source_and_flags() -> None:
    pattern = RegExp("a/b", "ig")

    assert pattern == RegExp("a\\/b", "gi")
    assert hash(pattern) == hash(RegExp("a\\/b", "gi"))
    assert pattern != RegExp("a/b")
    assert pattern != RegExp("a", "gi")
    assert pattern != "a/b"


def test_a_pattern_shows_itself_and_survives_pickle_and_copy() -> None:
    pattern = RegExp("a+b", "ig")

    assert repr(pattern) == "RegExp('a+b', 'gi')"
    assert repr(RegExp("a")) == "RegExp('a')"
    assert all(pickle.loads(pickle.dumps(pattern, protocol)) == pattern for protocol in range(6))
    assert copy.deepcopy(pattern) == pattern


def test_a_pattern_does_not_change() -> None:
    pattern = RegExp("a")

    with pytest.raises(AttributeError, match="does not change"):
        pattern.source = "b"
    with pytest.raises(AttributeError, match="does not change"):
        del pattern.flags


# -- to Python

COMPILES: Final = (
    # plain, and what JavaScript and Python write differently
    ("", ""), ("a+b", "g"), ("a/b", ""), (r"(?<y>\d{4})-(?<m>\d\d)-\k<m>", ""), (r"\k<n>(?<n>a)", ""),
    ("(a|b)c?", "dgy"), ("a$", ""), ("a$", "m"), ("^b", "m"), ("^a", ""), ("^$", "m"), (".+", ""),
    (".+", "s"), ("[^]+", ""), ("a[]|b", ""), (r"\d\w\s", ""), (r"\s+", ""), (r"\S+", ""), (r"[\s\d]+", ""),
    (r"[\S]+", ""), (r"[^\S]+", ""), (r"[^\W_]+", ""), (r"\b.", ""), (r"\B", ""), (r"\w+", ""), (r"\W", ""),
    (r"[\b]", ""), (r"\bk", "iu"), (r"\B\W", "iu"),
    # characters
    (r"\x61\u0062", ""), (r"\u{61}", "u"), (r"\u{000061}", "v"), (r"\0", ""), (r"\cJ", ""), (r"[\cJ]", ""),
    (r"\/#", ""), (r"\xg|\u12|\-\ \a", ""), (r"\c1", ""), (r"[\c1]", ""), (r"\c", ""), (r"\07|\10", ""),
    (r"[\1\8]", ""), (r"\8", ""), (r"\ud83d\ude00", ""), (r"[\ud83d\ude00a]", "u"), ("\U0001f600?a", "u"),
    (r"\ud83da|\ud83d\u0061|\ud83d\ux|a", ""), (r"\u{2}|u", ""), (r"\v\f", ""),
    (r"\$\^\.\*\+\?\(\)\[\]\{\}\|\\|a", "u"),
    (r"[\-a]", "u"), (r"[\&\!a]", "v"), ("[&&a~|b-]", ""),
    # braces and brackets that are literal
    ("a{", ""), ("x{,2}", ""), ("a{1", ""), ("]}", ""), ("{", ""), ("a{x}", ""), ("a{2}", ""),
    ("a{1,}?b", ""), ("a{0}b", ""), ("[]a]", ""), ("[^]a]", ""), (r"[\]a]", ""), ("[a-]", ""), ("[-a]", ""),
    (r"[\d-a]", ""), ("[[a]", ""), ("[/]", ""), ("a{1,99999999999}", ""),
    # groups and references
    ("(?:a)(?=b)", ""), ("a(?!b)", ""), ("(?<=a)b", ""), ("(?<!a)b", ""), ("(?<=(a))b", ""), (r"(a)\1", ""),
    (r"(a)?\1b", ""), (r"(a)|\1b", ""), (r"\1(a)", ""), (r"(a\1)", ""), (r"(?:(a)|b)\1", ""),
    (r"(?!(a))\1b", ""), (r"(?=(a))\1", ""), (r"(a)\10", ""), (r"(a)\2", ""), (r"(?:(a)\1)+", ""),
    (r"(?:(a)+)?\1", ""), (r"(a)(?<=\1)b", ""), (r"((a)?b)\2", ""), ("(?:a*)*b", ""), ("(?:a|b?)*", ""),
    ("(?:a*b*)+", ""),
    # either case
    ("k", "i"), ("k", "iu"), ("[k]", "iu"), ("[^k]", "iu"), ("\u212a", "i"), ("\u212a", "iu"),
    ("[\u212a]", "iu"), ("s+", "iu"), ("S", "i"), ("\u017f", "i"), ("\u017f", "iv"), ("i+", "i"),
    ("i+", "iu"), ("\u0130", "iu"), ("\u0131", "i"), ("\xe9", "i"), ("[\xe0-\xf6]", "i"), ("[^\xe9]", "i"),
    ("[^\\x00-\\x7f]", "i"), (r"[\u0080-\uffff]", "i"), ("[a-z]+", "i"), ("\xdf+", "i"), (r"[\W]", "iu"),
    (r"\w+", "iu"), (r"[\w-]+", "i"), (r"[^\W]+", "iu"), (r"(a)\1", "i"), (r"[Z-a]+", "i"), ("\u1e9e+", "iu"),
)  # fmt: skip


def test_a_compiled_pattern_finds_what_javascript_finds(nodes: tuple[Node, ...]) -> None:
    patterns = [RegExp(source, flags) for source, flags in COMPILES]
    for node in nodes:
        for pattern, found in zip(patterns, node_finds(node, patterns), strict=True):
            assert (pattern, python_finds(pattern.compile())) == (pattern, found)


@pytest.mark.parametrize("flags", ["", "i", "m", "s", "ims", "gdy", "u"])
def test_flags_are_kept_where_python_has_them(flags: str) -> None:
    names = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}

    pattern = RegExp("a", flags).compile()

    assert pattern.flags == re.ASCII | sum(names.get(flag, 0) for flag in flags)


INEXPRESSIBLE: Final = (
    # source                 flags  what the message says
    (r"\p{L}",                "u",  r"\\p{...}"),
    (r"[\P{L}]",              "v",  r"\\P{...}"),
    ("[a--b]",                "v",  "set notation"),
    ("[[a-z]&&[b]]",          "v",  "set notation"),
    (r"[\q{ab}]",             "v",  r"\\q{...}"),
    ("(?<=a+)b",              "",   "look-behind"),
    ("(?=a)*b",               "",   "a lookahead is repeated"),
    ("\U0001f600+",           "",   "half of a character beyond"),
    ("[\U0001f600]",          "",   "halves of a character beyond"),
    ("(?:a?|b)*",             "",   "may choose to match nothing"),
    ("(?:(?:a?|b)c?)*",       "",   "may choose to match nothing"),
    ("(?:a??)*",              "",   "may choose to match nothing"),
    (r"(?:(a)|b)*\1",         "",   "an earlier turn of a loop"),
    (r"(?:\1b|(a)?c\1)*",     "",   "an earlier turn of a loop"),
    (r"(a*)*\1",              "",   "an earlier turn of a loop"),
    (r"(?:(?=(a)))?\1",       "",   "an earlier turn of a loop"),
    (r"(?<=(a)\1)",           "",   "right to left"),
    (r"(?<=\1(a))",           "",   "right to left"),
    ("(?<$a>b)",              "",   "group name"),
    (f"{'()' * 100}\\100",    "",   "group 100"),
    ("(" * 201 + ")" * 201,   "",   "200 groups within one another"),
    ("a{99999999999}",        "",   "too large a number"),
)  # fmt: skip


@pytest.mark.parametrize(("source", "flags", "complaint"), INEXPRESSIBLE)
def test_what_python_cannot_express_is_refused_by_name(
    source: str, flags: str, complaint: str, node: Node
) -> None:
    assert node_compiles(node, source, flags)

    with pytest.raises(ValueError, match=f"Python cannot express .*{complaint}"):
        RegExp(source, flags).compile()


INVALID: Final = (
    ("(", ""), (")", ""), ("[", ""), ("[a", ""), ("a**", ""), ("a++", ""), ("*", ""), ("a{2}{3}", ""),
    ("{1}", ""), ("^*", ""), ("a{2,1}", ""), ("[b-a]", ""), ("\\", ""), ("[\\", ""), ("(?<=a)*", ""),
    ("(?=a)*", "u"), ("(?<n>a)\\k", ""), (r"\k<n>(?<m>a)", ""), ("{", "u"), ("}", "u"), ("]", "u"),
    ("a{1", "u"), (r"\a", "u"), (r"\-", "u"), (r"\c1", "u"), (r"\xg", "u"), (r"\u12", "u"),
    (r"\u{110000}", "u"), (r"\u{}", "u"), (r"\u{61", "u"), (r"\07", "u"), (r"\1", "u"), (r"[\1]", "u"),
    (r"[\d-a]", "u"), (r"[\B]", "u"), (r"\k<n>", "u"), ("[(]", "v"), ("[a-]", "v"), (r"\b+", ""),
    (r"(?<n>a)[\k]", ""), ("(?", ""), ("(?a)", ""),
)  # fmt: skip


@pytest.mark.parametrize(("source", "flags"), INVALID)
def test_what_javascript_refuses_is_refused(source: str, flags: str, node: Node) -> None:
    assert not node_compiles(node, source, flags)

    with pytest.raises(ValueError, match="regular expression"):
        RegExp(source, flags).compile()


LONG: Final = (
    "(" * 100_000, "(?<a" * 100_000, "(?<" * 100_000, "[" * 100_000, "\\" * 100_000, "{" * 100_000,
    "|" * 100_000, "a{1" * 50_000, "a{" + "9" * 100_000 + "}", "\\1" + "1" * 100_000,
    "(" * 190 + "a" + ")" * 190 + "\\1" * 20_000, "(?<a>" * 50_000, "(?:a?)*" * 20_000, "\\u{" * 50_000,
    "(?=" * 100_000, "\u20ac" * 100_000,
)  # fmt: skip


@pytest.mark.parametrize("source", LONG, ids=[source[:6] for source in LONG])
@pytest.mark.parametrize("flags", ["", "iu"])
def test_a_long_source_takes_no_long_time(source: str, flags: str) -> None:
    begun = time.process_time()

    try:
        RegExp(source, flags).compile()
    except ValueError as error:
        assert len(str(error)) < 1000

    assert time.process_time() - begun < 20  # quadratic would be minutes; linear is well under a second


PIECES: Final = (
    "a", "b", "k", "S", "\xe9", "1", ".", "^", "$", "|", "(", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?<n>",
    ")", ")", ")", "[ab]", "[^a]", "[a-k]", "[", "]", "[]", "-", "{", "}", "{2}", "{,2}", "{1,2}", "*", "+",
    "?", "*?", "/", "&&", r"\d", r"\W", r"\s", r"[\S]", r"[\w-]", r"\b", r"\B", r"\1", r"\2", r"\k<n>",
    r"\x61", r"\u{61}", r"\cJ", r"\0", "\\",
)  # fmt: skip
PATTERNS: Final = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
UNICODE: Final = st.sampled_from(["", "u", "v"])
FLAGS: Final = st.tuples(*[st.sampled_from(["", flag]) for flag in "ims"], UNICODE).map("".join)


@given(st.text(max_size=30) | PATTERNS, FLAGS)
@example("\ud83d\\ude00[\ud83d-\ude00]", "iu")
def test_compile_raises_nothing_but_value_error(source: str, flags: str) -> None:
    try:
        pattern = RegExp(source, flags).compile()
    except ValueError:
        return  # as documented

    assert isinstance(pattern, re.Pattern)


@settings(deadline=None, max_examples=300)
@given(PATTERNS, FLAGS)
def test_what_compiles_is_valid_and_means_the_same(node: Node, source: str, flags: str) -> None:
    pattern = RegExp(source, flags)
    try:
        python = pattern.compile()
    except ValueError:
        return  # as documented

    # Of a group that a loop or an option left out the two remember different things, as documented.
    found = [groups and groups[0] for groups in node_finds(node, [pattern])[0]]

    assert found == [groups and groups[0] for groups in python_finds(python)]


# -- from Python

WRITTEN: Final = (
    # Python's               flags  JavaScript's                  flags
    ("a+b",                    "",  "a+b",                          ""),
    ("",                       "",  "(?:)",                         ""),
    ("a/b",                    "",  r"a\/b",                        ""),
    ("(?P<n>a)(?P=n)",         "",  r"(?<n>a)\k<n>",                ""),
    ("(a)\\1",                 "",  r"(a)\1",                       ""),
    ("(a)\\1[0]",              "",  r"(a)\1[0]",                    ""),
    ("(a)\\1 0",              "x",  r"(a)\1[0]",                    ""),
    (r"\Aa\Z",                 "",  "^a$",                          ""),
    (r"\Aa\Z",                "m",  r"(?<![\s\S])a(?![\s\S])",     "m"),
    ("^a$",                    "",  r"^a(?=\n?$)",                  ""),
    ("^a$",                   "m",  r"(?<![^\n])a(?![^\n])",       "m"),
    ("a.b",                    "",  r"a[^\n]b",                     ""),
    ("a.b",                   "s",  "a.b",                         "s"),
    ("(?i)a",                  "",  "a",                           "i"),
    ("(?ims)a",                "",  "a",                         "ims"),
    ("(?x) a b # c",           "",  "ab",                           ""),
    ("a (?#b) +  # c\n [ #]\\ ", "x", "a+[ #] ",                    ""),
    ("a(?#b)+",                "",  "a+",                           ""),
    (r"a\ \-\~\#",             "",  "a -~#",                        ""),
    (r"\a\f\n\r\t\v\x61",      "",  r"\x07\x0c\n\r\t\x0ba",         ""),
    (r"\u0061\U00000062",      "",  "ab",                           ""),
    (r"\N{BULLET}[\N{EM DASH}]", "", "\u2022[\u2014]",              ""),
    (r"\0\01\101",             "",  r"\x00\x01A",                   ""),
    (r"[\0\b\101]",            "",  r"[\x00\x08A]",                 ""),
    ("\u2028\n",               "",  r"\u2028\n",                    ""),
    ("a{x]}",                  "",  r"a\{x\]\}",                    ""),
    ("a{,3}",                  "",  "a{0,3}",                       ""),
    ("a{2}b{1,}c{1,2}?",       "",  "a{2}b{1,}c{1,2}?",             ""),
    ("[]a]",                   "",  r"[\]a]",                       ""),
    ("[^]a]",                  "",  r"[^\]a]",                      ""),
    ("[[a&&b/]",               "",  r"[\[a&&b/]",                   ""),
    ("[a^-]",                  "",  r"[a\^\-]",                     ""),
    (r"[\w-]",                 "",  r"[\w\-]",                      ""),
    (r"[a-f\]\\]",             "",  r"[a-f\]\\]",                   ""),
    (r"\d\D\w\W\s\S\b\B",      "",  r"\d\D\w\W\s\S\b\B",            ""),
    (r"\s[\s]",               "a",  r"[\t-\r ][\t-\r ]",            ""),
    ("(?=a)*b",                "",  "(?:(?=a))*b",                  ""),
    ("(?<=a)(?<!b)(?!c)",      "",  "(?<=a)(?<!b)(?!c)",            ""),
    ("\U0001f600b",            "",  "\U0001f600b",                  ""),
    ("\U0001f600+",            "",  "(?:\U0001f600)+",              ""),
    ("[\U0001f600-\U0001f64f]", "", "[\U0001f600-\U0001f64f]",     "u"),
    (r"[\U0001f600]\-\ {]",    "",  "[\U0001f600]- \\{\\]",        "u"),
    ("k[^a-z]",               "i",  "k[^a-z]",                     "i"),
)  # fmt: skip

PYTHON_FLAGS: Final = {"i": re.I, "m": re.M, "s": re.S, "x": re.X, "a": re.A}


def written(pattern: str, flags: str) -> re.Pattern[str]:
    return compiled(pattern, sum(PYTHON_FLAGS[flag] for flag in flags))


@pytest.mark.parametrize(("pattern", "flags", "source", "javascript"), WRITTEN)
def test_a_python_pattern_is_written_in_javascripts_syntax(
    pattern: str, flags: str, source: str, javascript: str
) -> None:
    assert from_pattern(written(pattern, flags)) == RegExp(source, javascript)


def test_what_is_written_finds_what_python_finds(nodes: tuple[Node, ...]) -> None:
    # With re.ASCII Python's sets are JavaScript's; without, the difference is documented.
    patterns = [written(pattern, flags.replace("a", "") + "a") for pattern, flags, _, _ in WRITTEN]
    translated = [from_pattern(pattern) for pattern in patterns]
    for node in nodes:
        for pattern, regexp, found in zip(patterns, translated, node_finds(node, translated), strict=True):
            assert (pattern, regexp, python_finds(pattern)) == (pattern, regexp, found)


def test_what_is_written_has_javascripts_source(nodes: tuple[Node, ...]) -> None:
    translated = [from_pattern(written(pattern, flags)) for pattern, flags, _, _ in WRITTEN]
    asked = json.dumps([[regexp.source, regexp.flags] for regexp in translated])
    for node in nodes:
        shown = node.evaluate(f"{asked}.map(([source, flags]) => new RegExp(source, flags).source)")
        assert [regexp.source for regexp in translated] == shown


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("(a)?(?(1)b|c)", "a condition"),
        ("(?>a)b", "an atomic group"),
        ("a++", "possessive"),
        ("a{1,2}+", "possessive"),
        ("(?i:a)b", "flags for a part"),
        ("(?-i:a)b", "flags for a part"),
        ("(a)?\\1", "may not have matched"),
        ("(?:(a)|b)*\\1", "earlier turn"),
        ("(a)|\\1", "cannot have matched"),
        ("(?:a?|b)*", "match nothing"),
    ],
)
def test_what_javascript_cannot_express_is_refused_with_a_way_out(pattern: str, complaint: str) -> None:
    with pytest.raises(DataCloneError, match=rf"{complaint}.*use RegExp\(source, flags\)"):
        from_pattern(re.compile(pattern))


@pytest.mark.parametrize("flags", [0, re.LOCALE])
def test_a_bytes_pattern_is_refused(flags: int) -> None:
    with pytest.raises(DataCloneError, match=r"bytes pattern .*use RegExp\(source, flags\)"):
        from_pattern(re.compile(b"a", flags))


PYTHON_PIECES: Final = (
    "a", "b", "1", ".", "^", "$", "|", "(", "(?:", "(?=", "(?!", "(?P<n>", "(?P=n)", "(?#", ")", ")", ")",
    "#", " ", "\n", "[ab]", "[^]a]", "[a-k]", "[", "]", "-", "{", "}", "{2}", "{,2}", "{1,2}", "*", "+", "?",
    "*?", "/", "&", "(?<=a)", r"\d", r"\W", r"\s", r"[\S]", r"[\w-]", r"\b", r"\1", r"\2", r"\A", r"\Z",
    r"\x61", r"\0", r"\101", r"\ ",
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.sampled_from(PYTHON_PIECES), max_size=12).map("".join),
    st.sets(st.sampled_from("imsx")).map("".join),
)
def test_whatever_is_written_compiles_and_means_the_same(node: Node, pattern: str, flags: str) -> None:
    try:
        python = written(pattern, flags + "a")
        regexp = from_pattern(python)
    except (re.error, DataCloneError):
        return  # no pattern; or refused, as documented

    found = [groups and groups[0] for groups in node_finds(node, [regexp])[0]]

    assert found == [groups and groups[0] for groups in python_finds(python)]

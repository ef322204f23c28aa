"""Patterns: what is refused and why, and that a block finds what each of its lines would."""

import re

import pytest
from ctmux.services.matcher.pattern import LENGTH_MAX, Match, check, search
from ctmux.shared.errors import UsageError
from hypothesis import given
from hypothesis import strategies as st

# ---- refused -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "name", "position"),
    [
        ("ab(?=c)", "lookahead", 2),
        ("ab(?!c)", "negative lookahead", 2),
        ("a(?<=b)c", "lookbehind", 1),
        ("a(?<!b)c", "lookbehind", 1),
        ("xy(?>ab)", "atomic group", 2),
        ("(a)?(?(1)b|c)", "conditional", 4),
        (r"(a)\1", "backreference", 3),
        (r"(?P<n>a)(?P=n)", "named group", 8),
        (r"(?P<n>a)x(?P>n)", "named group", 9),
        ("xa++", "possessive repetition", 2),
        ("xa*+", "possessive repetition", 2),
        ("xa?+", "possessive repetition", 2),
        ("xa{2}+", "repetition", 2),
        (r"foo\Z", r"\\Z \(write \$ or \\z\)", 3),
        ("a(?#note)b", "comment", 1),
    ],
)
def test_what_re2_does_not_have_is_named_with_its_place(pattern, name, position):
    with pytest.raises(UsageError, match=f"{name}.* at position {position}:"):
        check(pattern)


@pytest.mark.parametrize(
    ("pattern", "position"),
    [
        (r"\(?=x(?=y)", 5),
        (r"[(?=]foo(?=bar)", 8),
        (r"\\1(a)\1", 6),
        (r"a\++b++", 5),
        (r"\\Z\Z", 3),
    ],
)
def test_what_only_looks_like_it_is_not_the_place(pattern, position):
    with pytest.raises(UsageError, match=f" at position {position}:"):
        check(pattern)


@pytest.mark.parametrize(
    ("pattern", "position"),
    [("(a", 0), ("a)", 1), ("x[a", 1), ("*a", 0), ("a**", 2), ("a[z-a]", 2), ("a{3,2}", 2), (r"a\K", 1), ("é(b", 1)],
)
def test_a_mistake_is_named_with_its_place(pattern, position):
    with pytest.raises(UsageError, match=f" at position {position}: "):
        check(pattern)


@pytest.mark.parametrize("pattern", ["", "a*", "a?", "^", "$", "()", "(?i)", r"a|\z", "x{0}"])
def test_what_matches_nothing_would_match_every_line(pattern):
    with pytest.raises(UsageError, match="matches empty text"):
        check(pattern)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a" * (LENGTH_MAX + 1), f"at most {LENGTH_MAX}"),
        ("a\0b", "NUL byte at position 1"),
        ("a\udcffb", "not valid UTF-8 at position 1"),
        ("[^a]{900}", "too expensive"),
        (r"\pL{500}x", "too large; use smaller repetitions"),  # not: bad escape
        ("a{1001}", "repetition"),
        (r"((a{100}){100}){100}", "pattern"),
        ("(" * 2000 + "a" + ")" * 2000, "pattern"),
    ],
)
def test_limits(pattern, reason):
    with pytest.raises(UsageError, match=reason):
        check(pattern)


@given(st.text(r"ab()[]{}?*+|^$\.,-:=!<>PQEAZzdwsi#019é", max_size=14))
def test_what_is_accepted_can_be_searched(pattern):
    """Else the matcher would die of it, at every start again."""
    try:
        check(pattern)
    except UsageError:
        return
    for match in search(pattern, b"ab\n(a)\n\n019 PQ ab\n"):
        assert match.text


@pytest.mark.parametrize("pattern", [r"\Qa.b", r"\Qa.b\E", "a # b", r"a\\", "a|b", "(?i)a", "(?i:a)b"])
def test_odd_endings_can_be_searched(pattern):
    check(pattern)
    list(search(pattern, b"a.b\n"))


# ---- found ---------------------------------------------------------------------------------------------------------

LINE = st.text("abfor xABC019=_-.\t", max_size=14)
PATTERNS = [
    "foo", "a", "fo+", "[a-c]+x", "^a", "^a.*b$", "b$", r"\bfo", r"(?i)ABC", r"(\w+) (\d+)", "a|bo|b", "(a)|(b)",
    r"(?P<name>\w+)=(?P<value>\S+)", r"^\s+\S", "[^a]b", "(?s)a.b", r"\d{2,3}", "a+?b", r"\Afo", r"o\z", "(a|ab)(o|bo)?",
    r"[^\w]a", r"\S+\s*$", ".+", r"x\b", "(?:a(b)?)+",
]  # fmt: skip


def by_lines(pattern, text):
    """What the standard library finds in each line for itself."""
    compiled = re.compile(pattern.replace(r"\z", r"\Z"), re.ASCII)
    start = 0
    for number, line in enumerate(text.split("\n")):
        found = compiled.search(line)
        if found:
            yield Match(number, start, found.group(), list(found.groups()), found.groupdict())
        start += len(line.encode()) + 1


@given(st.sampled_from(PATTERNS), st.lists(LINE, max_size=12))
def test_a_block_finds_what_each_of_its_lines_would(pattern, lines):
    check(pattern)
    text = "\n".join(lines)
    assert list(search(pattern, text.encode())) == list(by_lines(pattern, text))


def test_one_match_a_line():
    found = list(search("a(.)", b"a1 a2 a3\nb\na4 a5"))
    assert [(match.line, match.text, match.captures) for match in found] == [(0, "a1", ["1"]), (2, "a4", ["4"])]


def test_no_match_spans_lines():
    assert list(search(r"a\sb", b"a\nb")) == []
    assert list(search(r"a[^x]b", b"a\nb")) == []
    assert list(search(r"(?s)a.b", b"a\nb")) == []


def test_groups():
    [match] = search(r"(?P<file>\w+):(\d+)?(?P<rest> .*)?", b"main:")
    assert match.captures == ["main", None, None]
    assert match.named == {"file": "main", "rest": None}


def test_text_that_is_not_utf8():
    assert [match.line for match in search("b", b"\xff\xfe\nb\xff\n\xe2\x82\nb")] == [1, 3]
    [match] = search(r"a(?:\C+)b|é", "é".encode())
    assert match.text == "é"


@pytest.mark.parametrize("pattern", [r"(?-m)^foo", r"(?-m:^foo)", r"(?-m:foo$)"])
def test_a_line_is_a_line_wherever_it_is_in_the_block(pattern):
    """The blocks are an accident of timing: what is accepted must not depend on them."""
    try:
        check(pattern)
    except UsageError:
        return
    assert [match.line for match in search(pattern, b"foo\nfoo\nfoo")] == [0, 1, 2]


def test_a_literal_stays_literal():
    check(r"\Qa\z\E")
    assert [match.text for match in search(r"\Qa\z\E", rb"xa\z")] == [r"a\z"]


@pytest.mark.parametrize("pattern", ["a\nb", r"done\n", r"a\r\nb"])
def test_a_pattern_that_wants_a_line_break_can_never_match(pattern):
    with pytest.raises(UsageError, match="line"):
        check(pattern)

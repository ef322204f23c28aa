"""Filters and the engine over them: nothing that matches is ever missed, whatever the filter, whatever comes and goes."""

import re
from itertools import pairwise

import pytest
from ctmux.services.matcher import pattern
from ctmux.services.matcher.engine import Engine
from ctmux.services.matcher.filters import Literal, Plain, aho_corasick, hyperscan
from ctmux.services.matcher.literals import literals
from ctmux.services.matcher.text import Text
from ctmux.shared.errors import UsageError
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

# ---- literals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "needed"),
    [
        ("error", {b"error"}),
        ("Error: .* in (foo|barn)", {b"error: "}),
        ("(foo|barn) x", {b"foo x", b"barn x"}),
        ("(ab|barn)", None),
        ("id=(10|11|12)x", {b"id=10x", b"id=11x", b"id=12x"}),
        ("[ab]cd e?", {b"acd ", b"bcd "}),
        ("(|a)bcd", {b"bcd", b"abcd"}),
        ("[^a]bcd", {b"bcd"}),
        ("[a-c]bcd", {b"bcd"}),
        ("(ab|barn) of", {b"ab of", b"barn of"}),
        ("a(bc)+d", None),
        ("x(abc)+d", {b"abc"}),
        ("x(abc)*d", None),
        ("^fatal$", {b"fatal"}),
        (r"\bfatal\b", {b"fatal"}),
        (r"took (\d+)ms", {b"took "}),
        ("(?i)Connection", {b"connection"}),
        ("(?i)desk", None),
        ("(?i)desktop", {b"top"}),
        ("(?i:ABC)D", {b"abcd"}),
        ("(?i)été", None),
        ("été", {"été".encode()}),
        ("Ünder", {"Ünder".encode()}),
        (r"a\.b\.c", {b"a.b.c"}),
        (r"[a]bc", {b"abc"}),
        (r"\d+", None),
        (r"[[:alpha:]]lpha", None),
        (r"\Qabc\E", None),
        (r"abc\z", {b"abc"}),
        ("x" * 100, {b"x" * 32}),
        (r"abc\x01defg", {b"defg"}),
    ],
)  # fmt: skip
def test_the_texts_that_a_pattern_needs(written, needed):
    pattern.check(written)
    found = literals(written)
    assert found == needed or (found is None and "\\z" in written)  # \z is new in Python 3.14


# ---- what no filter may miss ---------------------------------------------------------------------------------------

LONG_S, KELVIN = "\u017f", "\u212a"  # what s and k are, too, in (?i)
PIECES = (
    "a", "B", "k", LONG_S, "é", "ab", "foo", "Error", " ", ".", r"\d", r"\w", r"\s", r"\b", "^", "$", "[a-f]", "[^a]", "x*",
    "o+", "(foo|Bar)", "(?i:kS)", "(?:ab){2}", "1?", r"\.", r"\pL", "日本", r"\x41", "[[:upper:]]", "a{2,3}", "|",
)  # fmt: skip
WORDS_OF_TEXT = ["foo", "FOO", "Error", "error", "ab", "abab", "Bar", "KS", "日本", "A", "aaa", LONG_S, KELVIN]
patterns = st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join)
texts = st.lists(st.sampled_from([*"aBkKéÉ .1x\n", *WORDS_OF_TEXT]), max_size=25).map(
    lambda pieces: "".join(pieces).encode()
)


def allowed(written):
    try:
        pattern.check(written)
    except UsageError:
        return False
    return True


def filters(written):
    return [Plain(written), Literal(written, hyperscan), Literal(written, aho_corasick)]


@given(st.lists(patterns.filter(allowed), min_size=1, max_size=4, unique=True), texts)
@settings(max_examples=400, deadline=None)
def test_no_filter_misses_a_match_or_begins_behind_it(written, text):
    for used in filters(written):
        found = dict(used.candidates(text))
        for one in used.patterns:
            matches = list(pattern.search(one, text))
            if matches:
                assert one in found, (one, type(used))
                assert Text(text).search(one, found[one])[0] == matches


@given(patterns.filter(allowed), texts)
@settings(max_examples=300, deadline=None)
def test_a_line_matches_as_it_does_for_python(written, text):
    try:
        theirs = re.compile(written.replace(r"\pL", "[^\\W\\d_]").replace("[[:upper:]]", "[A-Z]"), re.ASCII)
    except re.error:
        assume(False)
    assume(not {"é", LONG_S, "k", "K"} & set(written) or "(?i" not in written)  # Python folds by its own rules
    assume(r"\pL" not in written)
    lines = text.decode().split("\n")
    expected = [n for n, line in enumerate(lines) if any(m.end() > m.start() for m in theirs.finditer(line))]
    assert [match.line for match in pattern.search(written, text)] == expected


# ---- the engine ----------------------------------------------------------------------------------------------------

WORDS = [f"{first}{second}{n}" for first in ("foo", "bar", "[a-c]") for second in ("", "[0-9]+x") for n in range(12)]


@given(st.lists(st.tuples(st.sampled_from(["add", "add", "remove", "merge"]), st.sampled_from(WORDS)), max_size=80))
@settings(max_examples=100, deadline=None)
def test_patterns_come_and_go_and_are_looked_for_exactly_then(steps):
    engine, known, making = Engine(), set(), None
    for step, word in steps:
        if step == "add":
            engine.add(word)
            known.add(word)
        elif step == "remove":
            engine.remove(word)
            known.discard(word)
        elif wanted := engine.to_merge():
            assert set(wanted) <= known
            making = Literal(wanted)
        elif making:
            engine.install(making)
            making = None
        text = "\n".join(word.replace("[0-9]+", "7") for word in WORDS).encode()
        found = [name for name, _start in engine.candidates(text)]
        assert len(found) == len(set(found))
        assert set(found) == known
    assert len(engine) == len(known)


def test_filters_stay_few_and_a_large_one_is_left_alone():
    engine = Engine()
    for n in range(3000):
        engine.add(f"word{n}")
    assert len(engine.filters) <= 25
    engine.install(Literal(engine.to_merge()))
    assert len(engine.filters) == 1
    for n in range(3000, 3200):
        engine.add(f"word{n}")
    assert (len(engine.filters), engine.to_merge()) == (3, [])
    for n in range(3200, 3700):
        engine.add(f"word{n}")
    assert len(engine.to_merge()) == 3700 or len(engine.to_merge()) <= 700


@given(st.lists(st.tuples(st.sampled_from([3, 30, 300]), st.booleans()), max_size=4))
@example([(30, False), (900, False), (1, False)])
@settings(max_examples=20, deadline=None)
def test_merges_come_to_an_end_and_leave_few_filters(steps):
    engine, known = Engine(), 0
    for count, merges in [*steps, (0, True)]:
        for _ in range(count):
            engine.add(f"word{known}")
            known += 1
        while merges and (wanted := engine.to_merge()):
            before = len(engine.filters)
            engine.install(Plain(wanted))  # as good as any, and quickly made
            assert len(engine.filters) < before
    sizes = sorted(len(used.patterns) for used in engine.filters)
    assert len(sizes) <= 3 or all(8 * less < more for less, more in pairwise(sizes))


def test_a_filter_whose_patterns_are_gone_is_gone():
    engine = Engine()
    for n in range(20):
        engine.add(f"word{n}")
    merged = Literal([f"word{n}" for n in range(20)])
    for n in range(19):
        engine.remove(f"word{n}")
    engine.install(merged)
    assert engine.filters == [merged] and list(engine.candidates(b"word3 word19")) == [("word19", [0])]
    engine.remove("word19")
    engine.install(Literal(["other"]))
    assert engine.filters == []


def test_many_patterns_at_once_are_one_filter(monkeypatch):
    """Each that is made costs some milliseconds, in which nothing is matched."""
    engine, made = Engine(f"w{n}" for n in range(300)), []
    monkeypatch.setattr("ctmux.services.matcher.engine.Literal", lambda patterns: made.append(patterns) or Plain(patterns))
    engine.add(*(f"p{n}" for n in range(100)), "p7", "w3")
    assert len(made) == 1 and len(engine) == 400
    assert {found for found, _where in engine.candidates(b"p42 w9")} >= {"p42", "w9"}

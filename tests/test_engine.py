"""Filters and the engine over them: nothing that matches is ever missed, whatever the filter, whatever comes and goes."""

import re

import pytest
from ctmux.services.matcher import compiler, pattern
from ctmux.services.matcher.engine import Engine
from ctmux.services.matcher.filters import Compiled, Literal, Plain
from ctmux.services.matcher.literals import literals
from ctmux.shared.errors import UsageError
from hypothesis import assume, given, settings
from hypothesis import strategies as st

# ---- literals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "needed"),
    [
        ("error", {b"error"}),
        ("Error: .* in (foo|barn)", {b"error: "}),
        ("(foo|barn) x", {b"foo", b"barn"}),
        ("(ab|barn)", None),
        ("(ab|barn) of", {b" of"}),
        ("a(bc)+d", None),
        ("x(abc)+d", {b"abc"}),
        ("x(abc)*d", None),
        ("^fatal$", {b"fatal"}),
        (r"\bfatal\b", {b"fatal"}),
        (r"took (\d+)ms", {b"took "}),
        ("(?i)Connection", {b"connection"}),
        ("(?i)desk", None),
        ("(?i)desktop", {b"top"}),
        ("(?i:ABC)D", {b"abc"}),
        ("(?i)été", None),
        ("été", {"été".encode()}),
        ("Ünder", {"Ünder".encode()}),
        (r"a\.b\.c", {b"a.b.c"}),
        (r"[a]bc", {b"abc"}),
        (r"\d+", None),
        (r"[[:alpha:]]lpha", None),
        (r"\Qabc\E", None),
        (r"abc\z", {b"abc"}),
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
    yield Plain(written)
    yield Literal(written)
    compiled, database = compiler.build(written)
    if compiled:
        yield Compiled(compiled, database)


@given(st.lists(patterns.filter(allowed), min_size=1, max_size=4, unique=True), texts)
@settings(max_examples=400, deadline=None)
def test_no_filter_misses_a_match_or_begins_behind_it(written, text):
    for used in filters(written):
        found = dict(used.candidates(text))
        for one in used.patterns:
            matches = list(pattern.search(one, text))
            if matches:
                assert one in found, (one, type(used))
                assert list(pattern.search(one, text, found[one])) == matches


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

WORDS = [f"{first}{second}{n}" for first in ("foo", "bar") for second in ("", "[0-9]+x") for n in range(12)]


@given(st.lists(st.tuples(st.sampled_from(["add", "remove", "compile"]), st.sampled_from(WORDS)), max_size=60))
@settings(max_examples=100, deadline=None)
def test_patterns_come_and_go_and_are_looked_for_exactly_then(steps):
    engine, known = Engine(), set()
    for step, word in steps:
        if step == "add":
            engine.add(word)
            known.add(word)
        elif step == "remove":
            engine.remove(word)
            known.discard(word)
        elif wanted := engine.to_compile():
            assert set(wanted) <= known
            engine.install(Compiled(*compiler.build(wanted)), wanted)
        text = "\n".join(word.replace("[0-9]+", "7") for word in WORDS).encode()
        found = [name for name, _start in engine.candidates(text)]
        assert len(found) == len(set(found))
        assert set(found) == known
    assert len(engine) == len(known)


def test_what_cannot_be_compiled_is_looked_for_all_the_same_and_asked_for_once():
    engine = Engine()
    for n in range(20):
        engine.add(f"{n}.{{0,100}}end")
    wanted = engine.to_compile()
    engine.refuse(wanted)
    assert engine.to_compile() == []
    assert [name for name, _start in engine.candidates(b"7 and end")]


def test_a_few_patterns_are_not_compiled():
    engine = Engine()
    for n in range(8):
        engine.add(f"word{n}")
    assert engine.to_compile() == []


def test_filters_stay_few():
    engine = Engine()
    for n in range(3000):
        engine.add(f"word{n}")
    assert len(engine._literal) <= 10
    wanted = engine.to_compile()
    engine.install(Compiled(*compiler.build(wanted)), wanted)
    assert (len(engine._literal), len(engine.compiled)) == (0, 1)
    for n in range(3000, 3100):
        engine.add(f"word{n}")
    assert len(engine.to_compile()) == 100, "a compiled filter of 3000 stays as it is"

"""A shell's marks made facts: each command once, with its text, status, directory and the exact range of its output."""

import json
import subprocess
from itertools import pairwise
from urllib.parse import quote

import pytest
from ctmux.services.matcher.commands import Commands, Finished, Prompt, Started
from hypothesis import given
from hypothesis import strategies as st

A, B, C = b"\x1b]133;A\x07", b"\x1b]133;B\x1b\\", b"\x1b]133;C\x07"


def d(status=b"0"):
    return b"\x1b]133;D;" + status + b"\x1b\\"


def feed(*pieces, commands=None):
    """The facts of pieces, each printed a second after the other."""
    commands = commands or Commands()
    offset, facts = 0, []
    for number, piece in enumerate(pieces):
        facts += commands.feed(piece, offset, lambda _end, at=float(number): at)
        offset += len(piece)
    return facts


def texts(*pieces):
    return [fact.text for fact in feed(*pieces) if isinstance(fact, Started)]


def test_a_command():
    raw = b"\x1b]7;file://vm/tmp/a%20b\x07" + A + b"$ " + B + b"make\r\n", C, b"out\r\n", d(b"2") + A
    start = len(raw[0] + C)
    end = start + 5
    assert feed(*raw) == [
        Prompt(raw[0].index(A), 0.0, "/tmp/a b"),
        Started(start, 1.0, "make", "/tmp/a b"),
        Finished(end, 3.0, "make", "/tmp/a b", 2, start, end, 1.0),
        Prompt(end + len(d(b"2")), 3.0, "/tmp/a b"),
    ]


def test_its_directory_is_the_one_it_began_in():
    facts = feed(b"\x1b]7;/a\x07" + C + b"\x1b]7;/b\x07" + d() + A)
    assert [fact.cwd for fact in facts] == ["/a", "/a", "/b"]


def test_it_is_told_in_an_unfinished_line():
    assert feed(b"abc" + d()) == []
    assert [type(fact) for fact in feed(b"x" + C, b"abc", d())] == [Started, Finished]


def test_no_command():
    assert feed(d() + A + B + A) == [Prompt(len(d()), 0.0, None)]
    assert [type(fact) for fact in feed(C + C + d() + d())] == [Started, Started, Finished]


@pytest.mark.parametrize(
    ("status", "code"), [(b"0", 0), (b"130", 130), (b"1;aid=7", 1), (b"", None), (b"x", None), (b"-1", -1)]
)
def test_exit_status(status, code):
    assert feed(C, d(status))[-1].exit_code == code
    assert feed(C, b"\x1b]133;D\x07")[-1].exit_code is None


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (A + b"$ " + B + b"e\x08echo foo\x1b[?1l\x1b>\x1b[?2004l\r\r\n" + C, "echo foo"),
        (A + b"$ " + C, ""),
        (B + b"typed" + b"\x1b]133;C;cmdline_url=%C3%A9%0Ab%3B\x07", "é\nb;"),
        (b"\x1b]633;E;echo \\x3b \\\\n;nonce\x07" + C, "echo ; \\n"),
        (b"\x1b]133;C;cmdline=echo\\ \\;\\ \\'x\x07", "echo ; 'x"),
        (b"\x1b]133;C;cmdline=$'a\\nb\\'\\303\\251'\x07", "a\nb'é"),
        (b'\x1b]133;C;cmdline=\'a b\'"c\\""\x07', 'a bc"'),
    ],
)
def test_text(raw, text):
    assert texts(raw) == [text]


@pytest.mark.parametrize("text", ["echo 'a b'", "a\nb;c", 'é$x\\y"z"', "\x01\x7f", "$HOME `x` !", "-"])
def test_the_text_as_bash_quotes_it(text):
    quoted = subprocess.run(["bash", "-c", 'printf %q "$1"', "-", text], capture_output=True, check=True).stdout
    assert texts(b"\x1b]133;C;cmdline=" + quoted + b"\x07") == [text]


def test_bounds():
    assert [len(text) for text in texts(b"\x1b]133;C;cmdline_url=" + b"a" * 8000 + b"\x07")] == [4096]
    assert [len(text) for text in texts(B + b"a" * 10**6 + C)] == [4096]
    assert texts(b"\x1b]133;C;cmdline_url=" + b"a" * 9000 + b"\x07", C) == [""]
    commands = Commands()
    feed(b"\x1b]133;C;", b"a" * 10**6, commands=commands)
    assert len(json.dumps(commands.dump())) < 200


@pytest.mark.parametrize("url", [b"http://x/y", b"file://host", b"relative", b""])
def test_what_is_no_directory(url):
    assert feed(b"\x1b]7;/a\x07\x1b]7;" + url + b"\x07" + A)[0].cwd == "/a"


PIECES = st.sampled_from(
    [A, B, C, d(), d(b"7"), b"foo", b"\r\n", b"\x1b", b"\x1b]", b"\x1b]133;", b"\x1b\\", b"\x07", b"]", b"\x1b[?2004h",
     b"\x1b]7;file://h/%41\x07", b"\x1b]633;E;a\\x20b\x07", b"\x1b]133;C;cmdline_url=a%20b\x07", b"\xc3\xa9", b"x" * 8180]
)  # fmt: skip
RAW = st.lists(PIECES, max_size=20).map(b"".join)
CUTS = st.lists(st.integers(0, 200) | st.integers(0, 20000), max_size=12)


def chunks(raw, cuts):
    places = sorted({min(cut, len(raw)) for cut in cuts} | {0, len(raw)})
    return [raw[begin:end] for begin, end in pairwise(places)]


@given(RAW, CUTS)
def test_the_boundaries_of_chunks_do_not_matter(raw, cuts):
    whole, offset, found = Commands(), 0, []
    expected = whole.feed(raw, 0, lambda _end: 0.0)
    parted = Commands()
    for piece in chunks(raw, cuts):
        found += parted.feed(piece, offset, lambda _end: 0.0)
        offset += len(piece)
        parted = Commands(json.loads(json.dumps(parted.dump())))  # killed, and going on
    assert found == expected
    assert parted.dump() == whole.dump()


@given(st.text(max_size=50))
def test_any_text_by_url(text):
    text = text.encode(errors="replace").decode()
    assert texts(b"\x1b]133;C;cmdline_url=" + quote(text, safe="").encode() + b"\x07") == [text]


@given(RAW | st.binary(max_size=300))
def test_ranges_are_in_order(raw):
    for fact in feed(raw):
        assert 0 <= fact.offset <= len(raw)
        if isinstance(fact, Finished):
            assert fact.start <= fact.end == fact.offset


@pytest.mark.parametrize("piece", [b"\x1b]133;", b"\x1b]", b"\x1b]133;C", b"\x1b]7;x", C])
def test_hostile_output_takes_no_time(piece):
    feed(*[piece * 2000] * 10)


@pytest.mark.parametrize("before", [b"x" * 10_000, b"x" * 9_999 + b"\x07", b"\x1b]0;" + b"x" * 10_000])
@pytest.mark.parametrize("length", [0, 100, 8100])
def test_a_mark_that_begins_at_the_end_of_much_output(before, length):
    mark = b"\x1b]133;C;aid=%s\x07" % (b"x" * length)
    for at in range(1, len(mark), 1 + length // 50):
        shell = Commands()
        facts = feed(before + mark[:at], mark[at:], commands=shell)
        assert [fact.offset for fact in facts] == [len(before) + len(mark)], at

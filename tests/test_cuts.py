"""Escape sequences that the cut of a long line parts: what is in them is no text in the next piece, either."""

import time
from itertools import pairwise

import pytest
from ctmux.services.matcher import cuts, visible
from ctmux.services.matcher.engine import Engine
from ctmux.services.matcher.governor import Governor
from ctmux.services.matcher.index import Index
from ctmux.services.matcher.lines import LINE_MAX
from ctmux.services.matcher.stream import StreamState
from ctmux.services.matcher.subscription import Subscription
from ctmux.shared import spool, terminal
from hypothesis import example, given, settings
from hypothesis import strategies as st

SERVER, STREAM = "0123abcd", "p1.2.w3.k"
IMAGE = b"\x1b]1337;File=inline=1:" + b"QUJD" * 20_000 + b"ERROR" + b"QUJD" * 1000


def lines(raw, sizes=(), pattern=".+", armed=None, offset=0):
    """Where each line is that fires, and its text, from `offset` on; fed in pieces of these sizes, then the rest."""
    one = Subscription("s1", 1, "pattern", [pattern], None, None, None, "", 0.0, armed={f"{SERVER}/{STREAM}": armed or 0})
    engine, index = Engine(), Index()
    engine.add(pattern)
    index.add(one)
    state = StreamState(SERVER, "$1", "%1", STREAM, offset)
    if offset:
        state.look_back(printed(raw), offset, visible.State())
    at = [offset]
    for size in sizes:
        at.append(min(at[-1] + size, len(raw)))
    blocks = [block for start, end in pairwise([*at, len(raw)]) for block in state.lines.feed(raw[start:end])]
    blocks += filter(None, [state.lines.flush()])
    hits = [hit for block in blocks for hit in state.hits(block, engine, index, Governor())]
    return [(hit.offset, hit.end, hit.line) for hit in hits]


def printed(raw, kept=0):
    """`spool.read` of it."""

    def read(offset, limit):
        start = max(offset, kept)
        return spool.Range(start, raw[start : start + limit], kept, len(raw))

    return read


def at(place, raw):
    """So that `raw` begins at this place of a long line."""
    return b"x" * place + raw


# ---- what is in a sequence -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"\x07", b"\x1b\\", b""])
def test_an_inline_image_is_no_text(end):
    raw = IMAGE + end + b"\r\nERROR 2\r\n"
    assert [line for _start, _end, line in lines(raw)] == ["ERROR 2"]


def test_what_follows_an_image_fires_where_it_is():
    raw = b"cat: " + IMAGE + b"\x07 ERROR 1\r\nERROR 2\r\n"
    assert lines(raw, pattern="ERROR") == [
        (LINE_MAX, len(raw) - 10, " ERROR 1"), (len(raw) - 9, len(raw) - 1, "ERROR 2"),
    ]  # fmt: skip


@pytest.mark.parametrize("begin", [b"\x1b]52;c;", b"\x1bP0;1q", b"\x1bX", b"\x1b^", b"\x1b_G", b"\x1bk"])
def test_strings_of_several_pieces(begin):
    raw = b"a" + begin + b"ERROR" * 60_000 + b"\x1b\\b\r\n"
    assert [line for _start, _end, line in lines(raw)] == ["a", "b"]


SEQUENCES = (
    b"\x1b]2;ERROR title\x07", b"\x1b]2;ERROR title\x1b\\", b"\x1bkERROR\x1b\\", b"\x1b[31m", b"\x1b[38;5;200m", b"\x1b(B",
    b"\x1b[0 q", b"\x1b]133;A;k=v\x1b\\", b"\x1b[?25l", b"\x1b]2;ERROR\x1b[0m", b"\x1b]2;ERROR\x1b]0;ERROR\x07",
    b"\x1b]52;c;" + b"ERROR" * 60 + b"\x1b\\",
)  # fmt: skip


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_sequence_that_is_cut_anywhere(sequence):
    over = b"\x1b]133;D\x07" if b"133;A" in sequence else b""  # else it is a prompt
    for length in range(len(sequence) + 1):
        raw = at(LINE_MAX - length, sequence + over + b"ok\r\n")
        assert lines(raw)[1:] == [(LINE_MAX, len(raw) - 1, "ok")], length


def test_a_line_end_ends_what_has_no_end():
    assert [line for _start, _end, line in lines(at(LINE_MAX - 9, b"\x1b]0;no end\rok\r\n"))][1:] == ["ok"]


def test_armed_in_a_sequence():
    """Only what is printed then counts, and what is in the sequence is still no text."""
    raw = b"a \x1b]2;a title\x07b title\r\n"
    assert lines(raw, pattern=".*title", armed=8) == [(0, len(raw) - 1, "b title")]
    raw = IMAGE + b"\x07b\r\n"
    assert lines(raw, armed=70_000) == [(LINE_MAX, len(raw) - 1, "b")]


PIECES = st.sampled_from(
    [*SEQUENCES, b"\x1b", b"\x1b]", b"\x1b[", b"\x1b[3", b"\x1bP", b"\x07", b"\\", b"ERROR", b"x", b"x" * 100, b" ", b"1m",
     b"\x1b]2;" + b"y" * 66_000, b"\x1b]2;" + b"y" * 300, b"\x1b[" + b"1;" * 40_000, b"x" * 65_000, b"\r", b"\n"]
)  # fmt: skip
RAW = st.tuples(st.integers(LINE_MAX - 60, LINE_MAX), st.lists(PIECES, max_size=12)).map(
    lambda drawn: at(drawn[0], b"".join(drawn[1]))
)
SIZES = st.lists(st.integers(1, 90_000), max_size=6)


@settings(max_examples=60)
@given(RAW, SIZES)
@example(IMAGE + b"\x07 ERROR 1\r\nERROR 2\r\n", [1, LINE_MAX - 1, 1, 20_000])
def test_the_boundaries_of_chunks_do_not_matter(raw, sizes):
    assert lines(raw, sizes) == lines(raw)


@settings(max_examples=60)
@given(RAW)
def test_all_pieces_have_the_text_of_the_line(raw):
    raw = raw.translate(None, b"\r\n").replace(b"\x1b]133;A", b"\x1b]134;A")
    assert "".join(line for _start, _end, line in lines(raw)) == terminal.clean(raw).decode()


# ---- where a matcher begins ----------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(RAW)
@example(IMAGE * 4 + b"\x07 ERROR 1\r\nERROR 2\r\n")
def test_a_matcher_that_begins_at_a_piece(raw):
    raw = raw.replace(b"\x1b]133;A", b"\x1b]134;A")
    everything = lines(raw)
    for start in {start for start, _end, _line in everything}:
        assert lines(raw, offset=start) == [one for one in everything if one[0] >= start]


@pytest.mark.parametrize("back", [0, 1, cuts.REACH - 3, cuts.REACH, cuts.REACH + 3, 5 * cuts.REACH])
def test_a_string_is_found_however_far_back_it_begins(back):
    raw = b"foo\r\n\x1b]2;" + b"x" * back
    begun = cuts.before(printed(raw + b"\x07more"), len(raw))
    assert terminal.clean(begun + b"ERROR\x07ok") == b"ok"
    assert cuts.before(printed(raw + b"\x07more"), len(raw) + 1) == b""
    assert cuts.before(printed(raw + b"\x07more"), 5) == cuts.before(printed(raw), 0) == b""
    assert cuts.before(printed(raw, kept=9), len(raw)) == b""  # nobody knows


# ---- what it costs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [b"\x1b", b"\x1b[", b"\x1b]", b"\x1b]0;x", b"\x1b[?1;", b"1;", b" ", b"\x1b("])
@pytest.mark.parametrize("begin", [b"\x1b[", b"\x1b]", b"\x1b"])
def test_hostile_lines_take_no_time_and_little_is_kept(begin, piece):
    began = time.thread_time()
    assert len(cuts.unfinished(begin + piece * 100_000)) < 300
    assert time.thread_time() - began < 1.0  # if it took quadratic time: minutes

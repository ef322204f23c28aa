"""Chunks to blocks of whole lines, whatever the boundaries."""

from itertools import pairwise

import pytest
from ctmux.services.matcher.lines import LINE_MAX, Block, Lines
from hypothesis import given
from hypothesis import strategies as st

PIECES = st.sampled_from([b"a", b"bc", b" ", b"\r", b"\n", b"\r\n", b"\n\n", b"\x1b[31m", b"\x00", b"\xff"])
RAW = st.lists(PIECES, max_size=30).map(b"".join)


def chunks(raw, cuts):
    at = sorted({min(cut, len(raw)) for cut in cuts} | {0, len(raw)})
    return [raw[begin:end] for begin, end in pairwise(at)]


def blocks(raw, cuts, start=0):
    lines = Lines(start)
    found = [block for chunk in chunks(raw, cuts) for block in lines.feed(chunk)] + [lines.flush()]
    assert (lines.end, lines.tail) == (start + len(raw), b"")
    return [block for block in found if block]


@given(RAW, st.lists(st.integers(0, 60)), st.integers(0, 10**9))
def test_any_chunking_gives_every_byte_once_at_its_offset(raw, cuts, start):
    found = blocks(raw, cuts, start)
    assert b"".join(block.raw for block in found) == raw
    at = start
    for block in found:
        assert block.offset == at
        at += len(block.raw)


@given(RAW, st.lists(st.integers(0, 60)))
def test_blocks_are_whole_lines(raw, cuts):
    found = blocks(raw, cuts)
    for block, following in pairwise(found):
        assert block.raw.endswith((b"\r", b"\n"))
        assert not (block.raw.endswith(b"\r") and following.raw.startswith(b"\n"))
        assert not block.partial and not block.truncated


def test_crlf_in_two_chunks_is_one_line_end():
    lines = Lines(100)
    assert lines.feed(b"one\r") == []
    assert lines.feed(b"\ntwo\r") == [Block(100, b"one\r\n")]
    assert lines.feed(b"three") == [Block(105, b"two\r")]
    assert (lines.offset, lines.end) == (109, 114)


def test_an_unfinished_line_stays_for_its_completion():
    lines = Lines(0)
    assert lines.unfinished() is None
    lines.feed(b"done\n$ ")
    assert lines.unfinished() == lines.unfinished() == Block(5, b"$ ", partial=True)
    assert lines.feed(b"ls\n") == [Block(5, b"$ ls\n")]


def test_the_last_line_of_a_stream():
    lines = Lines(0)
    assert lines.flush() is None
    lines.feed(b"end\r")
    assert lines.flush() == Block(0, b"end\r")
    assert lines.flush() is None
    assert lines.end == 4


def test_going_on_behind_a_hole():
    lines = Lines(0)
    lines.feed(b"half a li")
    lines.skip(4096)
    assert lines.unfinished() is None
    assert lines.feed(b"ne\n") == [Block(4096, b"ne\n")]


def test_going_on_at_the_beginning_of_a_line_ends_a_torn_one():
    lines = Lines(0)
    lines.tear(4096)
    lines.feed(b"no end of a li")
    lines.skip(8192)
    assert lines.feed(b"whole\n") == [Block(8192, b"whole\n")]


def test_no_line_is_longer_than_the_cap():
    lines = Lines(0)
    assert lines.feed(b"x" * LINE_MAX) == []
    [block] = lines.feed(b"y")
    assert block.truncated and len(block.raw) >= LINE_MAX
    lines.feed(b"z\n")
    assert len(lines.tail) <= LINE_MAX


def test_the_tail_never_grows_over_the_cap():
    lines = Lines(0)
    total = 0
    for _ in range(40):
        total += sum(len(block.raw) for block in lines.feed(b"x" * 10_000))
        assert len(lines.tail) <= LINE_MAX
    assert total + len(lines.tail) == 400_000


@pytest.mark.parametrize("size", [1000, 4096, 65536, 100_000, 1 << 18])
def test_a_long_line_is_cut_at_the_same_places_whatever_the_chunks(size):
    """A matcher that is started again reads other pieces than those that were published; the ids of its events are
    offsets of lines, so these must be the same. A screen full of `vim` has no line end."""
    raw = b"x" * 300_000 + b"\nnext\n"
    lines = Lines(0)
    found = []
    for at in range(0, len(raw), size):
        found += lines.feed(raw[at : at + size])
    pieces = [offset for block in found for offset in starts(block)]
    assert pieces == [*range(0, 300_000, LINE_MAX), 300_001]


def starts(block):
    """Where the lines of a block begin: that is where the matcher says that they are."""
    at = block.offset
    for piece in block.raw.splitlines(keepends=True):
        yield at
        at += len(piece)


@given(RAW, RAW, st.lists(st.integers(0, 60)), st.integers(0, 10**9))
def test_after_a_hole_the_torn_line_is_left_out(before, raw, cuts, start):
    lines = Lines(0)
    lines.feed(before)
    lines.tear(start)
    found = [block for chunk in chunks(raw, cuts) for block in lines.feed(chunk)] + [lines.flush()]
    first = min((raw.index(end) for end in (b"\r", b"\n") if end in raw), default=len(raw))
    rest = raw[first + 1 :]
    assert b"".join(block.raw for block in found if block) == rest
    assert [block.offset for block in found if block][:1] in ([], [start + first + 1])
    assert lines.end == start + len(raw)

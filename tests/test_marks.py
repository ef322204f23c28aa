"""The index beside a spool: nothing of it is lost by a death, and what is given back is nobody's place to go on from."""

import os
import struct
import tempfile
from itertools import pairwise

import pytest
from ctmux.shared.marks import Index, Mark, read
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def path(tmp_path):
    return f"{tmp_path}/p1.2.w3.k.idx"


def raw(path):
    with open(path, "rb") as file:
        return [Mark(offset, time, bool(end)) for offset, time, end in struct.iter_unpack("<QdQ", file.read())]


def test_an_empty_index(path):
    index = Index(path)
    assert index.last() == Mark(0, 0.0, False)
    assert os.stat(path).st_mode & 0o777 == 0o600
    index.close()


def test_the_last_mark_is_there_after_reopening(path):
    index = Index(path)
    index.add(Mark(100, 1.5, False))
    index.add(Mark(2**40, 2.5, True))
    index.close()
    index = Index(path)
    assert index.last() == Mark(2**40, 2.5, True)
    index.add(Mark(2**40 + 1, 3.5, False))
    assert index.last() == Mark(2**40 + 1, 3.5, False)
    index.close()


def test_a_reader_sees_the_marks_and_leaves_what_is_torn(path):
    assert list(read(path)) == [] and not os.path.exists(path)
    with open(path, "wb") as file:
        file.write(struct.pack("<QdQ", 3, 1.5, 0) + struct.pack("<QdQ", 9, 2.5, 1) + b"\x01" * 23)
    assert list(read(path)) == [Mark(3, 1.5, False), Mark(9, 2.5, True)]
    assert os.path.getsize(path) == 71


def test_marks_that_are_close_are_one(path):
    index = Index(path)
    for step in range(40):
        index.add(Mark(step + 1, 1.0 + step / 40, False))
        assert index.last() == Mark(step + 1, 1.0 + step / 40, False)  # where to go on is always known
    index.add(Mark(40, 1.98, True))
    index.close()
    found = raw(path)
    assert found[-1] == Mark(40, 1.98, True) and found[-2] == Mark(40, 1.975, False)
    assert len(found) < 13 and max(later.time - mark.time for mark, later in pairwise(found)) < 0.15


def test_a_clock_that_goes_back_loses_no_mark(path):
    index = Index(path)
    index.add(Mark(1, 100.0, False))
    index.add(Mark(2, 50.0, False))
    assert [mark.offset for mark in raw(path)] == [1, 2]
    index.close()


@pytest.mark.parametrize("torn", range(1, 24))
def test_a_torn_mark_is_cut(path, torn):
    index = Index(path)
    index.add(Mark(100, 1.5, False))
    index.add(Mark(200, 2.5, False))
    index.close()
    os.truncate(path, os.path.getsize(path) - torn)
    index = Index(path)
    assert index.last() == Mark(100, 1.5, False)
    index.add(Mark(300, 3.5, False))
    index.close()
    assert raw(path) == [Mark(100, 1.5, False), Mark(300, 3.5, False)]


def test_nothing_but_a_torn_mark(path):
    with open(path, "wb") as file:
        file.write(b"\x01" * 23)
    index = Index(path)
    assert index.last() == Mark(0, 0.0, False)
    assert os.path.getsize(path) == 0
    index.close()


@given(st.lists(st.integers(1, 3), min_size=1, max_size=600), st.lists(st.integers(0, 1200), min_size=1, max_size=4))
def test_reclaiming_keeps_every_mark_behind_it(steps, reclaimed):
    offsets = [sum(steps[: index + 1]) for index in range(len(steps))]
    with tempfile.TemporaryDirectory() as directory:
        index = Index(f"{directory}/idx")
        for number, offset in enumerate(offsets):
            index.add(Mark(offset, 1.5 + number, False))
        for offset in reclaimed:  # in any order: a smaller one after a larger one changes nothing
            index.reclaim(offset)
        kept = [mark.offset for mark in raw(f"{directory}/idx")]
        wanted = [offset for offset in offsets if offset > max(reclaimed)]
        assert [offset for offset in kept if offset > max(reclaimed)] == wanted
        index.close()


def test_reclaiming_gives_space_back(path):
    index = Index(path)
    for offset in range(1, 2001):
        index.add(Mark(offset, float(offset), False))
    before = os.stat(path).st_blocks
    index.reclaim(1900)
    assert os.stat(path).st_blocks < before / 4
    assert index.last() == Mark(2000, 2000.0, False)
    kept = list(read(path))  # the hole may end in a mark
    assert kept == [Mark(at, float(at), False) for at in range(kept[0].offset, 2001)] and 1 < kept[0].offset <= 1901
    index.close()

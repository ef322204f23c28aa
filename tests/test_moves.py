"""Whose bytes are whose in a stream whose pane has moved, and the notes that say it."""

import os

import pytest
from ctmux.services.keeper.pane import Move
from ctmux.services.keeper.spools import Spools
from ctmux.shared import moves, spool
from ctmux.shared.moves import Moved, Route
from hypothesis import given
from hypothesis import strategies as st

STREAM = "p1.100.w1.k"
THERE_AND_BACK = Route("$1", [Moved(10, "$1", "$2"), Moved(30, "$2", "$1")])


@pytest.mark.parametrize(
    ("route", "offset", "part"),
    [
        (Route("$3"), 0, ("$3", None)),
        (Route("$3"), 99, ("$3", None)),
        (THERE_AND_BACK, 0, ("$1", 10)),
        (THERE_AND_BACK, 9, ("$1", 10)),
        (THERE_AND_BACK, 10, ("$2", 30)),
        (THERE_AND_BACK, 30, ("$1", None)),
        (Route("$1", [Moved(0, "$1", "$2")]), 0, ("$2", None)),  # its spool is about to follow
        (Route("$2", [Moved(10, "$1", "$2"), Moved(12, "$1", "$2")]), 11, ("$2", 12)),  # noted twice around a kill
    ],
)
def test_each_byte_is_of_one_session(route, offset, part):
    assert route.part(offset) == part


def test_what_is_ahead():
    assert THERE_AND_BACK.sessions(0) == THERE_AND_BACK.sessions(10) == {"$1", "$2"}
    assert THERE_AND_BACK.sessions(30) == {"$1"}
    assert Route("$3").sessions(5) == {"$3"}


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abc")), max_size=6), st.integers(0, 50), st.integers(0, 50))
def test_parts_are_the_bytes_one_by_one(steps, start, end):
    noted, here = [], "a"
    for offset, session in sorted(steps):
        noted.append(Moved(offset, here, session))
        here = session
    route = Route(here, noted)
    parts, at = [], start
    for session, until in route.parts(start, end):
        parts += [session] * (until - at)
        at = until
    assert parts == [route.part(offset).session for offset in range(start, end)]


def test_a_move_is_noted_once_and_before_the_spool_follows(tmp_path, monkeypatch):
    spools = Spools(str(tmp_path), "x", kept=None, lives=lambda session: True)
    os.makedirs(f"{spools.directory}/s1")
    path = f"{spools.directory}/s1/{STREAM}.raw"
    open(path, "w").close()
    noted = spool.meta(spools.directory, STREAM, moves.SUFFIX)
    rename = os.rename
    monkeypatch.setattr(os, "rename", lambda old, new: None if old == path else rename(old, new))  # killed before that
    spools.follow([Move(STREAM, "$1", "$2", 10)])
    monkeypatch.undo()
    spools.follow([Move(STREAM, "$1", "$2", 10)])
    assert moves.read(noted) == [Moved(10, "$1", "$2")]
    assert spools.find(STREAM) == f"{spools.directory}/s2/{STREAM}.raw"
    spools.follow([Move(STREAM, "$1", "$3", 20)])  # a keeper that was killed had put it into $2, and not said so
    assert spools.find(STREAM) == f"{spools.directory}/s3/{STREAM}.raw"


def test_a_move_that_cannot_be_noted_is_not_made(tmp_path, monkeypatch, capsys):
    spools = Spools(str(tmp_path), "x", kept=None, lives=lambda session: True)
    os.makedirs(f"{spools.directory}/s1")
    path = f"{spools.directory}/s1/{STREAM}.raw"
    open(path, "w").close()
    due = [Move(STREAM, "$1", "$2", 10)]

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    spools.follow(due)
    assert due and os.path.exists(path) and not os.path.exists(f"{spools.directory}/meta/{STREAM}.moves.new")
    assert "cannot follow its pane" in capsys.readouterr().out
    monkeypatch.undo()
    spools.follow(due)
    assert not due and not os.path.exists(path)

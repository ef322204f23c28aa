"""Whose bytes are whose in a stream whose pane has moved, and the notes that say it."""

import os

import pytest
from ctmux.services.keeper.pane import Move, Pane
from ctmux.services.keeper.spools import Spools
from ctmux.shared import moves
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
    assert THERE_AND_BACK.ahead(0) == THERE_AND_BACK.ahead(10) == {"$1", "$2"}
    assert THERE_AND_BACK.ahead(30) == {"$1"}
    assert Route("$3").ahead(5) == {"$3"}


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
    assert parts == [route.session(offset) for offset in range(start, end)]


@pytest.fixture
def spools(tmp_path):
    made = Spools(str(tmp_path), "x", kept=None, lives=lambda session: True)
    os.makedirs(f"{made.directory}/s1")
    open(f"{made.directory}/s1/{STREAM}.raw", "w").close()
    return made


def printed(spools, text):
    with open(spools.find(STREAM), "a") as file:
        file.write(text)


def notes(spools):
    return f"{spools.directory}/meta/{STREAM}.moves"


def lies_in(spools):
    return os.path.basename(os.path.dirname(spools.find(STREAM)))


def test_a_move_is_noted_once_and_before_the_spool_follows(spools, monkeypatch):
    printed(spools, "in one")
    monkeypatch.setattr(os, "rename", lambda old, new: None)  # killed before that
    assert spools.note(Move(STREAM, "$1", "$2")) == 6
    spools.follow([Move(STREAM, "$1", "$2")])
    monkeypatch.undo()
    printed(spools, "in two")
    assert spools.note(Move(STREAM, "$1", "$2")) == 6
    spools.follow([Move(STREAM, "$1", "$2")])
    assert moves.read(notes(spools)) == [Moved(6, "$1", "$2")]
    assert lies_in(spools) == "s2"
    spools.follow([Move(STREAM, "$1", "$3")])  # a keeper that was killed had put it into $2, and not said so
    assert lies_in(spools) == "s3" and moves.read(notes(spools))[1:] == [Moved(12, "$1", "$3")]


def test_a_move_that_nobody_told_of_is_taken_back(spools):
    spools.follow([Move(STREAM, "$1", "$2")])  # and the keeper was killed before it said so
    printed(spools, "in two")
    pane = Pane(100, "$1", "@1", STREAM)  # as it was told, and as it is again
    due = spools.astray([pane, Pane(7, "$2", "@1", "p2.7.w1.k"), Pane(8, "$2", "@1")])
    assert due == [Move(STREAM, "$2", "$1")]
    spools.follow(due)
    assert lies_in(spools) == "s1" and moves.read(notes(spools)) == [Moved(0, "$1", "$2"), Moved(6, "$2", "$1")]
    assert spools.astray([pane]) == []


def test_a_move_that_cannot_be_noted_is_not_made(spools, monkeypatch, capsys):
    printed(spools, "in one")
    due = [Move(STREAM, "$1", "$2")]
    monkeypatch.setattr(os, "write", lambda fd, data: 3)
    assert spools.note(due[0]) == 6
    spools.follow(due)
    assert due and lies_in(spools) == "s1" and moves.read(notes(spools)) == []
    assert "cannot follow its pane: no space left" in capsys.readouterr().out
    monkeypatch.undo()
    spools.follow(due)
    assert not due and lies_in(spools) == "s2" and moves.read(notes(spools)) == [Moved(6, "$1", "$2")]


def test_a_spool_that_is_gone_holds_nothing_up(spools):
    os.unlink(spools.find(STREAM))
    os.rmdir(f"{spools.directory}/meta")
    due = [Move(STREAM, "$1", "$2")]
    assert spools.note(due[0]) == 0
    spools.follow(due)
    assert not due


def test_damaged_notes_are_left_out(tmp_path):
    path = tmp_path / "notes"
    moves.add(str(path), Moved(5, "$1", "$2"))
    with open(path, "ab") as file:
        file.write(b"\0\0\0\0\n9 $2\nx $2 $1\n")
    moves.add(str(path), Moved(9, "$2", "$1"))
    with open(path, "ab") as file:
        file.write(b"12 $1 $")
    route = moves.look(str(path), Route("$1"), "$1")
    assert list(route.moves) == [Moved(5, "$1", "$2"), Moved(9, "$2", "$1")]
    assert moves.look(str(path), route, "$1") == route
    assert moves.look(f"{path}.no", Route("$1"), "$4") == Route("$4")

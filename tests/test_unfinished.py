"""A line that is not whole yet: when it was printed, and that nobody takes it for missing before it is looked at."""

import os
import time
from types import SimpleNamespace

import pytest
from ctmux.services.matcher import feed
from ctmux.services.matcher.aside import Untold
from ctmux.services.matcher.reader import Reader
from ctmux.shared import spool
from ctmux.shared.messages import Finish

NAME = "p1.2.w3.k"


class Matcher:
    """The loop and the owner of a reader; `told` has the lines that it evaluates, and when they were printed."""

    def __init__(self, root):
        self.told, self.gaps, self.timers, self.outbox, self.finished = [], [], [], [], []
        self.held, self.remembers, self.wanted, self.sessions = False, True, True, ("$1", "$2")
        self.path = root / "x" / "s1" / f"{NAME}.raw"
        (root / "x" / "meta").mkdir(parents=True)
        self.path.parent.mkdir()
        (root / "x" / "s2").mkdir()
        self.streams = {}
        self.reader = Reader(self, self, self.streams, str(root), 60.0)
        self.came = self.grew = lambda *_: None
        self.missed = lambda _state, start, end: self.gaps.append((start, end))

    def print(self, text, age):
        """Which is read late."""
        self.write(text)
        os.utime(self.path, (time.time() - age,) * 2)
        self.begin()

    def write(self, text):
        with open(self.path, "ab") as file:
            file.write(text)

    def move(self):
        """Into another session."""
        self.path = self.path.rename(self.path.parent.parent / "s2" / self.path.name)

    def finish(self, over=False):
        """Read what is there."""
        waiting, self.timers = self.timers, []
        self.ask(over)
        self.turn()
        self.timers += waiting

    def ask(self, over):
        request = Finish("x", f"${self.path.parent.name[1:]}", "%1", NAME, 0, over, over)
        self.reader.finish(request, lambda: self.finished.append(over))

    def begin(self):
        """With a subscription, or by a look."""
        self.reader.begin(spool.Spool("x", "$1", spool.parse_stream(NAME), str(self.path)))
        self.turn()

    def register(self, _readable, _action):
        pass

    def after(self, _seconds, action):
        self.timers.append(action)
        return SimpleNamespace(cancel=lambda: None)

    def turn(self):
        due, self.timers = self.timers, []
        for action in due:
            action()

    def wants(self, state):
        return self.wanted and state.session in self.sessions

    def evaluate(self, _state, block, times):
        self.told.append((block.raw, round(time.time() - times.of(block.offset + len(block.raw)))))


@pytest.fixture
def matcher(tmp_path):
    return Matcher(tmp_path)


def test_it_was_printed_when_its_spool_was_written(matcher):
    matcher.print(b"login: ", age=99.0)
    matcher.turn()
    assert matcher.told == [(b"login: ", 99)]


@pytest.mark.parametrize("over", [False, True])
def test_the_last_one_was_printed_before_the_end(matcher, over):
    matcher.print(b"failed", age=99.0)
    matcher.finish(over)
    assert matcher.told == [(b"failed", 99)]


def test_what_cannot_be_evaluated_is_not_finished_and_ends_the_process(matcher):
    """The next one reads it again. A failed answer would do neither."""
    matcher.evaluate = lambda *_: 1 / 0
    matcher.write(b"one\n")
    matcher.ask(over=True)
    with pytest.raises(ZeroDivisionError):
        matcher.turn()
    assert matcher.finished == []


def test_nobody_is_sure_of_the_time_before_it_until_it_is_looked_at(matcher):
    matcher.print(b"login: ", age=99.0)
    assert [matcher.reader.is_unsure(time.time() - age) for age in (100.0, 98.0)] == [False, True]
    matcher.turn()
    assert not matcher.reader.is_unsure(time.time())


def test_what_is_not_read_yet_was_printed_after_what_is(matcher):
    """So a flood of which we never see the end keeps no time from passing."""
    matcher.reader.begin(spool.Spool("x", "$1", spool.parse_stream(NAME), str(matcher.path)))
    matcher.write(b"y\n" * feed.TURN)
    os.utime(matcher.path, (time.time() - 99.0,) * 2)
    assert matcher.reader.behind(1.0)  # nothing is read
    matcher.turn()
    assert [matcher.reader.behind(time.time() - age) for age in (100.0, 98.0)] == [False, True]
    matcher.turn()
    assert not matcher.reader.behind(time.time())


@pytest.mark.parametrize("passed_by", [False, True])
def test_the_rest_of_a_torn_one_is_not_awaited_by_who_subscribes_later(matcher, passed_by):
    """What was missing before is told to its end; the first line of the new subscription is not taken for that rest."""
    matcher.begin()
    [state] = matcher.streams.values()
    matcher.path.write_bytes(bytes(8192) + b"rest of a line, ")
    with open(matcher.path, "rb+") as file:
        assert spool.reclaim(file.fileno(), 8192)
    state.lines.tear(8192)
    matcher.finish()
    state.missing = 0
    assert state.lines.torn and state.lines.end == 8208
    matcher.write(b"and its end\nlogin: ")
    if passed_by:
        matcher.wanted = False
        matcher.finish()
        matcher.wanted = True
    matcher.begin()
    matcher.write(b"ok\n")
    matcher.finish()
    assert matcher.gaps == [(0, 8208)] and [raw for raw, _age in matcher.told] == [b"login: ok\n"]


def test_a_line_that_a_pane_begins_before_it_moves_is_whole(matcher):
    """`ERR` is no line of it."""
    matcher.sessions = ("$2",)
    matcher.write(b"one\nno ERR")
    matcher.finish()
    matcher.move()
    matcher.write(b"OR\n")
    matcher.finish()
    assert [raw for raw, _age in matcher.told] == [b"no ERROR\n"]


def test_what_is_still_to_be_told_is_known_before_it_is_read(matcher):
    matcher.write(b"before\n")
    matcher.begin()
    matcher.write(b"a line\n")
    os.utime(matcher.path, (time.time() - 100.0,) * 2)
    matcher.reader.look()
    assert not list(matcher.reader.unread()) and not list(matcher.reader.unsure())
    matcher.write(b"login: ")
    matcher.reader.notice()
    [unread] = matcher.reader.unread()
    assert unread == Untold(unread.at, NAME, "x", {"$1"}, "%1")
    assert 99.0 < time.time() - unread.at < 110.0  # it came later than what was read last
    matcher.turn()
    [unsure] = matcher.reader.unsure()
    assert not list(matcher.reader.unread()) and unsure == Untold(unsure.at, NAME, "x", {"$1"}, "%1")
    assert time.time() - unsure.at < 10.0

"""What was printed before a subscription was armed, with real spools: in turns, and what is not whole when it is quiet."""

import os
import time
from types import SimpleNamespace

import pytest
from ctmux.services.matcher.governor import Governor
from ctmux.services.matcher.history import History
from ctmux.services.matcher.options import read
from ctmux.services.matcher.reader import Reader
from ctmux.services.matcher.stream import StreamState
from ctmux.services.matcher.subscription import Subscription
from ctmux.shared import spool
from ctmux.shared.moves import Moved, Route

NAME = "p1.2.w3.k"


class Matcher:
    """Timers and owner of a history; `told` has the lines that it reports."""

    def __init__(self, root):
        self.governor, self.told, self.timers, self.held, self.gone = Governor(), [], [], False, False
        self.history = History(self, self, str(root), 60.0)
        self.spool = root / "x" / "s1" / f"{NAME}.raw"
        (root / "x" / "meta").mkdir(parents=True)
        self.spool.parent.mkdir()
        self.live = StreamState("x", "$1", "%1", NAME, 0)

    def print(self, text, age=0.0):
        """And it is read as it comes."""
        with open(self.spool, "ab") as file:
            file.write(text)
        os.utime(self.spool, (time.time() - age,) * 2)
        self.live.lines.feed(text)

    def begin(self, pattern, session=None):
        wanted = Subscription("s1", 1, "pattern", [pattern], None, session, None, "", 0.0, read("pattern", [pattern], {}))
        self.history.begin(wanted, self.live, 0)

    def after(self, seconds, action):
        self.timers.append((seconds, action))

    def turn(self):
        """The pauses of the timers that were due."""
        due, self.timers = self.timers, []
        for _seconds, action in due:
            action()
        return [seconds for seconds, _action in due]

    def report(self, _state, hits, _times):
        self.told += [hit.match.text for hit in hits]

    def lives(self, _subscription):
        return not self.gone


@pytest.fixture
def matcher(tmp_path):
    return Matcher(tmp_path)


def test_half_a_line_is_no_line_while_its_rest_may_come(matcher):
    matcher.print(b"port 80")
    matcher.begin(r"port \d+")
    matcher.turn()
    matcher.print(b"80\n")
    assert matcher.turn()[0] > 1.0 and matcher.told == ["port 8080"] and not matcher.timers


def test_half_a_line_that_stays_is_one(matcher):
    matcher.print(b"port 80", age=99.0)
    matcher.begin(r"port \d+")
    matcher.turn()
    assert matcher.told == ["port 80"] and not matcher.timers


def test_half_a_line_of_a_stream_that_ends_is_told_before_the_end(matcher):
    matcher.print(b"port 80")
    matcher.begin(r"port \d+")
    matcher.turn()
    ends = []
    matcher.history.once_told("x", NAME, lambda: ends.append(list(matcher.told)))
    assert not ends
    matcher.turn()
    assert ends == [["port 80"]]
    matcher.history.once_told("x", NAME, lambda: ends.append([]))
    assert len(ends) == 2


def test_what_is_typed_at_a_prompt_from_before_is_no_output(matcher):
    with open(spool.meta(str(matcher.spool.parent.parent), NAME, "history"), "w") as file:
        file.write("$ ")
    matcher.print(b"echo foo\r\nfoo bar\r\n", age=99.0)
    matcher.begin("foo.*")
    matcher.turn()
    assert matcher.told == ["foo bar"]


def test_it_is_read_in_slices_and_not_while_nothing_may_be_read(matcher, monkeypatch):
    matcher.print(b"foo\n" * 40_000, age=99.0)
    matcher.begin("foo")
    assert not matcher.told
    matcher.held = True
    matcher.turn()
    assert not matcher.told and matcher.timers
    matcher.held = False
    monkeypatch.setattr("ctmux.services.matcher.history._SLICE", -1.0)
    matcher.turn()
    assert 0 < len(matcher.told) < 40_000
    while matcher.timers:
        matcher.turn()
    assert len(matcher.told) == 40_000


ON, OFF = b"\x1b[?1049h", b"\x1b[?1049l"


@pytest.mark.parametrize(
    ("gone", "kept"),
    [
        (ON + b"vim\n" * 50_000 + OFF, b"text\nfoo 2\n"),
        (b"text\n" * 50_000, b"x" * 200_000 + ON + b"\nfoo vim\n" + OFF + b"\nfoo 2\n"),
    ],
)
def test_behind_what_was_given_back_meanwhile_it_is_seen_what_is_output(matcher, monkeypatch, gone, kept):
    """An editor may have ended in what is gone, or begun in the line that is torn."""
    monkeypatch.setattr("ctmux.services.matcher.history._SLICE", -1.0)
    begin = b"foo 1\n" + gone
    begin += b"x" * (-len(begin) % 4096)
    matcher.print(begin + kept, age=99.0)
    matcher.begin("foo.*")
    matcher.turn()
    with open(matcher.spool, "rb+") as file:
        assert spool.reclaim(file.fileno(), len(begin))
    while matcher.timers:
        matcher.turn()
    assert matcher.told == ["foo 1", "foo 2"]


@pytest.mark.parametrize("gone", [0, 4096, 8192, 16384])
def test_the_past_of_a_session_is_what_was_printed_in_it(matcher, gone):
    """The pane came into it at 8,192, whatever was given back meanwhile."""
    matcher.print(b"foo 1\n" * 1365 + b"\n\n" + b"foo 2\n" * 4096, age=99.0)
    matcher.live.route = Route("$1", [Moved(8192, "$2", "$1")])
    with open(matcher.spool, "rb+") as file:
        assert spool.reclaim(file.fileno(), gone)
    matcher.begin("foo .", session="$1")
    while matcher.timers:
        matcher.turn()
    whole = 4096 - max(0, gone - 8192 + 5) // 6  # but for the line that is torn
    assert set(matcher.told) == {"foo 2"} and len(matcher.told) in (whole, whole - 1)


def test_the_past_of_what_is_over_is_not_told(matcher):
    matcher.print(b"foo\n", age=99.0)
    matcher.begin("foo")
    matcher.gone = True
    matcher.turn()
    assert not matcher.told and not matcher.timers


def test_a_stream_is_begun_with_again_where_it_stands(tmp_path):
    """With what its shell has said of its commands meanwhile."""
    matcher = Matcher(tmp_path)
    marked = []
    owner = SimpleNamespace(marked=lambda _state, facts: marked.extend(facts), held=False, outbox=[])
    service = SimpleNamespace(register=lambda *_: None, after=matcher.after)
    streams = {f"x/{NAME}": matcher.live}
    reader = Reader(service, owner, streams, str(tmp_path), 60.0)
    matcher.spool.write_bytes(b"\x1b]133;C\x07text\n")
    reader.begin(spool.Spool("x", "$0", spool.parse_stream(NAME), "where/it/was/before"))
    assert [fact.offset for fact in marked] == [8] and matcher.live.commands_end == matcher.live.lines.end == 13

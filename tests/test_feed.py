"""A stream that is read late: when it was printed, by the watcher's marks."""

import os
from types import SimpleNamespace

import pytest
from ctmux.services.matcher import commands
from ctmux.services.matcher.feed import Feed, piece
from ctmux.services.matcher.output import Output
from ctmux.services.matcher.stream import StreamState
from ctmux.services.matcher.subscription import Subscription
from ctmux.shared import spool
from ctmux.shared.marks import Index, Mark

PIECES = [b"\x1b]133;C\x07", b"text\n", b"\x1b]133;D;0\x07"]  # one a second


class Owner:
    def __init__(self, remembers):
        self.remembers, self.first, self.facts = remembers, [], []

    def grew(self, state, begin, times):
        self.first.append((begin, times.of(begin + 1), times.latest))

    def marked(self, state, found):
        self.facts += found

    def evaluate(self, state, block, times):
        pass


@pytest.fixture
def path(tmp_path):
    """A spool that was printed in three seconds."""
    (tmp_path / "x" / "s1").mkdir(parents=True)
    (tmp_path / "x" / "meta").mkdir()
    path = tmp_path / "x" / "s1" / "p1.2.w3.k.raw"
    path.write_bytes(b"".join(PIECES))
    os.utime(path, (3.0, 3.0))
    index = Index(spool.meta(str(tmp_path / "x"), "p1.2.w3.k", "idx"))
    for number in range(len(PIECES)):
        index.add(Mark(len(b"".join(PIECES[: number + 1])), number + 1.0, False))
    index.close()
    return path


@pytest.mark.parametrize("remembers", [True, False])
@pytest.mark.parametrize("wanted", [True, False])
def test_a_command_that_is_read_late_took_its_time(tmp_path, path, wanted, remembers):
    owner = Owner(remembers)
    feed = Feed(owner, str(tmp_path), lambda: False)
    state = StreamState("x", "$1", "%1", "p1.2.w3.k", 0)
    (feed.read if wanted else feed.pass_by)(state, str(path), path.stat().st_size)
    assert [(type(fact), fact.at) for fact in owner.facts] == [(commands.Started, 1.0), (commands.Finished, 3.0)]
    assert owner.first == ([(0, 1.0 if remembers else 3.0, 3.0)] if wanted else [])


def test_less_is_read_at_a_time_where_much_follows_from_it(tmp_path, path, monkeypatch):
    """A storm of lines with lines around each, say: others are answered between two pieces."""
    path.write_bytes(b"a storm\n" * 40_000 + b"as it was\n" * 100_000)
    clock, sizes = [0.0], []
    monkeypatch.setattr("ctmux.services.matcher.feed.time.thread_time", lambda: clock[0])
    owner = Owner(False)

    def evaluate(_state, block, _times):
        clock[0] += len(block.raw) * (5e-6 if b"storm" in block.raw else 1e-8)
        sizes.append(len(block.raw))

    owner.evaluate = evaluate
    feed, state = Feed(owner, str(tmp_path), lambda: False), StreamState("x", "$1", "%1", "p1.2.w3.k", 0)
    feed.read(state, str(path), path.stat().st_size)
    assert state.lines.end == path.stat().st_size
    assert sizes[0] > 60_000 and all(4000 < size <= 5010 for size in sizes[1:50]) and sizes[-2] > 60_000


@pytest.mark.parametrize("moves_after", [1, 2])
def test_a_pane_that_moves_while_it_is_read_for_the_first_time_loses_no_line(tmp_path, monkeypatch, moves_after):
    """By a matcher that has just begun: it looks back for what is to be seen where it begins."""
    for session in ("s1", "s2"):
        (tmp_path / "x" / session).mkdir(parents=True)
    path, there = (tmp_path / "x" / session / "p1.2.w3.k.raw" for session in ("s1", "s2"))
    path.write_bytes(b"before\n" * 9 + b"line 1\nline 2\n")
    read, seen, calls = spool.read, [], []

    def and_it_moves(where, offset, limit):
        calls.append(where)
        found = read(where, offset, limit)
        if len(calls) == moves_after:
            path.rename(there)
        return found

    monkeypatch.setattr(spool, "read", and_it_moves)
    owner = Owner(False)
    owner.evaluate = lambda _state, block, _times: seen.append(block.raw)
    feed, state = Feed(owner, str(tmp_path), lambda: False), StreamState("x", "$1", "%1", "p1.2.w3.k", 63)
    feed.read(state, str(path), path.stat().st_size)
    if there.exists() and state.lines.end < 77:
        feed.read(state, str(there), 77)
    assert seen == [b"line 1\nline 2\n"]


def test_a_piece_ends_where_it_is_to_end_also_behind_a_hole(tmp_path):
    path = tmp_path / "spool"
    path.write_bytes(b"a" * 8192 + b"b" * 100)
    assert piece(str(path), 10, 20).data == b"a" * 10
    with open(path, "rb+") as file:
        assert spool.reclaim(file.fileno(), 4096)
    assert piece(str(path), 10, 5000)[:2] == (4096, b"a" * 904)
    assert piece(str(path), 10, 4000)[:2] == (4096, b"")


@pytest.mark.parametrize(("since", "at"), [(0, 1.0), (len(PIECES[0]), 2.0)])
def test_output_that_is_read_late_was_in_time(tmp_path, path, since, at):
    """What came first counts for who waits for any; of what came since he waits."""
    wanted = Subscription("s1", 1, "timeout", [], None, None, None, "", 0.0, armed={"x/p1.2.w3.k": since})
    told = []
    output = Output.__new__(Output)
    output._index = SimpleNamespace(owners=lambda *_: [wanted])
    output._rules = SimpleNamespace(tell=told.extend, by_id={"s1": None})
    output._progress = SimpleNamespace(soon=lambda: None)
    output.marked = output.evaluate = lambda *_: None
    state = StreamState("x", "$1", "%1", "p1.2.w3.k", 0)
    Feed(output, str(tmp_path), lambda: False).read(state, str(path), path.stat().st_size)
    assert [fact["at"] for _id, fact in told] == [at]

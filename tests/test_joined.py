"""A follower of output: what it gives of what is over, moved away or half forgotten, and where it goes on.

Real are the spools, the lines of the journal and the follower; what the roles would answer is the test's.
"""

import os
from types import SimpleNamespace

import pytest
from ctmux.client import over, pace
from ctmux.client.gap import Gap
from ctmux.client.joined import JoinedFollower
from ctmux.client.script import Ask, Receive
from ctmux.client.streams import _ENDS_KEPT
from ctmux.services.logger.ledger import Ledger
from ctmux.shared import journal, moves, topics
from ctmux.shared.codec import encode_chunk, encode_event, encode_head, event_line
from ctmux.shared.errors import NoTarget, UsageError
from ctmux.shared.messages import Chunk, Draft, Event, Filter, Get, Head, Panes, Status

SERVER = "0123abcd"


class Instance:
    """An instance with one tmux server, as a follower sees it."""

    def __init__(self, root):
        self.root, self.directory = str(root / "spool"), str(root / "journal")
        os.makedirs(self.directory)
        self.ledger = Ledger("log")
        self.there = True
        self.unsent = 0
        self.panes: dict[str, str] = {}  # those that live -> session
        self.sessions = {"$1"}
        self.asked: list[object] = []
        self.frozen = False  # the logger
        self.meanwhile = lambda _request: None

    def spool(self, pane, data, session=1, epoch="k"):
        """The path and the name of a stream that has printed `data`."""
        name = f"p{pane[1:]}.9.w1.{epoch}"
        path = f"{self.root}/{SERVER}/s{session}/{name}.raw"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "ab") as file:
            file.write(data)
        return path, name

    def moves(self, pane, origin, session, epoch="k"):
        """The event, and what the keeper does before."""
        path, name = self.spool(pane, b"", session=origin, epoch=epoch)
        offset = os.path.getsize(path)
        os.makedirs(f"{self.root}/{SERVER}/meta", exist_ok=True)
        os.makedirs(f"{self.root}/{SERVER}/s{session}", exist_ok=True)
        moved = moves.Moved(offset, f"${origin}", f"${session}")
        moves.add(moves.path(self.root, SERVER, name), moved)
        os.rename(path, f"{self.root}/{SERVER}/s{session}/{name}.raw")
        where = {"session": f"${origin}", "window": "@1"}
        return self.happens("pane.moved", f"${session}", pane, origin=where, stream=name, offset=offset)

    def happens(self, kind, session="$1", pane=None, **data):
        """An event; as it would come by the bus."""
        draft = Draft("keeper", self.ledger.head + 1, "", kind, 1.0, server=SERVER, session=session, pane=pane, data=data)
        events = self.ledger.accept([draft])
        self.ledger.commit(events)
        with open(journal.segment_path(self.directory, 1), "ab") as file:
            file.write(b"".join(map(event_line, events)))
        return [topics.event(SERVER, session, pane, kind), *encode_event(events[0])]

    def answer(self, ask):
        self.asked.append(ask.request)
        self.meanwhile(ask.request)
        if isinstance(ask.request, Status) and ask.role == "keeper":
            return {"servers": [{"server": SERVER}] if self.there else [], "unsent": self.unsent}
        if isinstance(ask.request, Status):
            return {"log": "log", "head": self.ledger.head}
        if isinstance(ask.request, Panes):
            panes = [{"server": SERVER, "pane": p, "session": s, "exited": False} for p, s in self.panes.items()]
            sessions = [{"server": SERVER, "session": session, "name": "x"} for session in self.sessions]
            there = self.there
            return {"panes": panes if there else [], "sessions": sessions if there else [], "next": None}
        assert isinstance(ask.request, Get)
        if self.frozen:
            assert not ask.needed  # it would end the stream
            return None
        page = journal.read(self.directory, ask.request.since, 1000, Filter(*ask.request.filter))
        return {"lines": page.lines, "next": page.next, "head": self.ledger.head, "first": 1, "log": "log"}

    def follow(self, panes=None, session=None, since=None):
        return JoinedFollower(self.root, SERVER, panes, session, since)


class Run:
    """What a follower gives, until it waits for the bus or ends. `got`: each item, and the position behind it."""

    def __init__(self, instance, follower):
        self.instance, self.follower, self.ended = instance, follower, False
        self.got = []
        self._script = follower.follow()
        self.go()

    def go(self, frames=None):
        answer = frames
        while True:
            try:
                step = self._script.send(answer)
            except StopIteration:
                self.ended = True
                return self
            if isinstance(step, Receive):
                return self
            if isinstance(step, Ask):
                answer = self.instance.answer(step)
            else:
                answer = self.got.append((told(step), self.follower.position))
                self.take()

    def take(self):
        """What whoever follows does with an item."""

    @property
    def told(self):
        return [item for item, _position in self.got]


def told(item):
    if isinstance(item, Chunk):
        return item.data
    return (item.kind, item.pane) if isinstance(item, Event) else (item.start, item.end)


@pytest.fixture
def instance(tmp_path):
    return Instance(tmp_path)


def test_what_is_kept_of_a_server_that_has_ended_is_given_to_its_end(instance):
    _path, name = instance.spool("%1", b"0123456789")
    instance.happens("pane.exited", pane="%1", stream=name, end=10)
    instance.happens("session.closed")
    instance.there = False
    with pytest.raises(NoTarget):  # a keeper that has just begun
        Run(instance, instance.follow(["%1"], since={}))
    instance.happens("server.lost", session=None)
    run = Run(instance, instance.follow(session="$1", since={"n": 1, name: 4}))
    assert run.ended and run.told == [b"456789", ("pane.exited", "%1"), ("session.closed", None)]
    run = Run(instance, instance.follow(["%1"], since={}))
    assert run.ended and run.told == [b"0123456789", ("pane.exited", "%1")]


def test_a_server_of_which_nothing_is_kept_is_no_target(instance):
    instance.there = False
    with pytest.raises(NoTarget):
        Run(instance, instance.follow(["%1"]))


def test_every_position_goes_on_with_what_was_not_given_yet(instance):
    """Of all items, whatever was interrupted: never one twice, never one missing."""
    ends = {}
    for pane in ("%1", "%2", "%3"):
        _path, name = instance.spool(pane, b"printed")
        ends[pane] = name
    instance.panes = {"%9": "$1"}
    for pane in ("%2", "%3", "%1"):
        instance.happens("gap", pane=pane, what="output")
        instance.happens("pane.exited", pane=pane, stream=ends[pane], end=7)
    wanted = Run(instance, instance.follow(["%1", "%2", "%3"], since={}))
    assert wanted.ended and wanted.told.count(b"printed") == 3
    assert [item for item in wanted.told if item[0] == "pane.exited"] == [("pane.exited", p) for p in ("%2", "%3", "%1")]
    for index, (_item, position) in enumerate(wanted.got):
        rest = Run(instance, instance.follow(["%1", "%2", "%3"], since=position))
        assert rest.ended
        assert [item for item in rest.told if item[0] != "gap"] == wanted.told[index + 1 :]


def test_what_happens_while_the_journal_is_looked_through_comes_in_its_turn(instance):
    names = {pane: instance.spool(pane, b"")[1] for pane in ("%1", "%2")}
    instance.happens("session.created")
    instance.panes = {"%9": "$1"}
    frames = []

    def ends(request):
        if isinstance(request, Panes):
            frames.extend([
                instance.happens("pane.exited", pane="%2", stream=names["%2"], end=0),
                instance.happens("gap", pane="%1", what="output"),
                instance.happens("pane.exited", pane="%1", stream=names["%1"], end=0),
            ])  # fmt: skip

    instance.meanwhile = ends
    run = Run(instance, instance.follow(["%1", "%2"]))
    for each in frames:
        run.go(each)
    assert run.ended and run.told == [("pane.exited", "%2"), ("gap", "%1"), ("pane.exited", "%1")]


def test_the_journal_is_looked_through_once_for_all_panes(instance):
    instance.panes = {"%99": "$1"}
    for number in range(20):
        instance.happens("pane.exited", pane=f"%{number}")
    panes = [f"%{number}" for number in range(20)]
    assert Run(instance, instance.follow(panes)).ended
    assert len([one for one in instance.asked if isinstance(one, Get)]) <= 2


def test_an_end_that_the_journal_does_not_keep_any_more_is_a_gap_and_not_waited_for(instance):
    instance.panes = {"%7": "$1"}
    assert Run(instance, instance.follow(["%3"])).ended
    assert not Run(instance, instance.follow(["%8"])).ended  # yet to come
    assert not Run(instance, instance.follow(["%7"])).ended
    instance.sessions = {"$5"}
    assert Run(instance, instance.follow(session="$2")).ended
    assert not Run(instance, instance.follow(session="$6")).ended
    instance.happens("server.lost", session=None)
    instance.there = False
    assert Run(instance, instance.follow(["%8"], since={"n": 1})).ended


def test_what_may_yet_end_is_waited_for(instance):
    instance.panes = {"%7": "$1"}
    instance.unsent = 1  # perhaps its end
    assert not Run(instance, instance.follow(["%3"])).ended
    instance.unsent = 0
    instance.spool("%3", b"")  # it was just born
    assert not Run(instance, instance.follow(["%3"])).ended
    instance.sessions = {"$5"}
    instance.spool("%4", b"", session=2)
    assert not Run(instance, instance.follow(session="$2")).ended


def test_a_position_without_events_says_what_it_cannot_go_on_with(instance):
    instance.panes = {"%7": "$1"}
    assert Run(instance, instance.follow(["%7"], since={"p7.9.w1.k": 5})).told == [(5, 5)]


def test_of_a_pane_that_moves_away_all_is_given_that_it_had_printed(instance):
    _path, name = instance.spool("%1", b"abc")
    run = Run(instance, instance.follow(session="$1", since={}))
    position = run.follower.position
    instance.spool("%1", b"defg")
    moved = instance.moves("%1", 1, 2)
    instance.spool("%1", b"elsewhere", session=2)
    assert run.go(moved).told == [b"abc", b"defg", ("pane.moved", "%1")]
    back = instance.moves("%1", 2, 1)
    _path, name = instance.spool("%1", b"hij")
    late = Chunk(SERVER, "$1", "%1", name, 14, 1.0, False, b"rehij")  # its watcher begins where the other one was
    exited = instance.happens("pane.exited", pane="%1", stream=name, end=19)
    run.go([topics.out(SERVER, "$1", "%1"), *encode_chunk(late)]).go(back).go(exited)
    assert run.told[3:] == [b"hij", ("pane.moved", "%1"), ("pane.exited", "%1")]
    again = Run(instance, instance.follow(session="$1", since=position)).told
    assert again == [b"defg", b"hij", ("pane.moved", "%1"), ("pane.moved", "%1"), ("pane.exited", "%1")]


def test_what_was_printed_elsewhere_is_cut_out_of_a_chunk(instance):
    """A pane that was away for a moment: nobody has published what it printed there, until its old watcher has it again."""
    _path, name = instance.spool("%1", b"here")
    run = Run(instance, instance.follow(session="$1", since={}))
    run.go(instance.moves("%1", 1, 2))
    instance.spool("%1", b"there", session=2)
    instance.moves("%1", 2, 1)
    instance.spool("%1", b"back")
    chunk = Chunk(SERVER, "$1", "%1", name, 4, 1.0, False, b"thereback")
    run.go([topics.out(SERVER, "$1", "%1"), *encode_chunk(chunk)])
    assert run.told == [b"here", ("pane.moved", "%1"), b"back"]


def test_a_pane_that_nobody_heard_of_before_it_moved_away_is_given(instance):
    instance.sessions = {"$1", "$2"}
    run = Run(instance, instance.follow(session="$1"))
    instance.spool("%1", b"here")
    moved = instance.moves("%1", 1, 2)
    instance.spool("%1", b"there", session=2)
    assert run.go(moved).told == [b"here", ("pane.moved", "%1")]


def test_of_a_pane_that_comes_only_that_is_given_that_it_prints_from_then_on(instance):
    instance.sessions = {"$1", "$2"}
    instance.spool("%1", b"abc")
    live, whole = (Run(instance, instance.follow(session="$2", since=since)) for since in (None, {}))
    instance.spool("%1", b"def")
    moved = instance.moves("%1", 1, 2)
    _path, name = instance.spool("%1", b"ghi", session=2)
    late = Chunk(SERVER, "$2", "%1", name, 6, 1.0, False, b"ghi")
    for run in (live, whole):
        run.go(moved).go([topics.out(SERVER, "$2", "%1"), *encode_chunk(late)])
        assert run.told == [("pane.moved", "%1"), b"ghi"]


class Clock:
    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: self.now, time=lambda: self.now))

    def after(self, seconds, run, frames):
        self.now += seconds
        return run.go(frames)


@pytest.mark.parametrize("sign", ["frozen", "busy", "old chunk", "none"])
def test_who_was_away_looks_for_what_the_bus_has_thrown_away(instance, monkeypatch, sign):
    """Also for the last that a pane has printed; for as long as what he missed meanwhile is still on its way."""
    clock = Clock(monkeypatch)
    instance.panes = {"%1": "$1"}
    _path, name = instance.spool("%1", b"abc")
    beat = [topics.HEAD, *encode_head(Head("log", 0))]
    run = Run(instance, instance.follow(["%1"], since={}))
    busy = []
    monkeypatch.setattr(run, "take", lambda: clock.__setattr__("now", clock.now + (5.0 if busy else 0.0)))
    clock.after(1.0, run, beat)
    if sign == "busy":
        busy.append(True)
    instance.spool("%1", b"def")
    at = clock.now - (2.0 if sign == "old chunk" else 0.0)
    chunk = Chunk(SERVER, "$1", "%1", name, 3, at, False, b"def")
    clock.after(60.0 if sign == "frozen" else 0.1, run, [topics.out(SERVER, "$1", "%1"), *encode_chunk(chunk)])
    busy.clear()
    instance.spool("%1", b"ghi")
    assert clock.after(0.0, run, beat).told[2:] == ([] if sign == "none" else [b"ghi"])
    instance.spool("%1", b"jkl")
    assert clock.after(0.0, run, beat).told[3:] == ([] if sign == "none" else [b"jkl"])  # of those that were on their way
    clock.after(1.0, run, beat)
    instance.spool("%1", b"mno")
    assert b"mno" not in clock.after(1.0, run, beat).told  # it will come


def test_when_the_bus_is_silent_the_spools_and_the_journal_tell_what_there_is(instance):
    instance.panes = {"%1": "$1", "%9": "$1"}
    _path, name = instance.spool("%1", b"abc")
    run = Run(instance, instance.follow(["%1"], since={}))
    instance.spool("%1", b"def")
    instance.spool("%2", b"of another pane")
    assert run.go(None).told == [b"abc", b"def"]
    late = Chunk(SERVER, "$1", "%1", name, 3, 1.0, False, b"defg")
    instance.spool("%1", b"g")
    assert run.go([topics.out(SERVER, "$1", "%1"), *encode_chunk(late)]).told == [b"abc", b"def", b"g"]
    instance.spool("%1", b"h")
    exited = instance.happens("pane.exited", pane="%1", stream=name, end=8)
    assert run.go(None).told == [b"abc", b"def", b"g", b"h", ("pane.exited", "%1")]
    assert run.ended and exited


def test_while_the_logger_does_not_answer_output_goes_on_and_its_end_is_told_later(instance):
    instance.panes = {"%1": "$1"}
    _path, name = instance.spool("%1", b"abc")
    run = Run(instance, instance.follow(["%1"], since={}))
    instance.frozen = True
    instance.spool("%1", b"def")
    given = []
    instance.meanwhile = lambda _request: given.append(list(run.told))
    assert run.go(None).told == [b"abc", b"def"] == given[0]  # before the logger was asked
    instance.spool("%1", b"ghi")
    chunk = Chunk(SERVER, "$1", "%1", name, 6, 1.0, False, b"ghi")
    assert run.go([topics.out(SERVER, "$1", "%1"), *encode_chunk(chunk)]).told == [b"abc", b"def", b"ghi"]
    instance.spool("%1", b"j")
    instance.happens("pane.exited", pane="%1", stream=name, end=10)
    assert not run.go(None).ended
    instance.frozen = False
    assert run.go(None).told == [b"abc", b"def", b"ghi", b"j", ("pane.exited", "%1")] and run.ended


def test_streams_whose_ends_are_not_known_yet_stay_in_the_position(instance):
    """Or what is told of them later would be given from their first byte on."""
    names = [instance.spool("%1", b"abc", epoch=f"k{number}")[0] for number in range(_ENDS_KEPT + 1)]
    position = {"n": 1, **{os.path.basename(path).removesuffix(".raw"): 3 for path in names}}
    for path in names:
        os.unlink(path)
    instance.panes, instance.frozen = {"%1": "$1"}, True
    assert Run(instance, instance.follow(["%1"], since=position)).follower.position == position


def test_a_spool_of_which_nobody_knows_the_end_is_a_gap(instance):
    path, name = instance.spool("%1", b"abc")
    run = Run(instance, instance.follow(["%1"], since={}))
    os.unlink(path)
    run.go(instance.happens("pane.exited", pane="%1", stream=name, end=None))
    assert run.ended and run.told == [b"abc", (3, 3), ("pane.exited", "%1")]


def test_a_position_from_before_the_first_answer_is_what_was_asked_for(instance):
    for since in (None, {}, {"n": 5, "p1.9.w1.k": 4}):
        assert instance.follow(["%1"], since=since).position == since


def test_a_position_has_all_streams_before_the_first_byte_is_given(instance):
    names = [instance.spool(pane, b"old")[1] for pane in ("%1", "%2")]
    follower = instance.follow(session="$1")
    script = follower.follow()
    answer = None
    while not isinstance(step := script.send(answer), Receive):
        if isinstance(step, Ask):
            answer = instance.answer(step)
            if follower.position and len(follower.position) > 1:
                break
    assert follower.position == {"n": 1, **dict.fromkeys(names, 3)}


def test_wrong_positions_are_refused(instance):
    for since in (5, {"n": -1}, {"n": "5"}, {"n": True}):
        with pytest.raises(UsageError):
            instance.follow(["%1"], since=since)


def test_only_the_newest_end_of_a_pane_counts(instance):
    """A pane that tmux keeps exits, is respawned, and exits again."""
    instance.panes = {"%9": "$1"}
    for _ in range(3):
        instance.happens("pane.exited", pane="%1")
    script = over.panes(SERVER, True, {"%1"}, set())
    answer = None
    with pytest.raises(StopIteration) as found:
        while True:
            answer = instance.answer(script.send(answer))
    assert [event.n for event in found.value.value.last] == [3]


def test_a_gap_says_what_is_missing():
    assert str(Gap(3, 8, "gone", "p1.9.w1.k")) == "bytes 3-8 of p1.9.w1.k are missing: gone"
    assert str(Gap(3, 8, "gone")) == "events 3-8 are missing: gone"
    assert str(Gap(0, 0, "%3 is over")) == "%3 is over"

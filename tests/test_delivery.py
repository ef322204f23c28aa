"""The delivery contract as a state machine: producers, the logger and a subscriber that die, and a bus that loses.

Real are the ledger, the lines of the journal and the follower; the network, the deaths and the disk are the test's.
Whatever happens, in the end every fact of every source is in the journal once, in order, and the subscriber had it once.
"""

import pytest
from ctmux.client.events import EventFollower
from ctmux.client.gap import Gap
from ctmux.client.script import Ask, Receive
from ctmux.services.logger.ledger import Ledger
from ctmux.shared import topics
from ctmux.shared.codec import encode_event, encode_head, event_line, parse_event
from ctmux.shared.messages import Draft, Filter, Get, Head, Status
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

FACTS = st.lists(st.integers(1, 3), max_size=5)  # for each next source position: how many facts (keys) it has


class Delivery(RuleBasedStateMachine):
    producers = Bundle("producers")

    @initialize()
    def begin(self):
        self.ledger = Ledger("log")
        self.header = self.ledger.header(1)
        self.journal = []  # lines, as on the disk
        self.sources = {}  # producer -> all its drafts, in order
        self.resend = {}  # producer -> what it does not know to be written
        self.got = []
        self.frozen = False
        self.restart_subscriber()

    # ---- producers -------------------------------------------------------------------------------------------------

    @rule(target=producers, name=st.sampled_from(["match/a", "match/b", "keeper/x"]), facts=FACTS)
    def happens(self, name, facts):
        """Facts at new positions of a source."""
        source, unheard = self.sources.setdefault(name, []), self.resend.setdefault(name, [])
        position = source[-1].position if source else -1
        for count in facts:
            position += 7
            new = [Draft(name, position, f"s{key}", "pattern.matched", 1.0, "x", "$1", pane="%1") for key in range(count)]
            source += new
            unheard += new
        return name

    @rule(name=producers, batch=st.integers(1, 6), heard=st.booleans(), told=st.booleans())
    def puts(self, name, batch, heard, told):
        """A batch, which may not be heard, or whose answer is lost: then it comes again."""
        drafts = self.resend[name][:batch]
        if heard:
            events = self.ledger.accept(drafts)
            self.journal += [event_line(event) for event in events]
            self.ledger.commit(events)
            self.bus = events
            if told:
                del self.resend[name][: len(drafts)]

    @rule(name=producers)
    def producer_dies(self, name):
        """It asks where the journal is, and makes the drafts from there on again: all keys of the last position, too."""
        position, keys = self.ledger.position(name)
        self.resend[name] = [
            draft
            for draft in self.sources[name]
            if draft.position > position or (draft.position == position and draft.key not in keys)
        ]

    # ---- the logger ------------------------------------------------------------------------------------------------

    @rule(name=producers, batch=st.integers(1, 6), written=st.integers(0, 6))
    def logger_dies_while_it_writes(self, name, batch, written):
        """Some whole lines of a batch are on the disk, perhaps all; none is published or answered."""
        events = self.ledger.accept(self.resend[name][:batch])
        self.journal += [event_line(event) for event in events[:written]]
        self.logger_starts()

    @rule()
    def logger_freezes_or_goes_on(self):
        """Frozen, it answers nobody; what it published before may yet come."""
        self.frozen = not self.frozen

    @rule()
    def logger_starts(self):
        self.ledger = Ledger.restore(self.header)
        for line in self.journal:
            self.ledger.commit([parse_event(line)])
        self.bus = []

    # ---- the subscriber --------------------------------------------------------------------------------------------

    @rule(lost=st.sets(st.integers(0, 5)), again=st.booleans())
    def bus_brings(self, lost, again):
        """What was published last, with losses, perhaps twice."""
        for index, event in enumerate(self.bus * (2 if again else 1)):
            if index not in lost:
                self.run(self.follower.hear([b"event.", *encode_event(event)]))

    @rule()
    def heartbeat(self):
        self.run(self.follower.hear([topics.HEAD, *encode_head(Head("log", self.ledger.head))]))

    @rule()
    def bus_is_silent(self):
        self.run(self.follower.hear(None))

    @rule()
    def restart_subscriber(self):
        """It goes on from what it noted together with what it got."""
        self.bus = []
        self.follower = EventFollower(Filter(), since=len(self.got) + 1)
        self.run(self.follower.begin())

    def run(self, script):
        answer = None
        while True:
            try:
                step = script.send(answer)
            except StopIteration:
                return
            answer = self.answer(step) if isinstance(step, Ask) else self.got.append(step)

    def answer(self, ask):
        request = ask.request
        if isinstance(request, Status):
            return {"log": "log", "head": self.ledger.head}
        assert isinstance(request, Get)
        if self.frozen:
            assert not ask.needed  # it would end the stream
            return None
        page = self.journal[request.since - 1 :][:3]
        return {"lines": page, "next": request.since + len(page), "head": self.ledger.head, "first": 1, "log": "log"}

    # ---- what holds ------------------------------------------------------------------------------------------------

    @invariant()
    def numbers_have_no_hole(self):
        if hasattr(self, "journal"):
            assert [parse_event(line).n for line in self.journal] == list(range(1, len(self.journal) + 1))
            assert [event.n for event in self.got] == list(range(1, len(self.got) + 1))

    def teardown(self):
        """Everybody lives on for long enough."""
        self.frozen = False
        for name in self.sources:
            self.producer_dies(name)
            self.puts(name, len(self.resend[name]), True, True)
        self.heartbeat()
        written = [parse_event(line) for line in self.journal]
        for name, source in self.sources.items():
            identities = [(event.position, event.key) for event in written if event.producer == name]
            assert identities == [(draft.position, draft.key) for draft in source]
        assert self.got == written


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


def test_a_position_of_a_journal_that_is_no_more_is_told():
    follower = EventFollower(Filter(), since=1000)
    script = follower.begin()
    script.send(None)
    gap = script.send({"log": "new", "head": 5})
    assert gap.start == 1000 and "replaced" in gap.reason
    assert script.send(None).request.since == 1  # and goes on with what there is


def test_another_journal_is_gone_on_with_from_its_first_event_however_it_is_noticed():
    def begun():
        follower = EventFollower(Filter(), since=11)
        script = follower.follow()
        script.send(None)
        return follower, script, script.send({"log": "old", "head": 12})

    page = {"lines": [], "next": 1, "head": 0, "first": 1, "log": "new"}
    follower, script, _ask = begun()
    gap = script.send(page)
    assert (gap.start, follower.position) == (11, 1) and "replaced" in gap.reason
    assert script.send(None).request.since == 1
    follower, script, _ask = begun()
    assert isinstance(script.send({**page, "log": "old", "next": 13, "head": 12}), Receive)
    assert script.send([topics.HEAD, *encode_head(Head("new", 3))]).request.since == 13
    gap = script.send(page)
    assert (gap.start, follower.position) == (13, 1)
    assert script.send(None).request.since == 1
    assert isinstance(script.send(page), Receive)
    assert script.send([topics.HEAD, *encode_head(Head("old", 12))]).request.since == 1  # it was late: a broker was frozen
    assert isinstance(script.send(page), Receive)


def test_when_the_bus_is_silent_the_logger_is_asked_and_what_comes_late_is_not_given_twice():
    script = EventFollower(Filter(), since=1).follow()
    script.send(None)
    script.send({"log": "log", "head": 0})
    assert isinstance(script.send({"lines": [], "next": 1, "head": 0, "first": 1, "log": "log"}), Receive)
    events = Ledger("log").accept([Draft("p", n, "", "pattern.matched", 1.0) for n in range(3)])
    assert script.send(None).request.since == 1
    lines = [event_line(event) for event in events[:2]]
    assert script.send({"lines": lines, "next": 3, "head": 2, "first": 1, "log": "log"}) == events[0]
    assert script.send(None) == events[1]
    frames = [[topics.EVENT, *encode_event(event)] for event in events]
    late = [script.send(each) for each in (None, *frames[:2])]
    assert all(isinstance(step, Receive) for step in late)
    assert script.send(frames[2]) == events[2]


def test_a_logger_that_does_not_answer_is_asked_once_for_all_that_is_missing():
    """What waits on the bus may have many holes."""
    script = EventFollower(Filter(), since=1).follow()
    script.send(None)
    script.send({"log": "log", "head": 0})
    assert isinstance(script.send({"lines": [], "next": 1, "head": 0, "first": 1, "log": "log"}), Receive)
    events = Ledger("log").accept([Draft("p", n, "", "pattern.matched", 1.0) for n in range(6)])
    frames = [[topics.EVENT, *encode_event(event)] for event in events]
    assert script.send(frames[1]).request.since == 1
    assert isinstance(script.send(None), Receive)
    assert isinstance(script.send(frames[3]), Receive)
    assert script.send([topics.HEAD, *encode_head(Head("log", 6))]).request.since == 1
    page = {"lines": [event_line(event) for event in events], "next": 7, "head": 6, "first": 1, "log": "log"}
    given = [script.send(page), *(script.send(None) for _ in range(6))]
    assert given[:6] == events and isinstance(given[6], Receive)


def test_a_journal_whose_files_are_gone_is_a_gap_and_not_asked_for_without_end():
    script = EventFollower(Filter(), since=1).begin()
    script.send(None)
    script.send({"log": "log", "head": 3})
    gap = script.send({"lines": [], "next": 1, "head": 3, "first": 1, "log": "log"})
    assert (gap.start, gap.end) == (1, 3)
    with pytest.raises(StopIteration):
        script.send(None)


def test_a_damaged_line_is_a_gap_and_not_the_end():
    script = EventFollower(Filter(), since=1).begin()
    script.send(None)
    script.send({"log": "log", "head": 3})
    events = Ledger("log").accept([Draft("p", n, "", "pattern.matched", 1.0) for n in range(3)])
    lines = [event_line(event) for event in events]
    lines[1] = lines[1].replace(b":", b"!", 3).replace(b"!", b":", 1)
    page = {"lines": lines, "next": 4, "head": 3, "first": 1, "log": "log"}
    found = [script.send(page), script.send(None), script.send(None)]
    assert [one.n if isinstance(one, type(events[0])) else (one.start, one.end) for one in found] == [1, (2, 2), 3]
    assert isinstance(found[1], Gap) and "damaged" in found[1].reason


def test_what_the_logger_says_is_damaged_is_a_gap_in_its_place_and_given_once():
    follower = EventFollower(Filter(pane="%1"), since=1)
    script = follower.follow()
    script.send(None)
    script.send({"log": "log", "head": 9})
    events = Ledger("log").accept([Draft("p", n, "", "pattern.matched", 1.0, pane="%1") for n in range(9)])
    lines = [event_line(event) for event in events]
    page = {"lines": [lines[0], lines[4]], "next": 8, "damaged": [[2, 3], [6, 7]], "head": 9, "first": 1, "log": "log"}
    found = [script.send(page), *(script.send(None) for _ in range(3))]
    assert found == [events[0], Gap(2, 3, "damaged in the journal"), events[4], Gap(6, 7, "damaged in the journal")]
    assert script.send(None).request.since == follower.position == 8
    assert script.send({**page, "lines": [lines[8]], "next": 10, "damaged": []}) == events[8]
    assert isinstance(script.send(None), Receive)


def test_a_page_of_nothing_but_damage_is_not_the_end():
    """Much was looked at, and the last of it was damaged."""
    script = EventFollower(Filter(pane="%1"), since=1).follow()
    script.send(None)
    script.send({"log": "log", "head": 9})
    gap = script.send({"lines": [], "next": 8, "damaged": [[1, 7]], "head": 9, "first": 1, "log": "log"})
    assert gap == Gap(1, 7, "damaged in the journal")
    assert script.send(None).request.since == 8

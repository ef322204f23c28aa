"""The ledger: whatever producers resend and whenever the logger dies, every draft is an event once."""

import json

from ctmux.services.logger.ledger import Ledger, chains_of
from ctmux.shared.codec import event_line, parse_event
from ctmux.shared.messages import Draft
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule


def draft(position, key="", producer="p", **fields):
    return Draft(producer, position, key, "pane.opened", 1.5, **fields)


def write(ledger, *drafts):
    events = ledger.accept(list(drafts))
    ledger.commit(events)
    return events


def rotate(ledger, oldest=1):
    """The header as it is in the file."""
    header = json.loads(json.dumps(ledger.header(oldest)))
    ledger.rotated(oldest)
    return header


def reopened(header, events):
    """What a new process makes of a segment: its header and its lines."""
    ledger = Ledger.restore(json.loads(json.dumps(header)))
    for event in events:
        ledger.commit([parse_event(event_line(event))])
    return ledger


def test_the_positions_of_many_producers_in_few_answers():
    ledger = Ledger("0f")
    write(ledger, *(draft(number, "k" * number, producer=f"p{number}") for number in range(1, 50)))
    asked = [f"p{number}" for number in range(60)]
    found = []
    while len(found) < len(asked):
        answer = ledger.positions(asked[len(found) :], 200)
        assert 0 < len(answer) < 20
        found += answer
    assert found == [ledger.position(name) for name in asked] and found[0] == (-1, []) and found[3] == (3, ["kkk"])


def test_an_event_has_what_its_draft_says():
    [event] = write(Ledger("0f"), draft(4, "k", server="x", session="$1", pane="%2", subscription="s3", data={"a": 1}))
    assert (event.n, event.producer, event.position, event.key) == (1, "p", 4, "k")
    assert (event.server, event.session, event.pane, event.subscription) == ("x", "$1", "%2", "s3")
    assert (event.time, event.data) == ("1970-01-01T00:00:01.500000Z", {"a": 1})
    assert event.prev == {"session": 0, "pane": 0, "subscription": 0}


def test_nothing_is_remembered_before_commit():
    ledger = Ledger("0f")
    assert ledger.accept([draft(1)]) == ledger.accept([draft(1)])
    assert ledger.position("p") == (-1, [])


def test_a_position_takes_each_key_once():
    ledger = Ledger("0f")
    assert len(write(ledger, draft(10, "s1"), draft(10, "s2"), draft(10, "s1"))) == 2
    assert write(ledger, draft(10, "s2")) == []
    assert [event.key for event in write(ledger, draft(10, "s1"), draft(10, "s3"), draft(11, "s1"))] == ["s3", "s1"]
    assert ledger.position("p") == (11, ["s1"])
    assert write(ledger, draft(10, "s4")) == []


def test_producers_do_not_mix():
    ledger = Ledger("0f")
    write(ledger, draft(10, producer="a"))
    assert len(write(ledger, draft(1, producer="b"))) == 1


def test_chains():
    ledger = Ledger("0f")
    write(ledger, draft(1, server="x", session="$1", pane="%1"))
    [second, third] = write(
        ledger, draft(2, server="x", session="$1", pane="%2"), draft(3, server="y", session="$1", pane="%1")
    )
    assert second.prev == {"session": 1, "pane": 0}
    assert third.prev == {"session": 0, "pane": 0}
    [fourth] = write(ledger, draft(4, server="x", session="$1", pane="%1"))
    assert fourth.prev == {"session": 2, "pane": 1}
    [without] = write(ledger, draft(5))
    assert without.prev == {}


def test_the_chain_of_what_was_dropped_begins_anew():
    ledger = Ledger("0f")
    write(ledger, draft(1, server="x", pane="%1"))
    write(ledger, draft(2, server="x", pane="%2"))
    rotate(ledger, 2)
    [one, two] = write(ledger, draft(3, server="x", pane="%1"), draft(4, server="x", pane="%2"))
    assert (one.prev, two.prev) == ({"pane": 0}, {"pane": 2})


def test_a_producer_that_ended_is_forgotten_but_not_at_once():
    ledger = Ledger("0f")
    write(ledger, draft(7, producer="match/x/p1"), draft(8, producer="keeper/x", ends=["match/x/p1"]))
    header = rotate(ledger, 1)
    assert write(ledger, draft(7, producer="match/x/p1")) == []
    assert "match/x/p1" in header["producers"]
    rotate(ledger, 1)
    header = rotate(ledger, 1)
    assert list(header["producers"]) == ["keeper/x"]


def test_a_producer_that_ended_is_forgotten_after_a_restart_too():
    """Else the header of an instance that runs for months grows with every pane it ever had."""
    ledger = Ledger("0f")
    header = rotate(ledger, 1)
    ending = draft(1, producer="keeper/x", ends=["match/x/p1"])
    events = write(ledger, draft(7, producer="match/x/p1"), ending)
    ledger = reopened(header, events)
    rotate(ledger, 1)
    rotate(ledger, 1)
    assert list(rotate(ledger, 1)["producers"]) == ["keeper/x"]


# ---- the model -----------------------------------------------------------------------------------------------------

PRODUCERS = st.sampled_from(["keeper/x", "match/x/p1", "subscription/s1"])
SCOPES = st.sampled_from([{}, {"server": "x", "session": "$1"}, {"server": "x", "session": "$1", "pane": "%1"},
                          {"server": "x", "session": "$2", "pane": "%1", "subscription": "s1"}])  # fmt: skip


class Producers(RuleBasedStateMachine):
    """Each producer has what it wants to say (`drafts`), and knows how much of it was acknowledged (`heard`)."""

    def __init__(self):
        super().__init__()
        self.ledger = Ledger("0f")
        self.header = rotate(self.ledger, 1)
        self.live = []  # the events of the live segment
        self.journal = []  # the events of all of them
        self.oldest = 1
        self.drafts = {}
        self.heard = {}

    @rule(producer=PRODUCERS, step=st.integers(0, 2), scope=SCOPES)
    def something_happens(self, producer, step, scope):
        said = self.drafts.setdefault(producer, [])
        self.heard.setdefault(producer, 0)
        position = (said[-1].position if said else 0) + step
        key = f"k{len(said)}" if producer.startswith("match/") else ""
        if said and step == 0 and not key:
            position += 1
        said.append(draft(position, key, producer, **scope))

    def batch(self, data):
        """Of one or two producers: from anywhere before what was acknowledged (it was restarted), in order."""
        batch, heard = [], {}
        for producer in data.draw(st.lists(PRODUCERS, min_size=1, max_size=2, unique=True)):
            said = self.drafts.get(producer, [])
            start = data.draw(st.integers(0, self.heard.get(producer, 0)))
            end = data.draw(st.integers(start, len(said)))
            batch += said[start:end]
            heard[producer] = end
        return batch, heard

    def write(self, events):
        self.live += events
        self.journal += events

    def restart(self):
        self.ledger = reopened(self.header, self.live)

    @rule(data=st.data())
    def put(self, data):
        batch, heard = self.batch(data)
        events = self.ledger.accept(batch)
        self.write(events)
        self.ledger.commit(events)
        for producer, end in heard.items():
            if producer in self.heard:
                self.heard[producer] = max(self.heard[producer], end)

    @rule(data=st.data())
    def put_and_the_answer_is_lost(self, data):
        events = self.ledger.accept(self.batch(data)[0])
        self.write(events)
        self.ledger.commit(events)

    @rule(data=st.data())
    def put_and_die_before_the_write(self, data):
        self.ledger.accept(self.batch(data)[0])
        self.restart()

    @rule(data=st.data())
    def put_and_die_before_the_commit(self, data):
        self.write(self.ledger.accept(self.batch(data)[0]))
        self.restart()

    @rule(data=st.data())
    def put_and_die_in_the_middle_of_the_write(self, data):
        events = self.ledger.accept(self.batch(data)[0])
        self.write(events[: data.draw(st.integers(0, len(events)))])
        self.restart()

    @rule(dropped=st.integers(0, 3))
    def rotate(self, dropped):
        self.oldest = min(self.oldest + dropped, self.ledger.head + 1)
        self.header = rotate(self.ledger, self.oldest)
        self.live = []

    @precondition(lambda self: self.live)
    @rule()
    def restart_now(self):
        self.restart()

    @invariant()
    def numbers_have_no_holes(self):
        assert [event.n for event in self.journal] == list(range(1, len(self.journal) + 1))
        assert self.ledger.head == len(self.journal)

    @invariant()
    def each_once_and_in_its_producers_order(self):
        for producer, said in self.drafts.items():
            written = [(event.position, event.key) for event in self.journal if event.producer == producer]
            assert written == [(draft.position, draft.key) for draft in said[: len(written)]]
            assert len(written) >= self.heard[producer]

    @invariant()
    def prev_is_the_event_before_it_in_its_chain(self):
        newest = {}
        for event in self.journal:
            for level, chain in chains_of(event).items():
                before = newest.get(chain, 0)
                assert event.prev[level] == before or (event.prev[level] == 0 and before < self.oldest)
                newest[chain] = event.n
            assert event.prev.keys() == chains_of(event).keys()

    def teardown(self):
        """Everybody resends everything once more: now all is there."""
        for said in self.drafts.values():
            events = self.ledger.accept(said)
            self.write(events)
            self.ledger.commit(events)
        self.numbers_have_no_holes()
        self.each_once_and_in_its_producers_order()
        assert len(self.journal) == sum(map(len, self.drafts.values()))


Producers.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestProducers = Producers.TestCase

"""When the exit of a pane is due, with a clock of our own."""

import os
from types import SimpleNamespace

import pytest
from ctmux.services.keeper.exits import Exits
from ctmux.services.keeper.pane import Departed, Pane
from ctmux.services.keeper.spools import Spools
from ctmux.services.keeper.topology import Topology

END = {"exit_status": 0, "signal": None}


class Told:
    """An `Exits` whose pipes start when the test says so."""

    def __init__(self, panes):
        self.topology = Topology("aa", panes=panes)
        self.coming = set(panes)
        self.asked = []  # of whom /proc was asked, each time
        self.begun = 0
        reporter = SimpleNamespace(topology=self.topology, report=None)
        service = SimpleNamespace(after=self._after)
        self.exits = Exits(service, reporter, None, None, None, None, self._coming)

    def _after(self, seconds, action):
        self.begun += 1

    def _coming(self, panes):
        self.asked.append(panes)
        return panes & self.coming

    def at(self, now):
        """How many exits have been begun with by then."""
        self.exits.finish(now)
        return self.begun


def gone(**fields):
    return Pane(1, "$0", "@0", status=END, gone_since=100.0, **fields)


def kept(**fields):
    return Pane(1, "$0", "@0", status=END, dead_since=100.0, **fields)


@pytest.mark.parametrize("made", [gone, kept])
def test_it_waits_for_a_pipe_that_starts_but_not_for_ever(made):
    told = Told({"%1": made()})
    assert [told.at(102.0), told.at(129.0)] == [0, 0]
    assert told.at(130.0) == 1  # a shell that is stopped, a fork that hangs
    assert told.at(131.0) == 1  # once


@pytest.mark.parametrize("made", [gone, kept])
def test_it_waits_no_longer_where_the_clock_is_set_back(made):
    told = Told({"%1": made()})
    assert [told.at(102.0), told.at(50.0), told.at(79.0)] == [0, 0, 0]
    assert told.at(80.0) == 1


@pytest.mark.parametrize("since", ["gone_since", "dead_since"])
def test_the_grace_is_no_longer_where_the_clock_is_set_back(since):
    """A keeper that begins may find a time in the future."""
    told = Told({"%1": Pane(1, "$0", "@0", "p1.1.w0.k", closed=True, **{since: 100.0})})
    assert [told.at(50.0), told.at(50.9)] == [0, 0]
    assert told.at(51.0) == 1


def test_it_waits_no_longer_than_the_pipe_starts():
    told = Told({"%1": gone(), "%2": gone()})
    assert told.at(102.0) == 0
    told.coming = {"%2"}
    assert told.at(102.1) == 1
    told.coming = set()
    assert told.at(102.2) == 2


class Matcher:
    """It answers when the test says so, or its absence is found out."""

    def __init__(self):
        self.asked = {}  # stream -> what is called with the answer
        self.gone = {}

    def ask(self, request, done):
        self.asked[request.stream] = done

    def finish(self, request, done, gone):
        self.asked[request.stream], self.gone[request.stream] = done, gone


@pytest.fixture
def late(tmp_path):
    """A pane that is over, and everything that an `Exits` talks to; what is reported is in `drafts`."""
    pane = Pane(1, "$0", "@0", "p1.1.w0.k", closed=True, status=END, gone_since=1.0)
    topology, matcher, drafts = Topology("aa", panes={"%1": pane}), Matcher(), []
    service = SimpleNamespace(after=lambda seconds, action: action() if seconds == 0.0 else None)
    spools = Spools(str(tmp_path), "aa", SimpleNamespace(add=lambda server, stream: None), lambda session: True)
    os.mkdir(f"{spools.directory}/s0")
    open(f"{spools.directory}/s0/p1.1.w0.k.raw", "wb").close()
    looks = []
    lookout = SimpleNamespace(gone=False, look_soon=looks.append)
    reporter = SimpleNamespace(topology=topology, report=drafts.extend)
    exits = Exits(service, reporter, spools, matcher, None, lookout, lambda panes: set())
    return SimpleNamespace(exits=exits, topology=topology, matcher=matcher, drafts=drafts, spools=spools, looks=looks)


ENDS = ["match/aa/p1.1.w0.k", "commands/aa/p1.1.w0.k"]


def test_who_wrote_of_a_stream_is_ended_with_the_exit(late):
    late.exits.finish(2.0)
    late.matcher.asked["p1.1.w0.k"]()
    assert [(draft.kind, draft.ends) for draft in late.drafts] == [("pane.exited", ENDS)]
    assert late.spools.is_over("p1.1.w0.k")


def test_who_wrote_of_a_stream_is_ended_after_its_matches_also_if_its_exit_was_told_before(late):
    late.exits.finish(2.0)
    late.matcher.gone["p1.1.w0.k"]()
    assert [(draft.kind, draft.ends) for draft in late.drafts] == [("pane.exited", [])]
    assert late.topology.draft("pane.moved", 3.0).ends == [] and not late.spools.is_over("p1.1.w0.k")
    late.matcher.asked["p1.1.w0.k"]()
    assert late.topology.departed == [] and late.topology.draft("pane.moved", 3.0).ends == ENDS


def test_who_wrote_of_a_stream_that_was_replaced_is_ended(late):
    late.topology.panes.clear()
    late.topology.departed.append(Departed("%1", "$0", "p1.1.w0.k", exited=False))
    late.exits.finish(2.0)
    late.matcher.asked["p1.1.w0.k"]()
    assert late.topology.departed == [] and late.topology.draft("pane.moved", 3.0).ends == ENDS


def test_a_stream_that_was_replaced_is_not_over_while_it_is_written(late):
    late.topology.panes.clear()
    late.topology.departed.append(Departed("%1", "$0", "p1.1.w0.k", exited=False))
    with open(late.spools.find("p1.1.w0.k"), "ab"):
        late.exits.finish(2.0)
        assert late.matcher.asked == {} and late.looks == [1.0]
    late.exits.finish(3.0)
    assert list(late.matcher.asked) == ["p1.1.w0.k"]


def test_who_wrote_of_a_stream_that_cannot_be_marked_as_over_may_write_again(late):
    """A full disk: a matcher that starts anew would read it again, and has to know how far it was."""
    os.rmdir(f"{late.spools.directory}/meta")
    late.exits.finish(2.0)
    late.matcher.asked["p1.1.w0.k"]()
    assert [(draft.kind, draft.ends) for draft in late.drafts] == [("pane.exited", [])]


def test_processes_are_looked_through_once_for_all_panes_and_not_at_all_for_those_with_a_stream():
    told = Told({f"%{number}": gone() for number in range(100)})
    told.topology.panes["%100"] = gone(stream="p100.1.w0.k", closed=True)
    assert told.at(102.0) == 1
    assert [len(panes) for panes in told.asked] == [100]
    told.coming = set()
    assert told.at(102.1) == 101
    told.at(102.2)
    assert len(told.asked) == 2  # nobody is left to ask for

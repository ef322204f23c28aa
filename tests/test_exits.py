"""When the exit of a pane is due, with a clock of our own."""

from types import SimpleNamespace

import pytest
from ctmux.services.keeper.exits import Exits
from ctmux.services.keeper.topology import Pane, Topology

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


def test_it_waits_no_longer_than_the_pipe_starts():
    told = Told({"%1": gone(), "%2": gone()})
    assert told.at(102.0) == 0
    told.coming = {"%2"}
    assert told.at(102.1) == 1
    told.coming = set()
    assert told.at(102.2) == 2


def test_processes_are_looked_through_once_for_all_panes_and_not_at_all_for_those_with_a_stream():
    told = Told({f"%{number}": gone() for number in range(100)})
    told.topology.panes["%100"] = gone(stream="p100.1.w0.k", closed=True)
    assert told.at(102.0) == 1
    assert [len(panes) for panes in told.asked] == [100]
    told.coming = set()
    assert told.at(102.1) == 101
    told.at(102.2)
    assert len(told.asked) == 2  # nobody is left to ask for

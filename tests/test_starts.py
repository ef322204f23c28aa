"""The starts of services in the journal: each once, whatever the clock does."""

import pytest
from ctmux.services.keeper.starts import start
from ctmux.services.logger.ledger import Ledger


class Journal:
    """A real ledger; `tell` has the events of a look at a process."""

    def __init__(self):
        self.ledger = Ledger("0f")

    def tell(self, run, pid, at):
        draft = start(run, "matcher", pid, at, self.ledger.position("service/matcher"))
        events = self.ledger.accept([draft] if draft else [])
        self.ledger.commit(events)
        return [(event.kind, event.data["pid"]) for event in events]


@pytest.fixture
def journal():
    made = Journal()
    assert made.tell(99.5, 7, 100) == [("service.started", 7)]
    return made


def test_each_start_is_told_once(journal):
    assert journal.tell(99.5, 7, 100) == []
    assert journal.tell(99.5, 8, 120) == [("service.restarted", 8)]
    assert journal.tell(99.5, 8, 120) == []
    assert journal.tell(99.5, 8, 130) == [("service.restarted", 8)]  # the same pid, again
    assert journal.tell(140.5, 8, 141) == [("service.started", 8)]


def test_two_starts_within_a_second_are_two(journal):
    assert journal.tell(99.5, 8, 100) == [("service.restarted", 8)]


@pytest.mark.parametrize(("run", "kind"), [(99.5, "service.restarted"), (49.5, "service.started")])
def test_a_start_by_a_clock_that_was_set_back_is_told_once(journal, run, kind):
    assert journal.tell(run, 8, 50) == [(kind, 8)]
    assert journal.tell(run, 8, 50) == []
    assert journal.tell(run, 8, 49) == []  # supervisord corrects its time
    assert journal.tell(run, 9, 51) == [("service.restarted", 9)]
    assert journal.tell(run, 9, 51) == []


def test_the_same_pid_under_another_supervisord_is_told_also_by_a_clock_that_was_set_back(journal):
    assert journal.tell(49.5, 7, 50) == [("service.started", 7)]

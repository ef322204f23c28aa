"""What an earlier runner left in the log is reported, and done again where that was asked for and still can be."""

from types import SimpleNamespace

import pytest
from ctmux.services.runner.book import Book
from ctmux.services.runner.decider import Decider
from ctmux.services.runner.intent import Intent
from ctmux.services.runner.memory import Unfinished
from ctmux.shared.config import RunnerConfig
from ctmux.shared.messages import Event

EVENT = Event(7, "2026-01-01T00:00:00.000000Z", "x.matched", "srv", "$0", None, "%1", "s1", {}, {}, "p", 7, "", [])
RUN = {"do": "run", "argv": ["true"], "deliver": "at-least-once"}
NO_MORE = {**RUN, "argv": ["{line}"]}  # refused today


class Said:
    def __init__(self):
        self.put = lambda drafts: self.ends.extend((d.data["attempt"], d.data["again"], d.data["reason"]) for d in drafts)
        self.intended = lambda intent, *_done: self.again.append(intent.attempt)
        self.ends, self.again = [], []


def settle(spec, announced=False, event=EVENT, attempt=1):
    said = Said()
    means = SimpleNamespace(book=Book(RunnerConfig()))
    decider = Decider(means, SimpleNamespace(since=8), None, said, SimpleNamespace(add=None, refuse=None))
    decider.settle(Unfinished(Intent("7.s1.0", 7, "s1", None, 0, spec, attempt, 0, event), announced))
    return said


@pytest.mark.parametrize(
    ("spec", "announced", "event", "ends", "again"),
    [
        (RUN, False, EVENT, [(1, True)], [2]),
        (RUN, True, EVENT, [], [2]),
        (RUN, False, None, [(1, False)], []),
        ({**RUN, "deliver": "at-most-once"}, False, EVENT, [(1, False)], []),
        (NO_MORE, False, EVENT, [(1, False)], []),
        (NO_MORE, True, EVENT, [(2, False)], []),
    ],
)
def test_each_has_its_end_and_perhaps_another_attempt(spec, announced, event, ends, again):
    said = settle(spec, announced, event)
    assert ([end[:2] for end in said.ends], said.again) == (ends, again)
    assert all("was killed" in reason for _attempt, _again, reason in said.ends)


def test_what_is_refused_today_says_why():
    assert "what runs is fixed" in settle(NO_MORE).ends[0][2]


@pytest.mark.parametrize(
    ("event", "attempt", "why"), [(EVENT, 20, "20 attempts were interrupted"), (None, 1, "not in the log any more")]
)
def test_what_was_announced_and_is_not_done_has_its_end(event, attempt, why):
    """Also what was announced by a runner that did not count attempts."""
    for announced in (False, True):
        said = settle(RUN, announced, event, attempt)
        assert [end[:2] for end in said.ends] == [(attempt + announced, False)] and said.again == []
        assert why in said.ends[0][2]

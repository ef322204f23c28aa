"""What is held back is counted: one tally for each action and reason, from its first event to its last."""

from ctmux.services.runner.tallies import Tallies, Tally
from ctmux.shared.messages import Event

EVENT = Event(1, "2026-01-01T00:00:00.000000Z", "x.matched", "srv", "$0", None, "%1", "s1", {}, {}, "p", 1, "", [])


def tally(n: int, at: int = 0, code: str = "rate") -> Tally:
    return Tally(at, "action.suppressed", code, f"because of {n}", 1, n, n, EVENT._replace(n=n))


def test_each_action_and_reason_by_itself_with_first_last_and_the_last_words():
    tallies = Tallies()
    for one in (tally(4), tally(4, at=1), tally(5), tally(6, code="queue"), tally(7)):
        tallies.add(one)
    told = [(one.at, one.code, one.times, one.first, one.last, one.reason, one.event.n) for one in tallies.take()]
    assert told == [
        (0, "rate", 3, 4, 7, "because of 7", 7), (1, "rate", 1, 4, 4, "because of 4", 4),
        (0, "queue", 1, 6, 6, "because of 6", 6),
    ]  # fmt: skip


def test_what_is_taken_is_counted_no_more():
    tallies = Tallies()
    assert not tallies and tallies.take() == []
    tallies.add(tally(1))
    assert tallies and len(tallies.take()) == 1
    tallies.add(tally(2))
    assert [(one.times, one.first) for one in tallies.take()] == [(1, 2)]

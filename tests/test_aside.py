"""What is put aside until all is known that counts before it: by plain counting."""

import math

from ctmux.services.matcher.aside import Aside, Known, Untold
from hypothesis import given
from hypothesis import strategies as st

PANES = st.sampled_from("abc")
TIMES = st.integers(0, 9).map(float)


def fact(at, pane, number=0):
    return {"at": at, "server": "x", "pane": pane, "stream": f"p{pane}", "number": number}


def late(at, pane):
    return Untold(at, f"p{pane}", "x", {"$1"}, pane)


@given(st.lists(st.tuples(TIMES, PANES)), st.lists(st.tuples(TIMES, PANES)), st.none() | TIMES)
def test_what_no_untold_line_may_come_before_is_known(facts, untold, until):
    aside = Aside([], True)
    for number, (at, pane) in enumerate(facts):
        aside.put(fact(at, pane, number))
    known = Known.without(late(at, pane) for at, pane in untold)
    known = known if until is None else known.until(until)
    expected = None
    for at, pane in sorted(facts, key=lambda one: one[0]):  # of the same time, those that come first are first
        if any(since <= at and other != pane for since, other in untold) or (until is not None and at >= until):
            break
        expected = at
    assert aside.known(known) == expected


def test_a_pane_does_not_wait_for_itself():
    """A prompt is behind the line that fires, and printed with it."""
    aside = Aside([fact(5.0, "a"), fact(6.0, "b")], True)
    assert aside.known(Known.without([late(5.0, "a")])) == 5.0
    assert aside.known(Known.without([late(5.0, "b")])) is None
    assert aside.known(Known.without([late(5.0, "a"), late(5.5, "a")])) == 5.0
    assert aside.known(Known.without([late(5.0, "a"), late(5.0, "c")])) is None
    assert aside.known(Known.without([])) == 6.0 and aside.known(Known().until(5.5)) == 5.0


@given(st.lists(st.tuples(TIMES, PANES)))
def test_facts_are_taken_by_their_times_and_panes_are_known(facts):
    aside = Aside([], True)
    for number, (at, pane) in enumerate(facts):
        aside.put(fact(at, pane, number))
    taken = []
    while (one := aside.take(None, math.inf)) is not None:
        taken.append((one["at"], one["number"]))
        left = [pane for number, (_at, pane) in enumerate(facts) if number not in {n for _at, n in taken}]
        assert all(aside.has(f"x/{pane}") == (pane in left) for pane in "abc")
        assert dict(aside.firsts()).keys() == {f"x/{pane}" for pane in left} == aside.panes
    assert not aside.panes
    assert taken == sorted((at, number) for number, (at, _pane) in enumerate(facts))


def test_nothing_from_behind_a_deadline_is_taken():
    for ordered in (True, False):
        aside = Aside([fact(5.0, "a"), fact(6.0, "a")], ordered)
        assert aside.take(5.0, 9.0) is None
        assert (aside.take(None, 4.0) is None) == ordered

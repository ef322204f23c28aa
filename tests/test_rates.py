"""How many actions there were in a time, whatever the order in which their events come."""

from ctmux.services.runner.rates import Rates
from hypothesis import given
from hypothesis import strategies as st


def rates(*times):
    made = Rates()
    for at in times:
        made.add("s1/0", at)
    return made


def test_what_comes_late_does_not_make_the_latest_unknown():
    made = rates(100.0, 101.0)
    assert made.near("s1/0", 5.0, 10.0) == 0
    made.add("s1/0", 5.0)
    assert [made.near("s1/0", at, 10.0) for at in (102.0, 105.0, 111.0, 120.0)] == [2, 2, 0, 0]


def test_a_clock_that_is_set_back_lets_no_more_through():
    made = rates(4000.0)
    for at in (1.0, 2.0, 3.0):
        made.add("s1/0", at)
        assert made.near("s1/0", at, 10.0) == at
    assert made.near("s1/0", 12.5, 10.0) == 1 and made.near("s2/0", 1.0, 10.0) == 0


def test_it_is_the_same_after_a_restart():
    made, again = rates(5.0, 1.0, 3.0), Rates()
    again.load({"s1/0": [5.0, 1.0, 3.0]})
    assert again.dump() == made.dump() and again.near("s1/0", 5.0, 3.0) == 2
    again.load({"s1/0": [1.0, 3.0, 5.0]})  # sorted, as they once were kept
    assert again.near("s1/0", 5.0, 3.0) == 2


TIMES = st.lists(st.integers(0, 300), max_size=60).map(sorted)


@given(TIMES, TIMES, st.integers(1, 5), st.integers(1, 60), st.data())
def test_no_window_has_more_than_a_rate_whichever_pane_is_read_when(one, other, most, seconds, data):
    panes, rates_, run = [one, other], Rates(), []
    while any(panes):
        pane = data.draw(st.sampled_from([pane for pane in panes if pane]))
        at = float(pane.pop(0))
        near = [time for time in run if abs(time - at) < seconds]
        assert rates_.near("s1/0", at, seconds) == len(near)
        if len(near) < most:
            rates_.add("s1/0", at, most)
            run.append(at)
    run.sort()
    assert all(last - first >= seconds for first, last in zip(run, run[most:], strict=False))


def test_panes_that_are_read_by_turns_are_held_back_and_what_is_remembered_is_bounded():
    made, run = Rates(), []
    for n in range(100_000):
        at = (100.0, 300.0 + n / 10)[n % 2]
        if made.near("s1/0", at, 60.0) < 10:
            made.add("s1/0", at, 10)
            run.append(at)
    assert len(made.dump()["s1/0"]) == 140
    late = run.count(100.0)  # the other pane went on for hours
    assert late <= 10 * (1 + len(run) // 130) and run[:140].count(100.0) == 10

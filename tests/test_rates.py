"""How many actions there were in a time, whatever the order in which their events come."""

from ctmux.services.runner.rates import Rates


def rates(*times):
    made = Rates()
    for at in times:
        made.add("s1/0", at)
    return made


def test_what_comes_late_does_not_make_the_latest_unknown():
    made = rates(100.0, 101.0)
    assert made.recent("s1/0", 5.0, 10.0) == 0
    made.add("s1/0", 5.0)
    assert [made.recent("s1/0", at, 10.0) for at in (102.0, 105.0, 111.0, 120.0)] == [2, 2, 0, 0]


def test_a_clock_that_is_set_back_lets_no_more_through():
    made = rates(4000.0)
    for at in (1.0, 2.0, 3.0):
        made.add("s1/0", at)
        assert made.recent("s1/0", at, 10.0) == at
    assert made.recent("s1/0", 12.5, 10.0) == 1 and made.recent("s2/0", 1.0, 10.0) == 0


def test_it_is_the_same_after_a_restart():
    made, again = rates(5.0, 1.0, 3.0), Rates()
    again.load({"s1/0": [5.0, 1.0, 3.0]})
    assert again.dump() == made.dump() and again.recent("s1/0", 5.0, 3.0) == 2

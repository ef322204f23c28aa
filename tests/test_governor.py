"""Who is given up for what it costs, and who is not."""

from ctmux.services.matcher.governor import Governor


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_pattern_that_is_slow_for_long_has_to_go_once():
    governor = Governor(Clock())
    for _ in range(5):
        governor.charge("slow", 0.12, 100_000, 1)
    governor.charge("other", 0.11, 100_000, 1)
    [(pattern, reason)] = governor.burning()
    assert pattern == "slow" and "0.6 s of the processor for 0.5 MB" in reason
    assert list(governor.burning()) == []


def test_a_pattern_with_much_to_do_may_do_it():
    governor = Governor(Clock())
    for _ in range(100):
        governor.charge("busy", 0.1, 1_000_000, 1)
    assert list(governor.burning()) == []


def test_what_was_long_ago_is_forgotten():
    clock = Clock()
    governor = Governor(clock)
    for _ in range(100):
        governor.charge("seldom", 0.1, 1000, 1)
        clock.now += 3.0
    assert list(governor.burning()) == []


def test_who_matches_each_short_line_may_do_it():
    """`y` in the output of `yes`."""
    governor = Governor(Clock())
    for _ in range(20):
        governor.charge("y", 0.14, 65536, 21845)
    assert list(governor.burning()) == []

"""When a line was printed, for a matcher that reads it late."""

from ctmux.services.matcher.times import Times
from ctmux.shared.marks import Mark


def test_what_is_read_as_it_comes_was_printed_by_the_time_of_the_spool():
    assert Times(7.0).of(10) == 7.0


def test_what_is_read_late_was_printed_by_the_time_of_its_mark():
    times = Times(9.0, [Mark(10, 1.0, False), Mark(20, 2.0, False), Mark(30, 20.0, False)])
    assert [times.of(end) for end in (1, 10, 11, 20, 25, 31)] == [1.0, 1.0, 2.0, 2.0, 9.0, 9.0]

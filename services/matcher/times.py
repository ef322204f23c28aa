"""When a line was printed: now, if it is read as it comes; else by the marks of the watcher, if that was in time. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from ...shared.marks import Mark


class Times:
    """Of what is read in one go. `latest`: nothing of it was printed after that. `marks`: what had come by when, if what is
    read came in more than one piece: a matcher that was frozen, or did not run, has to tell them apart."""

    def __init__(self, latest: float, marks: Sequence[Mark] = ()):
        self.latest = latest
        self._marks = marks
        self._offsets = [mark.offset for mark in marks]

    def inside(self, start: int, end: int) -> list[int]:
        """Where, between two offsets, it is known what was there by when."""
        return self._offsets[bisect_right(self._offsets, start) : bisect_left(self._offsets, end)]

    def of(self, end: int) -> float:
        """By when the bytes before `end` were there."""
        at = bisect_left(self._offsets, end)
        return min(self.latest, self._marks[at].time) if at < len(self._marks) else self.latest

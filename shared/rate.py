"""How often something happened, by times of its own that come in any order: panes are read one after the other. Pure."""

from bisect import bisect_left, bisect_right, insort

_WINDOWS = 4  # so many full ones are remembered, or more that are not, each of a pane that is read at another time


class Rate:
    """`times` can be held by JSON: the latest, in the order in which they came. What is old is forgotten for what comes
    later, never because of its time: one pane may be read hours behind another, and a clock may be set back."""

    def __init__(self, times: list[float]):
        self.times = times
        self._sorted = sorted(times)

    def add(self, at: float, most: int) -> None:
        """`most`: how often it may be."""
        self.times.append(at)
        insort(self._sorted, at)
        over = max(0, len(self.times) - _WINDOWS * most - 100)
        for time in self.times[:over]:
            del self._sorted[bisect_left(self._sorted, time)]
        del self.times[:over]

    def near(self, at: float, seconds: float) -> int:
        """How many there were less than so many seconds before or after."""
        return max(0, bisect_left(self._sorted, at + seconds) - bisect_right(self._sorted, at - seconds))

"""How often each action was set off lately, by the times of the events: a restarted runner comes to the same. Pure."""

from bisect import bisect_right, insort


class Rates:
    """Each action has a key, `<subscription>/<index>`. The times of a key are sorted: events do not come in their order,
    panes are read one after the other."""

    def __init__(self) -> None:
        self._times: dict[str, list[float]] = {}

    def add(self, key: str, at: float) -> None:
        insort(self._times.setdefault(key, []), at)

    def recent(self, key: str, at: float, seconds: float) -> int:
        """How many there were in that time."""
        times = self._times.get(key)
        if not times:
            return 0
        del times[: bisect_right(times, min(at, times[-1]) - seconds)]
        return bisect_right(times, at + seconds) - bisect_right(times, at - seconds)

    def forget(self, subscription: str) -> None:
        """It is over."""
        self._times = {key: times for key, times in self._times.items() if key.partition("/")[0] != subscription}

    def dump(self) -> dict[str, list[float]]:
        return {key: list(times) for key, times in self._times.items()}

    def load(self, kept: dict[str, list[float]]) -> None:
        self._times = {key: sorted(times) for key, times in kept.items()}

"""How often each action was set off lately, by the times of the events: a restarted runner comes to the same. Pure."""

from collections import deque


class Rates:
    """Each action has a key, `<subscription>/<index>`."""

    def __init__(self) -> None:
        self._times: dict[str, deque[float]] = {}

    def add(self, key: str, at: float) -> None:
        self._times.setdefault(key, deque()).append(at)

    def recent(self, key: str, at: float, seconds: float) -> int:
        """How many there were in that time."""
        times = self._times.get(key, deque())
        while times and (at - times[0] >= seconds or times[0] > at + seconds):  # the clock was set back
            times.popleft()
        return len(times)

    def forget(self, subscription: str) -> None:
        """It is over."""
        self._times = {key: times for key, times in self._times.items() if key.partition("/")[0] != subscription}

    def dump(self) -> dict[str, list[float]]:
        return {key: list(times) for key, times in self._times.items()}

    def load(self, kept: dict[str, list[float]]) -> None:
        self._times = {key: deque(times) for key, times in kept.items()}

"""How many actions of each subscription wait, and how many run: so many of one, so many in all. Pure."""

from collections import Counter


class Load:
    """`together`: so many may run in all. An action waits from its decision on, before it is in the log and in a queue."""

    def __init__(self, together: int):
        self._together = together
        self._waiting: Counter[str] = Counter()
        self._running: Counter[str] = Counter()

    def wait(self, subscription: str) -> None:
        self._waiting[subscription] += 1

    def leave(self, subscription: str) -> None:
        """One that waited does so no more."""
        _less(self._waiting, subscription)

    def begin(self, subscription: str) -> None:
        """One that waited runs."""
        self.leave(subscription)
        self._running[subscription] += 1

    def end(self, subscription: str) -> None:
        _less(self._running, subscription)

    def waiting(self, subscription: str) -> int:
        return self._waiting[subscription]

    def free(self, subscription: str, most: int) -> int:
        """How many of its actions may begin at once, if so many of them may run."""
        return max(0, min(most - self._running[subscription], self._together - self._running.total()))


def _less(counts: Counter[str], subscription: str) -> None:
    counts[subscription] -= 1
    if counts[subscription] <= 0:
        del counts[subscription]

"""Who may run now: so many of a subscription, so many in all, the subscriptions in turn. Pure."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .book import Intent


class Waiting(NamedTuple):
    """An action whose intent is in the log. `since`: when it came (seconds)."""

    intent: Intent
    most: int
    since: float


class Queue:
    """`running`: how many of each subscription do."""

    def __init__(self, together: int, running: dict[str, int] | None = None):
        self._together = together
        self._waiting: OrderedDict[str, deque[Waiting]] = OrderedDict()
        self.running: dict[str, int] = {} if running is None else running

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def __iter__(self) -> Iterator[Waiting]:
        for waiting in self._waiting.values():
            yield from waiting

    def add(self, waiting: Waiting) -> None:
        self._waiting.setdefault(waiting.intent.subscription, deque()).append(waiting)

    def next(self) -> Waiting | None:
        """The next that may run: it counts as running until `ended`."""
        if sum(self.running.values()) >= self._together:
            return None
        for name, waiting in self._waiting.items():
            if self.running.get(name, 0) < waiting[0].most:
                found = waiting.popleft()
                self._waiting.move_to_end(name)
                if not waiting:
                    del self._waiting[name]
                self.running[name] = self.running.get(name, 0) + 1
                return found
        return None

    def ended(self, subscription: str) -> None:
        self.running[subscription] -= 1
        if not self.running[subscription]:
            del self.running[subscription]

    def take(self, wanted: Callable[[Intent], bool]) -> list[Waiting]:
        """Those that are wanted wait no more."""
        taken = [one for one in self if wanted(one.intent)]
        kept = [one for one in self if not wanted(one.intent)]
        self._waiting.clear()
        for one in kept:
            self.add(one)
        return taken

"""Whose turn it is: the subscriptions one after the other, as far as the load allows. Pure."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .intent import Intent
from .load import Load


class Waiting(NamedTuple):
    """An action whose intent is in the log. `most`: so many of its subscription may run; `since`: it came (seconds)."""

    intent: Intent
    most: int
    since: float


class Queue:
    def __init__(self, load: Load):
        self._load = load
        self._waiting: OrderedDict[str, deque[Waiting]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def __iter__(self) -> Iterator[Waiting]:
        for waiting in self._waiting.values():
            yield from waiting

    def add(self, waiting: Waiting) -> None:
        self._waiting.setdefault(waiting.intent.subscription, deque()).append(waiting)

    def next(self) -> Waiting | None:
        """The next that may run: it counts as running from now on."""
        for name, waiting in self._waiting.items():
            if self._load.free(name, waiting[0].most):
                found = waiting.popleft()
                self._waiting.move_to_end(name)
                if not waiting:
                    del self._waiting[name]
                self._load.begin(name)
                return found
        return None

    def take(self, wanted: Callable[[Intent], bool]) -> list[Intent]:
        """Those that are wanted wait no more."""
        taken = [one.intent for one in self if wanted(one.intent)]
        kept = [one for one in self if not wanted(one.intent)]
        self._waiting.clear()
        for one in kept:
            self.add(one)
        for intent in taken:
            self._load.leave(intent.subscription)
        return taken

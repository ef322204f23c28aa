"""Whose turn it is: the subscriptions one after the other, as far as the load allows. Pure.

Actions run side by side, but one types into a pane at a time: what several type there comes in their order.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .intent import Intent
from .load import Load


class Waiting(NamedTuple):
    """An action whose intent is in the log. `most`: so many of its subscription may run; `since`: it came (seconds);
    `typing`: the pane that it types into."""

    intent: Intent
    most: int
    since: float
    typing: tuple[str, str] | None = None


class Queue:
    def __init__(self, load: Load):
        self._load = load
        self._waiting: OrderedDict[str, deque[Waiting]] = OrderedDict()
        self._typing: dict[tuple[str, str], str] = {}  # panes, and who types there

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
            if waiting[0].typing not in self._typing and self._load.free(name, waiting[0].most):
                found = waiting.popleft()
                if found.typing:
                    self._typing[found.typing] = found.intent.id
                self._waiting.move_to_end(name)
                if not waiting:
                    del self._waiting[name]
                self._load.begin(name)
                return found
        return None

    def ended(self, intent: Intent) -> None:
        """It does not run any more."""
        self._load.end(intent.subscription)
        self._typing = {pane: id for pane, id in self._typing.items() if id != intent.id}

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

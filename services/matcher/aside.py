"""Facts that wait for what was printed before them: panes are read one after the other. Pure."""

import math
from bisect import insort
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .facts import Fact, pane_key

_MOST = 1000  # facts: a flood of which we never see the end is not kept in memory


class Untold(NamedTuple):
    """Something of a stream, printed at `at` or later, that nobody was told of yet; `sessions`: where that may be from."""

    at: float
    stream: str
    server: str
    sessions: set[str]
    pane: str


class Known(NamedTuple):
    """Before `first` all is told; what `stream` has printed, before `other`: a stream comes in its order."""

    first: float = math.inf
    stream: str = ""
    other: float = math.inf

    @classmethod
    def without(cls, untold: Iterable[Untold]) -> "Known":
        """What is known while these are not."""
        known = cls()
        for one in sorted(untold, key=lambda one: one.at):
            if known.first == math.inf:
                known = cls(one.at, one.stream)
            elif one.stream != known.stream:
                return known._replace(other=one.at)
        return known

    def until(self, at: float) -> "Known":
        """The same, if what comes from a time on is not known."""
        return self._replace(first=min(self.first, at), other=min(self.other, at))

    def has(self, fact: Fact) -> bool:
        """Whether all is known that counts before a fact."""
        return bool(fact["at"] < self.first or (fact["at"] < self.other and fact.get("stream") == self.stream))


def _at(fact: Fact) -> float:
    return float(fact["at"])


class Aside:
    """`facts`: those that wait, by their times. `ordered`: whether they count in that order; else only a deadline has to be
    between those that came before it and those that came after."""

    def __init__(self, facts: list[Fact], ordered: bool):
        self.facts, self.ordered = sorted(facts, key=_at), ordered
        self._panes = Counter(map(pane_key, facts))

    def __len__(self) -> int:
        return len(self.facts)

    def put(self, fact: Fact) -> None:
        """Those of the same time stay in the order in which they come."""
        insort(self.facts, fact, key=_at)
        self._panes[pane_key(fact)] += 1

    def take(self, due: float | None, told: float) -> Fact | None:
        """The next that counts, if all up to `told` has been told: none from behind `due`."""
        if not self.facts or (due is not None and self.first >= due) or (self.ordered and self.first > told):
            return None
        fact = self.facts.pop(0)
        pane = pane_key(fact)
        self._panes[pane] -= 1
        if not self._panes[pane]:
            del self._panes[pane]
        return fact

    @property
    def first(self) -> float:
        return _at(self.facts[0])

    @property
    def last(self) -> float:
        return _at(self.facts[-1])

    @property
    def is_full(self) -> bool:
        """Whether the first of them waits no longer."""
        return len(self.facts) > _MOST

    def known(self, known: Known) -> float | None:
        """The time up to which they count."""
        last = None
        for fact in self.facts:
            if not known.has(fact):
                break
            last = _at(fact)
        return last

    def has(self, pane: str) -> bool:
        """Whether any is of a pane."""
        return pane in self._panes

    def firsts(self) -> Iterator[tuple[str, float]]:
        """Each pane, and the time of the first of it."""
        left = set(self._panes)
        for fact in self.facts:
            pane = pane_key(fact)
            if pane in left:
                left.remove(pane)
                yield pane, _at(fact)
            if not left:
                return

    @property
    def panes(self) -> set[str]:
        return set(self._panes)

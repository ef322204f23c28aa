"""Facts that wait for what was printed before them: panes are read one after the other. Pure."""

from bisect import bisect_left, insort

from .facts import Fact, pane_key

_MOST = 1000  # facts: a flood of which we never see the end is not kept in memory


def _at(fact: Fact) -> float:
    return float(fact["at"])


class Aside:
    """`facts`: those that wait, by their times. `ordered`: whether they count in that order; else only a deadline has to be
    between those that came before it and those that came after."""

    def __init__(self, facts: list[Fact], ordered: bool):
        self.facts, self.ordered = facts, ordered

    def __len__(self) -> int:
        return len(self.facts)

    def put(self, fact: Fact) -> None:
        """Those of the same time stay in the order in which they come."""
        insort(self.facts, fact, key=_at)

    def take(self, due: float | None, known: float) -> Fact | None:
        """The next that counts, if all up to `known` has been told: none from behind `due`."""
        if not self.facts or (due is not None and self.first >= due) or (self.ordered and self.first > known):
            return None
        return self.facts.pop(0)

    @property
    def first(self) -> float:
        return _at(self.facts[0])

    @property
    def last(self) -> float:
        return _at(self.facts[-1])

    @property
    def overdue(self) -> float:
        """Up to when nothing is waited for any longer."""
        return self.first if len(self.facts) > _MOST else 0.0

    def latest(self, before: float) -> float | None:
        """The last time before another one."""
        at = bisect_left(self.facts, before, key=_at)
        return _at(self.facts[at - 1]) if at else None

    @property
    def panes(self) -> set[str]:
        return set(map(pane_key, self.facts))

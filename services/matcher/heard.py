"""What a subscription was told before: a fact that is told again changes nothing, the rest of a line does. Pure."""

from typing import Any

from .facts import Fact

_SOURCES_MOST = 2000  # streams and panes, the latest: only what a killed matcher would be told again has to be known


class Heard:
    """`positions`: of each source, the last; `begun`: the indexes of the patterns of a line that was told before it was
    whole."""

    def __init__(self, positions: dict[str, int], begun: dict[str, list[int]]):
        self.positions, self.begun = positions, begun

    def knows(self, fact: Fact) -> bool:
        """Whether this was told, or what comes after it."""
        last = self.positions.get(fact["key"], -1)
        return fact["position"] < last or (fact["position"] == last and not self._rest(fact))

    def _rest(self, fact: Fact) -> list[dict[str, Any]]:
        """Which hits of a line have come since it was told before."""
        begun = self.begun.get(fact["key"])
        return [] if begun is None else [hit for hit in fact.get("hits", ()) if hit["index"] not in begun]

    def new(self, fact: Fact) -> Fact:
        """What is new of a fact; from now on it is known."""
        key = fact["key"]
        if fact["position"] == self.positions.pop(key, None):
            fact = {**fact, "hits": self._rest(fact), "rest": True, "told": self.begun[key]}
        self.begun.pop(key, None)
        if fact.get("partial"):
            self.begun[key] = [hit["index"] for hit in fact["hits"]] + fact.get("told", [])
        self.positions[key] = fact["position"]
        if len(self.positions) > _SOURCES_MOST:
            oldest = next(iter(self.positions))
            del self.positions[oldest]
            self.begun.pop(oldest, None)
        return fact

"""Events that set nothing off, counted for each reason, so that a flood of them is one event. Pure."""

from typing import NamedTuple

from ...shared.messages import Event


class Tally(NamedTuple):
    """Events of a subscription that did not set off its action `at`, for one reason."""

    at: int
    kind: str
    code: str
    reason: str
    times: int
    first: int
    last: int
    event: Event


class Tallies:
    def __init__(self) -> None:
        self._known: dict[tuple[str, int, str, str], Tally] = {}

    def __bool__(self) -> bool:
        return bool(self._known)

    def add(self, tally: Tally) -> None:
        key = (str(tally.event.subscription), tally.at, tally.kind, tally.code)
        known = self._known.get(key)
        self._known[key] = tally._replace(times=known.times + tally.times, first=known.first) if known else tally

    def take(self) -> list[Tally]:
        """What was counted since it was taken last."""
        taken, self._known = self._known, {}
        return list(taken.values())

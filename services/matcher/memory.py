"""What subscriptions were told, kept over restarts: a file of facts, begun anew with the states they led to.

A fact is written before anything follows from it, so a matcher after a killed one comes to the same events again, by the
same numbers, and the logger knows which it has. Nothing is forced to the disk: a kill loses nothing that was written, and
with the machine the panes are gone, too. What was lost with it, or is damaged, is left out; see `Rules.resume`.
"""

import json
from collections.abc import Iterator
from typing import Any

from ...shared.service import Service
from .facts import Fact
from .kept import Kept, Ready

_SPARE = 1 << 20  # bytes of facts before the file is begun anew, if the states are smaller


class Memory:
    """`states` and `facts` as an earlier matcher left them: a subscription's facts came after its state, or are in it."""

    def __init__(self, path: str):
        self._path = path
        self.states: dict[str, dict[str, Any]] = {}
        self.facts: list[tuple[str, Fact]] = []
        self._begun = 0
        self._kept = Kept(path, self._take)
        self._kept.begun = self._begun

    def _take(self, line: bytes, end: int) -> None:
        try:
            entry = json.loads(line)
            if "fact" in entry:
                self.facts.append((str(entry["id"]), dict(entry["fact"])))
                return
            states = entry["states"] if "states" in entry else {entry["id"]: entry["state"]}  # the older way: all in one
            self.states |= {str(id): dict(state) for id, state in states.items()}
            self._begun = end
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            print(f"facts: {self._path}: a damaged line before byte {end} is left out: {error!r}", flush=True)

    @property
    def full(self) -> bool:
        """Whether it is time to `compact`."""
        return not self._kept.renewing and self._kept.size > 2 * self._kept.begun + _SPARE

    def add(self, facts: list[tuple[str, Fact]]) -> None:
        """Keep what subscriptions are told. Raises OSError."""
        self._kept.append({"id": id, "fact": fact} for id, fact in facts)

    def compact(self, service: Service, states: Iterator[tuple[str, dict[str, Any]]], heard: Ready) -> None:
        """Begin anew with what the facts have led to, each state as it is when its turn comes: a fact that is in it already
        is known when it is told again. `heard` is given what to do when all that followed is in the journal."""
        self._kept.renew(service, ({"id": id, "state": state} for id, state in states), heard)

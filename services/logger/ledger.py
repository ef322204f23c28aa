"""Which drafts are new, and what number each gets. Pure: drafts in, events out, no file and no clock."""

from collections.abc import Iterable
from typing import Any

from ...shared.codec import timestamp
from ...shared.messages import Draft, Event

_POSITION = 16  # bytes of a position in an answer, without its keys


class Ledger:
    """The numbers given so far, the position of every producer and the newest event of every chain.

    A producer's draft is taken if its position is new, or if its key is new at its last position. So a producer that
    does not know whether its last words were heard says them again.
    """

    def __init__(self, log: str) -> None:
        self.log = log
        self.head = 0
        self.producers: dict[str, tuple[int, set[str]]] = {}
        self.chains: dict[str, int] = {}
        self._ended: dict[str, int] = {}  # producer -> rotations it is kept for yet, so that a late resend is dropped

    def accept(self, drafts: list[Draft]) -> list[Event]:
        """The events that the new ones among `drafts` become, in order. Nothing is remembered before `commit`."""
        events: list[Event] = []
        seen: set[tuple[str, int, str]] = set()
        chains: dict[str, int] = {}
        for draft in drafts:
            identity = (draft.producer, draft.position, draft.key)
            if identity in seen or self._knows(draft):
                continue
            seen.add(identity)
            n = self.head + len(events) + 1
            prev = {}
            for level, chain in chains_of(draft).items():
                prev[level] = chains.get(chain, self.chains.get(chain, 0))
                chains[chain] = n
            events.append(
                Event(
                    n, timestamp(draft.time), draft.kind, draft.server, draft.session, draft.window, draft.pane,
                    draft.subscription, draft.data, prev, draft.producer, draft.position, draft.key, draft.ends,
                )
            )  # fmt: skip
        return events

    def _knows(self, draft: Draft) -> bool:
        last, keys = self.producers.get(draft.producer, (-1, set()))
        return draft.position < last or (draft.position == last and draft.key in keys)

    def commit(self, events: list[Event]) -> None:
        """The events are in the journal: remember them, and which producers they end."""
        for event in events:
            self.head = event.n
            last, keys = self.producers.get(event.producer, (-1, set()))
            if event.position > last:
                keys = set()
            keys.add(event.key)
            self.producers[event.producer] = (event.position, keys)
            for chain in chains_of(event).values():
                self.chains[chain] = event.n
            for producer in event.ends:
                self._ended.setdefault(producer, 2)

    def position(self, producer: str) -> tuple[int, list[str]]:
        """The last position of a producer and its keys there; (-1, []) if it never wrote."""
        last, keys = self.producers.get(producer, (-1, set()))
        return last, sorted(keys)

    def positions(self, producers: Iterable[str], size_max: int) -> list[tuple[int, list[str]]]:
        """Those of the first producers, as many as have about so many bytes; at least one."""
        found: list[tuple[int, list[str]]] = []
        for producer in producers:
            found.append(self.position(producer))
            size_max -= sum(map(len, found[-1][1])) + _POSITION
            if size_max <= 0:
                break
        return found

    def header(self, oldest: int) -> dict[str, Any]:
        """The header of the next segment: all that is remembered, without chains older than the `oldest` event."""
        return {
            "first": self.head + 1,
            "format": 1,
            "log": self.log,
            "producers": {name: [last, sorted(keys)] for name, (last, keys) in self.producers.items()},
            "chains": {chain: n for chain, n in self.chains.items() if n >= oldest},
            "ended": self._ended,
        }

    def rotated(self, oldest: int) -> None:
        """The segment with that header has begun: forget producers that ended a segment ago, and old chains."""
        for producer in list(self._ended):
            self._ended[producer] -= 1
            if self._ended[producer] <= 0:
                del self._ended[producer]
                self.producers.pop(producer, None)
        self.chains = {chain: n for chain, n in self.chains.items() if n >= oldest}

    @classmethod
    def restore(cls, header: dict[str, Any]) -> "Ledger":
        """The ledger as it was when a segment began."""
        made = cls(str(header["log"]))
        made.head = int(header["first"]) - 1
        made.producers = {name: (last, set(keys)) for name, (last, keys) in header["producers"].items()}
        made.chains = dict(header["chains"])
        made._ended = dict(header.get("ended", {}))
        return made


def chains_of(event: Draft | Event) -> dict[str, str]:
    """The chains that an event belongs to: level -> name."""
    found = {}
    if event.server and event.session:
        found["session"] = f"session:{event.server}/{event.session}"
    if event.server and event.pane:
        found["pane"] = f"pane:{event.server}/{event.pane}"
    if event.subscription:
        found["subscription"] = f"subscription:{event.subscription}"
    return found

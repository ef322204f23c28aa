"""What a runner knows of the time before it: by its snapshot, and by what the log says of actions since."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from ...shared.codec import DecodeError, parse_event
from ...shared.errors import CtmuxError
from ...shared.messages import Event, Filter, Get, Positions, Request, Status, Subscriptions
from .book import Book
from .drafts import decisions
from .intent import Intent
from .snapshot import Snapshot

_PAGE = 1000
_ENDS = ("action.finished", "action.interrupted", "action.refused")

Ask = Callable[[str, Request], dict[str, Any]]  # a role is asked, and has answered


class Unfinished(NamedTuple):
    """An action whose end is not in the log. `announced`: that another attempt follows is."""

    intent: Intent
    announced: bool


class Memory:
    """`since`: the first event to be heard again; `decided`: the last one of which everything is decided, and `known` of
    the one behind it."""

    def __init__(self, ask: Ask, path: str, book: Book):
        self._ask, self._book = ask, book
        self._open: dict[str, Unfinished] = {}
        self._set_off: dict[int, list[str]] = {}  # by events that are to be heard again
        status = ask("logger", Status())
        self._head, self.log = int(status["head"]), str(status["log"])
        [(position, keys)] = ask("logger", Positions([decisions(self.log)]))["positions"]
        kept = Snapshot.load(path, self.log, self._head)
        if kept:
            book.restore(kept.book)
            self.decided, oldest = kept.n, kept.oldest
        else:
            self.decided, oldest = self._rebuild(position, int(status["first"])), int(status["first"])
        self.since = self.decided + 1
        self.known: frozenset[str] = frozenset()
        if position > self.decided:
            self.decided = position - 1
            self.known = frozenset(key.rpartition("/")[0] for key in keys)
        for event in self._events("action", oldest):
            self._learn(event)

    def hear(self, event: Event) -> None:
        """It is heard again: what it has set off counts in the rates, at its time, as it did when that was decided."""
        for key in self._set_off.pop(event.n, ()):
            self._book.rates.add(key, datetime.fromisoformat(event.time).timestamp())

    def unfinished(self) -> list[Unfinished]:
        """With their causes, as far as these are still kept."""
        found = self._open.values()
        return [one._replace(intent=one.intent._replace(event=self._event(one.intent.n))) for one in found]

    def _rebuild(self, position: int, first: int) -> int:
        """No snapshot: what is armed is in the log, or so old, or of another log, that only the matcher knows it."""
        seen: set[str] = set()
        begin = self._head + 1
        for event in self._events("subscription", first):
            if event.kind == "subscription.created":
                seen.add(str(event.subscription))
                if event.data["subscription"].get("actions"):
                    begin = min(begin, event.n)
        older = self._ask_matcher(seen)
        if older:
            begin = first
        decided = max(position - 1, begin - 1 if position < 0 else 0)
        for event in self._events("subscription", first):
            if event.n > decided:
                break
            self._book.learn(event)
        for event in self._events("server", first):
            self._book.learn(event)
        if older:
            self._ask_keeper()
        return decided

    def _ask_matcher(self, seen: set[str]) -> bool:
        """Whether something is armed that the log does not know."""
        after: int | None = 0
        with contextlib.suppress(CtmuxError):
            while after is not None:
                answer = self._ask("matcher", Subscriptions(after))
                for one in answer["subscriptions"]:
                    if one["id"] not in seen:
                        self._book.registry.arm(one)
                after = answer["next"]
        return bool(self._book.registry.armed)

    def _ask_keeper(self) -> None:
        with contextlib.suppress(CtmuxError):
            for one in self._ask("keeper", Status())["servers"]:
                self._book.registry.sockets[one["server"]] = one["socket"]

    def _learn(self, event: Event) -> None:
        """What the log says of an action."""
        data = event.data
        if event.kind == "action.intended":
            intent = Intent(
                data["action"], data["cause"], str(event.subscription), data["name"], data["index"], data["spec"],
                data["attempt"], data["depth"], None,
            )  # fmt: skip
            self._open[intent.id] = Unfinished(intent, False)
            if intent.n >= self.since and intent.attempt == 1:
                self._set_off.setdefault(intent.n, []).append(f"{intent.subscription}/{intent.at}")
        elif data.get("action") in self._open and event.kind in _ENDS:
            intent = self._open[data["action"]].intent
            if data.get("attempt", 0) >= intent.attempt:
                if data.get("again"):
                    self._open[intent.id] = Unfinished(intent, True)
                else:
                    del self._open[intent.id]

    def _event(self, n: int) -> Event | None:
        lines = self._ask("logger", Get(n, 1, list(Filter())))["lines"]
        with contextlib.suppress(DecodeError):  # damaged on the disk
            event = parse_event(lines[0]) if lines else None
            return event if event and event.n == n else None
        return None

    def _events(self, kind: str, since: int) -> Iterator[Event]:
        while since <= self._head:
            page = self._ask("logger", Get(since, _PAGE, list(Filter(kind))))
            yield from map(parse_event, page["lines"])
            if page["next"] <= since:
                return
            since = page["next"]

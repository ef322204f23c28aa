"""What a runner knows of the time before it: by its snapshot, and by what the log says of actions since."""

import contextlib
import json
import os
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ...shared.codec import DecodeError, parse_event
from ...shared.errors import CtmuxError
from ...shared.messages import Event, Filter, Get, Positions, Status, Subscriptions
from ...shared.paths import Paths
from ...shared.rpc import Client, wait_answer
from .book import Book, Intent
from .drafts import decisions

_FORMAT = 1
_PAGE = 1000
_PATIENCE = 30.0  # seconds


class Memory:
    """`since`: the first event to be heard again; `decided`: the last one of which everything is decided, and `known` of
    the one behind it; `open`: actions whose end is not in the log, with whether another attempt was announced."""

    def __init__(self, context: Any, paths: Paths, book: Book):
        self._path = paths.actions
        self._logger = Client(context, paths.control("logger"))
        self._matcher = Client(context, paths.control("matcher"))
        self._keeper = Client(context, paths.control("keeper"))
        self._book = book
        self.known: frozenset[str] = frozenset()
        self.open: dict[str, tuple[Intent, bool]] = {}
        status = wait_answer(self._logger, Status(), _PATIENCE)
        self._head, self.log = int(status["head"]), str(status["log"])
        [(position, keys)] = wait_answer(self._logger, Positions([decisions(self.log)]), _PATIENCE)["positions"]
        kept = self._load()
        decided, oldest = (self._resume(kept)) if kept else self._rebuild(position, int(status["first"]))
        self.since = decided + 1
        if position > decided:
            decided = position - 1
            self.known = frozenset(key.rpartition("/")[0] for key in keys)
        self.decided = decided
        self._read_actions(oldest)
        self._logger.close()
        self._matcher.close()
        self._keeper.close()

    def _load(self) -> dict[str, Any] | None:
        try:
            with open(self._path) as file:
                kept: dict[str, Any] = json.load(file)
        except (OSError, ValueError):
            return None
        ours = kept.get("format") == _FORMAT and kept.get("log") == self.log
        return kept if ours and kept["n"] <= self._head else None  # else a power loss took the log's end

    def _resume(self, kept: dict[str, Any]) -> tuple[int, int]:
        self._book.load(kept)
        return int(kept["n"]), int(kept["oldest"])

    def _rebuild(self, position: int, first: int) -> tuple[int, int]:
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
        return decided, first

    def _ask_matcher(self, seen: set[str]) -> bool:
        """Whether something is armed that the log does not know."""
        with contextlib.suppress(CtmuxError):
            for one in wait_answer(self._matcher, Subscriptions(), _PATIENCE)["subscriptions"]:
                if one["id"] not in seen:
                    self._book.arm(one)
        return bool(self._book.armed)

    def _ask_keeper(self) -> None:
        with contextlib.suppress(CtmuxError):
            for one in wait_answer(self._keeper, Status(), _PATIENCE)["servers"]:
                self._book.sockets[one["server"]] = one["socket"]

    def _read_actions(self, oldest: int) -> None:
        for event in self._events("action", oldest):
            data = event.data
            if event.kind == "action.intended":
                intent = Intent(
                    data["action"], data["cause"], str(event.subscription), data["name"], data["index"], data["spec"],
                    data["attempt"], data["depth"], None,
                )  # fmt: skip
                self.open[intent.id] = (intent, False)
                if intent.n >= self.since and intent.attempt == 1:
                    at = datetime.fromisoformat(event.time).timestamp()
                    self._book.rates.setdefault(f"{intent.subscription}/{intent.at}", deque()).append(at)
            elif data.get("action") in self.open and event.kind in ("action.finished", "action.interrupted"):
                intent, _again = self.open[data["action"]]
                if data["attempt"] >= intent.attempt:
                    if data.get("again"):
                        self.open[intent.id] = (intent, True)
                    else:
                        del self.open[intent.id]

    def event(self, n: int) -> Event | None:
        """The cause of an action, if it is still kept."""
        lines = wait_answer(self._logger, Get(n, 1, list(Filter())), _PATIENCE)["lines"]
        with contextlib.suppress(DecodeError):  # damaged on the disk
            event = parse_event(lines[0]) if lines else None
            return event if event and event.n == n else None
        return None

    def _events(self, kind: str, since: int) -> Iterator[Event]:
        while since <= self._head:
            page = wait_answer(self._logger, Get(since, _PAGE, list(Filter(kind))), _PATIENCE)
            yield from map(parse_event, page["lines"])
            if page["next"] <= since:
                return
            since = page["next"]

    def snapshot(self, decided: int, oldest: int) -> dict[str, Any]:
        """What is known when everything up to `decided` is decided, and nothing behind it; no open action has a cause
        before `oldest`."""
        return {"format": _FORMAT, "log": self.log, "n": decided, "oldest": min(oldest, decided + 1), **self._book.dump()}

    def save(self, kept: dict[str, Any]) -> None:
        """All that it says of decisions is in the log."""
        try:
            with open(f"{self._path}.new", "w") as file:
                json.dump(kept, file)
            os.rename(f"{self._path}.new", self._path)
        except OSError as error:  # a full disk: the log has it all
            print(f"{self._path}: {error}", flush=True)

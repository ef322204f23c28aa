"""Actions in a chaos run: each writes the number of its event into a file, which shows what ran, and how often."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from ctmux.shared.actions import AT_LEAST_ONCE, AT_MOST_ONCE
from harness import World

PATTERN = r"^step \d*4$"
_BOUNDS = ("--rate", "10000/1", "--queue", "10000", "--concurrency", "8", "--max-age", "86400")
_ENDS = ("action.finished", "action.interrupted")


class Acts:
    """The same subscription twice, with an action for each delivery."""

    def __init__(self, world: World, folder: str):
        self._world, self._folder = world, folder
        self._ids: dict[str, str] = {}
        self._fired: defaultdict[str, set[int]] = defaultdict(set)
        self._intents: defaultdict[str, set[str]] = defaultdict(set)  # action and attempt
        self._ends: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._kinds: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._exits: defaultdict[str, set[int]] = defaultdict(set)  # causes of actions that ended well

    def arm(self, pane: str) -> None:
        for how in (AT_MOST_ONCE, AT_LEAST_ONCE):
            run = ("--run", "--", "sh", "-c", 'echo "$CTMUX_EVENT_ID" >> "$1"', "x", f"{self._folder}/{how}.ran")
            arguments = ("subscribe", "pattern", PATTERN, "--pane", pane, "--deliver", how, *_BOUNDS, *run)
            self._ids[self._world.ctmux(*arguments).stdout.strip()] = how

    def take(self, event: dict[str, Any]) -> None:
        how = self._ids.get(event["subscription"] or "")
        if how is None:
            return
        kind, data = event["kind"], event["data"]
        attempt = f"{data.get('action')}/{data.get('attempt')}"
        self._kinds[kind] += 1
        if kind == "pattern.matched":
            self._fired[how].add(event["n"])
        elif kind == "action.intended":
            self._intents[how].add(attempt)
        elif kind in _ENDS or (kind == "action.refused" and "attempt" in data):
            self._ends[how][attempt] += 1
            if kind == "action.finished" and data["exit_code"] == 0:
                self._exits[how].add(data["cause"])
        elif kind in ("action.refused", "action.suppressed"):
            self._refused[how] += data["count"]

    def settled(self) -> bool:
        """Whether everything that was intended has its end, and everything that fired a decision."""
        return all(
            self._intents[how] == self._ends[how].keys() and self._decided(how) == len(self._fired[how])
            for how in self._ids.values()
        )

    def _decided(self, how: str) -> int:
        return len({attempt.partition("/")[0] for attempt in self._intents[how]}) + self._refused[how]

    def ran(self, how: str) -> list[int]:
        path = Path(f"{self._folder}/{how}.ran")
        return [int(line) for line in path.read_text().splitlines()] if path.exists() else []

    def faults(self) -> list[str]:
        found = []
        most, least = self.ran(AT_MOST_ONCE), self.ran(AT_LEAST_ONCE)
        twice = [n for n, times in Counter(most).items() if times > 1]
        if twice:
            found.append(f"actions: at most once, but {len(twice)} ran twice: {twice[:5]}")
        missing = self._fired[AT_LEAST_ONCE] - set(least)
        if missing:
            found.append(f"actions: at least once, but {len(missing)} never ran: {sorted(missing)[:5]}")
        for how in self._ids.values():
            if self._decided(how) != len(self._fired[how]):
                found.append(f"actions: {how}: {len(self._fired[how])} events, {self._decided(how)} decisions")
            ends = self._ends[how]
            odd = [attempt for attempt in self._intents[how] | ends.keys() if ends[attempt] != 1]
            if odd:
                found.append(f"actions: {how}: {len(odd)} intents have not one end: {odd[:3]}")
            unreal = self._exits[how] - set(self.ran(how))
            if unreal:
                found.append(f"actions: {how}: {len(unreal)} ended well that never ran: {sorted(unreal)[:5]}")
            uncaused = set(self.ran(how)) - {int(attempt.partition(".")[0]) for attempt in self._intents[how]}
            if uncaused:
                found.append(f"actions: {how}: {len(uncaused)} ran without an intent: {sorted(uncaused)[:5]}")
        return found

    def said(self) -> str:
        ran = " ".join(f"{how} {len(self._fired[how])} events, {len(self.ran(how))} runs;" for how in self._ids.values())
        return f"{ran} {self._kinds['action.interrupted']} interrupted"

"""Panes of a chaos run that move between two sessions: each line counts in the session that it was printed in, once."""

import itertools
import os
import sys
import threading
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from ctmux.shared.moves import Moved, Route
from harness import World
from workload import PRINTER, Made

PANES = 2
RATE = 60  # lines a second of each
STATUS = 11
EVERY = 0.7  # seconds between two moves
_SESSIONS = ("main", "other")
_SLACK = 100  # bytes


class Walkers:
    """A subscription to each session, to lines that only walkers print; they fire in turns, as the panes move."""

    def __init__(self, world: World, folder: str):
        self._world, self._folder = world, f"{folder}/walkers"  # their lines are not in the account of the others
        os.makedirs(self._folder)
        self._sessions: dict[str, str] = {}  # of each subscription
        self._seen: defaultdict[str, int] = defaultdict(int)  # name -> the newest line
        self._fired: list[tuple[str, str, int]] = []  # pane, session, and where the line ends
        self._moved: defaultdict[str, list[Moved]] = defaultdict(list)
        self._faults: list[str] = []
        self._counts: Counter[str] = Counter()
        self.made: list[Made] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._walk, daemon=True)
        self.moves = 0

    def arm(self) -> None:
        for name in _SESSIONS:
            id = self._world.ctmux("subscribe", "pattern", r"^walk \w+ \d+$", "--session", name).stdout.strip()
            self._sessions[id] = self._world.tmux("display-message", "-p", "-t", f"{name}:", "#{session_id}")

    def start(self, seconds: float) -> None:
        """Open the panes; `stop` before they end."""
        for n in range(PANES):
            arguments = [sys.executable, "-S", PRINTER, f"w{n}", str(RATE), str(seconds), self._folder, str(STATUS), "walk"]
            pane = self._world.tmux("new-window", "-d", "-t", "main:", "-P", "-F", "#{pane_id}", *arguments)
            self.made.append(Made(f"w{n}", pane, STATUS, "", ends_session=False))
        self._thread.start()

    def _walk(self) -> None:
        for n in itertools.count():
            if self._stopping.wait(EVERY):
                return
            to = _SESSIONS[(n // PANES + 1) % 2]
            self._world.tmux("move-window", "-d", "-s", self.made[n % PANES].pane, "-t", f"{to}:", check=False)
            self.moves += 1

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def take(self, event: dict[str, Any]) -> None:
        """An event of the journal."""
        if event["kind"] == "pane.moved" and event["data"]["stream"]:
            moved = Moved(event["data"]["offset"], event["data"]["origin"]["session"], event["session"])
            self._moved[event["pane"]].append(moved)
        session = self._sessions.get(event["subscription"] or "")
        if session is None or event["kind"] != "pattern.matched":
            return
        _word, name, number = event["data"]["line"].split()
        if int(number) != self._seen[name] + 1:
            self._faults.append(f"walkers: line {number} of {name} follows {self._seen[name]}")
        self._fired.append((event["pane"], session, event["data"]["end"]))
        self._seen[name] = int(number)
        self._counts[session] += 1

    def faults(self) -> list[str]:
        if not self.ended():
            return ["walkers: they have not ended"]
        printed = {f"w{n}": int(Path(f"{self._folder}/w{n}.done").read_text()) for n in range(PANES)}
        found = [f"walkers: {name}: {self._seen[name]} of {lines}" for name, lines in printed.items()
                 if self._seen[name] != lines]  # fmt: skip
        strange = [fired for fired in self._fired if not self._is_right(*fired)]
        if strange:
            found.append(f"walkers: {len(strange)} lines counted in another session: {strange[:3]}")
        if len(self._counts) < 2:
            found.append("walkers: all in one session")
        return [*self._faults, *found]

    def _is_right(self, pane: str, session: str, end: int) -> bool:
        """Whether a line counted where it ended. The matcher may be in front of the keeper's note by a few lines."""
        route = Route("", self._moved[pane])
        return session in (route.session(end - 1), route.session(max(0, end - 1 - _SLACK)))

    def ended(self) -> bool:
        return all(os.path.exists(f"{self._folder}/w{n}.done") for n in range(PANES))

    def said(self) -> str:
        return f"{sum(self._counts.values())} lines, {self.moves} moves"

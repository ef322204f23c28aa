"""Who looks on in a chaos run: the journal's own files, and subscribers that are killed like everybody else."""

import json
import os
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from account import Account
from acts import Acts
from ctmux.shared import journal
from harness import World
from kinds import Kinds
from walkers import Walkers
from workload import Made

SUBSCRIBER = str(Path(__file__).with_name("subscriber.py"))


class Subscriber:
    """A subscriber process that is started again whenever it dies, until it ends by itself or `stop`."""

    def __init__(self, world: World, name: str, *arguments: str):
        self.name, self._env = name, world.env
        self._path = f"{world.root}/{name}.json"
        self._arguments = [sys.executable, SUBSCRIBER, arguments[0], self._path, *arguments[1:]]
        self._stopping = False
        self._log = open(f"{world.root}/{name}.log", "w")  # noqa: SIM115 (as long as the process)
        self.process = self._spawn()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def _spawn(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(self._arguments, env=self._env, stdout=self._log, stderr=self._log)

    def _keep(self) -> None:
        while self.process.wait() != 0 and not self._stopping:
            self.process = self._spawn()

    def look(self) -> tuple[Account, Any]:
        """What it has seen, and the position behind it."""
        if not os.path.exists(self._path):
            return Account(), None
        with open(self._path) as file:
            kept = json.load(file)
        return Account.load(kept["account"]), kept["position"]

    def said(self) -> str:
        return Path(self._log.name).read_text()

    def stop(self) -> None:
        self._stopping = True
        self.process.kill()
        self._thread.join()
        self._log.close()


class Journal:
    """Reads the journal's files as they grow; `look` goes on where the last one ended."""

    def __init__(self, world: World, kinds: Kinds, acts: Acts, walkers: Walkers):
        self._kinds, self._acts, self._walkers = kinds, acts, walkers
        self._directory = world.paths.journal
        self.head = 0
        self.account = Account()
        self.faults: list[str] = []
        self.gaps: list[dict[str, Any]] = []
        self._panes: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._sessions: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def look(self) -> None:
        for line in journal.lines(self._directory, self.head + 1):
            event = json.loads(line)
            if event["n"] != self.head + 1:
                self.faults.append(f"event {event['n']} follows {self.head}")
            self.head = event["n"]
            kind, pane = event["kind"], event["pane"]
            self._kinds.take(event)
            self._acts.take(event)
            self._walkers.take(event)
            if kind == "pattern.matched":
                self.account.line(event["data"]["line"])
                if "pane.exited" in (e["kind"] for e in self._panes[pane]):
                    self.faults.append(f"{pane}: a match after its exit")
            elif kind.startswith("pane."):
                self._panes[pane].append(event)
            elif kind.startswith("session."):
                self._sessions[event["session"]][kind] += 1
            elif kind.startswith("gap"):
                self.gaps.append(event)

    def exited(self, made: list[Made]) -> bool:
        """Whether each of these panes has its exit."""
        self.look()
        return all(any(e["kind"] == "pane.exited" for e in self._panes[pane.pane]) for pane in made)

    def lifecycle_faults(self, made: list[Made]) -> list[str]:
        """What is wrong with the events of these panes and sessions: each has one birth, and one end with its status."""
        faults = list(self.faults)
        for pane in made:
            counts = Counter(event["kind"] for event in self._panes[pane.pane])
            if (counts["pane.opened"], counts["pane.exited"]) != (1, 1) or not counts["pane.observed"]:
                faults.append(f"{pane.pane}: {dict(counts)}")
            for event in self._panes[pane.pane]:
                if event["kind"] == "pane.exited" and event["data"]["exit_status"] not in (None, pane.status):
                    faults.append(f"{pane.pane}: exit status {event['data']['exit_status']}, not {pane.status}")
            if pane.ends_session:
                kinds = self._sessions[pane.session]
                if (kinds["session.created"], kinds["session.closed"]) != (1, 1):
                    faults.append(f"{pane.session}: {dict(kinds)}")
        return faults

    def unknown(self, made: list[Made]) -> int:
        """Panes whose exit status was honestly unknown: nobody watched when they ended."""
        return sum(
            event["kind"] == "pane.exited" and event["data"]["exit_status"] is None
            for pane in made for event in self._panes[pane.pane]
        )  # fmt: skip

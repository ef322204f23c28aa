"""Every kind of subscription in a chaos run: what each must have said in the end, by plain counting."""

import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from harness import World
from workload import Made

STEPS = str(Path(__file__).with_name("steps.py"))
STATUS = 7
_FOREVER = "1000000"


class Kinds:
    """One pane, and a subscription of each kind to it, or to all panes, of which only this one matches."""

    def __init__(self, world: World, folder: str):
        self._world, self._folder = world, folder
        self._ids: dict[str, str] = {}
        self._events: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._ends: defaultdict[str, list[str]] = defaultdict(list)

    def arm(self, seconds: float) -> Made:
        """Subscribe to a pane that prints when it is told to `begin`."""
        world, folder = self._world, self._folder
        begin = f"{folder}/steps.begin"
        command = (
            f"until [ -e {begin} ]; do sleep 0.1; done; exec {sys.executable} -S {STEPS} 50 {seconds} {folder} {STATUS}"
        )
        pane = world.open_pane(command)
        for name, arguments in {
            "sequence": ("sequence", r"^step \d*3$", r"^step \d*7$", "--within", _FOREVER),
            "threshold": ("threshold", "50", r"^step \d", "--within", _FOREVER),
            "not-then": ("not-then", r"^step \d*9$", r"^step \d*0$", "--within", _FOREVER),
            "pattern": ("pattern", r"^step \d*5$", "-C", "1"),
            "count": ("pattern", r"^step \d", "--count", "100"),
            "limit": ("pattern", r"^step \d*00$", "--limit", f"1/{_FOREVER}"),
            "echo": ("pattern", "^step \\$"),
            "expired": ("timeout", "5", "--pattern", "never"),
            "satisfied": ("timeout", _FOREVER, "--pattern", "^step 50$"),
            "absence": ("absence", "4", "never"),
            "exit": ("exit",),
            "command": ("command",),
            "prompt": ("prompt",),
        }.items():
            self._ids[name] = world.ctmux("subscribe", *arguments, "--pane", pane).stdout.strip()
        self._ids["idle"] = world.ctmux("subscribe", "idle", "3", "--pane", "main:0").stdout.strip()
        for name, arguments in {  # over all panes: the order of these counts
            "across": ("sequence", r"^step \d*2$", r"^step \d*8$", "--within", _FOREVER, "--across"),
            "until": ("pattern", r"^step \d*1$", "--until", "^never$"),
        }.items():
            self._ids[name] = world.ctmux("subscribe", *arguments).stdout.strip()
        self._ids["any"] = world.ctmux("subscribe", "any", self._ids["sequence"]).stdout.strip()
        self._ids["all"] = world.ctmux("subscribe", "all", self._ids["sequence"], self._ids["threshold"]).stdout.strip()
        session = world.tmux("display-message", "-p", "-t", pane, "#{session_id}")
        return Made("steps", pane, STATUS, session, ends_session=False)

    def begin(self) -> None:
        Path(f"{self._folder}/steps.begin").touch()

    def take(self, event: dict[str, Any]) -> None:
        """An event of the journal; those of the account's own subscription are millions in an hour."""
        if event["subscription"] not in self._ids.values():
            return
        if event["kind"] == "subscription.ended":
            self._ends[event["subscription"]].append(event["data"]["reason"])
        elif event["kind"].endswith((".matched", ".expired")):
            self._events[event["subscription"]].append(event)

    def expected(self) -> dict[str, tuple[int, str | None]]:
        """For each, how many events, and the reason of its end."""
        steps = int(Path(f"{self._folder}/steps.count").read_text())
        sequences = [step for step in range(1, steps + 1) if step % 10 == 7]
        both, since, all_ = set(), set(), 0
        for step in range(1, steps + 1):
            since |= ({"sequence"} if step % 10 == 7 else set()) | ({"threshold"} if step % 50 == 0 else set())
            if len(since) == 2:
                all_, since = all_ + 1, both.copy()
        end = "pane exited"
        return {
            "sequence": (len(sequences), end), "threshold": (steps // 50, end), "not-then": (int(steps % 10 == 9), end),
            "pattern": (len([step for step in range(1, steps + 1) if step % 10 == 5]), end),
            "count": (min(steps, 100), "count"), "limit": (1, end), "echo": (0, end), "expired": (1, "expired"),
            "satisfied": (0, "satisfied"), "absence": (1, end), "exit": (1, end), "command": (steps // 10, end),
            "across": (len([step for step in range(1, steps + 1) if step % 10 == 8]), None),
            "until": (len([step for step in range(1, steps + 1) if step % 10 == 1]), None),
            "prompt": (steps // 10, end), "idle": (1, None), "any": (len(sequences), "members ended"), "all": (all_, None),
        }  # fmt: skip

    def faults(self) -> list[str]:
        """What was said too often or not at all."""
        found = []
        for name, (times, end) in self.expected().items():
            events = self._events[self._ids[name]]
            ends = self._ends[self._ids[name]]
            if len(events) != times:
                found.append(f"kinds: {name} fired {len(events)} times, not {times}")
            if end is not None and ends != [end]:
                found.append(f"kinds: {name} ended {ends}, not [{end!r}]")
            positions = [event["position"] for event in events]
            if name not in ("pattern", "echo") and positions != list(range(1, len(events) + 1)):
                found.append(f"kinds: {name}: events are numbered {positions[:5]} ...")
        codes = [event["data"]["exit_code"] for event in self._events[self._ids["command"]]]
        if codes != [(number + 1) % 3 for number in range(len(codes))]:
            found.append(f"kinds: exit codes of commands: {codes[:9]} ...")
        return found

    def said(self) -> int:
        return sum(len(self._events[id]) for id in self._ids.values())

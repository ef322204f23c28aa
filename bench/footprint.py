#!/usr/bin/env python
"""Footprint: private memory and idle CPU of every process, with 1 pane, 50 sessions, and 50 panes in one session.

CPU is nanoseconds on a core (/proc/PID/task/*/schedstat) and of reaped children; the baseline of memory is a Python that
does nothing, and one that has imported what a watcher needs.
"""

import glob
import os
import re
import subprocess
import sys
import time
from typing import NamedTuple

from common import instance, open_panes, options, programs, show, wait_observed
from ctmux.shared import supervised
from harness import World, until


class Use(NamedTuple):
    """KiB and nanoseconds of one process."""

    private: int
    pss: int
    cpu: int


def memory(pid: int) -> tuple[int, int]:
    with open(f"/proc/{pid}/smaps_rollup") as file:
        fields = dict(re.findall(r"^(\w+): +(\d+) kB", file.read(), re.MULTILINE))
    return int(fields["Private_Clean"]) + int(fields["Private_Dirty"]), int(fields["Pss"])


def cpu(pid: int) -> int:
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        with open(path) as file:
            total += int(file.read().split()[0])
    with open(f"/proc/{pid}/stat") as file:
        children = file.read().rpartition(")")[2].split()[13:15]
    return total + sum(map(int, children)) * (10**9 // os.sysconf("SC_CLK_TCK"))


def children(pid: int, name: str) -> list[int]:
    """Descendants of a process with this command name."""
    found = []
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        with open(path) as file:
            for child in map(int, file.read().split()):
                with open(f"/proc/{child}/comm") as comm:
                    found += [child] if comm.read().strip().startswith(name) else []
                found += children(child, name)
    return found


def processes(world: World) -> dict[str, list[int]]:
    """Everything that is there because of ctmux, in groups, and the tmux server."""
    record = supervised.running(world.paths)
    assert record is not None
    groups: dict[str, list[int]] = {"supervisord": [record.pid]}
    for name, pid in programs(world).items():
        groups.setdefault(name.partition("-")[0], []).append(pid)
    server = int(world.tmux("display-message", "-p", "#{pid}"))
    groups["tmux wait-for"] = children(groups["keeper"][0], "tmux")
    groups["cat"] = children(server, "cat")
    groups["(tmux server)"] = [server]
    return groups


def measure(title: str, world: World, seconds: float) -> None:
    time.sleep(13)  # the last reminder of a stream that has spoken comes after 11 s
    groups = processes(world)
    before = {pid: cpu(pid) for pids in groups.values() for pid in pids}
    time.sleep(seconds)
    rows, total = [], Use(0, 0, 0)
    for name, pids in groups.items():
        uses = [Use(*memory(pid), cpu(pid) - before[pid]) for pid in pids]
        private, used = [use.private / 1024 for use in uses], sum(use.cpu for use in uses)
        if not name.startswith("("):
            total = Use(*(have + sum(more) for have, more in zip(total, zip(*uses, strict=True), strict=True)))
        aim = "8 MB" if name == "watcher" else ""
        percent = f"{used / seconds / 1e7:.3f}"
        pss = sum(use.pss for use in uses) / 1024
        rows.append([name, len(uses), sum(private) / len(private), max(private), sum(private), pss, percent, aim])
    rows.append(
        ["all of ctmux", "", "", "", total.private / 1024, total.pss / 1024, f"{total.cpu / seconds / 1e7:.3f}", "0.3 %"]
    )
    show(title, ["MB", "n", "private mean", "max", "sum", "PSS sum", "idle CPU %", "aim"], rows)


def baselines() -> None:
    rows = []
    for title, imports in (("python", ""), ("python with zmq, msgpack", "import zmq, msgpack; ")):
        command = [sys.executable, "-c", f"{imports}import sys; print(flush=True); sys.stdin.read()"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            private, pss = memory(process.pid)
            rows.append([title, private / 1024, pss / 1024])
            process.stdin.close()
    show("baselines (other Pythons are running, so pages of the interpreter are shared)", ["MB", "private", "PSS"], rows)


def main() -> None:
    chosen = options(__doc__, seconds=30.0, count=50)
    for title, sessions, windows in (
        ("1 session, 1 pane", 1, 1),
        (f"{chosen.count} sessions of 1 pane", chosen.count, 1),
        (f"1 session of {chosen.count} panes", 1, chosen.count),
    ):
        with instance() as world:
            for number in range(sessions):
                open_panes(world.tmux, f"s{number}", windows)
            world.start()
            wait_observed(world, sessions * windows)
            until(lambda panes=sessions * windows, world=world: len(processes(world)["cat"]) == panes)
            if sessions == windows:
                baselines()
            measure(f"{title}; {chosen.seconds:g} s idle", world, chosen.seconds)


if __name__ == "__main__":
    main()

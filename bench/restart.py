#!/usr/bin/env python
"""Restart: each role is killed with SIGKILL; how long until it answers, and how long an event subscriber hears nothing.

A pane prints 100 numbered lines a second with a subscription on them. The stall is the longest time between two events at
a plain subscriber; the baseline is the same without a kill. At the end the journal must have each line once.
"""

import itertools
import os
import re
import select
import signal
import threading
import time

import zmq
from common import (
    events,
    instance,
    listen,
    open_panes,
    options,
    percentile,
    programs,
    show,
    subscribe,
    wait_observed,
    writing,
)
from ctmux.shared import messages
from ctmux.shared.rpc import Client
from harness import World

ROLES = ("broker", "logger", "keeper", "matcher", "watcher")
RATE = 100.0


def kill(pid: int) -> None:
    """End it, and wait until it is gone."""
    fd = os.pidfd_open(pid)
    signal.pidfd_send_signal(fd, signal.SIGKILL)
    select.select([fd], [], [])
    os.close(fd)


def answers(world: World, program: str) -> None:
    """Wait until the role answers; the broker answers by forwarding."""
    if program != "broker":
        client = Client(zmq.Context.instance(), world.paths.control(program))
        client.ask(messages.Status(), 20.0)
        client.close()
        return
    context = zmq.Context.instance()
    with context.socket(zmq.PUB) as publisher, context.socket(zmq.SUB) as subscriber:
        for socket, address in ((publisher, world.paths.publishers), (subscriber, world.paths.subscribers)):
            socket.setsockopt(zmq.RECONNECT_IVL, 10)
            socket.connect(f"ipc://{address}")
        subscriber.subscribe(b"bench.")
        while not subscriber.poll(1):
            publisher.send(b"bench.")


class Gaps:
    """A thread that takes the events of a subscription and notes when each came."""

    def __init__(self, world: World, subscription: str):
        self.arrivals: list[float] = []
        self.lines: list[int] = []
        self._socket = listen(world, f"subscription.{subscription}.".encode())
        self._ending = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ending:
            for event in events(self._socket, 0.2):
                if event["kind"] == "pattern.matched":
                    self.arrivals.append(time.monotonic())

    def longest(self, since: float) -> float:
        """Milliseconds of the longest silence after `since`."""
        times = [since, *(arrival for arrival in self.arrivals if arrival > since), time.monotonic()]
        return max(later - earlier for earlier, later in itertools.pairwise(times)) * 1000

    def close(self) -> None:
        self._ending = True
        self._thread.join()
        self._socket.close()


def main() -> None:
    chosen = options(__doc__, rounds=5, settle=2.5)
    restarted: dict[str, list[float]] = {role: [] for role in ROLES}
    stalls: dict[str, list[float]] = {role: [] for role in ("nobody", *ROLES)}
    with instance() as world:
        pane = open_panes(world.tmux, "lines")[0]
        world.start()
        wait_observed(world, 1)
        gaps = Gaps(world, subscribe(world, r"line (\d+) ", pane.id))
        with writing([pane.tty], RATE):
            time.sleep(1)
            for _ in range(chosen.rounds):
                since = time.monotonic()
                time.sleep(chosen.settle)
                stalls["nobody"].append(gaps.longest(since))
                for role in ROLES:
                    name, pid = next((name, pid) for name, pid in programs(world).items() if name.startswith(role))
                    since = time.monotonic()
                    kill(pid)
                    answers(world, name)
                    restarted[role].append((time.monotonic() - since) * 1000)
                    time.sleep(chosen.settle)
                    stalls[role].append(gaps.longest(since))
        time.sleep(2)
        gaps.close()
        numbers = [int(re.match(r"line (\d+)", event["data"]["line"])[1]) for event in world.events("pattern.matched")]
    base = percentile(stalls["nobody"], 0.5)
    rows = []
    for role, found in stalls.items():
        again = restarted.get(role, [])
        rows.append([
            role, *(f"{percentile(again, part):.0f}" if again else "" for part in (0.5, 1)),
            *(f"{percentile(found, part):.0f}" for part in (0.5, 1)), f"{percentile(found, 0.5) / base:.1f}x",
            "150" if again else "",
        ])  # fmt: skip
    header = ["killed", "answers, median", "max", "stall, median", "max", "ratio", "aim"]
    show(f"ms, {chosen.rounds} rounds, {RATE:g} lines/s", header, rows)
    lost = max(numbers) + 1 - min(numbers) - len(set(numbers))
    print(f"journal: {len(numbers)} lines, lost {lost}, doubled {len(numbers) - len(set(numbers))} (aim 0)")
    print(f"plain subscriber (without asking the logger for what it missed): {len(gaps.arrivals)} events")


if __name__ == "__main__":
    main()

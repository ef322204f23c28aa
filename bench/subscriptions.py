#!/usr/bin/env python
"""Subscriptions that come and go among many: until one is in effect, and how long others wait for their events meanwhile.

A pane prints lines all the time that a subscription of its own fires on: the stall is the longest time between two of its
events, beside the same with nothing coming or going. In effect: from the request to the event of a line that is printed
when the request is answered. A restart: from the death of the matcher until the next one answers.
"""

import contextlib
import os
import random
import signal
import threading
import time

import zmq
from common import ask, events, instance, listen, open_panes, options, percentile, show, subscribe, wait_observed, writing
from ctmux.shared import messages
from ctmux.shared.errors import NoDaemon
from ctmux.shared.rpc import Client
from harness import World

RATE = 200.0
ONES = 20


class Stall:
    """A thread that notes the longest time between two events of a subscription, while it is entered."""

    def __init__(self, world: World, subscription: str):
        self._socket = listen(world, f"subscription.{subscription}.".encode())
        self.longest = 0.0

    def __enter__(self) -> "Stall":
        self.longest, self._ending = 0.0, False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ending = True
        self._thread.join()

    def _run(self) -> None:
        last: float | None = None
        while not self._ending:
            for _event in events(self._socket, 0.2):
                now = time.monotonic()
                self.longest, last = max(self.longest, now - (last or now)), now


def add(client: Client, pattern: str) -> str:
    fields = dict.fromkeys(messages.Subscribe._fields)
    fields |= {"token": f"bench-{pattern}", "kind": "pattern", "patterns": [pattern], "options": {}}
    return client.ask(messages.Subscribe(**fields), 60.0)["subscription"]["id"]


def merged(world: World) -> None:
    while ask(world, "matcher", messages.Status(), 30.0)["merging"]:
        time.sleep(0.1)


def ones(world: World, client: Client, tty: int, number: int) -> tuple[list[float], list[float]]:
    """Milliseconds until one more is in effect, and until one is removed."""
    added, removed = [], []
    for n in range(ONES):
        pattern = f"single {number} {n}$"
        with listen(world, b"event.") as socket:
            begun = time.monotonic()
            subscription = add(client, pattern)
            os.write(tty, f"single {number} {n}\n".encode())
            for event in events(socket, 5.0):
                if event["kind"] == "pattern.matched" and event["subscription"] == subscription:
                    added.append((time.monotonic() - begun) * 1000)
                    break
        begun = time.monotonic()
        client.ask(messages.Unsubscribe(subscription), 60.0)
        removed.append((time.monotonic() - begun) * 1000)
    return added, removed


def restarted(world: World) -> float:
    """Seconds from the death of the matcher until the next one answers."""
    pid = ask(world, "matcher", messages.Status(), 30.0)["pid"]
    begun = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    while True:
        with contextlib.suppress(NoDaemon):
            if ask(world, "matcher", messages.Status(), 0.2)["pid"] != pid:
                return time.monotonic() - begun


def main() -> None:
    wanted = options(__doc__, most=10_000)
    random_ = random.Random(1)
    with instance() as world:
        world.start()
        running, quiet = open_panes(world.tmux, "work", 2)
        wait_observed(world, 2)
        stall = Stall(world, subscribe(world, r"^running \d+$", running.id))
        client = Client(zmq.Context.instance(), world.paths.control("matcher"))
        tty = os.open(quiet.tty, os.O_WRONLY | os.O_NOCTTY)
        rows = []
        known = 0
        with writing([running.tty], RATE, "running {n}"):
            with stall:
                time.sleep(3.0)
            idle = stall.longest * 1000
            for count in (10, 100, 1000, int(wanted.most)):
                begun = time.monotonic()
                with stall:
                    for n in range(known, count):
                        add(client, f"task {n} (failed|done) in {random_.randrange(10**6)}")
                    each = (time.monotonic() - begun) * 1000 / (count - known)
                    merged(world)
                bulk, known = stall.longest * 1000, count
                with stall:
                    added, removed = ones(world, client, tty, count)
                rows.append(
                    [count, each, bulk, percentile(added, 0.5), max(added), percentile(removed, 0.5), max(removed),
                     stall.longest * 1000, f"{stall.longest * 1000 / idle:.1f}x", restarted(world) * 1000]
                )  # fmt: skip
        client.close()
        show(
            f"ms; the stall with nothing coming or going: {idle:.1f}",
            [
                "subscriptions",
                "each of them",
                "stall then",
                "one more p50",
                "max",
                "one less p50",
                "max",
                "stall then",
                "ratio",
                "restart",
            ],
            rows,
        )


if __name__ == "__main__":
    main()

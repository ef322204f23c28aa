#!/usr/bin/env python
"""Latency: from a byte written in a pane to its event at a plain subscriber, beside control mode and polling.

The baselines run on a tmux server that ctmux does not see; the observers take turns, so that noise hits all alike. Each
line carries the moment of its writing.
"""

import datetime
import os
import random
import re
import subprocess
import time
from collections.abc import Callable

import common
from harness import World

_MARK = re.compile(rb"MARK (\d+) (\d+)")
POLL_SECONDS = 0.5


class Marker:
    """Writes numbered lines with their time into a pane."""

    def __init__(self, pane: common.Pane):
        self._fd = os.open(pane.tty, os.O_WRONLY | os.O_NOCTTY)
        self.number = 0

    def write(self) -> bytes:
        self.number += 1
        line = b"MARK %d %d" % (self.number, time.monotonic_ns())
        os.write(self._fd, line + b"\n")
        return line


def elapsed(line: bytes) -> float:
    """Milliseconds since the line was written."""
    return (time.monotonic_ns() - int(line.split()[2])) / 1e6


def pause() -> None:
    time.sleep(random.uniform(0.005, 0.03))  # not in step with anything


def by_event(world: World, marker: Marker, count: int, published: list[float]) -> list[float]:
    """`pattern.matched` on the pub socket; `published`: the part of it until the watcher published the chunk."""
    found = []
    with common.listen(world, b"event.") as socket:
        for _ in range(count):
            line, wall = marker.write(), time.time()
            for event in common.events(socket, 2.0):
                if event["kind"] == "pattern.matched" and event["data"]["line"].encode() == line:
                    found.append(elapsed(line))
                    published.append((datetime.datetime.fromisoformat(event["time"]).timestamp() - wall) * 1000)
                    break
            pause()
    return found


def by_chunk(world: World, marker: Marker, count: int) -> list[float]:
    """The chunk on the pub socket."""
    found = []
    with common.listen(world, b"out.") as socket:
        for _ in range(count):
            line = marker.write()
            while socket.poll(2000):
                if line in socket.recv_multipart()[2]:
                    found.append(elapsed(line))
                    break
            pause()
    return found


def by_control_mode(world: World, marker: Marker, count: int) -> list[float]:
    """A control client on pipes, attached only for its turn."""
    command = [*common.bare_command(world), "-C", "attach", "-E", "-f", "ignore-size"]
    found = []
    with subprocess.Popen(command, env=world.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        time.sleep(0.3)  # attached
        os.read(client.stdout.fileno(), 1 << 20)
        for _ in range(count):
            line, seen = marker.write(), b""
            while line not in seen:
                seen += os.read(client.stdout.fileno(), 65536)
            found.append(elapsed(line))
            pause()
        client.stdin.close()
    return found


def by_polling(world: World, marker: Marker, count: int) -> list[float]:
    """`capture-pane` every half second, as a script does it."""
    found, done, following = [], marker.number, time.monotonic()
    for _ in range(count // 10):
        following += POLL_SECONDS
        for _ in range(5):
            time.sleep(max(0.0, random.uniform(0, following - time.monotonic()) / 2))
            marker.write()
        time.sleep(max(0.0, following - time.monotonic()))
        for line in _MARK.findall(common.bare(world)("capture-pane", "-p").encode()):
            if int(line[0]) > done:
                done = int(line[0])
                found.append(elapsed(b"MARK %s %s" % line))
    return found


def measure(title: str, observers: dict[str, Callable[[int], list[float]]], samples: int, rounds: int) -> None:
    times: dict[str, list[float]] = {name: [] for name in observers}
    for _ in range(rounds):
        for name, sample in observers.items():
            times[name] += sample(samples // rounds)
    base = common.percentile(times["control mode, bare tmux"], 0.5)
    rows = []
    for name, found in times.items():
        p50, p90, p99 = (common.percentile(found, part) for part in (0.5, 0.9, 0.99))
        rows.append([name, len(found), p50, p90, p99, max(found), f"{p50 / base:.1f}x", "2" if name == "event" else ""])
    common.show(title, ["ms from the write", "n", "p50", "p90", "p99", "max", "p50 ratio", "aim p50"], rows)


def main() -> None:
    chosen = common.options(__doc__, samples=300, rounds=3, panes=50, chat=50.0)
    with common.instance() as world:
        mine, plain = common.open_panes(world.tmux, "marked")[0], common.open_panes(common.bare(world), "plain")[0]
        world.start()
        common.wait_observed(world, 1)
        common.subscribe(world, r"MARK (\d+) (\d+)", mine.id)
        marker, other = Marker(mine), Marker(plain)
        published: list[float] = []
        observers = {
            "event": lambda count: by_event(world, marker, count, published),
            "chunk": lambda count: by_chunk(world, marker, count),
            "control mode, bare tmux": lambda count: by_control_mode(world, other, count),
            f"capture-pane every {POLL_SECONDS:g} s": lambda count: by_polling(world, other, count),
        }

        def run(title: str) -> None:
            published.clear()
            measure(title, observers, chosen.samples, chosen.rounds)
            parts = " ".join(f"{common.percentile(published, part):.2f}" for part in (0.5, 0.9, 0.99))
            print(f"of the event: until the watcher published the chunk: p50 p90 p99 = {parts}")

        run("1 pane")
        more = [pane for n in range(5) for pane in common.open_panes(world.tmux, f"more{n}", (chosen.panes - 1) // 5 + 1)]
        common.wait_observed(world, 1 + len(more))
        run(f"{1 + len(more)} panes, 6 sessions, the others idle")
        with common.writing([pane.tty for pane in more], chosen.chat):
            run(f"{1 + len(more)} panes, the others print {chosen.chat:g} lines/s together")


if __name__ == "__main__":
    main()

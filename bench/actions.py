#!/usr/bin/env python
"""Actions: from an event to the process that it starts, beside starting it by hand; and a flood of events at one action.

The started program writes its own time and the number of its event into a fifo; the event's time is the logger's.
"""

import contextlib
import datetime
import os
import random
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import common
import msgpack
from ctmux.shared import messages
from harness import World, until


def arm(world: World, pattern: str, pane: str, *actions: dict[str, Any]) -> str:
    """Arm a pattern with actions; the subscription's id."""
    fields = dict.fromkeys(messages.Subscribe._fields)
    fields |= {"token": f"bench-{time.monotonic_ns()}", "kind": "pattern", "patterns": [pattern], "pane": pane,
               "options": {"actions": list(actions)}}  # fmt: skip
    return common.ask(world, "matcher", messages.Subscribe(**fields))["subscription"]["id"]


def seconds(moment: str) -> float:
    return datetime.datetime.fromisoformat(moment).timestamp()


class Ear:
    """Listens in a thread: (kind, number of the cause) -> when it was heard."""

    def __init__(self, world: World, prefix: bytes):
        self._socket = common.listen(world, prefix)
        self._ending = False
        self.heard: dict[tuple[str, int], float] = {}
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while not self._ending:
            if self._socket.poll(50):
                event = msgpack.unpackb(self._socket.recv_multipart()[1])
                self.heard[event["kind"], event["data"].get("cause", event["n"])] = time.time()

    def close(self) -> None:
        self._ending = True
        self._thread.join()
        self._socket.close(linger=0)

    def delays(self, until: dict[int, float] | None = None) -> list[float]:
        """From each event to what is said of the time `until`, or to the start of its action; milliseconds."""
        ends = until or {n: at for (kind, n), at in self.heard.items() if kind == "action.started"}
        begins = {n: at for (kind, n), at in self.heard.items() if kind == "pattern.matched"}
        return [(at - begins[n]) * 1000 for n, at in ends.items() if n in begins]


def latency(world: World, pane: common.Pane, samples: int) -> None:
    """From the line, and from its event as a subscriber hears it, to the first thing that the program does."""
    fifo = f"{world.root}/fifo"
    os.mkfifo(fifo)
    reader = os.fdopen(os.open(fifo, os.O_RDWR), "rb", buffering=0)
    argv = ["/bin/sh", "-c", 'echo "$CTMUX_EVENT_ID $(date +%s.%N)" > "$1"', "x", fifo]
    by = arm(world, "^MARK", pane.id, {"do": "run", "argv": argv, "rate": [10_000, 1.0]})
    terminal = os.open(pane.tty, os.O_WRONLY | os.O_NOCTTY)
    lines, begun = [], {}
    ear = Ear(world, b"subscription." + by.encode() + b".")
    for n in range(samples):
        wrote = time.time()
        os.write(terminal, b"MARK %d\n" % n)
        number, began = reader.read(200).split()
        begun[int(number)] = float(began)
        lines.append((float(began) - wrote) * 1000)
        until(lambda number=number: ("action.finished", int(number)) in ear.heard)
        time.sleep(random.uniform(0.005, 0.03))  # not in step with anything
    ear.close()
    common.ask(world, "matcher", messages.Unsubscribe(by))
    by_hand = []
    for n in range(samples):
        began_at = time.time()
        subprocess.run(argv, env={**world.env, "CTMUX_EVENT_ID": str(n)}, check=True)
        by_hand.append((float(reader.read(200).split()[1]) - began_at) * 1000)
    base = common.percentile(by_hand, 0.5)
    rows = [
        [name, len(found), *(common.percentile(found, part) for part in (0.5, 0.9, 0.99)), max(found),
         f"{common.percentile(found, 0.5) / base:.1f}x"]
        for name, found in (
            ("line → program's first words", lines),
            ("event heard → program's first words", ear.delays(begun)),
            ("event heard → its start heard", ear.delays()),
            ("the same program by subprocess.run", by_hand),
        )
    ]  # fmt: skip
    common.show("an action that runs a program", ["ms", "n", "p50", "p90", "p99", "max", "p50 ratio"], rows)


def memory(pid: int) -> float:
    """MB of its own."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_")) / 1024


def processor(pid: int) -> float:
    """Seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> int:
    with contextlib.suppress(OSError):
        return len(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return 0


def flood(world: World, pane: common.Pane, rate: float, duration: float) -> None:
    """So many events a second at one action with its ordinary bounds; another one is asked for something each second."""
    pid = common.programs(world)["runner"]
    flooded = arm(world, "^flood", pane.id, {"do": "run", "argv": ["/bin/sleep", "0.1"]})
    other = arm(world, "^now and then", pane.id, {"do": "run", "argv": ["/bin/true"], "rate": [10_000, 1.0]})
    before, used, most = memory(pid), processor(pid), [0.0, 0.0]
    printed = 0
    terminal = os.open(pane.tty, os.O_WRONLY | os.O_NOCTTY)
    block = b"".join(b"flood %d\n" % n for n in range(int(rate / 20)))
    ear = Ear(world, b"subscription." + other.encode() + b".")
    begin = time.monotonic()
    for n in range(int(duration * 20)):
        time.sleep(max(0.0, begin + n / 20 - time.monotonic()))
        os.write(terminal, block + (b"now and then\n" if n % 20 == 0 else b""))
        printed += int(rate / 20)
        most = [max(most[0], memory(pid)), max(most[1], float(children(pid)))]
    took = time.monotonic() - begin

    def counted() -> int:
        events = [event for event in world.events() if event["subscription"] == flooded]
        held = sum(e["data"]["count"] for e in events if e["kind"] in ("action.suppressed", "action.refused"))
        return held + sum(e["kind"] == "action.intended" for e in events)

    until(lambda: counted() == printed, 60)
    until(lambda: len(ear.delays()) >= int(duration), 60)
    ear.close()
    delays = ear.delays()
    used = (processor(pid) - used) / took
    settled = memory(pid)
    ran = sum(e["kind"] == "action.intended" and e["subscription"] == flooded for e in world.events())
    reports = sum(e["kind"] == "action.suppressed" and e["subscription"] == flooded for e in world.events())
    common.show(
        f"{printed / took:.0f} events a second for {took:.0f} s at one action",
        ["", ""],
        [
            ["events, all accounted for", printed],
            ["of them run / reports of the others", f"{ran} / {reports}"],
            ["the runner's memory before / at most / after, MB", f"{before:.1f} / {most[0]:.1f} / {settled:.1f}"],
            ["processes of actions at most", int(most[1])],
            ["the runner's part of a core", f"{used * 100:.0f} %"],
            ["another action meanwhile: its event heard → its start heard, p50 / p99, ms",
             f"{common.percentile(delays, 0.5):.1f} / {common.percentile(delays, 0.99):.1f} ({len(delays)})"],
        ],
    )  # fmt: skip


def main() -> None:
    chosen = common.options(__doc__, samples=200, rate=10_000.0, seconds=30.0)
    with common.instance() as world:
        pane = common.open_panes(world.tmux, "marked")[0]
        world.start()
        common.wait_observed(world, 1)
        latency(world, pane, chosen.samples)
        flood(world, pane, chosen.rate, chosen.seconds)


if __name__ == "__main__":
    main()

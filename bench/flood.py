#!/usr/bin/env python
"""Flood: 70 MB through one pane, without ctmux and with it, in turns: time, bytes lost, lag, disk that the spool keeps.

The subscriber is what anybody would write: chunks from the pub socket, holes filled from the spool file. The baseline is a
tmux server that ctmux does not see.
"""

import glob
import os
import shlex
import sys
import time
import zlib
from typing import NamedTuple

import common
import msgpack
import zmq
from ctmux.shared import messages, spool
from harness import World, until

LAST = b"the last line"
# A symlink is made in one step, so nobody reads half a report.
PROGRAM = """\
import os, subprocess, sys, time
begin = time.monotonic()
subprocess.run(["cat", sys.argv[1]])
os.symlink(f"{begin} {time.monotonic()}", sys.argv[2])
time.sleep(1000)
"""


class Seen(NamedTuple):
    """What a subscriber had of a pane. `filled`: bytes from the spool; `reclaimed`: bytes that were no longer there."""

    count: int
    crc: int
    filled: int
    reclaimed: int
    last: float


def generate(path: str, megabytes: float) -> tuple[int, int]:
    """Numbered lines of different lengths; size and CRC of what a terminal makes of them."""
    size = number = 0
    with open(path, "wb") as file:
        while size < megabytes * 1e6:
            lines = [b"%d %s" % (n, b"x" * (n % 90)) for n in range(number, number + 10000)]
            number += 10000
            size += file.write(b"\n".join(lines) + b"\n")
        file.write(LAST + b"\n")
    with open(path, "rb") as file:
        shown = file.read().replace(b"\n", b"\r\n")
    return len(shown), zlib.crc32(shown)


def run(world: World, tmux: common.Tmux, file: str) -> tuple[str, str]:
    """Start the flood in a pane of its own; the pane, and the path of what it will report."""
    report = f"{world.root}/report-{time.monotonic_ns()}"
    words = [sys.executable, "-S", "-c", PROGRAM, file, report]
    pane = tmux("new-window", "-d", "-t", "flood:", "-P", "-F", "#{pane_id}", "exec " + shlex.join(words))
    return pane, report


def times(report: str) -> list[float]:
    """When the program began and ended."""
    return [float(word) for word in until(lambda: os.path.lexists(report) and os.readlink(report), 120.0).split()]


def follow(world: World, socket: "zmq.Socket[bytes]", pane: str, size: int) -> Seen:
    """Take the chunks of the pane until all of it was seen, or nothing came for 15 s."""
    count = crc = filled = reclaimed = 0
    last = 0.0
    while count < size and socket.poll(15_000):
        _topic, packed, data = socket.recv_multipart()
        header = msgpack.unpackb(packed)
        if header["pane"] != pane:
            continue
        if header["offset"] > count:  # a hole: the spool has it, unless it was reclaimed
            (path,) = glob.glob(f"{world.paths.spool}/{header['server']}/s*/{header['stream']}.raw")
            while count < header["offset"]:
                piece = spool.read(path, count, min(1 << 20, header["offset"] - count))
                reclaimed += piece.offset - count
                crc = zlib.crc32(piece.data, crc)
                filled += len(piece.data)
                count = piece.offset + len(piece.data)
        fresh = data[max(0, count - header["offset"]) :]
        crc, count = zlib.crc32(fresh, crc), count + len(fresh)
        last = time.monotonic()
    return Seen(count, crc, filled, reclaimed, last)


class Flood:
    """The ways to run the flood, and what each took."""

    def __init__(self, world: World, file: str, size: int, crc: int):
        self.world, self.file, self.size, self.crc = world, file, size, crc
        self.seconds: dict[str, list[float]] = {}
        self.lags: dict[str, list[float]] = {}
        self.seen: list[Seen] = []
        self.skipped: list[int] = []

    def note(self, name: str, report: str, last: float | None = None) -> None:
        begin, end = times(report)
        self.seconds.setdefault(name, []).append(end - begin)
        if last is not None:
            self.lags.setdefault(name, []).append((last - end) * 1000)

    def plain(self, name: str, tmux: common.Tmux) -> None:
        self.note(name, run(self.world, tmux, self.file)[1])
        time.sleep(1)  # let the watcher finish

    def chunks(self) -> None:
        with common.listen(self.world, b"out.") as socket:
            pane, report = run(self.world, self.world.tmux, self.file)
            self.seen.append(follow(self.world, socket, pane, self.size))
        self.note("chunk subscriber", report, self.seen[-1].last)

    def matched(self) -> None:
        subscription = common.subscribe(self.world, LAST.decode())
        with common.listen(self.world, b"event.") as socket:
            report = run(self.world, self.world.tmux, self.file)[1]
            kinds = (event["kind"] for event in common.events(socket, 60))
            last = time.monotonic() if "pattern.matched" in kinds else float("nan")
            self.note("subscription on it", report, last)
        self.skipped.append(common.ask(self.world, "matcher", messages.Status(), 60.0)["skipped_bytes"])
        common.ask(self.world, "matcher", messages.Unsubscribe(subscription), 60.0)

    def elsewhere(self, pane: str) -> None:
        subscription = common.subscribe(self.world, LAST.decode(), pane)
        self.plain("subscription elsewhere", self.world.tmux)
        common.ask(self.world, "matcher", messages.Unsubscribe(subscription), 60.0)

    def show(self) -> None:
        base = common.percentile(self.seconds["no ctmux"], 0.5)
        rows = []
        for name, found in self.seconds.items():
            middle = common.percentile(found, 0.5)
            lags = " ".join(f"{lag:.0f}" for lag in self.lags.get(name, ()))
            each = " ".join(f"{value:.2f}" for value in found)
            rows.append([name, each, middle, self.size / 1e6 / middle, f"{middle / base:.2f}x", lags])
        header = ["", "seconds", "median", "MB/s", "time ratio", "lag of the last byte, ms"]
        common.show(f"{self.size / 1e6:.0f} MB through one pane, the ways in turns", header, rows)
        lost = sum(self.size - seen.count for seen in self.seen)
        same = all(seen.crc == self.crc or seen.reclaimed for seen in self.seen)
        print(f"chunk subscriber: lost {lost} bytes (aim 0), content {'the same' if same else 'DIFFERENT'};", end=" ")
        print(f"filled from the spool {[seen.filled for seen in self.seen]},", end=" ")
        print(f"reclaimed unread {[seen.reclaimed for seen in self.seen]}")
        print(f"matcher: bytes that were reclaimed before it read them: {self.skipped} (aim 0)")
        used = [os.stat(path).st_blocks * 512 / 1e6 for path in glob.glob(f"{self.world.paths.spool}/*/s*/*.raw")]
        print(
            f"disk: {max(used):.1f} MB the largest spool (aim: 16.8 kept + 10 % = 18.5); {sum(used):.0f} MB all {len(used)}"
        )


def main() -> None:
    chosen = common.options(__doc__, megabytes=70.0, rounds=3)
    with common.instance() as world:
        file = f"{world.root}/flood.txt"
        for tmux in (world.tmux, common.bare(world)):
            common.open_panes(tmux, "flood")
        other = common.open_panes(world.tmux, "other")[0]
        world.start()
        common.wait_observed(world, 2)
        flood = Flood(world, file, *generate(file, chosen.megabytes))
        for _ in range(chosen.rounds):
            flood.plain("no ctmux", common.bare(world))
            flood.plain("watched", world.tmux)
            flood.chunks()
            flood.matched()
            flood.elsewhere(other.id)
        flood.show()


if __name__ == "__main__":
    main()

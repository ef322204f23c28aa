#!/usr/bin/env python
"""Pressure: what a stuck subscriber, and each process of ours when it is frozen, do to everybody else.

A pane prints a flood. Measured: how long its program takes, the memory of the tmux server, of the broker, and the lag of a
subscriber that reads. The baseline is the same flood while all is well, in turns.
"""

import os
import signal
import time

import common
import msgpack
from ctmux import Chunk, Client
from flood import follow, generate, run, times
from footprint import memory
from harness import World


def private(pid: int) -> float:
    """MB."""
    return memory(pid)[0] / 1024


def flood_seconds(world: World, file: str) -> float:
    begin, end = times(run(world, world.tmux, file)[1])
    return end - begin


def frozen(world: World, file: str, rounds: int) -> None:
    """Each role in turn is stopped by SIGSTOP while the pane prints."""
    tmux = int(world.tmux("display-message", "-p", "#{pid}"))
    pids = common.programs(world) | {"supervisord": supervisord(world)}
    seconds: dict[str, list[float]] = {"nobody": []}
    grown: dict[str, float] = {"nobody": 0.0}
    for _ in range(rounds):
        for name in ("nobody", *sorted(pids)):
            before = private(tmux)
            if name in pids:
                os.kill(pids[name], signal.SIGSTOP)
            try:
                seconds.setdefault(name, []).append(flood_seconds(world, file))
                grown[name] = max(grown.get(name, 0.0), private(tmux) - before)
            finally:
                if name in pids:
                    os.kill(pids[name], signal.SIGCONT)
            time.sleep(1)  # let it catch up before the next turn
    base = common.percentile(seconds["nobody"], 0.5)
    rows = [
        [name, common.percentile(found, 0.5), f"{common.percentile(found, 0.5) / base:.2f}x", grown[name]]
        for name, found in seconds.items()
    ]
    header = ["frozen by SIGSTOP", "seconds, median", "ratio", "tmux grew by MB, at most"]
    common.show("the pane's program, and the memory of its tmux server (which keeps scrollback)", header, rows)


def supervisord(world: World) -> int:
    return int(world.data("status")["supervisord"]["pid"])


def stuck(world: World, file: str, size: int, rounds: int) -> None:
    """A subscriber to everything that never reads, beside one that does; then it reads, and is told what it missed."""
    broker = common.programs(world)["broker"]
    rows = [["no subscriber is stuck", private(broker), lag(world, file, size)]]
    with common.listen(world, b"") as socket:
        for turn in range(rounds):
            late = lag(world, file, size)
            rows.append([f"one is stuck, after {(turn + 1) * size / 1e6:.0f} MB", private(broker), late])
        had: dict[str, int] = {}
        told = missed = 0
        while socket.poll(500):
            frames = socket.recv_multipart()
            if not frames[0].startswith(b"out."):
                continue
            header = msgpack.unpackb(frames[1])
            if frames[2]:
                missed += max(0, header["offset"] - had.get(header["stream"], 0))
                told += 1
            had[header["stream"]] = header["offset"] + len(frames[2])
    common.show("a stuck subscriber", ["", "broker, private MB", "lag of another's last byte, ms"], rows)
    print(f"when it reads again: {told} chunks had waited; the offsets tell it that {missed / 1e6:.0f} MB", end=" ")
    print(f"of {size * rounds / 1e6:.0f} are missing")


def lag(world: World, file: str, size: int) -> float:
    """Milliseconds from the program's end to the last byte at a subscriber that reads."""
    with common.listen(world, b"out.") as socket:
        pane, report = run(world, world.tmux, file)
        seen = follow(world, socket, pane, size)
        return (seen.last - times(report)[1]) * 1000


def library(world: World, file: str, size: int) -> None:
    """A user of the client library that looks away during a flood, and comes back."""
    server = common.panes(world)[0]["server"]
    os.environ.update({name: world.env[name] for name in ("CTMUX_RUNTIME_DIR", "CTMUX_STATE_DIR")})
    with Client() as client:
        stream = client.output(server, session="$0", timeout=30)
        pane, report = run(world, world.tmux, file)
        next(stream)
        times(report)
        time.sleep(1)
        got = gaps = 0
        while got + gaps < size - (1 << 16):
            item = next(stream)
            if isinstance(item, Chunk):
                got += len(item.data)
            elif hasattr(item, "reason") and hasattr(item, "start"):
                gaps += item.end - item.start
                print(f"the client library tells: bytes {item.start}-{item.end} of {pane} {item.reason}")
    print(
        f"the client library, looking away for {size / 1e6:.0f} MB: "
        f"{got / 1e6:.1f} MB given, {gaps / 1e6:.1f} MB told as gaps"
    )


def main() -> None:
    chosen = common.options(__doc__, megabytes=40.0, rounds=3)
    with common.instance() as world:
        file = f"{world.root}/flood.txt"
        common.open_panes(world.tmux, "flood")
        world.start()
        common.wait_observed(world, 1)
        size, _crc = generate(file, chosen.megabytes)
        common.subscribe(world, "^never$")
        frozen(world, file, chosen.rounds)
        stuck(world, file, size, chosen.rounds)
        library(world, file, size)


if __name__ == "__main__":
    main()

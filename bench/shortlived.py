"""How often tmux drops the end of a dying pane's output: 28 KB and exit at once, by a bare pipe and under ctmux."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from ctmux.shared import spool
from harness import World, until

COMMAND = "seq 1 5000; exit 3"
WHOLE = sum(len(str(number)) + 2 for number in range(1, 5001))


def bare(panes: int) -> list[int]:
    """The bytes that `pipe-pane ... cat` has of each pane, without ctmux."""
    directory = tempfile.mkdtemp(prefix="ctb-", dir="/tmp")
    env = {**os.environ, "TMUX_TMPDIR": directory}

    def tmux(*arguments: str) -> str:
        command = ["tmux", "-L", "bare", "-f", "/dev/null", *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False).stdout

    try:
        tmux("new-session", "-d", "-s", "main")
        pipe = f'pipe-pane -O "exec cat >> {directory}/#{{s/%%//:pane_id}}.raw"'
        tmux("set-hook", "-g", "after-new-window[9000]", pipe)
        for _ in range(panes):
            tmux("new-window", "-d", COMMAND)
        until(lambda: len(tmux("list-panes", "-a").splitlines()) == 1, 30)
        files = list(Path(directory).glob("*.raw"))
        until(lambda: not any(spool.has_writer(str(path)) for path in files), 30)
        return [path.stat().st_size for path in files]
    finally:
        tmux("kill-server")
        shutil.rmtree(directory, ignore_errors=True)


def watched(panes: int, pattern: str | None) -> tuple[list[int], int]:
    """The bytes in the spools, and how many exit statuses were known."""
    world = World()
    try:
        world.tmux("new-session", "-d", "-s", "main")
        world.start()
        if pattern:
            world.ctmux("subscribe", "pattern", pattern)
        for _ in range(panes):
            world.tmux("new-window", "-d", COMMAND)
        until(lambda: len(world.events("pane.exited")) == panes, 90)
        exits = [event["data"] for event in world.events("pane.exited")]
        assert all(data["exit_status"] in (3, None) for data in exits)
        return [data["end"] or 0 for data in exits], sum(data["exit_status"] == 3 for data in exits)
    finally:
        world.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panes", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ways = {"bare pipe-pane": [], "ctmux": [], "ctmux, a rare pattern": [], "ctmux, every line matches": []}
    known = 0
    for _ in range(options.rounds):
        ways["bare pipe-pane"] += bare(options.panes)
        for way, pattern in (("ctmux", None), ("ctmux, a rare pattern", "^4999$"), ("ctmux, every line matches", "^.")):
            sizes, statuses = watched(options.panes, pattern)
            ways[way] += sizes
            known += statuses
    print(f"{options.rounds} x {options.panes} panes, each printing {WHOLE:,} bytes and ending at once")
    print(f"{'':28}{'whole':>10}{'cut':>6}{'lost bytes of all':>20}")
    for way, sizes in ways.items():
        cut = sum(size != WHOLE for size in sizes)
        lost = 100 * sum(WHOLE - size for size in sizes) / (WHOLE * len(sizes))
        print(f"{way:28}{len(sizes) - cut:>10}{cut:>6}{lost:>18.2f} %")
    print(f"exit statuses known: {known} of {3 * options.rounds * options.panes}; the others null, none wrong")


if __name__ == "__main__":
    main()

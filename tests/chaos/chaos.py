"""`make chaos`: a real instance over real panes, its processes killed and frozen at random, and the account of it.

    chaos.py --minutes 1 --seed 7 --every 0.6 --calm 0 [--keep 3600] [--no-stops] [--no-kills]

Prints lines printed, events, missing, doubled, out of order, kills by role and the worst stall; exit status 1 if the
guarantee did not hold, or if the control (a plain subscriber) lost nothing, because then the run could not have failed.
"""

import argparse
import contextlib
import itertools
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from acts import Acts
from harness import World, until
from killer import Killer
from kinds import Kinds
from observers import Journal, Subscriber
from samples import Samples
from walkers import Walkers
from workload import Workload

SETTLE_SECONDS = 20.0  # until everything that was printed must have come
PATTERN = r"^chaos (\w+) (\d+)$"


def main() -> int:
    options = arguments()
    seed = options.seed if options.seed is not None else random.randrange(10**6)
    print(f"seed {seed}, {options.minutes:g} minutes, a deed every {options.every:g} s", flush=True)
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))  # and clean up
    world = World()
    try:
        return run(world, options, random.Random(seed))
    finally:
        world.close()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--calm", type=float, default=0.0, help="minutes at the end without kills, to see memory grow")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--every", type=float, default=0.6, help="seconds between two deeds, on average")
    parser.add_argument("--no-stops", dest="stops", action="store_false", help="SIGKILL only, no SIGSTOP")
    parser.add_argument("--no-kills", dest="kills", action="store_false", help="leave everything alone")
    parser.add_argument("--keep", type=int, help="seconds that spools are kept; what is kept is known to the keeper")
    parser.add_argument("--rate", type=float, default=280.0, help="lines a second of each of the six long panes")
    return parser.parse_args()


def run(world: World, options: argparse.Namespace, rng: random.Random) -> int:
    world.env["CTMUX_TMUX_SOCKET"] = world.socket()
    if options.keep:
        world.configure(f"[keeper]\nkeep_seconds = {options.keep}\n")
    for session in ("main", "other"):
        world.tmux("new-session", "-d", "-s", session, "-x", "200", "-y", "50", "exec sleep 1000000")
    world.start()
    server = world.data("status")["roles"]["keeper"]["servers"][0]["server"]
    subscribers = {
        "events": Subscriber(world, "events", "events"),
        "output": Subscriber(world, "output", "output", server, "$0"),
        "control": Subscriber(world, "control", "plain"),
    }
    names = itertools.count()
    until(lambda: [world.tmux("rename-window", "-t", "main:0", f"w{next(names)}"), subscribers["control"].look()[1]][1])
    world.ctmux("subscribe", "pattern", PATTERN, "--all")
    workload = Workload(world, options.minutes * 60, options.rate, rng)
    killer = Killer(world, options.every, rng, options.stops, lambda: victims(subscribers)) if options.kills else None
    kinds = Kinds(world, workload.folder)
    workload.made.append(kinds.arm(options.minutes * 60))
    acts = Acts(world, workload.folder)
    acts.arm(workload.made[-1].pane)
    walkers = Walkers(world, workload.folder)
    walkers.arm()
    observed = Observed(Journal(world, kinds, acts, walkers), subscribers, kinds, acts, walkers, Samples(world))
    try:
        watch(options, workload, killer, observed)
        settled = settle(workload, observed)
        return report(world, server, workload, killer, observed, settled)
    finally:
        for subscriber in subscribers.values():
            subscriber.stop()


class Observed(NamedTuple):
    journal: Journal
    subscribers: dict[str, Subscriber]
    kinds: Kinds
    acts: Acts
    walkers: Walkers
    samples: Samples


def victims(subscribers: dict[str, Subscriber]) -> dict[str, int]:
    """The subscribers that are to survive their own deaths, too; the control is left alone, and loses all the same."""
    return {f"subscriber-{name}": subscribers[name].process.pid for name in ("events", "output")}


def watch(options: argparse.Namespace, workload: Workload, killer: Killer | None, observed: Observed) -> None:
    """Until the time is over."""
    began = time.monotonic()
    workload.start()
    observed.walkers.start(options.minutes * 60)
    observed.kinds.begin()
    if killer:
        killer.start()
    while (passed := time.monotonic() - began) < options.minutes * 60:
        time.sleep(0.5)  # the clock of the run
        observed.journal.look()
        observed.samples.take_if_due()
        if killer and passed > (options.minutes - options.calm) * 60:
            killer.stop()
    workload.stop()
    observed.walkers.stop()
    if killer:
        killer.stop()


def settle(workload: Workload, observed: Observed) -> bool:
    """Whether everything that was printed comes, and every exit, within a while."""

    def come() -> bool:
        printed = workload.printed()
        journal = observed.journal
        if (
            len(printed) < len(workload.made)
            or not observed.walkers.ended()
            or not journal.exited([*workload.made, *observed.walkers.made])
            or journal.account.missing(printed)
        ):
            return False
        if not observed.acts.settled():
            return False
        events, at = observed.subscribers["events"].look()
        output, _offsets = observed.subscribers["output"].look()
        return at == journal.head and not events.missing(printed) and not output.missing(workload.printed_in_main())

    try:
        return until(come, SETTLE_SECONDS)
    except AssertionError:
        return False


def report(world: World, server: str, workload: Workload, killer: Killer | None, observed: Observed, settled: bool) -> int:
    printed = workload.printed()
    journal, made = observed.journal, [*workload.made, *observed.walkers.made]
    accounts = {name: subscriber.look()[0] for name, subscriber in observed.subscribers.items()}
    rows = {
        "journal": (journal.account, printed),
        "client library: events": (accounts["events"], printed),
        "client library: output of one session": (accounts["output"], workload.printed_in_main()),
        "control: plain SUB socket": (accounts["control"], printed),
    }
    lines = sum(printed.values())
    print(f"\n{lines} lines printed in {len(printed)} panes ({len(made)} were opened), {journal.head} events")
    if killer:
        for deed, count in sorted(killer.deeds.items()):
            print(f"  {count:5d}  {deed}")
    titles = (
        ("", -38),
        ("lines", 9),
        ("missing", 8),
        ("doubled", 8),
        ("out of order", 13),
        ("gaps", 5),
        ("worst stall", 12),
    )
    print("\n" + " ".join(f"{title:{'<' if width < 0 else '>'}{abs(width)}}" for title, width in titles))
    for name, (account, expected) in rows.items():
        gaps = len(journal.gaps) if name == "journal" else len(account.gaps)
        stall = f"{account.stall:.2f} s" if account.stall else ""
        print(
            f"{name:38s} {account.lines:9d} {account.missing(expected):8d} {account.doubled:8d} {account.disordered:13d}"
            f" {gaps:5d} {stall:>12s}"
        )
        if account.missing(expected) and not name.startswith("control"):
            print(f"    {account.late(expected)}")
    faults = [*journal.lifecycle_faults(made), *(fault for one in (observed.kinds, observed.acts, observed.walkers)
              for fault in one.faults())]  # fmt: skip
    print(
        f"\nlifecycle and kinds: {len(faults)} faults; exit status of {journal.unknown(made)} of {len(made)} panes unknown"
    )
    print(f"every kind of subscription: {observed.kinds.said()} events")
    print(f"actions: {observed.acts.said()}")
    print(f"panes that move between sessions: {observed.walkers.said()}")
    observed.samples.show()
    for fault in faults[:10]:
        print(f"  {fault}")
    held = [row for name, row in rows.items() if not name.startswith("control")]
    failures = [
        *(f"{account.missing(e)} missing, {account.doubled} doubled, {account.disordered} out of order, {account.gaps[:3]}"
          for account, e in held if account.missing(e) or account.doubled or account.disordered or account.gaps),
        *faults[:3],
        *(f"gap: {gap}" for gap in journal.gaps[:3]),
        *leftovers(world, server),
    ]  # fmt: skip
    if not settled:
        failures.append(f"not everything came within {SETTLE_SECONDS:g} s")
    if killer and killer.failure:
        failures.append(f"the chaos itself failed: {killer.failure}")
    if killer and not accounts["control"].missing(printed):
        failures.append("the control lost nothing: this run could not have failed")
    for failure in failures:
        print(f"FAILED: {failure}")
    if failures:
        kept = tempfile.mkdtemp(prefix="ctmux-chaos-", dir="/tmp")
        for folder in (world.paths.journal, world.paths.logs):
            shutil.copytree(folder, f"{kept}/{os.path.basename(folder)}")
        print(f"the journal and the logs are in {kept}")
    if not failures:
        print("the guarantee held")
    return 1 if failures else 0


def leftovers(world: World, server: str) -> list[str]:
    """What is there that should not be: while the instance runs, and after it was stopped."""
    found = []
    expected = {"supervisord", *("broker", "logger", "matcher", "keeper", "runner"), "watcher"}
    wanted = sorted([*expected, "watcher"])
    watchers = [f"watcher-{server}-{n}" for n in (0, 1)]
    roles = ("keeper", "logger", "matcher", "runner", *watchers)
    sockets = {f"{name}.sock" for name in (*roles, "notice", "pub", "xsub", "supervisor")}
    locks = {f"{name}.lock" for name in (*roles, "broker", "supervisord")}
    with contextlib.suppress(AssertionError):  # supervisord waits a second before it starts what lived for less than one
        until(lambda: len(roles_running(world)) >= len(wanted) and files(world) >= sockets | locks, 20)
    running = sorted(roles_running(world))
    if running != wanted:
        found.append(f"processes that run: {running}, not {wanted}")
    if files(world) != sockets | locks:
        found.append(f"sockets and locks, too many or few: {sorted(files(world) ^ (sockets | locks))}")
    world.stop()
    if files(world) != {name for name in locks if not name.startswith("watcher-")}:
        found.append(f"sockets and locks after the stop: {sorted(files(world))}")
    if roles_running(world):
        found.append(f"processes after the stop: {roles_running(world)}")
    if "[9000]" in world.tmux("show-hooks", "-g"):
        found.append("hooks after the stop")
    if world.tmux("list-clients"):
        found.append("tmux clients after the stop")
    if any(Path(world.paths.spool).iterdir()):
        found.append("spools after the stop")
    return found


def files(world: World) -> set[str]:
    """The sockets and locks in the runtime directory."""
    return {path.name for end in ("sock", "lock") for path in Path(world.paths.runtime).glob(f"*.{end}")}


def roles_running(world: World) -> list[str]:
    """The role of each process of this instance, as /proc shows it; what tmux runs is none of ours."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if f"CTMUX_RUNTIME_DIR={world.paths.runtime}" not in (folder / "environ").read_bytes().decode(errors="replace"):
                continue
            module = next((word for word in words if word.startswith(("ctmux.services.", "supervisor.supervisord"))), None)
            if module:
                found.append(module.rpartition(".")[2])
    return found


if __name__ == "__main__":
    sys.exit(main())

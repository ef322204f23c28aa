"""The runner that dies, is stopped, or comes late: what each delivery promises, and nothing left behind."""

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from ctmux.shared import journal, supervised
from harness import World, until
from printer import Printer, subscribe
from roles import kill

pytestmark = pytest.mark.any_tmux

APPEND = 'echo "$CTMUX_EVENT_ID $CTMUX_ATTEMPT" >> "$1"'


def of(world: World, subscription: str, kind: str) -> list[dict[str, Any]]:
    return [event["data"] for event in world.events(f"action.{kind}") if event["subscription"] == subscription]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def waiting(world: World, name: str) -> list[str]:
    """A command that says that it is there, and waits until it may go on."""
    script = f'{APPEND}; (trap "" TERM; echo $$ > "$1.pid"; sleep 1000) & until [ -e "$1.go" ]; do sleep 0.02; done'
    return ["--run", "--", "sh", "-c", script, "x", f"{world.root}/{name}"]


def pid_of(world: World, name: str) -> int:
    return int(until(lambda: "".join(lines(world, f"{name}.pid"))))


def appending(world: World, name: str) -> list[str]:
    return ["--run", "--", "sh", "-c", APPEND, "x", f"{world.root}/{name}"]


def lines(world: World, name: str) -> list[str]:
    path = Path(world.root, name)
    return path.read_text().splitlines() if path.exists() else []


def test_a_killed_runner_reports_what_it_interrupted_and_leaves_nothing_behind(daemon: World) -> None:
    out = Printer(daemon)
    once = subscribe(daemon, "pattern", "most", *waiting(daemon, "most"))
    least = subscribe(daemon, "pattern", "least", "--deliver", "at-least-once", *waiting(daemon, "least"))
    out("most\nleast\n")
    pids = [pid_of(daemon, name) for name in ("most", "least")]
    until(lambda: of(daemon, once, "started") and of(daemon, least, "started"))
    kill(daemon, "runner")
    assert daemon.wait_event("action.interrupted", subscription=once)["data"]["again"] is False
    assert daemon.wait_event("action.interrupted", subscription=least)["data"]["again"] is True
    until(lambda: not any(alive(pid) for pid in pids))
    until(lambda: len(lines(daemon, "least")) == 2)
    Path(daemon.root, "least.go").touch()
    assert daemon.wait_event("action.finished", subscription=least)["data"]["attempt"] == 2
    (event,) = [event for event in daemon.events("pattern.matched") if event["subscription"] == least]
    assert lines(daemon, "least") == [f"{event['n']} 1", f"{event['n']} 2"]
    assert len(lines(daemon, "most")) == 1
    assert of(daemon, once, "finished") == []


def test_a_runner_that_is_stopped_ends_its_actions_and_says_so(daemon: World) -> None:
    out = Printer(daemon)
    armed = subscribe(daemon, "pattern", "go", "--concurrency", "1", *waiting(daemon, "one"))
    least = subscribe(
        daemon, "pattern", "least", "--deliver", "at-least-once", "--concurrency", "1", *waiting(daemon, "two")
    )
    out("go\ngo\nleast\nleast\n")
    until(lambda: len(of(daemon, armed, "intended")) == 2 and len(of(daemon, least, "intended")) == 2)
    pid, _other = pid_of(daemon, "one"), pid_of(daemon, "two")
    record = supervised.running(daemon.paths)
    assert record
    with supervised.connect(record) as proxy:
        proxy.supervisor.stopProcess("runner")
        assert len(of(daemon, armed, "interrupted")) == 2
        assert not alive(pid)
        out("go again\n")  # the others go on without it
        until(lambda: len([e for e in daemon.events("pattern.matched") if e["subscription"] == armed]) == 3)
        for name in ("one", "two"):
            Path(daemon.root, f"{name}.go").touch()
        proxy.supervisor.startProcess("runner")
    daemon.wait_event("action.finished", subscription=armed)
    assert len(of(daemon, armed, "intended")) == 3
    until(lambda: sorted(data["attempt"] for data in of(daemon, least, "finished")) == [2, 2])


@pytest.mark.parametrize("forgotten", [False, True])
def test_the_time_between_is_as_the_delivery_says(daemon: World, forgotten: bool) -> None:
    out = Printer(daemon)
    most = subscribe(daemon, "pattern", "go", "--max-age", "0.2", "--rate", "100/60", *appending(daemon, "most"))
    least = subscribe(
        daemon, "pattern", "go", "--deliver", "at-least-once", "--rate", "100/60", *appending(daemon, "least")
    )
    once = subscribe(daemon, "pattern", "go", "--once", "--deliver", "at-least-once", "--run", "--", "true")
    record = supervised.running(daemon.paths)
    assert record
    with supervised.connect(record) as proxy:
        proxy.supervisor.stopProcess("runner")
        if forgotten:
            os.unlink(daemon.paths.actions)
        for n in range(20):
            out(f"go {n}\n")
        daemon.wait_event("subscription.ended", subscription=once)
        until(lambda: len([e for e in daemon.events("pattern.matched") if e["subscription"] == least]) == 20)
        daemon.tmux("run-shell", "sleep 0.3")  # older than --max-age
        proxy.supervisor.startProcess("runner")
    until(lambda: len(lines(daemon, "least")) == 20)
    until(lambda: sum(data["count"] for data in of(daemon, most, "refused")) == 20)
    assert all(data["reason"].startswith("stale") for data in of(daemon, most, "refused"))
    assert lines(daemon, "most") == []
    daemon.wait_event("action.finished", subscription=once)


def test_what_is_armed_while_the_runner_misses_events_acts_all_the_same(world: World) -> None:
    """It is armed by an event that the journal no longer keeps when the runner comes to it."""
    world.configure("[logger]\nsegment_bytes = 10000\nkeep_bytes = 30000\n")
    world.begin()
    out = Printer(world)
    record = supervised.running(world.paths)
    assert record
    with supervised.connect(record) as proxy:
        proxy.supervisor.stopProcess("runner")
    armed = subscribe(world, "pattern", "^go", *appending(world, "ran"))
    first = world.wait_event("subscription.created", subscription=armed)["n"]
    filling = 0
    while journal.segments(world.paths.journal)[0].first <= first:
        filling += 1
        world.ctmux("publish", "filling", "--data", f'"{filling:0>2000}"')
    out("go\n")
    (cause,) = until(lambda: [e for e in world.events("pattern.matched") if e["subscription"] == armed])
    with supervised.connect(record) as proxy:
        proxy.supervisor.startProcess("runner")
    until(lambda: lines(world, "ran") == [f"{cause['n']} 1"])
    assert world.wait_event("gap")["data"]["what"] == "actions"


def test_a_runner_that_is_killed_all_the_time_runs_nothing_twice(daemon: World) -> None:
    out = Printer(daemon)
    bounds = ("--rate", "1000/1", "--queue", "1000")
    most = subscribe(daemon, "pattern", "go", *bounds, *appending(daemon, "most"))
    least = subscribe(daemon, "pattern", "go", *bounds, "--deliver", "at-least-once", *appending(daemon, "least"))
    for n in range(60):
        out(f"go {n}\n")
        if n % 15 == 7:
            kill(daemon, "runner")
    until(lambda: len(daemon.events("pattern.matched")) == 120)
    numbers = {s: {e["n"] for e in daemon.events("pattern.matched") if e["subscription"] == s} for s in (most, least)}
    until(lambda: {int(line.split()[0]) for line in lines(daemon, "least")} == numbers[least], 60)
    ran = [int(line.split()[0]) for line in lines(daemon, "most")]
    assert len(ran) == len(set(ran))
    ids = [data["action"] for data in of(daemon, most, "intended")]
    until(lambda: len(of(daemon, most, "finished")) + len(of(daemon, most, "interrupted")) == len(ids))
    ends = [data["action"] for kind in ("finished", "interrupted") for data in of(daemon, most, kind)]
    assert sorted(ends) == sorted(ids) and {int(id.split(".")[0]) for id in ids} == numbers[most]
    assert {data["action"] for data in of(daemon, most, "finished")} <= set(ids)
    assert daemon.ctmux("events", "verify")


def test_a_flood_starts_no_more_than_its_rate_and_is_counted(daemon: World) -> None:
    armed = subscribe(daemon, "pattern", "^flood", "--run", "--", "true")
    other = subscribe(daemon, "pattern", "^end$", "--run", "--", "true")
    daemon.open_pane("seq -f 'flood %.0f' 50000; echo end; exec sleep 1000")
    daemon.wait_event("action.finished", 60, subscription=other)
    until(lambda: sum(data["count"] for data in of(daemon, armed, "suppressed")) == 50_000 - 10, 30)
    assert len(of(daemon, armed, "intended")) == 10
    assert len(of(daemon, armed, "suppressed")) < 40
    status = daemon.data("status")["roles"]["runner"]
    memory = next(
        line for line in Path(f"/proc/{status['pid']}/status").read_text().splitlines() if line.startswith("VmRSS")
    )
    assert int(memory.split()[1]) < 60_000


@pytest.mark.parametrize("how", [("--dry-run",), ("--concurrency", "1", "--queue", "10000")])
def test_more_decisions_than_are_held_do_not_stop_what_follows(daemon: World, how: tuple[str, ...]) -> None:
    many = ("--rate", "10000/1", *["--shell", "exec sleep 1000"] * 16)
    armed = subscribe(daemon, "pattern", "^many", *how, *many)
    other = subscribe(daemon, "pattern", "^end$", "--run", "--", "true")
    daemon.open_pane("seq -f 'many %.0f' 250; echo end; exec sleep 1000")
    daemon.wait_event("action.finished", 60, subscription=other)
    kinds = [event["kind"] for event in daemon.events() if event["subscription"] == armed]
    assert kinds.count("action.rehearsed") + kinds.count("action.intended") == 16 * 250


def test_a_snapshot_that_is_ahead_of_the_journal_is_not_believed(daemon: World) -> None:
    """As after a power loss, which took the journal's last second."""
    out = Printer(daemon)
    armed = subscribe(daemon, "pattern", "go", "--run", "--", "true")
    record = supervised.running(daemon.paths)
    assert record
    with supervised.connect(record) as proxy:
        proxy.supervisor.stopProcess("runner")
        path = Path(daemon.paths.actions)
        kept = json.loads(path.read_text())
        path.write_text(json.dumps({**kept, "n": kept["n"] + 1000, "oldest": kept["n"] + 1001}))
        proxy.supervisor.startProcess("runner")
    out("go\n")
    assert daemon.wait_event("action.finished", 20, subscription=armed)["data"]["exit_code"] == 0


def test_a_replaced_journal_is_begun_anew_with_what_is_armed(daemon: World) -> None:
    out = Printer(daemon)
    held = subscribe(daemon, "pattern", "go", "--rate", "1/60", "--run", "--", "true")
    typed = subscribe(daemon, "pattern", "type", "--deliver", "at-least-once", "--rate", "100/60", "--send-keys", "x")
    logger = daemon.role("logger")
    out("go\n" * 200)
    daemon.wait_event("action.suppressed", subscription=held)
    out("go\n" * 5)  # held back for a second: the new journal gets that report
    os.kill(logger, signal.SIGSTOP)
    out("type 1\n")
    daemon.tmux("run-shell", "sleep 1.5")
    shutil.rmtree(daemon.paths.journal)
    os.kill(logger, signal.SIGKILL)
    until(lambda: [one.get("exit_code") for one in daemon.data("action", "list", "--subscription", typed)] == [0])

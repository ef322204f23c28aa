"""What cannot be recovered is told: what, from where to where, and why; what can be is complete."""

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from ctmux import Client
from ctmux.shared import spool
from disks import fill
from guest import Guest
from harness import World, until


def matched(world: World) -> list[dict[str, Any]]:
    return world.events("pattern.matched")


@pytest.mark.any_tmux
def test_what_was_reclaimed_before_it_was_matched(world: World) -> None:
    world.configure(f"[watcher]\nkeep_bytes = {1 << 20}\n")
    world.begin()
    world.ctmux("subscribe", "pattern", r"^row \d*00$", "--all")
    rows = "for i in $(seq 1 9); do seq -f 'row %06g' ${i}00000 ${i}99999; done"
    pane = world.open_pane(f"read go; {rows}; echo; echo row 00; sleep 0.5")
    until(lambda: world.spools(pane))
    matcher = world.role("matcher")
    os.kill(matcher, signal.SIGSTOP)
    world.tmux("send-keys", "-t", pane, "Enter")
    until(lambda: "row 00" in world.tmux("capture-pane", "-p", "-t", pane), 60)
    until(lambda: _first_kept(world, pane) > 9 << 20)
    os.kill(matcher, signal.SIGCONT)
    exited = world.wait_event("pane.exited", 60, pane=pane)
    gaps = [e for e in world.events("gap") if e["pane"] == pane]
    assert gaps and all(gap["data"]["what"] == "output" and "reclaimed" in gap["data"]["reason"] for gap in gaps)
    missing = [(gap["data"]["start"], gap["data"]["end"]) for gap in gaps]
    assert max(gap["n"] for gap in gaps) < exited["n"]
    offsets = [e["data"]["offset"] for e in matched(world)]
    assert offsets == sorted(set(offsets))
    # Each line has its event or lies in a gap; the one that a gap ends in may be torn.
    expected = [n * 12 + len("\r\n") for n in range(0, 900_000, 100)]
    lost = [at for at in expected if at not in set(offsets)]
    assert all(any(start - 12 <= at <= end for start, end in missing) for at in lost) and len(offsets) + len(lost) >= 9000
    assert matched(world)[-1]["data"]["line"] == "row 00"


@pytest.mark.any_tmux
def test_what_ended_panes_have_printed_is_bounded_in_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes first, also over a restart of the keeper; whoever asks for it is told."""
    world.configure("[keeper]\nkeep_bytes = 1000000\n")
    world.begin()
    panes = []
    for _ in range(3):
        panes.append(world.open_pane("seq -f 'row %06g' 30000; sleep 0.1"))
        exited = world.wait_event("pane.exited", 60, pane=panes[-1])
    until(lambda: [bool(world.spools(pane)) for pane in panes] == [False, True, True])
    os.kill(world.role("keeper"), signal.SIGKILL)
    world.wait_event("service.restarted", service="keeper")
    panes.append(world.open_pane("seq -f 'row %06g' 30000; sleep 0.1"))
    world.wait_event("pane.exited", 60, pane=panes[-1])
    until(lambda: [bool(world.spools(pane)) for pane in panes] == [False, False, True, True])
    for name in ("CTMUX_RUNTIME_DIR", "CTMUX_STATE_DIR"):
        monkeypatch.setenv(name, world.env[name])
    with Client() as client:
        items = list(client.output(exited["server"], [panes[0]], since={}, timeout=20))
        assert [type(item).__name__ for item in items] == ["Gap", "Event"]
        assert (items[0].start, items[0].end, items[0].reason) == (0, items[1].data["end"], "no longer in the spool")


def _first_kept(world: World, pane: str) -> int:
    (found,) = world.spools(pane)
    return spool.read(found.path, 0, 1).first


def test_a_pipe_that_is_taken(guest: Guest) -> None:
    pane = guest.open_pane("echo ours; exec cat")
    until(lambda: [s for s in guest.spools(pane) if spool.size(s.path) == 6])
    guest.tmux("pipe-pane", "-t", pane, f"exec cat >> {guest.root}/theirs")
    gap = guest.wait_event("gap", pane=pane)
    assert gap["data"]["start"] == 6 and gap["data"]["end"] is None and "pipe-pane" in gap["data"]["reason"]
    assert guest.wait_event("pane.unobserved", pane=pane)["data"]["stream"] == gap["data"]["stream"]


def test_a_tmux_server_that_is_killed(guest: Guest) -> None:
    pane = guest.open_pane("echo begun; exec sleep 1000")
    until(lambda: [s for s in guest.spools(pane) if spool.size(s.path) == 7])
    done = guest.open_pane("sleep 0.1; exit 3")
    guest.wait_event("pane.exited", pane=done, exit_status=3)
    os.kill(int(guest.tmux("display-message", "-p", "#{pid}")), signal.SIGKILL)
    guest.wait_event("server.lost")
    gap = guest.wait_event("gap", pane=pane)
    assert (gap["data"]["start"], gap["data"]["end"]) == (7, None) and "tmux server ended" in gap["data"]["reason"]
    assert gap["n"] < guest.wait_event("pane.exited", pane=pane)["n"] < guest.wait_event("session.closed")["n"]
    assert not [e for e in guest.events("gap") if e["pane"] == done]


@pytest.mark.any_tmux
def test_a_full_disk_of_the_journal(world: World) -> None:
    """Nothing is acknowledged that is not written, output goes on live, the trouble is loud, and then all events follow."""
    with world.mounted("state", "tmpfs", "size=4m"):
        world.begin()
        world.ctmux("subscribe", "pattern", r"^row (\d+)$", "--all")
        pane = world.open_pane("for i in $(seq 1 100); do echo row $i; done; read go; seq -f 'row %g' 101 3000; read go")
        until(lambda: len(matched(world)) == 100)
        fill(f"{world.root}/state/ballast")
        with world.popen("pane", "tail", pane, "-n", "4000") as stream:
            head = world.data("status")["roles"]["logger"]["head"]
            assert stream.stdout and head >= 100
            world.tmux("send-keys", "-t", pane, "Enter")
            assert any(line == "row 3000\n" for line in stream.stdout)  # live, whatever the journal does
            stream.kill()
        told = until(lambda: "cannot be written" in (t := world.ctmux("health", code=1).stderr) and t)
        assert re.search("No space left|disk full", told)
        assert "TROUBLE: the journal cannot be written" in world.ctmux("status").stdout
        known = len(matched(world))
        assert known < 3000
        assert re.search("cannot be|no answer", world.ctmux("subscribe", "pattern", "x", code=1).stderr)
        os.unlink(f"{world.root}/state/ballast")
        until(lambda: len(matched(world)) == 3000)
        assert [e["data"]["captures"][0] for e in matched(world)] == [str(n) for n in range(1, 3001)]
        stalled = world.wait_event("journal.stalled")
        assert re.search("No space left|disk full", stalled["data"]["reason"]) and stalled["data"]["seconds"] > 0
        assert world.ctmux("health").stdout == "healthy\n"
        assert "all whole" in world.ctmux("events", "verify").stdout
        world.stop()


def test_a_full_disk_of_the_spools(world: World) -> None:
    with world.mounted("run", "tmpfs", "size=40m"):
        world.begin()
        world.ctmux("subscribe", "pattern", r"^row (\d+)$", "--all")
        pane = world.open_pane("while read n; do echo row $n; done")
        until(lambda: world.spools(pane))
        world.tmux("send-keys", "-t", pane, "1", "Enter")
        until(lambda: len(matched(world)) == 1)
        fill(f"{world.root}/run/ballast")
        world.tmux("send-keys", "-t", pane, "x" * 2000, "Enter")
        world.tmux("send-keys", "-t", pane, "x" * 2000, "Enter")
        gap = world.wait_event("gap", 30, pane=pane)
        assert "disk" in gap["data"]["reason"]
        os.unlink(f"{world.root}/run/ballast")

        def observed_again() -> bool:
            world.tmux("send-keys", "-t", pane, "x", "Enter")  # tmux notices with output that nobody reads its pipe
            return len([e for e in world.events("pane.observed") if e["pane"] == pane]) == 2

        until(observed_again)
        world.tmux("send-keys", "-t", pane, "3", "Enter")
        until(lambda: [e["data"]["captures"][0] for e in matched(world)] == ["1", "3"])
        assert world.ctmux("health").stdout == "healthy\n"
        world.stop()


@pytest.mark.any_tmux
def test_a_file_system_that_cannot_punch_holes(world: World) -> None:
    with world.mounted("run", "ramfs"):
        world.begin()
        assert os.path.islink(world.paths.spool)
        real = os.path.realpath(world.paths.spool)
        pane = world.open_pane("seq 1 1000; sleep 0.3; exit 2")
        world.wait_event("pane.exited", pane=pane, exit_status=2)
        assert world.ctmux("pane", "tail", pane, "-n", "1000").stdout.split() == [str(n) for n in range(1, 1001)]
        assert world.ctmux("health").stdout == "healthy\n"
        world.stop()
        assert not os.path.exists(real)


@pytest.mark.any_tmux
def test_verify_tells_damage(daemon: World) -> None:
    until(lambda: len(daemon.events()) >= 6)
    assert "all whole" in daemon.ctmux("events", "verify").stdout
    report = json.loads(daemon.ctmux("events", "verify", "--json").stdout)["data"]
    assert report["faults"] == [] and report["events"] == report["last"] >= 6
    daemon.stop()
    (segment,) = Path(daemon.paths.journal).glob("events-*.jsonl")
    lines = segment.read_text().splitlines()
    segment.write_text("\n".join([*lines[:3], *lines[4:]]) + "\n")
    assert "event 4 follows 2" in daemon.ctmux("events", "verify", code=1).stderr

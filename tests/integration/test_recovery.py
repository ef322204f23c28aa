"""Deaths and freezes at moments that chaos seldom meets: each was a defect once."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq
from ctmux import AsyncClient, Chunk, Client, DeadlinePassed, Event, Gap
from ctmux.client import streams
from ctmux.client.script import SILENCE
from ctmux.shared import bus, spool, supervised
from disks import fill
from guest import Guest, processes
from harness import World, until


@pytest.fixture
def environment(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("CTMUX_RUNTIME_DIR", "CTMUX_STATE_DIR", "TMUX_TMPDIR"):
        monkeypatch.setenv(name, world.env[name])
    yield world


def kinds(world: World, pane: str) -> list[str]:
    return [event["kind"] for event in world.events() if event["pane"] == pane]


def restarted(world: World, name: str, pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    until(lambda: world.data("status")["roles"][name]["pid"] != pid)


def ended(pid: int) -> bool:
    return not os.path.exists(f"/proc/{pid}") or Path(f"/proc/{pid}/stat").read_text().split(")")[1][1] == "Z"


def killed(world: World, pid: int) -> None:
    """SIGKILL, and it is gone."""
    os.kill(pid, signal.SIGKILL)
    until(lambda: ended(pid))


def state_files(world: World) -> list[str]:
    return os.listdir(f"{world.paths.state}/topology")


def test_a_respawn_while_the_exit_is_being_finished(daemon: World) -> None:
    daemon.tmux("set-option", "-g", "remain-on-exit", "on")
    pane = daemon.open_pane("read go; exit 3")
    daemon.wait_event("pane.observed", pane=pane)
    matcher = daemon.role("matcher")
    os.kill(matcher, signal.SIGSTOP)
    daemon.tmux("send-keys", "-t", pane, "Enter")
    until(lambda: daemon.tmux("display-message", "-p", "-t", pane, "#{pane_dead}") == "1")
    daemon.tmux("respawn-pane", "-t", pane, "read go; exit 5")
    daemon.tmux("rename-window", "-t", "main:0", "news")
    daemon.wait_event("pane.respawned", pane=pane)
    os.kill(matcher, signal.SIGCONT)
    daemon.tmux("send-keys", "-t", pane, "Enter")
    daemon.wait_event("pane.exited", pane=pane, exit_status=5)
    assert kinds(daemon, pane).count("pane.exited") == 1


def test_a_program_that_is_started_again_has_not_exited(daemon: World) -> None:
    daemon.tmux("set-option", "-g", "remain-on-exit", "on")
    pane = daemon.open_pane("read go; exit 3")
    daemon.wait_event("pane.observed", pane=pane)

    folder = f"{daemon.paths.state}/topology"

    def seen_dead() -> bool:
        return (
            json.loads(Path(folder, *state_files(daemon)).read_text())["topology"]["panes"][pane]["dead_since"] is not None
        )

    for turn in range(5):  # the exit that is about to be finished is the last program's, not the new one's
        daemon.tmux("send-keys", "-t", pane, "Enter")
        until(seen_dead)
        daemon.tmux("respawn-pane", "-t", pane, "read go; exit 3", ";", "rename-window", "-t", "main:0", f"turn {turn}")
        until(lambda turn=turn: kinds(daemon, pane).count("pane.respawned") == turn + 1)  # type: ignore[misc]
    daemon.tmux("send-keys", "-t", pane, "Enter")
    daemon.wait_event("pane.exited", pane=pane, pid=daemon.events("pane.respawned")[-1]["data"]["pid"])
    assert {event["data"]["exit_status"] for event in daemon.events("pane.exited")} == {3}


def test_a_pane_that_is_respawned_before_it_is_first_seen(daemon: World) -> None:
    keeper = daemon.role("keeper")
    os.kill(keeper, signal.SIGSTOP)
    pane = daemon.open_pane("echo first; sleep 100")
    until(lambda: daemon.spools(pane) and spool.size(daemon.spools(pane)[0].path) > 0)
    daemon.tmux("respawn-pane", "-k", "-t", pane, "echo second; read go; exit 6")
    os.kill(keeper, signal.SIGCONT)
    respawned = daemon.wait_event("pane.respawned", pane=pane)
    assert respawned["data"]["previous"]["signal"] in (1, None)
    daemon.tmux("send-keys", "-t", pane, "Enter")
    daemon.wait_event("pane.exited", pane=pane, exit_status=6)
    assert kinds(daemon, pane).count("pane.respawned") == 1


def test_a_pane_that_is_first_seen_when_its_session_is_gone(daemon: World) -> None:
    """Whether the keeper learns of the session's end or of the pane's spool first is a matter of luck."""
    for name in ("first", "second", "third"):
        daemon.tmux("new-session", "-d", "-s", name, "read go")
        session = daemon.wait_event("session.created", name=name)["session"]
        daemon.wait_event("pane.observed", session=session)
        os.kill(keeper := daemon.role("keeper"), signal.SIGSTOP)
        pane = daemon.tmux("split-window", "-d", "-t", name, "-P", "-F", "#{pane_id}", "echo hello; read go; exit 2")
        until(lambda pane=pane: [found for found in daemon.spools(pane) if spool.size(found.path) == 7])  # type: ignore[misc]
        daemon.tmux("send-keys", "-t", pane, "Enter")
        until(lambda pane=pane: pane not in daemon.tmux("list-panes", "-a", "-F", "#{pane_id}").split())  # type: ignore[misc]
        daemon.tmux("kill-session", "-t", name)
        os.kill(keeper, signal.SIGCONT)
        daemon.wait_event("session.closed", session=session)
        kinds_of_session = [event["kind"] for event in daemon.events() if event["session"] == session]
        assert kinds_of_session.count("session.created") == kinds_of_session.count("session.closed") == 1
        assert kinds_of_session[-1] == "session.closed"
        assert kinds(daemon, pane) == ["pane.opened", "pane.observed", "pane.exited"]


def test_nothing_is_kept_of_a_session_when_its_spools_are_dropped(world: World) -> None:
    world.configure("[keeper]\nkeep_seconds = 1\n")
    world.begin()
    world.tmux("new-session", "-d", "-s", "other", "read go")
    session = world.wait_event("session.created", name="other")["session"]
    world.wait_event("pane.observed", session=session)
    folder = next(Path(world.paths.spool).glob(f"*/{spool.session_folder(session)}"))
    world.tmux("send-keys", "-t", "other:", "Enter")
    world.wait_event("session.closed", session=session)
    until(lambda: not folder.exists())
    assert [path.name for path in folder.parent.iterdir() if path.name != "meta"] == ["s0"]


def test_a_server_is_lost_once_although_nobody_heard_it(daemon: World) -> None:
    logger = daemon.role("logger")
    os.kill(logger, signal.SIGSTOP)
    daemon.tmux("kill-server")
    folder = f"{daemon.paths.state}/topology"
    until(lambda: [n for n in os.listdir(folder) if "server.lost" in Path(f"{folder}/{n}").read_text()])
    record = supervised.running(daemon.paths)
    assert record
    with supervised.connect(record) as proxy:
        info: Any = proxy.supervisor.getProcessInfo("keeper")
    killed(daemon, info["pid"])
    os.kill(logger, signal.SIGCONT)
    daemon.wait_event("server.lost")
    until(lambda: state_files(daemon) == [])
    restarted(daemon, "keeper", daemon.role("keeper"))
    assert len(daemon.events("server.lost")) == 1


def test_a_server_with_a_dead_pane_is_lost_once(world: World) -> None:
    world.env["CTMUX_TMUX_SOCKET"] = world.socket()
    world.tmux("new-session", "-d", "-s", "main", "read go; exit 3")
    world.tmux("set-option", "-g", "remain-on-exit", "on")
    world.start()
    world.wait_event("pane.observed")
    world.tmux("send-keys", "-t", "main:0", "Enter")
    world.wait_event("pane.exited", exit_status=3)
    world.tmux("kill-server")
    world.wait_event("server.lost")
    until(lambda: state_files(world) == [])
    restarted(world, "keeper", world.role("keeper"))
    assert len(world.events("server.lost")) == 1 and state_files(world) == []


def test_a_tmux_that_hangs_while_the_keeper_starts_is_not_dead(daemon: World) -> None:
    tmux = int(daemon.tmux("display-message", "-p", "#{pid}"))
    keeper = daemon.role("keeper")
    os.kill(tmux, signal.SIGSTOP)
    try:
        os.kill(keeper, signal.SIGKILL)
        daemon.wait_event("service.restarted", 30, service="keeper")
    finally:
        os.kill(tmux, signal.SIGCONT)
    until(lambda: daemon.data("status")["roles"]["keeper"]["servers"])
    pane = daemon.open_pane("exit 4")
    daemon.wait_event("pane.exited", pane=pane)
    assert not daemon.events("server.lost") and not daemon.events("session.closed") and not daemon.events("gap")


def test_a_tmux_that_nobody_can_reach_for_long_is_not_dead(world: World) -> None:
    """Somebody has emptied /tmp: its panes are written on, and when its socket is there again they are known."""
    world.configure("[keeper]\nkeep_seconds = 1\n")
    world.begin()
    world.ctmux("subscribe", "pattern", "^row", "--all")
    pane = world.open_pane("read go; echo row 1; read go")
    world.wait_event("pane.observed", pane=pane)
    tmux, keeper = int(world.tmux("display-message", "-p", "#{pid}")), world.role("keeper")
    os.unlink(world.socket())
    dropped = Path(world.paths.spool, "00000000")
    dropped.mkdir()
    restarted(world, "keeper", keeper)
    until(lambda: not dropped.exists())
    assert world.data("status")["roles"]["keeper"]["servers"] == []
    os.kill(tmux, signal.SIGUSR1)
    until(lambda: world.data("status")["roles"]["keeper"]["servers"])
    world.tmux("send-keys", "-t", pane, "Enter")
    world.wait_event("pattern.matched", line="row 1")
    world.wait_event("pane.observed", pane=world.open_pane("read go"))
    assert not world.events("gap") and not world.events("server.lost")


def test_panes_whose_spools_were_removed_are_observed_anew(daemon: World) -> None:
    """All of ours was killed, and the runtime directory was removed: a logout does both. tmux lives on."""
    daemon.ctmux("subscribe", "pattern", "^row", "--all")
    pane = daemon.open_pane("echo row 1; read go; echo row 2; read go")
    daemon.wait_event("pattern.matched", line="row 1")
    until(lambda: all(processes(daemon).values()))
    ours = processes(daemon)
    os.kill(ours["supervisord"], signal.SIGKILL)  # all others end with it
    until(lambda: all(ended(one) for one in ours.values()))
    shutil.rmtree(daemon.paths.runtime)
    daemon.start()
    gap = daemon.wait_event("gap", pane=pane)
    assert "removed" in gap["data"]["reason"] and gap["data"]["end"] is None
    until(lambda: kinds(daemon, pane)[-2:] == ["gap", "pane.observed"])
    daemon.tmux("send-keys", "-t", pane, "Enter")
    daemon.wait_event("pattern.matched", line="row 2")
    daemon.tmux("send-keys", "-t", pane, "Enter")
    daemon.wait_event("pane.exited", pane=pane)


@pytest.mark.any_tmux
def test_a_matcher_that_is_away_for_long_still_matches(daemon: World) -> None:
    """The exit is told after a while, and what was printed has its events as soon as there is a matcher."""
    daemon.ctmux("subscribe", "pattern", "^late", "--all")
    pane = daemon.open_pane("read go; echo late line; exit 4")
    daemon.wait_event("pane.observed", pane=pane)
    matcher, record = daemon.role("matcher"), supervised.running(daemon.paths)
    assert record
    os.kill(record.pid, signal.SIGSTOP)
    os.kill(matcher, signal.SIGKILL)
    daemon.tmux("send-keys", "-t", pane, "Enter")
    daemon.wait_event("pane.exited", 60, pane=pane, exit_status=4)
    os.kill(record.pid, signal.SIGCONT)
    assert daemon.wait_event("pattern.matched")["data"]["line"] == "late line"
    meta = next(Path(daemon.paths.spool).glob("*/meta"))
    until(lambda: list(meta.glob(f"p{pane[1:]}.*.done")))
    assert len(daemon.events("pattern.matched")) == 1 and not daemon.events("gap")


def test_a_stop_waits_for_the_matcher(daemon: World) -> None:
    daemon.ctmux("subscribe", "pattern", r"^\d+$", "--all")
    pane = daemon.open_pane("seq 1 30000; exec sleep 1000")
    size = sum(len(f"{n}\r\n") for n in range(1, 30001))
    until(lambda: [s for s in daemon.spools(pane) if spool.size(s.path) == size])
    daemon.stop()
    assert [e["data"]["line"] for e in daemon.events("pattern.matched")] == [str(n) for n in range(1, 30001)]
    assert not daemon.events("gap")


def test_a_stop_tells_what_it_did_not_match(daemon: World) -> None:
    daemon.ctmux("subscribe", "pattern", "x", "--all")
    pane = daemon.open_pane("echo x; exec sleep 1000")
    daemon.wait_event("pattern.matched")
    os.kill(daemon.role("matcher"), signal.SIGSTOP)
    daemon.stop()
    gap = next(e for e in daemon.events("gap") if e["pane"] == pane)
    assert "before it was matched" in gap["data"]["reason"] and gap["data"]["end"] == 3


def test_servers_that_come_and_go_leave_nothing_open(daemon: World) -> None:
    keeper = daemon.role("keeper")

    def round_trip(names: list[str]) -> int:
        known = len(daemon.events("server.lost"))
        for name in names:
            daemon.tmux("new-session", "-d", "exec sleep 1000", name=name)
        until(lambda: len(daemon.events("server.found")) == 1 + known + len(names))
        for name in names:
            daemon.tmux("kill-server", name=name)
        until(lambda: len(daemon.events("server.lost")) == known + len(names))
        until(lambda: len(state_files(daemon)) == 1)
        return len(os.listdir(f"/proc/{keeper}/fd"))

    first = round_trip(["a", "b"])
    until(lambda: round_trip(["c", "d"]) <= first)
    until(lambda: daemon.ctmux("health").stdout == "healthy\n")  # the watchers have ended


def test_a_pipe_that_is_given_back_is_ours_again(daemon: World) -> None:
    pane = daemon.open_pane("exec cat")
    daemon.wait_event("pane.observed", pane=pane)
    daemon.tmux("pipe-pane", "-t", pane, "exec cat > /dev/null")
    daemon.wait_event("pane.unobserved", pane=pane)
    assert "1 pane is not observed" in daemon.ctmux("health").stdout
    assert "nothing of it will match" in daemon.ctmux("subscribe", "pattern", "x", "--pane", pane).stderr
    daemon.tmux("pipe-pane", "-t", pane)
    until(lambda: kinds(daemon, pane).count("pane.observed") == 2)
    daemon.tmux("send-keys", "-t", pane, "text", "Enter")
    newest = daemon.spools(pane)[-1]
    until(lambda: b"text" in Path(newest.path).read_bytes())
    told = [kind for kind in kinds(daemon, pane) if kind.startswith("pane.") or kind == "gap"]
    assert told == ["pane.opened", "pane.observed", "pane.unobserved", "gap", "pane.observed"]


def test_our_pipe_that_is_closed_by_hand_stays_closed(guest: Guest) -> None:
    pane = guest.open_pane("exec cat")
    guest.wait_event("pane.observed", pane=pane)
    guest.tmux("pipe-pane", "-t", pane)
    assert "closed by another" in guest.wait_event("pane.unobserved", pane=pane)["data"]["reason"]
    guest.tmux("rename-window", "-t", "main:0", "news")
    guest.wait_event("window.renamed")
    assert guest.tmux("display-message", "-p", "-t", pane, "#{pane_pipe}") == "0"


@pytest.mark.any_tmux
def test_what_cannot_be_noted_is_not_told(world: World) -> None:
    """The keeper's state is on a full disk: its drafts wait with it, so that no position is used twice."""
    with world.mounted("state", "tmpfs", "size=4m"):
        world.begin()
        until(lambda: len(world.events("service.started")) == 6)
        fill(f"{world.root}/state/ballast")
        pane = world.open_pane("exec sleep 1000")
        until(lambda: world.spools(pane))
        restarted(world, "keeper", world.role("keeper"))
        world.tmux("kill-pane", "-t", pane)
        other = world.open_pane("exec sleep 1000")
        os.unlink(f"{world.root}/state/ballast")
        world.wait_event("pane.observed", 30, pane=other)
        world.wait_event("pane.exited", 30, pane=pane)
        assert kinds(world, pane) == ["pane.opened", "pane.observed", "pane.exited"]
        assert sorted(kinds(world, other)) == ["pane.observed", "pane.opened"]
        world.stop()


@pytest.mark.any_tmux
def test_output_that_is_no_longer_kept_is_a_gap(environment: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_ENDS_KEPT", 0)
    world = environment
    world.configure("[keeper]\nkeep_seconds = 1\n")
    world.begin()
    server = world.wait_event("server.found")["server"]
    pane = world.open_pane("printf one; read go; printf two; exit 1")
    world.wait_event("pane.observed", pane=pane)
    with Client() as client:
        stream = client.output(server, session="$0", since={}, timeout=20)
        assert next(item for item in stream if isinstance(item, Chunk)).data == b"one"
        position = stream.position
        world.tmux("send-keys", "-t", pane, "Enter")
        end = world.wait_event("pane.exited", pane=pane)["data"]["end"]
        other = world.open_pane("printf unseen; sleep 0.5")  # comes and goes while nobody follows
        unseen = world.wait_event("pane.exited", pane=other)["data"]["stream"]
        until(lambda: not world.spools(pane) and not world.spools(other))
        got: list[object] = []
        stream = client.output(server, session="$0", since=position, timeout=2)
        with pytest.raises(DeadlinePassed):
            for item in stream:
                got.append(item if isinstance(item, Gap) else (item.kind, item.pane))
        gone = "no longer in the spool"
        assert got == [
            Gap(3, end, gone, next(name for name in position if "p1." in name)), ("pane.exited", pane),
            ("pane.observed", other), Gap(0, 6, gone, unseen), ("pane.exited", other),
        ]  # fmt: skip
        assert not any(name.startswith(("p1.", "p2.")) for name in stream.position)  # nothing follows in them
        with pytest.raises(DeadlinePassed):  # neither the gaps nor the ends twice
            next(client.output(server, session="$0", since=stream.position, timeout=2))


def test_output_tells_when_a_pane_is_not_observed(environment: World) -> None:
    world = environment
    world.begin()
    server = world.wait_event("server.found")["server"]
    pane = world.open_pane("exec cat")
    world.wait_event("pane.observed", pane=pane)
    with Client() as client:
        stream = client.output(server, [pane], since={}, timeout=20)
        world.tmux("pipe-pane", "-t", pane, "exec cat > /dev/null")
        world.wait_event("gap", pane=pane)
        world.tmux("pipe-pane", "-t", pane)
        until(lambda: kinds(world, pane).count("pane.observed") == 2)
        world.tmux("kill-pane", "-t", pane)
        seen = [item.kind for item in stream if isinstance(item, Event)]
    assert seen[-1] == "pane.exited"


@pytest.mark.any_tmux
def test_a_frozen_broker_is_a_trouble(daemon: World) -> None:
    broker = next(p["pid"] for p in daemon.data("status")["programs"] if p["name"] == "broker")
    os.kill(broker, signal.SIGSTOP)
    assert "broker does not answer" in daemon.ctmux("health", code=1).stderr
    os.kill(broker, signal.SIGCONT)
    assert daemon.ctmux("health").stdout == "healthy\n"


class Seen:
    """What a follower was given: lines of matches, or bytes."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.output = b""

    def take(self, item: Any) -> bool:
        """Whether it is the last one."""
        if isinstance(item, Chunk):
            self.output += item.data
        elif item.kind == "pattern.matched":
            self.lines.append(item.data["line"])
        return bool(self.lines) and self.lines[-1] == "row 9"

    def rows(self) -> list[str]:
        return self.lines or [line for line in self.output.decode().splitlines() if line.startswith("row")]


@contextlib.contextmanager
def followers(world: World) -> Iterator[tuple[list[Seen], Callable[..., None]]]:
    """Of events, then of output, each a blocking one and one under asyncio; and what prints rows until those named have
    them. In the end all have each row once."""
    pane = world.open_pane("stty -echo; while read n; do echo row $n; done")
    server = world.wait_event("pane.observed", pane=pane)["server"]
    world.ctmux("subscribe", "pattern", "^row", "--pane", pane)
    seen = [Seen() for _ in range(4)]

    def blocking(mine: Seen, output: bool) -> None:
        with Client() as client:
            for item in client.output(server, [pane], since={}) if output else client.events(since=1):
                if mine.take(item):
                    break

    async def follow(client: AsyncClient, mine: Seen, output: bool) -> None:
        async for item in client.output(server, [pane], since={}) if output else client.events(since=1):
            if mine.take(item):
                break

    async def awaited() -> None:
        async with AsyncClient() as client:
            await asyncio.gather(follow(client, seen[1], False), follow(client, seen[3], True))

    def row(*numbers: int, of: list[Seen] = seen) -> None:
        for number in numbers:
            world.tmux("send-keys", "-t", pane, str(number), "Enter")
        until(lambda: [mine.rows()[-1:] for mine in of] == [[f"row {numbers[-1]}"]] * len(of), 40)

    threads = [
        threading.Thread(target=blocking, args=(seen[0], False)), threading.Thread(target=blocking, args=(seen[2], True)),
        threading.Thread(target=asyncio.run, args=(awaited(),)),
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    try:
        yield seen, row
    finally:
        world.tmux("kill-pane", "-t", pane)
        for thread in threads:
            thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert [mine.rows() for mine in seen] == [[f"row {number}" for number in range(10)]] * 4
    assert seen[2].output == seen[3].output


@pytest.mark.any_tmux
def test_behind_a_frozen_broker_followers_go_on_and_are_given_nothing_twice(daemon: World, environment: World) -> None:
    broker = next(p["pid"] for p in daemon.data("status")["programs"] if p["name"] == "broker")
    with followers(daemon) as (_seen, row):
        row(0, 1)
        os.kill(broker, signal.SIGSTOP)
        try:
            row(2, 3, 4)
            row(5)
        finally:
            os.kill(broker, signal.SIGCONT)
        row(6, 7, 8, 9)


@pytest.mark.any_tmux
def test_while_the_logger_is_frozen_output_goes_on_and_events_are_waited_for(daemon: World, environment: World) -> None:
    logger = daemon.role("logger")
    with followers(daemon) as (seen, row), bus.subscriber(zmq.Context.instance(), daemon.paths.subscribers, b"") as socket:
        row(0, 1)
        os.kill(logger, signal.SIGSTOP)
        try:
            for number in (2, 3):
                while socket.poll(int(SILENCE * 1000) + 500):  # until followers have noticed it
                    socket.recv_multipart()
                row(number, of=seen[2:])
        finally:
            os.kill(logger, signal.SIGCONT)
        row(4, 5, 6, 7, 8, 9)


@pytest.mark.any_tmux
def test_a_frozen_logger_lets_nobody_wait_for_longer_than_he_wants(daemon: World, environment: World) -> None:
    async def awaited() -> None:
        async with AsyncClient() as client:
            async for _event in client.events(timeout=4):
                pass

    with Client() as client:
        client.status()
        stream = client.events(since=daemon.events()[-1]["n"], timeout=4)
        next(stream)
        os.kill(daemon.role("logger"), signal.SIGSTOP)
        with pytest.raises(DeadlinePassed):
            list(stream)
    begun = time.monotonic()
    with pytest.raises(DeadlinePassed):
        asyncio.run(awaited())
    assert time.monotonic() - begun < 10


@pytest.mark.any_tmux
def test_a_frozen_supervisord_holds_nobody_for_ever(daemon: World) -> None:
    record = supervised.running(daemon.paths)
    assert record
    os.kill(record.pid, signal.SIGSTOP)
    begun = time.monotonic()
    assert "starting or ending" in daemon.ctmux("status", code=3).stderr and time.monotonic() - begun < 40
    os.kill(record.pid, signal.SIGCONT)
    daemon.ctmux("status")


@pytest.mark.any_tmux
def test_a_restart_with_a_mistake_in_the_settings_stops_nothing(daemon: World) -> None:
    daemon.configure("nonsense")
    daemon.ctmux("daemon", "restart", code=2)
    del daemon.env["CTMUX_CONFIG"]
    daemon.ctmux("status")


@pytest.mark.any_tmux
def test_a_stop_after_a_crash_says_what_is_left(daemon: World) -> None:
    record = supervised.running(daemon.paths)
    assert record
    os.kill(record.pid, signal.SIGKILL)
    until(lambda: supervised.running(daemon.paths) is None)
    assert "left hooks in tmux" in daemon.ctmux("daemon", "stop", code=3).stderr
    daemon.start()
    daemon.stop()
    assert "left hooks" not in daemon.ctmux("daemon", "stop", code=3).stderr


@pytest.mark.any_tmux
def test_what_is_over_is_not_matched_again_when_the_kernel_has_lost_count(world: World) -> None:
    """Then all spools are looked at, also those that are only kept for their history, and whose producers the logger has
    forgotten."""
    world.configure("[logger]\nsegment_bytes = 10000\n")
    world.begin()
    world.ctmux("subscribe", "pattern", "^row")
    over = world.open_pane("seq -f 'row %g' 3")
    world.wait_event("pane.exited", pane=over)
    for number in range(1, 5):  # until the segments that know of the pane are no longer the last ones
        more = world.open_pane("seq -f 'row %g' 100; exec cat")
        until(lambda number=number: len(world.events("pattern.matched")) == 3 + 100 * number)  # type: ignore[misc]
    folder = Path(world.spools(more)[0].path).parent
    os.kill(world.role("matcher"), signal.SIGKILL)
    world.wait_event("service.restarted", service="matcher")
    matcher = until(lambda: world.role("matcher"))
    os.kill(matcher, signal.SIGSTOP)
    for number in range(6000):  # thrice as many events: the queue of inotify holds 16,384
        (folder / "a").write_bytes(b"%d" % number)
        (folder / "b").write_bytes(b"%d" % number)
    os.kill(matcher, signal.SIGCONT)
    world.ctmux("pane", "send-keys", more, "row 101", "Enter")  # the matcher has looked at all when it has seen this
    until(lambda: len(world.events("pattern.matched")) > 403)
    assert [e["data"]["line"] for e in world.events("pattern.matched") if e["pane"] == over] == ["row 1", "row 2", "row 3"]

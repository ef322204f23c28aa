"""What happens to sessions, windows and panes, as events: each once, with its fields, in an order that can be relied on."""

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ctmux.shared import supervised
from guest import Guest
from harness import World, until

Event = dict[str, Any]
IDS = {
    "n",
    "time",
    "kind",
    "server",
    "session",
    "window",
    "pane",
    "subscription",
    "data",
    "prev",
    "producer",
    "position",
    "key",
}


def check(events: list[Event], first: int = 1) -> None:
    """What holds for every journal: no hole, chains that join, ends after what they end, and each end once."""
    assert [e["n"] for e in events] == list(range(first, first + len(events)))
    newest: dict[tuple[Any, ...], int] = {}
    over: set[tuple[str, str]] = set()
    for event in events:
        assert event.keys() >= IDS
        chains: dict[str, tuple[Any, ...]] = {}
        for level in ("session", "pane"):
            if event["server"] and event[level]:
                chains[level] = (level, event["server"], event[level])
        if event["subscription"]:
            chains["subscription"] = ("subscription", event["subscription"])
        assert event["prev"] == {level: newest.get(chain, 0) for level, chain in chains.items()}, event
        newest.update(dict.fromkeys(chains.values(), event["n"]))
        if event["kind"].startswith(("pane.", "session.", "window.", "pattern.")):
            for level in ("pane", "session"):
                assert (event["server"], event[level]) not in over, event
        if event["kind"] == "pane.exited":
            over.add((event["server"], event["pane"]))
        if event["kind"] == "session.closed":
            over.add((event["server"], event["session"]))
    kinds = [(e["kind"], e["server"], e["pane"] or e["session"]) for e in events]
    once = ("session.created", "session.closed", "pane.opened", "pane.exited")
    assert [key for key, times in Counter(kinds).items() if key[0] in once and times > 1] == []
    assert len({(e["producer"], e["position"], e["key"]) for e in events}) == len(events)


def find(events: list[Event], kind: str, **ids: Any) -> Event:
    (event,) = [e for e in events if e["kind"] == kind and all(e[name] == value for name, value in ids.items())]
    return event


def watchers(world: World) -> Counter[str]:
    """How many watchers run for each session, by the kernel's word."""
    needle = f"CTMUX_RUNTIME_DIR={world.paths.runtime}\0".encode()
    found: Counter[str] = Counter()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                command = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
                if b"ctmux.services.watcher" in command and needle in Path(f"/proc/{name}/environ").read_bytes():
                    found[f"${command[command.index(b'ctmux.services.watcher') + 2].decode()}"] += 1
            except OSError:
                continue
    return found


def process(world: World, role: str, before: int = 0) -> int:
    """The pid of a role (another one than `before`) that has run for a second: one that is killed earlier than that is
    started ever more slowly by supervisord."""
    record = supervised.running(world.paths)
    assert record
    with supervised.connect(record) as proxy:

        def look() -> int:
            info: Any = proxy.supervisor.getProcessInfo(role)
            return 0 if info["statename"] != "RUNNING" or info["pid"] == before else int(info["pid"])

        return until(look)


def new(world: World, session: str, command: str) -> str:
    return world.tmux("new-window", "-d", "-t", f"{session}:", "-P", "-F", "#{pane_id}", command)


def pid(world: World, pane: str) -> int:
    return int(world.tmux("display-message", "-p", "-t", pane, "#{pane_pid}"))


def test_the_story_of_a_session(guest: Guest) -> None:
    server = guest.wait_event("server.found")["server"]
    guest.tmux("new-session", "-d", "-s", "first", "-n", "shell", "exec cat")
    created = guest.wait_event("session.created", session="$1")
    assert (created["server"], created["window"], created["pane"], created["data"]) == (
        server,
        None,
        None,
        {"name": "first"},
    )
    opened = guest.wait_event("pane.opened", pane="%1")
    assert (opened["server"], opened["session"], opened["window"]) == (server, "$1", "@1")
    assert opened["data"].keys() == {"pid"} and opened["data"]["pid"] == pid(guest, "%1")
    stream = guest.wait_event("pane.observed", pane="%1")["data"]["stream"]
    assert stream.startswith(f"p1.{pid(guest, '%1')}.w1.")
    assert created["n"] < opened["n"]

    guest.tmux("rename-session", "-t", "first", "second : 'name'")
    name = guest.tmux("display-message", "-p", "-t", "$1", "#{session_name}")
    renamed = guest.wait_event("session.renamed", session="$1")
    assert renamed["data"] == {"name": name, "previous": "first"}
    guest.tmux("rename-window", "-t", "@1", "; @0 1 e#S 'or\\';x")
    name = guest.tmux("display-message", "-p", "-t", "@1", "#{window_name}")
    window = guest.wait_event("window.renamed", window="@1")
    assert (window["session"], window["pane"], window["data"]) == ("$1", None, {"name": name, "previous": "shell"})

    pane = guest.tmux("split-window", "-d", "-t", "$1", "-P", "-F", "#{pane_id}", "sleep 0.2; exec sleep 100")
    guest.wait_event("pane.opened", pane=pane, window="@1", session="$1")
    guest.tmux("break-pane", "-d", "-s", pane, "-t", "main:")
    moved = guest.wait_event("pane.moved", pane=pane)
    target = guest.tmux("display-message", "-p", "-t", pane, "#{window_id}")
    assert (moved["session"], moved["window"]) == ("$0", target)
    assert moved["data"]["origin"] == {"session": "$1", "window": "@1"}

    old = pid(guest, pane)
    guest.tmux("respawn-pane", "-k", "-t", pane, "sleep 0.2; exit 6")
    respawned = guest.wait_event("pane.respawned", pane=pane)
    assert respawned["data"]["previous"]["pid"] == old and respawned["data"]["pid"] != old
    assert respawned["data"]["previous"]["exit_status"] is None and respawned["data"]["previous"]["signal"] in (1, None)
    exited = guest.wait_event("pane.exited", pane=pane)
    assert (exited["session"], exited["window"]) == ("$0", target)
    assert exited["data"] == {
        "exit_status": 6, "signal": None, "pid": respawned["data"]["pid"], "end": 0, "stream": exited["data"]["stream"],
    }  # fmt: skip

    guest.tmux("kill-session", "-t", "$1")
    closed = guest.wait_event("session.closed", session="$1")
    assert closed["data"] == {"name": renamed["data"]["name"]}
    assert guest.wait_event("pane.exited", pane="%1")["n"] < closed["n"]
    check(guest.events(), guest.first)


def test_a_program_that_gives_its_window_a_huge_name_hides_nothing(guest: Guest) -> None:
    guest.tmux("set-option", "-g", "allow-rename", "on")
    called = "read go; printf '\\033k'; head -c 700000 /dev/zero | tr '\\0' {}; printf '\\033\\\\'"
    pane = guest.open_pane(f"{called.format('x')}; {called.format('y')}; read go")
    guest.wait_event("pane.observed", pane=pane)
    for letter in "xy":
        guest.tmux("send-keys", "-t", pane, "Enter")
        guest.wait_event("window.renamed", name=letter * 1024)
    guest.wait_event("pane.opened", pane=guest.open_pane("read go"))


def test_how_programs_end(guest: Guest) -> None:
    ends = {
        "sleep 0.2; exit 0": (0, None),
        "sleep 0.2; exit 255": (255, None),
        "sleep 0.2; kill -KILL $$": (None, 9),
        "sleep 0.2; kill -SEGV $$": (None, 11),
        "exec python3 -c 'import time; time.sleep(0.2); raise SystemExit(42)'": (42, None),
    }
    panes = {new(guest, "main", command): end for command, end in ends.items()}
    asked = new(guest, "main", "exec sleep 100")
    guest.wait_event("pane.opened", pane=asked)
    guest.tmux("kill-pane", "-t", asked)
    for pane, end in {**panes, asked: (None, 1)}.items():
        data = guest.wait_event("pane.exited", pane=pane)["data"]
        assert (data["exit_status"], data["signal"]) == end, pane
    check(guest.events(), guest.first)


def slowed(world: World) -> None:
    """Begin with a tmux server whose pipes start late, where they have to make the folder of their session."""
    slow = Path(f"{world.root}/slow")
    slow.mkdir()
    slow.joinpath("mkdir").write_text('#!/bin/sh\nsleep 2.5\nexec /bin/mkdir "$@"\n')
    slow.joinpath("mkdir").chmod(0o755)
    world.env["PATH"] = f"{slow}:{world.env['PATH']}"
    world.begin()


def test_the_end_comes_last(guest: Guest) -> None:
    """After a pane's matches its exit, after the exits of its panes a session's end."""
    guest.ctmux("subscribe", "pattern", "^row [0-9]+$", "--name", "rows")
    rows = "read go; for i in $(seq 300); do echo row $i; done; sleep 0.1; printf 'row 301'"
    guest.tmux("new-session", "-d", "-s", "s", rows)  # it waits: of a session that has ended, -t s is a window named sh
    guest.tmux("split-window", "-d", "-t", "=s:", "for i in $(seq 200); do echo row $i; done; sleep 0.1; exit 2")
    guest.tmux("send-keys", "-t", "%1", "Enter")
    guest.wait_event("session.closed", name="s")
    events = guest.events()
    closed = find(events, "session.closed", session="$1")
    for pane, count in (("%1", 301), ("%2", 200)):
        exited = find(events, "pane.exited", pane=pane)
        matched = [e for e in events if e["kind"] == "pattern.matched" and e["pane"] == pane]
        assert [e["data"]["line"] for e in matched] == [f"row {number}" for number in range(1, count + 1)]
        assert matched[-1]["n"] < exited["n"] < closed["n"]
        assert matched[-1]["data"]["end"] <= exited["data"]["end"]
    check(events, guest.first)


def test_the_end_comes_last_also_where_the_pipe_of_a_pane_is_slow_to_start(world: World) -> None:
    """A busy machine may start the pipe long after the pane has ended; what tmux has handed to it is still output."""
    slowed(world)
    world.ctmux("subscribe", "pattern", "^row [0-9]+$")
    world.tmux("new-session", "-d", "-s", "s", "for i in 1 2 3; do echo row $i; done; sleep 0.1; exit 4")
    exited = world.wait_event("pane.exited", pane="%1")
    events = world.events()
    matched = [e for e in events if e["kind"] == "pattern.matched"]
    assert [e["data"]["line"] for e in matched] == ["row 1", "row 2", "row 3"]
    assert matched[-1]["n"] < exited["n"]
    assert exited["data"]["end"] == len(b"row 1\r\n" * 3) and exited["data"]["exit_status"] == 4
    check(events)


def test_a_nested_tmux_hides_no_exit(guest: Guest) -> None:
    """A pane without a stream waits for tmux's forks, which look like the server itself; so does a client in a pane."""
    nested = new(guest, "main", f"exec tmux -S {guest.socket()} wait-for never")
    guest.wait_event("pane.observed", pane=nested)
    guest.tmux("set-hook", "-t", "main", "after-new-window", "pipe-pane 'exec cat > /dev/null'")
    pane = new(guest, "main", "exec cat")
    guest.wait_event("pane.unobserved", pane=pane)
    guest.tmux("kill-pane", "-t", pane)
    exited = guest.wait_event("pane.exited", pane=pane)
    assert exited["data"]["stream"] is None and exited["data"]["end"] is None
    assert guest.events("pane.exited") == [exited]  # the nested one lives
    guest.tmux("wait-for", "-S", "never")
    guest.wait_event("pane.exited", pane=nested)
    check(guest.events(), guest.first)


def test_a_session_closes_after_a_pane_that_nobody_has_seen(world: World) -> None:
    """The pipe of a pane that lived for a moment starts long after the rest of its session has ended."""
    slow = Path(f"{world.root}/slow")
    slow.mkdir()
    first = f"/bin/mkdir {slow}/first 2>/dev/null && sleep 1 || sleep 3.5"
    slow.joinpath("mkdir").write_text(f'#!/bin/sh\n{first}\nexec /bin/mkdir -p "$@"\n')
    slow.joinpath("mkdir").chmod(0o755)
    world.env["CTMUX_TMUX_SOCKET"] = world.socket()
    world.tmux("new-session", "-d", "-s", "main", "-x", "120", "-y", "30")
    world.start()
    until(lambda: watchers(world) == {"$0": 1})
    world.tmux("set-environment", "-g", "PATH", f"{slow}:{world.env['PATH']}")
    world.ctmux("subscribe", "pattern", "^row")
    world.tmux("new-session", "-d", "-s", "s", "echo row 1; sleep 0.5", ";", "split-window", "-d", "-t", "s", "echo row 2")
    world.wait_event("session.closed", session="$1")
    events = world.events()
    assert {e["data"]["line"] for e in events if e["kind"] == "pattern.matched"} == {"row 1", "row 2"}  # either pane first
    assert {e["pane"] for e in events if e["kind"] == "pane.exited"} == {"%1", "%2"}
    check(events)


def test_the_end_comes_last_also_where_the_server_ends_before_a_pipe_has_started(world: World) -> None:
    """The shell of the pipe outlives the tmux server, and so does what tmux has handed to it."""
    slowed(world)
    world.ctmux("subscribe", "pattern", "^row [0-9]+$")
    pane = world.tmux("new-session", "-d", "-s", "s", "-P", "-F", "#{pane_id}", "echo row 1; exec cat")
    world.wait_event("pane.opened", pane=pane)
    until(lambda: "row 1" in world.tmux("capture-pane", "-p", "-t", pane))
    world.tmux("kill-server")
    lost = world.wait_event("server.lost")
    events = world.events()
    (matched,) = [e for e in events if e["kind"] == "pattern.matched"]
    assert matched["n"] < find(events, "pane.exited", pane=pane)["n"] < lost["n"]
    check(events)


def test_a_spool_that_somebody_removes_hides_no_exit(guest: Guest) -> None:
    """A cleaner of /tmp, say: nobody is told when the last writer of a removed file closes it."""
    pane = new(guest, "main", "exec cat")
    guest.wait_event("pane.observed", pane=pane)
    (found,) = guest.spools(pane)
    os.unlink(found.path)
    guest.tmux("kill-pane", "-t", pane)
    exited = guest.wait_event("pane.exited", pane=pane)
    assert exited["data"]["signal"] in (1, None) and exited["data"]["end"] is None
    check(guest.events(), guest.first)


def test_one_watcher_for_each_session_at_any_time(guest: Guest) -> None:
    until(lambda: watchers(guest) == {"$0": 1})

    def settled(wanted: set[str]) -> bool:
        now = watchers(guest)
        assert not [session for session, times in now.items() if times > 1], now
        return now == dict.fromkeys(wanted, 1)

    for number in range(1, 11):
        guest.tmux("new-session", "-d", "-s", f"s{number}", "exec cat")
        settled(set())
        if number % 2:  # half of them at once, before anybody can have started anything
            guest.tmux("kill-session", "-t", f"s{number}")
        settled(set())
    even = {f"${number}" for number in range(2, 11, 2)}
    until(lambda: len(guest.events("session.closed")) == 5)
    until(lambda: settled({"$0", *even}))
    for session in sorted(even):
        guest.tmux("kill-session", "-t", session)
        settled(set())
    until(lambda: len(guest.events("session.closed")) == 10)
    until(lambda: settled({"$0"}))
    record = supervised.running(guest.paths)
    assert record
    left = until(lambda: len(found := os.listdir(record.services)) == 1 and found)
    assert left[0].endswith("-0.conf")
    created = {e["session"]: e["data"]["name"] for e in guest.events("session.created")}
    assert created.keys() == {f"${number}" for number in range(11)}
    # The name of a session that was gone before anybody could ask for it is not known.
    assert all(created[f"${n}"] in (f"s{n}", None if n % 2 else f"s{n}") for n in range(1, 11))
    assert guest.events("service.restarted") == []
    check(guest.events(), guest.first)


@pytest.mark.parametrize("way", ["kill-pane", "kill-window", "kill-session", "kill-server"])
def test_whatever_is_killed_its_ends_are_told(guest: Guest, way: str) -> None:
    guest.tmux("new-session", "-d", "-s", "s", "exec cat")
    guest.tmux("split-window", "-d", "-t", "s:0", "exec cat")
    guest.tmux("new-window", "-d", "-t", "s:1", "exec cat")
    for pane in ("%1", "%2", "%3"):
        guest.wait_event("pane.opened", pane=pane)
    target = {"kill-pane": ["-t", "%2"], "kill-window": ["-t", "s:0"], "kill-session": ["-t", "s"], "kill-server": []}[way]
    panes = {"kill-pane": {"%2"}, "kill-window": {"%1", "%2"}, "kill-session": {"%1", "%2", "%3"},
             "kill-server": {"%0", "%1", "%2", "%3"}}[way]  # fmt: skip
    sessions = {"kill-session": {"$1"}, "kill-server": {"$0", "$1"}}.get(way, set())
    guest.tmux(way, *target)
    until(lambda: {e["pane"] for e in guest.events("pane.exited")} == panes)
    until(lambda: {e["session"] for e in guest.events("session.closed")} == sessions)
    if way == "kill-server":
        guest.wait_event("server.lost")
    for event in guest.events("pane.exited"):
        assert event["data"]["exit_status"] is None and event["data"]["signal"] in (1, None)
    until(lambda: watchers(guest) == dict.fromkeys({"$0", "$1"} - sessions, 1))
    events = guest.events()
    check(events, guest.first)
    for session in sessions:
        last = max(e["n"] for e in events if e["kind"] == "pane.exited" and e["session"] == session)
        assert last < find(events, "session.closed", session=session)["n"]
    if way == "kill-server":
        assert find(events, "server.lost")["n"] > max(e["n"] for e in events if e["kind"] == "session.closed")


def test_no_change_is_lost_however_many_come_at_once(guest: Guest) -> None:
    """Two signals on a tmux channel that nobody waits on are none: what the keeper learns must not hang on their number."""
    for turn in range(120):
        for number in range(turn % 4 + 1):
            name = f"name-{turn}-{number}"
            guest.tmux("rename-session", "-t", "$0", name)
        until(lambda name=name: guest.events("session.renamed")[-1]["data"]["name"] == name, 5)
    check(guest.events(), guest.first)


def test_each_once_although_the_keeper_is_killed_again_and_again(daemon: World) -> None:
    def steps(name: str) -> list[list[str]]:
        return [
            ["new-session", "-d", "-s", name, "exec cat"],
            ["rename-session", "-t", name, f"{name}b"],
            ["new-window", "-d", "-t", f"{name}b:", "echo hello; exec cat"],
            ["split-window", "-d", "-t", f"{name}b:0", "exec cat"],
            ["kill-session", "-t", f"{name}b"],
        ]

    victim = 0
    for turn in range(5):
        victim = process(daemon, "keeper", victim)
        for number, step in enumerate(steps(f"s{turn}")):
            daemon.tmux(*step)
            if number == turn:
                os.kill(victim, signal.SIGKILL)
    until(lambda: len(daemon.events("session.closed")) == 5)
    os.kill(process(daemon, "keeper", victim), signal.SIGKILL)
    daemon.tmux("kill-server")
    daemon.wait_event("server.lost")
    events = daemon.events()
    check(events)  # nothing twice
    told: dict[str, set[str]] = {}
    for event in events:
        told.setdefault(event["kind"], set()).add(event["pane"] or event["session"])
    assert told["session.created"] == told["session.closed"] == {f"${number}" for number in range(6)}
    assert told["pane.opened"] == told["pane.exited"] == {f"%{number}" for number in range(16)}
    for event in events:
        if event["kind"] == "pane.exited":  # what nobody saw is not guessed
            assert event["data"]["exit_status"] is None and event["data"]["signal"] in (1, None)


def test_a_server_that_ends_while_the_keeper_is_down(daemon: World) -> None:
    pane = new(daemon, "main", "exec cat")
    daemon.wait_event("pane.opened", pane=pane)
    record = supervised.running(daemon.paths)
    assert record
    with supervised.connect(record) as proxy:
        proxy.supervisor.stopProcess("keeper")
        daemon.tmux("kill-server")
        until(lambda: daemon.tmux("new-session", "-d", "-s", "other", "-P", "-F", "made", "exec cat") == "made")
        proxy.supervisor.startProcess("keeper")
    lost = daemon.wait_event("server.lost")
    assert lost["data"] == daemon.events("server.found")[0]["data"]
    again = until(lambda: [e for e in daemon.events("server.found") if e["server"] != lost["server"]])[0]
    daemon.wait_event("pane.opened", server=again["server"], pane="%0")
    daemon.wait_event("session.created", server=again["server"], name="other")
    events = daemon.events()
    check(events)
    mine = [e for e in events if e["server"] == lost["server"]]
    assert {e["pane"] for e in mine if e["kind"] == "pane.exited"} == {"%0", pane}
    assert [e["session"] for e in mine if e["kind"] == "session.closed"] == ["$0"] and mine[-1] == lost


def test_the_log_need_not_remember_streams_that_are_over(daemon: World) -> None:
    """Of panes that were kept, observed anew, respawned (tmux 3.8), outlive the instance, or end with their server."""

    def streams(*panes: str) -> list[str]:
        return [e["data"]["stream"] for e in daemon.events("pane.observed") if e["pane"] in panes or not panes]

    def ended(streams: list[str]) -> bool:
        ends = {name for event in daemon.events() for name in event["ends"]}
        return ends >= {f"{of}/{server}/{stream}" for stream in streams for of in ("match", "commands")}

    def ended_by_what_comes(streams: list[str]) -> bool:
        made = daemon.tmux("new-window", "-d", "-P", "-F", "#{pane_id}", "cat")
        daemon.wait_event("pane.opened", pane=made)
        return ended(streams)

    server = daemon.wait_event("server.found")["server"]
    daemon.tmux("set-option", "-g", "remain-on-exit", "on")
    killed, anew, kept, again = (daemon.open_pane(command) for command in ("true", "cat", "true", "cat"))
    for pane in (killed, kept):
        daemon.wait_event("pane.exited", pane=pane)
    daemon.tmux("kill-pane", "-t", killed)
    daemon.wait_event("pane.observed", pane=anew)
    daemon.tmux("pipe-pane", "-t", anew, "exec cat > /dev/null")
    daemon.wait_event("pane.unobserved", pane=anew)
    daemon.tmux("pipe-pane", "-t", anew)
    daemon.tmux("new-window", "-d", "cat")
    until(lambda: len(streams(anew)) == 2)
    daemon.tmux("respawn-pane", "-k", "-t", again, "cat")
    daemon.wait_event("pane.respawned", pane=again)
    until(lambda: ended_by_what_comes([*streams(killed), *streams(anew)[:-1], *streams(again)[:-1]]))
    assert not any(ended(streams(pane)[-1:]) for pane in (kept, anew, again, "%0"))
    daemon.stop()
    assert ended(streams())
    daemon.start()
    until(lambda: len(streams("%0")) == 2)
    pane = daemon.open_pane("true")
    daemon.wait_event("pane.exited", pane=pane)
    daemon.tmux("kill-server")
    daemon.wait_event("server.lost")
    assert ended(streams())


def test_a_server_that_is_replaced_at_once_on_the_same_socket(guest: Guest) -> None:
    """The path is the same, the ids are the same, the server is another: nothing of the one is told of the other."""
    for turn in range(5):
        old = until(lambda turn=turn: len(found := guest.events("server.found")) == turn + 1 and found[-1])
        guest.wait_event("pane.opened", server=old["server"], pane="%0")
        guest.tmux("kill-server")
        made = ["new-session", "-d", "-s", f"other-{turn}", "-P", "-F", "made", "exec cat"]
        until(lambda made=made: guest.tmux(*made) == "made")
        lost = guest.wait_event("server.lost", server=old["server"])
        mine = [e for e in guest.events() if e["server"] == old["server"]]
        kinds = ["pane.exited", "session.closed", "server.lost"]
        assert [
            e["kind"] for e in mine if e["kind"].endswith(("exited", "closed", "lost", "renamed", "respawned"))
        ] == kinds
        assert mine[-1] == lost
    check(guest.events(), guest.first)


def test_a_server_is_one_by_whatever_path(world: World) -> None:
    """Two that each take it for theirs would overwrite each other's hooks, and tell each pane twice."""
    world.tmux("new-session", "-d", "-s", "main")
    os.symlink("t", world.socket("alias"))
    world.start()
    server = world.wait_event("pane.observed", pane="%0")["server"]
    assert [one["server"] for one in world.data("status")["roles"]["keeper"]["servers"]] == [server]
    asked = ("subscribe", "pattern", "x", "--pane", "%0", "--json")
    made = json.loads(world.ctmux("-S", world.socket("alias"), *asked).stdout)["data"]
    assert (made["server"], made["pane"]) == (server, "%0")


def test_a_server_without_sessions_lives_on(world: World) -> None:
    """With tmux's `exit-empty off`."""
    world.tmux("start-server", ";", "set-option", "-g", "exit-empty", "off", ";", "new-session", "-d", "-s", "main")
    world.start()
    world.wait_event("pane.observed", pane="%0")
    world.tmux("kill-session", "-t", "main")
    world.wait_event("session.closed", session="$0")
    world.tmux("new-session", "-d", "-s", "next", "exec cat")
    world.wait_event("pane.observed", pane="%1")
    check(world.events())
    until(lambda: world.ctmux("health").stdout == "healthy\n")  # the watcher of the new session has started
    assert not world.events("server.lost")

"""The log: every option of `ctmux events`, its files as they are, the client library over deaths, rotations and gaps."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ctmux import Client, Event, Gap
from ctmux.cli.main import app
from ctmux.shared import supervised
from harness import CTMUX, World, until
from typer.testing import CliRunner

pytestmark = pytest.mark.any_tmux


@pytest.fixture
def small(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A running instance whose journal rotates every few events and keeps few."""
    config = f"{world.root}/config.toml"
    Path(config).write_text("[logger]\nsegment_bytes = 5000\nkeep_bytes = 40000\n")
    world.env |= {"CTMUX_CONFIG": config, "CTMUX_TMUX_SOCKET": world.socket()}
    for name in ("CTMUX_RUNTIME_DIR", "CTMUX_STATE_DIR", "TMUX_TMPDIR"):
        monkeypatch.setenv(name, world.env[name])
    world.tmux("new-session", "-d", "-s", "main")
    world.start()
    return world


def kill(world: World, role: str) -> None:
    """SIGKILL to a role that has run for a second."""
    record = supervised.running(world.paths)
    assert record
    with supervised.connect(record) as proxy:
        info: Any = until(lambda: (f := proxy.supervisor.getProcessInfo(role))["statename"] == "RUNNING" and f)
    os.kill(info["pid"], signal.SIGKILL)


def stored(world: World) -> list[str]:
    """The lines of all events in the files, as they are."""
    found = []
    for segment in sorted(Path(world.paths.journal).glob("events-*.jsonl")):
        found += [line for line in segment.read_bytes().decode().split("\n") if line.startswith('{"n":')]
    return found


def shown(world: World, *arguments: str) -> list[dict[str, Any]]:
    """What the command prints; run in this process, because there are many."""
    done = CliRunner().invoke(app, ["events", "--json", *arguments], env=world.env)
    assert (done.exit_code, done.stderr) == (0, ""), arguments
    return [json.loads(line) for line in done.stdout.splitlines()]


def renamed(world: World, *names: str) -> None:
    """Make events: each name becomes one."""
    for name in names:
        world.tmux("rename-window", "-t", "main:0", name)
        world.wait_event("window.renamed", name=name)


def test_what_is_shown(daemon: World) -> None:
    until(lambda: len(daemon.events("service.started")) == 6)
    daemon.tmux("new-session", "-d", "-s", "other", "exec cat")
    pane = daemon.tmux("new-window", "-d", "-t", "main:", "-P", "-F", "#{pane_id}", "sleep 0.2; exit 3")
    daemon.wait_event("pane.exited", pane=pane)
    until(lambda: [e for e in daemon.events("service.started") if e["data"]["service"].endswith("-1")])
    renamed(daemon, "a", "b")
    daemon.ctmux("subscribe", "pattern", "x", "--name", "n")
    events = daemon.events()
    lines = stored(daemon)

    assert daemon.ctmux("events", "--json").stdout.split("\n")[:-1] == lines  # the journal's lines, byte for byte
    assert len(daemon.ctmux("events").stdout.splitlines()) == len(lines)
    text = daemon.ctmux("events", "--kind", "pane.exited").stdout
    assert text.count("\n") == 1 and "pane.exited" in text and pane in text and "exit_status=3" in text

    def numbers(*arguments: str) -> list[int]:
        return [event["n"] for event in shown(daemon, *arguments)]

    def where(**fields: Any) -> list[int]:
        return [e["n"] for e in events if all(e[name] == value for name, value in fields.items())]

    assert numbers("--since", "4") == list(range(4, len(events) + 1))
    assert numbers("--since", str(len(events) + 1)) == []
    assert numbers("--since", "5m") == numbers("--since", "1d") == where()
    assert numbers("--since", events[6]["time"]) == [e["n"] for e in events if e["time"] >= events[6]["time"]]
    assert numbers("--since", "2099-01-01T00:00:00Z") == []
    assert numbers("-n", "3") == where()[-3:]
    assert numbers("--kind", "pane") == [e["n"] for e in events if e["kind"].startswith("pane.")]
    assert numbers("--kind", "pane.exited") == where(kind="pane.exited")
    for kind in ("pan", "pane.exite", "exited"):
        told = daemon.ctmux("events", "--kind", kind, code=2).stderr
        assert f"no kind '{kind}'; there are: " in told and "gap, idle.expired, journal.stalled" in told
        assert "user.* (your own)" in told
    assert numbers("--session", "main") == numbers("--session", "$0") == where(session="$0")
    assert numbers("--session", "other") == where(session="$1")
    assert numbers("--pane", pane) == where(pane=pane)  # it is gone, its events are not
    assert numbers("--pane", "main:0.0") == where(pane="%0")
    assert numbers("--subscription", "s1") == where(subscription="s1")
    assert numbers("--kind", "window", "--session", "main", "-n", "1") == where(kind="window.renamed")[-1:]
    told = daemon.ctmux("events", "--pane", "nobody", code=4).stderr
    assert "see: ctmux" in told and "that has ended, its id: ctmux events --kind pane.exited" in told
    for wrong in ("yesterday", "5x", "12:99", "-3"):
        refused = daemon.ctmux("events", f"--since={wrong}", code=2)
        assert "--since" in refused.stderr and refused.stdout == ""
    daemon.ctmux("events", "--timeout", "1", code=2)

    daemon.tmux("kill-session", "-t", "other")
    daemon.wait_event("session.closed", name="other")
    assert numbers("--session", "$1")[-1] == daemon.events("session.closed")[-1]["n"]

    daemon.stop()
    assert daemon.ctmux("events", "--json").stdout.split("\n")[:-1] == stored(daemon)
    assert "no ctmux daemon runs" in daemon.ctmux("events", "--follow", code=3).stderr


def test_a_subscription_that_never_was_is_told(daemon: World) -> None:
    daemon.ctmux("subscribe", "pattern", "x", "--pane", "main:0.0")
    for follow in ((), ("--follow",), ("--follow", "--since", "1", "--timeout", "1")):
        told = daemon.ctmux("events", "--subscription", "s99", *follow, code=4)
        assert told.stdout == "" and told.stderr.count("\n") == 1 and "'s99'" in told.stderr, follow
    refused = json.loads(daemon.ctmux("events", "--subscription", "s99", "--json", code=4).stdout)
    assert refused["error"]["code"] == "no_target"
    assert shown(daemon, "--subscription", "s1", "--kind", "pane") == []  # it is there, only nothing of that kind is
    daemon.ctmux("events", "--follow", "--subscription", "s1", "--timeout", "0.3", code=124)
    created = daemon.events("subscription.created")[0]
    assert (created["session"], created["pane"]) == (None, "%0")  # docs/wire.md says why
    daemon.ctmux("subscription", "remove", "s1")
    daemon.ctmux("events", "--follow", "--since", "1", "--subscription", "s1", "-n", "2")
    daemon.stop()
    assert len(shown(daemon, "--subscription", "s1")) == 2
    daemon.ctmux("events", "--subscription", "s99", code=4)
    daemon.ctmux("events", "--follow", "--subscription", "s99", code=3)


def test_a_subscription_by_its_name(daemon: World) -> None:
    daemon.ctmux("subscribe", "pattern", "x", "--name", "ready")
    daemon.ctmux("subscribe", "pattern", "y", "--name", "other")

    def of(name: str) -> tuple[set[str], str]:
        done = daemon.ctmux("events", "--json", "--subscription", name)
        return {json.loads(line)["subscription"] for line in done.stdout.splitlines()}, done.stderr

    assert of("ready") == ({"s1"}, "")
    daemon.ctmux("subscription", "remove", "ready")
    assert of("ready") == ({"s1"}, "")  # it has ended
    daemon.ctmux("subscribe", "pattern", "x", "--name", "ready")
    assert of("ready") == ({"s3"}, "")  # one is armed now
    daemon.ctmux("subscribe", "pattern", "x", "--name", "ready")
    told = daemon.ctmux("events", "--subscription", "ready", code=4).stderr
    assert told == "ctmux: 2 subscriptions are named 'ready'; use an id: s3, s4\n"
    daemon.ctmux("subscription", "remove", "s4", "s3")
    last = "ctmux: 3 subscriptions were named 'ready'; this is the last, s3\n"
    assert of("ready") == ({"s3"}, last)  # it ended last
    following = daemon.ctmux("events", "--follow", "--since", "1", "--subscription", "ready", "-n", "2", "--json")
    assert [json.loads(line)["kind"] for line in following.stdout.splitlines()] == [
        "subscription.created",
        "subscription.ended",
    ]
    for follow in ([], ["--follow"]):
        told = daemon.ctmux("events", "--subscription", "nobody", *follow, code=4).stderr
        assert "no subscription is named 'nobody', and the log has none that was" in told and told.count("\n") == 1
    daemon.stop()
    assert of("ready") == ({"s3"}, last)


def test_a_session_by_a_name_that_it_had(daemon: World) -> None:
    def told(name: str) -> tuple[set[str], str]:
        done = daemon.ctmux("events", "--session", name, "--json")
        return {json.loads(line)["session"] for line in done.stdout.splitlines()}, done.stderr

    daemon.tmux("rename-session", "-t", "main", "first")
    daemon.wait_event("session.renamed", name="first")
    assert told("main") == told("first") == ({"$0"}, "")
    for number in (1, 2):
        daemon.tmux("new-session", "-d", "-s", "gone", "exec cat")
        daemon.wait_event("pane.observed", session=f"${number}")
        daemon.tmux("kill-session", "-t", "gone")
        daemon.wait_event("session.closed", session=f"${number}")
    assert told("gone") == ({"$2"}, "ctmux: 2 sessions were named 'gone'; this is the last, $2\n")
    daemon.tmux("new-session", "-d", "-s", "elsewhere", name="u")
    daemon.wait_event("session.created", name="elsewhere")
    assert "no session 'elsewhere'" in daemon.ctmux("events", "--session", "elsewhere", code=4).stderr
    daemon.tmux("kill-server")
    daemon.wait_event("server.lost")
    assert told("main") == ({"$0"}, "")


def test_a_damaged_line_is_told_and_passed_over(daemon: World) -> None:
    renamed(daemon, "a", "b")
    daemon.stop()
    segment = sorted(Path(daemon.paths.journal).glob("events-*.jsonl"))[-1]
    lines = segment.read_bytes().splitlines(keepends=True)
    at = next(index for index, line in enumerate(lines) if b"window.renamed" in line)
    lines[at] = lines[at].replace(b'"kind"', b'"k\xffnd"')
    segment.write_bytes(b"".join(lines))
    done = daemon.ctmux("events", "--json")
    assert len(done.stdout.splitlines()) == len(lines) - 2  # nor has the header an event
    told = f"ctmux: events {at}-{at} are missing: damaged in the journal; see: ctmux events verify\n"
    assert done.stderr == told  # line 1 is the header
    assert daemon.ctmux("events", "--kind", "gap").stderr == told
    assert f"{segment.name} line {at + 1}: no event" in daemon.ctmux("events", "verify", code=1).stderr


def test_what_is_beyond_the_end_is_not_replayed(daemon: World) -> None:
    until(lambda: len(daemon.events("service.started")) == 6)
    head = daemon.events()[-1]["n"]
    told = daemon.ctmux("events", "--follow", "--since", str(head + 1000), code=2)
    assert told.stdout == "" and f"--since {head + 1000}: the log ends with event " in told.stderr
    following = daemon.popen("events", "--follow", "--since", str(head + 1), "-n", "1", "--json")
    renamed(daemon, "next")
    out, err = following.communicate(timeout=30)
    assert json.loads(out)["n"] == head + 1 and err == ""


def test_follow(daemon: World) -> None:
    head = daemon.events()[-1]["n"]
    follow = daemon.popen("events", "--follow", "--since", "1", "--json")
    assert follow.stdout is not None
    assert [json.loads(follow.stdout.readline())["n"] for _ in range(head)] == list(range(1, head + 1))
    only = daemon.popen("events", "--follow", "--kind", "window.renamed", "--since", "1", "-n", "2", "--json")
    renamed(daemon, "a", "b", "c")
    out, err = only.communicate(timeout=30)
    assert [json.loads(line)["data"]["name"] for line in out.splitlines()] == ["a", "b"]
    assert (only.returncode, err) == (0, "")
    names = []
    while names[-1:] != ["c"]:
        event = json.loads(follow.stdout.readline())
        names += [event["data"]["name"]] if event["kind"] == "window.renamed" else []
    assert names == ["a", "b", "c"]
    follow.send_signal(signal.SIGINT)
    out, err = follow.communicate(timeout=20)
    assert (follow.returncode, out, err) == (130, "", "")

    late = daemon.ctmux("events", "--follow", "--kind", "server.lost", "--timeout", "0.3", code=124)
    assert late.stdout == "" and late.stderr.startswith("ctmux: ") and late.stderr.count("\n") == 1
    daemon.ctmux("events", "--follow", "--since", "1", "-n", "3", "--timeout", "30")  # in time

    new = daemon.popen("events", "-f", "-k", "window.renamed", "-n", "1", "--json")  # only what comes

    def ended() -> bool:
        name = f"new-{len(daemon.events('window.renamed'))}"
        renamed(daemon, name)
        return new.poll() is not None

    until(ended)
    out, err = new.communicate(timeout=20)
    assert json.loads(out)["data"]["name"].startswith("new-") and err == ""

    stopped = daemon.popen("events", "--follow", "--since", "1")
    assert stopped.stdout is not None and stopped.stdout.readline()
    daemon.stop()
    out, err = stopped.communicate(timeout=30)
    assert stopped.returncode == 3 and err.count("\n") == 1


def test_a_reader_that_goes_away(daemon: World) -> None:
    renamed(daemon, *(f"w{number}" for number in range(30)))
    for command in ("events", "events --json", "events --follow --since 1"):
        script = f"set -o pipefail; {CTMUX} {command} | head -n 1"
        done = subprocess.run(["bash", "-c", script], env=daemon.env, capture_output=True, text=True, timeout=30)
        assert done.stdout.count("\n") == 1 and done.stderr == "", command
        assert done.returncode == 0, command


def test_the_files_as_they_are(small: World) -> None:
    journal = small.paths.journal
    with subprocess.Popen(["tail", "-n", "+1", "-F", f"{journal}/events.jsonl"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as tail:  # fmt: skip
        assert tail.stdout is not None
        try:
            segments = len(os.listdir(journal))
            turn = 0
            while len(os.listdir(journal)) < segments + 3:
                turn += 1
                renamed(small, f"w{turn}")
                line = ""
                while f'"name":"w{turn}"' not in line:
                    line = tail.stdout.readline()  # over every rotation
        finally:
            tail.kill()
    files = sorted(str(path) for path in Path(journal).glob("events-*.jsonl"))
    assert len(files) >= 4 and os.path.samefile(files[-1], f"{journal}/events.jsonl")
    lines = [line for file in files for line in Path(file).read_text().splitlines()]
    heads = [json.loads(line) for line in lines if not line.startswith('{"n":')]
    assert len(heads) == len(files)
    assert [head["first"] for head in heads] == [int(os.path.basename(file)[7:-6]) for file in files]
    grep = subprocess.run(["grep", "-h", '"kind":"window.renamed"', *files], capture_output=True, text=True)
    assert len(grep.stdout.splitlines()) == turn
    if shutil.which("jq"):
        query = 'select(.kind == "window.renamed") | .data.name'
        told = subprocess.run(["jq", "-r", query, *files], capture_output=True, text=True, check=True)
        assert told.stdout.split() == [f"w{number}" for number in range(1, turn + 1)]
    assert [e["n"] for e in small.events()] == list(range(1, small.events()[-1]["n"] + 1))
    assert small.ctmux("events", "--json").stdout.split("\n")[:-1] == stored(small)


def test_each_event_once_over_deaths_of_logger_and_broker(daemon: World, client: Client) -> None:
    client.subscribe("pattern", "^n[0-9]+$")
    command = "for i in $(seq 1 2000); do echo n$i; sleep 0.001; done; sleep 0.1"
    pane = daemon.tmux("new-window", "-d", "-P", "-F", "#{pane_id}", command)
    victims = {200: "logger", 1200: "broker"}
    got: list[Event] = []
    for item in client.events(since=1, timeout=90):
        assert isinstance(item, Event), item
        got.append(item)
        if len(got) in victims:
            kill(daemon, victims[len(got)])
        if item.kind == "pane.exited" and item.pane == pane:
            break
    assert [event.n for event in got] == list(range(1, len(got) + 1))
    assert [e.data["line"] for e in got if e.kind == "pattern.matched"] == [f"n{n}" for n in range(1, 2001)]
    assert [event._asdict() for event in got] == [json.loads(line) for line in stored(daemon)][: len(got)]
    until(lambda: {e["data"]["service"] for e in daemon.events("service.restarted")} == {"broker", "logger"})


def test_a_filtered_follower_over_deaths(daemon: World, client: Client) -> None:
    client.subscribe("pattern", "^n[0-9]+$")
    pane = daemon.tmux("new-window", "-d", "-P", "-F", "#{pane_id}",
                       "for i in $(seq 1 1500); do echo n$i; sleep 0.001; done; sleep 0.1")  # fmt: skip
    daemon.tmux("new-window", "-d", "for i in $(seq 1 1000); do echo n$i; sleep 0.001; done; sleep 0.1")
    victims = {200: "broker", 700: "logger"}
    got: list[Event] = []
    for item in client.events(since=1, pane=pane, timeout=90):
        assert isinstance(item, Event), item
        got.append(item)
        if len(got) in victims:
            kill(daemon, victims[len(got)])
        if item.kind == "pane.exited":
            break
    assert [e.data["line"] for e in got if e.kind == "pattern.matched"] == [f"n{n}" for n in range(1, 1501)]
    assert {event.pane for event in got} == {pane}
    assert [event.prev["pane"] for event in got] == [0, *(event.n for event in got[:-1])]


def test_what_is_no_longer_kept_is_a_gap(small: World) -> None:
    with Client() as client:
        client.subscribe("pattern", "^n[0-9]+$")
        command = "for i in $(seq 1 600); do echo n$i; sleep 0.001; done; read go; echo n601; sleep 0.1"
        pane = small.tmux("new-window", "-d", "-P", "-F", "#{pane_id}", command)
        until(lambda: any(e["data"]["line"] == "n600" for e in small.events("pattern.matched")))
        first = small.events()[0]["n"]
        assert first > 100
        items = []
        for item in client.events(since=1, timeout=60):
            if not items:
                small.tmux("send-keys", "-t", pane, "Enter")
            items.append(item)
            if isinstance(item, Event) and item.kind == "pane.exited":
                break
        gap = items[0]
        assert isinstance(gap, Gap) and gap.start == 1 and "older" in gap.reason
        rest = items[1:]
        assert [event.n for event in rest if isinstance(event, Event)] == list(range(gap.end + 1, gap.end + len(items)))
        status = client.status("logger")
    assert status["first"] >= first
    told = small.popen("events", "--follow", "--since", "1", "-n", "1", "--json")
    out, err = told.communicate(timeout=30)
    assert json.loads(out)["n"] >= first and "are missing: older than the journal keeps" in err

"""The user's tmux is as it was: while we run but for one slot of the hooks and free pipes, and afterwards altogether."""

import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ctmux.services.keeper import hooks, listing
from ctmux.shared import spool, supervised
from ctmux.shared.tmux import identify
from harness import World, until

OURS = re.compile(r"[a-z-]+\[9000\] ")
CONFIG = """\
set -g default-command "exec cat"
set -g remain-on-exit off
set -g update-environment "DISPLAY MINE"
set -g status off
set -g history-limit 3000
set -s focus-events on
set -g window-size largest
set -g destroy-unattached off
set -g automatic-rename off
set -g @mine "a #{pane_id} $b ; c"
set-environment -g MINE yes
set-hook -g after-new-window[0] "run-shell -b 'echo window >> {root}/hooks'"
set-hook -g after-new-window[3] "run-shell -b 'echo window3 >> {root}/hooks'"
set-hook -g after-new-session[0] "run-shell -b 'echo session >> {root}/hooks'"
set-hook -g after-split-window[0] "run-shell -b 'echo split >> {root}/hooks'"
set-hook -g session-created[1] "run-shell -b 'echo created >> {root}/hooks'"
set-hook -g session-closed "run-shell -b 'echo closed >> {root}/hooks'"
set-hook -g session-renamed[8999] "run-shell -b 'echo renamed >> {root}/hooks'"
set-hook -g window-linked[9001] "run-shell -b 'echo linked >> {root}/hooks'"
set-hook -g window-unlinked "run-shell -b 'echo unlinked >> {root}/hooks'"
set-hook -g window-renamed[0] "run-shell -b 'echo window-renamed >> {root}/hooks'"
set-hook -g pane-exited[0] "run-shell -b 'echo exited >> {root}/hooks'"
set-hook -g client-attached[0] "run-shell -b 'echo attached >> {root}/hooks'"
set-hook -g client-detached[0] "run-shell -b 'echo detached >> {root}/hooks'"
set-hook -g pane-focus-in[0] "run-shell -b 'echo focus-in >> {root}/hooks'"
"""


@pytest.fixture
def user(world: World) -> Iterator[World]:
    """A user's tmux: two sessions, three panes of which %1 has a pipe of the user's, and no ctmux yet."""
    world.env["CTMUX_TMUX_SOCKET"] = world.socket()
    config = f"{world.root}/tmux.conf"
    Path(config).write_text(CONFIG.replace("{root}", world.root))
    world.tmux("new-session", "-d", "-s", "one", "-x", "101", "-y", "31", config=config)
    world.tmux("split-window", "-d", "-t", "one")
    world.tmux("pipe-pane", "-t", "%1", f"exec cat >> {world.root}/own")
    world.tmux("new-session", "-d", "-s", "two", "-x", "77", "-y", "22")
    until(lambda: ran(world).count("created") == 2 and ran(world).count("session") == 2 and "split" in ran(world))
    yield world
    for line in CONFIG.splitlines():  # or they would write into the world's directory while it is removed
        if line.startswith("set-hook"):
            world.tmux("set-hook", "-gu", line.split()[2], check=False)


def ran(world: World) -> list[str]:
    """What the user's own hooks have written."""
    try:
        return Path(f"{world.root}/hooks").read_text().split()
    except FileNotFoundError:
        return []


def snapshot(world: World, name: str = "t") -> dict[str, Any]:
    """Everything of a tmux server that is the user's."""

    def ask(*arguments: str) -> list[str]:
        return world.tmux(*arguments, name=name).splitlines()

    sessions = ask("list-sessions", "-F", "#{session_id}")
    windows = ask("list-windows", "-a", "-F", "#{window_id}")
    panes = ask("list-panes", "-a", "-F", "#{pane_id}")
    return {
        "hooks": ask("show-hooks", "-g") + ask("show-hooks", "-gw"),
        "own hooks": {s: ask("show-hooks", "-t", s) for s in sessions}
        | {w: ask("show-hooks", "-w", "-t", w) for w in windows}
        | {p: ask("show-hooks", "-p", "-t", p) for p in panes},
        "options": ask("show-options", "-s") + ask("show-options", "-g") + ask("show-options", "-gw"),
        "own options": {s: ask("show-options", "-A", "-t", s) for s in sessions}
        | {w: ask("show-options", "-wA", "-t", w) for w in windows}
        | {p: ask("show-options", "-pA", "-t", p) for p in panes},
        "environment": ask("show-environment", "-g") + [v for s in sessions for v in ask("show-environment", "-t", s)],
        "pipes": dict(line.split() for line in ask("list-panes", "-a", "-F", "#{pane_id} #{pane_pipe}")),
        "panes": ask("list-panes", "-a", "-F", "#{pane_id} #{pane_width}x#{pane_height} #{pane_dead} #{pane_in_mode}"),
        "clients": ask("list-clients"),
        "sessions": ask("list-sessions", "-F", "#{session_id} #{session_name} #{session_attached} #{session_windows}"),
        "windows": ask("list-windows", "-a", "-F", "#{window_id} #{window_name} #{window_width}x#{window_height}"),
    }


def assert_only_ours(before: dict[str, Any], now: dict[str, Any]) -> None:
    """While we run: hooks in our slot and pipes in panes that had none, and nothing else."""
    # A hook without commands is one line with its name, unless it has any: then it is not there.
    assert [h for h in now["hooks"] if " " in h and not OURS.match(h)] == [h for h in before["hooks"] if " " in h]
    assert any(OURS.match(hook) for hook in now["hooks"])
    assert dict.fromkeys(before["pipes"], "1") == now["pipes"]
    for part in before.keys() - {"hooks", "pipes"}:
        assert now[part] == before[part], part


def printed(world: World, pane: str) -> bytes:
    return b"".join(Path(s.path).read_bytes() for s in world.spools(pane))


def observed(world: World, *panes: str) -> None:
    """Until the panes are in their spools."""
    for pane in panes:
        until(lambda pane=pane: world.spools(pane))


def typed(world: World, pane: str, text: str) -> None:
    """Have `cat` in a pane print the text, and tmux show it twice: as it is typed, and as it is answered."""
    world.tmux("send-keys", "-t", pane, text, "Enter")
    until(lambda: world.tmux("capture-pane", "-p", "-t", pane).count(text) == 2)


def test_nothing_is_touched_while_we_run_and_all_is_as_before_afterwards(user: World) -> None:
    before = snapshot(user)
    assert before["pipes"] == {"%0": "0", "%1": "1", "%2": "0"} and before["clients"] == []
    user.start()
    observed(user, "%0", "%2")
    user.wait_event("pane.unobserved", pane="%1")
    assert_only_ours(before, snapshot(user))

    for pane in ("%0", "%1", "%2"):
        typed(user, pane, f"text{pane[1:]}")
    until(lambda: b"text0\r\ntext0" in printed(user, "%0") and b"text2\r\ntext2" in printed(user, "%2"))
    until(lambda: Path(f"{user.root}/own").read_text().count("text1") == 2)
    assert printed(user, "%1") == b""

    user.tmux("new-window", "-d", "-t", "one:", "sleep 0.1; exit 3")
    user.wait_event("pane.exited", pane="%3", exit_status=3)
    user.tmux("new-session", "-d", "-s", "three", "-x", "77", "-y", "22")
    user.wait_event("session.created", name="three")
    user.tmux("rename-session", "-t", "three", "drei")
    user.tmux("rename-window", "-t", "drei:", "name")
    observed(user, "%4")
    user.wait_event("session.renamed", name="drei")
    user.wait_event("window.renamed", name="name")
    user.tmux("kill-session", "-t", "drei")
    user.wait_event("session.closed", name="drei")
    told = [
        "window",
        "window3",
        "exited",
        "unlinked",
        "session",
        "created",
        "renamed",
        "window-renamed",
        "linked",
        "closed",
    ]
    until(lambda: set(told) <= set(ran(user)))
    assert (ran(user).count("window"), ran(user).count("session"), ran(user).count("created")) == (1, 3, 3)
    assert not {"attached", "detached", "focus-in"} & set(ran(user))
    assert_only_ours(before, snapshot(user))

    user.stop()
    assert snapshot(user) == before
    assert os.listdir(user.paths.spool) == []
    typed(user, "%1", "afterwards")
    until(lambda: Path(f"{user.root}/own").read_text().count("afterwards") == 2)


def test_released_for_good_although_a_look_was_due(user: World) -> None:
    """A pane that was taken a moment ago is looked at again a second later: not when the instance has ended by then."""
    before = snapshot(user)
    user.start()
    observed(user, "%0", "%2")
    user.tmux("set-hook", "-gu", "after-new-window[9000]")
    user.tmux("new-window", "-d", "-t", "one:")
    observed(user, "%3")
    logger = user.data("status")["roles"]["logger"]["pid"]
    os.kill(logger, signal.SIGSTOP)  # the keeper's last words are not heard, so it takes its time
    user.stop()
    user.tmux("kill-pane", "-t", "%3")
    assert snapshot(user) == before


@pytest.mark.parametrize("hook", hooks.CHANGES)
def test_a_configuration_that_is_read_again_clears_our_hooks_for_a_moment_only(user: World, hook: str) -> None:
    """An unindexed `set-hook -g` clears the whole array of a hook."""
    user.start()
    observed(user, "%0", "%2")
    user.tmux("set-hook", "-g", hook, f"run-shell -b 'echo mine >> {user.root}/hooks'")
    until(lambda: "wait-for" in user.tmux("show-hooks", "-g", f"{hook}[{hooks.SLOT}]"))
    assert "echo mine" in user.tmux("show-hooks", "-g", f"{hook}[0]")
    user.tmux("rename-session", "-t", "one", "another")
    user.wait_event("session.renamed")


def test_a_client_of_the_user_sees_nothing_of_us(user: World) -> None:
    master, slave = pty.openpty()
    with subprocess.Popen(["tmux", "-L", "t", "attach", "-t", "two"], env={**user.env, "TERM": "xterm"}, stdin=slave,
                          stdout=slave, stderr=slave, start_new_session=True) as attached:  # fmt: skip
        os.close(slave)
        try:
            until(lambda: "attached" in ran(user) and user.tmux("list-clients"))
            sizes = ["list-windows", "-a", "-F", "#{window_id} #{window_width}x#{window_height}"]
            until(lambda: os.read(master, 65536))
            before = snapshot(user)
            hooks = [hook for hook in ran(user) if hook in ("attached", "detached", "focus-in")]
            user.start()
            observed(user, "%0", "%2")
            assert_only_ours(before, snapshot(user))
            assert len(before["clients"]) == 1 and user.tmux(*sizes).splitlines()
            user.stop()
            assert snapshot(user) == before
            assert [hook for hook in ran(user) if hook in ("attached", "detached", "focus-in")] == hooks
        finally:
            attached.terminate()
            os.close(master)


def test_a_hook_of_a_session_shadows_ours_and_the_pane_is_adopted(user: World) -> None:
    for hook in ("after-new-window", "after-split-window"):
        user.tmux("set-hook", "-t", "two", hook, f"run-shell -b 'echo own-{hook} >> {user.root}/hooks'")
    user.tmux("set-hook", "-g", "after-set-hook", f"run-shell -b 'echo set >> {user.root}/hooks'")
    until(lambda: "set" in ran(user))
    Path(f"{user.root}/hooks").write_text("")
    before = snapshot(user)
    user.start()
    user.tmux("new-window", "-d", "-t", "two:", "echo shown; exec cat")
    user.tmux("split-window", "-d", "-t", "one:0.0", "exec cat")  # this session's births are as ever
    until(lambda: "own-after-new-window" in ran(user))
    observed(user, "%3", "%4")
    typed(user, "%3", "seen")
    until(lambda: b"seen\r\nseen" in printed(user, "%3"))
    user.wait_event("pane.observed", pane="%3")  # comes when what it showed is kept
    (adopted,) = user.spools("%3")
    history = Path(spool.meta(f"{user.paths.spool}/{adopted.server}", adopted.stream.name, "history"))
    before_us = history.read_bytes() if history.exists() else b""  # none with tmux 3.8: it has a hook of the pane itself
    assert (before_us + printed(user, "%3")).count(b"shown") == 1  # neither missing nor double at the join
    user.tmux("split-window", "-d", "-t", "two:0", "exec cat")
    observed(user, "%5")
    user.wait_event("pane.observed", pane="%5")
    until(lambda: ran(user).count("set") == len(hooks.births(identify(user.socket())) + hooks.CHANGES))
    for pane in ("%3", "%4", "%5"):
        user.tmux("kill-pane", "-t", pane)
        user.wait_event("pane.exited", pane=pane)
    sets = ran(user).count("set")
    assert sets == len(hooks.births(identify(user.socket())) + hooks.CHANGES)  # ours are only hidden: once is enough
    user.stop()
    assert snapshot(user) == {**before, "panes": snapshot(user)["panes"]}
    assert sorted(snapshot(user)["pipes"]) == ["%0", "%1", "%2"]


def test_nothing_reads_a_dead_pane_that_tmux_keeps(daemon: World) -> None:
    """Before 3.8 tmux refuses to close the pipe of a dead pane, and shows it until the next program prints."""
    daemon.tmux("set-option", "-g", "remain-on-exit", "on")
    pane = daemon.open_pane("exit 5")
    daemon.wait_event("pane.exited", pane=pane, exit_status=5)
    daemon.stop()
    server = daemon.tmux("display-message", "-p", "#{pid}")
    ps = ["ps", "-o", "comm=", "--ppid", server]
    until(lambda: "cat" not in subprocess.run(ps, capture_output=True, text=True).stdout)
    daemon.tmux("respawn-pane", "-t", pane, "echo again; echo and again; sleep 100")
    until(lambda: daemon.tmux("list-panes", "-a", "-F", "#{pane_pipe}").split() == ["0", "0"])
    assert "and again" in daemon.tmux("capture-pane", "-p", "-t", pane)


def test_looking_at_it_and_at_its_new_panes_does_not_make_tmux_grow(guest: World) -> None:
    """tmux before 3.8 leaks of every command that `if-shell` has to parse: 1.3 KB a look, 0.4 KB a pane, that was."""
    pid = guest.tmux("display-message", "-p", "#{pid}").strip()

    def anonymous() -> int:
        found = re.search(r"^Anonymous: +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        assert found
        return int(found[1])

    def growth() -> int:
        before = anonymous()
        for _ in range(300):
            guest.tmux(*listing.ARGUMENTS)
        return anonymous() - before

    assert min(growth() for _ in range(5)) < 300 * 0.3  # a heap grows now and then; what leaks grows always
    hook = guest.tmux("show-hooks", "-g", f"after-new-window[{hooks.SLOT}]")
    assert "{" in hook  # its commands are not parsed anew for each pane


def test_as_before_although_supervisord_was_killed(user: World) -> None:
    before = snapshot(user)
    user.start()
    observed(user, "%0", "%2")
    user.wait_event("pane.unobserved", pane="%1")
    record = supervised.running(user.paths)
    assert record
    os.kill(record.pid, signal.SIGKILL)
    until(lambda: supervised.running(user.paths) is None)
    user.tmux("new-window", "-d", "-t", "one:", "echo while away; exec cat")  # what was left behind does no harm
    typed(user, "%1", "away")
    until(lambda: Path(f"{user.root}/own").read_text().count("away") == 2)
    assert snapshot(user)["clients"] == []

    user.start()
    user.wait_event("pane.opened", pane="%3")
    until(lambda: b"while away" in printed(user, "%3"))
    user.tmux("kill-pane", "-t", "%3")
    user.wait_event("pane.exited", pane="%3")
    assert_only_ours(before, snapshot(user))
    assert len(user.events("pane.opened")) == 4 and len(user.events("session.created")) == 2
    user.stop()
    assert snapshot(user) == before


def test_two_servers_each_with_its_own(world: World) -> None:
    for name in ("t", "u"):
        world.tmux("new-session", "-d", "-s", name, "-n", "named", "exec cat", name=name)
        world.tmux("set-hook", "-g", "after-new-window[0]", f"set-option -g @mine {name}", name=name)
    before = {name: snapshot(world, name) for name in ("t", "u")}
    world.start()
    found = until(lambda: len(world.events("server.found")) == 2 and world.events("server.found"))
    keys = {event["data"]["socket"]: event["server"] for event in found}
    assert set(keys) == {world.socket("t"), world.socket("u")} and len(set(keys.values())) == 2
    for name in ("t", "u"):
        key = keys[world.socket(name)]
        until(lambda key=key: [s for s in spool.walk_server(world.paths.spool, key) if s.stream.pane == "%0"])
        assert_only_ours(before[name], snapshot(world, name))
        world.tmux("send-keys", "-t", "%0", f"in-{name}", "Enter", name=name)
    for name in ("t", "u"):
        (mine,) = spool.walk_server(world.paths.spool, keys[world.socket(name)])
        until(lambda mine=mine, name=name: Path(mine.path).read_text().count(f"in-{name}") == 2)
    world.stop()
    assert {name: snapshot(world, name) for name in ("t", "u")} == before


def test_the_directory_of_sockets_is_removed_and_made_again(world: World) -> None:
    folder = os.path.dirname(world.socket())
    world.start()
    os.rmdir(folder)
    until(lambda: os.path.isdir(folder))
    world.tmux("new-session", "-d", "-s", "late", "cat")
    world.wait_event("server.found", socket=world.socket())
    world.stop()


def test_a_keeper_after_its_state_was_lost_goes_on_in_the_log(daemon: World) -> None:
    before = daemon.wait_event("server.found")["server"]
    pid = daemon.data("status")["roles"]["keeper"]["pid"]
    for state in Path(f"{daemon.paths.state}/topology").iterdir():
        state.unlink()
    os.kill(pid, signal.SIGKILL)
    until(lambda: len(daemon.events("server.found")) == len(daemon.events("session.created")) == 2)
    daemon.tmux("rename-window", "-t", "@0", "told")
    assert daemon.wait_event("window.renamed", name="told")["server"] == before


def test_a_server_whose_socket_was_removed_is_not_lost(daemon: World) -> None:
    found = daemon.wait_event("server.found")
    os.unlink(daemon.socket())
    pid = daemon.data("status")["roles"]["keeper"]["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: daemon.data("status")["roles"].get("keeper", {}).get("pid") not in (None, pid))
    os.kill(found["data"]["pid"], signal.SIGUSR1)  # tmux makes its socket again
    until(lambda: os.path.exists(daemon.socket()))
    until(lambda: daemon.tmux("rename-window", "-t", "@0", "told") == "")
    assert daemon.wait_event("window.renamed", name="told")["server"] == found["server"]
    assert daemon.events("server.lost") == []


def test_servers_come_and_go(world: World) -> None:
    world.start()
    assert world.events("server.found") == []
    world.tmux("new-session", "-d", "-s", "late", "-x", "90", "cat", name="late")
    found = world.wait_event("server.found", socket=world.socket("late"))
    pid = int(world.tmux("display-message", "-p", "#{pid}", name="late"))
    version = world.tmux("display-message", "-p", "#{version}", name="late")
    assert (found["data"]["pid"], found["data"]["version"]) == (pid, version)
    key = found["server"]
    world.wait_event("pane.opened", server=key, pane="%0")
    world.wait_event("session.created", server=key, name="late")
    until(lambda: [s for s in spool.walk_server(world.paths.spool, key) if s.stream.pane == "%0"])
    world.tmux("new-session", "-d", "-s", "more", "cat", name="late")
    world.wait_event("pane.opened", server=key, pane="%1")

    world.tmux("kill-server", name="late")
    lost = world.wait_event("server.lost", server=key)
    story = [e for e in world.events() if e["server"] == key]
    assert story[0] == found and story[-1] == lost
    ends = {e["pane"]: e for e in story if e["kind"] == "pane.exited"}
    closed = {e["session"]: e for e in story if e["kind"] == "session.closed"}
    assert set(ends) == {"%0", "%1"} and {e["data"]["name"] for e in closed.values()} == {"late", "more"}
    assert all(ends[pane]["n"] < closed[ends[pane]["session"]]["n"] for pane in ends)
    assert len([e for e in story if e["kind"] in ("pane.exited", "session.closed", "server.lost")]) == 5

    world.tmux("new-session", "-d", "-s", "again", "cat", name="late")  # the same socket, another server
    again = until(lambda: [e for e in world.events("server.found") if e["server"] != key])[0]
    opened = world.wait_event("pane.opened", server=again["server"], pane="%0")
    assert opened["data"]["pid"] == int(world.tmux("display-message", "-p", "-t", "%0", "#{pane_pid}", name="late"))

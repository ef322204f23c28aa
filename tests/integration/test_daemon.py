"""The daemon: every way to start it, one at a time, and what it leaves behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ctmux.shared import paths as where
from ctmux.shared import supervised
from harness import CTMUX, Command, World, installed, until

BIN = Path(sys.executable).parent
pytestmark = pytest.mark.any_tmux
ROOT = Path(where.__file__).parent.parent  # of the package: the checkout, or site-packages/ctmux


@pytest.fixture
def command() -> Command:
    return installed  # an instance is started as a user starts it


def processes(world: World) -> list[int]:
    """Every process that runs with this world's runtime directory in its environment, by the kernel's word."""
    needle = f"CTMUX_RUNTIME_DIR={world.paths.runtime}\0".encode()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                if needle in Path(f"/proc/{name}/environ").read_bytes() and Path(f"/proc/{name}/cmdline").read_bytes():
                    found.append(int(name))
            except OSError:
                continue
    return found


def daemons(world: World) -> list[str]:
    return [
        text
        for pid in processes(world)
        if "ctmux.services" in (text := Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode())
    ]


def checkout(directory: Path) -> Path:
    """A configuration beside its own `var`, as in a checkout."""
    directory.mkdir(parents=True)
    shutil.copy(ROOT / "supervisord.conf", directory)
    for folder in ("services", "log"):
        (directory / "var" / folder).mkdir(parents=True)
    return directory / "supervisord.conf"


UNACTIVATED = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
ACTIVATED = {"PATH": f"{BIN}:/usr/bin:/bin", "VIRTUAL_ENV": str(BIN.parent)}
WAYS = {
    "activated": (["supervisord"], ACTIVATED),
    "unactivated": ([str(BIN / "supervisord")], UNACTIVATED),
    "module": ([sys.executable, "-m", "supervisor.supervisord"], UNACTIVATED),
    "daemonised": ([str(BIN / "supervisord")], {**UNACTIVATED, "CTMUX_WAY": "daemonised"}),
    "nodaemon": ([str(BIN / "supervisord"), "-n"], UNACTIVATED),
}


@pytest.mark.parametrize("way", WAYS)
def test_five_ways_of_starting_find_the_right_interpreter(world: World, way: str) -> None:
    command, environment = WAYS[way]
    tmux = os.path.dirname(shutil.which("tmux") or "")
    env = {**world.env, **environment, "PATH": f"{tmux}:{environment['PATH']}"}
    config = checkout(Path(world.root) / "check out")
    with subprocess.Popen([*command, "-c", str(config)], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          cwd="/") as starter:  # fmt: skip
        try:
            roles = until(lambda: _answering(world))
            assert roles == {"broker", "keeper", "logger", "matcher", "runner"}
            status = world.data("status")  # found without a flag
            assert status["supervisord"]["config"] == str(config)
            for program in status["programs"]:
                with open(f"/proc/{program['pid']}/cmdline", "rb") as file:
                    interpreter = Path(file.read().split(b"\0")[0].decode())
                assert interpreter.parent == BIN
            again = subprocess.run([*command, "-c", str(config)], env=env, capture_output=True, text=True, timeout=30)
            assert again.returncode == 5
            assert again.stderr.startswith("ctmux: instance 'default' is already running")
            assert len(again.stderr.splitlines()) == 1
            assert "already running" in world.ctmux("daemon", "start", code=5).stderr
        finally:
            world.ctmux("daemon", "stop")
            starter.wait(20)
    assert daemons(world) == []


def _answering(world: World) -> set[str]:
    data = json.loads(subprocess.run([CTMUX, "status", "--json"], env=world.env, capture_output=True, text=True).stdout)
    running = {program["name"] for program in data["data"]["programs"] if program["state"] == "RUNNING"}
    answering = {role for role, answer in data["data"]["roles"].items() if answer}
    assert running == answering | {"broker"}
    return running


def test_a_start_beside_a_checkout_is_refused(daemon: World) -> None:
    config = checkout(Path(daemon.root) / "other")
    again = subprocess.run([str(BIN / "supervisord"), "-c", str(config)], env=daemon.env, capture_output=True, text=True)
    assert again.returncode == 5
    assert again.stderr.count("\n") == 1 and daemon.paths.config in again.stderr


def test_no_child_survives_supervisord(daemon: World) -> None:
    record = supervised.running(daemon.paths)
    assert record
    until(lambda: len(daemons(daemon)) == 6)
    os.kill(record.pid, signal.SIGKILL)
    until(lambda: daemons(daemon) == [])
    waiting = [pid for pid in processes(daemon) if b"wait-for" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert until(lambda: not [pid for pid in waiting if Path(f"/proc/{pid}/cmdline").exists() and _alive(pid)])
    assert "no ctmux daemon runs" in daemon.ctmux("status", code=3).stderr
    daemon.start()  # what it left behind is no obstacle
    assert len(daemon.data("status")["programs"]) == 6


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_services_come_back(daemon: World) -> None:
    before = {program["name"]: program["pid"] for program in daemon.data("status")["programs"]}
    for name, pid in before.items():
        daemon.wait_event("service.started", service=name)
        os.kill(pid, signal.SIGKILL)
        daemon.wait_event("service.restarted", service=name)
    after = {program["name"]: program["pid"] for program in daemon.data("status")["programs"]}
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())


def test_a_path_too_long_is_refused_before_anything_starts(world: World) -> None:
    world.env["CTMUX_RUNTIME_DIR"] = f"{world.root}/{'x' * 90}"
    told = world.ctmux("daemon", "start", code=2).stderr
    assert "path too long for a socket" in told and "CTMUX_RUNTIME_DIR" in told
    assert told.count("\n") == 1
    assert not os.path.exists(world.env["CTMUX_RUNTIME_DIR"])


def test_a_checkout_too_deep_is_refused_before_anything_starts(world: World) -> None:
    config = checkout(Path(world.root) / ("d" * 95))
    done = subprocess.run([str(BIN / "supervisord"), "-c", str(config)], env=world.env, capture_output=True, text=True)
    assert done.returncode == 2 and "path too long for a socket" in done.stderr and done.stderr.count("\n") == 1
    assert not os.path.exists(world.paths.runtime)


def test_paths_with_blanks(world: World) -> None:
    world.env["CTMUX_RUNTIME_DIR"] = f"{world.root}/r u n's #x ;y"
    world.env["CTMUX_STATE_DIR"] = f"{world.root}/s t; a #t%e"
    world.paths = where.resolve(world.env)
    world.tmux("new-session", "-d", "-s", "old")
    world.start()
    world.tmux("new-window", "-d", "echo hello; sleep 0.1; exit 4")
    world.wait_event("pane.exited", pane="%1", exit_status=4, end=7)
    assert [p["state"] for p in world.data("status")["programs"]] == ["RUNNING"] * 5 or until(
        lambda: {p["state"] for p in world.data("status")["programs"]} == {"RUNNING"}
    )
    world.stop()
    assert os.listdir(world.paths.spool) == []


def test_a_directory_that_supervisord_cannot_use_is_refused(world: World) -> None:
    world.env["CTMUX_RUNTIME_DIR"] = f"{world.root}/100%d"
    assert "'%'" in world.ctmux("daemon", "start", code=2).stderr


def test_the_files_that_it_was_told_of_are_seen_and_kept_from_any_shell(world: World) -> None:
    """CTMUX_POLICY and CTMUX_CONFIG of the shell that started it."""
    none = world.data("action", "policy")
    assert none["supervisord"] is None and none["file"] == f"{world.root}/config/ctmux/policy.toml"
    Path(world.root, "mine.toml").write_text("shell = false\ntype_into = ['other']\n")
    world.env["CTMUX_TMUX_SOCKET"] = world.socket()
    world.tmux("new-session", "-d", "-s", "main")
    world.configure("[runner]\ntogether = 3\n")
    policy, config = f"{world.root}/mine.toml", world.env["CTMUX_CONFIG"]
    told = {"CTMUX_POLICY": "mine.toml", "CTMUX_CONFIG": config}
    subprocess.run([CTMUX, "daemon", "start"], env={**world.env, **told}, cwd=world.root, check=True, timeout=90)
    del world.env["CTMUX_CONFIG"]
    armed = world.ctmux("subscribe", "pattern", "x", "--pane", "main:0.0", "--send", "y", code=5).stderr
    assert "the policy does not allow to act on %0" in armed
    for _ in range(2):
        found = world.data("action", "policy")
        assert (found["file"], found["shell"]) == (policy, False) and found["supervisord"]
        assert f"{policy}, of the running daemon (supervisord " in world.ctmux("action", "policy").stdout
        said = world.ctmux("daemon", "restart").stderr
        assert said == "".join(f"ctmux: {name} stays {file}, as the daemon was started with it\n"
                               for name, file in (("CTMUX_CONFIG", config), ("CTMUX_POLICY", policy)))  # fmt: skip
    world.env["CTMUX_POLICY"] = f"{world.root}/other.toml"  # a shell that has one is obeyed
    Path(world.env["CTMUX_POLICY"]).write_text("actions = false\n")
    assert "CTMUX_POLICY" not in world.ctmux("daemon", "restart").stderr
    assert world.data("action", "policy")["actions"] is False


def test_restart_and_logs(daemon: World) -> None:
    first = daemon.data("status")["supervisord"]["pid"]
    daemon.ctmux("daemon", "restart")
    assert daemon.data("status")["supervisord"]["pid"] != first
    assert "spawned" in daemon.ctmux("daemon", "logs", "supervisord").stdout
    assert "no log of 'nobody'" in daemon.ctmux("daemon", "logs", "nobody", code=2).stderr
    started = time.time()
    daemon.stop()
    assert time.time() - started < 15
    told = daemon.ctmux("daemon", "stop", code=3).stderr
    assert told == "ctmux: no ctmux daemon runs (instance 'default'): nothing is to be stopped\n"
    assert daemons(daemon) == []

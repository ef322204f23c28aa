"""A whole ctmux of its own for a test: private directories, private tmux servers, real processes, nothing left behind."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from ctmux.shared import spool, supervised
from ctmux.shared.paths import resolve
from disks import mounted
from log import Log

T = TypeVar("T")
CTMUX = str(Path(sys.executable).with_name("ctmux"))
Done = subprocess.CompletedProcess[str]
Command = Callable[[tuple[str, ...], dict[str, str], float], Done]  # arguments, environment, timeout


def installed(arguments: tuple[str, ...], env: dict[str, str], timeout: float) -> Done:
    """Run the command line as a user does; `warm.Warm.run` is the same in a tenth of the time."""
    return subprocess.run([CTMUX, *arguments], env=env, capture_output=True, text=True, timeout=timeout)


def until(fact: Callable[[], T], seconds: float = 40.0) -> T:
    """The first true value of `fact`; its last failure when the deadline passes."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            value = fact()
            if value:
                return value
            failure: Exception = AssertionError(f"still {value!r} after {seconds:g} s")
        except Exception as error:
            failure = error
        if time.monotonic() > deadline:
            raise failure
        time.sleep(0.01)  # the deadline poll: between two looks at a fact that nobody announces


class World:
    """Directories and environment of one instance; `tmux` and `ctmux` run in it."""

    def __init__(self, directory: str | None = None, command: Command = installed) -> None:
        self.command = command
        self.root = directory or tempfile.mkdtemp(prefix="ctx-", dir="/tmp")  # short: sockets live in it
        os.makedirs(f"{self.root}/tmux", exist_ok=True)
        # Without bytecode every process of every test would compile ctmux anew.
        ours = ("CTMUX", "TMUX", "XDG", "SUPERVISOR", "PYTHONDONTWRITEBYTECODE")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.env = {
            **inherited,
            "TMUX_TMPDIR": f"{self.root}/tmux",
            "CTMUX_RUNTIME_DIR": f"{self.root}/run",
            "CTMUX_STATE_DIR": f"{self.root}/state",
            "XDG_CONFIG_HOME": f"{self.root}/config",
            "HOME": self.root,
            "LC_ALL": "C.UTF-8",
            "SHELL": "/bin/sh",
        }
        self.paths = resolve(self.env)
        self.log = Log()
        self.first = 1  # the number of the first event

    # ---- tmux ------------------------------------------------------------------------------------------------------

    def tmux(self, *arguments: str, name: str = "t", config: str = "/dev/null", check: bool = True) -> str:
        done = subprocess.run(
            ["tmux", "-u", "-L", name, "-f", config, *arguments], env=self.env, capture_output=True, text=True, timeout=20
        )
        if check and done.returncode:
            raise AssertionError(f"tmux {arguments}: {done.stderr}")
        return done.stdout.rstrip("\n")

    def socket(self, name: str = "t") -> str:
        return f"{self.root}/tmux/tmux-{os.geteuid()}/{name}"

    # ---- ctmux -----------------------------------------------------------------------------------------------------

    def ctmux(self, *arguments: str, code: int = 0, timeout: float = 60.0) -> Done:
        """Run the command line; the exit code must be `code`."""
        done = self.command(arguments, self.env, timeout)
        assert done.returncode == code, f"{arguments}: exit {done.returncode}, {done.stdout!r} {done.stderr!r}"
        return done

    def data(self, *arguments: str) -> Any:
        """The `data` of a command's JSON envelope."""
        return json.loads(self.ctmux(*arguments, "--json").stdout)["data"]

    def popen(self, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        """Run the command line beside the test. It hears Ctrl-C, also where the tests run in the background of a shell."""
        return subprocess.Popen(
            [CTMUX, *arguments], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), **more,
        )  # fmt: skip

    def configure(self, text: str) -> None:
        """Settings for whatever is started from now on."""
        Path(f"{self.root}/config.toml").write_text(text)
        self.env["CTMUX_CONFIG"] = f"{self.root}/config.toml"

    def begin(self) -> None:
        """A tmux server with the session `main`, and a daemon that watches it."""
        self.env["CTMUX_TMUX_SOCKET"] = self.socket()
        self.tmux("new-session", "-d", "-s", "main", "-x", "120", "-y", "30")
        self.start()

    def open_pane(self, command: str) -> str:
        """A new window in `main`; its pane."""
        return self.tmux("new-window", "-d", "-t", "main:", "-P", "-F", "#{pane_id}", command)

    def spools(self, pane: str) -> list[spool.Spool]:
        """Where the output of a pane lies: tmux 3.8 makes a respawned pane a second one."""
        return [found for found in spool.walk(self.paths.spool) if found.stream.pane == pane]

    def role(self, name: str) -> int:
        """The pid of a role, whose start is told: of one that is killed before that, no restart is."""
        self.wait_event("service.started", service=name)
        return int(self.data("status")["roles"][name]["pid"])

    def start(self) -> None:
        self.ctmux("daemon", "start")

    def stop(self) -> None:
        self.ctmux("daemon", "stop")

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What the journal's files hold now, in order."""
        return [event for event in self.log.events(self.paths.journal) if kind is None or event["kind"] == kind]

    def wait_event(self, kind: str, seconds: float = 40.0, **fields: Any) -> dict[str, Any]:
        """The first event of this kind with these fields (of the event or of its data)."""

        def look() -> dict[str, Any] | None:
            return next(
                (e for e in self.events(kind) if all({**e["data"], **e}.get(k) == v for k, v in fields.items())), None
            )

        event = until(look, seconds)
        assert event is not None
        return event

    def said(self) -> str:
        """The ends of the logs of its processes."""
        logs = sorted(Path(self.paths.logs).glob("*.log"))
        return "\n".join(f"{path.name}: {path.read_text(errors='replace')[-2000:]}" for path in logs if path.stat().st_size)

    @contextlib.contextmanager
    def mounted(self, folder: str, kind: str, options: str = "") -> Iterator[None]:
        """A file system of its own for `run` or `state`; the daemon ends before that."""
        with mounted(f"{self.root}/{folder}", kind, options):
            try:
                yield
            finally:
                self.end()

    def end(self) -> None:
        """Stop the daemon if it runs."""
        if supervised.running(self.paths):
            self.command(("daemon", "stop"), self.env, 90)

    def close(self) -> None:
        """End everything that runs here, by its id, and remove the directories."""
        self.end()
        folder = f"{self.root}/tmux/tmux-{os.geteuid()}"
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            self.tmux("kill-server", name=name, check=False)
        until(self._removed)

    def _removed(self) -> bool:
        """A hook of a tmux that is just ending may write into a directory that is just being removed."""
        shutil.rmtree(self.root, ignore_errors=True)
        return not os.path.exists(self.root)


def world(command: Command = installed) -> Iterator[World]:
    made = World(command=command)
    try:
        yield made
    finally:
        made.close()

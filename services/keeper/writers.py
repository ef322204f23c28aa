"""The processes behind the pipes, as /proc shows them: a shell that tmux starts becomes the `cat` of a spool."""

import contextlib
import os
import signal
from collections.abc import Iterator
from typing import NamedTuple

from ...shared import spool
from . import hooks

_FORKED = 0x40  # PF_FORKNOEXEC, linux/sched.h: a copy of its parent, which has not yet become the program that it is to be

_OVER = (b"Z", b"X")  # states of a process that has ended


class _Process(NamedTuple):
    pid: int
    parent: int
    state: bytes
    forked: bool


class Writers:
    """Of one tmux server, which has the process `server`, and whose spools lie in `directory`."""

    def __init__(self, server: int, directory: str):
        self._server = server
        self._directory = directory

    def starting(self, panes: set[str], gone: bool) -> set[str]:
        """Those of `panes` whose pipe tmux has started, but which may not have got as far as its spool: the machine is very
        busy. A server that is `gone` has left such pipes to others."""
        found = set(self._starting(gone))
        return set(panes) if None in found else panes & found

    def busy(self, gone: bool) -> bool:
        """Whether any pipe has been started that may not have got as far as its spool."""
        return next(self._starting(gone), "") != ""

    def _starting(self, gone: bool) -> Iterator[str | None]:
        """The panes of such pipes; None where nobody can say yet for whom, nor for what."""
        for process in _processes():
            if not gone and process.parent != self._server:
                continue
            command = _command(process.pid)
            if not gone and (process.forked or (command == b"" and process.state not in _OVER)):
                yield None
            elif pane := hooks.spooled_pane(command or b"", self._directory):
                yield pane

    def streams(self) -> set[str]:
        """The streams that are written, also where their spools were removed."""
        found = set()
        for process in _processes():
            if process.parent == self._server:
                with contextlib.suppress(OSError):  # it has just ended
                    name = os.path.basename(os.readlink(f"/proc/{process.pid}/fd/1")).removesuffix(" (deleted)")
                    stream = spool.parse_stream(name)
                    if stream and name.endswith(spool.RAW):
                        found.add(stream.name)
        return found

    def end(self, paths: list[str]) -> None:
        """End the `cat`s of these spools; tmux then takes their pipes for closed."""
        spools = set()
        for path in paths:
            with contextlib.suppress(OSError):
                spools.add(_file(path))
        for process in _processes():
            if process.parent == self._server:
                with contextlib.suppress(OSError):  # it has just ended
                    if _file(f"/proc/{process.pid}/fd/1") in spools:
                        os.kill(process.pid, signal.SIGTERM)


def _processes() -> Iterator[_Process]:
    """Every process. /proc/PID/task/PID/children would be shorter, but may miss one while another ends: proc(5)."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(
                OSError, ValueError, IndexError
            ):  # it has just ended, or /proc is mounted with hidepid
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
                yield _Process(int(name), int(fields[1]), fields[0], bool(int(fields[6]) & _FORKED))


def _command(pid: int) -> bytes | None:
    """The words of a process; none (b"") in the midst of its exec, too. None if it has just ended, or is another user's."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return None


def _file(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_dev, found.st_ino

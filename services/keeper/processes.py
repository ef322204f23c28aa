"""A thread that learns how the programs of panes end: it opens a pidfd the moment a spool appears, because a pane may live
for milliseconds, and the main loop may be waiting for tmux then.

The wait status is read from /proc/PID/stat while the program is a zombie, else (Linux 6.15 and later) from the pidfd.
Never guessed: a program whose status cannot be read has none. Source: facts/tmux.md, 5.
"""

import contextlib
import fcntl
import os
import select
import struct
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from ...shared import inotify, spool
from ...shared.folders import Folders, Touched

_GET_INFO = 0xC040FF0B  # ioctl PIDFD_GET_INFO of a 64-byte struct pidfd_info, linux/pidfd.h
_INFO_EXIT = 1 << 3
_EXIT_CODE = 60  # offset of exit_code in struct pidfd_info


class Born(NamedTuple):
    server: str
    session: str
    stream: spool.Stream


class Closed(NamedTuple):
    """Somebody closed a spool that he could write; whether he was the last is asked by `spool.has_writer`."""

    server: str
    stream: spool.Stream


class Grown(NamedTuple):
    """A spool that `watch_growth` was asked about has grown."""

    server: str


class Ended(NamedTuple):
    pid: int
    status: dict[str, int | None]


Fact = Born | Closed | Grown | Ended


class Processes:
    """Watches the folders of all spools and the programs of all panes; facts wait in `facts`, `wake` is called."""

    def __init__(self, root: str, wake: Callable[[], None]):
        self.facts: deque[Fact] = deque()
        self._wake = wake
        self._folders = Folders(root, inotify.CREATE | inotify.CLOSE_WRITE, every=False)
        self._growth = inotify.Inotify()
        self._growing: dict[int, str] = {}
        self._pids: dict[int, int] = {}  # pidfd -> pid
        self._known: set[int] = set()
        self._poll = select.epoll()
        self._poll.register(self._folders, select.EPOLLIN)
        self._poll.register(self._growth, select.EPOLLIN)
        self._lock = threading.Lock()
        threading.Thread(target=self._run, daemon=True, name="processes").start()

    def watch_server(self, server: str) -> None:
        """Begin with a server's directory, which exists; spools that are there already are facts, too."""
        with self._lock:
            self._learn(self._folders.add(server))
        self._wake()

    def watch_growth(self, server: str, path: str) -> None:
        """Say once when a spool grows: a pane that tmux kept after its exit was respawned then, which has no hook."""
        with self._lock, contextlib.suppress(OSError):
            self._growing[self._growth.watch(path, inotify.MODIFY)] = server

    def watch_program(self, pid: int) -> None:
        """Learn how the program ends, if it lives."""
        with self._lock:
            self._open(pid)

    def _run(self) -> None:
        while True:
            for fd, _event in self._poll.poll():
                with self._lock:
                    if fd == self._folders.fileno():
                        self._learn(self._folders.read())
                    elif fd == self._growth.fd:
                        self._grown()
                    else:
                        self._end(fd)
            self._wake()

    def _learn(self, found: list[Touched]) -> None:
        for touched in found:
            if touched.mask & inotify.CREATE:
                self._open(touched.stream.pid)
                self.facts.append(Born(touched.server, touched.session, touched.stream))
            if touched.mask & inotify.CLOSE_WRITE:
                self.facts.append(Closed(touched.server, touched.stream))

    def _grown(self) -> None:
        for event in self._growth.read():
            if event.wd in self._growing:
                self.facts.append(Grown(self._growing.pop(event.wd)))
                self._growth.unwatch(event.wd)

    def _open(self, pid: int) -> None:
        if pid in self._known or pid <= 0:
            return
        try:
            fd = os.pidfd_open(pid)
        except OSError:  # ended, and already reaped by tmux: its status is lost
            return
        self._known.add(pid)
        self._pids[fd] = pid
        self._poll.register(fd, select.EPOLLIN)

    def _end(self, fd: int) -> None:
        pid = self._pids.pop(fd)
        self._known.discard(pid)
        self._poll.unregister(fd)
        self.facts.append(Ended(pid, decode(wait_status(fd, pid))))
        os.close(fd)


def wait_status(fd: int, pid: int) -> int | None:
    """The wait status of a program that has just ended, or None."""
    status = _from_stat(pid)
    return status if status is not None else _from_pidfd(fd)


def _from_stat(pid: int) -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open(f"/proc/{pid}/status", "rb") as file:
            uids = next(line for line in file if line.startswith(b"Uid:")).split()[1:]
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        # The kernel shows 0 to whom it does not want to tell: a program of another user has no status for us.
        if fields[0] == b"Z" and all(int(uid) == os.geteuid() for uid in uids):
            return int(fields[-1])
    return None


def _from_pidfd(fd: int) -> int | None:
    """Linux 6.15 and later keep the status for whoever holds a pidfd; it is there when the parent has reaped."""
    info = bytearray(64)
    struct.pack_into("Q", info, 0, _INFO_EXIT)
    try:
        fcntl.ioctl(fd, _GET_INFO, info)
    except OSError:
        return None
    if not struct.unpack_from("Q", info, 0)[0] & _INFO_EXIT:
        return None
    return int(struct.unpack_from("i", info, _EXIT_CODE)[0])


def decode(status: int | None) -> dict[str, int | None]:
    """{exit_status, signal} of a wait status; both None if it is unknown."""
    if status is None:
        return {"exit_status": None, "signal": None}
    if os.WIFSIGNALED(status):
        return {"exit_status": None, "signal": os.WTERMSIG(status)}
    return {"exit_status": os.WEXITSTATUS(status), "signal": None}

"""supervisord's plugin: one instance at a time, every service with the right interpreter, restarts in milliseconds.

supervisord looks `make_interface` up while it reads its configuration, before it binds or starts anything: that is the
moment to refuse. It calls it when it is about to run: that is the moment to be told of its events.
"""

import atexit
import contextlib
import json
import os
import signal
import socket
import sys
import time
from typing import Any

from supervisor import events

from ...shared import lock, place
from ...shared.config import load
from ...shared.errors import CtmuxError, Refused
from ...shared.paths import Paths, check_socket_path, ensure_private, resolve
from ...shared.supervised import running

_held: dict[str, int] = {}  # path of the lock -> descriptor; kept for the life of the process


def __getattr__(name: str) -> Any:
    if name != "make_interface":
        raise AttributeError(name)
    try:
        paths = preflight(_config_file(sys.argv))
    except CtmuxError as error:
        print(f"ctmux: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        print(f"ctmux: {error.filename}: {error.strerror}", file=sys.stderr)
        sys.exit(CtmuxError.exit_code)
    return lambda supervisord, **settings: Interface(supervisord, paths, settings["services"], settings["logs"])


def preflight(config: str | None) -> Paths:
    """Take the instance, or refuse; then pin what the services inherit.

    Raises Refused if it is running, UsageError for settings with a mistake and for a path too long for a socket.
    """
    paths = resolve()
    load()  # a mistake in the settings is told now, not by four services that end again and again
    if config:
        # supervisord binds its socket as `<name>.<pid>` before it takes its name
        check_socket_path(f"{os.path.dirname(config)}/var/supervisor.sock.1234567", "another place for the checkout")
    ensure_private(paths.runtime)
    ensure_private(paths.state)
    if not _hold(paths.supervisord):
        record = running(paths)
        by = f" (supervisord {record.pid}, started with {record.config})" if record else ""
        raise Refused(f"instance {paths.instance!r} is already running{by}; stop it first: ctmux daemon stop")
    if not _hold(paths.state_lock):
        raise Refused(
            f"another ctmux writes to {paths.state}; name another CTMUX_STATE_DIR, or that one's CTMUX_RUNTIME_DIR"
        )
    if not place.settle(paths):
        print(f"ctmux: no file system here can give the space of old output back: {paths.spool} will grow", file=sys.stderr)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(paths.stopping)
    os.environ.update(
        CTMUX_PYTHON=sys.executable,
        CTMUX_INSTANCE=paths.instance,
        CTMUX_RUNTIME_DIR=paths.runtime,
        CTMUX_STATE_DIR=paths.state,
    )
    return paths


def _config_file(arguments: list[str]) -> str | None:
    """The checkout's configuration file, if that is what supervisord was started with."""
    for index, argument in enumerate(arguments):
        value = None
        if argument in ("-c", "--configuration"):
            value = arguments[index + 1] if index + 1 < len(arguments) else None
        elif argument.startswith("--configuration="):
            value = argument.partition("=")[2]
        if value:
            path = os.path.abspath(value)
            return path if os.path.isdir(f"{os.path.dirname(path)}/var/services") else None
    return None


def _hold(path: str) -> bool:
    """Whether this process holds the lock on `path`, as it does from now on if nobody else did."""
    if path in _held:
        with contextlib.suppress(OSError):  # closed by supervisord's own clean-up when it reloads
            if os.path.samestat(os.fstat(_held[path]), os.stat(path)):
                return True
    fd = lock.acquire(path)
    if fd is None:
        return False
    _held[path] = fd
    return True


class Interface:
    """Hears supervisord's events. As an RPC namespace it has no methods."""

    def __init__(self, supervisord: Any, paths: Paths, services: str, logs: str):
        _hold(paths.supervisord)
        _hold(paths.state_lock)
        self._options = supervisord.options
        self._paths = paths
        self._services = services
        self._logs = logs
        self._notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._waker = _Waker(self._options.get_socket_map())
        events.subscribe(events.SupervisorRunningEvent, self._running)
        events.subscribe(events.SupervisorStoppingEvent, self._stopping)
        events.subscribe(events.ProcessStateEvent, self._changed)

    def _running(self, _event: Any) -> None:
        """Daemonised by now: say how this supervisord is reached, and start the programs without a second of waiting."""
        self._waker.wake()
        record = {
            "pid": os.getpid(),
            "config": self._options.configfile,
            "socket": self._options.serverurl.removeprefix("unix://"),
            "services": self._services,
            "logs": self._logs,
            "python": sys.executable,
            "started": time.time(),
        }
        atexit.register(_sweep, self._paths.runtime)  # after its children, when it ends in an orderly way
        fd = _held[self._paths.supervisord]
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps(record).encode(), 0)

    def _stopping(self, _event: Any) -> None:
        with open(self._paths.stopping, "w"):
            pass

    def _changed(self, _event: Any) -> None:
        """Look again at once (supervisord itself would after a second), and tell the keeper."""
        self._waker.wake()
        with contextlib.suppress(OSError):  # no keeper yet, or it is busy: it looks when it starts
            self._notices.sendto(b"\0", self._paths.notices)


def _sweep(runtime: str) -> None:
    """Remove the sockets of everybody who has ended, and the locks of watchers, whose sessions have no lasting name."""
    for name in os.listdir(runtime):
        if name.endswith(".sock") or (name.startswith("watcher-") and name.endswith(".lock")):
            with contextlib.suppress(OSError):
                os.unlink(f"{runtime}/{name}")


class _Waker:
    """A pipe to itself in supervisord's poll: its loop runs once more. Measured: restarts in 3-18 ms instead of 1005.

    Every signal is written to it too, else a child that ends after its output was read to the end waits a second.
    """

    def __init__(self, socket_map: dict[int, Any]):
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        socket_map[self._reader] = self
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._writer, b"\0")

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def handle_read_event(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._reader, 4096)

    def handle_error(self) -> None:
        raise RuntimeError("the waking pipe failed")

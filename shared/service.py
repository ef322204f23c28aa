"""The one main loop: start, say ready, poll sockets and timers without a tick, end on SIGTERM or with supervisord."""

import contextlib
import ctypes
import heapq
import itertools
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import zmq

from . import bus, lock
from .errors import Refused
from .messages import Status
from .paths import Paths, ensure_private
from .rpc import Server

_PR_SET_PDEATHSIG = 1
_TURN = 0.05  # seconds of timers, before sockets are looked at again
_LONGEST = 3_600_000  # ms; poll takes an int of C, which a timer of a month would overflow


def _now() -> float:
    """Seconds, also those that the machine sleeps: what becomes due then is done when something wakes the loop."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def die_with_parent() -> None:
    """End when supervisord ends, however it does (it cannot tell its children when it is killed with SIGKILL).

    The signal is bound to the parent's thread; a parent that died before this call is seen on stdin, see `Service`.
    Source: prctl(2); measured in facts/reliability.md, A.4.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def under_supervisord() -> bool:
    return "SUPERVISOR_ENABLED" in os.environ


class Timer:
    """A call in the future; `cancel()` makes it never happen."""

    __slots__ = ("action",)

    def __init__(self, action: Callable[[], None]):
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        self.action = None


class Service:
    """One process of the instance: holds its role's lock, answers `status`, polls what is registered."""

    def __init__(self, role: str, paths: Paths):
        os.umask(0o077)
        ensure_private(paths.runtime)
        self.role = role
        self.paths = paths
        self.started = time.time()
        held = lock.acquire(paths.lock(role))
        if held is None:
            raise Refused(f"another {role} of instance {paths.instance!r} is running; see: ctmux status")
        self._lock = held
        self.context = bus.context()
        self._poller = zmq.Poller()
        self._actions: dict[Any, Callable[[], None]] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._ending = False
        self.server = Server(self.context, paths.control(role))
        self.register(self.server.socket, self.server.receive)
        self.server.handle(Status, lambda _request, _reply: self.status())
        self._watch_parent_and_signals()
        threading.excepthook = _end_with_thread

    def status(self) -> dict[str, Any]:
        """What `ctmux status` shows of this role; roles add to it."""
        return {"role": self.role, "pid": os.getpid(), "started": self.started}

    def _watch_parent_and_signals(self) -> None:
        # A handler that only sets a flag does not wake poll(): the wakeup descriptor does (facts/reliability.md, B.5).
        self._wake, wake = socket.socketpair()
        for end in (self._wake, wake):
            end.setblocking(False)
        self._waker = wake
        signal.set_wakeup_fd(wake.fileno())
        signal.signal(signal.SIGIO, signal.SIG_IGN)  # a lease of spool.has_writer that somebody's open breaks
        signal.signal(signal.SIGTERM, lambda _number, _frame: self.stop())
        signal.signal(signal.SIGINT, lambda _number, _frame: self.stop())
        self.register(self._wake, self._drain_wake)
        if under_supervisord():
            die_with_parent()
            self.register(sys.stdin.fileno(), self._parent_spoke)

    def _drain_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wake.recv(4096)

    def _parent_spoke(self) -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            self.stop()

    def wake(self) -> None:
        """Make the loop run once more; may be called from any thread."""
        with contextlib.suppress(BlockingIOError):
            self._waker.send(b"\0")

    def register(self, readable: Any, action: Callable[[], None]) -> None:
        """Call `action` whenever `readable` (a ZeroMQ socket, or anything with a descriptor) can be read."""
        key = _key(readable)
        self._poller.register(key, zmq.POLLIN)
        self._actions[key] = action

    def unregister(self, readable: Any) -> None:
        key = _key(readable)
        if self._actions.pop(key, None):
            self._poller.unregister(key)

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Call `action` once, `seconds` from now."""
        timer = Timer(action)
        heapq.heappush(self._timers, (_now() + seconds, next(self._order), timer))
        return timer

    def stop(self) -> None:
        self._ending = True

    def run(self) -> None:
        """Say `ready`, then serve until the end."""
        with contextlib.suppress(BrokenPipeError):
            print("ready", flush=True)
        while not self._ending:
            self._run_once()
        self.shutdown()

    def _run_once(self) -> None:
        for readable, event in self._poller.poll(self._patience()):
            # POLLHUP and POLLERR come unasked and must be acted on too, else the loop would spin.
            action = self._actions.get(readable)
            if action is not None and event:
                action()
        now = _now()
        until = now + _TURN
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if timer.action is not None:
                timer.action()
            if _now() > until:  # the rest is done when those are answered who ask meanwhile
                break

    def _patience(self) -> int | None:
        while self._timers and self._timers[0][2].action is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return None
        return max(0, min(int((self._timers[0][0] - _now()) * 1000) + 1, _LONGEST))

    def shutdown(self) -> None:
        """Close what was opened; roles add to it."""
        self.context.destroy(linger=0)


def _end_with_thread(failure: Any) -> None:
    """A process whose thread has died would go on without it: it ends instead, and is started anew."""
    sys.excepthook(failure.exc_type, failure.exc_value, failure.exc_traceback)
    sys.stderr.flush()
    os._exit(1)


def _key(readable: Any) -> Any:
    return readable if isinstance(readable, int | zmq.Socket) else readable.fileno()

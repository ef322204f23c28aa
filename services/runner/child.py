"""One process of an action: its own group, a deadline, the end of its output. When it ends, its whole group does.

When it is ended, so are those of its processes that have left the group; each has the whole grace to end by itself.
"""

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from ...shared.errors import CtmuxError, Refused
from ...shared.service import Service, Timer
from . import kin
from .plan import Plan
from .values import escaped

_PIECE = 1 << 16
_OUTPUT_MOST = 16 << 20  # bytes that are read of what it prints; who prints more is ended
_TOO_MUCH = f"output: it printed more than {_OUTPUT_MOST >> 20} MiB"
_LAST = 1.0  # seconds in which what was killed must be gone


class Result(NamedTuple):
    """`signal`: its name. `reason`: why it was ended, or could not be started; `refused`: that was not allowed."""

    exit_code: int | None
    signal: str | None
    duration: float
    output: bytes
    size: int
    reason: str | None
    refused: bool = False

    def data(self, most: int) -> dict[str, Any]:
        """As it is reported."""
        tail = self.output[-most:] if most else b""
        return {
            "exit_code": self.exit_code, "signal": self.signal, "duration": round(self.duration, 4),
            "output": escaped(tail.decode("utf-8", "backslashreplace")), "output_bytes": self.size,
            "truncated": self.size > len(tail), **({"reason": self.reason} if self.reason else {}),
        }  # fmt: skip


def unstarted(reason: str | CtmuxError) -> Result:
    return Result(None, None, 0.0, b"", 0, str(reason), isinstance(reason, Refused))


class Child:
    """Raises OSError when it cannot be started. `done` is called once, from the loop."""

    _setpriv = shutil.which("setpriv")  # with it no program outlives a killed runner

    def __init__(
        self, service: Service, plan: Plan, timeout: float, grace: float, keep: int, done: Callable[[Result], None]
    ):  # fmt: skip
        self._service, self._grace, self._keep, self._done = service, grace, max(keep, 1), done
        self._marks = kin.marks(plan.env)
        self._tail, self._size = b"", 0
        self.reason: str | None = None
        self._began = time.monotonic()
        self._process = _spawn(plan, [self._setpriv, "--pdeathsig", "KILL", "--"] if self._setpriv else [])
        self.pid = self._process.pid
        self._fd = os.pidfd_open(self.pid)
        self._kin: set[int] = set()  # pidfds of the others, once it is ended
        self._over = False
        assert self._process.stdout is not None
        self._out: int | None = self._process.stdout.fileno()
        os.set_blocking(self._out, False)
        service.register(self._out, self._readable)
        service.register(self._fd, self._ended)
        self._timer: Timer = service.after(timeout, lambda: self.end(f"timeout: it ran longer than {timeout:g} s"))

    def end(self, reason: str) -> None:
        """TERM to all its processes, KILL after the grace."""
        if self.reason is None:
            self.reason = reason
            self._timer.cancel()
            for fd in kin.end(os.getsid(0), self._marks, self.pid, signal.SIGTERM, signal.SIGCONT):
                self._kin.add(fd)
                self._service.register(fd, functools.partial(self._gone, fd))
            self._timer = self._service.after(self._grace, self._end_now)

    def _end_now(self) -> None:
        self.kill()
        self._timer = self._service.after(_LAST, self._let_go)

    def _let_go(self) -> None:
        """What is there all the same is another user's by now, has a session of its own, or is in the kernel's hands."""
        for fd in list(self._kin):
            self._gone(fd)

    def kill(self) -> None:
        """KILL to all its processes, without waiting for them."""
        self._kill_group()
        for fd in kin.end(os.getsid(0), self._marks, self.pid, signal.SIGKILL):
            os.close(fd)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # sudo's processes are root's
            os.killpg(self.pid, signal.SIGKILL)  # the group is there as long as its leader is not reaped

    def _readable(self) -> None:
        self._read()

    def _read(self) -> bool:
        """Whether there may be more now."""
        if self._out is None:
            return False
        try:
            piece = os.read(self._out, _PIECE)
        except BlockingIOError:
            return False
        if not piece:
            self._service.unregister(self._out)
            self._out = None
            return False
        self._tail = (self._tail + piece)[-self._keep :]
        self._size += len(piece)
        if self._size > _OUTPUT_MOST and self._over:
            self.reason = self.reason or _TOO_MUCH
        elif self._size > _OUTPUT_MOST:
            self.end(_TOO_MUCH)
            if self._size > 2 * _OUTPUT_MOST:
                self._kill_group()
        return True

    def _ended(self) -> None:
        self._service.unregister(self._fd)
        self._over = True
        if not self._kin:
            self._finish()

    def _gone(self, fd: int) -> None:
        self._service.unregister(fd)
        os.close(fd)
        self._kin.discard(fd)
        if self._over and not self._kin:
            self._finish()

    def _finish(self) -> None:
        """Its leader has ended. What else is in its group ends before the number of the group can be another's."""
        if self.reason is None:
            self._kill_group()
        else:
            self.kill()
        for _ in range(_OUTPUT_MOST // _PIECE):
            if not self._read():
                break
        duration = time.monotonic() - self._began
        code = self._process.wait()
        self._close()
        status = None if code < 0 else code
        self._done(Result(status, _signal(-code) if code < 0 else None, duration, self._tail, self._size, self.reason))

    def _close(self) -> None:
        self._timer.cancel()
        os.close(self._fd)
        if self._out is not None:
            self._service.unregister(self._out)
            self._out = None
        assert self._process.stdout is not None
        self._process.stdout.close()


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # of real time
        return str(number)


def _spawn(plan: Plan, prefix: list[str]) -> "subprocess.Popen[bytes]":
    """Its stdin is a file in memory: whether it reads that, and when, is its own affair."""
    env = {name.encode(): text.encode("utf-8", "replace") for name, text in plan.env.items()}
    argv = [word.encode("utf-8", "replace") for word in (*prefix, *plan.argv)]
    stdin = os.memfd_create("ctmux-event") if plan.stdin else os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if plan.stdin:
            with open(stdin, "wb", closefd=False) as file:
                file.write(plan.stdin)
            os.lseek(stdin, 0, os.SEEK_SET)
        return subprocess.Popen(
            argv, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, cwd=plan.cwd, process_group=0,
            bufsize=0,
        )  # fmt: skip
    finally:
        os.close(stdin)

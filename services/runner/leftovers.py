"""Processes that a killed runner has left: found by their environment and their session, and ended.

All actions are in the runner's own session, each in a group of its own.
"""

import contextlib
import fcntl
import os
import select
import signal
import termios
import time

from . import kin

_SECONDS = 5.0  # until what was killed must be gone; a process in the kernel's hands may take a while


def leave_terminal() -> None:
    """No terminal for the runner and its actions: of a supervisord in the foreground they would have the user's."""
    if os.getsid(0) == os.getpid():
        return
    with contextlib.suppress(OSError):
        fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            fcntl.ioctl(fd, termios.TIOCNOTTY)
        finally:
            os.close(fd)


def end(path: str, token: str) -> int:
    """End what is left of the runner that noted itself in `path`, and note this one. How many processes that were.

    The `token` is in the environment of all that a runner starts: a daemon that was started by an action is not ours."""
    noted: list[str] = []
    with contextlib.suppress(OSError), open(path) as file:
        noted = file.read().split()
    found = 0
    if len(noted) == 2 and noted[0].isdigit():
        session, marks = int(noted[0]), kin.marks({kin.RUNNER: noted[1]})
        deadline = time.monotonic() + _SECONDS
        while (killed := _kill(session, marks, deadline)) and time.monotonic() < deadline:  # they may have started others
            found += killed
    with open(f"{path}.new", "w") as file:
        file.write(f"{os.getsid(0)} {token}")
    os.rename(f"{path}.new", path)
    return found


def _kill(session: int, marks: set[bytes], deadline: float) -> int:
    """End what is there, and wait until it has ended. How many processes that were."""
    ending = kin.end(session, marks, 0, signal.SIGKILL)
    for fd in ending:
        waiting = select.poll()  # select(2) takes no descriptor above 1,023
        waiting.register(fd, select.POLLIN)
        waiting.poll(1000 * max(0.0, deadline - time.monotonic()))
        os.close(fd)
    return len(ending)

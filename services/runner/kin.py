"""Processes that belong together: in one group, or marked in their environment by whoever began them.

A program may give its own a group of their own (GNU timeout, any shell with job control); the mark is inherited all the
same. What makes itself a session (a daemon that an action started, a tmux server) wants to live on, and is not of them.
"""

import contextlib
import os
import signal

RUNNER, ACTION = "CTMUX_RUNNER", "CTMUX_ACTION_ID"


def marks(env: dict[str, str]) -> set[bytes]:
    """What the processes of a program with this environment have in theirs; empty if that is nothing of their own."""
    return {f"{name}={env[name]}".encode() for name in (RUNNER, ACTION) if name in env}


def end(session: int, marks: set[bytes], group: int, *numbers: int) -> list[int]:
    """Send these signals to all that are in the session, and in the group or marked. Their pidfds, to be closed."""
    found: list[int] = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid() and _is_one(int(name), session, marks, group):
            with contextlib.suppress(OSError):  # gone; or root's, by sudo
                fd = os.pidfd_open(int(name))
                try:
                    if _is_one(int(name), session, marks, group):  # still: the number was not another's when it was opened
                        for number in numbers:
                            signal.pidfd_send_signal(fd, number)
                        found.append(fd)
                finally:
                    if fd not in found:
                        os.close(fd)
    return found


def _is_one(pid: int, session: int, marks: set[bytes], group: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state, _parent, of_group, of_session = file.read().rpartition(b")")[2].split()[:4]
        if state in (b"Z", b"X") or int(of_session) != session:
            return False
        if int(of_group) == group or not marks:
            return int(of_group) == group
        with open(f"/proc/{pid}/environ", "rb") as file:
            return marks <= set(file.read().split(b"\0"))
    except (OSError, ValueError):  # another user's, or gone
        return False

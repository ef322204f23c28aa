"""Whether a tmux server that was known is still there."""

import contextlib
import os

from ...shared import tmux

_WITHIN = 5.0  # seconds that a server takes at most from its first moment to its `start_time`


def is_alive(info: tmux.ServerInfo) -> bool:
    """One that does not answer may be slow, or its socket was removed: its process says it."""
    with contextlib.suppress(tmux.TmuxError):
        if tmux.identify(info.socket).key == info.key:
            return True
    began = _began(info.pid)
    return began is not None and abs(began - info.started) < _WITHIN


def _began(pid: int) -> float | None:
    """When a process that runs began, in seconds since the epoch: proc(5), starttime and btime."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        with open("/proc/stat", "rb") as file:
            boot = next(int(line.split()[1]) for line in file if line.startswith(b"btime"))
    except (OSError, StopIteration):
        return None
    if fields[0] in (b"Z", b"X"):  # ended, and not reaped
        return None
    return boot + int(fields[19]) / os.sysconf("SC_CLK_TCK")

"""A tmux client that lists, and then blocks on a channel: to tmux's user it is none (no session); it costs no polling."""

import os
import select
import subprocess
import time

from ...shared import tmux
from . import listing


def readable(fd: int, seconds: float) -> bool:
    """Whether a descriptor can be read within this time. select(2) knows none above 1,023, and each pane takes one."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


class Waiter:
    """`first` are commands of tmux, the last ones those of a listing. `listing()` first, then poll `fileno()`: it can be
    read when the channel was signalled, or the server has ended."""

    def __init__(self, socket: str, first: list[str], wait: list[str]):
        command = tmux.command(socket, *first, ";", *wait)
        if any(os.access(f"{folder}/setpriv", os.X_OK) for folder in os.get_exec_path()):
            command = ["setpriv", "--pdeathsig", "KILL", *command]  # it must not outlive a killed keeper
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=tmux.environment()
        )
        assert self._process.stdout is not None
        self._out = self._process.stdout
        os.set_blocking(self._out.fileno(), False)

    def fileno(self) -> int:
        return self._out.fileno()

    def listing(self, seconds: float) -> bytes:
        """What the listing commands printed. Raises TmuxError if they failed, or the server does not answer in time."""
        text = b""
        deadline = time.monotonic() + seconds
        while not listing.ended(text):
            left = deadline - time.monotonic()
            if left <= 0 or not readable(self.fileno(), left):
                raise tmux.TmuxError(f"tmux does not answer within {seconds:g} s")
            piece = os.read(self._out.fileno(), 65536)
            if not piece:
                raise tmux.TmuxError("tmux could not list")
            text += piece
        return text

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._out.close()

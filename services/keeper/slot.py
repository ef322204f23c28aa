"""Our slot in the hooks of one tmux server: whose it is, what fills it, what empties it."""

import time

from ...shared import lock, tmux
from ...shared.errors import Refused
from . import hooks
from .state import base36


class Slot:
    """`runtime` is the directory of our instance, `directory` that of the server's spools. The hooks signal `channel`."""

    def __init__(self, info: tmux.ServerInfo, runtime: str, directory: str):
        self._info = info
        self._runtime = runtime
        self._directory = directory
        self.channel = f"ctmux {runtime} {info.key}"

    def check_owner(self) -> None:
        """Raise TmuxError if the hooks are those of another ctmux that runs: two would take each other's panes."""
        hook = f"session-created[{hooks.SLOT}]"
        shown = tmux.run(self._info.socket, "show-hooks", "-g", hook).decode(errors="replace")
        other = hooks.owner(shown)
        if other and other != self._runtime and _runs(other):
            raise tmux.TmuxError(f"it is watched by the ctmux of {other}; stop that one, or name sockets in [keeper]")

    def filling(self) -> list[str]:
        """The arguments of tmux that install our hooks. Streams that are born by them have this moment in their names."""
        epoch = base36(time.time_ns() // 1_000_000)
        return hooks.install(self._info, self._directory, epoch, self.channel)

    def holds(self, names: tuple[str, ...]) -> bool:
        """Whether these hooks are there: a listing does not tell those that are gone from those that the hooks of a session
        hide. Raises TmuxError."""
        asked = hooks.joined([["show-hooks", "-g", f"{hook}[{hooks.SLOT}]"] for hook in names])
        shown = tmux.run(self._info.socket, *asked).decode(errors="replace").splitlines()
        return len(shown) == len(names) and all(line.partition(" ")[2].strip() for line in shown)

    def fill(self) -> None:
        """Install them. Raises TmuxError."""
        tmux.run(self._info.socket, *self.filling())

    def clear(self) -> None:
        """Remove them, and end whoever waits for their signal. Raises TmuxError."""
        tmux.run(self._info.socket, *hooks.uninstall(self._info), ";", "wait-for", "-S", self.channel)


def _runs(runtime: str) -> bool:
    """Whether the ctmux of this directory runs; yes, if it is another user's, whose we cannot see."""
    try:
        return lock.is_held(f"{runtime}/supervisord.lock")
    except Refused:
        return True

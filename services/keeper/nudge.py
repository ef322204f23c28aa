"""Makes a tmux server look at its children: a program has ended, but its pane is still shown alive."""

import contextlib
from collections.abc import Callable

from ...shared import tmux
from ...shared.service import Service
from .lookout import Lookout
from .patience import IMPATIENT

_TURNS = (0.1, 0.5, 2.0)  # seconds; utempter builds up to 3.5a lose a SIGCHLD now and then: facts/tmux.md, fact 6
_ANSWER = 0.02  # seconds from a nudge to what it has changed


class Nudge:
    """`is_alive` says whether tmux still shows a pane alive whose program has this pid."""

    def __init__(self, service: Service, socket: str, lookout: Lookout, is_alive: Callable[[int], bool]):
        self._service = service
        self._socket = socket
        self._lookout = lookout
        self._is_alive = is_alive

    def ended(self, pid: int, turn: int = 0) -> None:
        """A program has ended: nudge until tmux has noticed; a server that hangs when it does not any more."""
        if turn >= len(_TURNS):
            return

        def look() -> None:
            if not self._is_alive(pid) or self._lookout.gone:
                return
            if self._lookout.hangs:
                self.ended(pid, len(_TURNS) - 1)
                return
            with contextlib.suppress(tmux.TmuxError):
                tmux.run(self._socket, "run-shell", "-b", "true", timeout=IMPATIENT)
            self._lookout.look_soon(_ANSWER)
            self.ended(pid, turn + 1)

        self._service.after(_TURNS[turn], look)

"""The pipes of panes that no hook has given one: those that were there before us, or that lost theirs."""

import contextlib
import os
import time

from ...shared import spool, tmux
from ...shared.messages import Draft
from . import hooks
from .listing import ListedPane, Listing
from .spools import Spools
from .state import base36
from .topology import Topology

_GRACE = 1.0  # seconds from a pipe being there to its spool being there
ELSEWHERE = "its pipe is used by another program (pipe-pane)"
CLOSED = "its pipe was closed by another program (pipe-pane)"
STOPPED = "ctmux was stopped"


class Pipes:
    """Opens and closes pipes of one tmux server."""

    def __init__(self, socket: str, spools: Spools):
        self._socket = socket
        self._spools = spools
        self._suspects: dict[str, float] = {}

    @property
    def waiting(self) -> bool:
        """Whether a pane with a pipe has still to show its spool."""
        return bool(self._suspects)

    def open_missing(self, seen: Listing, topology: Topology, now: float) -> list[Draft]:
        """Start a pipe in every pane without one; say of a pane whose pipe is another's that it is unobserved."""
        drafts: list[Draft] = []
        suspects: dict[str, float] = {}
        for pane_id, listed in seen.panes.items():
            pane = topology.panes[pane_id]
            if listed.dead or (pane.stream and not pane.closed):
                continue
            if not listed.piped and pane.stream:
                drafts += topology.unobserve(pane_id, CLOSED, now)
            elif not listed.piped:
                self._adopt(listed, pane.session)
                suspects[pane_id] = now
            elif not pane.unobserved or pane.unobserved == STOPPED:
                suspects[pane_id] = self._suspects.get(pane_id, now)
                if now - suspects[pane_id] >= _GRACE:
                    del suspects[pane_id]
                    drafts += topology.unobserve(pane_id, ELSEWHERE, now)
        self._suspects = suspects
        return drafts

    def _adopt(self, listed: ListedPane, session: str) -> None:
        """Pipe a pane that was there before us; what it shows becomes its history, taken in the same command line."""
        directory = self._spools.directory
        stream = spool.stream_name(listed.pane, listed.pid, listed.window, base36(time.time_ns() // 1_000_000))
        command = hooks.pipe_command(directory, spool.session_folder(session), stream)
        try:
            text = tmux.run(
                self._socket,
                "capture-pane", "-p", "-e", "-J", "-S", "-", "-E", "-", "-t", listed.pane, ";",
                "if-shell", "-F", "-t", listed.pane, "#{pane_pipe}", "",
                f"pipe-pane -O -t {listed.pane} {hooks.quote(command)}",
            )  # fmt: skip
        except tmux.TmuxError:
            return  # it has just gone; the next look knows
        shown = b"".join(line.rstrip() + b"\r\n" for line in text.rstrip().split(b"\n")) if text.strip() else b""
        path = spool.meta(directory, stream, "history")
        with open(f"{path}.new", "wb") as file:
            file.write(shown)
        os.rename(f"{path}.new", path)

    def close_all(self) -> None:
        """Close every pipe of ours, as the disk knows them: a pane that has just been born is among them."""
        for found in self._spools.walk():
            if spool.has_writer(found.path):
                with contextlib.suppress(tmux.Refusal):  # this pane has just gone
                    tmux.run(self._socket, "pipe-pane", "-t", found.stream.pane)

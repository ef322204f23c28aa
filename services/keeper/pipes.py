"""The pipes of panes that no hook has given one: those that were there before us, or that lost theirs."""

import contextlib
import os
import time

from ...shared import spool, tmux
from ...shared.messages import Draft
from . import hooks
from .listing import ListedPane, Listing
from .pane import CLOSED, ELSEWHERE, FULL, REMOVED, STOPPED, Pane
from .spools import Spools
from .state import base36
from .topology import Topology
from .writers import Writers

_GRACE = 1.0  # seconds from a pipe being there to its spool being there
_HISTORY_MOST = 10_000  # lines above those that are shown: tmux does nothing else while it gives them (5 ms)
_FULL_AGAIN = 5.0  # seconds
_FULL_BYTES = 4 << 20  # less free space than this is a full disk; twice as much is none any more


def history(text: bytes) -> bytes | None:
    """What a pane shows, as its history, of the cursor's place (column, lines from the end) and the pane's lines. Its last
    line has no end if the stream goes on in it: it may be a prompt. None if the pane or tmux has gone meanwhile."""
    cursor, _, text = text.partition(b"\n")
    if len(cursor.split()) != 2:
        return None
    column, below = map(int, cursor.split())
    lines = text.split(b"\n")[:-1]
    shown = b"\r\n".join(line.rstrip() for line in text.rstrip().split(b"\n"))
    # There may be fewer lines than rows below the cursor: tmux gives long lines as one.
    within = column and any(line.strip() for line in lines[-below:][:1])
    return shown + b"\r\n" if shown and not within else shown


class Pipes:
    """Opens and closes pipes of one tmux server."""

    def __init__(self, info: tmux.ServerInfo, spools: Spools, writers: Writers):
        self._info = info
        self._spools = spools
        self._writers = writers
        self._suspects: dict[str, float] = {}  # panes with a pipe whose spool is not known yet, and since when
        self._full = False

    def patience(self) -> float | None:
        """Seconds until the next look: a pane with a pipe has still to show its spool, or one waits for space."""
        if self._suspects:
            return _GRACE
        return _FULL_AGAIN if self._full else None

    def open_missing(self, seen: Listing, topology: Topology, now: float) -> list[Draft]:
        """Start a pipe in every pane without one; say of a pane whose pipe is another's that it is unobserved."""
        drafts: list[Draft] = []
        before, self._suspects = self._suspects, {}
        self._full = False
        for pane_id, listed in seen.panes.items():
            pane = topology.panes[pane_id]
            if listed.dead or (pane.stream and not pane.closed):
                continue
            since = before.get(pane_id, now)
            end = self._spools.size(pane.stream) if pane.stream else None
            if pane.stream and pane.unobserved in (None, FULL) and self._is_full(pane):
                self._full = True
                drafts += topology.unobserve(pane_id, FULL, now, end)
            elif not listed.piped and (pane.stream is None or pane.unobserved in (ELSEWHERE, FULL, REMOVED)):
                self._adopt(listed, pane.session)
                self._suspects[pane_id] = now
            elif not listed.piped:
                drafts += topology.unobserve(pane_id, CLOSED, now, end)
            elif pane.unobserved == FULL:
                self._full = True  # tmux finds out with the next output that nobody reads this pipe; it may be a user's
            elif now - since >= _GRACE and (pane.stream or not self._spools.has(pane_id)):  # else we are late
                drafts += topology.unobserve(pane_id, ELSEWHERE, now, end)
            elif not pane.unobserved or pane.unobserved == STOPPED:
                self._suspects[pane_id] = since
        return drafts

    def close_removed(self, topology: Topology, now: float) -> list[Draft]:
        """Close the pipes whose spools were removed while no keeper ran, by a logout, say: nobody can read what they write.
        Raises TmuxError."""
        there = {found.stream.name for found in self._spools.walk()}
        lost = {
            pane_id: pane.stream
            for pane_id, pane in topology.panes.items()
            if pane.stream and pane.stream not in there and not (pane.closed or pane.exited)
        }
        written = self._writers.streams() if lost else set()
        drafts: list[Draft] = []
        for pane_id, stream in lost.items():
            if stream in written:  # else the pipe is another's by now
                with contextlib.suppress(tmux.Refusal):  # the pane has just gone
                    tmux.run(self._info.socket, "pipe-pane", "-t", pane_id)
            topology.stream_closed(stream)
            drafts += topology.unobserve(pane_id, REMOVED, now)
        return drafts

    def _is_full(self, pane: Pane) -> bool:
        """Whether the writer of the pane's spool has ended because there is no space for it. tmux does not say why."""
        found = os.statvfs(self._spools.directory)
        return found.f_bavail * found.f_frsize < _FULL_BYTES * (2 if pane.unobserved == FULL else 1)

    def _adopt(self, listed: ListedPane, session: str) -> None:
        """Pipe a pane that was there before us; what it shows becomes its history, taken in the same command line."""
        directory = self._spools.directory
        stream = spool.stream_name(listed.pane, listed.pid, listed.window, base36(time.time_ns() // 1_000_000))
        command = hooks.pipe_command(directory, spool.session_folder(session), stream)
        try:
            text = tmux.run(
                self._info.socket,
                "display-message", "-p", "-t", listed.pane, "#{cursor_x} #{e|-:#{pane_height},#{cursor_y}}", ";",
                "capture-pane", "-p", "-e", "-J", "-S", f"-{_HISTORY_MOST}", "-E", "-", "-t", listed.pane, ";",
                "if-shell", "-F", "-t", listed.pane, "#{pane_pipe}", "",
                f"pipe-pane -O -t {listed.pane} {hooks.quote(command)}",
            )  # fmt: skip
        except tmux.TmuxError:
            return  # it has just gone; the next look knows
        shown = history(text)
        if shown is None:
            return
        path = spool.meta(directory, stream, "history")
        try:
            with open(f"{path}.new", "wb") as file:
                file.write(shown)
            os.rename(f"{path}.new", path)
        except OSError:  # a full disk: the pane's output comes first
            with contextlib.suppress(OSError):
                os.unlink(f"{path}.new")

    def close_all(self) -> None:
        """Close every pipe of ours, as the disk knows them: a pane that has just been born is among them."""
        left = []
        for found in self._spools.walk():
            if spool.has_writer(found.path):
                try:
                    tmux.run(self._info.socket, "pipe-pane", "-t", found.stream.pane)
                except tmux.Refusal:  # this pane has just gone, or it is dead and kept, and tmux does not touch its pipe
                    left.append(found.path)
        if left:
            self._writers.end(left)

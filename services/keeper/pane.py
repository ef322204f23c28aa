"""A pane as it was reported, and what is to be done yet for its streams. Pure."""

from dataclasses import dataclass

ELSEWHERE = "its pipe is used by another program (pipe-pane)"
CLOSED = "its pipe was closed by another program (pipe-pane)"
FULL = "the disk of its spool is full"
REMOVED = "its spool was removed"
HANGS = "its pipe did not end; what it still held was not waited for"
STOPPED = "ctmux was stopped"
UNMATCHED = "ctmux was stopped before it was matched"
LOST = "the tmux server ended while the pane's program ran; what tmux had not handed on is lost"
GRACE = 1.0  # seconds that a pane which is gone is given to show its spool and its exit status


@dataclass
class Pane:
    """A pane as it was reported. `status`: {exit_status, signal} of its program when that has ended."""

    pid: int
    session: str
    window: str
    stream: str | None = None
    closed: bool = False  # the writer of `stream` has gone
    status: dict[str, int | None] | None = None
    gone_since: float | None = None  # when a listing first did not have it
    dead_since: float | None = None  # its program has ended, but tmux keeps it (remain-on-exit)
    exited: bool = False  # pane.exited was reported; it can only be respawned or closed
    kept: bool = False  # ... while tmux kept the pane
    respawned: bool = False  # ever: its first program is told of
    unobserved: str | None = None  # why no spool has its output

    def is_over(self, now: float) -> bool:
        """Whether its exit is due as soon as its output is finished. Where the clock was set back the grace begins anew."""
        if self.dead_since is not None:
            self.dead_since = min(self.dead_since, now)
            return self.status is not None or now - self.dead_since >= GRACE
        if self.gone_since is None:
            return False
        self.gone_since = min(self.gone_since, now)
        patient = now - self.gone_since >= GRACE
        return (self.closed or (self.stream is None and patient)) and (self.status is not None or patient)


@dataclass
class Move:
    """A spool has to follow its pane into another session's folder."""

    stream: str
    origin: str
    session: str


@dataclass
class Departed:
    """A stream that nothing will follow in, though its pane's exit is not what says so. `exited`: the pane is gone, too."""

    pane: str
    session: str
    stream: str
    exited: bool

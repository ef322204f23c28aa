"""What one tmux server has, as far as it was reported, and which events lead from there to what it has now. Pure.

A pane's way: opened (a listing or its spool shows it), perhaps moved and respawned, then gone from the listing, its
stream closed, its program's status known or given up, its output finished by the matcher, and only then exited.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from ...shared.messages import Draft
from ...shared.spool import Stream
from .listing import Listing

_OVER = 1000  # panes
_OF_STREAMS = ("match", "commands")  # producers, by their first names
_ENDS_MOST = 100  # streams that one event ends
_HUP = 1  # the signal that programs get when the tmux server of their terminal ends
ELSEWHERE = "its pipe is used by another program (pipe-pane)"
CLOSED = "its pipe was closed by another program (pipe-pane)"
FULL = "the disk of its spool is full"
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


@dataclass
class Topology:
    """The reported state of one server. `position` numbers its drafts; it is saved together with them."""

    server: str
    position: int = 0
    sessions: dict[str, str | None] = field(default_factory=dict)
    windows: dict[str, str] = field(default_factory=dict)
    panes: dict[str, Pane] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    departed: list[Departed] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)  # streams that nothing can come of any more, as no event says yet
    over: list[str] = field(default_factory=list)  # panes that have exited lately; tmux uses no id twice
    lost: bool = False  # server.lost is reported: nothing follows

    def dump(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def restore(cls, fields: dict[str, Any]) -> "Topology":
        panes = {pane: Pane(**values) for pane, values in fields["panes"].items()}
        moves = [Move(**values) for values in fields["moves"]]
        departed = [Departed(**values) for values in fields["departed"]]
        return cls(**{**fields, "panes": panes, "moves": moves, "departed": departed})

    def draft(self, kind: str, now: float, session: str | None = None, **ids: Any) -> Draft:
        """The next event of this server. `ids`: window, pane, ends; everything else becomes its data. It also ends those
        who wrote of `finished` streams."""
        self.position += 1
        known = {name: ids.pop(name) for name in ("window", "pane") if name in ids}
        over, self.finished = self.finished[:_ENDS_MOST], self.finished[_ENDS_MOST:]
        ends = ids.pop("ends", []) + [f"{of}/{self.server}/{stream}" for stream in over for of in _OF_STREAMS]
        producer = f"keeper/{self.server}"
        return Draft(producer, self.position, "", kind, now, self.server, session, data=ids, ends=ends, **known)

    # ---- facts that come by themselves -----------------------------------------------------------------------------

    def born(self, stream: Stream, session: str, now: float) -> list[Draft]:
        """A spool has appeared in a session's folder."""
        drafts: list[Draft] = []
        pane = self.panes.get(stream.pane)
        if pane is None and stream.pane in self.over:
            return []  # its spool comes after its exit was reported: the machine is very busy
        if pane is None:
            pane = self.panes[stream.pane] = Pane(stream.pid, session, stream.window, stream.name)
            drafts = [*self._ensure_session(session, now), self._opened(stream.pane, pane, now)]
        elif pane.stream == stream.name:
            return []
        elif pane.stream:
            self.departed.append(Departed(stream.pane, pane.session, pane.stream, exited=False))
        if pane.exited and pane.stream and stream.pid != pane.pid:  # tmux 3.8 gives a respawned pane a pipe of its own
            drafts.append(self._respawned(stream.pane, pane, stream.pid, now))
        elif not (pane.stream or pane.respawned) and stream.pid != pane.pid:
            drafts.append(self._respawned_unseen(stream.pane, pane, stream.pid, now))
        pane.stream, pane.closed, pane.unobserved = stream.name, False, None
        if pane.session != session:  # it moved before its spool was there
            self.moves.append(Move(stream.name, session, pane.session))
        ids = {"window": pane.window, "pane": stream.pane}
        return [*drafts, self.draft("pane.observed", now, pane.session, **ids, stream=stream.name)]

    def finish(self, stream: str) -> None:
        """All of this stream is in the journal, and nobody will read it again to match it."""
        if stream not in self.finished:
            self.finished.append(stream)

    def stream_closed(self, stream: str) -> None:
        for pane in self.panes.values():
            if pane.stream == stream:
                pane.closed = True

    def program_ended(self, pid: int, status: dict[str, int | None]) -> None:
        for pane in self.panes.values():
            if pane.pid == pid and not pane.exited:
                pane.status = status

    def shows_alive(self, pid: int) -> bool:
        """Whether tmux has not noticed that this program has ended, as far as the last listing told."""
        return any(pane.pid == pid and pane.gone_since is None and pane.dead_since is None for pane in self.panes.values())

    # ---- what a listing shows --------------------------------------------------------------------------------------

    def update(self, listing: Listing, now: float) -> list[Draft]:
        """The events that lead to what `listing` has; `moves` gets the spools that have to follow."""
        drafts: list[Draft] = []
        for session, name in listing.sessions.items():
            if session not in self.sessions:
                drafts.append(self._created(session, name, now))
            elif self.sessions[session] != name:
                old, self.sessions[session] = self.sessions[session], name
                drafts.append(self.draft("session.renamed", now, session, name=name, previous=old))
        for pane_id, listed in listing.panes.items():
            pane = self.panes.get(pane_id)
            if pane is None:
                pane = self.panes[pane_id] = Pane(listed.pid, listed.sessions[0], listed.window)
                drafts.append(self._opened(pane_id, pane, now))
            pane.gone_since = None
            if pane.session not in listed.sessions or pane.window != listed.window:
                drafts.append(self._moved(pane_id, pane, listed.sessions, listed.window, now))
            if listed.pid and listed.pid != pane.pid:
                drafts.append(self._respawned(pane_id, pane, listed.pid, now))
            pane.dead_since = (pane.dead_since or now) if listed.dead else None
            pane.status = pane.status or listed.status
        for pane_id, pane in self.panes.items():
            if pane_id not in listing.panes:
                pane.gone_since, pane.dead_since = pane.gone_since or now, None
        for window, name in listing.windows.items():
            if window in self.windows and self.windows[window] != name:
                drafts.append(
                    self.draft("window.renamed", now, self._session_of(window), window=window, name=name,
                               previous=self.windows[window])
                )  # fmt: skip
        self.windows = dict(listing.windows)
        return drafts

    def unobserve(self, pane_id: str, reason: str, now: float, end: int | None = None) -> list[Draft]:
        """No spool has the pane's output any more (its stream ended at `end`), or yet; the events say why."""
        pane = self.panes[pane_id]
        if pane.unobserved == reason:
            return []
        pane.unobserved = reason
        stream = pane.stream if pane.closed else None
        drafts = [
            self.draft("pane.unobserved", now, pane.session, window=pane.window, pane=pane_id, reason=reason,
                       stream=stream, end=end)
        ]  # fmt: skip
        return drafts if reason == STOPPED else [*drafts, self.gap(pane_id, stream, end, None, reason, now)]

    def gap(self, pane_id: str, stream: str | None, start: int | None, end: int | None, reason: str, now: float) -> Draft:
        """Bytes `start` to `end` of a stream are missing (None: not known)."""
        pane = self.panes[pane_id]
        return self.draft("gap", now, pane.session, window=pane.window, pane=pane_id, what="output", stream=stream,
                          start=start, end=end, reason=reason)  # fmt: skip

    # ---- ends ------------------------------------------------------------------------------------------------------

    def leaving(self, now: float) -> list[str]:
        """Panes whose pane.exited is due as soon as their output is finished."""
        return [pane_id for pane_id, pane in self.panes.items() if not pane.exited and self._is_over(pane, now)]

    def _is_over(self, pane: Pane, now: float) -> bool:
        if pane.dead_since is not None:
            return pane.status is not None or now - pane.dead_since >= GRACE
        if pane.gone_since is None:
            return False
        patient = now - pane.gone_since >= GRACE
        return (pane.closed or (pane.stream is None and patient)) and (pane.status is not None or patient)

    def waiting(self) -> bool:
        """Whether something is given its grace now, so that it has to be looked at again."""
        return any(
            pane.gone_since is not None or (pane.dead_since is not None and not pane.exited) for pane in self.panes.values()
        )

    def exited(self, pane_id: str, now: float, end: int | None, kept: bool = False, lost: bool = False) -> list[Draft]:
        """The pane's program is over and its output ends at `end` (None: it was not observed). `kept`: tmux keeps the pane,
        so its stream is not over; `lost`: because the tmux server is gone."""
        pane = self.panes[pane_id]
        pane.exited, pane.kept = True, kept
        status = pane.status or {"exit_status": None, "signal": None}
        unknown = pane.status is None or pane.status["signal"] == _HUP
        gap = (
            [self.gap(pane_id, pane.stream, end, None, LOST, now)]
            if lost and unknown and end is not None and not pane.unobserved
            else []
        )
        return [
            *gap,
            self.draft("pane.exited", now, pane.session, window=pane.window, pane=pane_id, **status, pid=pane.pid,
                       stream=pane.stream, end=end)
        ]  # fmt: skip

    def closing(self, listing: Listing) -> set[str]:
        """Sessions that are gone, with all of their panes that are known."""
        held = {pane.session for key, pane in self.panes.items() if key in listing.panes or not pane.exited}
        return self.sessions.keys() - listing.sessions.keys() - held

    def forget(self, listing: Listing, now: float, close: bool = True) -> list[Draft]:
        """Drop panes that have exited and are gone, then report sessions that are gone with their last pane, if they are to
        `close` yet.

        A pane that tmux kept after its exit may have a stream that is not finished yet: it goes to `departed`.
        """
        for pane_id in [key for key, pane in self.panes.items() if pane.exited and key not in listing.panes]:
            pane = self.panes.pop(pane_id)
            self.over = [*self.over[-_OVER:], pane_id]
            if pane.stream and pane.kept:
                self.departed.append(Departed(pane_id, pane.session, pane.stream, exited=True))
        drafts = []
        closing = self.closing(listing) if close else ()
        for session in [key for key in self.sessions if key in closing]:
            name = self.sessions.pop(session)
            watcher = f"service/watcher-{self.server}-{session[1:]}"
            drafts.append(self.draft("session.closed", now, session, name=name, ends=[watcher]))
        return drafts

    # ---- pieces ----------------------------------------------------------------------------------------------------

    def _ensure_session(self, session: str, now: float) -> list[Draft]:
        return [] if session in self.sessions else [self._created(session, None, now)]

    def _created(self, session: str, name: str | None, now: float) -> Draft:
        self.sessions[session] = name
        return self.draft("session.created", now, session, name=name)

    def _opened(self, pane_id: str, pane: Pane, now: float) -> Draft:
        return self.draft("pane.opened", now, pane.session, window=pane.window, pane=pane_id, pid=pane.pid)

    def _moved(self, pane_id: str, pane: Pane, sessions: list[str], window: str, now: float) -> Draft:
        origin = {"session": pane.session, "window": pane.window}
        target = pane.session if pane.session in sessions else sessions[0]
        if pane.stream and target != pane.session:
            self.moves.append(Move(pane.stream, pane.session, target))
        pane.session, pane.window = target, window
        return self.draft("pane.moved", now, target, window=window, pane=pane_id, origin=origin)

    def _respawned(self, pane_id: str, pane: Pane, pid: int, now: float) -> Draft:
        status = pane.status or {"exit_status": None, "signal": None}
        previous = {"pid": pane.pid, **status}
        pane.pid, pane.status, pane.dead_since, pane.exited, pane.respawned = pid, None, None, False, True
        return self.draft("pane.respawned", now, pane.session, window=pane.window, pane=pane_id, pid=pid, previous=previous)

    def _respawned_unseen(self, pane_id: str, pane: Pane, first: int, now: float) -> Draft:
        """Its `first` program, which its spool tells of, was gone when a listing first showed the pane."""
        pid, status, dead_since, exited = pane.pid, pane.status, pane.dead_since, pane.exited
        pane.pid, pane.status = first, None
        draft = self._respawned(pane_id, pane, pid, now)
        pane.status, pane.dead_since, pane.exited = status, dead_since, exited
        return draft

    def _session_of(self, window: str) -> str | None:
        return next((pane.session for pane in self.panes.values() if pane.window == window), None)

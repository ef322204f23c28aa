"""What one tmux server has, as far as it was reported, and its events one by one. Pure."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from ...shared.messages import Draft
from .pane import Departed, Move, Pane

_OF_STREAMS = ("match", "commands")  # producers, by their first names
_ENDS_MOST = 100  # streams that one event ends
Note = Callable[[Move], int]  # from which offset on the stream is in the other session, noted beside its spool


@dataclass
class Reported:
    """The state of one server. `position` numbers its drafts; it is saved together with them."""

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
    def restore(cls, fields: dict[str, Any]) -> Self:
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

    def finish(self, stream: str) -> None:
        """All of this stream is in the journal, and nobody will read it again to match it."""
        if stream not in self.finished:
            self.finished.append(stream)

    def gap(self, pane_id: str, stream: str | None, start: int | None, end: int | None, reason: str, now: float) -> Draft:
        """Bytes `start` to `end` of a stream are missing (None: not known)."""
        pane = self.panes[pane_id]
        return self.draft("gap", now, pane.session, window=pane.window, pane=pane_id, what="output", stream=stream,
                          start=start, end=end, reason=reason)  # fmt: skip

    # ---- events ----------------------------------------------------------------------------------------------------

    def _ensure_session(self, session: str, now: float) -> list[Draft]:
        return [] if session in self.sessions else [self._created(session, None, now)]

    def _created(self, session: str, name: str | None, now: float) -> Draft:
        self.sessions[session] = name
        return self.draft("session.created", now, session, name=name)

    def _opened(self, pane_id: str, pane: Pane, now: float) -> Draft:
        return self.draft("pane.opened", now, pane.session, window=pane.window, pane=pane_id, pid=pane.pid)

    def _moved(self, pane_id: str, pane: Pane, sessions: list[str], window: str, now: float, note: Note) -> Draft:
        origin = {"session": pane.session, "window": pane.window}
        target = pane.session if pane.session in sessions else sessions[0]
        stream, offset = None, None
        if pane.stream and target != pane.session:
            move = Move(pane.stream, pane.session, target)
            stream, offset = pane.stream, note(move)
            self.moves.append(move)
        pane.session, pane.window = target, window
        return self.draft("pane.moved", now, target, window=window, pane=pane_id, origin=origin, stream=stream,
                          offset=offset)  # fmt: skip

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

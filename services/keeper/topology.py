"""Which events lead from what was reported of one tmux server to what it has now. Pure.

A pane's way: opened (a listing or its spool shows it), perhaps moved and respawned, then gone from the listing, its
stream closed, its program's status known or given up, its output finished by the matcher, and only then exited.
"""

from ...shared.messages import Draft
from ...shared.spool import Stream
from .listing import Listing
from .pane import LOST, STOPPED, Departed, Move, Pane
from .reported import Note, Reported

_OVER = 1000  # panes
_HUP = 1  # the signal that programs get when the tmux server of their terminal ends


class Topology(Reported):
    """What is seen leads to events, and to what has to follow: `moves`, `departed`."""

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

    def update(self, listing: Listing, now: float, note: Note) -> list[Draft]:
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
                drafts.append(self._moved(pane_id, pane, listed.sessions, listed.window, now, note))
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

    # ---- ends ------------------------------------------------------------------------------------------------------

    def leaving(self, now: float) -> list[str]:
        """Panes whose pane.exited is due as soon as their output is finished."""
        return [pane_id for pane_id, pane in self.panes.items() if not pane.exited and pane.is_over(now)]

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

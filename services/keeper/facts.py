"""What spools and programs tell by themselves, earlier than a listing does: births, ends of streams, ends of programs."""

import os
import time

from ...shared import spool
from ...shared.messages import Draft
from .listing import Listing
from .lookout import Lookout
from .nudge import Nudge
from .pane import GRACE, HANGS
from .processes import Born, Closed, Fact, Grown
from .reporter import Reporter
from .spools import Spools
from .writers import Writers

_LONGEST = 30.0  # seconds: a pipe that hangs, or is stopped, must not keep a pane or a session open


class Facts:
    """Of one tmux server: brings to its topology what the processes thread has seen, and what that came too late for."""

    def __init__(self, spools: Spools, writers: Writers, reporter: Reporter, lookout: Lookout, nudge: Nudge):
        self._spools = spools
        self._writers = writers
        self._reporter = reporter
        self._topology = reporter.topology
        self._lookout = lookout
        self._nudge = nudge
        self._closing_since: float | None = None

    def take(self, facts: list[Fact]) -> None:
        """What the processes thread has seen of this server's panes."""
        if self._lookout.stopped:
            return
        if any(isinstance(fact, Born) and fact.session not in self._topology.sessions for fact in facts):
            self._lookout.look()  # a new session has a name, too
        now = time.time()
        drafts: list[Draft] = []
        closed = False
        for fact in facts:
            if isinstance(fact, Born):
                drafts += self._born(fact.stream, fact.session, now)
            elif isinstance(fact, Closed):
                closed |= self._closed(fact.stream.name)
            elif isinstance(fact, Grown):
                closed = True
            elif any(pane.pid == fact.pid for pane in self._topology.panes.values()):
                self._topology.program_ended(fact.pid, fact.status)
                self._nudge.ended(fact.pid)
                closed = True
        self._spools.follow(self._topology.moves)
        self._reporter.report(drafts)
        if closed or drafts:
            self._lookout.look_soon(0.0)

    def late(self, seen: Listing, now: float) -> list[Draft]:
        """Of panes that are gone before their spools were noticed, and of sessions that are gone before their panes were:
        the machine is busy."""
        panes = self._topology.panes
        missed = {pane_id for pane_id, pane in panes.items() if pane.gone_since and not (pane.stream or pane.exited)}
        ending = self._topology.sessions.keys() - seen.sessions.keys()
        drafts: list[Draft] = []
        for found in self._spools.walk() if missed or ending else ():
            known = panes.get(found.stream.pane)
            if found.stream.pane in missed or (found.session in ending and not (known and known.stream)):
                drafts += self._born(found.stream, found.session, now)
                if not spool.has_writer(found.path):
                    self._topology.stream_closed(found.stream.name)
        self._spools.follow(self._topology.moves)
        return drafts

    def birth_is_near(self, closing: set[str], now: float) -> bool:
        """Whether sessions that are closing may still show a pane that nobody has seen, whose pipe is slow to start. To be
        asked before `late`; not for ever."""
        if not closing:
            self._closing_since = None
            return False
        self._closing_since = min(self._closing_since or now, now)  # the clock may have been set back
        return now - self._closing_since < _LONGEST and self._writers.busy(self._lookout.gone)

    def unheard(self, now: float) -> list[Draft]:
        """Ends of streams that no fact tells: the end of a file is told a moment before its writer counts as gone, of a
        removed file nothing is told, and a writer that hangs has none."""
        overdue = {
            pane.stream: (pane_id, now - pane.gone_since)
            for pane_id, pane in self._topology.panes.items()
            if pane.stream and not pane.closed and pane.gone_since and now - pane.gone_since >= GRACE
        }
        paths = {found.stream.name: found.path for found in self._spools.walk()} if overdue else {}
        drafts: list[Draft] = []
        for stream, (pane_id, late) in overdue.items():
            writes = stream in paths and spool.has_writer(paths[stream])
            if not writes or late >= _LONGEST:
                self._topology.stream_closed(stream)
            if writes and late >= _LONGEST:
                drafts += self._topology.unobserve(pane_id, HANGS, now, spool.size(paths[stream]))
        return drafts

    def coming(self, panes: set[str]) -> set[str]:
        """Those of `panes`, which have no stream, whose spool may still come, or has just come."""
        starting = self._writers.starting(panes, self._lookout.gone)
        names = [found.stream for found in self._spools.walk() if found.stream.pane in panes]
        return starting | {stream.pane for stream in names if not self._spools.is_over(stream.name)}

    def _born(self, stream: spool.Stream, session: str, now: float) -> list[Draft]:
        path = f"{self._spools.directory}/{spool.session_folder(session)}/{stream.name}{spool.RAW}"
        if not os.path.exists(path):
            return []
        known = self._topology.panes.get(stream.pane)
        if known and known.stream not in (None, stream.name) and not spool.has_writer(path):
            return []  # an earlier stream of a pane that is observed anew
        if known is None and self._spools.is_over(stream.name):
            return []
        return self._topology.born(stream, session, now)

    def _closed(self, stream: str) -> bool:
        path = self._spools.find(stream)
        if path is None or spool.has_writer(path):
            return False
        self._topology.stream_closed(stream)
        return True

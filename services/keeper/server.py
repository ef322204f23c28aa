"""One tmux server in the keeper's care: what is known of it, what each look at it leads to, its begin and its end."""

import time
from typing import Protocol

from ...shared import tmux
from ...shared.messages import Close, Draft
from ...shared.outbox import Outbox
from ...shared.paths import Paths
from ...shared.service import Service
from . import listing
from .exits import Exits
from .facts import Facts
from .finisher import Finisher
from .kept import Kept
from .lookout import Lookout
from .nudge import Nudge
from .pane import GRACE
from .pipes import Pipes
from .processes import Fact, Processes
from .release import Release
from .reporter import Reporter
from .slot import Slot
from .spools import Spools
from .writers import Writers

_SOON = 0.05  # seconds until the next look at a session that is about to close
_UNMATCHED_MOST = 20.0  # seconds that the end of a server waits for a matcher
_AGAIN = 1.0  # seconds until hooks that could not be installed, or spools that could not follow, are tried again


class Owner(Protocol):
    """What a server needs of the keeper."""

    paths: Paths
    processes: Processes
    outbox: Outbox
    service: Service
    kept: Kept

    def sessions_changed(self) -> None: ...

    def lost(self, server: "Server") -> None: ...


class Server:
    """Keeps one tmux server observed and reported."""

    def __init__(self, owner: Owner, info: tmux.ServerInfo):
        self.info = info
        self.key = info.key
        self._owner = owner
        self._tidied = False
        self._empty_since: float | None = None  # when the server was gone and all of its panes had exited
        paths, service = owner.paths, owner.service
        state = f"{paths.state}/topology/{self.key}.json"
        self._reporter = Reporter(service, owner.outbox, state, info, self._sent)
        self._report = self._reporter.report
        self.topology = self._reporter.topology
        sessions = self.topology.sessions
        self._spools = Spools(paths.spool, self.key, owner.kept, lambda session: session in sessions)
        writers = Writers(info.pid, self._spools.directory)
        self._pipes = Pipes(info, self._spools, writers)
        self._finisher = Finisher(service, paths.control("matcher"))
        self._slot = Slot(info, paths.runtime, self._spools.directory)
        self._lookout = Lookout(service, info, self._slot, self._show)
        nudge = Nudge(service, info.socket, self._lookout, self.topology.shows_alive)
        self._facts = Facts(self._spools, writers, self._reporter, self._lookout, nudge)
        self._exits = Exits(service, self._reporter, self._spools, self._finisher, owner.processes, self._lookout,
                            self._facts.coming)  # fmt: skip
        self._release = Release(info, self._lookout, self._slot, self._pipes, self._spools, self._reporter, self._finisher)

    # ---- begin and end ---------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Install the hooks and look. Raises TmuxError, also if another ctmux watches this server."""
        self._slot.check_owner()
        self._lookout.open()
        known = self.topology.position > 0
        if not known:
            self.topology.position = time.time_ns() // 1_000_000  # above those of a state that was lost
        self._owner.processes.watch_server(self.key)
        for pane in self.topology.panes.values():
            self._owner.processes.watch_program(pane.pid)
        self._report(self._pipes.close_removed(self.topology, time.time()) if known else [self._told("server.found")])
        self._lookout.begin()

    def _told(self, kind: str, *ends: str) -> Draft:
        of = self.info
        return self.topology.draft(kind, time.time(), ends=list(ends), socket=of.socket, pid=of.pid, version=of.version)

    def begin_lost(self) -> None:
        """The server ended while nobody looked: report that, from what was known of it."""
        self._lookout.gone = True
        self._report([])
        if self.topology.lost:  # it was reported, but perhaps not heard
            self._end()
            return
        self._owner.processes.watch_server(self.key)
        for pane in self.topology.panes.values():
            pane.closed = True
        self._lookout.look_soon(0.0)

    def release(self) -> None:
        """Leave the server as it was: no hook, no pipe, no waiting client, and nothing later puts one back."""
        self._release.begin()

    @property
    def released(self) -> bool:
        """Whether everything that its panes have printed is matched."""
        return self._release.done

    def leave(self) -> None:
        """Report that nothing of the server is observed any more."""
        self._release.report()

    def suspend(self) -> None:
        """The keeper ends, the instance goes on: everything stays but our own waiting client."""
        self._lookout.stop()

    def close(self) -> None:
        """Close what was opened."""
        self._lookout.close()
        self._finisher.close()

    def _end(self) -> None:
        """Nothing is to be watched any more; the state goes when all of it is heard."""
        self.close()
        self._owner.lost(self)
        self._reporter.forget()

    def tidy(self, session: str) -> None:
        """A spool of this session was dropped."""
        self._spools.tidy(session)

    # ---- what is seen ----------------------------------------------------------------------------------------------

    def facts(self, facts: list[Fact]) -> None:
        """What the processes thread has seen of this server's panes."""
        self._facts.take(facts)

    def _show(self, text: bytes) -> None:
        """Report the difference between what was reported and what a listing shows; see to it."""
        if self.topology.lost:
            return
        seen = listing.parse(text)
        now = time.time()
        if seen.unhooked:
            self._hook_again(seen.unhooked)
        before = set(self.topology.sessions)
        pids = {pane.pid for pane in self.topology.panes.values()}
        drafts = self.topology.update(seen, now, self._spools.note)
        for pane in self.topology.panes.values():
            if pane.pid not in pids:
                self._owner.processes.watch_program(pane.pid)
        if not self._tidied and seen.sessions:
            self._tidied = True
            self._spools.tidy_old(seen.sessions)
            self.topology.moves += self._spools.astray(self.topology.panes.values())
        self._spools.follow(self.topology.moves)
        if not self._lookout.gone:
            drafts += self._pipes.open_missing(seen, self.topology, now)
        wait = self._facts.birth_is_near(self.topology.closing(seen), now)
        late = self._facts.late(seen, now)
        drafts += [*late, *self._facts.unheard(now)]
        self._report([*drafts, *self.topology.forget(seen, now, close=not wait)])
        self._exits.finish(now)
        if before != set(self.topology.sessions):
            self._owner.sessions_changed()
        if self.topology.moves:
            self._lookout.look_soon(_AGAIN)
        patience = 0.0 if late else _SOON if wait else GRACE if self.topology.waiting() else self._pipes.patience()
        if patience is not None:
            self._lookout.look_soon(patience)
        if self._lookout.gone and not self.topology.panes and not self.topology.sessions:
            self._lost_when_matched(now)

    def _hook_again(self, unhooked: tuple[str, ...]) -> None:
        """Somebody has cleared our hooks; what was born meanwhile is seen by another look."""
        try:
            if self._slot.holds(unhooked):
                return
            self._slot.fill()
        except tmux.TmuxError as error:
            print(f"tmux server {self.info.socket}: hooks: {error}; trying again", flush=True)
            self._lookout.look_soon(_AGAIN)
        else:
            self._lookout.look_soon(0.0)

    def _lost_when_matched(self, now: float) -> None:
        """What its panes have printed comes before its end, unless there is no matcher."""
        self._empty_since = min(self._empty_since or now, now)  # also where the clock was set back
        left = self._empty_since + _UNMATCHED_MOST - now if self.topology.departed else 0.0
        if left > 0:
            self._lookout.look_soon(left)
        else:
            self._lost()

    def _lost(self) -> None:
        """The tmux server is gone and everything it had is reported."""
        self.topology.lost = True
        self._report([self._told("server.lost", f"keeper/{self.key}")])
        self._end()

    def _sent(self, drafts: list[Draft]) -> None:
        for draft in drafts:
            if draft.kind == "session.closed" and draft.session:
                self._finisher.ask(Close(self.key, draft.session), lambda: None)
                self._spools.tidy(draft.session)

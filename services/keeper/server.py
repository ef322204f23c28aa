"""One tmux server in the keeper's care: its hooks, its blocked `wait-for`, its listings, the ends of panes, its reports."""

import contextlib
import functools
import os
import select
import time
from typing import Protocol

from ...shared import lock, spool, tmux
from ...shared.messages import Close, Draft, Finish
from ...shared.outbox import Outbox
from ...shared.paths import Paths
from ...shared.service import Service, Timer
from . import hooks, listing
from .exits import Exits
from .finisher import Finisher
from .pipes import Pipes
from .processes import Born, Closed, Fact, Grown, Processes
from .reporter import Reporter
from .spools import Spools
from .state import base36
from .topology import GRACE, STOPPED, UNMATCHED
from .waiter import Waiter

_NUDGES = (0.1, 0.5, 2.0)  # seconds; utempter builds up to 3.5a lose a SIGCHLD now and then: facts/tmux.md, fact 6
_AGAIN = 1.0  # seconds until a server that does not answer is asked again


class Owner(Protocol):
    """What a server needs of the keeper."""

    paths: Paths
    processes: Processes
    outbox: Outbox
    service: Service
    keep_seconds: float

    def sessions_changed(self) -> None: ...

    def lost(self, server: "Server") -> None: ...


class Server:
    """Keeps one tmux server observed and reported."""

    def __init__(self, owner: Owner, info: tmux.ServerInfo):
        self.info = info
        self.key = info.key
        self._owner = owner
        self._service = owner.service
        self._spools = Spools(
            owner.service,
            owner.paths.spool,
            self.key,
            owner.keep_seconds,
            lambda session: session in self.topology.sessions,
        )
        self._pipes = Pipes(info, self._spools)
        self._channel = f"ctmux {owner.paths.runtime} {self.key}"
        self._waiter: Waiter | None = None
        self._server_fd = -1  # a pidfd: the server is gone when its process is, not when its socket does not answer
        self._refresh: Timer | None = None
        self._gone = False
        self._released = False
        self._tidied = False
        self._unmatched: dict[str, str] = {}  # stream -> pane, of what the matcher has not read when the instance stops
        state = f"{owner.paths.state}/topology/{self.key}.json"
        self._reporter = Reporter(owner.service, owner.outbox, state, info, self._sent)
        self._report = self._reporter.report
        self.topology = self._reporter.topology
        self._finisher = Finisher(self._service, owner.paths.control("matcher"))
        self._exits = Exits(self._service, self.topology, self._spools, self._finisher, owner.processes,
                            self._report, self.refresh_soon, lambda: self._gone, self._is_starting)  # fmt: skip

    # ---- begin and end ---------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Install the hooks and look. Raises TmuxError, also if another ctmux watches this server."""
        self._check_owner()
        self._server_fd = os.pidfd_open(self.info.pid)
        known = self.topology.position > 0
        self._owner.processes.watch_server(self.key)
        for pane in self.topology.panes.values():
            self._owner.processes.watch_program(pane.pid)
        self._report([] if known else [self._found()])
        self._spools.drop_old()
        self._wait(*self._hooks(), ";")

    def _found(self) -> Draft:
        info = self.info
        return self.topology.draft("server.found", time.time(), socket=info.socket, pid=info.pid, version=info.version)

    def _hooks(self) -> list[str]:
        """The arguments of tmux that install our hooks."""
        epoch = base36(time.time_ns() // 1_000_000)
        return hooks.install(self.info, self._spools.directory, epoch, self._channel)

    def _check_owner(self) -> None:
        """Raise TmuxError if the hooks are those of another ctmux that runs: two would take each other's panes."""
        shown = tmux.run(self.info.socket, "show-hooks", "-g", f"session-created[{hooks.SLOT}]").decode(errors="replace")
        other = hooks.owner(shown)
        if other and other != self._owner.paths.runtime and lock.is_held(f"{other}/supervisord.lock"):
            raise tmux.TmuxError(f"it is watched by the ctmux of {other}; stop that one, or name sockets in [keeper]")

    def begin_lost(self) -> None:
        """The server ended while nobody looked: report that, from what was known of it."""
        self._gone = True
        self._report([])
        if self.topology.lost:  # it was reported, but perhaps not heard
            self._end()
            return
        self._owner.processes.watch_server(self.key)
        for pane in self.topology.panes.values():
            pane.closed = True
        self.refresh_soon(0.0)

    def release(self) -> None:
        """Leave the server as it was: no hook, no pipe, no waiting client, and nothing later puts one back.

        A server that hangs is not waited for twice. What its panes have printed until now is still matched: `released`.
        """
        self._released = True
        self._end_waiter()
        if not self._ended():
            try:
                tmux.run(self.info.socket, *hooks.uninstall(self.info), ";", "wait-for", "-S", self._channel)
                self._pipes.close_all()  # after the hooks: no pane gets one any more
            except tmux.TmuxError as error:
                print(f"tmux server {self.info.socket} could not be released: {error}", flush=True)
        for pane_id, pane in self.topology.panes.items():
            if pane.stream and not pane.exited:
                self._unmatched[pane.stream] = pane_id
                end = self._spools.size(pane.stream)
                request = Finish(self.key, pane.session, pane_id, pane.stream, end, True, False)
                self._finisher.ask(request, functools.partial(self._unmatched.pop, pane.stream, None))

    @property
    def released(self) -> bool:
        """Whether everything that its panes have printed is matched."""
        return not self._unmatched and not self._finisher.busy

    def leave(self) -> None:
        """Report that nothing of the server is observed any more."""
        now = time.time()
        drafts: list[Draft] = []
        for stream, pane_id in self._unmatched.items():
            drafts.append(self.topology.gap(pane_id, stream, None, self._spools.size(stream), UNMATCHED, now))
        for pane_id, pane in self.topology.panes.items():
            if pane.stream and not pane.closed and not pane.exited:
                pane.closed = True
                drafts += self.topology.unobserve(pane_id, STOPPED, now, self._spools.size(pane.stream))
            pane.stream = None
        self._report(drafts)

    def suspend(self) -> None:
        """The keeper ends, the instance goes on: everything stays but our own waiting client."""
        self._end_waiter()

    # ---- being woken -----------------------------------------------------------------------------------------------

    def _wait(self, *first: str) -> None:
        """List the server and block on our channel, in one command queue of tmux: no change can fall between the two.

        Signals alone do not do: the second one on a channel that nobody waits on takes the first one back (tmux's
        cmd-wait-for.c), so a change is not seen by its signal but by a listing that is made after the last wake-up.
        """
        self._waiter = Waiter(self.info.socket, [*first, *listing.ARGUMENTS, ";", "display-message", "-p", Waiter.END],
                              ["wait-for", self._channel])  # fmt: skip
        try:
            text = self._waiter.listing()
        except tmux.TmuxError:
            text = None
        if text is None or self._ended():
            self._end_waiter()
            self._look_later()
            return
        self._service.register(self._waiter, self._woken)
        self._show(text)

    def _look_later(self) -> None:
        """The server hangs, has no session yet, or has ended: then all that it had is gone."""
        if self._ended():
            self._show(b"")
        else:
            self._service.after(_AGAIN, self._wait_again)

    def _wait_again(self) -> None:
        if self._waiter is None and not self._gone and not self._released:
            self._wait(*self._hooks(), ";")

    def _woken(self) -> None:
        self._end_waiter()
        self._wait()

    def _end_waiter(self) -> None:
        if self._waiter is not None:
            self._service.unregister(self._waiter)
            self._waiter.close()
            self._waiter = None

    def _ended(self) -> bool:
        """Whether the server's process has ended."""
        if self._server_fd >= 0:
            self._gone = self._gone or bool(select.select([self._server_fd], [], [], 0)[0])
        return self._gone

    def facts(self, facts: list[Fact]) -> None:
        """What the processes thread has seen of this server's panes."""
        if self._released or self.topology.lost:
            return
        if any(isinstance(fact, Born) and fact.session not in self.topology.sessions for fact in facts):
            self.refresh()  # a new session has a name, too
        now = time.time()
        drafts: list[Draft] = []
        closed = False
        for fact in facts:
            if isinstance(fact, Born):
                drafts += self._born(fact, now)
            elif isinstance(fact, Closed):
                closed |= self._closed(fact)
            elif isinstance(fact, Grown):
                closed = True
            elif any(pane.pid == fact.pid for pane in self.topology.panes.values()):
                self.topology.program_ended(fact.pid, fact.status)
                self._reporter.save()
                self._nudge(fact.pid, 0)
                closed = True
        self._follow_moves()
        self._report(drafts)
        if closed or drafts:
            self.refresh_soon(0.0)

    def _born(self, fact: Born, now: float) -> list[Draft]:
        path = f"{self._spools.directory}/{spool.session_folder(fact.session)}/{fact.stream.name}{spool.RAW}"
        if not os.path.exists(path):
            return []
        known = self.topology.panes.get(fact.stream.pane)
        if known and known.stream not in (None, fact.stream.name) and not spool.has_writer(path):
            return []  # an earlier stream of a pane that is observed anew
        if known is None and self._spools.is_over(fact.stream.name):
            return []
        return self.topology.born(fact.stream, fact.session, now)

    def _born_late(self, seen: listing.Listing, now: float) -> list[Draft]:
        """Of panes that are gone before their spools were noticed, and of sessions that are gone before their panes were:
        the machine is busy."""
        missed = {
            pane_id for pane_id, pane in self.topology.panes.items() if pane.gone_since and not (pane.stream or pane.exited)
        }
        ending = self.topology.sessions.keys() - seen.sessions.keys()
        drafts: list[Draft] = []
        for found in self._spools.walk() if missed or ending else ():
            known = self.topology.panes.get(found.stream.pane)
            if found.stream.pane in missed or (found.session in ending and not (known and known.stream)):
                drafts += self._born(Born(self.key, found.session, found.stream), now)
                if not spool.has_writer(found.path):
                    self.topology.stream_closed(found.stream.name)
        return drafts

    def _is_starting(self, pane_id: str) -> bool:
        """Whether the spool of a pane that has none may still come, or has just come."""
        if self._pipes.is_starting(pane_id):
            return True
        return any(
            found.stream.pane == pane_id and not self._spools.is_over(found.stream.name) for found in self._spools.walk()
        )

    def _closed(self, fact: Closed) -> bool:
        path = self._spools.find(fact.stream.name)
        if path is None or spool.has_writer(path):
            return False
        self.topology.stream_closed(fact.stream.name)
        return True

    def _nudge(self, pid: int, turn: int) -> None:
        """A pane whose program has ended, but which tmux still shows alive: make tmux look at its children."""

        def look() -> None:
            alive = [
                p for p in self.topology.panes.values() if p.pid == pid and p.gone_since is None and p.dead_since is None
            ]
            if alive and not self._gone:
                with contextlib.suppress(tmux.TmuxError):
                    tmux.run(self.info.socket, "run-shell", "-b", "true")
                self.refresh_soon(0.02)
                self._nudge(pid, turn + 1)

        if turn < len(_NUDGES):
            self._service.after(_NUDGES[turn], look)

    # ---- looking ---------------------------------------------------------------------------------------------------

    def refresh_soon(self, seconds: float) -> None:
        """Look again; wishes that come before that are one look."""
        if self._refresh is not None:
            if seconds > 0:
                return
            self._refresh.cancel()
        self._refresh = self._service.after(seconds, self.refresh)

    def refresh(self) -> None:
        """List the server, report the difference, observe what is not, finish what is over."""
        if self._released or self.topology.lost:
            return
        if self._refresh is not None:
            self._refresh.cancel()
        self._refresh = None
        try:
            text = tmux.run(self.info.socket, *listing.ARGUMENTS)
        except tmux.TmuxError:
            text = b""
            if not self._ended():  # it hangs, or has no session yet
                self.refresh_soon(_AGAIN)
                return
        # Asked afterwards: another server may listen on the socket by now.
        self._show(b"" if self._ended() else text)

    def _show(self, text: bytes) -> None:
        """Report the difference between what was reported and what a listing shows; see to it."""
        if self.topology.lost:
            return
        seen = listing.parse(text)
        now = time.time()
        if seen.unhooked:
            self._hook_again()
        before = set(self.topology.sessions)
        pids = {pane.pid for pane in self.topology.panes.values()}
        drafts = self.topology.update(seen, now)
        for pane in self.topology.panes.values():
            if pane.pid not in pids:
                self._owner.processes.watch_program(pane.pid)
        self._follow_moves()
        if not self._gone:
            drafts += self._pipes.open_missing(seen, self.topology, now)
        late = self._born_late(seen, now)
        self._follow_moves()
        drafts += late
        drafts += self.topology.forget(seen, now)
        self._report(drafts)
        self._exits.finish(now)
        if before != set(self.topology.sessions):
            self._owner.sessions_changed()
        patience = GRACE if self.topology.waiting() else self._pipes.patience()
        if late:
            self.refresh_soon(0.0)
        elif patience is not None:
            self.refresh_soon(patience)
        if not self._tidied and seen.sessions:
            self._tidied = True
            self._spools.tidy_old(seen.sessions)
        if self._gone and not self.topology.panes and not self.topology.sessions:
            self._close()

    def _hook_again(self) -> None:
        """Somebody has cleared our hooks; what was born meanwhile is seen by another look."""
        try:
            tmux.run(self.info.socket, *self._hooks())
        except tmux.TmuxError as error:
            print(f"tmux server {self.info.socket}: hooks: {error}; trying again", flush=True)
            self.refresh_soon(_AGAIN)
        else:
            self.refresh_soon(0.0)

    def _follow_moves(self) -> None:
        for move in self.topology.moves:
            self._spools.follow(move)
        self.topology.moves.clear()

    def _close(self) -> None:
        """The tmux server is gone and everything it had is reported."""
        self.topology.lost = True
        self._report([self.topology.draft("server.lost", time.time(), ends=[f"keeper/{self.key}"])])
        self._end()

    def _end(self) -> None:
        """Nothing is to be watched any more; the state goes when all of it is heard."""
        self.close()
        self._owner.lost(self)
        self._reporter.forget()

    def close(self) -> None:
        """Close what was opened."""
        self._end_waiter()
        self._finisher.close()
        if self._server_fd >= 0:
            os.close(self._server_fd)
            self._server_fd = -1

    # ---- reporting -------------------------------------------------------------------------------------------------

    def _sent(self, drafts: list[Draft]) -> None:
        for draft in drafts:
            if draft.kind == "session.closed" and draft.session:
                self._finisher.ask(Close(self.key, draft.session), lambda: None)
                self._spools.tidy(draft.session)

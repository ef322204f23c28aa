"""The ends of panes and of streams: the matcher finishes what was printed, then the exit is reported."""

import time
from collections.abc import Callable

from ...shared import spool
from ...shared.messages import Finish
from ...shared.service import Service
from .finisher import Finisher
from .lookout import Lookout
from .pane import GRACE, Departed
from .processes import Processes
from .reporter import Reporter
from .spools import Spools

_SETTLE = 0.05  # seconds: a dead pane that is kept (remain-on-exit) has no end of stream; its last bytes come in these
_LATEST = 30.0  # seconds that an exit waits at most for a pipe: a process that is stopped, or hangs, must not hide it


class Exits:
    """Of one tmux server. `coming` says of panes without a stream which ones' output may still come."""

    def __init__(
        self, service: Service, reporter: Reporter, spools: Spools, finisher: Finisher, processes: Processes,
        lookout: Lookout, coming: Callable[[set[str]], set[str]],
    ):  # fmt: skip
        self._service = service
        self._report = reporter.report
        self._topology = reporter.topology
        self._spools = spools
        self._finisher = finisher
        self._processes = processes
        self._lookout = lookout
        self._coming = coming
        self._asked: set[str] = set()  # panes and streams that the matcher is asked about

    def finish(self, now: float) -> None:
        """Begin with everything that is over and was not begun with."""
        for departed in self._topology.departed:
            path = self._spools.find(departed.stream)
            if departed.stream in self._asked:
                continue
            if path and spool.has_writer(path):  # its last bytes are on their way
                self._lookout.look_soon(GRACE)
                continue
            self._asked.add(departed.stream)
            self._finish_departed(departed)
        for pane_id in self._due(now):
            self._asked.add(pane_id)
            settle = _SETTLE if self._topology.panes[pane_id].dead_since else 0.0
            self._service.after(settle, lambda pane_id=pane_id: self._finish_pane(pane_id))  # type: ignore[misc]

    def _due(self, now: float) -> list[str]:
        """Panes that are over, but for those whose pipe has not started yet: what tmux has handed to it is still output."""
        due = [pane_id for pane_id in self._topology.leaving(now) if pane_id not in self._asked]
        silent = set()
        for pane_id in due:
            pane = self._topology.panes[pane_id]
            if not pane.stream and now - (pane.gone_since or pane.dead_since or now) < _LATEST:
                silent.add(pane_id)
        coming = self._coming(silent) if silent else set()
        return [pane_id for pane_id in due if pane_id not in coming]

    def _finish_pane(self, pane_id: str) -> None:
        """Have the matcher finish the pane's output, then report the exit."""
        if pane_id not in self._topology.leaving(time.time()):  # respawned meanwhile, say
            self._asked.discard(pane_id)
            return
        pane = self._topology.panes[pane_id]
        pid, stream, path = pane.pid, pane.stream, self._spools.find(pane.stream)
        end = spool.size(path) if path else None
        over = pane.dead_since is None

        def report() -> None:
            self._asked.discard(pane_id)
            if self._topology.panes.get(pane_id) is pane and pane.pid == pid and not pane.exited:  # not respawned meanwhile
                self._report(self._topology.exited(pane_id, time.time(), end, not over, self._lookout.gone))
                if not over and path:
                    self._processes.watch_growth(self._topology.server, path)
            else:
                self._report([])
            self._lookout.look_soon(0.0)

        def done() -> None:
            if over and stream:
                self._over(stream)  # first: to a keeper after this one it is no new pane
            report()

        def gone() -> None:
            """No matcher: the exit is told, and the matcher is asked on, also by a keeper after this one."""
            if over and stream:
                self._asked.add(stream)
                self._topology.departed.append(Departed(pane_id, pane.session, stream, exited=True))
            report()

        program = {"pid": pid, **(pane.status or {"exit_status": None, "signal": None})}
        request = Finish(self._topology.server, pane.session, pane_id, stream or "", end or 0, over, over, program)
        self._finisher.finish(request, done, gone)

    def _finish_departed(self, departed: Departed) -> None:
        """Nothing of this stream is waited for any more."""
        stream = departed.stream

        def done() -> None:
            self._over(stream)
            self._report([])
            if self._lookout.gone:
                self._lookout.look_soon(0.0)  # this may be what the end of the server waits for

        end = self._spools.size(stream)
        request = Finish(self._topology.server, departed.session, departed.pane, stream, end, True, departed.exited)
        self._finisher.ask(request, done)

    def _over(self, stream: str) -> None:
        """All of a stream is in the journal. Where a full disk takes no mark of that, a matcher might read it again: then
        those who wrote of it are not ended."""
        if self._spools.keep_for_a_while(stream):
            self._topology.finish(stream)
        self._asked.discard(stream)
        self._topology.departed = [departed for departed in self._topology.departed if departed.stream != stream]

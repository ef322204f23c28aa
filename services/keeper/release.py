"""A tmux server is given back as it was: no hook, no pipe; and what its panes have printed until then is still matched."""

import functools
import time

from ...shared import tmux
from ...shared.messages import Draft, Finish
from .finisher import Finisher
from .lookout import Lookout
from .pane import STOPPED, UNMATCHED
from .pipes import Pipes
from .reporter import Reporter
from .slot import Slot
from .spools import Spools


class Release:
    """Of one tmux server."""

    def __init__(
        self, info: tmux.ServerInfo, lookout: Lookout, slot: Slot, pipes: Pipes, spools: Spools, reporter: Reporter,
        finisher: Finisher,
    ):  # fmt: skip
        self._info = info
        self._lookout = lookout
        self._slot = slot
        self._pipes = pipes
        self._spools = spools
        self._reporter = reporter
        self._topology = reporter.topology
        self._finisher = finisher
        self._unmatched: dict[str, str] = {}  # stream -> pane, of what the matcher has not read yet

    def begin(self) -> None:
        """Look no more, take hooks and pipes out, have the matcher read what came. A server that hangs is not waited for
        twice."""
        self._lookout.stop()
        if not self._lookout.ended():
            try:
                self._slot.clear()
                self._pipes.close_all()  # after the hooks: no pane gets one any more
            except tmux.TmuxError as error:
                print(f"tmux server {self._info.socket} could not be released: {error}", flush=True)
        for pane_id, pane in self._topology.panes.items():
            if pane.stream and (pane.kept or not pane.exited):
                if not pane.exited:
                    self._unmatched[pane.stream] = pane_id
                end = self._spools.size(pane.stream)
                request = Finish(self._topology.server, pane.session, pane_id, pane.stream, end, True, False)
                self._finisher.ask(request, functools.partial(self._matched, pane.stream))

    def _matched(self, stream: str) -> None:
        self._unmatched.pop(stream, None)
        if self._spools.mark_over(stream):
            self._topology.finish(stream)

    @property
    def done(self) -> bool:
        """Whether everything that its panes have printed is matched."""
        return not self._unmatched and not self._finisher.busy

    def report(self) -> None:
        """Say that nothing of the server is observed any more, and what was not matched in time."""
        now = time.time()
        drafts: list[Draft] = []
        for stream, pane_id in self._unmatched.items():
            drafts.append(self._topology.gap(pane_id, stream, None, self._spools.size(stream), UNMATCHED, now))
        for pane_id, pane in self._topology.panes.items():
            if pane.stream and not pane.closed and not pane.exited:
                pane.closed = True
                drafts += self._topology.unobserve(pane_id, STOPPED, now, self._spools.size(pane.stream))
            pane.stream = None
        self._reporter.report(drafts)

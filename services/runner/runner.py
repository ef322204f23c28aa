"""The runner's loop: it follows the log, decides, does, and reports. Nothing else in ctmux waits for it."""

import contextlib
import os
import secrets
import time
from typing import Any

from ...client.events import EventFollower
from ...client.gap import Gap
from ...client.script import Item
from ...shared import bus, topics
from ...shared.config import Config
from ...shared.errors import CtmuxError
from ...shared.messages import Acted, Cancel, Event, Filter
from ...shared.paths import Paths, ensure_private
from ...shared.rpc import Reply
from ...shared.service import Service
from . import births, leftovers
from .book import Book
from .decider import Decider
from .means import Means
from .memory import Memory
from .pump import Pump
from .recovery import Recovery
from .reports import Reports
from .roles import Roles
from .rules import Rules
from .scheduler import Scheduler
from .snapshot import Snapshot

# Seconds: also a runner that is killed again and again, behind all others, goes on from where the last one was.
_SNAPSHOT = 0.5
_SHARE = 20  # times as long as one has taken, if that is more
_DRAIN = 8.0  # seconds for what runs to end and be reported, when the runner is stopped


class Runner(Service):
    def __init__(self, paths: Paths, config: Config):
        super().__init__("runner", paths)
        ensure_private(paths.state)
        token = secrets.token_hex(8)
        leftovers.leave_terminal()
        self._ended = leftovers.end(paths.runner, token)
        self._rules = Rules()
        self._book = Book(config.runner, births.depth)
        with contextlib.closing(Roles(self.context, paths)) as roles:
            memory = Memory(roles.ask, paths.actions, self._book)
            unfinished = memory.unfinished()
        self._log = memory.log
        self._reports = Reports(self, memory.log, self._resume)
        means = Means(self, config.runner, self._book, self._rules.current, token, memory.log, self._reports.put)
        self._scheduler = Scheduler(means, self._reports.ended)
        self._decider = Decider(means, memory, self._rules.limit, self._reports, self._scheduler)
        self._recovery = Recovery(self, self._book.registry, self._resume)
        self._saving = self._draining = False
        self._pause = _SNAPSHOT
        socket = bus.subscriber(self.context, paths.subscribers, topics.EVENT, topics.HEAD)
        self._pump = Pump(self, socket, EventFollower(Filter(), memory.since).follow(), self._take, self._full)
        self.server.handle(Cancel, self._cancel)
        self.server.handle(Acted, self._acted)
        for left in unfinished:
            self._decider.settle(left)
        self._pump.start()

    def status(self) -> dict[str, Any]:
        return {
            **super().status(),
            "armed": len(self._book.registry.armed),
            "running": self._scheduler.running,
            "waiting": self._scheduler.waiting,
            "position": self._decider.taken,
            "ended_leftovers": self._ended,
            "trouble": self._trouble(),
            **self._reports.status(),
        }

    def _trouble(self) -> str | None:
        with contextlib.suppress(CtmuxError):
            self._rules.current()
        return self._rules.trouble

    # ---- events ----------------------------------------------------------------------------------------------------

    def _full(self) -> bool:
        return self._recovery.busy or self._reports.full

    def _resume(self) -> None:
        self._pump.resume()

    def _take(self, item: Item) -> None:
        taken = self._decider.taken
        if isinstance(item, Gap):
            self._reports.put([self._recovery.missed(item)])
        elif isinstance(item, Event) and item.n <= taken:
            print(f"the journal was replaced: event {item.n} follows {taken}; beginning anew", flush=True)
            self._pump.stop()
            super().stop()
        elif isinstance(item, Event):
            self._decider.take(item)
            self._save_soon()

    # ---- requests --------------------------------------------------------------------------------------------------

    def _cancel(self, request: Cancel, _reply: Reply) -> dict[str, Any]:
        self._scheduler.cancel(request.action)
        return {"action": request.action}

    def _acted(self, request: Acted, _reply: Reply) -> dict[str, Any]:
        self._book.chains.touched(request.server, request.pane, request.depth, time.time())
        return {}

    # ---- snapshots, end --------------------------------------------------------------------------------------------

    def _save_soon(self) -> None:
        if not self._saving:
            self._saving = True
            self.after(self._pause, self._save)

    def _save(self) -> None:
        self._saving = False
        self._decider.flush()
        taken = self._decider.taken
        kept = Snapshot.take(self._log, taken, self._reports.oldest() or taken + 1, self._book)
        self._reports.settle(lambda: self._keep(kept))

    def _keep(self, kept: Snapshot) -> None:
        began = time.thread_time()
        kept.save(self.paths.actions)
        self._pause = max(_SNAPSHOT, _SHARE * (time.thread_time() - began))

    def stop(self) -> None:
        """Called by a signal's handler: what is to be done is done by the loop, which the signal has woken."""
        self._draining = True

    def _drain_wake(self) -> None:
        super()._drain_wake()
        if self._draining and not self._scheduler.stopping:
            self._pump.stop()
            self._decider.flush()
            self.after(_DRAIN, super().stop)
            self._scheduler.stop(self._leave)

    def _leave(self) -> None:
        """Everything that ran has ended: when that is in the log, the runner does."""
        self._save()
        self._reports.settle(super().stop)

    def shutdown(self) -> None:
        self._scheduler.kill()
        super().shutdown()

    def _parent_spoke(self) -> None:
        if not os.read(0, 4096):
            super().stop()

"""The matcher: spools in, events out. Here its parts are put together.

It reads the spools itself instead of the chunks that the watchers publish: it has to be able to anyway, after a restart and
where a chunk was lost, and without the way over the bus an event comes 0.7 ms earlier (docs/architecture.md).
"""

import math
import os
from typing import Any

from ...shared import place
from ...shared.config import Config
from ...shared.outbox import Outbox
from ...shared.paths import Paths, ensure_private
from ...shared.rpc import Client
from ...shared.service import Service
from .aside import Untold
from .context import Context
from .echoes import Echoes
from .history import History
from .life import Life
from .output import Output
from .panes import Panes
from .progress import Progress
from .reader import Reader
from .recovery import Recovery
from .registry import Registry
from .requests import Requests
from .rule import Rule
from .rules import Rules
from .silence import Silence
from .stream import Hit, StreamState
from .subscription import Subscription
from .times import Times


class Matcher(Service):
    """Evaluates subscriptions over all streams. Where parts need each other both ways, one of them asks here."""

    def __init__(self, paths: Paths, config: Config):
        super().__init__("matcher", paths)
        ensure_private(paths.state)
        place.settle(paths)
        root, logger = paths.spool, paths.control("logger")
        self.streams: dict[str, StreamState] = {}  # those that are followed, by server and name
        self.registry = registry = Registry(self, paths)
        self.outbox = outbox = Outbox(self, logger)
        self.rules = rules = Rules(self, self, paths.facts, root)
        self.governor = registry.governor
        progress = Progress(self, outbox, rules, self.streams, f"{paths.runtime}/matcher.progress")
        silence = Silence(self, rules, self.caught_up)
        self._context = context = Context(self, rules, registry.governor)
        self._history = history = History(self, self, root, config.matcher.quiet_seconds)
        self._life = Life(self, registry, rules, outbox, self.streams, silence, context, history)
        self._output = Output(registry, rules, outbox, progress, self._life, silence, context, history)
        self._reader = Reader(self, self._output, self.streams, root, config.matcher.quiet_seconds)
        Requests(self.server, root, registry, rules, outbox, self._life, self._reader, self.streams)
        echoes = Echoes(self, root, f"{paths.runtime}/matcher.sent", self.streams)
        Panes(self.server, registry, rules, outbox, self._life, self._reader, silence, context, echoes, history)
        asked = Client(self.context, logger)
        Recovery(asked, root, registry, rules, outbox, self._life, self._reader, progress).resume()
        echoes.resume()

    def status(self) -> dict[str, Any]:
        return {
            **super().status(),
            "subscriptions": len(self.registry.store.active),
            "patterns": len(self.registry.engine),
            "merging": self.registry.merging,
            "streams": len(self.streams),
            "unsent": len(self.outbox),
            "skipped_bytes": sum(state.skipped for state in self.streams.values()),
        }

    def _drain_wake(self) -> None:
        super()._drain_wake()
        self.registry.take()

    # ---- what rules, silence and history ask and tell ----------------------------------------------------------------

    @property
    def held(self) -> bool:
        """Whether nothing may be read now."""
        return self._reader.held

    @property
    def leaving(self) -> bool:
        """Whether the instance is being stopped: no pane is observed any more, so nobody knows what has come, and what is
        due is for the next matcher to say."""
        return os.path.exists(self.paths.stopping)

    def unread(self) -> list[Untold]:
        """Read what is there; what is left of it that anybody wants, or has come meanwhile."""
        self._reader.look()
        self._reader.notice()  # it may be older than what was read last
        covers = self.registry.index.covers
        return [
            one for one in self._reader.unread() if any(covers(one.server, session, one.pane) for session in one.sessions)
        ]

    def unsure(self) -> list[Untold]:
        """Unfinished lines that are still to be looked at."""
        return list(self._reader.unsure())

    def tells_past(self, subscription: Subscription) -> bool:
        """Whether it is still told what was before it."""
        return self._history.tells(subscription)

    def holding(self, rule: Rule) -> None:
        """It has firings that wait for the lines after theirs."""
        self._context.begin(rule)

    def caught_up(self, until: float = math.inf) -> bool:
        """Read what is there; whether that was all that has come by `until`."""
        if not self._reader.behind(until):  # else it reads already, and so many may ask that nobody else had his turn
            self._reader.look()
            self._reader.notice()
        return not self._reader.behind(until) and not self.leaving

    def is_unsure(self, until: float) -> bool:
        """Whether an unfinished line that was there by `until` is still to be looked at."""
        return self._reader.is_unsure(until)

    def released(self) -> None:
        """The full disk takes something again."""
        self._reader.look()

    def report(self, state: StreamState, hits: list[Hit], times: Times) -> None:
        """What fires in the past of a stream."""
        self._output.report(state, hits, times)

    def lives(self, subscription: Subscription) -> bool:
        return subscription.id in self.registry.store.active

    def ended(self, subscription: Subscription, reason: str, by: str | None) -> None:
        """A rule is over, by what a pane did if it was one."""
        if self.lives(subscription):
            self._life.end(subscription, reason, by)

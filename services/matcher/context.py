"""The lines around a line that has fired: those before it at once, those after it when they have come, or nothing does."""

import time
from collections.abc import Callable
from typing import Any

from ...shared import spool
from ...shared.service import Service
from .around import REACH, Around
from .facts import Fact
from .governor import Governor
from .rule import Rule
from .rules import Rules
from .sights import Sights
from .stream import Hit, StreamState
from .subscription import Subscription

_QUIET = 0.2  # seconds without output: nothing more will come now


class Context:
    """Reads the spools, where all of it is."""

    def __init__(self, service: Service, rules: Rules, governor: Governor):
        self._service, self._rules, self._governor = service, rules, governor
        self._waiting: dict[str, dict[tuple[str, int], int]] = {}  # stream -> (subscription, line) -> the line's end
        self._sights = Sights()

    def around(self, server: str, stream: str, stop: int) -> Around:
        """The lines of a stream up to `stop`; nothing is read before it is asked for."""

        def read(offset: int, limit: int) -> spool.Range:
            path = spool.find(self._rules.root, server, stream)
            if path is None:
                raise FileNotFoundError(stream)
            return spool.read(path, offset, limit)

        return Around(read, lambda offset: self._sights.at(f"{server}/{stream}", read, offset), stop)

    def before(self, around: Around, hit: Hit) -> dict[str, Any]:
        """What a fact about a line has of it."""
        wanted = hit.subscription.options.before
        if not wanted:
            return {}
        return {"before": self._cut(hit.subscription, around.before, hit.offset, wanted)}

    def _cut(self, subscription: Subscription, find: Callable[..., list[str]], *where: int) -> list[str]:
        """What `find` finds; its time is charged like that of a search."""
        began = time.thread_time()
        try:
            return find(*where)
        except FileNotFoundError:  # it has just gone
            return []
        finally:
            self._governor.charge(subscription.patterns[0], time.thread_time() - began, 0, 0)

    # ---- lines that are to come ------------------------------------------------------------------------------------

    def begin(self, rule: Rule) -> None:
        """A matcher before this one has left firings that wait."""
        for held in rule.held.values():
            stream = f"{held['place'][0]}/{held['data']['stream']}"
            self._wait(stream, rule.subscription, held["data"]["offset"], held["data"]["end"])

    def follow(self, state: StreamState, hits: list[Hit]) -> None:
        """A block of lines has been told: some may be waited for, some may be what was waited for."""
        stream = f"{state.server}/{state.name}"
        for hit in hits:
            rule = self._rules.by_id.get(hit.subscription.id)
            if rule and f"{state.name}/{hit.offset}" in rule.held:
                self._wait(stream, hit.subscription, hit.offset, hit.end)
        if stream in self._waiting:
            self._look(stream, state.lines.offset, flush=False)

    def _wait(self, stream: str, subscription: Subscription, offset: int, end: int) -> None:
        if stream not in self._waiting:
            self._waiting[stream] = {}
            self._service.after(_QUIET, lambda: self._when_quiet(stream, end))
        self._waiting[stream][subscription.id, offset] = end

    def _when_quiet(self, stream: str, size: int) -> None:
        if stream not in self._waiting:
            return
        server, _, name = stream.partition("/")
        path = spool.find(self._rules.root, server, name)
        now = spool.size(path) if path else size
        if now > size:
            self._service.after(_QUIET, lambda: self._when_quiet(stream, now))
        else:
            self.flush(server, name)

    def flush(self, server: str, stream: str) -> None:
        """Nothing more comes: what waits goes with what there is."""
        key = f"{server}/{stream}"
        if key in self._waiting:
            path = spool.find(self._rules.root, server, stream)
            self._look(key, spool.size(path) if path else 0, flush=True)

    def over(self, server: str, stream: str) -> None:
        """The stream has ended."""
        self.flush(server, stream)
        self._sights.forget(f"{server}/{stream}")

    def end(self, subscription: Subscription) -> None:
        """It is over before they have come: what waits goes with what there is."""
        for stream in list(self._waiting):
            server, _, name = stream.partition("/")
            path = spool.find(self._rules.root, server, name)
            self._look(stream, spool.size(path) if path else 0, flush=True, of=subscription.id)

    def _look(self, stream: str, end: int, flush: bool, of: str | None = None) -> None:
        server, _, name = stream.partition("/")
        told: list[tuple[str, Fact]] = []
        waiting = self._waiting[stream]
        around = self.around(server, name, end)
        for (id, offset), begin in sorted(waiting.items(), key=lambda one: one[1]):
            if of not in (None, id):
                continue
            rule = self._rules.by_id.get(id)
            lines: list[str] = []
            if rule:
                wanted = rule.subscription.options.after
                lines = self._cut(rule.subscription, around.after, offset, begin, wanted)
                if len(lines) < wanted and not flush and end < begin + REACH:
                    continue
            del waiting[id, offset]
            fact = {"is": "after", "at": time.time(), "key": f"after/{stream}", "position": offset, "server": server}
            told.append((id, {**fact, "stream": name, "offset": offset, "lines": lines}))
        if not waiting:
            del self._waiting[stream]
        self._rules.tell(told)

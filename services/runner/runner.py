"""The runner's loop: it follows the log, intends, does, and reports. Nothing else in ctmux waits for it."""

import contextlib
import functools
import os
import secrets
import time
from typing import Any

from ...client.events import EventFollower
from ...client.gap import Gap
from ...client.script import Item
from ...shared import bus, spool, topics
from ...shared.actions import AT_LEAST_ONCE
from ...shared.config import Config
from ...shared.errors import CtmuxError
from ...shared.messages import Acted, Cancel, Draft, Event, Filter, Status, Subscriptions
from ...shared.outbox import Outbox
from ...shared.paths import Paths, ensure_private
from ...shared.rpc import Reply
from ...shared.service import Service
from . import drafts, leftovers
from .ask import Answer, ask
from .book import Book, Intent, Tally
from .memory import Memory
from .plan import Plan
from .pump import Pump
from .rules import Rules
from .works import Works

_SECOND = 1.0  # between two reports of what was held back
_SNAPSHOT = 5.0  # seconds
_UNSENT_MOST = 2000  # drafts; then no event is taken until the logger has them
_ATTEMPTS_MOST = 20
_ASK = 30.0  # seconds, for those who know what the log does not say any more
_DRAIN = 8.0  # seconds for what runs to end and be reported, when the runner is stopped


class Runner(Service):
    """`taken`: the last event of which everything is decided."""

    def __init__(self, paths: Paths, config: Config):
        super().__init__("runner", paths)
        ensure_private(paths.state)
        token = secrets.token_hex(8)
        leftovers.leave_terminal()
        self._ended = leftovers.end(paths.runner, token)
        self.rules = Rules()
        self.outbox = Outbox(self, paths.control("logger"))
        self.book = Book(config.runner, _born)
        self._memory = Memory(self.context, paths, self.book)
        self.works = Works(
            self, config.runner, self.book, self.rules.current, token, self._memory.log, self._put, self._report
        )
        self.taken = self._memory.since - 1
        self._open: dict[str, Intent] = {}
        self._flushed = 0.0
        self._asking = 0  # questions without which no event can be decided
        self._flushing = self._saving = self._draining = False
        self._totals = {"intended": 0, "refused": 0, "finished": 0}
        self._follower = EventFollower(Filter(), self._memory.since)
        socket = bus.subscriber(self.context, paths.subscribers, topics.EVENT, topics.HEAD)
        self._pump = Pump(self, socket, self._follower.follow(), self._take, self._full)
        self.server.handle(Cancel, self._cancel)
        self.server.handle(Acted, self._acted)
        self._take_over()
        self._pump.start()

    def status(self) -> dict[str, Any]:
        return {
            **super().status(),
            "armed": len(self.book.armed),
            "running": self.works.running,
            "waiting": len(self.works.queue),
            "position": self.taken,
            "unsent": len(self.outbox),
            "ended_leftovers": self._ended,
            "trouble": self._trouble(),
            **self._totals,
        }

    def _trouble(self) -> str | None:
        with contextlib.suppress(CtmuxError):
            self.rules.current()
        return self.rules.trouble

    # ---- events ----------------------------------------------------------------------------------------------------

    def _full(self) -> bool:
        return self._asking > 0 or len(self.outbox) > _UNSENT_MOST

    def _take(self, item: Item) -> None:
        if isinstance(item, Gap):
            self._missed(item)
        elif isinstance(item, Event) and item.n <= self.taken:
            print(f"the journal was replaced: event {item.n} follows {self.taken}; beginning anew", flush=True)
            self._pump.stop()
            super().stop()
        elif isinstance(item, Event):
            self.book.learn(item)
            if item.n > self._memory.decided:
                known = self._memory.known if item.n == self._memory.decided + 1 else frozenset()
                self._decide(item, known)
            self.taken = item.n
            self._save_soon()

    def _decide(self, event: Event, known: frozenset[str]) -> None:
        decisions = self.book.decide(event, time.time(), self.rules.limit, known)
        intents = [one for one in decisions if isinstance(one, Intent)]
        if intents:  # what was held back before is in the log before it, or a killed runner would not count it
            self._flush(event.n - 1)
        for intent in intents:
            self._intend(intent)
        for index, tally in enumerate(decisions):
            if isinstance(tally, Tally):
                self.book.count(index, tally)
        if self.book.tallies:
            self._flush_soon()

    def _intend(self, intent: Intent) -> None:
        self._totals["intended"] += 1
        if intent.action.dry:
            self._rehearse(intent)
            return
        self._open[intent.id] = intent
        self.outbox.put([drafts.intended(self._memory.log, intent)], lambda: self._intended(intent))

    def _intended(self, intent: Intent) -> None:
        """That is in the log."""
        self.works.add(intent)
        self._pump.resume()  # it may wait for a turn behind one that runs for hours

    def _rehearse(self, intent: Intent) -> None:
        made: Plan | None = None
        refused = None
        try:
            made = self.works.plan(intent, self.rules.current())
        except CtmuxError as error:
            refused = str(error)
        self._put([drafts.rehearsed(self._memory.log, intent, made, refused)])

    def _missed(self, gap: Gap) -> None:
        """Events that nobody can be told any more: what they would have set off is not done, and that is said. What was
        armed by them is known by the matcher; until it has answered no event is decided."""
        data = {"what": "actions", "start": gap.start, "end": gap.end, "reason": gap.reason}
        self._put([Draft("runner/gaps", int(time.time() * 1e6), "", "gap", time.time(), data=data)])
        self._asking += 1
        ask(self, "matcher", Subscriptions(), _ASK, self._learn_armed)
        self._asking += 1
        ask(self, "keeper", Status(), _ASK, self._learn_servers)

    def _learn_armed(self, answer: Answer) -> None:
        self._asking -= 1
        if not isinstance(answer, CtmuxError):
            for one in answer["subscriptions"]:
                self.book.arm(one)
        self._pump.resume()

    def _learn_servers(self, answer: Answer) -> None:
        self._asking -= 1
        if not isinstance(answer, CtmuxError):
            self.book.sockets |= {one["server"]: one["socket"] for one in answer["servers"]}
        self._pump.resume()

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            self.after(max(0.0, self._flushed + _SECOND - time.monotonic()), self._flush_due)

    def _flush_due(self) -> None:
        self._flushing = False
        self._flush(self.taken)

    def _flush(self, position: int) -> None:
        """Report what was held back up to this event."""
        tallies, self.book.tallies = self.book.tallies, {}
        if tallies:
            self._flushed = time.monotonic()
            self._totals["refused"] += sum(tally.times for tally in tallies.values())
            log = self._memory.log
            self._put([drafts.tallied(log, index, tally, position) for (_, index, _, _), tally in tallies.items()])

    # ---- actions ---------------------------------------------------------------------------------------------------

    def _put(self, made: list[Draft]) -> None:
        self.outbox.put(made, self._pump.resume)

    def _report(self, draft: Draft, intent: Intent) -> None:
        def written() -> None:
            if not draft.data.get("again"):
                self._open.pop(intent.id, None)
            self._pump.resume()

        self._totals["finished"] += 1
        self.outbox.put([draft], written)
        self._save_soon()

    def _take_over(self) -> None:
        """What an earlier runner intended and did not report: it is reported, and done again if that was asked for."""
        for intent, announced in self._memory.open.values():
            again = intent.spec.get("deliver") == AT_LEAST_ONCE and intent.attempt < _ATTEMPTS_MOST
            event = self._memory.event(intent.n)
            intent = intent._replace(event=event)
            self._open[intent.id] = intent
            again = again and event is not None
            reason = "the runner was killed, or was stopped before it could say how it ended"
            if again or not announced:
                self.outbox.put([drafts.interrupted(intent, reason, again)])
            if again:
                self._again(intent._replace(attempt=intent.attempt + 1))
            else:
                self.outbox.put([], functools.partial(self._forget, intent))

    def _forget(self, intent: Intent) -> None:
        self._open.pop(intent.id, None)

    def _again(self, intent: Intent) -> None:
        self._open[intent.id] = intent
        self.book.waiting[intent.subscription] = self.book.waiting.get(intent.subscription, 0) + 1
        self.outbox.put([drafts.intended(self._memory.log, intent)], lambda: self._intended(intent))

    def _cancel(self, request: Cancel, _reply: Reply) -> dict[str, Any]:
        self.works.cancel(request.action)
        return {"action": request.action}

    def _acted(self, request: Acted, _reply: Reply) -> dict[str, Any]:
        self.book.touched(request.server, request.pane, request.depth, time.time())
        return {}

    # ---- snapshots, end --------------------------------------------------------------------------------------------

    def _save_soon(self) -> None:
        if not self._saving:
            self._saving = True
            self.after(_SNAPSHOT, self._save)

    def _save(self) -> None:
        self._saving = False
        self._flush(self.taken)
        oldest = min((intent.n for intent in self._open.values()), default=self.taken + 1)
        kept = self._memory.snapshot(self.taken, oldest)  # now: what ends later has actions yet to be decided
        self.outbox.put([], lambda: self._memory.save(kept))

    def stop(self) -> None:
        """Called by a signal's handler: what is to be done is done by the loop, which the signal has woken."""
        self._draining = True

    def _drain_wake(self) -> None:
        super()._drain_wake()
        if self._draining and not self.works.stopping:
            self._pump.stop()
            self._flush(self.taken)
            self.works.stop()
            self.after(_DRAIN, super().stop)
            self._leave_when_done()

    def _leave_when_done(self) -> None:
        """Everything that ran has ended, and that is in the log."""
        if self.works.running:
            self.after(0.02, self._leave_when_done)
        else:
            self._save()
            self.outbox.put([], super().stop)

    def shutdown(self) -> None:
        self.works.kill()
        super().shutdown()

    def _parent_spoke(self) -> None:
        if not os.read(0, 4096):
            super().stop()


def _born(event: Event) -> int:
    """How many actions led to the program in a pane: what an action has started says so. A stream's name has its pid."""
    stream = event.data.get("stream")
    return _depth_of(event.server, stream) if isinstance(stream, str) else 0


@functools.lru_cache(maxsize=1000)
def _depth_of(_server: str | None, stream: str) -> int:
    found = spool.parse_stream(stream)  # a pid alone may be another program's later
    return leftovers.depth_of(found.pid) if found else 0

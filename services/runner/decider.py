"""Each event of the log is decided once: what it sets off is intended, what it does not is counted."""

import time

from ...shared.actions import AT_LEAST_ONCE
from ...shared.errors import CtmuxError
from ...shared.messages import Event
from . import drafts
from .book import Limit
from .intent import Intent
from .means import Means
from .memory import Memory, Unfinished
from .plan import Plan
from .registry import understood
from .reports import Reports
from .scheduler import Scheduler
from .tallies import Tallies, Tally

_SECOND = 1.0  # between two reports of what was held back
_KILLED = "the runner was killed, or was stopped before it could say how it ended"


class Decider:
    """`taken`: the last event of which everything is decided."""

    def __init__(self, means: Means, memory: Memory, limit: Limit, reports: Reports, scheduler: Scheduler):
        self._means, self._book, self._memory, self._limit = means, means.book, memory, limit
        self._reports, self._scheduler = reports, scheduler
        self._tallies = Tallies()
        self._flushed = 0.0
        self._flushing = False
        self.taken = memory.since - 1

    def take(self, event: Event) -> None:
        self._book.learn(event)
        self._memory.hear(event)
        if event.n > self._memory.decided:
            known = self._memory.known if event.n == self._memory.decided + 1 else frozenset()
            self._decide(event, known)
        self.taken = event.n

    def _decide(self, event: Event, known: frozenset[str]) -> None:
        decisions = self._book.decide(event, time.time(), self._limit, known)
        if any(isinstance(one, Intent) for one in decisions):
            self._flush(event.n - 1)  # it is in the log before them, or a killed runner would not count it
        for one in decisions:
            if isinstance(one, Tally):
                self._tallies.add(one)
            elif one.action.dry:
                self._rehearse(one)
            else:
                self._reports.intended(one, self._scheduler.add, self._scheduler.refuse)
        if self._tallies and not self._flushing:
            self._flushing = True
            self._means.service.after(max(0.0, self._flushed + _SECOND - time.monotonic()), self._flush_due)

    def _rehearse(self, intent: Intent) -> None:
        made: Plan | None = None
        refused = None
        try:
            made = self._means.plan(intent, self._means.policy())
        except CtmuxError as error:
            refused = str(error)
        self._reports.rehearsed(drafts.rehearsed(self._means.log, intent, made, refused))

    def _flush_due(self) -> None:
        self._flushing = False
        self.flush()

    def flush(self) -> None:
        """Report what was held back."""
        self._flush(self.taken)

    def _flush(self, position: int) -> None:
        if self._tallies:
            self._flushed = time.monotonic()
            self._reports.tallied(self._tallies.take(), position)

    def settle(self, left: Unfinished) -> None:
        """What an earlier runner intended and did not report: it is reported, and done again if that was asked for."""
        intent, reason = left.intent, _KILLED
        again = intent.spec.get("deliver") == AT_LEAST_ONCE
        if again and (hindrance := _hindrance(intent)):
            again, reason = False, f"{_KILLED}, and it cannot be done again: {hindrance}"
        following = intent._replace(attempt=intent.attempt + 1)
        if not left.announced:  # else it is in the log, also where the logger would take it once more
            self._reports.put([drafts.interrupted(intent, reason, again)])
        elif not again:
            self._reports.put([drafts.interrupted(following, reason)])
        if again:
            self._book.load.wait(intent.subscription)
            self._reports.intended(following, self._scheduler.add, self._scheduler.refuse)


def _hindrance(intent: Intent) -> str | None:
    """Why there is no other attempt."""
    if intent.is_last:
        return f"{intent.attempt} attempts were interrupted"
    if intent.event is None:
        return "the event that set it off is not in the log any more"
    mistake = understood(intent.spec)
    return mistake if isinstance(mistake, str) else None  # intended by a ctmux that knew more

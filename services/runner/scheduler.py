"""Intended actions in their turn: each is begun, and how it ended is reported."""

import time
from collections.abc import Callable
from typing import Any

from ...shared.actions import AT_LEAST_ONCE, TYPING
from ...shared.errors import NoTarget
from ...shared.messages import Draft
from . import drafts
from .child import Result
from .intent import Intent
from .job import Job
from .means import Means
from .queue import Queue, Waiting

_STOPPED = "the runner was stopped"

Report = Callable[[Draft, Intent], None]


class Scheduler:
    """`report` takes the end of an action."""

    def __init__(self, means: Means, report: Report):
        self._means, self._report = means, report
        self._load = means.book.load
        self._queue = Queue(self._load)
        self._running: dict[str, Job] = {}
        self._left: Callable[[], None] | None = None

    @property
    def running(self) -> list[str]:
        return list(self._running)

    @property
    def waiting(self) -> int:
        return len(self._queue)

    @property
    def stopping(self) -> bool:
        return self._left is not None

    def add(self, intent: Intent) -> None:
        """Its intent is in the log."""
        if self.stopping:
            self._load.leave(intent.subscription)
            self._interrupted(intent, _STOPPED)
            return
        action = intent.action
        typing = intent.where if action.do in TYPING else None
        self._queue.add(Waiting(intent, action.concurrency or self._means.config.concurrency, time.monotonic(), typing))
        self._next()

    def refuse(self, intent: Intent, reason: str) -> None:
        """Its intent will never be in the log: an action without one is not begun."""
        self._load.leave(intent.subscription)
        self._report(drafts.refused(intent, f"its intent cannot be written to the log: {reason}"), intent)

    def cancel(self, id: str) -> None:
        """Raises NoTarget."""
        waiting = self._queue.take(lambda intent: intent.id == id)
        for intent in waiting:
            self._interrupted(intent, "cancelled before it was started")
        if id in self._running:
            self._running[id].end("cancelled")
        elif not waiting:
            raise NoTarget(f"no action {id!r} runs or waits; see: ctmux action list")

    def stop(self, left: Callable[[], None]) -> None:
        """End what runs, and start nothing more. `left` is called when the last of it has ended, and that is reported."""
        self._left = left
        for intent in self._queue.take(lambda _intent: True):
            self._interrupted(intent, _STOPPED)
        for job in self._running.values():
            job.end(_STOPPED)
        if not self._running:
            left()

    def kill(self) -> None:
        """End at once what still runs."""
        for job in self._running.values():
            job.kill()

    def _interrupted(self, intent: Intent, reason: str) -> None:
        """What is to run at least once is taken up again by the next runner."""
        again = reason == _STOPPED and intent.action.deliver == AT_LEAST_ONCE and not intent.is_last
        self._report(drafts.interrupted(intent, reason, again), intent)

    def _next(self) -> None:
        while not self.stopping and (one := self._queue.next()):
            self._begin(one.intent, time.monotonic() - one.since)

    def _begin(self, intent: Intent, waited: float) -> None:
        job = Job(self._means, intent, lambda result, more: self._ended(intent, result, more))
        self._running[intent.id] = job
        job.begin(waited)

    def _ended(self, intent: Intent, result: Result, more: dict[str, Any]) -> None:
        book, config = self._means.book, self._means.config
        new_pane = result.output.decode(errors="replace").strip()
        book.chains.ended(intent, result.exit_code == 0, new_pane, time.time())
        self._queue.ended(intent)
        del self._running[intent.id]
        if result.reason == _STOPPED:
            self._interrupted(intent, _STOPPED)
        elif result.refused:
            self._report(drafts.refused(intent, str(result.reason)), intent)
        else:
            keep = config.output_bytes if intent.action.output is None else intent.action.output
            self._report(drafts.finished(intent, {**result.data(keep), **more}), intent)
        if self._left is None:
            self._means.service.after(0.0, self._next)  # not within itself: many may be refused one after the other
        elif not self._running:
            self._left()

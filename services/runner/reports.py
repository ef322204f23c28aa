"""What the runner says in the log: intents before anything starts, ends, and what was held back."""

from collections.abc import Callable
from typing import Any

from ...shared.messages import Draft
from ...shared.outbox import Outbox
from ...shared.service import Service
from . import drafts
from .intent import Intent
from .tallies import Tally

_UNSENT_MOST = 2000  # drafts; then no event is taken until the logger has them


class Reports:
    """`changed` is called when something is in the log, and there may be room again."""

    def __init__(self, service: Service, log: str, changed: Callable[[], None]):
        self._log, self._changed = log, changed
        self._outbox = Outbox(service, service.paths.control("logger"))
        self._open: dict[str, Intent] = {}
        self._totals = {"intended": 0, "refused": 0, "finished": 0}

    def status(self) -> dict[str, Any]:
        return {"unsent": len(self._outbox), **self._totals}

    @property
    def full(self) -> bool:
        return len(self._outbox) > _UNSENT_MOST

    def put(self, made: list[Draft]) -> None:
        self._outbox.put(made, self._changed)

    def settle(self, done: Callable[[], None]) -> None:
        """`done` is called when all that was said before is in the log."""
        self._outbox.put([], done)

    def intended(self, intent: Intent, done: Callable[[Intent], None], refused: Callable[[Intent, str], None]) -> None:
        """`done` is called when that is in the log; `refused`, with the reason, if it never will be."""
        dropped: list[str] = []

        def written() -> None:
            if dropped:
                refused(intent, dropped[0])
            else:
                done(intent)
            self._changed()  # whoever comes next need not wait for its turn, behind one that runs for hours

        self._totals["intended"] += 1
        self._open[intent.id] = intent
        self._outbox.put([drafts.intended(self._log, intent)], written, dropped.append)

    def rehearsed(self, draft: Draft) -> None:
        self._totals["intended"] += 1
        self.put([draft])

    def ended(self, draft: Draft, intent: Intent) -> None:
        def written() -> None:
            if not draft.data.get("again"):
                self._open.pop(intent.id, None)
            self._changed()

        self._totals["refused" if draft.kind == "action.refused" else "finished"] += 1
        self._outbox.put([draft], written)

    def tallied(self, tallies: list[Tally], position: int) -> None:
        self._totals["refused"] += sum(tally.times for tally in tallies)
        self.put([drafts.tallied(self._log, tally, position) for tally in tallies])

    def oldest(self) -> int | None:
        """The first cause of an action whose end is not in the log."""
        return min((intent.n for intent in self._open.values()), default=None)

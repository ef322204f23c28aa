"""A matcher that starts goes on where the last one was, by the journal and by that one's notes."""

import contextlib
import json
from typing import Any

from ...shared import spool
from ...shared.errors import CtmuxError
from ...shared.messages import Filter, Get, Position, Tip
from ...shared.outbox import Outbox
from ...shared.rpc import Client, wait_answer
from . import arming, drafts
from .life import Life
from .progress import Note, Progress
from .reader import Reader
from .registry import Registry
from .rules import Rules
from .subscription import Subscription

_PATIENCE = 30.0  # seconds


class Recovery:
    """Asks the logger, once, at the start."""

    def __init__(
        self, logger: Client, root: str, registry: Registry, rules: Rules, outbox: Outbox, life: Life, reader: Reader,
        progress: Progress,
    ):  # fmt: skip
        self._logger, self._root, self._registry, self._store = logger, root, registry, registry.store
        self._rules, self._outbox, self._life, self._reader, self._progress = rules, outbox, life, reader, progress

    def resume(self) -> None:
        """Go on where the last matcher was; the spools have what has been printed since."""
        reported = {found.id: self._settle(found) for found in list(self._store.active.values())}
        for subscription in self._store.active.values():
            if not subscription.plain:
                self._rules.add(subscription)
        self._rules.resume(self._store.active, reported)
        noted = self._progress.noted()
        for found in spool.walk(self._root):
            if not arming.is_done(self._root, found):
                note = noted.get(f"{found.server}/{found.stream.name}")
                self._reader.resume(found, *self._start(found, note, self._earliest(found)), note)
        for subscription in list(self._store.active.values()):
            self._life.begin(subscription)
        with contextlib.suppress(CtmuxError):
            self._logger.close()

    # ---- subscriptions ---------------------------------------------------------------------------------------------

    def _settle(self, subscription: Subscription) -> int:
        """End a subscription whose last event was written, but whose end was not noted before the matcher was killed. The
        position of that event."""
        last = self._last_event(subscription)
        if last is None:
            self._outbox.put([drafts.created(subscription)])
            return 0
        if last["kind"] == "subscription.ended":
            self._registry.end(subscription)
            self._life.forget(subscription)
        elif last["kind"] == "pattern.matched" and subscription.plain and subscription.options.count:
            self._life.end(subscription, "once")
        return int(last["position"])

    def _last_event(self, subscription: Subscription) -> dict[str, Any] | None:
        """The newest event of a subscription; of one that is no longer kept only its position, and None as `kind`."""
        tip = wait_answer(self._logger, Tip(subscription.id), _PATIENCE)["n"]
        lines = wait_answer(self._logger, Get(tip, 1, list(Filter())), _PATIENCE)["lines"] if tip else []
        if lines:
            return dict(json.loads(lines[0]))
        position = wait_answer(self._logger, Position(drafts.producer(subscription)), _PATIENCE)["position"]
        return {"kind": None, "position": position} if position >= 0 else None

    # ---- streams ---------------------------------------------------------------------------------------------------

    def _start(self, found: spool.Spool, noted: Note | None, since: int) -> tuple[int, list[str]]:
        """Where to go on in a stream, of which nothing before `since` is wanted, and who has fired on the line there."""
        last = wait_answer(self._logger, Position(f"match/{found.server}/{found.stream.name}"), _PATIENCE)
        start = max(noted.offset if noted else 0, last["position"], since)
        start = max(last["position"], spool.line_start(found.path, start))
        return start, last["keys"] if last["position"] == start else []

    def _earliest(self, found: spool.Spool) -> int:
        """The first offset of a stream that any subscription is interested in; its end if there is none."""
        offsets = [
            subscription.since(found.server, found.stream.name)
            for subscription in self._store.active.values()
            if subscription.covers(found.server, found.session, found.stream.pane) and subscription.options.start == "now"
        ]
        return min(offsets) if offsets else spool.size(found.path)

"""A matcher that starts goes on where the last one was, by the journal and by that one's notes."""

import contextlib
import functools

from ...shared import moves, spool
from ...shared.errors import CtmuxError
from ...shared.messages import Positions
from ...shared.outbox import Outbox
from ...shared.rpc import Client, wait_answer
from . import drafts
from .life import Life
from .progress import Note, Progress
from .reader import Reader
from .registry import Registry
from .rules import Rules
from .subscription import Subscription

_PATIENCE = 30.0  # seconds
_ASKED = 5000  # producers that one question is about


def _producer(found: spool.Spool) -> str:
    return f"match/{found.server}/{found.stream.name}"


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
        known = list(self._store.active.values())
        positions = self._positions([drafts.producer(found.id) for found in known])
        self._bury_lost()
        reported = {found.id: self._settle(found, positions[drafts.producer(found.id)][0]) for found in known}
        for subscription in self._store.active.values():
            if not subscription.plain:
                self._rules.add(subscription)
        self._rules.resume(self._store.active, reported)
        noted = self._progress.noted()
        live = [found for found in spool.walk(self._root) if not spool.is_over(self._root, found.server, found.stream.name)]
        positions = self._positions([_producer(found) for found in live])
        for found in live:
            note = noted.get(f"{found.server}/{found.stream.name}")
            self._reader.resume(found, *self._start(found, note, *positions[_producer(found)]), note)
        for subscription in list(self._store.active.values()):
            self._life.begin(subscription)
        with contextlib.suppress(CtmuxError):
            self._logger.close()

    def _positions(self, producers: list[str]) -> dict[str, tuple[int, list[str]]]:
        """Where each stopped, in few questions."""
        found: dict[str, tuple[int, list[str]]] = {}
        while len(found) < len(producers):
            asked = producers[len(found) :][:_ASKED]
            answer = wait_answer(self._logger, Positions(asked), _PATIENCE)["positions"]
            found |= zip(asked, map(tuple, answer), strict=False)
        return found

    def _bury_lost(self) -> None:
        """Say that those are over whose line in the file is damaged, as far as anybody knows of them."""
        lost = sorted(self._store.lost)
        positions = self._positions([drafts.producer(id) for id in lost])
        for id in lost:
            told = [drafts.lost(id)] if 0 <= positions[drafts.producer(id)][0] < drafts.END else []
            self._outbox.put(told, functools.partial(self._life.forget, id))

    def _settle(self, subscription: Subscription, position: int) -> int:
        """Say that it was made, or forget that it has ended, where the matcher was killed before it did. The number of its
        last event."""
        if position < 0:
            self._outbox.put([drafts.created(subscription)])
        elif position == drafts.END:
            self._registry.end(subscription)
            self._life.forget(subscription.id)
        return max(0, position)

    def _start(self, found: spool.Spool, noted: Note | None, last: int, fired: list[str]) -> tuple[int, list[str]]:
        """Where to go on in a stream whose last event was at `last`, and who has fired on the line there."""
        start = max(noted.offset if noted else 0, last, self._earliest(found))
        start = max(last, spool.line_start(found.path, start))
        return start, fired if last == start else []

    def _earliest(self, found: spool.Spool) -> int:
        """The first offset of a stream that any subscription is interested in; its end if there is none."""
        noted = moves.read(moves.path(self._root, found.server, found.stream.name))
        sessions = moves.Route(found.session, noted).ahead(0)
        offsets = [
            subscription.since(found.server, found.stream.name)
            for subscription in self._store.active.values()
            if subscription.options.start == "now"
            and any(subscription.covers(found.server, session, found.stream.pane) for session in sessions)
        ]
        return min(offsets) if offsets else spool.size(found.path)

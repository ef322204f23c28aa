"""What was printed before a subscription was armed, for those that ask (`--from`): read in turns beside what comes."""

import os
from typing import Protocol

from ...shared import spool
from ...shared.service import Service
from .engine import Engine
from .governor import Governor
from .index import Index
from .stream import Hit, StreamState
from .subscription import Subscription
from .times import Times

_TURN = 1 << 20  # bytes, before others have their turn
_PIECE = 1 << 16


class Owner(Protocol):
    """What it needs of the matcher."""

    def report(self, state: StreamState, hits: list[Hit], times: Times) -> None: ...

    @property
    def held(self) -> bool: ...


class History:
    """Until a stream's past is told, its present is not: lines come in their order."""

    def __init__(self, service: Service, owner: Owner, root: str):
        self._service, self._owner, self._root = service, owner, root
        self._open: set[tuple[str, str]] = set()  # subscription, stream

    def hides(self, hit: Hit, state: StreamState) -> bool:
        """Whether a line that has just come is for later: its subscription is not as far."""
        return bool(self._open) and (hit.subscription.id, f"{state.server}/{state.name}") in self._open

    def begin(self, subscription: Subscription, live: StreamState, since: int) -> None:
        """Tell what a stream had from `since` up to where it is looked at now."""
        path = spool.find(self._root, live.server, live.name)
        if path is None or since >= live.lines.end:
            return
        past = StreamState(live.server, live.session, live.pane, live.name, spool.line_start(path, since))
        self._open.add((subscription.id, f"{live.server}/{live.name}"))
        engine, index = Engine(), Index()
        index.add(subscription)
        for pattern in subscription.texts:
            engine.add(pattern)
        self._go_on(subscription, past, live, engine, index)

    def _go_on(
        self, subscription: Subscription, past: StreamState, live: StreamState, engine: Engine, index: Index
    ) -> None:
        governor = Governor()
        limit = past.lines.end + _TURN
        path = spool.find(self._root, live.server, live.name)
        marks = list(spool.marks(spool.meta(f"{self._root}/{live.server}", live.name, "idx")))
        while path and past.lines.end < min(limit, live.lines.end) and not self._owner.held:
            found = spool.read(path, past.lines.end, min(_PIECE, live.lines.end - past.lines.end))
            if found.offset > past.lines.end:
                past.lines.tear(found.offset)
            if not found.data:
                break
            times = Times(os.stat(path).st_mtime, marks)
            for block in past.lines.feed(found.data):
                self._owner.report(past, past.hits(block, engine, index, governor), times)
        if path and past.lines.end < live.lines.end:
            self._service.after(
                0.05 if self._owner.held else 0.0, lambda: self._go_on(subscription, past, live, engine, index)
            )
            return
        tail = past.lines.unfinished()
        if tail and path:
            self._owner.report(past, past.hits(tail, engine, index, governor), Times(os.stat(path).st_mtime, marks))
        self._open.discard((subscription.id, f"{live.server}/{live.name}"))

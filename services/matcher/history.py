"""What was printed before a subscription was armed, for those that ask (`--from`): read in turns beside what comes."""

import functools
import os
from typing import Protocol

from ...shared import marks, spool
from ...shared.service import Service
from . import visible
from .engine import Engine
from .governor import Governor
from .index import Index
from .lines import Block
from .stream import Hit, StreamState
from .subscription import Subscription
from .times import Times

_TURN = 1 << 20  # bytes, before others have their turn
_PIECE = 1 << 16
_HELD = 0.05  # seconds until it is looked again whether a full disk takes something


class Owner(Protocol):
    """What it needs of the matcher."""

    governor: Governor

    def report(self, state: StreamState, hits: list[Hit], times: Times) -> None: ...

    def lives(self, subscription: Subscription) -> bool: ...

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
        """One turn; the next comes by itself."""
        key = subscription.id, f"{live.server}/{live.name}"
        limit = past.lines.end + _TURN
        try:
            while past.lines.end < min(limit, live.lines.end) and not self._owner.held and self._owner.lives(subscription):
                if not self._read(past, live.lines.end, engine, index):
                    break
            else:
                if past.lines.end < live.lines.end and self._owner.lives(subscription):
                    pause = _HELD if self._owner.held else 0.0
                    self._service.after(pause, lambda: self._go_on(subscription, past, live, engine, index))
                    return
            tail = past.lines.unfinished()
            if tail:
                self._tell(past, [tail], engine, index)
        except FileNotFoundError:  # the pane has ended, and its spool is gone
            pass
        self._open.discard(key)

    def _read(self, past: StreamState, end: int, engine: Engine, index: Index) -> bool:
        """A piece of the past up to `end`; whether there was any. Raises FileNotFoundError."""
        found = spool.read(self._path(past), past.lines.end, min(_PIECE, end - past.lines.end))
        if found.offset > past.lines.end:
            past.lines.tear(found.offset)
        self._tell(past, past.lines.feed(found.data), engine, index)
        return bool(found.data)

    def _tell(self, past: StreamState, blocks: list[Block], engine: Engine, index: Index) -> None:
        if past.visible is None:
            past.visible = visible.at(functools.partial(spool.read, self._path(past)), past.lines.whole_from)
        published = marks.read(spool.meta(f"{self._root}/{past.server}", past.name, "idx"))
        times = Times(os.stat(self._path(past)).st_mtime, list(published))
        for block in blocks:
            self._owner.report(past, past.hits(block, engine, index, self._owner.governor), times)

    def _path(self, state: StreamState) -> str:
        path = spool.find(self._root, state.server, state.name)
        if path is None:
            raise FileNotFoundError(state.name)
        return path

"""What was printed before a subscription was armed, for those that ask (`--from`): read in turns beside what comes."""

import functools
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ...shared import marks, spool
from ...shared.service import Service
from . import feed
from .engine import Engine
from .governor import Governor
from .index import Index
from .lines import Block
from .stream import Hit, StreamState
from .subscription import Subscription
from .times import Times

_SLICE = 0.05  # seconds of reading, before others have their turn
_PIECE = 1 << 16
_HELD = 0.05  # seconds until it is looked again whether more may be read


class Owner(Protocol):
    """What it needs of the matcher."""

    governor: Governor

    def report(self, state: StreamState, hits: list[Hit], times: Times) -> None: ...

    def lives(self, subscription: Subscription) -> bool: ...

    @property
    def held(self) -> bool: ...


@dataclass(eq=False)
class _Past:
    """`state` goes through what `live` has gone through already. `ending`: nothing more comes."""

    subscription: Subscription
    live: StreamState
    state: StreamState
    engine: Engine
    index: Index
    ending: bool = False


class History:
    """Until a stream's past is told, its present is not: lines come in their order. `quiet`: seconds after which an
    unfinished line is looked at as it stands."""

    def __init__(self, service: Service, owner: Owner, root: str, quiet: float):
        self._service, self._owner, self._root, self._quiet = service, owner, root, quiet
        self._open: dict[tuple[str, str], _Past] = {}  # by subscription and stream
        self._told: Counter[str] = Counter()  # subscription -> how many streams
        self._behind: dict[str, list[Callable[[], None]]] = {}  # stream -> what comes after its past

    def hides(self, hit: Hit, state: StreamState) -> bool:
        """Whether a line that has just come is for later: its subscription is not as far."""
        return bool(self._open) and (hit.subscription.id, _key(state)) in self._open

    def tells(self, subscription: Subscription) -> bool:
        """Whether a subscription is still told what was before it."""
        return self._told[subscription.id] > 0

    def begin(self, subscription: Subscription, live: StreamState, since: int) -> None:
        """Tell what a stream had from `since` up to where it is looked at, soon."""
        path = spool.find(self._root, live.server, live.name)
        if path is None or since >= live.lines.end:
            return
        state = StreamState(live.server, live.session, live.pane, live.name, spool.line_start(path, since))
        past = _Past(subscription, live, state, Engine(), Index())
        past.index.add(subscription)
        for pattern in subscription.texts:
            past.engine.add(pattern)
        self._open[subscription.id, _key(live)] = past
        self._told[subscription.id] += 1
        self._service.after(0.0, lambda: self._go_on(past))

    def once_told(self, server: str, stream: str, action: Callable[[], None]) -> None:
        """Call it when all of a stream is told that has come to its end."""
        key = f"{server}/{stream}"
        ending = [past for past in self._open.values() if _key(past.live) == key]
        for past in ending:
            past.ending = True
        if ending:
            self._behind.setdefault(key, []).append(action)
        else:
            action()

    def _go_on(self, past: _Past) -> None:
        pause: float | None = None
        try:
            if self._owner.lives(past.subscription):
                pause = self._turn(past)
        except FileNotFoundError:
            gone = spool.find(self._root, past.live.server, past.live.name) is None
            pause = None if gone else 0.0  # else its pane moves just now
        if pause is None:
            self._close(past)
        else:
            self._service.after(pause, lambda: self._go_on(past))

    def _close(self, past: _Past) -> None:
        del self._open[past.subscription.id, _key(past.live)]
        self._told[past.subscription.id] -= 1
        if not self._told[past.subscription.id]:
            del self._told[past.subscription.id]
        key = _key(past.live)
        if not any(stream == key for _id, stream in self._open):
            for action in self._behind.pop(key, ()):
                action()

    def _turn(self, past: _Past) -> float | None:
        """Read on for a slice: in how many seconds it goes on, None if that was all. Raises FileNotFoundError."""
        until = time.monotonic() + _SLICE
        state, path = past.state, self._path(past.state)
        changed = os.stat(path).st_mtime
        published = marks.read(spool.meta(f"{self._root}/{state.server}", state.name, "idx"))
        times = Times(min(time.time(), changed), [mark for mark in published if mark.offset > state.lines.end])
        state.times = times
        while state.lines.end < past.live.lines.end:
            if self._owner.held:
                return _HELD
            if not self._read(past, times):
                break
            if time.monotonic() > until:
                return 0.0
        tail = state.lines.unfinished()
        left = changed + self._quiet - time.time()
        if tail and 0 < left <= self._quiet and not past.ending:  # more of the line may come
            return left
        if tail:
            self._tell(past, [tail], times)
        return None

    def _read(self, past: _Past, times: Times) -> bool:
        """A piece of the past; whether there was any. Raises FileNotFoundError."""
        lines, end = past.state.lines, past.live.lines.end
        past.state.session, moves_on = past.live.route.part(lines.end)
        found = feed.piece(self._path(past.state), lines.end, min(end, moves_on or end))
        if found.offset > lines.end:
            lines.tear(found.offset)
            past.state.jump()
            return True
        self._tell(past, lines.feed(found.data), times)
        return bool(found.data)

    def _tell(self, past: _Past, blocks: list[Block], times: Times) -> None:
        state = past.state
        if state.visible is None and not state.lines.torn:
            first = feed.first(self._root, state.server, state.name)
            look = functools.partial(spool.read_wherever, self._root, state.server, state.name)
            state.look_back(look, state.lines.whole_from, first)
        for block in blocks:
            self._owner.report(state, state.hits(block, past.engine, past.index, self._owner.governor), times)

    def _path(self, state: StreamState) -> str:
        path = spool.find(self._root, state.server, state.name)
        if path is None:
            raise FileNotFoundError(state.name)
        return path


def _key(state: StreamState) -> str:
    return f"{state.server}/{state.name}"

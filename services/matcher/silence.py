"""Panes that fall silent: for each subscription to that, when each of its panes has last spoken."""

import contextlib
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ...shared import spool
from ...shared.service import Service, Timer
from . import facts
from .rules import Rules
from .stream import StreamState
from .subscription import Subscription

_BEHIND = 0.05  # seconds until it is looked at again, when what has come by then is not read yet


@dataclass(eq=False)
class _Wait:
    """A pane that spoke last `at` a time; the timer counts from `since`."""

    subscription: Subscription
    state: StreamState
    at: float
    since: float = 0.0
    timer: Timer | None = None


class Silence:
    """Kept in memory only: a spool's own time says when its pane spoke."""

    def __init__(self, service: Service, rules: Rules, caught_up: Callable[[], bool]):
        self._service, self._rules, self._caught_up = service, rules, caught_up
        self._waits: dict[str, dict[str, _Wait]] = {}  # subscription -> stream

    def begin(self, subscription: Subscription, states: Iterable[StreamState]) -> None:
        """Count from now, or from when a pane spoke last since the subscription was made."""
        for state in states:
            if subscription.covers(state.server, state.session, state.pane):
                spoke = 0.0
                path = spool.find(self._rules.root, state.server, state.name)
                with contextlib.suppress(FileNotFoundError):
                    spoke = os.stat(path).st_mtime if path else 0.0
                self.spoke(subscription, state, max(subscription.created, spoke))

    def spoke(self, subscription: Subscription, state: StreamState, at: float) -> None:
        waits = self._waits.setdefault(subscription.id, {})
        wait = waits.setdefault(_key(state), _Wait(subscription, state, at))
        wait.at = at
        if wait.timer is None:
            self._count(wait)

    def _count(self, wait: _Wait) -> None:
        seconds = wait.subscription.options.seconds or 0.0
        wait.since = wait.at
        left = min(seconds, max(0.0, wait.at + seconds - time.time()))  # whatever is done to the clock
        wait.timer = self._service.after(left, lambda: self._due(wait))

    def _due(self, wait: _Wait) -> None:
        wait.timer = None
        caught_up = self._caught_up()
        key, subscription, state = _key(wait.state), wait.subscription, wait.state
        if self._waits.get(subscription.id, {}).get(key) is not wait or wait.timer:
            return
        if wait.at != wait.since:
            self._count(wait)
        elif not caught_up or self._rules.stuck:
            wait.timer = self._service.after(_BEHIND, lambda: self._due(wait))
        else:
            self._drop(subscription.id, key)
            if subscription.covers(state.server, state.session, state.pane):  # else it has moved away
                fact = {"is": "silence", "at": wait.at + (subscription.options.seconds or 0.0), "key": f"silence/{key}"}
                end = state.lines.end
                self._rules.tell([(subscription.id, {**fact, "position": end, "offset": end, **facts.of(state)})])

    def over(self, server: str, stream: str) -> None:
        """A stream has ended."""
        for id in list(self._waits):
            self._drop(id, f"{server}/{stream}")

    def end(self, subscription: Subscription) -> None:
        for key in list(self._waits.get(subscription.id, ())):
            self._drop(subscription.id, key)

    def _drop(self, id: str, key: str) -> None:
        wait = self._waits[id].pop(key, None)
        if wait and wait.timer:
            wait.timer.cancel()
        if not self._waits[id]:
            del self._waits[id]


def _key(state: StreamState) -> str:
    return f"{state.server}/{state.name}"

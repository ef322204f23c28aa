"""Panes that fall silent: for each subscription to that, when each of its panes has last spoken."""

import contextlib
import os
import time
from collections.abc import Callable, Iterable

from ...shared import spool
from ...shared.service import Service, Timer
from . import facts
from .rules import Rules
from .stream import StreamState
from .subscription import Subscription

_BEHIND = 0.05  # seconds until it is looked at again, when what has come by then is not read yet


class Silence:
    """Kept in memory only: a spool's own time says when its pane spoke."""

    def __init__(self, service: Service, rules: Rules, caught_up: Callable[[], bool]):
        self._service, self._rules, self._caught_up = service, rules, caught_up
        self._last: dict[tuple[str, str], tuple[float, StreamState]] = {}  # (subscription, stream) -> when
        self._timers: dict[tuple[str, str], Timer] = {}

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
        key = subscription.id, f"{state.server}/{state.name}"
        self._last[key] = at, state
        if key not in self._timers:
            self._wait(key, subscription, at)

    def _wait(self, key: tuple[str, str], subscription: Subscription, at: float) -> None:
        left = at + (subscription.options.seconds or 0.0) - time.time()
        self._timers[key] = self._service.after(max(0.0, left), lambda: self._due(key, subscription))

    def _due(self, key: tuple[str, str], subscription: Subscription) -> None:
        del self._timers[key]
        caught_up = self._caught_up()
        if key not in self._last or key in self._timers:
            return
        at, state = self._last[key]
        due = at + (subscription.options.seconds or 0.0)
        if due > time.time():
            self._wait(key, subscription, at)
        elif not caught_up or self._rules.stuck:
            self._timers[key] = self._service.after(_BEHIND, lambda: self._due(key, subscription))
        else:
            del self._last[key]
            end = state.lines.end
            fact = {
                "is": "silence",
                "at": due,
                "key": f"silence/{key[1]}",
                "position": end,
                "offset": end,
                **facts.of(state),
            }
            self._rules.tell([(subscription.id, fact)])

    def over(self, server: str, stream: str) -> None:
        """A stream has ended."""
        self._drop(lambda key: key[1] == f"{server}/{stream}")

    def end(self, subscription: Subscription) -> None:
        self._drop(lambda key: key[0] == subscription.id)

    def _drop(self, which: Callable[[tuple[str, str]], bool]) -> None:
        for key in [key for key in self._last if which(key)]:
            del self._last[key]
            timer = self._timers.pop(key, None)
            if timer:
                timer.cancel()

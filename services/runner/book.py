"""What each event sets off, or why it does not: policy, loops, age, rate, queue. Pure: events in, decisions out."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ...shared.actions import AT_LEAST_ONCE, Action
from ...shared.config import RunnerConfig
from ...shared.messages import Event
from .chains import Chains
from .intent import Intent, action_id
from .load import Load
from .rates import Rates
from .registry import Armed, Registry
from .tallies import Tally

Limit = Callable[[str, Action], str | None]  # why an action (with a key of it) must not run at all, or None


class Book:
    """All that decisions hang on."""

    def __init__(self, config: RunnerConfig, born: Callable[[Event], int] = lambda _event: 0):
        self._config = config
        self.registry = Registry()
        self.rates = Rates()
        self.chains = Chains(config.loop_seconds, born)
        self.load = Load(config.together)

    def learn(self, event: Event) -> None:
        """What the log says of subscriptions and servers."""
        self.registry.learn(event)
        if event.kind == "subscription.ended":
            self.rates.forget(str(event.subscription))  # no other: one may be known before it is armed again

    def decide(self, event: Event, now: float, limit: Limit, known: frozenset[str] = frozenset()) -> list[Intent | Tally]:
        """What follows from an event, for each action of its subscription. `known`: `<subscription>/<index>` of what is
        decided already."""
        armed = self.registry.armed.get(event.subscription or "")
        if armed is None or not event.kind.endswith((".matched", ".expired")):
            return []
        found = (self._one(event, armed, index, now, limit) for index in range(len(armed.specs))
                 if f"{armed.id}/{index}" not in known)  # fmt: skip
        return list(found)

    def _one(self, event: Event, armed: Armed, index: int, now: float, limit: Limit) -> Intent | Tally:
        def no(kind: str, code: str, reason: str) -> Tally:
            return Tally(index, kind, code, reason, 1, event.n, event.n, event)

        action, key, config = armed.actions[index], f"{armed.id}/{index}", self._config
        if isinstance(action, str):
            return no("action.refused", "unknown", action)
        at = datetime.fromisoformat(event.time).timestamp()
        times, seconds = self._rate(action)
        if times and self.rates.near(key, at, seconds) >= times:  # first, because in a flood it is the only question
            return no("action.suppressed", "rate", f"rate: at most {times} in {seconds:g} s")
        if reason := limit(key, action):
            return no("action.refused", "policy", reason)
        depth = max(armed.depth, self.chains.depth(event, now))
        if depth > (action.loop or config.loop_depth):
            return no(
                "action.refused", "loop",
                f"loop: {depth} actions in a row led to this, each within {config.loop_seconds:g} s of the one before; "
                "if that is meant: --loop-depth N (`loop` of the action)",
            )  # fmt: skip
        oldest = action.max_age or config.max_age
        if action.deliver != AT_LEAST_ONCE and not armed.history and now - at > oldest:
            return no("action.refused", "stale", f"stale: the event is more than {oldest:g} s old")
        most, free = action.queue or config.queue, self.load.free(armed.id, action.concurrency or config.concurrency)
        if self.load.waiting(armed.id) >= most + free:  # who may begin at once waits for nobody
            return no("action.refused", "queue", f"queue: {most} of its actions {'waits' if most == 1 else 'wait'} already")
        if times:
            self.rates.add(key, at, times)
        if not action.dry:
            self.load.wait(armed.id)
        return Intent(
            action_id(event.n, armed.id, index), event.n, armed.id, armed.name, index, armed.specs[index], 1, depth, event
        )  # fmt: skip

    def _rate(self, action: Action) -> tuple[int, float]:
        if action.rate is None:
            return self._config.rate_events, self._config.rate_seconds
        return (int(action.rate[0]), action.rate[1]) if action.rate else (0, 0.0)

    def dump(self) -> dict[str, Any]:
        """What is kept over restarts."""
        return {**self.registry.dump(), "rates": self.rates.dump(), "panes": self.chains.dump()}

    def restore(self, kept: dict[str, Any]) -> None:
        self.registry.load(kept)
        self.rates.load(kept["rates"])
        self.chains.load(kept["panes"])

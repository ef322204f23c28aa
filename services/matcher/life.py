"""A subscription's life in the loop: what is to be done when it begins, and how it ends."""

from collections.abc import Callable, Mapping

from ...shared.outbox import Outbox
from ...shared.service import Service
from . import drafts
from .context import Context
from .history import History
from .registry import Registry
from .rules import Rules
from .silence import Silence
from .stream import StreamState
from .subscription import Subscription

_AGAIN = 1.0  # seconds until what a full disk refused is tried again


class Life:
    """`streams`: those that are followed, by server and name."""

    def __init__(
        self, service: Service, registry: Registry, rules: Rules, outbox: Outbox, streams: Mapping[str, StreamState],
        silence: Silence, context: Context, history: History,
    ):  # fmt: skip
        self._service, self._registry, self._rules, self._outbox, self._streams = service, registry, rules, outbox, streams
        self._silence, self._context, self._history = silence, context, history

    def begin(self, subscription: Subscription) -> None:
        """What is to be done for one that is armed, beside waiting for lines."""
        if subscription.kind == "idle":
            self._silence.begin(subscription, self._streams.values())
        if subscription.options.start != "now":
            for state in list(self._streams.values()):
                if any(
                    subscription.covers(state.server, session, state.pane) for session in state.route.ahead(state.lines.end)
                ):
                    self._history.begin(subscription, state, subscription.since(state.server, state.name))
        rule = self._rules.by_id.get(subscription.id)
        if rule and rule.held:
            self._context.begin(rule)

    def end(
        self, subscription: Subscription, reason: str, by: str | None = None,
        done: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        """Report the end, its reason and the pane that caused it; forget the subscription when that is in the journal."""
        lives = subscription.id in self._registry.store.active
        self._rules.release(subscription.id)
        self._rules.once_saved(lambda: self._end(subscription, reason, by, done, lives))

    def _end(
        self, subscription: Subscription, reason: str, by: str | None, done: Callable[[], None] | None, lives: bool
    ) -> None:  # fmt: skip
        if subscription.options.after:
            self._context.end(subscription)
        if lives and subscription.id not in self._registry.store.active:  # what was released has ended it
            if done:
                self._rules.once_saved(lambda: self._outbox.put([], done))
            return
        self._registry.end(subscription)
        self._silence.end(subscription)
        for state in self._streams.values():
            state.seen.pop(subscription.id, None)
        self._rules.once_saved(lambda: self._report(subscription, reason, by, done))

    def _report(
        self, subscription: Subscription, reason: str, by: str | None, done: Callable[[], None] | None
    ) -> None:  # fmt: skip
        self._outbox.put([drafts.ended(subscription, reason, by)], lambda: self.forget(subscription.id, done))
        self._rules.remove(subscription)

    def forget(self, id: str, done: Callable[[], None] | None = None) -> None:
        """Its end is in the journal."""
        try:
            self._registry.forget(id)
        except OSError as error:
            print(f"subscriptions: {error}; trying again", flush=True)
            self._service.after(_AGAIN, lambda: self.forget(id, done))
            return
        if done:
            done()

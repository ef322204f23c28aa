"""Subscriptions by what they look for and where: who is concerned, without a walk over all of them. Pure."""

from collections import Counter
from collections.abc import Iterator
from itertools import product

from .subscription import Subscription

Scope = tuple[str | None, str | None, str | None]


def _scope(subscription: Subscription) -> Scope:
    return subscription.server, subscription.session, subscription.pane


def _scopes(server: str, session: str, pane: str) -> Iterator[Scope]:
    """Every scope that covers a pane."""
    return product((None, server), (None, session), (None, pane))


class Index:
    """`patterns` counts how many look for each; None are those that wait for any output. `echoes`
    counts those with `include_echo`."""

    def __init__(self) -> None:
        self.patterns: Counter[str | None] = Counter()
        self.echoes = 0
        self._scopes: Counter[Scope] = Counter()
        self._owners: dict[str | None, dict[Scope, dict[str, Subscription]]] = {}

    def add(self, subscription: Subscription) -> None:
        scope = _scope(subscription)
        self.patterns[subscription.pattern] += 1
        self.echoes += subscription.include_echo
        self._scopes[scope] += 1
        self._owners.setdefault(subscription.pattern, {}).setdefault(scope, {})[subscription.id] = subscription

    def remove(self, subscription: Subscription) -> None:
        scopes = self._owners[subscription.pattern]
        scope = _scope(subscription)
        del scopes[scope][subscription.id]
        self.patterns[subscription.pattern] -= 1
        self.echoes -= subscription.include_echo
        self._scopes[scope] -= 1
        if not self._scopes[scope]:
            del self._scopes[scope]
        if not scopes[scope]:
            del scopes[scope]
        if not scopes:
            del self._owners[subscription.pattern], self.patterns[subscription.pattern]

    def covers(self, server: str, session: str, pane: str) -> bool:
        """Whether anybody is interested in a pane."""
        return any(scope in self._scopes for scope in _scopes(server, session, pane))

    def all_owners(self, pattern: str) -> list[Subscription]:
        """Who looks for a pattern anywhere."""
        return [found for scope in self._owners.get(pattern, {}).values() for found in scope.values()]

    def owners(self, pattern: str | None, server: str, session: str, pane: str) -> list[Subscription]:
        """Who looks for a pattern (None: for any output) in a pane."""
        scopes = self._owners.get(pattern)
        if scopes is None:
            return []
        return [
            subscription
            for scope in _scopes(server, session, pane)
            for subscription in scopes.get(scope, {}).values()
        ]  # fmt: skip

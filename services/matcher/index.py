"""Subscriptions by what they want and where: who is concerned, without a walk over all of them. Pure."""

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
    """`wanted` counts how many want each: a pattern, or another fact of a pane (see `Subscription.wants`). `echoes` counts
    those with `include_echo`."""

    def __init__(self) -> None:
        self.wanted: Counter[str] = Counter()
        self.echoes = 0
        self._scopes: Counter[Scope] = Counter()
        self._owners: dict[str, dict[Scope, dict[str, Subscription]]] = {}

    def add(self, subscription: Subscription) -> None:
        scope = _scope(subscription)
        self.echoes += subscription.options.include_echo
        self._scopes[scope] += 1
        for want in subscription.wants:
            self.wanted[want] += 1
            self._owners.setdefault(want, {}).setdefault(scope, {})[subscription.id] = subscription

    def remove(self, subscription: Subscription) -> None:
        scope = _scope(subscription)
        self.echoes -= subscription.options.include_echo
        self._scopes[scope] -= 1
        if not self._scopes[scope]:
            del self._scopes[scope]
        for want in subscription.wants:
            scopes = self._owners[want]
            del scopes[scope][subscription.id]
            self.wanted[want] -= 1
            if not scopes[scope]:
                del scopes[scope]
            if not scopes:
                del self._owners[want], self.wanted[want]

    def covers(self, server: str, session: str, pane: str) -> bool:
        """Whether anybody is interested in a pane."""
        return any(scope in self._scopes for scope in _scopes(server, session, pane))

    def all_owners(self, want: str) -> list[Subscription]:
        """Who wants this of any pane."""
        return [found for scope in self._owners.get(want, {}).values() for found in scope.values()]

    def owners(self, want: str, server: str, session: str, pane: str) -> list[Subscription]:
        """Who wants this of a pane."""
        scopes = self._owners.get(want)
        if scopes is None:
            return []
        return [
            subscription
            for scope in _scopes(server, session, pane)
            for subscription in scopes.get(scope, {}).values()
        ]  # fmt: skip

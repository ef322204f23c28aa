"""Who looks at whom: what `any` and `all` are told of the subscriptions that are their members. Pure."""

from collections.abc import Iterator
from typing import Any

from .facts import Fact
from .rule import Fired
from .subscription import Subscription

Told = tuple[str, Fact]  # the id of a subscription, and what it is told


class Members:
    """Each member with those that look at it."""

    def __init__(self) -> None:
        self._followers: dict[str, list[str]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._followers))

    def add(self, subscription: Subscription) -> None:
        for member in subscription.options.members:
            self._followers.setdefault(member, []).append(subscription.id)

    def remove(self, subscription: Subscription) -> None:
        for member in subscription.options.members:
            followers = self._followers.get(member, [])
            if subscription.id in followers:
                followers.remove(subscription.id)
            if not followers:
                self._followers.pop(member, None)

    def fired(self, id: str, event: Fired) -> list[Told]:
        """A subscription that remembers has fired."""
        server, session, pane = event.place
        source = {"at": event.at, "server": server, "session": session, "pane": pane}
        return self._told(id, id, event.n, source, event.data)

    def matched(self, id: str, fact: Fact, event: dict[str, Any]) -> list[Told]:
        """A plain one has fired."""
        return self._told(id, f"{id}/{fact['key']}", fact["position"], fact, event)

    def over(self, id: str, at: float) -> list[Told]:
        """One has ended."""
        return self._told(id, f"{id}/over", 0, {"at": at}, None)

    def _told(self, id: str, key: str, position: int, source: Fact, event: dict[str, Any] | None) -> list[Told]:
        if id not in self._followers:
            return []
        fact = {name: source.get(name) for name in ("at", "server", "session", "pane")}
        fact |= {
            "is": "member", "key": f"member/{key}", "position": position, "member": id, "event": event, "over": not event,
        }  # fmt: skip
        return [(follower, fact) for follower in self._followers[id]]

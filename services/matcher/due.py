"""When rules are told that a time is up, or that all that was printed by then is read: by a tick, which is a fact too."""

import time
from collections.abc import Mapping
from typing import Protocol

from ...shared.service import Service
from .deadlines import Deadlines
from .facts import Fact
from .rule import Rule
from .subscription import Subscription

_BEHIND = 0.05  # seconds until it is looked at again, when what has come by then is not read yet


class Owner(Protocol):
    """What it needs of the rules."""

    @property
    def by_id(self) -> Mapping[str, Rule]: ...

    @property
    def stuck(self) -> bool: ...

    def known(self, subscription: Subscription, until: float) -> float: ...

    def ticked(self, rule: Rule, tick: Fact) -> None: ...

    def waited(self) -> None: ...


class Due:
    """A timer for each rule that waits."""

    def __init__(self, service: Service, owner: Owner):
        self._owner = owner
        self._deadlines = Deadlines(service, self._due)

    def arm(self, rule: Rule) -> None:
        """Something from behind its time tells that this is up, also while the machine slept."""
        if rule.wake is not None:
            self._deadlines.arm(rule.subscription.id, rule.wake, 0.0 if rule.aside else None)

    def __len__(self) -> int:
        return len(self._deadlines)

    def cancel(self, id: str) -> None:
        self._deadlines.cancel(id)

    def settle(self, rule: Rule) -> None:
        """Nothing more comes of where it looks, or it is over: what it has put aside counts now."""
        if rule.aside:
            self._tick(rule, rule.aside.last)

    def _due(self, id: str, counted: float) -> None:
        rule = self._owner.by_id.get(id)
        if rule is None or (wake := rule.wake) is None:
            return
        now = max(counted, time.time())
        if wake > now:
            self.arm(rule)
            return
        known = self._owner.known(rule.subscription, wake)  # what has come by then counts, and may change it
        if self._owner.by_id.get(id) is not rule or (wake := rule.wake) is None:
            return
        if wake > now:
            self.arm(rule)
        elif self._owner.stuck or (at := rule.tick(now, known)) is None or self._hurry_members(rule, at):
            self._deadlines.arm(id, wake, _BEHIND)
            self._owner.waited()
        else:
            self._tick(rule, at)

    def _hurry_members(self, rule: Rule, at: float) -> bool:
        """Whether one that it looks at may yet fire by a time: that is seen to at once."""
        found = False
        for id in rule.subscription.options.members:
            member = self._owner.by_id.get(id)
            if member is None:
                continue
            if member.wake is not None and member.wake <= at:
                self._deadlines.arm(id, member.wake, 0.0)
                found = True
            found = found or any(held["at"] <= at for held in member.held.values())
        return found

    def _tick(self, rule: Rule, at: float) -> None:
        self._owner.ticked(rule, {"is": "tick", "at": at, "key": "tick", "position": 0})

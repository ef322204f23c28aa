"""When rules are told that a time is up, or that all that was printed by then is read: by a tick, which is a fact too."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from ...shared.service import Service
from .aside import Known, Untold
from .deadlines import Deadlines
from .members import Told
from .rule import Rule
from .subscription import Subscription

_BEHIND = 0.05  # seconds until it is looked at again, when what has come by then is not read yet


class Owner(Protocol):
    """What it needs of the matcher."""

    def caught_up(self, until: float) -> bool: ...

    def is_unsure(self, until: float) -> bool: ...

    def look(self) -> None: ...

    def untold(self, subscription: Subscription) -> Iterable[Untold]: ...

    def tells_past(self, subscription: Subscription) -> bool: ...

    @property
    def leaving(self) -> bool: ...


class Rules(Protocol):
    """What it needs of those that it tells."""

    @property
    def by_id(self) -> Mapping[str, Rule]: ...

    @property
    def stuck(self) -> bool: ...

    def tell(self, told: Iterable[Told]) -> None: ...


class Due:
    """A timer for each rule that has a deadline, and one for all that have put something aside."""

    def __init__(self, service: Service, rules: Rules, owner: Owner):
        self._service, self._rules, self._owner = service, rules, owner
        self._deadlines = Deadlines(service, self._due)
        self._aside: dict[str, None] = {}  # rules, the first to have put something aside first
        self._soon = self._later = False  # whether a turn will come
        self._ending: list[tuple[str, Callable[[], None]]] = []  # panes of which nothing more comes, and what comes then

    def __len__(self) -> int:
        return len(self._deadlines) + len(self._aside)

    def arm(self, rule: Rule) -> None:
        """Something from behind its deadline tells that this is up, also while the machine slept."""
        id = rule.subscription.id
        if rule.deadline is not None:
            self._deadlines.arm(id, rule.deadline, 0.0 if rule.is_up else None)
        if rule.waits:
            self._aside[id] = None
            self._have_turn()
        else:
            self._aside.pop(id, None)

    def cancel(self, id: str) -> None:
        self._deadlines.cancel(id)
        self._aside.pop(id, None)

    # ---- deadlines -------------------------------------------------------------------------------------------------

    def _due(self, id: str, counted: float) -> None:
        rule = self._rules.by_id.get(id)
        if rule is None or (deadline := rule.deadline) is None:
            return
        if deadline > max(counted, time.time()):
            self.arm(rule)
            return
        caught_up = self._owner.caught_up(deadline)  # what has come by then counts, and may change it
        if id in self._deadlines or rule.deadline != deadline:
            return
        known = caught_up and not self._rules.stuck and not self._owner.is_unsure(deadline)
        if known and not self._hurry_members(rule, deadline) and not self._owner.tells_past(rule.subscription):
            self._rules.tell([_tick(id, deadline)])
        else:
            self._deadlines.arm(id, deadline, _BEHIND)

    def _hurry_members(self, rule: Rule, until: float) -> bool:
        """Whether one that it looks at may yet fire by a time: that is seen to at once."""
        late = [member for member in self._members(rule) if member.since is not None and member.since <= until]
        for member in late:
            if member.deadline is not None and member.deadline <= until:
                self._deadlines.arm(member.subscription.id, member.deadline, 0.0)
        return bool(late)

    def _members(self, rule: Rule) -> Iterator[Rule]:
        """Those that remember something of all that it looks at, and of what those look at."""
        for id in rule.subscription.options.members:
            member = self._rules.by_id.get(id)
            if member:
                yield member
                yield from self._members(member)

    # ---- what is put aside -----------------------------------------------------------------------------------------

    def _have_turn(self) -> None:
        if not self._soon:
            self._soon = True
            self._service.after(0.0, self._turn)

    def _turn(self) -> None:
        """Of rules for which the order of panes matters, tell each up to when all is known."""
        self._soon = False
        if not self._owner.leaving and not self._rules.stuck:
            self._owner.look()
            scopes: dict[object, Known] = {}
            ticks = []
            for id in list(self._aside):
                rule = self._rules.by_id[id]
                if rule.aside.ordered and (at := rule.aside.known(self._known(rule, scopes))) is not None:
                    ticks.append(_tick(id, at))
            self._rules.tell(ticks)
        self._end()
        if (self._aside or self._ending) and not self._later:
            self._later = True
            self._service.after(_BEHIND, self._turn_later)

    def _turn_later(self) -> None:
        self._later = False
        if not self._soon:
            self._turn()

    def _known(self, rule: Rule, scopes: dict[object, Known]) -> Known:
        """`scopes`: what was found of them in this turn."""
        subscription = rule.subscription
        members = list(self._members(rule))
        if any(self._owner.tells_past(one.subscription) for one in (rule, *members)):
            return Known().until(0.0)
        scope = (subscription.server, subscription.session, bool(subscription.options.members))
        if scope not in scopes:
            scopes[scope] = Known.without(self._owner.untold(subscription))
        return scopes[scope].until(min((one.since for one in members if one.since is not None), default=math.inf))

    def settle(self, rule: Rule) -> None:
        """Nothing more comes of where it looks: what it has put aside counts now."""
        if rule.aside:
            self._rules.tell([_tick(rule.subscription.id, rule.aside.last)])

    def release(self, rule: Rule) -> None:
        """It is over: what it has put aside counts now, but does not tell that a time is up."""
        if rule.waits:
            id, tick = _tick(rule.subscription.id, rule.aside.last)
            self._rules.tell([(id, {**tick, "over": True})])

    # ---- panes that end --------------------------------------------------------------------------------------------

    def once_told(self, pane: str, action: Callable[[], None]) -> None:
        """Call it when nothing of a pane is put aside any more, or that is left to the next matcher."""
        if self._owner.leaving or not any(self._rules.by_id[id].waits_with(pane) for id in self._aside):
            action()
        else:
            self._ending.append((pane, action))  # a turn comes, as there is such a rule

    def _end(self) -> None:
        ending, self._ending = self._ending, []
        for pane, action in ending:
            self.once_told(pane, action)


def _tick(id: str, at: float) -> Told:
    return id, {"is": "tick", "at": at, "key": "tick", "position": 0}

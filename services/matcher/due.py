"""When rules are told that a time is up, or that all that was printed by then is read: by a tick, which is a fact too."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from ...shared.service import Service
from .aside import Known, Untold
from .deadlines import Deadlines
from .members import Told
from .rule import Rule
from .subscription import Subscription

_BEHIND = 0.05  # seconds until it is looked at again, when what has come by then is not read yet
_PATIENCE = 2.0  # seconds in which nothing counts of what is put aside; then only what can be read is waited for


class Owner(Protocol):
    """What it needs of the matcher."""

    def caught_up(self, until: float) -> bool: ...

    def is_unsure(self, until: float) -> bool: ...

    def unread(self) -> list[Untold]: ...

    def unsure(self) -> list[Untold]: ...

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


class _Look:
    """What was found in one turn: the same for all rules of a scope."""

    def __init__(self, owner: Owner):
        self._unread, self._unsure = owner.unread(), owner.unsure()
        self._scopes: dict[object, Known] = {}

    def known(self, subscription: Subscription, late: bool) -> Known:
        """What is known where a subscription looks; `late`: whether it waits for no unfinished line any more."""
        members = bool(subscription.options.members)  # which may look anywhere
        scope = subscription.server, subscription.session, members, late
        if scope not in self._scopes:
            untold = self._unread if late else [*self._unread, *self._unsure]
            self._scopes[scope] = Known.without(one for one in untold if members or _covers(subscription, one))
        return self._scopes[scope]


def _covers(subscription: Subscription, untold: Untold) -> bool:
    return any(subscription.covers(untold.server, session, untold.pane) for session in untold.sessions)


class Due:
    """A timer for each rule that has a deadline, and one for all that have put something aside."""

    def __init__(self, service: Service, rules: Rules, owner: Owner):
        self._service, self._rules, self._owner = service, rules, owner
        self._deadlines = Deadlines(service, self._due)
        self._aside: dict[str, float] = {}  # rules, and since when nothing counts of what they have put aside (monotonic)
        self._soon = self._later = False  # whether a turn will come
        self._ending: list[tuple[str, float, Callable[[], None]]] = []  # panes, until when, and what comes then

    def __len__(self) -> int:
        return len(self._deadlines) + len(self._aside)

    def arm(self, rule: Rule) -> None:
        """Something from behind its deadline tells that this is up, also while the machine slept."""
        id = rule.subscription.id
        if rule.deadline is not None:
            self._deadlines.arm(id, rule.deadline, 0.0 if rule.is_up else None)
        if rule.waits:
            self._aside.setdefault(id, time.monotonic())
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
        if known and not self._hurry_members(rule, deadline):
            self._rules.tell([(id, rule.tick(deadline))])
        else:
            self._deadlines.arm(id, deadline, _BEHIND)

    def _hurry_members(self, rule: Rule, until: float) -> bool:
        """Whether one that it looks at may yet fire by a time: that is seen to at once."""
        late = False
        for member in self._members(rule):
            if member.deadline is not None and member.deadline <= until:
                self._deadlines.arm(member.subscription.id, member.deadline, 0.0)
                late = True
            late = late or (member.waits and member.aside.first <= until)
        return late

    def _members(self, rule: Rule) -> list[Rule]:
        """Those that remember something of all that it looks at, and of what those look at; each once."""
        found: dict[str, Rule] = {}
        ids = list(rule.subscription.options.members)
        while ids:
            id = ids.pop()
            member = self._rules.by_id.get(id)
            if member and id not in found:
                found[id] = member
                ids += member.subscription.options.members
        return list(found.values())

    # ---- what is put aside -----------------------------------------------------------------------------------------

    def _have_turn(self) -> None:
        if not self._soon:
            self._soon = True
            self._service.after(0.0, self._turn)

    def _turn(self) -> None:
        """Of rules for which the order of panes matters, tell each up to when all is known."""
        self._soon = False
        if not self._owner.leaving and not self._rules.stuck:
            look = _Look(self._owner)
            now = time.monotonic()
            ticks: list[Told] = []
            for id, since in list(self._aside.items()):
                rule = self._rules.by_id[id]
                if not rule.aside.ordered:
                    continue
                at = rule.aside.known(self._known(rule, look, now - since > _PATIENCE))
                if at is not None:
                    self._aside[id] = now
                    ticks.append((id, rule.tick(at)))
            self._rules.tell(ticks)
        self._end()
        if (self._aside or self._ending) and not self._later:
            self._later = True
            self._service.after(_BEHIND, self._turn_later)

    def _turn_later(self) -> None:
        self._later = False
        if not self._soon:
            self._turn()

    def _known(self, rule: Rule, look: _Look, late: bool) -> Known:
        """`late`: what may never come is waited for no longer: an unfinished line, the end of its past, a member."""
        known = look.known(rule.subscription, late)
        if late:
            return known
        members = self._members(rule)
        if any(self._owner.tells_past(one.subscription) for one in (rule, *members)):
            return known.until(0.0)
        return known.until(min((one.since for one in members if one.since is not None), default=math.inf))

    def settle(self, rule: Rule) -> None:
        """Nothing more comes of where it looks: what it has put aside counts now."""
        if rule.aside:
            self._rules.tell([(rule.subscription.id, rule.tick(rule.aside.last))])

    def release(self, rule: Rule) -> None:
        """It is over: what it has put aside counts now, up to its deadline, and no time passes."""
        if rule.waits:
            self._rules.tell([(rule.subscription.id, rule.tick(rule.aside.last, over=True))])

    # ---- panes that end --------------------------------------------------------------------------------------------

    def once_told(self, pane: str, action: Callable[[], None]) -> None:
        """Call it when nothing is put aside that a pane has printed by now, or that is left to the next matcher."""
        if self._aside:
            self._ending.append((pane, time.time(), action))
            self._have_turn()
        else:
            action()

    def _end(self) -> None:
        if not self._ending:
            return
        first: dict[str, float] = {}  # of each pane
        for rule in () if self._owner.leaving else map(self._rules.by_id.__getitem__, self._aside):
            for pane, at in rule.aside.firsts():
                first[pane] = min(at, first.get(pane, math.inf))
        ending, self._ending = self._ending, []
        for pane, until, action in ending:
            if first.get(pane, math.inf) <= until:
                self._ending.append((pane, until, action))
            else:
                action()

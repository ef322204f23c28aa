"""The subscriptions that remember something, in the loop: what they are told is kept first, their times are timers."""

import time
from collections import deque
from collections.abc import Callable, Container, Iterable
from functools import partial
from typing import Protocol

from ...shared.outbox import Outbox
from ...shared.service import Service
from . import drafts, due
from .facts import Fact, pane_key
from .members import Members, Told
from .memory import Memory
from .rule import Rule
from .subscription import Subscription

_AGAIN = 1.0  # seconds until what a full disk refused is tried again
_DAMAGED = (KeyError, IndexError, TypeError, ValueError, AttributeError)  # what a file that was changed may lead to


class Owner(due.Owner, Protocol):
    """What the rules need of the matcher."""

    outbox: Outbox

    def ended(self, subscription: Subscription, reason: str, by: str | None) -> None: ...

    def holding(self, rule: Rule) -> None: ...

    def released(self) -> None: ...


class Rules:
    """`by_id` has those that live."""

    def __init__(self, service: Service, owner: Owner, path: str, root: str):
        self._service, self._owner = service, owner
        self.root = root  # of the spools
        self._memory = Memory(path)
        self.by_id: dict[str, Rule] = {}
        self.members = Members()
        self._waiting: dict[str, set[str]] = {}  # pane -> those that may wait for something of it that its end decides
        self._due = due.Due(service, self, owner)
        self._coming: list[Told] = []  # what follows from what they are told just now
        self._telling = False
        self._unsaved: list[Told] = []
        self._behind: deque[Callable[[], None]] = deque()  # what comes after that

    @property
    def stuck(self) -> bool:
        """Whether a full disk keeps them from being told more."""
        return bool(self._unsaved)

    def add(self, subscription: Subscription) -> Rule:
        rule = self._restored(subscription)
        self.by_id[subscription.id] = rule
        for pane in rule.panes:
            self._waiting.setdefault(pane, set()).add(subscription.id)
        self.members.add(subscription)
        self._due.arm(rule)
        return rule

    def _restored(self, subscription: Subscription) -> Rule:
        """As an earlier matcher left it, unless that is damaged."""
        try:
            rule = Rule(subscription, self._memory.states.pop(subscription.id, None))
            _ = rule.since, rule.panes
        except _DAMAGED as error:
            print(f"facts: the state of {subscription.id} is damaged and left out: {error!r}", flush=True)
            return Rule(subscription)
        return rule

    def remove(self, subscription: Subscription) -> None:
        """It is over; those that look at it are told."""
        self.by_id.pop(subscription.id, None)
        self._due.cancel(subscription.id)
        self.members.remove(subscription)
        for pane, waiting in list(self._waiting.items()):
            waiting.discard(subscription.id)
            if not waiting:
                del self._waiting[pane]
        self.tell(self.members.over(subscription.id, time.time()))

    def resume(self, active: Container[str], reported: dict[str, int]) -> None:
        """Tell them again what an earlier matcher has told them: the same follows. `active`: who can be a member;
        `reported`: the number of the last event of each that is in the journal."""
        self._telling = True  # what follows waits for the last of them
        self._apply(self._memory.facts, again=True)
        self._telling = False
        self._memory.facts, self._memory.states = [], {}
        for id, rule in self.by_id.items():
            rule.reported(reported.get(id, 0))
            self._due.arm(rule)
        for rule in list(self.by_id.values()):
            if rule.over:
                self._owner.ended(rule.subscription, rule.over, None)
        now = time.time()
        self.tell([over for member in self.members if member not in active for over in self.members.over(member, now)])

    # ---- facts -----------------------------------------------------------------------------------------------------

    def waiting_for(self, server: str, pane: str) -> list[str]:
        """Those that wait for something of a pane which has ended."""
        return [id for id in self._waiting.pop(f"{server}/{pane}", ()) if id in self.by_id]

    def tell(self, told: Iterable[Told]) -> None:
        """Keep what is new of this, then let follow what follows."""
        self._coming += told
        if self._telling:  # they are told when all of the batch before has been
            return
        self._telling = True
        try:
            while self._coming:
                told, self._coming = self._coming, []
                self._keep([(id, fact) for id, fact in told if id in self.by_id and not self._knows(id, fact)])
        finally:
            self._telling = False
        self._compact()

    def _keep(self, news: list[Told]) -> None:
        if news and not self._unsaved:
            try:
                self._memory.add(news)
            except OSError as error:
                print(f"facts: {error}; trying again", flush=True)
                self._service.after(_AGAIN, self._save)
            else:
                self._apply(news)
                return
        self._unsaved += news

    def _knows(self, id: str, fact: Fact) -> bool:
        try:
            return fact["is"] != "tick" and self.by_id[id].knows(fact)
        except _DAMAGED:  # `_apply` says it
            return False

    def _save(self) -> None:
        told, self._unsaved = self._unsaved, []
        self.tell(told)
        while self._behind and not self._unsaved:
            self._behind.popleft()()
        if not self._unsaved:
            self._owner.released()

    def once_saved(self, action: Callable[[], None]) -> None:
        """Call it now, or when a full disk has taken what they were told: else the journal would be ahead of that, and a
        killed matcher would not read it again."""
        if self._unsaved:
            self._behind.append(action)
        else:
            action()

    def _apply(self, told: Iterable[Told], again: bool = False) -> None:
        """`again`: what an earlier matcher has told them, of which a part may be damaged."""
        over: list[tuple[Rule, str | None]] = []
        late: dict[Rule, None] = {}
        for id, fact in told:
            rule = self.by_id.get(id)
            if rule is None:
                continue
            try:
                fired = rule.take(fact)
                if rule.waits_for(pane_key(fact)):
                    self._waiting.setdefault(pane_key(fact), set()).add(id)
            except _DAMAGED as error:
                print(f"facts: {id} makes nothing of {str(fact)[:200]}: {error!r}", flush=True)
                fired = []
                if not again:  # its state is damaged, and no fact would mend it
                    rule.over = rule.over or "damaged"
            if rule.held and rule.aside.ordered:  # whoever has told the line does not know
                late[rule] = None
            self._owner.outbox.put([drafts.fired(rule.subscription, event) for event in fired])
            for event in fired:
                self._coming += self.members.fired(id, event)
            if rule.over:
                over.append((rule, pane_key(fact) if fact.get("pane") else None))
            else:
                self._due.arm(rule)
        for rule in late:
            self._owner.holding(rule)
        for rule, by in over:  # behind its last event
            self._owner.ended(rule.subscription, str(rule.over), by)

    def _compact(self) -> None:
        if self._memory.full and not self._unsaved:
            states = ((id, self.by_id[id].dump()) for id in list(self.by_id) if id in self.by_id)
            self._memory.compact(self._service, states, lambda heard: self._owner.outbox.put([], heard))

    # ---- times -----------------------------------------------------------------------------------------------------

    def once_told(self, server: str, pane: str, action: Callable[[], None]) -> None:
        """Call it when all that they were told of a pane counts, and is kept."""
        told = partial(self._due.once_told, f"{server}/{pane}", partial(self.once_saved, action))
        self.once_saved(told)

    def settle(self, id: str) -> None:
        """Nothing more comes of where it looks: what it has put aside counts now."""
        if id in self.by_id:
            self._due.settle(self.by_id[id])

    def release(self, id: str) -> None:
        """It is over: what it has put aside counts now, but does not tell that a time is up."""
        if id in self.by_id:
            self._due.release(self.by_id[id])

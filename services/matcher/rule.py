"""A subscription that remembers something: facts in, events out, the same whenever the same facts are told again. Pure."""

import json
from typing import Any, NamedTuple

from .aside import Aside
from .correlation import AllOf, AnyOf, NotThen, Sequence, Threshold
from .facts import End, Fact, Firing, Place, Said, fitting
from .heard import Heard
from .kinds import Absence, Command, Exit, Idle, Kind, Pattern, Prompt, Timeout
from .policy import Policy
from .subscription import Subscription

KINDS: dict[str, type[Kind]] = {
    "pattern": Pattern, "timeout": Timeout, "absence": Absence, "idle": Idle, "exit": Exit, "command": Command,
    "prompt": Prompt, "sequence": Sequence, "not-then": NotThen, "threshold": Threshold, "any": AnyOf, "all": AllOf,
}  # fmt: skip
_EXPIRE = ("timeout", "absence", "idle", "not-then")


def event_kind(kind: str) -> str:
    """What the events of a kind are called: something has come, or its time has passed."""
    return f"{kind}.expired" if kind in _EXPIRE else f"{kind}.matched"


class Fired(NamedTuple):
    """An event to be; `n` counts those of the subscription."""

    n: int
    at: float
    place: Place
    data: dict[str, Any]


class Rule:
    """`fired` counts its events; `over`: why it has ended; `held`: firings that wait for the lines after theirs; `closing`:
    why it is over when they have come; `aside`: facts from behind the deadline, or all if their order matters. Panes are
    read one after the other: lines of another one may be in time and not told yet; when they are, a tick says so."""

    def __init__(self, subscription: Subscription, state: dict[str, Any] | None = None):
        state = state or {}
        self.subscription = subscription
        self._options = subscription.options
        self._kind = KINDS[subscription.kind](subscription, state.get("kind"))
        self._policy = Policy(subscription.options, state.get("policy"))
        self._heard = Heard(state.get("seen", {}), state.get("begun", {}))
        self.fired: int = state.get("fired", 0)
        self.last: Fact | None = state.get("last")
        self.over: str | None = state.get("over")
        self.closing: str | None = state.get("closing")
        self.held: dict[str, dict[str, Any]] = state.get("held", {})
        self.aside = Aside(state.get("aside", []), self._is_ordered())
        self._ticks = self._issued = int(state.get("ticks", 0))

    def tick(self, at: float, over: bool = False) -> Fact:
        """What tells it, once, that all up to a time is known; `over`: although it is not, and no time has passed."""
        self._issued += 1
        return {"is": "tick", "at": at, "key": "tick", "position": self._issued, "over": over}

    def dump(self) -> dict[str, Any]:
        """All that it remembers, as JSON can hold it."""
        state = {
            "kind": self._kind.state, "policy": self._policy.state, "seen": self._heard.positions,
            "begun": self._heard.begun, "fired": self.fired, "last": self.last, "over": self.over, "held": self.held,
            "closing": self.closing, "aside": self.aside.facts, "ticks": self._ticks,
        }  # fmt: skip
        copied: dict[str, Any] = json.loads(json.dumps(state))
        return copied

    def _is_ordered(self) -> bool:
        """Whether facts of several panes count in the order of their times: of others, each does as soon as it is told."""
        if self.subscription.kind == "all":
            return True
        return not self._is_one_pane and (self._options.across or self._options.until is not None)

    @property
    def _is_one_pane(self) -> bool:
        return self.subscription.pane is not None and self.subscription.server is not None

    @property
    def waits(self) -> bool:
        """Whether it has put something aside that is to count."""
        return bool(self.aside) and not self.over and not self.closing

    @property
    def since(self) -> float | None:
        """From when on it may yet fire by what is known already."""
        held = (float(one["at"]) for one in self.held.values())
        first = self.aside.first if self.waits else None
        return min((at for at in (self.deadline, first, *held) if at is not None), default=None)

    @property
    def is_up(self) -> bool:
        """Whether something tells that its time is up, although others may have come before."""
        return bool(self.aside) and self.deadline is not None and self.aside.last >= self.deadline

    @property
    def deadline(self) -> float | None:
        """When a tick is due."""
        if self.over or self.closing:
            return None
        ttl = self._options.ttl and self.subscription.created + self._options.ttl
        return min((at for at in (self._kind.deadline, ttl) if at is not None), default=None)

    def reported(self, number: int) -> None:
        """So many events of it are in the journal. If facts were lost it has not come to them: a number that is known would
        be dropped."""
        self.fired = max(self.fired, number)
        self._count()

    def knows(self, fact: Fact) -> bool:
        """Whether it was told of this, or of what comes after it, before."""
        return self._is_deaf(fact) or self._heard.knows(fact)

    def _is_deaf(self, fact: Fact) -> bool:
        return self.over is not None or (self.closing is not None and fact["is"] != "after")

    def progress(self, now: float) -> list[str]:
        """How far its kind is, in sentences for people."""
        return self._kind.progress(now)

    @property
    def panes(self) -> set[str]:
        """Those of which it waits for something that their end decides."""
        return {pane for pane in {*self._kind.state.get("panes", ()), *self.aside.panes} if self.waits_for(pane)}

    def waits_for(self, pane: str) -> bool:
        """Whether the end of a pane may decide something."""
        if self._options.across or "panes" not in self._kind.state:
            return False
        return pane in self._kind.state["panes"] or self.aside.has(pane)

    def take(self, fact: Fact) -> list[Fired]:
        """The events that follow from a fact. What was due before it comes first."""
        if fact["is"] == "tick":
            if 0 < fact["position"] <= self._ticks:  # told again: what was put aside since then was not meant
                return []
            self._ticks = max(self._ticks, fact["position"])
            self._issued = max(self._issued, self._ticks)
            return self._pass(fact["at"], passes=not fact.get("over"))
        if self.knows(fact):
            return []
        fact = self._heard.new(fact)
        if fact["is"] == "after":
            return self._release(fact)
        self.aside.put(fact)
        return self._pass(self._sure(fact))

    def _sure(self, fact: Fact) -> float:
        """Up to when all is known by a fact: in one pane, things come in their order."""
        if self._is_one_pane and not self._options.members:
            return float(fact["at"])
        return self.aside.first if self.aside.is_full else 0.0

    def _pass(self, now: float, passes: bool = True) -> list[Fired]:
        """What has come, and, if time passes, what was due by `now`, in the order of their times."""
        fired: list[Fired] = []
        while not self.over:
            due = self.deadline
            fact = self.aside.take(due, now)
            if fact is not None:
                fired += self._hear(fact)
            elif passes and due is not None and due <= now:
                fired += self._expire(due)
            else:
                break
        return fired

    def _hear(self, fact: Fact) -> list[Fired]:
        if self._is_deaf(fact):
            return []
        self.last = fact
        fired: list[Fired] = []
        if fact["is"] != "line" or any(hit["index"] < len(self.subscription.patterns) for hit in fact["hits"]):
            fired += self._say(self._kind.take(fact), fact["at"])  # not of a line that only ends it
        if self._options.until and any(hit["pattern"] == self._options.until for hit in fact.get("hits", ())):
            self._end("until")
        return fired

    def _expire(self, due: float) -> list[Fired]:
        kind = self._kind.deadline
        if kind is None or kind > due:
            self._end("ttl")
            return []
        return self._say(self._kind.expire(due), due)

    def _say(self, said: list[Said], at: float) -> list[Fired]:
        fired: list[Fired] = []
        for one in said:
            if self.over is not None:
                break
            if isinstance(one, End):
                self._end(one.reason)
            elif self._policy.admits(str(one.data.get("line", one.data)), at):
                if self._options.after and "offset" in one.data:
                    name = f"{one.data['stream']}/{one.data['offset']}"
                    self.held[name] = {"at": at, "place": list(one.place), "data": one.data}
                    self._count()
                else:
                    fired.append(self._event(one, at))
        return fired

    def _release(self, fact: Fact) -> list[Fired]:
        held = self.held.pop(f"{fact['stream']}/{fact['offset']}", None)
        if held is None:
            return []
        event = self._event(Firing(Place(*held["place"]), {**held["data"], "after": fact["lines"]}), held["at"])
        if self.closing and not self.held:
            self.over = self.over or self.closing
        return [event]

    def _event(self, firing: Firing, at: float) -> Fired:
        self.fired += 1
        options = self._options
        data = {"name": options.name, **fitting(firing.data)}
        if options.limit or options.cooldown or options.dedupe:
            data["suppressed"] = self._policy.suppressed()
        self._count()
        return Fired(self.fired, at, firing.place, data)

    def _count(self) -> None:
        """What is held will be events: when those are enough, nothing else is taken."""
        most = self._options.count
        if most and self.fired + len(self.held) >= most:
            reason = "once" if most == 1 else "count"
            if self.fired >= most:
                self.over = self.over or reason
            else:
                self.closing = self.closing or reason

    def _end(self, reason: str) -> None:
        if self.held:
            self.closing = self.closing or reason
        else:
            self.over = self.over or reason

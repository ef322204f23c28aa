"""What each kind of subscription makes of facts: one state machine each, whose state JSON can hold. Pure."""

from typing import Any, Protocol

from . import pattern
from .facts import End, Fact, Firing, Place, Said, matched, place
from .subscription import Subscription

State = dict[str, Any]


class Kind(Protocol):
    """`deadline`: when `expire` is to be called, unless a fact changes that. `progress`: how far it is, in sentences."""

    state: State

    def __init__(self, subscription: Subscription, state: State | None): ...

    @property
    def deadline(self) -> float | None: ...

    def take(self, fact: Fact) -> list[Said]: ...

    def expire(self, now: float) -> list[Said]: ...

    def progress(self, now: float) -> list[str]: ...


class Stateless:
    """Nothing is waited for."""

    def __init__(self, subscription: Subscription, state: State | None):
        self.options = subscription.options
        self.patterns = subscription.patterns
        self.scope = Place(subscription.server, subscription.session, subscription.pane)
        self.created = subscription.created
        self.state = state or self.begin()

    def begin(self) -> State:
        return {}

    @property
    def deadline(self) -> float | None:
        return None

    def expire(self, _now: float) -> list[Said]:
        return []

    def progress(self, _now: float) -> list[str]:
        return []

    def hits(self, fact: Fact) -> list[dict[str, Any]]:
        """The patterns of the kind itself that a line matches, without what ends the subscription."""
        return [hit for hit in fact.get("hits", ()) if hit["index"] < len(self.patterns)]


class Pattern(Stateless):
    """Each line that matches, once."""

    def take(self, fact: Fact) -> list[Said]:
        if fact.get("rest"):
            return []
        return [Firing(place(fact), matched(fact, hit)) for hit in self.hits(fact)[:1]]


class Exit(Stateless):
    """Each end of a pane's program."""

    def take(self, fact: Fact) -> list[Said]:
        status = fact["exit_status"]
        if (self.options.status and status not in self.options.status) or (self.options.fail and status == 0):
            return []
        return [Firing(place(fact), {name: fact[name] for name in ("exit_status", "signal", "pid", "stream")})]


class Command(Stateless):
    """Each command that has finished in a shell."""

    def take(self, fact: Fact) -> list[Said]:
        wanted, code = self.options, fact["exit_code"]
        if (wanted.status and code not in wanted.status) or (wanted.fail and code in (0, None)):
            return []
        if wanted.slower is not None and (fact["duration"] is None or fact["duration"] < wanted.slower):
            return []
        if wanted.text is not None and not any(pattern.search(wanted.text, fact["text"].encode())):
            return []
        names = ("text", "exit_code", "duration", "cwd", "stream", "start", "end")
        return [Firing(place(fact), {name: fact[name] for name in names})]


class Prompt(Stateless):
    """Each time that a shell is back."""

    def take(self, fact: Fact) -> list[Said]:
        return [Firing(place(fact), {name: fact[name] for name in ("cwd", "stream", "offset")})]


class Timeout(Stateless):
    """Once, if it has not come in time."""

    def begin(self) -> State:
        return {"deadline": self.created + (self.options.seconds or 0.0)}

    @property
    def deadline(self) -> float | None:
        return float(self.state["deadline"])

    def take(self, fact: Fact) -> list[Said]:
        return [End("satisfied")] if fact["is"] == "output" or self.hits(fact) else []

    def expire(self, _now: float) -> list[Said]:
        return [Firing(self.scope, {"seconds": self.options.seconds, "patterns": self.patterns}), End("expired")]


class Absence(Stateless):
    """Each time that nothing has matched for so long; the next match arms it again."""

    def begin(self) -> State:
        return {"last": self.created, "waiting": True}

    @property
    def deadline(self) -> float | None:
        return self.state["last"] + (self.options.seconds or 0.0) if self.state["waiting"] else None

    def take(self, fact: Fact) -> list[Said]:
        if self.hits(fact) and not self._is_past(fact):
            self.state.update(last=fact["at"], waiting=True, line=fact["line"], key=fact["key"])
        return []

    def _is_past(self, fact: Fact) -> bool:
        """Whether a later match is known. Panes are read one after the other; in one of them, it is the clock that was set
        back."""
        elsewhere = self.state.get("key") not in (None, fact["key"])
        return elsewhere and self.state["waiting"] and bool(fact["at"] < self.state["last"])

    def expire(self, _now: float) -> list[Said]:
        self.state["waiting"] = False
        return [Firing(self.scope, {"seconds": self.options.seconds, "last": self.state.get("line")})]


class Idle(Stateless):
    """Each time that a pane has been silent for so long; who counts the seconds tells it by a fact."""

    def take(self, fact: Fact) -> list[Said]:
        return [Firing(place(fact), {"seconds": self.options.seconds, **{n: fact[n] for n in ("stream", "offset")}})]

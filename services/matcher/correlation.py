"""Kinds that join several facts: one after the other, one without the other, so many, all of them. Pure."""

from abc import ABC, abstractmethod
from typing import Any

from ...shared.counted import counted
from .facts import End, Fact, Firing, Place, Said, matched, pane_key, place
from .kinds import State, Stateless

_FIRED_MOST = 100  # unfinished lines of other panes
_TOLD_MOST = 20  # panes that `progress` speaks of
_KEYS_MOST = 1000  # panes that one subscription follows at a time; the oldest is given up for a new one


class Keyed(Stateless, ABC):
    """State for each pane, or one for all of them (`across`)."""

    def begin(self) -> State:
        return {"panes": {}}

    def key(self, fact: Fact) -> str:
        return "" if self.options.across else pane_key(fact)

    def keep(self, key: str, value: Any) -> None:
        panes = self.state["panes"]
        panes.pop(key, None)
        if value is not None:
            panes[key] = value
            if len(panes) > _KEYS_MOST:
                del panes[next(iter(panes))]

    def take(self, fact: Fact) -> list[Said]:
        key = self.key(fact)
        if fact["is"] != "exit":
            return self.line(key, fact)
        return [] if self.options.across else self.exit(key)

    @abstractmethod
    def line(self, key: str, fact: Fact) -> list[Said]:
        """What follows from a line."""

    def exit(self, key: str) -> list[Said]:
        """What follows from the end of a pane that was told apart."""
        self.keep(key, None)
        return []

    @property
    def within(self) -> float:
        return self.options.seconds or 0.0

    def progress(self, now: float) -> list[str]:
        told = [(key.partition("/")[2], self.how_far(value, now)) for key, value in self.state["panes"].items()]
        lines = [f"{pane}: {far}" if pane else far for pane, far in told if far]
        more = [f"and so on, in {counted(len(lines) - _TOLD_MOST, 'more pane')}"] if len(lines) > _TOLD_MOST else []
        return [*lines[-_TOLD_MOST:], *more] or ["no line that still counts has come"]

    @abstractmethod
    def how_far(self, value: Any, now: float) -> str | None:
        """What is told of the state of a pane; None if it does not count any more."""


# Beside the steps: of each stream, the unfinished line that has fired; and what such lines have replaced.
_FIRED, _BEFORE = "fired", "before"


def _is_of(step: dict[str, Any], fact: Fact) -> bool:
    """Whether a step is the beginning of the same line."""
    return bool(step["stream"] == fact["stream"] and step["offset"] == fact["offset"])


class Sequence(Keyed):
    """The first pattern, then the second, and so on, all in so many seconds; each step counts from the latest way to it.
    One line is one step, whether it is told at once or its beginning first."""

    def line(self, key: str, fact: Fact) -> list[Said]:
        begun: dict[str, Any] = dict(self.state["panes"].get(key) or {})
        found = {hit["index"]: hit for hit in self.hits(fact)}
        fired: dict[str, int] = begun.pop(_FIRED, {})
        if fired.get(fact["stream"]) == fact["offset"]:
            return []
        for index in sorted(found, reverse=True):  # the later steps first: one line is one step
            before = self._before(begun, str(index), fact)
            if len(before) < index or (before and abs(fact["at"] - before[0]["at"]) > self.within):
                continue
            lines = [*before, {"at": fact["at"], "pane": fact["pane"], **matched(fact, found[index])}]
            if len(lines) == len(self.patterns):
                if fact["partial"]:
                    fired = dict([*fired.items(), (fact["stream"], fact["offset"])][-_FIRED_MOST:])
                self.keep(key, {_FIRED: fired} if fired else None)
                return [Firing(place(fact), {"seconds": round(fact["at"] - lines[0]["at"], 6), "steps": lines})]
            step = str(index + 1)
            if fact["partial"]:
                begun[_BEFORE] = {**begun.get(_BEFORE, {}), step: self._before(begun, step, fact)}
            begun[step] = lines
        self.keep(key, {**begun, **({_FIRED: fired} if fired else {})} or None)
        return []

    def _before(self, begun: dict[str, Any], step: str, fact: Fact) -> list[Any]:
        """The latest lines that have come so far, without the beginning of this one."""
        for lines in (begun.get(step, []), begun.get(_BEFORE, {}).get(step, [])):
            if not any(_is_of(one, fact) for one in lines):
                return list(lines)
        return []

    def how_far(self, begun: dict[str, Any], now: float) -> str | None:
        ways = [lines for name, lines in begun.items() if name not in (_FIRED, _BEFORE)]
        living = [lines for lines in ways if now - lines[0]["at"] <= self.within]
        if not living:
            return None
        lines = max(living, key=len)
        left = lines[0]["at"] + self.within - now
        done, steps = len(lines), len(self.patterns)
        come = f"{done} of {steps} steps {'has' if done == 1 else 'have'} come"
        return f"{come}, {left:.1f} s are left; it waits for {self.patterns[done]!r}"


class NotThen(Keyed):
    """The first pattern without the second in so many seconds after it, or before the pane ends."""

    @property
    def deadline(self) -> float | None:
        begun = [step["at"] for step in self.state["panes"].values()]
        return min(begun) + self.within if begun else None

    def exit(self, key: str) -> list[Said]:
        return self._fire(key)  # the second cannot come any more

    def line(self, key: str, fact: Fact) -> list[Said]:
        found = {hit["index"]: hit for hit in self.hits(fact)}
        if 1 in found:
            self.keep(key, None)
        elif 0 in found and 1 not in fact.get("told", ()) and key not in self.state["panes"]:
            self.keep(key, {"at": fact["at"], "place": list(place(fact)), "data": matched(fact, found[0])})
        return []

    def expire(self, now: float) -> list[Said]:
        late = [key for key, step in self.state["panes"].items() if step["at"] + self.within <= now]
        return [said for key in late for said in self._fire(key)]

    def how_far(self, step: dict[str, Any], now: float) -> str | None:
        left = max(0.0, step["at"] + self.within - now)
        return f"{self.patterns[0]!r} has come, {left:.1f} s are left for {self.patterns[1]!r}"

    def _fire(self, key: str) -> list[Said]:
        step = self.state["panes"].pop(key, None)
        return [Firing(Place(*step["place"]), {"seconds": self.options.seconds, **step["data"]})] if step else []


class Threshold(Keyed):
    """So many lines in so many seconds; then it counts anew."""

    def line(self, key: str, fact: Fact) -> list[Said]:
        hits = self.hits(fact)
        if not hits or fact.get("rest"):  # of a line that has counted
            return []
        times = [at for at in self.state["panes"].get(key, ()) if abs(fact["at"] - at) <= self.within] + [fact["at"]]
        if len(times) < (self.options.times or 1):
            self.keep(key, times)
            return []
        self.keep(key, None)
        data = {"times": len(times), "seconds": round(times[-1] - times[0], 6), **matched(fact, hits[0])}
        return [Firing(place(fact), data)]

    def how_far(self, times: list[float], now: float) -> str | None:
        count = sum(now - at <= self.within for at in times)
        if not count:
            return None
        return f"{count} of {self.options.times} lines {'has' if count == 1 else 'have'} come in the last {self.within:g} s"


class AnyOf(Stateless):
    """Each event of any of its members; over when all of them are."""

    def take(self, fact: Fact) -> list[Said]:
        if fact["over"]:
            self.state.setdefault("over", []).append(fact["member"])
            return [End("members ended")] if set(self.options.members) <= set(self.state["over"]) else []
        return [Firing(place(fact), {"member": fact["member"], "event": fact["event"]})]


class AllOf(Stateless):
    """Each time that all of its members have fired since the last time, in so many seconds if that is asked; over when one
    that is wanted has ended."""

    def begin(self) -> State:
        return {"fired": {}, "over": []}

    def take(self, fact: Fact) -> list[Said]:
        fired: dict[str, Any] = self.state["fired"]
        said: list[Said] = []
        if fact["over"]:
            self.state["over"].append(fact["member"])
        else:
            fired[fact["member"]] = {"at": fact["at"], "event": fact["event"]}
            if self.options.seconds is not None:
                for member in [name for name, one in fired.items() if abs(fact["at"] - one["at"]) > self.options.seconds]:
                    del fired[member]
            if set(self.options.members) <= set(fired):
                said.append(Firing(place(fact), {"members": {name: one["event"] for name, one in fired.items()}}))
                self.state["fired"] = fired = {}
        gone = [member for member in self.state["over"] if member not in fired]
        return said + [End(f"{member} ended") for member in gone[:1]]

    def progress(self, now: float) -> list[str]:
        within = self.options.seconds
        fired = [name for name, one in self.state["fired"].items() if within is None or now - one["at"] <= within]
        missing = [name for name in self.options.members if name not in fired]
        return [
            f"{', '.join(fired) or 'none'} of its members have fired since its last event; missing: {', '.join(missing)}"
        ]

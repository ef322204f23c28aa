"""What each event sets off, or why it does not: policy, loops, age, rate, queue. Pure: events in, decisions out."""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from ...shared.actions import AT_LEAST_ONCE, TYPING, Action
from ...shared.config import RunnerConfig
from ...shared.errors import CtmuxError
from ...shared.messages import Event
from ...shared.specs import read

_PANES_MOST = 1000  # panes that actions have touched, the latest


class Armed(NamedTuple):
    """The actions of a subscription as they were armed, and as they are understood (or why not). `depth`: of the action
    that armed it; `history`: it began with what had been printed before."""

    id: str
    name: str | None
    specs: list[dict[str, Any]]
    depth: int
    history: bool
    actions: list[Action | str]


class Intent(NamedTuple):
    """An action that is to be. `n`: the number of its cause; `at`: which of its subscription's actions."""

    id: str
    n: int
    subscription: str
    name: str | None
    at: int
    spec: dict[str, Any]
    attempt: int
    depth: int
    event: Event | None

    @property
    def action(self) -> Action:
        return read(self.spec)


class Tally(NamedTuple):
    """Events of a subscription that set nothing off, for one reason."""

    kind: str
    code: str
    reason: str
    times: int
    first: int
    last: int
    event: Event


Limit = Callable[[str, Action], str | None]  # why an action (with a key of it) must not run at all, or None


def action_id(n: int, subscription: str, index: int) -> str:
    return f"{n}.{subscription}.{index}"


def _understood(spec: dict[str, Any]) -> Action | str:
    try:
        return read(spec)
    except CtmuxError as error:  # armed by a ctmux that knew more
        return str(error)


def _where(intent: Intent) -> tuple[str, str] | None:
    """The pane that an action acts on."""
    action, event = intent.action, intent.event
    pane, server = action.to or (event and event.pane), action.server or (event and event.server)
    return (server, pane) if server and pane else None


class Book:
    """`waiting`: for each subscription, how many of its actions are to be and have not begun; `running`: how many have, and
    not ended."""

    def __init__(self, config: RunnerConfig, born: Callable[[Event], int] = lambda _event: 0):
        self._config, self._born = config, born
        self.armed: dict[str, Armed] = {}
        self.sockets: dict[str, str] = {}
        self.waiting: dict[str, int] = {}
        self.running: dict[str, int] = {}
        self.tallies: dict[tuple[str, int, str, str], Tally] = {}
        self.rates: dict[str, deque[float]] = {}
        self._panes: dict[tuple[str, str], tuple[int, float]] = {}  # depth, until when
        self._acting: dict[str, tuple[tuple[str, str | None], int]] = {}  # what types now, or opens a pane: where, depth

    # ---- what is armed ---------------------------------------------------------------------------------------------

    def learn(self, event: Event) -> None:
        """What the log says of subscriptions and servers."""
        if event.kind == "subscription.created":
            self.arm(event.data["subscription"])
        elif event.kind == "subscription.ended":
            gone = self.armed.pop(str(event.subscription), None)
            for index in range(len(gone.specs) if gone else 0):
                self.rates.pop(f"{event.subscription}/{index}", None)
        elif event.kind == "server.found" and event.server:
            self.sockets[event.server] = event.data["socket"]
        elif event.kind == "server.lost" and event.server:
            self.sockets.pop(event.server, None)

    def arm(self, subscription: dict[str, Any]) -> None:
        """A subscription as the matcher shows it."""
        if subscription.get("actions"):
            depth = (subscription.get("armed_by") or {}).get("depth")  # as any client says
            depth = depth if type(depth) is int else 0
            history = subscription.get("start", "now") != "now"
            self._arm(subscription["id"], subscription["name"], subscription["actions"], depth, history)

    def _arm(self, id: str, name: str | None, specs: list[dict[str, Any]], depth: int, history: bool = False) -> None:
        self.armed[id] = Armed(id, name, specs, depth, history, [_understood(spec) for spec in specs])

    # ---- decisions -------------------------------------------------------------------------------------------------

    def decide(self, event: Event, now: float, limit: Limit, known: frozenset[str] = frozenset()) -> list[Intent | Tally]:
        """What follows from an event, for each action of its subscription. `known`: `<subscription>/<index>` of what is
        decided already."""
        armed = self.armed.get(event.subscription or "")
        if armed is None or not event.kind.endswith((".matched", ".expired")):
            return []
        found = (self._one(event, armed, index, now, limit) for index in range(len(armed.specs))
                 if f"{armed.id}/{index}" not in known)  # fmt: skip
        return list(found)

    def _one(self, event: Event, armed: Armed, index: int, now: float, limit: Limit) -> Intent | Tally:
        def no(kind: str, code: str, reason: str) -> Tally:
            return Tally(kind, code, reason, 1, event.n, event.n, event)

        action, key, config = armed.actions[index], f"{armed.id}/{index}", self._config
        if isinstance(action, str):
            return no("action.refused", "unknown", action)
        at = datetime.fromisoformat(event.time).timestamp()
        times, seconds = self._rate(action)
        if times and self._recent(key, at, seconds) >= times:  # first, because in a flood it is the only question
            return no("action.suppressed", "rate", f"rate: at most {times} in {seconds:g} s")
        if reason := limit(key, action):
            return no("action.refused", "policy", reason)
        depth = self.depth(event, armed, now)
        if depth > (action.loop or config.loop_depth):
            return no(
                "action.refused", "loop",
                f"loop: {depth} actions in a row led to this, each within {config.loop_seconds:g} s of the one before; "
                "if that is meant: --loop-depth N (`loop` of the action)",
            )  # fmt: skip
        oldest = action.max_age or config.max_age
        if action.deliver != AT_LEAST_ONCE and not armed.history and now - at > oldest:
            return no("action.refused", "stale", f"stale: the event is more than {oldest:g} s old")
        most = action.queue or config.queue
        if self.waiting.get(armed.id, 0) >= most + self._free(armed.id, action):
            return no("action.refused", "queue", f"queue: {most} of its actions wait already")
        if times:
            self.rates.setdefault(key, deque()).append(at)
        if not action.dry:
            self.waiting[armed.id] = self.waiting.get(armed.id, 0) + 1
        return Intent(
            action_id(event.n, armed.id, index), event.n, armed.id, armed.name, index, armed.specs[index], 1, depth, event
        )  # fmt: skip

    def _rate(self, action: Action) -> tuple[int, float]:
        if action.rate is None:
            return self._config.rate_events, self._config.rate_seconds
        return (int(action.rate[0]), action.rate[1]) if action.rate else (0, 0.0)

    def _recent(self, key: str, at: float, seconds: float) -> int:
        """How many there were in that time, by the times of the events: a restarted runner comes to the same."""
        times = self.rates.get(key, deque())
        while times and (at - times[0] >= seconds or times[0] > at + seconds):  # the clock was set back
            times.popleft()
        return len(times)

    def _free(self, subscription: str, action: Action) -> int:
        """How many of its actions may begin at once: they do not wait for others."""
        own = (action.concurrency or self._config.concurrency) - self.running.get(subscription, 0)
        return max(0, min(own, self._config.together - sum(self.running.values())))

    def begun(self, subscription: str) -> None:
        """An action that was to be has begun, or will never."""
        left = self.waiting.get(subscription, 0) - 1
        if left > 0:
            self.waiting[subscription] = left
        else:
            self.waiting.pop(subscription, None)

    # ---- what was held back ----------------------------------------------------------------------------------------

    def count(self, index: int, tally: Tally) -> None:
        key = (str(tally.event.subscription), index, tally.kind, tally.code)
        known = self.tallies.get(key)
        if known:
            tally = tally._replace(times=known.times + 1, first=known.first)
        self.tallies[key] = tally

    # ---- chains of actions -----------------------------------------------------------------------------------------

    def depth(self, event: Event, armed: Armed, now: float) -> int:
        """How many actions led to an event."""
        key = (event.server or "", event.pane or "")
        depth, until = self._panes.get(key, (0, 0.0))
        depth = depth if until > now else 0
        acting = (depth for where, depth in self._acting.values() if where in (key, (key[0], None)))
        return max(armed.depth, depth, self._born(event) if event.pane else 0, *acting)

    def touched(self, server: str, pane: str, depth: int, now: float) -> None:
        """An action of this depth typed into a pane, or started it: what comes from there in a while may be its doing."""
        key = (server, pane)
        before, until = self._panes.pop(key, (0, 0.0))
        self._panes[key] = (max(depth, before if until > now else 0), now + self._config.loop_seconds)
        if len(self._panes) > _PANES_MOST:
            del self._panes[next(iter(self._panes))]

    def begins(self, intent: Intent) -> None:
        """What a pane prints may be an action's doing before that has ended; a new one's, before its id is known."""
        where = _where(intent)
        if where and intent.action.do in TYPING:
            self._acting[intent.id] = where, intent.depth + 1
        elif where and intent.action.do == "pane":
            self._acting[intent.id] = (where[0], None), intent.depth + 1

    def ended(self, intent: Intent, succeeded: bool, new_pane: str, now: float) -> None:
        """An action has ended. Only what has typed, or started a program in `new_pane`, can be the cause of output."""
        if intent.id in self._acting:
            (server, pane), depth = self._acting.pop(intent.id)
            if succeeded:
                self.touched(server, pane or new_pane, depth, now)

    # ---- kept over restarts ----------------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        return {
            "armed": {id: list(armed[:5]) for id, armed in self.armed.items()},
            "sockets": dict(self.sockets),
            "rates": {key: list(times) for key, times in self.rates.items() if key.partition("/")[0] in self.armed},
            "panes": [[*key, *state] for key, state in self._panes.items()],
        }

    def load(self, kept: dict[str, Any]) -> None:
        for fields in kept["armed"].values():
            self._arm(*fields)
        self.sockets = dict(kept["sockets"])
        self.rates = {key: deque(times) for key, times in kept["rates"].items()}
        self._panes = {(server, pane): (depth, until) for server, pane, depth, until in kept["panes"]}

"""What a subscription waits for, where it is armed, what it saw last, and why it has fired or not. Pure."""

from collections.abc import Iterable
from typing import Any

from ...shared.counted import counted
from ...shared.page import fits, fitting
from .rule import Rule
from .stream import StreamState
from .subscription import COMMAND, PROMPT, Subscription


def explain(subscription: Subscription, rule: Rule | None, states: Iterable[StreamState], now: float) -> dict[str, Any]:
    """`streams`: where it looks, as many as fit; `state`: None if it does not fit; `why`: sentences for people."""
    covered = [state for state in states if subscription.covers(state.server, state.session, state.pane)]
    streams = list(fitting(_stream(subscription, state) for state in covered))
    explained: dict[str, Any] = {"subscription": subscription.public(), "streams": streams, "why": []}
    if rule:
        explained |= {"fired": rule.fired, "deadline": rule.deadline, "last": rule.last}
        known = rule.dump()
        explained |= {"state": known["kind"] if fits(known["kind"]) else None, "suppressed": known["policy"]["suppressed"]}
    else:
        found = [state.seen[subscription.id] for state in states if subscription.id in state.seen]
        explained |= {"fired": sum(one["times"] for one in found), "last": max(found, key=_at, default=None)}
    explained["why"] = [*_why(subscription, explained), *(rule.progress(now) if rule else ())]
    if rule and rule.waits:
        lines = counted(len(rule.aside), "line waits", "lines wait")
        explained["why"].append(f"{lines} until all is read that other panes had printed before")
    if more := len(covered) - len(streams):
        explained["why"].append(f"it looks in {counted(more, 'more pane')} that nothing is said of here")
    return explained


def _at(seen: dict[str, Any]) -> float:
    return float(seen["at"])


def _stream(subscription: Subscription, state: StreamState) -> dict[str, Any]:
    since = subscription.since(state.server, state.name)
    return {
        "server": state.server, "session": state.session, "pane": state.pane, "stream": state.name, "since": since,
        "at": state.lines.end, "looked_through": max(0, state.lines.offset - since), "unfinished": len(state.lines.tail),
        "alternate": bool(state.visible and state.visible.alternate), "marked": state.commands.marked,
    }  # fmt: skip


def _why(subscription: Subscription, found: dict[str, Any]) -> Iterable[str]:
    if not found["streams"]:
        yield "no pane that is observed is in its scope: nothing can match before one is"
    for stream in found["streams"]:
        if stream["alternate"]:
            yield f"{stream['pane']} shows a full-screen program: what that draws is not looked at"
        if not stream["looked_through"] and not stream["unfinished"]:
            yield f"{stream['pane']} has printed nothing since it was armed, or the daemon has started"
        if subscription.wants & {COMMAND, PROMPT} and not stream["marked"]:
            yield f"{stream['pane']}: no shell there has marked a prompt or a command yet; see: ctmux shell-init --help"
    if found["fired"]:
        yield f"it has fired {counted(found['fired'], 'time')}"
    elif found["last"]:
        yield "what it was told of last did not make it fire"
    elif subscription.texts and any(stream["looked_through"] for stream in found["streams"]):
        yield "no whole line since it was armed matches; try: ctmux subscription test"
    if found.get("suppressed"):
        held = counted(found["suppressed"], "was held back", "were held back")
        yield f"{held} by its limit, cooldown or dedupe since the last event"

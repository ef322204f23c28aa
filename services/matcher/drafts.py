"""Events of the matcher before they have numbers: what each carries, and its identity. Pure."""

import time
from typing import Any

from ...shared.messages import Draft
from . import commands, facts
from .rule import Fired, event_kind
from .stream import Hit, StreamState
from .subscription import Subscription

END = (1 << 53) - 1  # the last position of a subscription; its events are 1, 2, 3 ...
_RECLAIMED = "reclaimed before it was matched: the matcher was behind, or did not run; see [watcher] keep_bytes"


def producer(id: str) -> str:
    """Of a subscription's own events."""
    return f"subscription/{id}"


def _of(subscription: Subscription, position: int, kind: str, data: dict[str, Any], *ends: str) -> Draft:
    scope = subscription.server, subscription.session, None, subscription.pane
    return Draft(producer(subscription.id), position, "", kind, time.time(), *scope, subscription.id, data, list(ends))


def created(subscription: Subscription) -> Draft:
    return _of(subscription, 0, "subscription.created", {"subscription": subscription.public()})


def ended(subscription: Subscription, reason: str, by: str | None) -> Draft:
    data = {"reason": reason, "name": subscription.options.name, "kind": subscription.kind}
    if by:
        data["by"] = by
    return _of(subscription, END, "subscription.ended", data, producer(subscription.id))


def lost(id: str) -> Draft:
    """The end of a subscription of which only the id is known."""
    data = {"reason": "damaged", "name": None, "kind": None}
    return Draft(producer(id), END, "", "subscription.ended", time.time(), subscription=id, data=data, ends=[producer(id)])


def fired(subscription: Subscription, event: Fired) -> Draft:
    """Of a subscription that remembers: its events are known by their number."""
    server, session, pane = event.place
    return Draft(
        producer(subscription.id), event.n, "", event_kind(subscription.kind), event.at, server, session, None, pane,
        subscription.id, event.data,
    )  # fmt: skip


def matched(state: StreamState, hit: Hit, fact: facts.Fact) -> Draft:
    """Of a plain one: an event is known by its line."""
    data = facts.fitting({"name": hit.subscription.options.name, **facts.matched(fact, fact["hits"][0])})
    return Draft(
        state.producer, hit.offset, hit.subscription.id, "pattern.matched", fact["at"], state.server, state.session, None,
        state.pane, hit.subscription.id, data,
    )  # fmt: skip


def of_shell(state: StreamState, found: commands.Started | commands.Finished) -> Draft:
    """Of a command in a shell: known by the place of its mark."""
    if isinstance(found, commands.Started):
        kind, data = "command.started", {"text": found.text, "cwd": found.cwd, "start": found.offset}
    else:
        kind, data = "command.finished", facts.finished(found)
    return Draft(
        f"commands/{state.server}/{state.name}", found.offset, kind, kind, found.at, state.server, state.session, None,
        state.pane, data={**data, "stream": state.name},
    )  # fmt: skip


def missed(state: StreamState, start: int, end: int) -> Draft:
    """A range of a stream was given back to the disk before it was matched."""
    data = {"what": "output", "stream": state.name, "start": start, "end": end, "reason": _RECLAIMED}
    return Draft(
        state.producer, start, f"gap-{end}", "gap", time.time(), state.server, state.session, None, state.pane, data=data
    )  # fmt: skip

"""Events of the runner before they have numbers. Decisions are known by their cause, results by their action. Pure."""

import time
from typing import Any

from ...shared.actions import Action
from ...shared.errors import CtmuxError
from ...shared.messages import USER, Draft, Event
from ...shared.summary import summary
from . import delivery, values
from .intent import Intent, action_id
from .plan import Plan
from .tallies import Tally
from .values import escaped

_SHOWN_MOST = 4096  # characters of a text
_ALL_SHOWN_MOST = 1 << 16  # of all words of an argv, or of an environment: a frame has to hold them in any coding
_DONE = 2  # the last position of an attempt


def decisions(log: str) -> str:
    """The producer of all decisions. What is under way when a journal is replaced says nothing of the numbers in
    the new one."""
    return f"runner/{log}"


def _decision(log: str, event: Event, position: int, key: str, kind: str, data: dict[str, Any]) -> Draft:
    return Draft(
        decisions(log), position, key, kind, time.time(), event.server, event.session, event.window, event.pane,
        event.subscription, data,
    )  # fmt: skip


def _about(intent: Intent) -> dict[str, Any]:
    return {"action": intent.id, "cause": intent.n, "index": intent.at, "attempt": intent.attempt}


def intended(log: str, intent: Intent) -> Draft:
    """Before anything is started. A second attempt is known by itself: its cause was decided long ago."""
    assert intent.event
    action = intent.action
    data = {
        **_about(intent), "do": action.do, "what": _cut(summary(action)), "deliver": action.deliver,
        "depth": intent.depth, "name": intent.name, "spec": intent.spec,
    }  # fmt: skip
    if intent.attempt == 1:
        return _decision(
            log, intent.event, intent.n, f"{intent.subscription}/{intent.at}/intended", "action.intended", data
        )
    return _result(intent, 0, "action.intended", data)


def rehearsed(log: str, intent: Intent, plan: Plan | None, refused: str | None) -> Draft:
    """What would have run."""
    assert intent.event
    data: dict[str, Any] = {**_about(intent), "do": intent.action.do, "what": _cut(summary(intent.action))}
    if intent.action.do in ("publish", "arm", "remove"):
        refused = None  # they start no process
    data |= _sent(intent.action, intent, intent.event)
    if plan:
        names = sorted(plan.env)
        env = dict(zip(names, _shown([plan.env[name] for name in names]), strict=False))
        data |= {"argv": _shown(plan.argv), "env": env, "cwd": plan.cwd, "stdin_bytes": len(plan.stdin)}
    if refused:
        data["refused"] = refused
    return _decision(log, intent.event, intent.n, f"{intent.subscription}/{intent.at}/rehearsed", "action.rehearsed", data)


def _sent(action: Action, intent: Intent, event: Event) -> dict[str, Any]:
    """What a dry run says of an action that is more than its process. A value of a header may be a secret."""
    if action.do == "webhook":
        body = delivery.body(event._asdict())
        told = {"url": action.url, "headers": sorted(action.headers), "secret_file": action.secret_file}
        return {**told, "body_bytes": len(body)}
    if action.do == "publish":
        kind = f"{USER}{action.name}"
        try:
            return {"kind": kind, "value": values.of(event, intent.name, intent.id, intent.attempt).published(action.data)}
        except CtmuxError as error:
            return {"kind": kind, "refused": str(error)}
    return {}


def tallied(log: str, tally: Tally, position: int) -> Draft:
    subscription = str(tally.event.subscription)
    data = {
        "action": action_id(tally.last, subscription, tally.at), "cause": tally.last, "index": tally.at,
        "reason": tally.reason, "count": tally.times, "first": tally.first, "last": tally.last,
    }  # fmt: skip
    key = f"{subscription}/{tally.at}/{tally.kind}:{tally.code}"
    return _decision(log, tally.event, position, key, tally.kind, data)


def _result(intent: Intent, position: int, kind: str, data: dict[str, Any]) -> Draft:
    producer = f"runner/{intent.id}/{intent.attempt}"
    event = intent.event
    place = (event.server, event.session, event.window, event.pane) if event else (None, None, None, None)
    ends = [producer] if position == _DONE else []
    return Draft(producer, position, "", kind, time.time(), *place, intent.subscription, data, ends)


def started(intent: Intent, pid: int, argv: list[str]) -> Draft:
    return _result(intent, 1, "action.started", {**_about(intent), "pid": pid, "argv": _shown(argv)})


def finished(intent: Intent, data: dict[str, Any]) -> Draft:
    return _result(intent, _DONE, "action.finished", {**_about(intent), **data})


def refused(intent: Intent, reason: str) -> Draft:
    """When its turn came it was not allowed."""
    return _result(intent, _DONE, "action.refused", {**_about(intent), "reason": reason})


def interrupted(intent: Intent, reason: str, again: bool = False) -> Draft:
    """`again`: another attempt follows."""
    return _result(intent, _DONE, "action.interrupted", {**_about(intent), "reason": reason, "again": again})


def published(intent: Intent, value: Any) -> Draft:
    """A user's event, once however often it is said."""
    producer = f"runner/{intent.id}/publish"
    data = {"value": value, "cause": intent.n, "action": intent.id, "depth": intent.depth + 1}
    kind, event = f"{USER}{intent.action.name}", intent.event
    place = (event.server, event.session, event.window, event.pane) if event else (None, None, None, None)
    return Draft(producer, 0, "", kind, time.time(), *place, None, data, [producer])


def _shown(words: list[str]) -> list[str]:
    """The words, as many as an event can hold."""
    made: list[str] = []
    left = _ALL_SHOWN_MOST
    for word in words:
        left -= len(word := _cut(word)) + 1
        if left < 0:
            return [*made, f"… ({len(words)} in all)"]
        made.append(word)
    return made


def _cut(text: str) -> str:
    return escaped(text if len(text) <= _SHOWN_MOST else f"{text[:_SHOWN_MOST]}… ({len(text)} characters)")

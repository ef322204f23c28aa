"""What an action does, and on what terms, in words for people. Pure."""

import re
from typing import Any

from .actions import ON_PANE, Action
from .config import RunnerConfig


def summary(action: Action) -> str:
    """What it does, for people, in one line."""
    return _told(action).encode("unicode_escape").decode()


def _told(action: Action) -> str:
    argv, text = " ".join(map(_quoted, action.argv)), action.text or ""
    what = {
        "run": argv,
        "shell": f"/bin/sh -c {_quoted(text)}",
        "send": f"type {_quoted(text)}{' and Enter' if action.enter else ''}",
        "keys": f"press {argv}",
        "signal": f"send {action.signal} to what runs",
        "kill": f"kill {action.to or 'the pane of the event'}",
        "pane": f"run in a new pane: {argv}",
        "webhook": f"POST to {action.url}",
        "notify": f"notify: {text}",
        "publish": f"publish user.{action.name}",
        "arm": f"arm a subscription: {_armed(action.subscription or {})}",
        "remove": f"remove subscription {action.target}",
    }.get(action.do, action.do)
    where = f" in {action.to or 'the pane of the event'}" if action.do in ON_PANE and action.do != "kill" else ""
    return f"{what}{where}"


def _armed(given: dict[str, Any]) -> str:
    """What it waits for, where, and what that sets off."""
    words = [str(given.get("kind")), *(_quoted(str(pattern)) for pattern in given.get("patterns", []))]
    place = given.get("pane") or given.get("session") or "all"
    known = [{name: value for name, value in one.items() if name in Action._fields} for one in given.get("actions", [])]
    actions = "; ".join(_told(Action(**one)) for one in known)
    return f"{' '.join(words)} in {place}{f' ({actions})' if actions else ''}"


def _quoted(word: str) -> str:
    return word if re.fullmatch(r"[\w@%+=:,./{}-]+", word) else "'" + word.replace("'", "'\"'\"'") + "'"


def bounds(action: Action, config: RunnerConfig) -> dict[str, Any]:
    """Its bounds that are not those of all."""
    common = {
        "timeout": config.timeout, "grace": config.grace, "concurrency": config.concurrency, "queue": config.queue,
        "rate": [config.rate_events, config.rate_seconds], "output": config.output_bytes, "max_age": config.max_age,
        "loop": config.loop_depth, "tries": Action._field_defaults["tries"],
    }  # fmt: skip
    own = action._asdict()
    return {name: own[name] for name, value in common.items() if own[name] not in (None, value)}


def terms(action: Action, config: RunnerConfig) -> str:
    """How it is delivered, and its bounds that are not those of all."""
    own = [f"{name} {_bound(name, value)}" for name, value in bounds(action, config).items()]
    return ", ".join([action.deliver, *own, *(["dry run"] if action.dry else [])])


def _bound(name: str, value: Any) -> str:
    if name == "rate":
        return "{:g}/{:g} s".format(*value) if value else "none"
    return f"{value:g} s" if name in ("timeout", "grace", "max_age") else str(value)

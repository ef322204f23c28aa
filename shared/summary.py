"""What an action does, in words for people. Pure."""

import re

from .actions import ON_PANE, Action


def summary(action: Action) -> str:
    """What it does, for people."""
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
        "arm": f"arm a subscription: {(action.subscription or {}).get('kind')}",
        "remove": f"remove subscription {action.target}",
    }.get(action.do, action.do)
    where = f" in {action.to or 'the pane of the event'}" if action.do in ON_PANE and action.do != "kill" else ""
    return f"{what}{where}".encode("unicode_escape").decode()


def _quoted(word: str) -> str:
    return word if re.fullmatch(r"[\w@%+=:,./{}-]+", word) else "'" + word.replace("'", "'\"'\"'") + "'"

"""What is asked for, a map, becomes an action, or is refused with one clear line. Pure."""

import math
import re
from typing import Any
from urllib.parse import urlsplit

from . import injection, placeholders, stdin
from .actions import ALL, AT_LEAST_ONCE, AT_MOST_ONCE, NEEDS, Action
from .codec import fits
from .errors import UsageError
from .messages import Subscribe
from .placeholders import PLACEHOLDER, names, variable

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*")
_MOST = 16  # actions of a subscription
_NAME_MOST = 64
_TYPED_MOST = 3000  # characters: a message to a tmux server holds 16 KiB
_DEPTH_MOST = 3  # actions that arm actions that arm ...
_LONGEST = 86400.0  # seconds
_BOUNDS = (("concurrency", 1, 256), ("queue", 1, 10_000), ("output", 0, 1 << 16), ("tries", 1, 20), ("loop", 1, 100))
_SIGNALS = ("HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM", "CONT", "STOP", "TSTP", "WINCH")


def read_all(given: Any, patterns: list[str] | None = None, depth: int = 0) -> list[Action]:
    """The actions of a subscription. `patterns`: those whose groups they may name; None: not known. Raises UsageError."""
    if not isinstance(given, list) or len(given) > _MOST:
        raise UsageError(f"actions: a list of up to {_MOST} is expected")
    return [read(one, patterns, depth) for one in given]


def read(given: Any, patterns: list[str] | None = None, depth: int = 0) -> Action:
    """Raises UsageError."""
    if not isinstance(given, dict) or not isinstance(given.get("do"), str) or given["do"] not in NEEDS:
        raise UsageError(f"an action is a map with `do`, one of: {', '.join(NEEDS)}")
    needed, allowed = NEEDS[given["do"]]
    for key, value in given.items():
        if key not in ("do", *needed, *allowed, *ALL):
            takes = ", ".join((*needed, *allowed, *ALL))
            raise UsageError(f"action {given['do']}: no {key!r}; there are: {takes}")
        if not fits(value, Action.__annotations__[key]):
            raise UsageError(f"action {given['do']}: {key} {value!r}: {Action.__annotations__[key]} is expected")
    for key in needed:
        if not given.get(key):
            raise UsageError(f"action {given['do']} needs {key}")
    action = Action(**given)
    _check_bounds(action)
    _check_texts(action)
    _check_kind(action, depth)
    placeholders.check(action, patterns)
    return action


def _check_bounds(action: Action) -> None:
    if action.deliver not in (AT_MOST_ONCE, AT_LEAST_ONCE):
        raise UsageError(f"deliver {action.deliver!r}: {AT_MOST_ONCE} or {AT_LEAST_ONCE} is expected")
    for name in ("timeout", "grace", "max_age"):
        value = getattr(action, name)
        if value is not None and not (math.isfinite(value) and 0 < value <= _LONGEST):
            raise UsageError(f"{name} {value:g}: seconds above 0, up to a day, are expected")
    for name, least, most in _BOUNDS:
        value = getattr(action, name)
        if value is not None and not least <= value <= most:
            raise UsageError(f"{name} {value}: {least} to {most} is expected")
    if action.rate:
        times, *seconds = action.rate
        whole = type(times) is int and 1 <= times <= 10_000
        if not (
            whole and len(seconds) == 1 and type(seconds[0]) in (int, float) and times / 10_000 <= seconds[0] <= _LONGEST
        ):
            raise UsageError("rate: N/SECONDS is expected, with N up to 10000 and to 10000 a second, or none")


def _check_texts(action: Action) -> None:
    pairs = [*action.headers.items(), *action.env.items()]
    if not all(isinstance(text, str) for text in (*action.argv, *(part for pair in pairs for part in pair))):
        raise UsageError(f"action {action.do}: argv, env and headers are texts")
    for text in (*action.argv, action.text or "", action.cwd or "", *(part for pair in pairs for part in pair)):
        if "\0" in text:
            raise UsageError(f"action {action.do}: a NUL cannot be in {text!r}")
    for name in action.env:
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) or name.startswith("CTMUX_"):
            raise UsageError(f"env {name!r}: a name of letters, digits and _ is expected, and CTMUX_ is ours")
    if action.cwd is not None and not action.cwd.startswith("/"):
        raise UsageError(f"cwd {action.cwd!r}: an absolute directory is expected")


def _check_kind(action: Action, depth: int) -> None:
    if action.argv and action.do != "keys" and PLACEHOLDER.search(action.argv[0]):
        raise UsageError(f"{action.argv[0]!r}: what runs is fixed; a placeholder can only be an argument")
    if action.do == "shell" and (found := injection.in_shell(action.text or "")):
        raise UsageError(f'a shell would run what is in {{{found}}}; write "${variable(found)}" instead, or --run -- ARGV')
    if action.do in ("run", "pane") and (found := injection.in_argv(action.argv)):
        raise UsageError(
            f'{action.argv[0]} would run what is in {{{found}}}; have its code read "${variable(found)}" instead'
        )
    if action.do == "run" and (found := stdin.reader(action.argv)):
        raise UsageError(f"{found} would run what is on stdin, the event; give it a script, its code (-c), or a command")
    if action.do == "keys" and any(map(names, action.argv)):
        raise UsageError("names of keys have no placeholders; type data with send, where the policy allows it")
    if action.do == "send" and len(action.text or "") > _TYPED_MOST:
        raise UsageError(f"send: at most {_TYPED_MOST} characters are supported")
    if action.signal is not None and action.signal not in _SIGNALS:
        raise UsageError(f"signal {action.signal!r}: one of {', '.join(_SIGNALS)} is expected")
    if action.to is not None and not re.fullmatch(r"%\d{1,9}", action.to):
        raise UsageError(f"to {action.to!r}: tmux's own id of a pane is expected, such as %12")
    if action.url is not None:
        _check_url(action.url)
    if action.name is not None:
        check_name(action.name)
    if action.subscription is not None:
        _check_armed(action.subscription, depth)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
        user = parts.username
    except ValueError as error:  # brackets around no address, a port that is no number
        raise UsageError(f"webhook {url!r}: {error}") from None
    if not host or not re.fullmatch(r"https?://[^\s/?#]+[^\s]*", url):
        raise UsageError(f"webhook {url!r}: an http:// or https:// address is expected")
    if user is not None:
        raise UsageError("webhook: an address has no user and password; give a header or a secret file")
    if found := injection.in_shell(url):
        raise UsageError(f"webhook: an address has no placeholders ({{{found}}}); the event is in the body of the request")


def check_name(name: str) -> None:
    """Raises UsageError for what no user's event can be called."""
    if not _NAME.fullmatch(name) or len(name) > _NAME_MOST:
        raise UsageError(f"publish {name!r}: small letters, digits, -, _ and . are expected, up to {_NAME_MOST}")


def options_of(armed: dict[str, Any]) -> dict[str, Any]:
    """The options of what an action arms: all but the fields of the request."""
    return {name: value for name, value in armed.items() if name not in Subscribe._fields}


def _check_armed(given: dict[str, Any], depth: int) -> None:
    kind, patterns, scope = given.get("kind"), given.get("patterns", []), map(given.get, ("server", "session", "pane"))
    if not isinstance(kind, str) or not isinstance(patterns, list) or not all(isinstance(one, str | None) for one in scope):
        raise UsageError("arm: a map with kind and patterns is expected, and what else `subscribe` takes")
    if depth >= _DEPTH_MOST:
        raise UsageError(f"arm: at most {_DEPTH_MOST} subscriptions that arm each other are supported")
    read_all(given.get("actions", []), None, depth + 1)

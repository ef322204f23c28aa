"""What a subscription sets off: read from what was asked for, refused with one clear line. Pure."""

import math
import re
from typing import Any, NamedTuple

from .codec import fits
from .errors import UsageError

AT_MOST_ONCE, AT_LEAST_ONCE = "at-most-once", "at-least-once"
# `{name}` in a text is the value of that name, `{{name}}` the text `{name}`; every other brace is itself, also in `${name}`
# and `#{name}`.
PLACEHOLDER = re.compile(r"(?<![$#])(?:\{\{(\w+)\}\}|\{(\w+)\})", re.ASCII)
NAMES = frozenset(
    (
        "action", "attempt", "event_id", "exit_status", "kind", "line", "match", "pane", "server", "session", "signal",
        "subscription", "subscription_name", "time", "window",
    )
)  # fmt: skip
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*")
_GROUPS = re.compile(r"\((?!\?)|\(\?P?<\w")  # at least all that a pattern has
_GROUP = re.compile(r"\(\?P?<(\w+)>")
# Programs that take an argument for code; what else runs its arguments is for the one who arms it to know.
_INTERPRETERS = frozenset(
    (
        "sh", "ash", "bash", "dash", "fish", "ksh", "mksh", "zsh", "busybox", "node", "lua", "perl", "php", "python",
        "ruby", "tclsh",
    )
)  # fmt: skip
_REMOTE = frozenset(("ssh", "eval", "parallel", "watch"))
_CODE = re.compile(r"-[A-Za-z]*[ceErR]|--(eval|command|print|run)")
_GLUED = re.compile(r"--(eval|command|print|run)=|-[eEc].")
_VERSION = re.compile(r"[\d.]+$")
_MOST = 16  # actions of a subscription
_NAME_MOST = 64
_TYPED_MOST = 3000  # characters: a message to a tmux server holds 16 KiB
_DEPTH_MOST = 3  # actions that arm actions that arm ...
_LONGEST = 86400.0  # seconds
_BOUNDS = (("concurrency", 1, 256), ("queue", 1, 10_000), ("output", 0, 1 << 16), ("tries", 1, 20), ("loop", 1, 100))
_SIGNALS = ("HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM", "CONT", "STOP", "TSTP", "WINCH")


class Action(NamedTuple):
    """`do` is one of `NEEDS`, which says what of the next fields it takes. `to`, `server`: a pane, None for the event's.
    The bounds: None is the default of `[runner]`; `rate`: so many in so many seconds, [] for no limit; `loop`: how
    many actions in a row may lead to it. `dry`: only say what would run. Times in seconds."""

    do: str
    argv: list[str] = []  # noqa: RUF012 (never changed)
    text: str | None = None
    enter: bool = True
    to: str | None = None
    server: str | None = None
    signal: str | None = None
    url: str | None = None
    headers: dict[str, str] = {}  # noqa: RUF012
    secret_file: str | None = None
    tries: int = 3
    name: str | None = None
    data: Any = None
    subscription: dict[str, Any] | None = None
    target: str | None = None
    cwd: str | None = None
    env: dict[str, str] = {}  # noqa: RUF012
    dry: bool = False
    deliver: str = AT_MOST_ONCE
    timeout: float | None = None
    grace: float | None = None
    concurrency: int | None = None
    queue: int | None = None
    rate: list[float] | None = None
    output: int | None = None
    max_age: float | None = None
    loop: int | None = None


_PANE = ("to", "server")
_CHILD = ("cwd", "env", "timeout", "grace", "output")
_ALL = ("dry", "deliver", "concurrency", "queue", "rate", "max_age", "loop")
# What each kind needs, and what it may have beside the bounds of all.
NEEDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "run": (("argv",), _CHILD),
    "shell": (("text",), _CHILD),
    "send": (("text",), ("enter", *_PANE, "timeout")),
    "keys": (("argv",), (*_PANE, "timeout")),
    "signal": (("signal",), (*_PANE, "timeout")),
    "kill": ((), (*_PANE, "timeout")),
    "pane": (("argv",), (*_PANE, "cwd", "env", "timeout")),
    "webhook": (("url",), ("headers", "secret_file", "tries", "timeout")),
    "notify": (("text",), ("timeout",)),
    "publish": (("name",), ("data",)),
    "arm": (("subscription",), ()),
    "remove": (("target",), ()),
}
TYPING = ("send", "keys")
ON_PANE = (*TYPING, "signal", "kill", "pane")


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
        if key not in ("do", *needed, *allowed, *_ALL):
            takes = ", ".join((*needed, *allowed, *_ALL))
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
    _check_placeholders(action, patterns)
    return action


def templates(action: Action) -> list[str]:
    """The texts of an action in which placeholders are filled."""
    if action.do in ("run", "pane"):
        return action.argv
    if action.do in ("send", "notify"):
        return [action.text or ""]
    return list(strings(action.data)) if action.do == "publish" else []


def placeholders(action: Action) -> set[str]:
    return {found[2] for text in templates(action) for found in PLACEHOLDER.finditer(text) if found[2]}


def strings(value: Any) -> list[str]:
    """The texts in a JSON value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for one in value for text in strings(one)]
    return [value] if isinstance(value, str) else []


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
    if action.do == "shell" and (found := _data_in_code(action.text or "")):
        raise UsageError(f'a shell would run what is in {{{found}}}; write "${_variable(found)}" instead, or --run -- ARGV')
    if action.do in ("run", "pane") and (found := _run_by_another(action.argv)):
        raise UsageError(
            f'{action.argv[0]} would run what is in {{{found}}}; have its code read "${_variable(found)}" instead'
        )
    if action.do == "keys" and any(map(_filled, action.argv)):
        raise UsageError("names of keys have no placeholders; type data with send, where the policy allows it")
    if action.do == "send" and len(action.text or "") > _TYPED_MOST:
        raise UsageError(f"send: at most {_TYPED_MOST} characters are supported")
    if action.signal is not None and action.signal not in _SIGNALS:
        raise UsageError(f"signal {action.signal!r}: one of {', '.join(_SIGNALS)} is expected")
    if action.to is not None and not re.fullmatch(r"%\d{1,9}", action.to):
        raise UsageError(f"to {action.to!r}: tmux's own id of a pane is expected, such as %12")
    if action.url is not None and not re.fullmatch(r"https?://[^\s/?#]+[^\s]*", action.url):
        raise UsageError(f"webhook {action.url!r}: an http:// or https:// address is expected")
    if action.name is not None:
        check_name(action.name)
    if action.subscription is not None:
        _check_armed(action.subscription, depth)


def check_name(name: str) -> None:
    """Raises UsageError for what no user's event can be called."""
    if not NAME.fullmatch(name) or len(name) > _NAME_MOST:
        raise UsageError(f"publish {name!r}: small letters, digits, -, _ and . are expected, up to {_NAME_MOST}")


def _check_armed(given: dict[str, Any], depth: int) -> None:
    """What an action arms: the fields of the request, the others are its options."""
    kind, patterns = given.get("kind"), given.get("patterns", [])
    if not isinstance(kind, str) or not isinstance(patterns, list):
        raise UsageError("arm: a map with kind and patterns is expected, and what else `subscribe` takes")
    if depth >= _DEPTH_MOST:
        raise UsageError(f"arm: at most {_DEPTH_MOST} subscriptions that arm each other are supported")
    read_all(given.get("actions", []), None, depth + 1)


def _data_in_code(text: str) -> str | None:
    """A placeholder of ours in a shell's text; `{print}` is of another language."""
    names = (found[2] for found in PLACEHOLDER.finditer(text) if found[2])
    return next((name for name in names if name in NAMES or name.isdigit()), None)


def _run_by_another(argv: list[str]) -> str | None:
    """A placeholder in an argument that an interpreter takes for code: `sh -c '{line}'`, `ssh host {line}`."""
    for at, word in enumerate(argv):
        program = _VERSION.sub("", word.rpartition("/")[2])
        if program in _REMOTE:
            return next(filter(None, map(_filled, argv[at + 1 :])), None)
        if program in _INTERPRETERS:
            codes = (code for option, code in zip(argv[at + 1 :], argv[at + 2 :], strict=False) if _CODE.fullmatch(option))
            return next(filter(None, map(_filled, [*codes, *(word for word in argv if _GLUED.match(word))])), None)
    return None


def _filled(text: str) -> str | None:
    return next((found[2] for found in PLACEHOLDER.finditer(text) if found[2]), None)


def _variable(name: str) -> str:
    return f"CTMUX_{name.upper()}" if name in NAMES else f"CTMUX_GROUP_{name}"


def _check_placeholders(action: Action, patterns: list[str] | None) -> None:
    if patterns is None:
        return
    groups = {name for pattern in patterns for name in _GROUP.findall(pattern)}
    most = max((len(_GROUPS.findall(pattern)) for pattern in patterns), default=0)
    for name in sorted(placeholders(action)):
        if name.isdigit() and not 1 <= int(name) <= most:
            raise UsageError(f"no placeholder {{{name}}}: no pattern has so many groups; as a text it is {{{{{name}}}}}")
        if name not in NAMES and name not in groups and not name.isdigit():
            known = ", ".join(sorted(NAMES | groups))
            raise UsageError(f"no placeholder {{{name}}}; there are: {known}, 1, 2 ...; as a text it is {{{{{name}}}}}")

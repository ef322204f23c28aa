"""What a subscription can set off: an action, its kinds, and what each of them needs. Pure."""

from typing import Any, NamedTuple

AT_MOST_ONCE, AT_LEAST_ONCE = "at-most-once", "at-least-once"


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
ALL = ("dry", "deliver", "concurrency", "queue", "rate", "max_age", "loop")
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

"""What may be asked of a subscription beside its kind, patterns and scope; refused with one clear line. Pure."""

import json
import math
import re
from dataclasses import dataclass, field, fields
from typing import Any

from ...shared import specs
from ...shared.codec import fits
from ...shared.errors import UsageError

_LONGEST = 10 * 365 * 86400.0  # seconds
_LINES_MOST = 50  # of context
_TIMES_MOST = 10_000
_TEXTS_MOST = 100
_LEVELS_MOST = 100  # of lists and maps in each other: msgpack takes 511, and events wrap what was asked for


@dataclass
class Options:
    """Times in seconds. `seconds`: what the kind waits for; `times`: how many make a threshold; `members`: subscriptions
    that any and all look at; `across`: panes are not told apart. `status`: exit statuses, `fail`: any but 0.
    `text`, `slower`: of a command."""

    name: str | None = None
    owner: str | None = None
    tags: list[str] = field(default_factory=list)
    seconds: float | None = None
    times: int | None = None
    members: list[str] = field(default_factory=list)
    across: bool = False
    status: list[int] = field(default_factory=list)
    fail: bool = False
    text: str | None = None
    slower: float | None = None
    count: int | None = None
    ttl: float | None = None
    until: str | None = None
    limit: list[float] = field(default_factory=list)  # so many in so many seconds
    cooldown: float | None = None
    dedupe: float | None = None
    before: int = 0
    after: int = 0
    include_echo: bool = False
    start: str = "now"  # "start", "last N" (lines), or an offset
    actions: list[dict[str, Any]] = field(default_factory=list)  # what it sets off: shared/specs.py
    armed_by: dict[str, Any] | None = None  # who, for the audit


class Need:
    """What a kind takes. `patterns`: least and most; `seconds`: needed, allowed or None."""

    def __init__(self, patterns: tuple[int, int], seconds: bool | None = None, *more: str):
        self.patterns, self.seconds, self.more = patterns, seconds, more


NEEDS = {
    "pattern": Need((1, _TEXTS_MOST), None, "include_echo", "start", "before", "after"),
    "timeout": Need((0, _TEXTS_MOST), True, "include_echo"),
    "absence": Need((1, _TEXTS_MOST), True, "include_echo"),
    "idle": Need((0, 0), True),
    "exit": Need((0, 0), None, "status", "fail"),
    "command": Need((0, 0), None, "status", "fail", "text", "slower"),
    "prompt": Need((0, 0)),
    "sequence": Need((2, 20), True, "include_echo", "across"),
    "not-then": Need((2, 2), True, "include_echo", "across"),
    "threshold": Need((1, _TEXTS_MOST), True, "times", "include_echo", "across", "before", "after"),
    "any": Need((0, 0), None, "members"),
    "all": Need((0, 0), False, "members"),
}
_OF_SOME = ("times", "members", "across", "status", "fail", "text", "slower", "before", "after", "include_echo", "start")
_TIMES = ("seconds", "slower", "cooldown", "dedupe", "ttl")


def read(kind: str, patterns: list[Any], given: dict[str, Any]) -> Options:
    """The options of a request. Raises UsageError."""
    if kind not in NEEDS:
        raise UsageError(f"unknown kind of subscription {kind!r}; there are: {', '.join(NEEDS)}")
    known = {one.name: one for one in fields(Options)}
    for key, value in given.items():
        if key not in known:
            raise UsageError(f"unknown option {key!r}; there are: {', '.join(known)}")
        if not fits(value, Options.__annotations__[key]):
            raise UsageError(f"{key} {value!r}: {Options.__annotations__[key]} is expected")
    options = Options(**given)
    _check_lists(options)
    _check_values(options)
    _check_json(given)
    _check_kind(kind, patterns, options)
    specs.read_all(options.actions, None if options.members else [*patterns, options.text or ""])
    return options


def _check_json(given: dict[str, Any]) -> None:
    """Raises UsageError for what no event could tell: msgpack has bytes and numbers that JSON has not."""
    level: list[Any] = [given]
    for _ in range(_LEVELS_MOST):
        level = [one for outer in level for one in (outer.values() if isinstance(outer, dict) else outer)
                 if isinstance(one, dict | list)]  # fmt: skip
    if level:
        raise UsageError(f"options: more than {_LEVELS_MOST} lists and maps in each other")
    try:
        json.dumps(given, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UsageError(f"options: {error}; what JSON can say is expected") from None


def _check_kind(kind: str, patterns: list[Any], options: Options) -> None:
    need = NEEDS[kind]
    least, most = need.patterns
    if not all(isinstance(pattern, str) and pattern for pattern in patterns) or not least <= len(patterns) <= most:
        wanted = {(0, 0): "no pattern", (2, 2): "two patterns"}.get(need.patterns, f"{least} to {most} patterns")
        if "" in patterns:
            raise UsageError("an empty pattern matches every line; make it match something")
        raise UsageError("a pattern is needed" if least == 1 and not patterns else f"{kind} takes {wanted}")
    for name in _OF_SOME:
        if getattr(options, name) != getattr(_DEFAULTS, name) and name not in need.more:
            raise UsageError(f"{kind} has no option {name.replace('_', '-')}")
    if need.seconds is None and options.seconds is not None:
        raise UsageError(f"{kind} has no time to wait for")
    if need.seconds and options.seconds is None:
        raise UsageError(f"{kind} needs a number of seconds above 0")
    if kind == "threshold" and not (options.times and 1 <= options.times <= _TIMES_MOST):
        raise UsageError(f"threshold needs how many times: 1 to {_TIMES_MOST}")
    if kind in ("any", "all") and not options.members:
        raise UsageError(f"{kind} needs the ids of other subscriptions")


def _check_lists(options: Options) -> None:
    texts, numbers = (*options.tags, *options.members), (*options.limit, *options.status)
    if not all(isinstance(text, str) for text in texts) or not all(type(number) in (int, float) for number in numbers):
        raise UsageError("tags and members are texts, limit and statuses are numbers")


def _check_values(options: Options) -> None:
    for name in _TIMES:
        value = getattr(options, name)
        if value is not None and not (math.isfinite(value) and 0 < value < _LONGEST):
            raise UsageError(f"{name} {value:g}: a number of seconds above 0, up to ten years, is expected")
    if options.count is not None and options.count < 1:
        raise UsageError(f"count {options.count}: at least 1 is expected")
    most, *seconds = options.limit or (1, 1.0)
    if not (1 <= most <= _TIMES_MOST and len(seconds) == 1 and 0 < seconds[0] < _LONGEST):
        raise UsageError(f"limit: N/SECONDS is expected, with N up to {_TIMES_MOST}")
    if not (0 <= options.before <= _LINES_MOST and 0 <= options.after <= _LINES_MOST):
        raise UsageError(f"context: 0 to {_LINES_MOST} lines are expected")
    if not re.fullmatch(r"now|start|\d{1,18}|last \d{1,7}", options.start):
        raise UsageError(f"from {options.start!r}: now, start, an offset, or 'last N' (lines) is expected")


_DEFAULTS = Options()

"""`{name}` in a text of an action: which there are, and in which texts. Pure.

`{name}` is the value of that name, `{{name}}` the text `{name}`; every other brace is itself, also in `${name}`
and `#{name}`.
"""

import re
from typing import Any

from .actions import Action
from .errors import UsageError

PLACEHOLDER = re.compile(r"(?<![$#])(?:\{\{(\w+)\}\}|\{(\w+)\})", re.ASCII)
NAMES = frozenset(
    (
        "action", "attempt", "event_id", "exit_status", "kind", "line", "match", "pane", "server", "session", "signal",
        "subscription", "subscription_name", "time", "window",
    )
)  # fmt: skip
_GROUPS = re.compile(r"\((?!\?)|\(\?P?<\w")  # at least all that a pattern has
_GROUP = re.compile(r"\(\?P?<(\w+)>")


def _templates(action: Action) -> list[str]:
    """The texts of an action in which placeholders are filled."""
    if action.do in ("run", "pane"):
        return action.argv
    if action.do in ("send", "notify"):
        return [action.text or ""]
    return _strings(action.data) if action.do == "publish" else []


def of(action: Action) -> set[str]:
    return {name for text in _templates(action) for name in names(text)}


def _strings(value: Any) -> list[str]:
    """The texts in a JSON value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for one in value for text in _strings(one)]
    return [value] if isinstance(value, str) else []


def names(text: str) -> list[str]:
    return [found[2] for found in PLACEHOLDER.finditer(text) if found[2]]


def variable(name: str) -> str:
    """The variable that has the same value."""
    return f"CTMUX_{name.upper()}" if name in NAMES else f"CTMUX_GROUP_{name}"


def check(action: Action, patterns: list[str] | None) -> None:
    """Raises UsageError for a placeholder that nothing fills. `patterns`: those whose groups there are; None: not known."""
    if patterns is None:
        return
    groups = {name for pattern in patterns for name in _GROUP.findall(pattern)}
    most = max((len(_GROUPS.findall(pattern)) for pattern in patterns), default=0)
    for name in sorted(of(action)):
        if name.isdigit() and not 1 <= int(name) <= most:
            raise UsageError(f"no placeholder {{{name}}}: no pattern has so many groups; as a text it is {{{{{name}}}}}")
        if name not in NAMES and name not in groups and not name.isdigit():
            known = ", ".join(sorted(NAMES | groups))
            raise UsageError(f"no placeholder {{{name}}}; there are: {known}, 1, 2 ...; as a text it is {{{{{name}}}}}")

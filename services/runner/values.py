"""What an event gives to an action: texts for placeholders and for the environment. Data stays data. Pure."""

import json
from typing import Any, NamedTuple

from ...shared.errors import CtmuxError
from ...shared.messages import Event
from ...shared.placeholders import PLACEHOLDER

VALUE_MOST = 32 << 10  # bytes of one text: execve(2) takes 128 KiB
_ALL_MOST = 256 << 10  # bytes of all of them
_PUBLISHED_MOST = 256 << 10  # bytes of JSON: the journal takes 512 KiB of an event, and drops what has more
_NUL = "\N{SYMBOL FOR NULL}"  # no argument and no variable can hold a NUL


class Values(NamedTuple):
    """`texts`: by name of the placeholder; `groups`: by number and by name. `truncated`: something was too long, here or in
    the event."""

    texts: dict[str, str]
    groups: dict[str, str]
    truncated: bool

    def fill(self, text: str) -> str:
        """The text with its placeholders filled; what is filled in is not looked at again."""
        known = {**self.groups, **self.texts}
        return PLACEHOLDER.sub(lambda found: f"{{{found[1]}}}" if found[1] else known.get(found[2], ""), text)

    def published(self, data: Any) -> Any:
        """A JSON value with the placeholders of its texts filled. Raises CtmuxError if no event could hold it."""
        value = self._fill_all(data)
        if len(json.dumps(value)) > _PUBLISHED_MOST:
            most = f"{_PUBLISHED_MOST >> 10} KiB"
            raise CtmuxError(f"with its placeholders filled it has more than {most}, too much for an event")
        return value

    def _fill_all(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._fill_all(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._fill_all(one) for one in value]
        return self.fill(value) if isinstance(value, str) else value

    def environment(self) -> dict[str, str]:
        made = {f"CTMUX_{name.upper()}": text for name, text in self.texts.items()}
        made |= {f"CTMUX_GROUP_{name}": text for name, text in self.groups.items()}
        return made | ({"CTMUX_TRUNCATED": "1"} if self.truncated else {})


def of(event: Event, name: str | None, action: str, attempt: int, value_most: int = VALUE_MOST) -> Values:
    """`name`: the subscription's; `action`: the id of what is set off."""
    told = _told(event.data)
    texts: dict[str, Any] = {
        "event_id": event.n, "kind": event.kind, "time": event.time, "server": event.server, "session": event.session,
        "window": event.window, "pane": event.pane, "subscription": event.subscription, "subscription_name": name,
        "action": action, "attempt": attempt, "line": told.get("line") or told.get("text"), "match": told.get("match"),
        "exit_status": told.get("exit_status", told.get("exit_code")), "signal": told.get("signal"),
    }  # fmt: skip
    groups = {str(n): text for n, text in enumerate(told.get("captures") or [], 1)} | (told.get("named") or {})
    cutter = _Cutter(value_most)
    return Values(
        {name: cutter(value) for name, value in texts.items()},
        {name: cutter(value) for name, value in groups.items()},
        cutter.truncated or bool(told.get("truncated")),
    )


def _told(data: dict[str, Any]) -> dict[str, Any]:
    """The part of an event's data that says what happened: of a sequence its last step, of `any` its member's."""
    while "line" not in data:
        inner = data.get("event") or (data.get("steps") or [None])[-1]
        if not isinstance(inner, dict):
            return data
        data = inner
    return data


class _Cutter:
    """Texts that an argument can hold: without NUL, valid UTF-8, not too long."""

    def __init__(self, value_most: int):
        self._most, self._left, self.truncated = value_most, _ALL_MOST, False

    def __call__(self, value: Any) -> str:
        text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
        raw = text.replace("\0", _NUL).encode("utf-8", "replace")
        most = min(self._most, self._left)
        if len(raw) > most:
            self.truncated = True
            raw = raw[:most]
        self._left -= len(raw)
        return raw.decode("utf-8", "ignore")


def visible(text: str) -> str:
    """The text with a picture for each control character: nothing in it is a key, or acts on a terminal."""
    return "".join(_picture(char) for char in text)


def _picture(char: str) -> str:
    code = ord(char)
    if code < 32:
        return chr(0x2400 + code)
    if code == 127:
        return "\N{SYMBOL FOR DELETE}"
    return char if char == " " or char.isprintable() else "\N{REPLACEMENT CHARACTER}"


def escaped(text: str) -> str:
    """The text for a log: lines stay lines, what else is not printable is written out."""
    return "".join(
        char if char in "\n\t" or char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )

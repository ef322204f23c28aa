"""What happens to a pane, as a subscription that remembers something is told of it; and what it says. Pure.

A fact is a map that JSON can hold: `is` (line, output, silence, exit, command, prompt, after, member or tick), `at`
(seconds), `key` and `position`: its source, so that a fact that is told again, after a restart, is known. A line that was
told before it was whole (`partial`) is told once more if its rest matches more patterns; then these are its hits (`rest`),
and `told` has the indexes of those before.
"""

from typing import Any, NamedTuple

from ...shared.codec import pack
from . import commands, pattern
from .stream import Hit, StreamState
from .subscription import COMMAND, PROMPT

TEXT_MAX = 4096  # characters of a line, match or capture in an event; the spool has the rest, from `offset` to `end`
_CAPTURES_MAX = 20
_DATA_MAX = 1 << 18  # bytes of an event: a frame has to hold it, or nothing behind it would ever reach the journal
Fact = dict[str, Any]


class Place(NamedTuple):
    server: str | None = None
    session: str | None = None
    pane: str | None = None


class Firing(NamedTuple):
    """An event to be, about a pane if it is about one."""

    place: Place
    data: dict[str, Any]


class End(NamedTuple):
    """The subscription is over."""

    reason: str


Said = Firing | End


def place(fact: Fact) -> Place:
    return Place(fact.get("server"), fact.get("session"), fact.get("pane"))


def pane_key(fact: Fact) -> str:
    return f"{fact.get('server')}/{fact.get('pane')}"


def of(state: StreamState) -> dict[str, Any]:
    return {"server": state.server, "session": state.session, "pane": state.pane, "stream": state.name}


def line(state: StreamState, hit: Hit, at: float) -> Fact:
    """A line with at least one of the subscription's patterns."""
    hits = [{"index": index, "pattern": hit.subscription.texts[index], **_shown(match)} for index, match in hit.matches]
    return {
        "is": "line", "at": at, "key": f"line/{state.server}/{state.name}", "position": hit.offset, **of(state),
        "line": hit.line[:TEXT_MAX], "hits": hits, "offset": hit.offset, "end": hit.end, "partial": hit.partial,
        "truncated": hit.truncated or len(hit.line) > TEXT_MAX,
    }  # fmt: skip


def of_shell(state: StreamState, found: commands.Fact) -> tuple[str | None, Fact]:
    """What a shell says, and the kind of fact that it is for a subscription."""
    fact = {"at": found.at, "cwd": found.cwd, "offset": found.offset, "position": found.offset, **of(state)}
    if isinstance(found, commands.Prompt):
        return PROMPT, {"is": "prompt", "key": f"prompt/{state.server}/{state.name}", **fact}
    if isinstance(found, commands.Started):
        return None, fact
    return COMMAND, {"is": "command", "key": f"command/{state.server}/{state.name}", **fact, **finished(found)}


def finished(found: commands.Finished) -> dict[str, Any]:
    """What is known of a command that has ended."""
    duration = None if found.began is None else round(max(0.0, found.at - found.began), 6)
    return {
        "text": found.text, "cwd": found.cwd, "exit_code": found.exit_code, "duration": duration, "start": found.start,
        "end": found.end,
    }  # fmt: skip


def _shown(match: pattern.Match) -> dict[str, Any]:
    return {
        "match": match.text[:TEXT_MAX],
        "captures": [text and text[:TEXT_MAX] for text in match.captures[:_CAPTURES_MAX]],
        "named": {name: text and text[:TEXT_MAX] for name, text in match.named.items()},
    }


def matched(fact: Fact, hit: dict[str, Any]) -> dict[str, Any]:
    """The data of an event about a line, as `docs/wire.md` has it."""
    data = {"pattern": hit["pattern"], "index": hit["index"], "line": fact["line"]}
    data |= {name: hit[name] for name in ("match", "captures", "named")}
    data |= {name: fact[name] for name in ("stream", "offset", "end", "partial", "truncated")}
    return data | {name: fact[name] for name in ("before", "after") if name in fact}


def fitting(data: dict[str, Any]) -> dict[str, Any]:
    """The data of an event, its texts cut as far as a frame needs it; in the end, only texts and numbers."""
    for most in (1024, 256, 64):
        if len(pack(data)) <= _DATA_MAX:
            return data
        data = _cut(data, most)
    if len(pack(data)) <= _DATA_MAX:
        return data
    return {name: value for name, value in data.items() if not isinstance(value, (dict, list))}


def _cut(value: Any, most: int) -> Any:
    if isinstance(value, dict):
        return {name: _cut(one, most) for name, one in value.items()}
    if isinstance(value, list):
        return [_cut(one, most) for one in value]
    return value[:most] if isinstance(value, str) else value

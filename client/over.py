"""Of what is to be followed, that which is over: its last event in the journal, or that nothing is known of its end."""

from typing import NamedTuple

from ..shared.codec import parse_event
from ..shared.messages import Event, Filter, Get, Status
from .requests import watched
from .script import Ask, Script

_PATIENCE = 30.0  # seconds for a page: the logger may have to look at much of the journal


class Over(NamedTuple):
    """`last`: events of ends, in the order of the log; `unknown`: ids whose end is no longer in the journal."""

    last: list[Event]
    unknown: list[str]


def panes(server: str, there: bool, wanted: set[str], printing: set[str]) -> Script[Over]:
    """`there`: whether the tmux server runs; `printing`: ids of what has a spool that is not over. A pane that is too new
    to be known is not over, and neither is one whose end is on its way to the journal."""
    panes, _sessions = yield from watched()
    known = [pane for pane in panes if pane["server"] == server]
    living = {pane["pane"] for pane in known if not pane["exited"]}
    gone = wanted - living
    if not gone:
        return Over([], [])
    told = yield from _told(there)
    last = yield from _newest(Filter("pane.exited", server, None, next(iter(gone)) if len(gone) == 1 else None))
    ends = {str(event.pane): event for event in last}
    ids = {pane["pane"] for pane in known}
    return _over(gone, ends, ids, there, printing if told else gone)


def session(server: str, there: bool, wanted: str, printing: set[str]) -> Script[Over]:
    """The same for a session."""
    _panes, sessions = yield from watched()
    ids = {known["session"] for known in sessions if known["server"] == server}
    if wanted in ids:
        return Over([], [])
    told = yield from _told(there)
    last = yield from _newest(Filter("session.closed", server, wanted))
    return _over({wanted}, {str(event.session): event for event in last}, ids, there, printing if told else {wanted})


def lost(server: str) -> Script[bool]:
    """Whether the end of the tmux server is in the journal: a keeper that has just begun may not know one that lives."""
    return bool((yield from _newest(Filter("server.lost", server))))


def _told(there: bool) -> Script[bool]:
    """Whether all that the keeper knows is in the journal. Asked after what it knows, and before the journal is."""
    return not there or not (yield Ask("keeper", Status()))["unsent"]


def _over(gone: set[str], ends: dict[str, Event], known: set[str], there: bool, living: set[str]) -> Over:
    newest = max((int(id[1:]) for id in known), default=-1)
    silent = gone - ends.keys() - known - living
    unknown = [id for id in silent if not there or int(id[1:]) < newest]
    return Over(sorted((ends[id] for id in gone if id in ends), key=lambda event: event.n), sorted(unknown))


def _newest(wanted: Filter) -> Script[list[Event]]:
    """Of each pane and session, the newest event in the journal that fits; in the order of the log."""
    newest: dict[tuple[str | None, str | None], Event] = {}
    since, head = 1, 1
    while since <= head:
        page = yield Ask("logger", Get(since, 1000, list(wanted)), _PATIENCE)
        for event in map(parse_event, page["lines"]):
            newest.pop((event.pane, event.session if event.pane is None else None), None)
            newest[event.pane, event.session if event.pane is None else None] = event
        if page["next"] <= since:
            break
        since, head = page["next"], page["head"]
    return list(newest.values())

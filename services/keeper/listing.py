"""What a tmux server says it has: sessions, windows and panes. Pure: the text of one tmux call in, values out."""

import re
from typing import NamedTuple

from .hooks import BIRTHS, CHANGES, SLOT

# A record a line, the name last: tmux takes control bytes out of names, so a name cannot forge a record. Nothing else that
# a program chooses (titles, directories, commands) is asked for. Source: facts/tmux.md, 2.2 Injection.
# Loops, not list-windows and list-panes: those are errors where there is no session (`exit-empty off`), and to ask for one
# by `if-shell` lets tmux before 3.8 leak 1 KB each time (measured). A session's end is told by a format, not by a word:
# tmux from 3.7 on cuts what takes longer than 100 ms. Source: format.c, FORMAT_TIME_LIMIT.
_PANE = (
    "p #{session_id} #{window_id} #{pane_id} #{pane_dead} #{pane_pipe} 0#{pane_pid} "
    "#{pane_dead_status} #{pane_dead_signal}\n"
)
_WINDOW = f"w #{{window_id}} #{{window_name}}\n#{{P:{_PANE}}}"
_SESSION = f"s #{{session_id}} #{{session_name}}\n#{{W:{_WINDOW}}}e #{{session_id}}"
# Which of our hooks are gone: an unindexed `set-hook -g` clears the whole array. A session's own array hides them, too; but
# to show the global ones, by show-hooks, makes tmux 3.3 leak (measured).
_HOOKS = "".join(f"#{{?{hook}[{SLOT}],,{hook} }}" for hook in (*BIRTHS, *CHANGES))
ARGUMENTS = ["list-sessions", "-F", _SESSION, ";", "display-message", "-p", f"h {_HOOKS}#{{l:end}}"]

_NAME_MAX = 1024  # characters: a program may call its window by a name of 1 MB, and no event takes two of these

_LAST = re.compile(rb"^h ([^\n]*)\n\Z", re.MULTILINE)
_BEGUN, _ENDED = (re.compile(rb"^%c (\$\d+)(?: |$)" % letter, re.MULTILINE) for letter in b"se")


class ListedPane(NamedTuple):
    """`sessions`: all that show it (windows can be linked), lowest id first; `pid` is 0 where tmux has none. `status`: how
    the program of a dead pane ended, if tmux tells it."""

    pane: str
    pid: int
    window: str
    sessions: list[str]
    dead: bool
    piped: bool
    status: dict[str, int | None] | None


class Listing(NamedTuple):
    """`unhooked`: hooks of ours that are gone, or hidden by those of a session."""

    sessions: dict[str, str]
    windows: dict[str, str]
    panes: dict[str, ListedPane]
    unhooked: tuple[str, ...] = ()


def ended(text: bytes) -> bool:
    """Whether this is all that `tmux ARGUMENTS` prints."""
    return _LAST.search(text) is not None


def whole(text: bytes) -> bool:
    """Whether nothing was cut out of it."""
    last = _LAST.search(text)
    return last is not None and last[1].endswith(b"end") and _BEGUN.findall(text) == _ENDED.findall(text)


def parse(text: bytes) -> Listing:
    """The listing in the whole output of `tmux ARGUMENTS`."""
    listing = Listing({}, {}, {})
    unhooked: list[str] = []
    for line in text.decode(errors="replace").split("\n"):
        kind, _, rest = line.partition(" ")
        if kind in ("s", "w"):
            tmux_id, _, name = rest.partition(" ")
            (listing.sessions if kind == "s" else listing.windows)[tmux_id] = name[:_NAME_MAX]
        elif kind == "p":
            _add(listing.panes, *rest.split(" "))
        elif kind == "h":
            unhooked = rest.split()[:-1]
    return listing._replace(unhooked=tuple(unhooked))


def _add(panes: dict[str, ListedPane], session: str, window: str, pane: str, *fields: str) -> None:
    dead, piped, pid, *end = fields
    if pane not in panes:
        number = int(pid) if pid.isdigit() else 0
        panes[pane] = ListedPane(pane, number, window, [session], dead == "1", piped == "1", _status(dead == "1", *end))
    elif session not in panes[pane].sessions:
        panes[pane].sessions.append(session)
        panes[pane].sessions.sort(key=_number)


def _status(dead: bool, code: str, signal: str) -> dict[str, int | None] | None:
    if not dead or not (code or signal):
        return None
    return {"exit_status": None, "signal": int(signal)} if signal else {"exit_status": int(code), "signal": None}


def _number(tmux_id: str) -> int:
    return int(tmux_id[1:])

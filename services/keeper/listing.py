"""What a tmux server says it has: sessions, windows and panes. Pure: the text of one tmux call in, values out."""

import re
from typing import NamedTuple

from .hooks import BIRTHS, SLOT

# Records, each ended by a `;`. With a name comes its length, so it cannot forge a record; and tmux takes control bytes out
# of names, so there is one end of line. Nothing else that a program chooses (titles, directories, commands) is asked for.
# Source: facts/tmux.md, 2.2 Injection.
# Loops, not list-windows and list-panes: those are errors where there is no session (`exit-empty off`). One command: tmux
# before 3.8 leaks of commands in one call, of what `if-shell` parses (1 KB), of show-hooks and of `#{q:}` (measured).
_PANES = (
    "#{P:#{session_id} #{window_id} #{pane_id} #{pane_dead} #{pane_pipe} 0#{pane_pid} "
    "#{pane_dead_status} #{pane_dead_signal};}"
)
_WINDOWS = f"#{{W:#{{window_id}} #{{n:window_name}} #{{window_name}};{_PANES}}}"
_SESSIONS = f"#{{S:#{{session_id}} #{{n:session_name}} #{{session_name}};{_WINDOWS}}}"
# Are our hooks still there? An unindexed `set-hook -g` clears the whole array.
_UNHOOKED = "".join(f"#{{?{hook}[{SLOT}],,{hook};}}" for hook in BIRTHS)
ARGUMENTS = ["display-message", "-p", _SESSIONS + _UNHOOKED]

_NAMED = re.compile(rb"([$@]\d+) (\d+) ")
_PANE = re.compile(rb"(\$\d+) (@\d+) (%\d+) (\d) (\d) (\d+) (\d*) (\d*);")
_HOOK = re.compile(rb"([a-z-]+);")


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
    sessions: dict[str, str]
    windows: dict[str, str]
    panes: dict[str, ListedPane]
    unhooked: tuple[str, ...] = ()  # our birth hooks that are gone


def whole(text: bytes) -> bytes | None:
    """The output of `tmux ARGUMENTS`; None if it is only a part."""
    return text if text.endswith(b"\n") else None


def parse(text: bytes) -> Listing:
    """The listing in the output of `tmux ARGUMENTS`."""
    listing = Listing({}, {}, {})
    unhooked = []
    at = 0
    while at < len(text):
        if found := _NAMED.match(text, at):
            end = found.end() + int(found[2])
            named = listing.sessions if found[1].startswith(b"$") else listing.windows
            named[found[1].decode()] = text[found.end() : end].decode(errors="replace")
            at = end + 1
        elif found := _PANE.match(text, at):
            _add(listing.panes, *(each.decode() for each in found.groups()))
            at = found.end()
        elif found := _HOOK.match(text, at):
            unhooked.append(found[1].decode())
            at = found.end()
        else:
            break  # the end of the line
    return listing._replace(unhooked=tuple(unhooked))


def _add(
    panes: dict[str, ListedPane],
    session: str,
    window: str,
    pane: str,
    dead: str,
    piped: str,
    pid: str,
    code: str,
    signal: str,
) -> None:
    if pane not in panes:
        status = _status(code, signal) if dead == "1" else None
        panes[pane] = ListedPane(pane, int(pid), window, [session], dead == "1", piped == "1", status)
    elif session not in panes[pane].sessions:
        panes[pane].sessions.append(session)
        panes[pane].sessions.sort(key=_number)


def _status(code: str, signal: str) -> dict[str, int | None] | None:
    if not code and not signal:
        return None
    return {"exit_status": None, "signal": int(signal)} if signal else {"exit_status": int(code), "signal": None}


def _number(tmux_id: str) -> int:
    return int(tmux_id[1:])

"""What a tmux server says it has: sessions, windows and panes. Pure: the text of one tmux call in, values out."""

import re
from typing import NamedTuple

from .hooks import BIRTHS, SLOT

# Lines for each session: its name (tmux takes control bytes out of names, so a name cannot forge a line), its windows, its
# panes, each ended by a `;`. The length of a window's name says where it ends. Nothing else that a program chooses (titles,
# directories, commands) is asked for. Source: facts/tmux.md, 2.2 Injection.
# Not list-windows and list-panes: without a session (`exit-empty off`) they are errors, and asking for one by `if-shell`
# lets tmux before 3.8 leak 1 KB each time; nor `#{q:}`, of which 3.3 leaks each word (measured).
ARGUMENTS = [
    "list-sessions", "-F", "s #{session_id} #{session_name}", ";",
    "list-sessions", "-F", "w#{W: #{window_id} #{n:window_name} #{window_name};}", ";",
    "list-sessions", "-F",
    "p#{W:#{P: #{session_id} #{window_id} #{pane_id} #{pane_dead} #{pane_pipe} 0#{pane_pid} "
    "#{pane_dead_status} #{pane_dead_signal};}}",
]  # fmt: skip
_WINDOW = re.compile(rb" (@\d+) (\d+) ")


for _hook in BIRTHS:  # are they still there? An unindexed `set-hook -g` clears the whole array
    ARGUMENTS += [";", "show-hooks", "-g", f"{_hook}[{SLOT}]"]
_MARK = "ctmux-end-of-listing"
ARGUMENTS += [";", "display-message", "-p", _MARK]


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
    """The output of `tmux ARGUMENTS` without the line that ends it; None if it is only a part. Every other line begins
    otherwise, so no name can be that line."""
    before = text.removesuffix(f"{_MARK}\n".encode())
    return before if text != before and (not before or before.endswith(b"\n")) else None


def parse(text: bytes) -> Listing:
    """The listing in the output of `tmux ARGUMENTS`."""
    listing = Listing({}, {}, {})
    unhooked = []
    for line in text.split(b"\n"):
        kind, _, rest = line.decode(errors="replace").partition(" ")
        if kind == "s":
            session, _, name = rest.partition(" ")
            listing.sessions[session] = name
        elif kind == "w":
            at = 1
            while found := _WINDOW.match(line, at):
                at = found.end() + int(found[2]) + 1
                listing.windows[found[1].decode()] = line[found.end() : at - 1].decode(errors="replace")
        elif kind == "p":
            for record in rest.split(";")[:-1]:
                _add_pane(listing.panes, *record.strip().split(" "))
        elif kind.removesuffix(f"[{SLOT}]") in BIRTHS and not rest.strip():
            unhooked.append(kind)
    return listing._replace(unhooked=tuple(unhooked))


def _add_pane(panes: dict[str, ListedPane], session: str, window: str, pane: str, *rest: str) -> None:
    dead, piped, pid, *end = rest
    known = panes.get(pane)
    if known is None:
        panes[pane] = ListedPane(pane, int(pid), window, [session], dead == "1", piped == "1", _status(dead == "1", *end))
    elif session not in known.sessions:
        known.sessions.append(session)
        known.sessions.sort(key=_number)


def _status(dead: bool, code: str = "", signal: str = "") -> dict[str, int | None] | None:
    if not dead or not (code.isdigit() or signal.isdigit()):
        return None
    if signal.isdigit():
        return {"exit_status": None, "signal": int(signal)}
    return {"exit_status": int(code), "signal": None}


def _number(tmux_id: str) -> int:
    return int(tmux_id[1:])

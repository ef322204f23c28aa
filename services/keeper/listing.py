"""What a tmux server says it has: sessions, windows and panes. Pure: the text of one tmux call in, values out."""

from typing import NamedTuple

from .hooks import BIRTHS, SLOT

# One record a line, the name last: tmux takes control bytes out of names, so a name cannot forge a record. Nothing else
# that a program chooses (titles, directories, commands) is asked for. Source: facts/tmux.md, 2.2 Injection.
# Windows and panes only if there is a session (a server with `exit-empty off` may have none): they are an error without.
ARGUMENTS = [
    "list-sessions", "-F", "s #{session_id} #{session_name}", ";",
    "if-shell", "-F", "#{S:1}",
    "list-windows -a -F 'w #{window_id} #{window_name}' ; "
    "list-panes -a -F 'p #{session_id} #{window_id} #{pane_id} #{pane_dead} #{pane_pipe} 0#{pane_pid} "
    "#{pane_dead_status} #{pane_dead_signal}'",
]  # fmt: skip


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
    for line in text.decode(errors="replace").split("\n"):
        kind, _, rest = line.partition(" ")
        if kind == "s":
            session, _, name = rest.partition(" ")
            listing.sessions[session] = name
        elif kind == "w":
            window, _, name = rest.partition(" ")
            listing.windows[window] = name
        elif kind == "p":
            session, window, pane, dead, piped, pid, *end = rest.split(" ")
            known = listing.panes.get(pane)
            if known is None:
                listing.panes[pane] = ListedPane(
                    pane, int(pid), window, [session], dead == "1", piped == "1", _status(dead == "1", *end)
                )
            elif session not in known.sessions:
                known.sessions.append(session)
                known.sessions.sort(key=_number)
        elif kind.removesuffix(f"[{SLOT}]") in BIRTHS and not rest.strip():
            unhooked.append(kind)
    return listing._replace(unhooked=tuple(unhooked))


def _status(dead: bool, code: str = "", signal: str = "") -> dict[str, int | None] | None:
    if not dead or not (code.isdigit() or signal.isdigit()):
        return None
    if signal.isdigit():
        return {"exit_status": None, "signal": int(signal)}
    return {"exit_status": int(code), "signal": None}


def _number(tmux_id: str) -> int:
    return int(tmux_id[1:])

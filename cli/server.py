"""The tmux server that a command talks to, through libtmux; what tmux complains of becomes one of our errors.

libtmux is imported when a server is asked (it takes longer than all the rest of the command line), its objects are made
from ids, and its own listings are not used: a directory or command with a newline breaks them (facts/tmux.md, 2.2).
"""

import os
import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from ..shared import tmux
from ..shared.codec import timestamp
from ..shared.errors import CtmuxError, NoTarget, Refused, UsageError
from .target import PaneRecord

if TYPE_CHECKING:
    from libtmux import Pane, Server, Session
    from libtmux.common import tmux_cmd

OURS = {"TMUX", "TMUX_PANE", "CTMUX_TMUX_SOCKET"}  # variables that every pane of a server that we start would inherit
THEN: Final = object()  # between the arguments of Server.cmd: another tmux command follows in the same call
LABEL: Final = "@ctmux_label"  # lives in tmux: needs no daemon, and survives one

# Three lines for each pane, at most one name in a line, and that last: tmux takes control bytes out of names. Labels may
# hold anything, so control bytes are replaced. Commands are read from /proc. Source: facts/tmux.md, 2.2 Injection.
FORMAT: Final = "\n".join(
    [
        "s #{session_id} #{session_windows} #{session_attached} #{session_created} #{session_name}",
        "w #{window_id} #{window_index} #{window_active} #{window_name}",
        "p #{pane_id} #{pane_index} 0#{pane_pid} #{pane_width} #{pane_height} #{pane_dead} #{pane_active} #{pane_in_mode}"
        f" #{{s/[\x01-\x1f\x7f]/?/:{LABEL}}}",
    ]
)


class SessionRecord(NamedTuple):
    """One session; `created` is ISO 8601."""

    session: str
    session_name: str
    windows: int
    attached: int
    created: str
    panes: list[PaneRecord]


def socket() -> str:
    """The path of the server's socket: what -S or -L said, else the tmux that we run in, else tmux's default."""
    given = os.environ.get("CTMUX_TMUX_SOCKET") or _inside() or f"{tmux.socket_directory()}/default"
    return os.path.abspath(given)


def _ctmux(path: str) -> str:
    """The command for this server, with the -L or -S that chose it."""
    if not os.environ.get("CTMUX_TMUX_SOCKET"):
        return "ctmux"
    folder, name = os.path.split(path)
    return f"ctmux -L {shlex.quote(name)}" if folder == tmux.socket_directory() else f"ctmux -S {shlex.quote(path)}"


def _inside() -> str | None:
    """The socket in $TMUX, which is `path,pid,session`; the path may hold commas."""
    return os.environ.get("TMUX", "").rpartition(",")[0].rpartition(",")[0] or None


def own_pane() -> str | None:
    """The pane that this command runs in, if it belongs to the server that it talks to."""
    inside = _inside()
    if inside is None or os.path.realpath(inside) != os.path.realpath(socket()):
        return None
    return os.environ.get("TMUX_PANE") or None


def spare_own(panes: Iterable[PaneRecord], force: bool, verb: str) -> None:
    """Raises Refused if this command runs in one of the panes, unless forced."""
    own = own_pane()
    if not force and any(record.pane == own for record in panes):
        raise Refused(f"not {verb}: this command itself runs in {own}; --force does it all the same")


def connect(start: bool = False) -> "Server":
    """The server. Raises NoTarget where none answers, unless the first command is one that may start it."""
    path = socket()
    try:
        tmux.identify(path)  # libtmux waits for ever for a server that hangs; this does not
        start = False
    except tmux.ServerGone as error:
        if not start:
            raise NoTarget(
                f"no tmux server on {path}; start one: {_ctmux(path)} session create NAME, "
                "or choose another: ctmux -L NAME, -S PATH"
            ) from error
        folder = os.path.dirname(path)
        if folder == tmux.socket_directory():
            os.makedirs(folder, mode=0o700, exist_ok=True)  # as tmux does: tmux.c, make_label()
        for name in OURS:
            os.environ.pop(name, None)
    return _server(path, ["-u"] if start else ["-N", "-u"])


def _server(path: str, flags: list[str]) -> "Server":
    import libtmux
    from libtmux.exc import LibTmuxException

    class Utf8Server(libtmux.Server):
        """A libtmux server whose names are UTF-8 in any locale, that no question starts, and with words passed exactly."""

        def cmd(self, cmd: str, *args: Any, target: str | int | None = None) -> "tmux_cmd":
            at = [] if target is None else ["-t", str(target)]
            words = [";" if word is THEN else tmux.word(str(word)) for word in (*at, *args)]
            try:
                done = super().cmd(*flags, cmd, *words)
            except (LibTmuxException, OSError, ValueError) as error:
                raise CtmuxError(f"tmux cannot be run: {str(error) or type(error).__name__}") from error
            if done.returncode:
                message = "; ".join(done.stderr)
                if not (cmd.startswith("kill-") and _gone(message)):
                    _complain(cmd, message, path)
                done.stderr = []  # 3.3a's server can end with its last session before it has answered
            return done

    return Utf8Server(socket_path=path)


def session(server: "Server", session_id: str) -> "Session":
    """libtmux's session of this id; nothing is asked."""
    from libtmux import Session

    return Session(server=server, session_id=session_id)


def pane(server: "Server", pane_id: str) -> "Pane":
    """libtmux's pane of this id; nothing is asked."""
    from libtmux import Pane

    return Pane(server=server, pane_id=pane_id)


def _gone(message: str) -> bool:
    return any(part in message for part in ("no server running", "error connecting", "server exited", "lost server"))


def _complain(verb: str, message: str, path: str) -> NoReturn:
    if _gone(message):
        raise NoTarget(f"the tmux server on {path} has ended: {message}")
    if "can't find" in message:
        raise NoTarget(f"tmux {verb}: {message}; see: ctmux pane list")
    raise CtmuxError(f"tmux {verb}: {message}")


def directory(path: str | None) -> list[str]:
    """The -c option of tmux. tmux itself would quietly take the home directory for one that is not there."""
    if path is None:
        return []
    if not os.path.isdir(os.path.expanduser(path)):
        raise UsageError(f"no directory {path!r}")
    return ["-c", tmux.literal(os.path.abspath(os.path.expanduser(path)))]


def panes(server: "Server | None" = None) -> list[PaneRecord]:
    """All panes of the server, in one tmux call."""
    return [record for shown in sessions(server) for record in shown.panes]


def sessions(server: "Server | None" = None) -> list[SessionRecord]:
    """All sessions of the server with their panes, in one tmux call."""
    return parse((server or connect()).cmd("list-panes", "-a", "-F", FORMAT).stdout)


def parse(lines: Iterable[str]) -> list[SessionRecord]:
    """The sessions in lines of FORMAT."""
    found: dict[str, SessionRecord] = {}
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "s":
            name, windows, attached, created, session_name = rest.split(" ", 4)
            made = SessionRecord(name, session_name, int(windows), int(attached), timestamp(int(created)), [])
            shown = found.setdefault(name, made)
        elif kind == "w":
            window, index, current, window_name = rest.split(" ", 3)
        else:
            pane_id, place, pid, width, height, dead, active, mode, label = rest.split(" ", 8)
            shown.panes.append(
                PaneRecord(
                    pane=pane_id,
                    session=shown.session,
                    session_name=shown.session_name,
                    window=window,
                    window_index=int(index),
                    window_name=window_name,
                    pane_index=int(place),
                    label=label or None,
                    pid=int(pid),
                    command=_foreground(int(pid)),
                    width=int(width),
                    height=int(height),
                    dead=dead == "1",
                    active=current == active == "1",
                    mode=mode not in ("", "0"),
                )
            )
    return list(found.values())


def _foreground(pid: int) -> str:
    """The name of the program in the terminal's foreground; "" where there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            leader = int(file.read().rpartition(b")")[2].split()[5])  # tpgid: proc(5)
        with open(f"/proc/{leader if leader > 0 else pid}/comm", errors="replace") as file:
            return "".join(char if char.isprintable() else "?" for char in file.read().removesuffix("\n"))
    except (OSError, ValueError, IndexError):
        return ""

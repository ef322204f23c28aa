"""What tmux says of a pane that an action is to act on: what it is called, and which process group is in its foreground."""

import os
from collections.abc import Callable
from typing import NamedTuple

from ...shared import tmux
from ...shared.service import Service
from .child import Child, Result
from .plan import Plan, base

_SECONDS = 5.0
_MOST = 1 << 16  # bytes of an answer
# One thing a line, names last: tmux takes control bytes out of names, labels may hold anything.
_FORMAT = "p 0#{?pane_dead,,#{pane_pid}}\ni #{session_id}\nn #{session_name}\nn #{s/[\x01-\x1f\x7f]/?/:@ctmux_label}"


class Look(NamedTuple):
    """`group`: 0 if the pane's program has ended."""

    names: list[str]
    group: int


def look(service: Service, socket: str | None, pane: str, done: Callable[[Look | str], None]) -> None:
    """`done` gets a Look, or why there is none."""
    if socket is None:
        done(f"the tmux server of {pane} is not known, or has ended")
        return
    words = ["list-panes", "-a", "-f", f"#{{==:#{{pane_id}},{pane}}}", "-F", _FORMAT]
    asked = Plan(tmux.command(socket, *words), base(dict(os.environ)), "/")

    def read(result: Result) -> None:
        text = result.output.decode("utf-8", "replace")
        lines = [line.partition(" ") for line in text.splitlines()]
        pids = [int(value) for kind, _, value in lines if kind == "p" and value.isdigit()]
        if result.exit_code != 0 or not pids:
            done(f"there is no pane {pane} (any more)")
        else:
            done(Look([value for kind, _, value in lines if kind in "in" and value], foreground(pids[0])))

    try:
        Child(service, asked, _SECONDS, 1.0, _MOST, read)
    except OSError as error:
        done(f"tmux cannot be run: {error}")


def clients(service: Service, socket: str, done: Callable[[list[str] | str], None]) -> None:
    """`done` gets the names of the terminals that are attached, or why there are none."""
    asked = Plan(tmux.command(socket, "list-clients", "-F", "#{client_name}"), base(dict(os.environ)), "/")

    def read(result: Result) -> None:
        names = result.output.decode("utf-8", "replace").splitlines() if result.exit_code == 0 else []
        done(names or "nobody can be notified: no notify-send with a session bus, and nobody is attached to tmux")

    try:
        Child(service, asked, _SECONDS, 1.0, _MOST, read)
    except OSError as error:
        done(f"tmux cannot be run: {error}")


def foreground(pid: int) -> int:
    """The process group in the foreground of the terminal of a pane's process: proc(5), tpgid; 0 if it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            group = int(file.read().rpartition(b")")[2].split()[5])
    except (OSError, ValueError, IndexError):
        return 0
    return group if group > 1 else pid

"""What ctmux puts into a tmux server: commands in one reserved slot of its global hooks. Pure: strings in, argv out.

Every birth hook starts the pane's pipe in the same command queue as the pane, so that its first byte is not missed;
`if-shell -F` leaves a pipe alone that somebody else has opened. Topology hooks wake the keeper's `wait-for`.
"""

import os
import re
import shlex

from ...shared.tmux import ServerInfo

SLOT = 9000
BIRTHS = ("after-new-session", "after-new-window", "after-split-window")
RESPAWN = "pane-created"  # of tmux 3.8, for respawned panes, too: it closes the pipe of a pane that dies and is kept
CHANGES = (
    "after-pipe-pane",
    "pane-died",
    "pane-exited",
    "session-closed",
    "session-created",
    "session-renamed",
    "window-layout-changed",
    "window-linked",
    "window-renamed",
    "window-unlinked",
    "after-set-hook",  # set last and removed first: it tells of a configuration that is read again and clears the others
)


def quote(text: str) -> str:
    """`text` as one word of tmux's command language: in double quotes, where \\ " and $ are special."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'


def escape_format(text: str) -> str:
    """`text` so that tmux's formats and strftime, which pipe-pane expands, leave it as it is."""
    return text.replace("#", "##").replace("%", "%%")


def pipe_command(directory: str, session: str, stream: str) -> str:
    """The shell command that spools a pane: `session` and `stream` are formats, or plain ids."""
    folder = f"{escape_format(shlex.quote(directory))}/{session}"
    return f'umask 077; d={folder}; [ -d "$d" ] || mkdir "$d"; exec cat >> "$d"/{stream}.raw'


def spooled_pane(cmdline: bytes, directory: str) -> str | None:
    """The pane that a shell with this command line (as in /proc) is about to spool into `directory`; None for others."""
    folder = os.fsencode(f"; d={shlex.quote(directory)}/s")
    found = re.search(rb'; exec cat >> "\$d"/p(\d+)\.', cmdline)
    return f"%{found[1].decode()}" if found and folder in cmdline else None


def birth_command(directory: str, epoch: str) -> str:
    """The tmux command of the birth hooks."""
    session = "s#{s/\\$//:session_id}"
    stream = f"p#{{s/%%//:pane_id}}.#{{pane_pid}}.w#{{s/@//:window_id}}.{epoch}"
    return guarded(f"pipe-pane -O {quote(pipe_command(directory, session, stream))}")


def guarded(command: str) -> str:
    """The command, unless the pane already has a pipe; tmux decides it in one step. In braces it is parsed once: of each
    command that `if-shell` has to parse from a string, tmux before 3.8 leaks some 100 bytes (measured)."""
    return f'if-shell -F "#{{pane_pipe}}" {{}} {{ {command} }}'


def births(server: ServerInfo) -> tuple[str, ...]:
    """The hooks that tell of a new pane."""
    return (*BIRTHS, RESPAWN) if server.is_at_least(3, 8) else BIRTHS


def install(server: ServerInfo, directory: str, epoch: str, channel: str) -> list[str]:
    """The arguments of one tmux call that sets all our hooks."""
    birth = birth_command(directory, epoch)
    commands = [["set-hook", "-g", f"{hook}[{SLOT}]", birth] for hook in births(server)]
    commands += [["set-hook", "-g", f"{hook}[{SLOT}]", f"wait-for -S {quote(channel)}"] for hook in CHANGES]
    return joined(commands)


def owner(shown: str) -> str | None:
    """The runtime directory of the ctmux that has set our slot, from what `show-hooks` says of a topology hook."""
    found = re.search(r"ctmux (/.*) [0-9a-f]{8}", shown)
    return found[1] if found else None


def uninstall(server: ServerInfo) -> list[str]:
    """The arguments of one tmux call that removes all our hooks and nothing else."""
    return joined([["set-hook", "-gu", f"{hook}[{SLOT}]"] for hook in reversed(births(server) + CHANGES)])


def joined(commands: list[list[str]]) -> list[str]:
    """Several commands as the arguments of one call."""
    arguments: list[str] = []
    for command in commands:
        arguments += [*command, ";"]
    return arguments[:-1]

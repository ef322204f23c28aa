"""Asking a tmux server by its command line. Watchers do not import this: they never ask tmux."""

import os
import stat
import subprocess
from typing import NamedTuple

from .errors import CtmuxError

TIMEOUT = 5.0  # seconds; a healthy server answers in 3 ms


class TmuxError(CtmuxError):
    """Raised when tmux refuses a command, or does not answer."""


class Refusal(TmuxError):
    """Raised when tmux answers that it cannot do it: the target is gone, say."""


class Untrusted(TmuxError):
    """Raised for a socket that may be another user's."""


class ServerGone(TmuxError):
    """Raised when no server answers on the socket."""


def environment() -> dict[str, str]:
    """The environment for tmux: without TMUX, so that no command takes an outer session for its target."""
    return {name: value for name, value in os.environ.items() if name not in ("TMUX", "TMUX_PANE")}


def command(socket: str, *arguments: str) -> list[str]:
    """The argv of a tmux command: -N never starts a server, -u keeps names UTF-8."""
    return ["tmux", "-N", "-u", "-S", socket, *arguments]


def run(socket: str, *arguments: str, timeout: float = TIMEOUT) -> bytes:
    """The output of a tmux command. Raises ServerGone or TmuxError."""
    _check_directory(os.path.dirname(socket))
    try:
        done = subprocess.run(
            command(socket, *arguments), capture_output=True, timeout=timeout, env=environment(), check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TmuxError(f"tmux on {socket} does not answer within {timeout:g} s") from error
    except (FileNotFoundError, PermissionError) as error:
        raise TmuxError("tmux is not installed; run: apt-get install tmux") from error
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip()
        # 3.3a..3.8 say one of these when nobody listens, or the server ends while it is asked
        if any(part in message for part in ("no server running", "error connecting", "server exited", "lost server")):
            raise ServerGone(f"no tmux server on {socket}: {message}")
        raise Refusal(f"tmux {arguments[0] if arguments else ''}: {message}")
    return done.stdout


def word(text: str) -> str:
    """The argument as tmux takes it: a `;` at the end of a word would end the command. Source: tmux(1), COMMANDS."""
    return f"{text[:-1]}\\;" if text.endswith(";") else text


def literal(text: str) -> str:
    """The text for an argument that tmux expands as a format: `#(command)` in a name would run. `#[` is not touched."""
    import re

    return re.sub(r"#+(?![\[#])", lambda run: run[0] * 2, text)


def socket_directory() -> str:
    """Where tmux keeps its sockets: in $TMUX_TMPDIR, if there is such a directory. Source: tmux.c, expand_paths()."""
    chosen = os.environ.get("TMUX_TMPDIR", "")
    base = chosen if os.path.exists(chosen) else "/tmp"  # noqa: S108 (tmux's own default)
    return f"{os.path.realpath(base)}/tmux-{os.geteuid()}"


def _check_directory(folder: str) -> None:
    """A client of tmux does what its server says. So tmux looks whose directory it is, but not with the -S that we need:
    tmux.c, make_label(). Raises Untrusted."""
    if folder != socket_directory():
        return  # somebody has chosen it
    try:
        of = os.lstat(folder)
    except OSError:
        return  # no server, as tmux will say
    if not stat.S_ISDIR(of.st_mode) or of.st_uid != os.geteuid() or of.st_mode & stat.S_IRWXO:
        raise Untrusted(f"{folder} is not yours alone; remove it, or set TMUX_TMPDIR to another directory")


class ServerInfo(NamedTuple):
    """A running tmux server; `key` names it in topics and directories, and is another one after a restart."""

    socket: str
    pid: int
    started: int
    version: str

    @property
    def key(self) -> str:
        from hashlib import blake2s

        return blake2s(f"{self.socket}\0{self.pid}\0{self.started}".encode(), digest_size=4).hexdigest()

    def is_at_least(self, major: int, minor: int) -> bool:
        """Whether the version (as `3.3a`, `next-3.8`, `master`) is this one or later."""
        parts = self.version.removeprefix("next-").split(".")
        if not parts[0].isdigit():
            return True
        digits = "".join(char for char in parts[1] if char.isdigit()) if len(parts) > 1 else "0"
        return (int(parts[0]), int(digits or 0)) >= (major, minor)


def identify(socket: str, timeout: float = TIMEOUT) -> ServerInfo:
    """Which server listens on the socket, the same one by any link to it. Raises ServerGone or TmuxError."""
    answer = run(socket, "display-message", "-p", "#{pid} #{start_time} #{version}", timeout=timeout).decode().split()
    if len(answer) < 3:
        raise TmuxError(f"tmux on {socket} is very busy, or has just ended")
    return ServerInfo(os.path.realpath(socket), int(answer[0]), int(answer[1]), answer[2])

"""Where an instance lives: its runtime and state directories, and the name of every file in them."""

import os
import stat
from typing import NamedTuple

from .counted import counted
from .errors import Refused, UsageError

SOCKET_PATH_MAX = 107  # sun_path is 108 bytes with its final NUL
# supervisord binds `<name>.<pid>` before it links the name; our longest socket is a watcher's.
LONGEST_SOCKET = len("/watcher-0123abcd-99999.sock")
INSTANCE_NAME_MAX = 32


class Paths(NamedTuple):
    """The directories of one instance; every file of ctmux is named here."""

    instance: str
    runtime: str
    state: str

    @property
    def publishers(self) -> str:
        """Where publishers connect (XSUB)."""
        return f"{self.runtime}/xsub.sock"

    @property
    def subscribers(self) -> str:
        """Where subscribers connect (XPUB)."""
        return f"{self.runtime}/pub.sock"

    def control(self, role: str) -> str:
        """The control socket (ROUTER) of a role: `logger`, `keeper`, `matcher`, `watcher-<server>-<n>`."""
        return f"{self.runtime}/{role}.sock"

    @property
    def notices(self) -> str:
        """Datagram socket on which supervisord's plugin tells the keeper that a process changed its state."""
        return f"{self.runtime}/notice.sock"

    def lock(self, role: str) -> str:
        return f"{self.runtime}/{role}.lock"

    @property
    def supervisord(self) -> str:
        """Held locked by a running supervisord; its content (JSON) says how to reach it."""
        return self.lock("supervisord")

    @property
    def state_lock(self) -> str:
        """Held by a running supervisord: the runtime directory depends on the login, the journal has one writer."""
        return f"{self.state}/supervisord.lock"

    @property
    def stopping(self) -> str:
        """Exists while the whole instance is being stopped, not only one of its processes."""
        return f"{self.runtime}/stopping"

    @property
    def spool(self) -> str:
        return f"{self.runtime}/spool"

    @property
    def journal(self) -> str:
        return f"{self.state}/journal"

    @property
    def subscriptions(self) -> str:
        return f"{self.state}/subscriptions.jsonl"

    @property
    def facts(self) -> str:
        """What subscriptions were told."""
        return f"{self.state}/facts.jsonl"

    @property
    def actions(self) -> str:
        """What the runner knows of armed actions, up to which event."""
        return f"{self.state}/actions.json"

    @property
    def runner(self) -> str:
        """How to find what a killed runner has left."""
        return f"{self.runtime}/runner.session"

    @property
    def logs(self) -> str:
        """Where supervisord and the services of `ctmux daemon start` say what troubles them."""
        return f"{self.runtime}/log"

    @property
    def config(self) -> str:
        """The supervisord.conf that `ctmux daemon start` writes."""
        return f"{self.runtime}/supervisord.conf"

    @property
    def services(self) -> str:
        """The programs that the keeper generates for that supervisord."""
        return f"{self.runtime}/services"


def resolve(environ: dict[str, str] | None = None, instance: str | None = None) -> Paths:
    """The directories of the instance that the environment names. Makes nothing.

    Raises UsageError for an impossible instance name and for a runtime directory too long for a socket.
    """
    env = os.environ if environ is None else environ
    name = instance or env.get("CTMUX_INSTANCE") or "default"
    if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii() or len(name) > INSTANCE_NAME_MAX:
        raise UsageError(f"instance name {name!r}: use up to {INSTANCE_NAME_MAX} ASCII letters, digits, '-' and '_'")
    xdg = env.get("XDG_RUNTIME_DIR")
    runtime = env.get("CTMUX_RUNTIME_DIR") or (
        f"{xdg}/ctmux/{name}" if xdg else f"/tmp/ctmux-{os.geteuid()}/{name}"  # noqa: S108 (owner and mode are checked)
    )
    home = env.get("XDG_STATE_HOME") or os.path.join(env.get("HOME") or os.path.expanduser("~"), ".local", "state")
    state = env.get("CTMUX_STATE_DIR") or f"{home}/ctmux/{name}"
    paths = Paths(name, os.path.abspath(runtime), os.path.abspath(state))
    check_socket_path(f"{paths.runtime}/{'x' * (LONGEST_SOCKET - 1)}", "CTMUX_RUNTIME_DIR")
    for text in (paths.runtime, paths.state):
        if any(ord(char) < 32 for char in text):
            raise UsageError(f"directory {text!r}: control characters are not supported in ctmux's directories")
    return paths


def check_socket_path(path: str, setting: str) -> None:
    """Raise UsageError if a socket cannot be bound at `path`, naming the setting that shortens it."""
    excess = len(os.fsencode(path)) - SOCKET_PATH_MAX
    if excess > 0:
        raise UsageError(
            f"path too long for a socket by {counted(excess, 'byte')}: {os.path.dirname(path)} "
            f"(sockets end at {SOCKET_PATH_MAX}); set {setting} to a shorter directory"
        )


def ensure_private(directory: str) -> None:
    """Make `directory` (0700) with its parents, or check that it is ours alone.

    Raises Refused for a symlink, a foreign owner, a directory that others may enter, or one that cannot be made.
    """
    parent = os.path.dirname(directory)
    try:
        if parent.startswith("/tmp/ctmux-"):  # noqa: S108 (others can make this name first: check it like our own)
            _make(parent)
        else:
            os.makedirs(parent, mode=0o700, exist_ok=True)
        _make(directory)
    except OSError as error:
        raise Refused(f"{directory} cannot be made: {error.strerror}; choose another directory") from error


def _make(directory: str) -> None:
    try:
        os.mkdir(directory, 0o700)
    except FileExistsError:
        _check_private(directory)


def _check_private(directory: str) -> None:
    info = os.lstat(directory)
    if not stat.S_ISDIR(info.st_mode):
        raise Refused(f"{directory} is not a directory (a link is not accepted); remove it or choose another")
    if info.st_uid != os.geteuid():
        raise Refused(f"{directory} belongs to user {info.st_uid}, not to you; choose another directory")
    if info.st_mode & 0o077:
        raise Refused(f"{directory} is open to others (mode {info.st_mode & 0o777:04o}); run: chmod 700 {directory}")

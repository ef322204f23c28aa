"""The environment that the running daemon was started with: whoever asks has another one."""

import os

from ..shared import policy, supervised
from ..shared.policy import Policy

FILES = ("CTMUX_CONFIG", "CTMUX_POLICY")  # what names the files that an instance reads


def of_daemon(record: supervised.Record) -> dict[str, str]:
    """What its supervisord was started with, and so all its programs; what names a file is a whole path here."""
    try:
        with open(f"/proc/{record.pid}/environ", "rb") as file:
            words = [os.fsdecode(word).partition("=") for word in file.read().split(b"\0") if word]
        folder = os.readlink(f"/proc/{record.pid}/cwd")
    except OSError:  # it has just ended
        return dict(os.environ)
    found = {name: value for name, _, value in words}
    return found | {name: os.path.join(folder, found[name]) for name in FILES if found.get(name)}


def kept(record: supervised.Record | None) -> dict[str, str]:
    """The files that the daemon was told of and this shell was not: a restart goes on with them."""
    found = of_daemon(record) if record else {}
    return {name: found[name] for name in FILES if found.get(name) and not os.environ.get(name)}


def policy_in_force(record: supervised.Record | None) -> tuple[Policy, str]:
    """The policy of the running daemon and its file; where none runs, those that one started from here would have.

    Raises Refused, UsageError."""
    found = of_daemon(record) if record else dict(os.environ)
    return policy.load(environ=found), policy.path(found)

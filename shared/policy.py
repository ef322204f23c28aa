"""What may run at all: the policy of an instance, a file that only its owner can change."""

import fnmatch
import os
import re
import shutil
import stat
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from . import config, placeholders
from .actions import NEEDS, ON_PANE, TYPING, Action
from .codec import fits
from .errors import Refused, UsageError

_FLAGS = ("actions", "shell", "type_data", "unlimited")


class Policy(NamedTuple):
    """`actions`: any at all (false: a read-only instance). `commands`: programs, as globs of their paths; a name without a
    slash is looked for on PATH. `env`: variables that an action may set, as globs; a file that limits `commands` and says
    nothing of it allows none, because some make a program another one (LD_PRELOAD, PATH). `shell`: as text of an action;
    the same, because it runs any of them. `hosts`: of webhooks. `type_into`: sessions and panes (names, labels, ids) that
    actions may type into, signal or kill. `type_data`: what is typed may have placeholders. `unlimited`: `--rate none`."""

    actions: bool = True
    commands: list[str] = ["*"]  # noqa: RUF012 (never changed)
    env: list[str] = ["*"]  # noqa: RUF012
    shell: bool = True
    hosts: list[str] = ["*"]  # noqa: RUF012
    type_into: list[str] = ["*"]  # noqa: RUF012
    type_data: bool = False
    unlimited: bool = False


def path(environ: dict[str, str] | None = None) -> str:
    env = os.environ if environ is None else environ
    return env.get("CTMUX_POLICY") or os.path.join(os.path.dirname(config.path(environ)), "policy.toml")


def load(file: str | None = None, environ: dict[str, str] | None = None) -> Policy:
    """The policy in `file`, or in the one that the environment names; without one everything is allowed that needs no more
    than an owner's word.

    Raises Refused for a file that somebody else could have written, UsageError for one with a mistake.
    """
    env = os.environ if environ is None else environ
    where = file or path(environ)
    try:
        opened = open(where, "rb")  # noqa: SIM115 (closed by the next statement)
    except FileNotFoundError:
        if file or env.get("CTMUX_POLICY"):
            raise Refused(f"{where}: no such policy file (CTMUX_POLICY); no action is allowed without it") from None
        return Policy()
    except OSError as error:
        raise Refused(f"{where} cannot be read: {error.strerror}; no action is allowed until it can") from error
    import tomllib  # only now: most instances have none

    with opened:
        _check_owner(where, os.fstat(opened.fileno()))
        try:
            table = tomllib.load(opened)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{where}: {error}") from error
    return _read(where, table)


def _check_owner(where: str, info: os.stat_result) -> None:
    if info.st_uid not in (0, os.geteuid()):
        raise Refused(f"{where} belongs to user {info.st_uid}; no action is allowed until it is yours")
    if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        mode = f"{info.st_mode & 0o777:04o}"
        raise Refused(f"{where} can be changed by others (mode {mode}); no action is allowed until: chmod go-w {where}")


def _read(where: str, table: dict[str, Any]) -> Policy:
    for key, value in table.items():
        if key not in Policy._fields:
            raise UsageError(f"{where}: no key {key!r}; there are: {', '.join(Policy._fields)}")
        if not fits(value, Policy.__annotations__[key]) or (
            isinstance(value, list) and not all(isinstance(text, str) for text in value)
        ):
            raise UsageError(
                f"{where}: {key} = {value!r}: {'true or false' if key in _FLAGS else 'a list of texts'} is expected"
            )
        if key == "hosts" and any("/" in host or re.search(r"^[^:]*:\d+$", host) for host in value):
            raise UsageError(f"{where}: hosts = {value!r}: names of hosts or addresses are expected, without port or path")
    careful: dict[str, Any] = {} if table.get("commands", ["*"]) == ["*"] else {"env": [], "shell": False}
    return Policy(**careful | table)


def check(policy: Policy, action: Action) -> None:
    """Raises Refused for what the policy does not allow, as far as that is known without asking tmux."""
    if not policy.actions:
        raise Refused("this instance runs no actions (actions = false in its policy); see: ctmux action policy")
    if action.do == "shell" and not policy.shell:
        raise Refused("the policy allows no shell, which needs shell = true in it; use --run -- ARGV")
    if action.do in ("run", "pane"):
        _check_command(policy, action.argv[0])
    for name in action.env:
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in policy.env):
            raise Refused(f"the policy does not allow to set {name} (env, a list of names); see: ctmux action policy")
    if action.do == "webhook" and not host_allowed(policy, urlsplit(action.url or "").hostname or ""):
        raise Refused(f"the policy allows no webhook to {urlsplit(action.url or '').hostname}; see: ctmux action policy")
    if action.do in TYPING and placeholders.of(action) and not policy.type_data:
        raise Refused("what programs print would be typed: the policy allows that only with type_data = true")
    if action.do in ON_PANE and not policy.type_into:
        raise Refused("the policy allows to act on no pane (type_into = []); see: ctmux action policy")
    if action.rate == [] and not policy.unlimited:
        raise Refused("an action without a rate limit needs unlimited = true in the policy; use --rate N/SECONDS")
    if action.do == "arm":
        for one in (action.subscription or {}).get("actions", []):
            known = {key: value for key, value in one.items() if key in Action._fields}
            check(policy, Action(**known) if known.get("do") in NEEDS else action._replace(subscription=None))


def _check_command(policy: Policy, program: str) -> None:
    found = resolve(program) or os.path.normpath(program)
    for pattern in policy.commands:
        if pattern == "*" or fnmatch.fnmatchcase(found, pattern) or ("/" not in pattern and resolve(pattern) == found):
            return
    raise Refused(f"the policy does not allow to run {found}; see: ctmux action policy")


def resolve(program: str) -> str | None:
    """The path of a program, or None. A path stays what it is, without `..`."""
    found = shutil.which(program)
    return os.path.normpath(os.path.abspath(found)) if found else None


def host_allowed(policy: Policy, host: str) -> bool:
    return any(fnmatch.fnmatchcase(host.lower(), pattern.lower()) for pattern in policy.hosts)


def check_pane(policy: Policy, pane: str, names: list[str]) -> None:
    """Raises Refused for a pane that must not be acted on. `names`: what else it is called: its label, and its sessions'
    ids and names."""
    if not any(fnmatch.fnmatchcase(name, pattern) for pattern in policy.type_into for name in (pane, *names)):
        raise Refused(f"the policy does not allow to act on {pane}; see: ctmux action policy")

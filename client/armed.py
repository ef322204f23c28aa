"""Who arms actions, for the audit; and what only he can say of them: his directory, and where his programs are."""

import os
import pwd
import sys
from typing import Any

from ..shared.errors import UsageError
from ..shared.policy import resolve

_COMMAND_MOST = 1000  # characters


def by() -> dict[str, Any]:
    """This process, as the audit shows it. `depth`: how many actions led to it."""
    command = " ".join(sys.argv).encode("utf-8", "replace").decode()
    depth = os.environ.get("CTMUX_DEPTH", "")
    found: dict[str, Any] = {
        "user": _user(), "uid": os.getuid(), "pid": os.getpid(), "cwd": _here(), "command": command[:_COMMAND_MOST],
        "pane": os.environ.get("TMUX_PANE"), "action": os.environ.get("CTMUX_ACTION_ID"),
        "depth": int(depth) if depth.isdigit() else 0,
    }  # fmt: skip
    return {name: value for name, value in found.items() if value not in (None, 0) or name == "uid"}


def _here() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise UsageError("the directory that this runs in was removed; go to another one") from None


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def complete(actions: Any) -> Any:
    """The actions with the paths of their programs and their directory. Raises UsageError for what is not there."""
    if not isinstance(actions, list):
        return actions  # the matcher says what is wrong with it
    return [_complete(action) if isinstance(action, dict) else action for action in actions]


def _complete(action: dict[str, Any]) -> dict[str, Any]:
    made = dict(action)
    if made.get("do") in ("run", "shell", "pane"):
        made["cwd"] = os.path.abspath(made.get("cwd") or _here())
        if not os.path.isdir(made["cwd"]):
            raise UsageError(f"no directory {made['cwd']!r}")
    if made.get("do") in ("run", "pane") and isinstance(made.get("argv"), list) and made["argv"]:
        program = str(made["argv"][0])
        found = resolve(program)
        if found is None and "{" not in program:
            raise UsageError(f"no program {program!r} on PATH; nothing would run")
        made["argv"] = [found or program, *made["argv"][1:]]
    if made.get("do") == "arm" and isinstance(made.get("subscription"), dict):
        nested = made["subscription"]
        made["subscription"] = {**nested, **({"actions": complete(nested["actions"])} if "actions" in nested else {})}
    return made

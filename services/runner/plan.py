"""An action and its event become a process to be: exactly which argv, environment, directory and stdin. Pure."""

import json
import sys
from typing import NamedTuple

from ...shared import placeholders, tmux
from ...shared.actions import ON_PANE, Action
from ...shared.errors import CtmuxError, NoTarget, Refused
from ...shared.messages import Event
from ...shared.policy import Policy, resolve
from . import values
from .kin import ACTION
from .values import Values, visible

# What of the runner's own environment an action has; `--env` adds to it.
_ALLOWED = frozenset(
    (
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TERM", "TMPDIR", "XDG_RUNTIME_DIR",
        "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "TMUX_TMPDIR", "XDG_CONFIG_HOME", "CTMUX_INSTANCE",
        "CTMUX_RUNTIME_DIR", "CTMUX_STATE_DIR", "CTMUX_CONFIG", "CTMUX_POLICY",
    )
)  # fmt: skip
# And a webhook: who has a proxy, or certificates of his own, reaches the world only so.
_OF_WEB = frozenset(("http_proxy", "https_proxy", "no_proxy", "all_proxy", "ssl_cert_file", "ssl_cert_dir"))
_IN_TMUX_MOST = 1024  # bytes of a value that goes by a message to tmux, which holds 16 KiB
_TYPED_MOST = 3000  # characters
_NOTICE_MOST = 500  # characters
_WEBHOOK = "ctmux.services.runner.webhook"


class Cause(NamedTuple):
    """Why it runs. `depth`: how many actions there were before it in its chain; `socket`: of the event's tmux server."""

    event: Event
    action: str
    attempt: int
    depth: int
    name: str | None
    socket: str | None


class Plan(NamedTuple):
    """A process to be. `typed`: (pane, text) that it types; `pane`: that it acts on."""

    argv: list[str]
    env: dict[str, str]
    cwd: str
    stdin: bytes = b""
    pane: str | None = None
    typed: str | None = None


def base(environ: dict[str, str]) -> dict[str, str]:
    """What is left of an environment."""
    return {name: text for name, text in environ.items() if name in _ALLOWED or name.startswith("LC_")}


def pane_of(action: Action, event: Event) -> str:
    """The pane that an action acts on. Raises NoTarget if there is none."""
    pane = action.to or event.pane
    if pane is None:
        raise NoTarget(f"{event.kind} of {event.subscription} is of no pane: say which one to {action.do} (--to)")
    return pane


def make(
    action: Action, cause: Cause, environ: dict[str, str], policy: Policy, group: int | None = None,
    clients: tuple[str, ...] = (),
) -> Plan:  # fmt: skip
    """`group`: the process group to signal, None: nobody has looked; `clients`: to be notified. Raises CtmuxError for what
    cannot be run."""
    in_tmux = action.do in ON_PANE
    found = values.of(cause.event, cause.name, cause.action, cause.attempt, _IN_TMUX_MOST if in_tmux else values.VALUE_MOST)
    own = {
        **found.environment(), ACTION: cause.action, "CTMUX_DEPTH": str(cause.depth + 1),
        **({"CTMUX_TMUX_SOCKET": cause.socket} if cause.socket else {}),
    }  # fmt: skip
    own.pop("CTMUX_ACTION", None)
    env = {**base(environ), **action.env, **own}
    cwd = action.cwd or environ.get("HOME") or "/"
    event = json.dumps(cause.event._asdict(), ensure_ascii=False).encode("utf-8", "replace")
    if action.do == "run":
        return Plan([_program(action.argv[0]), *map(found.fill, action.argv[1:])], env, cwd, event)
    if action.do == "shell":
        return Plan(["/bin/sh", "-c", action.text or ""], env, cwd, event)
    if action.do == "webhook":
        env |= {name: text for name, text in environ.items() if name.lower() in _OF_WEB}
        return Plan([sys.executable, "-P", "-m", _WEBHOOK], env, "/", _webhook(action, cause, policy))
    if action.do == "notify":
        return Plan(_notification(found.fill(action.text or ""), cause, env, clients), env, "/")
    if not in_tmux:
        raise CtmuxError(f"{action.do} starts no process")
    ours = {**base(environ), **own}  # tmux is found without what the program in a new pane has
    return _on_pane(action, cause, found, ours, {**action.env, **own}, group)


def _on_pane(
    action: Action, cause: Cause, found: Values, env: dict[str, str], own: dict[str, str], group: int | None
) -> Plan:  # fmt: skip
    pane, socket, typed = pane_of(action, cause.event), cause.socket, None
    if socket is None:
        raise NoTarget(f"the tmux server of {pane} is not known, or has ended")
    if action.do == "send":
        typed = _typed(action, found)
        words = ["send-keys", "-t", pane, "-l", "--", tmux.word(typed)]
        words += [";", "send-keys", "-t", pane, "Enter"] if action.enter else []
        typed += "\n" * action.enter
    elif action.do == "keys":
        words = ["send-keys", "-t", pane, "--", *map(tmux.word, action.argv)]
    elif action.do == "kill":
        words = ["kill-pane", "-t", pane]
    elif action.do == "signal":
        whom = f"(the process group in the foreground of {pane})" if group is None else group
        return Plan(["kill", "-s", str(action.signal), "--", f"-{whom}"], env, "/", pane=pane)
    else:
        words = ["split-window", "-d", "-P", "-F", "#{pane_id}", "-t", pane, *_start(action, found, own)]
    return Plan(tmux.command(socket, *words), env, "/", pane=pane, typed=typed)


def _typed(action: Action, found: Values) -> str:
    """What is typed: the text as it was armed, what comes from the event without anything that is a key."""
    if found.truncated and placeholders.of(action):
        raise Refused("the text is not all there, it was too long: what is cut is not typed")
    shown = Values(_visible(found.texts), _visible(found.groups), found.truncated)
    return shown.fill(action.text or "")[:_TYPED_MOST]


def _visible(texts: dict[str, str]) -> dict[str, str]:
    return {name: visible(text) for name, text in texts.items()}


def _start(action: Action, found: Values, own: dict[str, str]) -> list[str]:
    """How a program is started in a pane. tmux runs several words as they are, but gives one alone to a shell."""
    argv = [_program(action.argv[0]), *map(found.fill, action.argv[1:])]
    if len(argv) == 1:
        argv = ["nice", "-n", "0", *argv]
    variables = [part for name, text in own.items() for part in ("-e", tmux.word(f"{name}={text}"))]
    directory = ["-c", tmux.literal(action.cwd)] if action.cwd else []
    return [*variables, *directory, "--", *map(tmux.word, argv)]


def _program(name: str) -> str:
    found = resolve(name)
    if found is None:
        raise NoTarget(f"no program {name!r} can be run")
    return found


def _webhook(action: Action, cause: Cause, policy: Policy) -> bytes:
    job = {
        "url": action.url, "event": cause.event._asdict(), "headers": action.headers, "secret_file": action.secret_file,
        "timeout": action.timeout, "tries": action.tries, "hosts": None if policy.hosts == ["*"] else policy.hosts,
    }  # fmt: skip
    return json.dumps(job, ensure_ascii=False).encode("utf-8", "replace")


def notifies_desktop(environ: dict[str, str]) -> bool:
    """Whether there is a desktop to notify; else it is the status lines of who is attached to tmux."""
    return bool(environ.get("DBUS_SESSION_BUS_ADDRESS")) and resolve("notify-send") is not None


def _notification(text: str, cause: Cause, env: dict[str, str], clients: tuple[str, ...]) -> list[str]:
    title, text = f"ctmux {cause.name or cause.event.subscription}", visible(text)[:_NOTICE_MOST]
    if notifies_desktop(env):
        for char, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            text = text.replace(char, name)
        return ["notify-send", "--app-name=ctmux", "--", title, text]
    if cause.socket is None:
        raise NoTarget("nobody can be notified: no notify-send with a session bus, and no tmux server in the event")
    # tmux takes it for a format with a time in it, and what is left for styles.
    shown = f"{title}: {text}".replace("#", "##").replace("##[", "# [").replace("%", "%%")
    words: list[str] = []
    for client in clients or ("...",):
        words += [*([";"] if words else []), "display-message", "-c", client, "-d", "5000", "--", tmux.word(shown)]
    return tmux.command(cause.socket, *words)

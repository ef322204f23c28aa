"""What a subscription sets off, as options of a command: `--run -- ARGV...` and its kin, and the bounds of all of them."""

import json
import os
import re
import shlex
from typing import Any

import typer
from typer.core import TyperCommand

from ..shared import config
from ..shared.actions import Action
from ..shared.errors import UsageError
from ..shared.specs import read_all
from ..shared.summary import bounds, summary, terms
from .given import from_json

Parameter = tuple[Any, Any]  # a type, and how typer shows it
_REST = ("--run", "--new-pane")


class Acting(TyperCommand):
    """A command at whose end `--run -- ARGV...` may stand: all behind the `--` is the program and its arguments."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        at = next((at for at, word in enumerate(args[:-1]) if word in _REST), None)
        if at is not None:  # without the `--` the first word is enough to say what is missing
            args = [*args[: at + 1], json.dumps(args[at + 2 :]) if args[at + 1] == "--" else args[at + 1]]
        elif "--" in args:
            self._check_behind(ctx, args, args.index("--"))
        return super().parse_args(ctx, args)

    def _check_behind(self, ctx: Any, args: list[str], at: int) -> None:
        """Raises a usage error for words behind `--` where all arguments are there already, unless they begin with -."""
        behind = args[at + 1 :]
        given, _, _ = self.make_parser(ctx).parse_args(args=args[:at])
        complete = all(given.get(param.name) for param in self.params if param.param_type_name == "argument")
        if complete and behind and not behind[0].startswith("-"):
            ctx.fail(f"what is behind -- is no pattern; did you mean: --run -- {shlex.join(behind)}")


def _one(name: str, metavar: str, text: str, type_: Any = str) -> Parameter:
    return type_ | None, typer.Option(None, name, metavar=metavar, help=text)


def _many(name: str, metavar: str, text: str) -> Parameter:
    return list[str] | None, typer.Option(None, name, metavar=metavar, help=f"{text} May be given again.")


def _flag(name: str, text: str) -> Parameter:
    return bool, typer.Option(False, name, help=text)


DO: dict[str, Parameter] = {
    "run": _one("--run", "-- ARGV...", "Run this with each event; the last option. {line} in an argument is the line."),
    "pane": _one("--new-pane", "-- ARGV...", "Run it in a new pane beside the event's; the last option."),
    "shell": _many("--shell", "TEXT", 'Have /bin/sh run this. Data is in "$CTMUX_LINE", never in the text.'),
    "send": _many("--send", "TEXT", "Type this and Enter."),
    "keys": _many("--send-keys", "KEYS", "Press these keys: names as tmux knows them, with spaces between."),
    "signal": _many("--signal", "NAME", "Send INT, TERM ... to what runs in the pane."),
    "kill": _flag("--kill", "Kill the pane."),
    "webhook": _many("--webhook", "URL", "POST the event."),
    "notify": _many("--notify", "TEXT", "Notify on the desktop, or in tmux's status line."),
    "publish": _many("--publish", "NAME", "Publish an event user.NAME."),
    "arm": _many("--arm", "JSON", "Arm a subscription: a map of kind, patterns and options."),
    "remove": _many("--remove", "ID", "Remove a subscription."),
    "action": _many("--action", "JSON", "Any action as a map: docs/wire.md."),
    "actions": _one("--actions", "FILE", "A JSON list of them."),
}
HOW: dict[str, Parameter] = {
    "to": _one("--to", "PANE", "Which pane to type into, signal, kill or split; default: the event's."),
    "dry": _flag("--dry-run", "Run nothing: each event says exactly what would run."),
    "deliver": _one("--deliver", "HOW", "at-most-once (default) or at-least-once."),
    "timeout": _one("--action-timeout", "SECONDS", "TERM after so long (60), then KILL.", float),
    "grace": _one("--action-grace", "SECONDS", "KILL so long after TERM (5).", float),
    "concurrency": _one("--concurrency", "N", "So many at once (4).", int),
    "queue": _one("--queue", "N", "So many may wait (100); more are refused.", int),
    "rate": _one("--rate", "N/SECONDS", "At most so many (10/60); 'none' where the policy allows it."),
    "max_age": _one(
        "--max-age", "SECONDS", "Nothing for events older than this (30), unless at-least-once or --from.", float
    ),
    "loop": _one(
        "--loop-depth", "N", "So many actions in a row may lead to it (3); more where it answers again and again.", int
    ),
    "output": _one("--action-output", "BYTES", "So much of the end of its output is kept (4096).", int),
    "cwd": _one("--action-cwd", "DIR", "Where it runs; default: here."),
    "env": _many("--env", "NAME[=VALUE]", "A variable for it, of yours if it has no value."),
    "header": _many("--header", "NAME:VALUE", "Of a webhook."),
    "secret_file": _one("--secret-file", "FILE", "What a webhook is signed with."),
    "tries": _one("--tries", "N", "So many tries of a webhook (3).", int),
}
OPTIONS = {f"act_{name}": parameter for name, parameter in (DO | HOW).items()}
_CHILD = {"timeout", "grace", "output", "cwd", "env"}
# Which of the options of all are of a kind; the others are of every kind.
_OF = {
    "run": _CHILD, "shell": _CHILD, "pane": {"timeout", "cwd", "env", "to"},
    "webhook": {"timeout", "headers", "secret_file", "tries"},
    "send": {"timeout", "to"}, "keys": {"timeout", "to"}, "signal": {"timeout", "to"}, "kill": {"timeout", "to"},
    "notify": {"timeout"}, "publish": set(), "arm": set(), "remove": set(),
}  # fmt: skip
_SOME = _CHILD | {"to", "headers", "secret_file", "tries"}
_FIELD = {"run": "argv", "pane": "argv", "shell": "text", "send": "text", "keys": "argv", "signal": "signal",
          "webhook": "url", "notify": "text", "publish": "name", "arm": "subscription", "remove": "target"}  # fmt: skip

_EXAMPLE = {"--action": '{"do": "run", "argv": ["make"]}', "--arm": '{"kind": "pattern", "patterns": ["FAILED"]}'}


def take(given: dict[str, Any]) -> list[dict[str, Any]]:
    """The actions that options name; they are taken out. Raises UsageError."""
    found = {name: given.pop(f"act_{name}") for name in (*DO, *HOW)}
    how = {name: found[name] for name in HOW if found[name] or type(found[name]) in (int, float)}  # 0 is a value, too
    if "to" in how:
        from .commands.events import scope

        server, _session, pane = scope(None, how["to"], past=False)
        how["to"] = {"to": pane, "server": server}
    if "rate" in how:
        how["rate"] = _rate(how["rate"])
    if "env" in how:
        how["env"] = dict(map(_variable, how["env"]))
    if "header" in how:
        how["headers"] = dict(_header(text) for text in how.pop("header"))
    for name in ("cwd", "secret_file"):
        if name in how:
            how[name] = os.path.abspath(os.path.expanduser(how[name]))
    made = [_made(do, value, how) for do in DO if do in _OF for value in _values(do, found[do])]
    made += [{**_json("--action", text), **_common(how)} for text in found["action"] or ()]
    made += [{**one, **_common(how)} for one in _file(found["actions"])] if found["actions"] else []
    if how and not made:
        raise UsageError("there is no action that this is about: --run -- ARGV, or another one; see --help")
    read_all(made)
    return made


def describe(actions: list[dict[str, Any]]) -> list[str]:
    """What would run, for a person, with the placeholders as they are."""
    return [summary(action) for action in _known(actions)]


def told(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each for people and programs: its kind, what it does, how it is delivered, its bounds that are not the default."""
    settings = config.load().runner
    return [
        {"do": one.do, "what": summary(one), "deliver": one.deliver, "bounds": bounds(one, settings),
         "terms": terms(one, settings)}
        for one in _known(actions)
    ]  # fmt: skip


def _known(actions: list[dict[str, Any]]) -> list[Action]:
    """As far as this ctmux understands them."""
    return [Action(**{key: value for key, value in action.items() if key in Action._fields}) for action in actions]


def _values(do: str, value: Any) -> list[Any]:
    if do in ("run", "pane") and value is not None:
        return [_argv(do, value)]
    return value if isinstance(value, list) else [True] if value else []


def _argv(do: str, value: str) -> list[str]:
    option = "--run" if do == "run" else "--new-pane"
    try:
        argv = json.loads(value)
    except (ValueError, RecursionError):
        argv = None
    if not isinstance(argv, list) or not argv or not all(isinstance(part, str) for part in argv):
        raise UsageError(f"{option}: write it last, as {option} -- PROGRAM ARGUMENTS...")
    return argv


def _made(do: str, value: Any, how: dict[str, Any]) -> dict[str, Any]:
    if do == "keys":
        value = value.split()
    elif do == "arm":
        value = _json("--arm", value)
    elif do == "signal":
        value = value.upper().removeprefix("SIG")
    made = {"do": do, **({_FIELD[do]: value} if do in _FIELD else {}), **_common(how)}
    for name in _OF[do] & how.keys():
        made |= how[name] if name == "to" else {name: how[name]}
    return made


def _common(how: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in how.items() if name not in _SOME}


def _json(option: str, text: str) -> dict[str, Any]:
    value = from_json(option, text)
    if not isinstance(value, dict):
        raise UsageError(f"{option}: a map is expected, such as {_EXAMPLE[option]}")
    if option == "--arm" and "kind" not in value:
        raise UsageError(f"--arm: kind is needed, as in {_EXAMPLE[option]}")
    return value


def _file(path: str) -> list[dict[str, Any]]:
    try:
        with open(path) as file:
            text = file.read()
    except OSError as error:
        raise UsageError(f"--actions {path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"--actions {path}: {error}") from error
    value = from_json(f"--actions {path}", text)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise UsageError(f"--actions {path}: a list of maps is expected")
    return value


def _rate(text: str) -> list[float]:
    found = re.fullmatch(r"(\d+)/(\d+(?:\.\d+)?)", text)
    if not found and text != "none":
        raise UsageError(f"--rate {text!r}: N/SECONDS is expected, such as 10/60, or none")
    return [int(found[1]), float(found[2])] if found else []


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals and name not in os.environ:
        raise UsageError(f"--env {name}: there is no such variable; say which value: --env {name}=VALUE")
    return name, value if equals else os.environ[name]


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise UsageError(f"--header {text!r}: NAME:VALUE is expected")
    return name.strip(), value.strip()

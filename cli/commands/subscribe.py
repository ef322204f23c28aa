"""`ctmux subscribe KIND ...`: have the matcher wait for something. One table of kinds, one of options."""

import inspect
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from ...shared.errors import UsageError
from .. import acting, fixed
from ..output import JSON, Result, command, say
from .events import scope

if TYPE_CHECKING:
    from ...client import Client

app = typer.Typer(help="Arm a subscription.", no_args_is_help=True, rich_markup_mode=None)

Parameter = tuple[Any, Any]  # a type, and how typer shows it


def _regex(most: int | None, text: str = "RE2 syntax; matched in each line without its escapes.") -> Parameter:
    if most == 1:
        return str, typer.Argument(..., metavar="REGEX", help=text)
    return list[str], typer.Argument(..., metavar="REGEX", help=text)


def _seconds(text: str) -> Parameter:
    return float, typer.Argument(..., metavar="SECONDS", help=text)


def _within(text: str) -> Parameter:
    return float, typer.Option(..., "--within", metavar="SECONDS", help=text)


def _flag(name: str, text: str) -> Parameter:
    return bool, typer.Option(False, name, help=text)


def _number(name: str, text: str, metavar: str = "N") -> Parameter:
    return int | None, typer.Option(None, name, metavar=metavar, help=text)


def _time(name: str, text: str) -> Parameter:
    return float | None, typer.Option(None, name, metavar="SECONDS", help=text)


def _text(name: str, text: str, metavar: str) -> Parameter:
    return str | None, typer.Option(None, name, metavar=metavar, help=text)


def _scope(name: str, text: str, metavar: str) -> Parameter:
    """Typer takes the last of several without a word, so all are taken, and more than one is refused."""
    return list[str] | None, typer.Option(None, name, metavar=metavar, help=text)


def _many(type_: type, name: str, text: str, metavar: str) -> Parameter:
    return list[type_] | None, typer.Option(None, name, metavar=metavar, help=f"{text} May be given again.")  # type: ignore[valid-type]


SCOPE: dict[str, Parameter] = {
    "session": _scope("--session", "Only this session, with the panes it will have.", "SESSION"),
    "pane": _scope("--pane", "Only this pane: %12, session:window.pane, or a label.", "PANE"),
    "everywhere": _flag("--all", "Every pane of every session, also those to come (the default)."),
}
POLICIES: dict[str, Parameter] = {
    "once": _flag("--once", "End after the first event."),
    "count": _number("--count", "End after so many events."),
    "ttl": _time("--ttl", "End after so many seconds."),
    "until": _text("--until", "End when a line matches this.", "REGEX"),
    "limit": _text(
        "--limit", "At most so many events in so many seconds; the next one counts what was held back.", "N/SECONDS"
    ),
    "cooldown": _time("--cooldown", "Nothing for so long after an event."),
    "dedupe": _time("--dedupe", "Not the same line again for so long."),
    "name": _text("--name", "A name for people.", "NAME"),
    "owner": _text("--owner", "Who asks for it.", "NAME"),
    "tags": (
        list[str] | None,
        typer.Option(None, "--tag", metavar="TAG", help="For `subscription list --tag`; may be given again."),
    ),
}
ECHO: dict[str, Parameter] = {
    "include": _text("--include", "`echo`: also what is typed, and prompts.", "echo"),
}
CONTEXT: dict[str, Parameter] = {
    "before": (int, typer.Option(0, "-B", "--before", metavar="N", help="So many lines before the one that matches.")),
    "after": (
        int,
        typer.Option(0, "-A", "--after", metavar="N", help="So many lines after it, or what comes before a pause."),
    ),
    "context": (int, typer.Option(0, "-C", "--context", metavar="N", help="Both.")),
}
ACROSS: dict[str, Parameter] = {"across": _flag("--across", "All panes together; else each pane by itself.")}
STATUS: dict[str, Parameter] = {
    "status": (
        list[int] | None,
        typer.Option(None, "--status", metavar="N", help="Only this exit status; may be given again."),
    ),
    "fail": _flag("--fail", "Only what did not end with status 0."),
}
FROM: dict[str, Parameter] = {
    "start": (
        str,
        typer.Option(
            "now",
            "--from",
            metavar="WHERE",
            help="now, start, 'last N' (lines, as in pane tail -n), or an offset of one pane.",
        ),
    ),
}


def _where(sessions: list[str], panes: list[str], everywhere: bool) -> dict[str, Any]:
    if len(sessions) + len(panes) + everywhere > 1:
        raise UsageError(
            "use one of --session, --pane and --all, and that once; for several, subscribe to each, "
            "then to all of them together: ctmux subscribe any ID..."
        )
    server, session_id, pane_id = scope(next(iter(sessions), None), next(iter(panes), None), past=False)
    return {"server": server, "session": session_id, "pane": pane_id}


def _warn_blind(client: "Client", where: dict[str, str | None]) -> None:
    """Say that the one pane that is meant is not observed."""
    for pane in client.panes() if where["pane"] else ():
        if (pane["server"], pane["pane"]) == (where["server"], where["pane"]) and pane["unobserved"]:
            say(f"ctmux: {pane['pane']} is not observed, nothing of it will match: {pane['unobserved']}")


def _options(given: dict[str, Any]) -> dict[str, Any]:
    """The options of the request; what was not given is left out."""
    zero = {"before": 0, "after": 0, "context": 0, "start": "now"}
    wanted = {name: value for name, value in given.items() if value not in (None, []) and value is not False}
    wanted = {name: value for name, value in wanted.items() if zero.get(name) != value}
    if wanted.pop("once", False):
        if "count" in wanted:
            raise UsageError("use one of --once and --count")
        wanted["count"] = 1
    both = wanted.pop("context", None)
    if both:
        wanted = {"before": both, "after": both, **wanted}
    include = wanted.pop("include", None)
    if include not in (None, "echo"):
        raise UsageError(f"--include {include!r}: echo is expected")
    if include:
        wanted["include_echo"] = True
    if "limit" in wanted:
        found = re.fullmatch(r"(\d+)/(\d+(?:\.\d+)?)", wanted["limit"])
        if not found:
            raise UsageError(f"--limit {wanted['limit']!r}: N/SECONDS is expected, such as 10/60")
        wanted["limit"] = [int(found[1]), float(found[2])]
    return wanted


def _find_scopes(actions: list[dict[str, Any]]) -> None:
    """Names of sessions and panes in what is armed later mean what they mean now, as those of options do."""
    for armed in (action.get("subscription") for action in actions):
        if not isinstance(armed, dict):
            continue
        session, pane = armed.get("session"), armed.get("pane")
        if isinstance(session or pane, str) and not armed.get("server"):
            armed["server"], armed["session"], armed["pane"] = scope(session, pane, past=False)
        if isinstance(armed.get("actions"), list):
            _find_scopes(armed["actions"])


def _arm(kind: str, given: dict[str, Any]) -> Result:
    from ...client import Client

    given.pop("as_json")
    where = _where(given.pop("session", None) or [], given.pop("pane", None) or [], given.pop("everywhere", False))
    patterns = given.pop("patterns", None) or []
    patterns = [*([patterns] if isinstance(patterns, str) else patterns), *(given.pop("named", None) or [])]
    first = [given.pop(name) for name in ("first", "second") if name in given]
    dry, actions = given["act_dry"], acting.take(given)
    _find_scopes(actions)
    if re.fullmatch(r"s\d+", given.get("name") or ""):
        raise UsageError(f"--name {given['name']}: that is how ids look; choose another name")
    options = {**_options(given), **({"actions": actions} if actions else {})}
    fixed.check_panes(actions, where)
    with Client() as client:
        _warn_blind(client, where)
        made = client.subscribe(kind, *first, *patterns, **where, **options)
        for target in fixed.unknown_targets(actions, client):
            say(f"ctmux: no subscription {target!r} is armed now; it is removed only if there is one when the event comes")
    for text in acting.describe(made["actions"]) if dry else ():
        say(f"would: {text}", whole=True)
    return Result(made["id"], made, made["session"], made["pane"])


def _add(kind: str, text: str, example: str, *tables: dict[str, Parameter], scoped: bool = True) -> None:
    """A command for a kind, with the parameters of these tables and those that all kinds have."""
    tables = (*tables, *([SCOPE] if scoped else []), POLICIES, acting.OPTIONS)
    parameters = {name: parameter for table in tables for name, parameter in table.items()} | {"as_json": (bool, JSON)}

    def run(**given: Any) -> Result:
        return _arm(kind, given)

    run.__name__ = kind.replace("-", "_")
    run.__doc__ = text
    shown: Callable[..., Any] = command(run)
    kinds = inspect.Parameter.KEYWORD_ONLY
    shown.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, kinds, default=default, annotation=type_) for name, (type_, default) in parameters.items()]
    )
    shown.__annotations__ = {name: type_ for name, (type_, _default) in parameters.items()}
    app.command(kind, cls=acting.Acting, epilog=f"Example: ctmux subscribe {kind} {example}")(shown)


_add("pattern", "Each line that matches: an event `pattern.matched`.",
     "'FAILED (.*)' --session build --once", {"patterns": _regex(None)}, CONTEXT, FROM, ECHO)  # fmt: skip
_add("timeout", "It has not come in time: an event `timeout.expired`.",
     "30 ready --pane server", {
         "seconds": _seconds("How long to wait."),
         "patterns": (list[str] | None, typer.Argument(None, metavar="REGEX", help="What must come; else any output.")),
         "named": _many(str, "--pattern", "The same as an option.", "REGEX"),
     }, ECHO)  # fmt: skip
_add("absence", "Nothing matches for a while: an event `absence.expired`.\n\nThe next match arms it again.",
     "60 heartbeat --pane worker", {"seconds": _seconds("How long."), "patterns": _regex(None)}, ECHO)  # fmt: skip
_add("idle", "A pane is silent for a while: an event `idle.expired`.\n\nIts next output arms it again.",
     "30 --session agents", {"seconds": _seconds("How long the pane is silent.")})  # fmt: skip
_add("exit", "A pane's program has ended: an event `exit.matched`.", "--fail --session build", STATUS)
_add("command",
     "A command has finished: an event `command.matched`.\n\nOf shells that mark their commands: ctmux shell-init.",
     "--fail --slower 10", STATUS, {
         "text": _text("--text", "Only commands that match.", "REGEX"),
         "slower": _time("--slower", "Only commands that took at least so long."),
     })  # fmt: skip
_add(
    "prompt",
    "The shell is back: an event `prompt.matched`.\n\nOf shells that mark their prompts: see ctmux shell-init.",
    "--pane work --once",
)
_add("sequence", "One line after the other: an event `sequence.matched`.",
     "'connecting' 'connected' --within 5", {"patterns": _regex(None), "seconds": _within("From the first to the last.")},
     ACROSS, ECHO)  # fmt: skip
_add("not-then", "One line without the other: an event `not-then.expired`.",
     "'request' 'response' --within 2", {
         "first": (str, typer.Argument(..., metavar="REGEX", help="What begins it.")),
         "second": (str, typer.Argument(..., metavar="REGEX", help="What must follow.")),
         "seconds": _within("How long to wait for the second."),
     }, ACROSS, ECHO)  # fmt: skip
_add("threshold", "So many lines in a time: an event `threshold.matched`.", "5 ERROR --within 60", {
    "times": (int, typer.Argument(..., metavar="N", help="How many lines.")),
    "patterns": _regex(None), "seconds": _within("From the first to the last of them."),
}, ACROSS, CONTEXT, ECHO)  # fmt: skip
_MEMBERS = {"members": (list[str], typer.Argument(..., metavar="ID", help="Ids or names of subscriptions."))}
_add("any", "Each event of any of several: an event `any.matched`.", "s1 s2 --once", _MEMBERS, scoped=False)
_add("all", "All of several have fired: an event `all.matched`.", "s1 s2 --within 60", _MEMBERS, {
    "seconds": _time("--within", "Only if they all fire within so long."),
}, scoped=False)  # fmt: skip

"""`ctmux action ...`: what subscriptions have set off, who armed it, and what may run."""

import json
import os
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from ...shared import paths, supervised
from ...shared.errors import NoTarget
from .. import acting, environment, log
from ..output import JSON, Result, command, table

if TYPE_CHECKING:
    from ...shared.messages import Event

app = typer.Typer(help="What subscriptions set off: list, look, cancel.", no_args_is_help=True, rich_markup_mode=None)
_STATES = {
    "intended": "waits", "started": "runs", "interrupted": "interrupted", "refused": "refused",
    "suppressed": "suppressed", "rehearsed": "dry run",
}  # fmt: skip


@app.command("list", epilog="Example: ctmux action list --subscription s3 --json | jq '.data[-1].exit_code'")
@command
def list_(
    subscription: str | None = typer.Option(
        None, "--subscription", metavar="ID", help="Only of this subscription: its id or name."
    ),
    count: int = typer.Option(20, "-n", min=1, help="The last N."),
    as_json: bool = JSON,
) -> Result:
    """The actions in the log: how each ended, or that it runs.

    EVENTS: how many events set nothing off, for the reason that is shown."""
    subscription = None if subscription is None else log.subscription_id(subscription)
    found = list(_actions(subscription).values())[-count:]
    if subscription and not found:
        log.check_subscription(subscription)
    rows = [[one["action"], _state(one), _took(one), one.get("count"), _what(one)] for one in found]
    return Result(table(rows, ["ACTION", "STATE", "SECONDS", "EVENTS", "WHAT"]), found)


@app.command(epilog="Example: ctmux action show 15.s1.0")
@command
def show(action: str = typer.Argument(..., metavar="ID", help="Its id, as in `list`."), as_json: bool = JSON) -> Result:
    """One action: what was intended, when it started, how it ended."""
    from .events import describe

    events = [event for event in _events(None) if event.data.get("action") == action]
    if not events:
        raise NoTarget(f"the log has no action {action!r}; see: ctmux action list")
    return Result("\n".join(map(describe, events)), [event._asdict() for event in events])


@app.command(epilog="Example: ctmux action cancel 15.s1.0")
@command
def cancel(action: str = typer.Argument(..., metavar="ID", help="Its id."), as_json: bool = JSON) -> Result:
    """End an action that runs, or keep one that waits from starting."""
    from ...client import Client

    with Client() as client:
        client.cancel(action)
    return Result(f"cancelled {action}", {"action": action})


@app.command(epilog="Example: ctmux action audit --json | jq '.data[] | .armed_by.command'")
@command
def audit(as_json: bool = JSON) -> Result:
    """Who armed which actions, as far back as the log goes."""
    found = []
    for event in _events(None, "subscription.created"):
        armed = event.data["subscription"]
        if armed.get("actions"):
            what = acting.describe(armed["actions"])
            found.append(
                {"time": event.time, "subscription": armed["id"], "armed_by": armed["armed_by"] or {}, "what": what}
            )
    rows = [[one["time"][:19], one["subscription"], *_who(one["armed_by"]), "; ".join(one["what"])] for one in found]
    return Result(table(rows, ["TIME (UTC)", "ID", "BY", "FROM", "WHAT"]), found)


def _who(by: dict[str, Any]) -> tuple[str, str]:
    """Who, and from where."""
    if "user" not in by:
        return f"action {by['action']}" if "action" in by else "-", "-"
    return f"{by['user']} ({by['pid']})", by.get("pane") or by.get("cwd") or "-"


@app.command("policy", epilog="Example: ctmux action policy --json | jq .data.commands")
@command
def policy_(as_json: bool = JSON) -> Result:
    """What may run at all, and which file says so.

    The file is $CTMUX_POLICY, else policy.toml beside the settings: beside $CTMUX_CONFIG, else in ~/.config/ctmux.
    What counts is what the running daemon was started with; it is shown from any shell.

    Exit code 5 if the file cannot be trusted."""
    running = supervised.running(paths.resolve())
    allowed, file = environment.policy_in_force(running)
    whose = f"of the running daemon (supervisord {running.pid})" if running else "of a daemon started here; none runs now"
    missing = "" if os.path.exists(file) else " (not there: these are the defaults)"
    lines = [f"{name:10} {value}" for name, value in allowed._asdict().items()]
    data = {**allowed._asdict(), "file": file, "supervisord": running and running.pid}
    return Result("\n".join([f"{file}{missing}, {whose}", *lines]), data)


def _events(subscription: str | None, kind: str = "action") -> Iterator["Event"]:
    from ...shared.messages import Filter

    return log.stored(Filter(kind, subscription=subscription), 1)


def _actions(subscription: str | None) -> dict[str, dict[str, Any]]:
    """What the log says of each action: the latest, with all that was said before."""
    found: dict[str, dict[str, Any]] = {}
    for event in _events(subscription):
        state = event.kind.partition(".")[2]
        key = event.data["action"] if "count" not in event.data else f"{event.data['action']} {state} {event.n}"
        known = found.pop(key, {})
        data = {name: value for name, value in event.data.items() if name != "spec"}
        found[key] = {
            **known,
            "time": event.time,
            "subscription": event.subscription,
            "pane": event.pane,
            **data,
            "state": state,
        }
    return found


def _what(action: dict[str, Any]) -> str | None:
    """With the reason why it did not run, or not to its end. A dry run says what would run, its placeholders filled."""
    what: str | None = action.get("what")
    if action["state"] != "rehearsed":
        return ": ".join(filter(None, (what, action.get("reason"))))
    if action["do"] == "publish":
        what = f"publish {action['kind']} {json.dumps(action['value'], ensure_ascii=False)}"
    elif "argv" in action and action["do"] != "webhook":
        what = shlex.join(action["argv"])
    what = f"{what} (refused: {action['refused']})" if "refused" in action else what
    return (what or "").encode("unicode_escape").decode()


def _state(action: dict[str, Any]) -> str:
    if action["state"] != "finished":
        return _STATES[action["state"]]
    if action["signal"]:
        return f"ended by {action['signal']}"
    return "could not run" if action["exit_code"] is None else f"exit {action['exit_code']}"


def _took(action: dict[str, Any]) -> str | None:
    return f"{action['duration']:.3f}" if "duration" in action else None

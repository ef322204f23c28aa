"""`ctmux subscription ...`: what the matcher waits for."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import typer

from ...shared import paths, spool
from ...shared.codec import timestamp
from ...shared.errors import NoTarget, UsageError, from_wire
from ..output import JSON, Result, command, table
from .events import scope

app = typer.Typer(help="List, explain, try and remove subscriptions.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list", epilog="Example: ctmux subscription list --json | jq '.data[].id'")
@command
def list_(
    owner: str | None = typer.Option(None, "--owner", metavar="NAME", help="Only those of this owner."),
    tag: str | None = typer.Option(None, "--tag", metavar="TAG", help="Only those with this tag."),
    as_json: bool = JSON,
) -> Result:
    """Every subscription that is armed."""
    from ...client import Client

    with Client() as client:
        known = client.subscriptions()
    found = [s for s in known if owner in (None, s["owner"]) and (tag is None or tag in s["tags"])]
    rows = [[s["id"], s["kind"], s["name"], _place(s), s["seconds"], _bounds(s), _looks_for(s)] for s in found]
    return Result(table(rows, ["ID", "KIND", "NAME", "SCOPE", "SECONDS", "ENDS", "LOOKS FOR"]), found)


@app.command(epilog="Example: ctmux subscription show s3")
@command
def show(wanted: str = typer.Argument(..., metavar="ID", help="Its id or name."), as_json: bool = JSON) -> Result:
    """One subscription."""
    from ...client import Client

    with Client() as client:
        fitting = [s for s in client.subscriptions() if wanted in (s["id"], s["name"])]
    if len(fitting) != 1:
        many = f"{len(fitting)} subscriptions are named {wanted!r}" if fitting else f"no subscription {wanted!r}"
        raise NoTarget(f"{many}; see: ctmux subscription list")
    text = "\n".join(f"{key:9} {value}" for key, value in fitting[0].items() if value not in (None, [], False, 0))
    return Result(text, fitting[0], fitting[0]["session"], fitting[0]["pane"])


@app.command(epilog="Example: ctmux subscription remove s3")
@command
def remove(wanted: str = typer.Argument(..., metavar="ID", help="Its id or name."), as_json: bool = JSON) -> Result:
    """End a subscription."""
    from ...client import Client

    with Client() as client:
        ended = client.unsubscribe(wanted)
    return Result(f"removed {ended['id']}", ended, ended["session"], ended["pane"])


@app.command("explain", epilog="Example: ctmux subscription explain s3")
@command
def explain(wanted: str = typer.Argument(..., metavar="ID", help="Its id or name."), as_json: bool = JSON) -> Result:
    """Where it looks, what it saw last, and why it has fired or not."""
    from ...client import Client

    with Client() as client:
        found = client.explain(wanted)
    armed = found["subscription"]
    lines = [f"{armed['id']} waits for {armed['kind']}: {_looks_for(armed) or 'anything'} in {_place(armed)}"]
    for stream in found["streams"]:
        more = f", {stream['unfinished']} more in an unfinished line" if stream["unfinished"] else ""
        lines.append(
            f"  {stream['pane']}: from byte {stream['since']} on; {stream['looked_through']} bytes looked through{more}"
        )
    if found.get("deadline"):
        lines.append(f"  next time that counts: {timestamp(found['deadline'])}")
    if found["last"]:
        lines.append(f"  last: {timestamp(found['last']['at'])} {found['last'].get('line') or found['last'].get('is', '')}")
    lines += [f"  {sentence}" for sentence in found["why"]]
    return Result("\n".join(lines), found, armed["session"], armed["pane"])


@app.command(epilog="Example: ctmux subscription test 'error: (.*)' --pane build")
@command
def test(
    regex: str = typer.Argument(..., metavar="REGEX", help="What a subscription would look for."),
    file: str | None = typer.Argument(None, metavar="[FILE]", help="Look through a file."),
    pane: str | None = typer.Option(None, "--pane", help="Look through what is kept of this pane's output."),
    check: bool = typer.Option(False, "--check", help="Only say what the pattern costs."),
    as_json: bool = JSON,
) -> Result:
    """What a pattern would find in a pane's past or a file; its cost."""
    if (pane is not None) + (file is not None) + check != 1:
        raise UsageError("use one of FILE, --pane and --check")
    if file is not None and not os.path.isfile(file):
        raise NoTarget(f"no file {file}")
    answers = _try([regex], _spool(pane) if pane else file)
    costs = next(answers)["costs"]
    text = [f"{cost['class']}: {cost['pattern']}: {cost['why']}" for cost in costs]
    if check:
        return Result("\n".join(text), {"costs": costs})
    found = list(answers)
    text += [f"byte {one['offset']}: {one['line']}" for one in found]
    return Result("\n".join([*text, f"{len(found)} lines would fire"]), {"costs": costs, "lines": found})


def _try(patterns: list[str], path: str | None) -> Iterator[dict[str, Any]]:
    """Have the matcher's own code look, in a process of its own. Raises CtmuxError."""
    trial = subprocess.Popen(
        [sys.executable, "-m", "ctmux.services.matcher.trial"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert trial.stdin and trial.stdout
    with trial, trial.stdin, trial.stdout:
        json.dump({"patterns": patterns, "path": path}, trial.stdin)
        trial.stdin.close()
        for line in trial.stdout:
            answer = json.loads(line)
            if "error" in answer:
                raise from_wire(answer["code"], answer["error"])
            yield answer


def _spool(pane: str) -> str:
    """Where the output of a pane lies, also of one that has ended."""
    server, _session, pane_id = scope(None, pane, past=True)
    found = [one for one in spool.walk_server(paths.resolve().spool, server or "") if one.stream.pane == pane_id]
    if not found:
        raise NoTarget(f"nothing is kept of {pane}'s output")
    return found[-1].path


def _looks_for(subscription: dict[str, Any]) -> str:
    filters = [f"status {status}" for status in subscription["status"]] + ["failures"] * subscription["fail"]
    filters += [f"at least {subscription['slower']:g} s"] if subscription["slower"] else []
    filters += [subscription["text"]] if subscription["text"] else []
    return "  ".join([*subscription["patterns"], *subscription["members"], *filters])


def _bounds(subscription: dict[str, Any]) -> str:
    """How it ends by itself."""
    count, ttl, until = (subscription[name] for name in ("count", "ttl", "until"))
    bounds = [
        {None: "", 1: "once"}.get(count, f"after {count}"),
        f"in {max(0.0, subscription['created'] + ttl - time.time()):.0f} s" if ttl else "",
        f"at {until}" if until else "",
    ]
    return ", ".join(filter(None, bounds))


def _place(subscription: dict[str, Any]) -> str:
    return subscription["pane"] or subscription["session"] or "all"

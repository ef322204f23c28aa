"""`ctmux subscription ...`: what the matcher waits for."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any

import typer

from ...shared import paths, spool
from ...shared.codec import timestamp
from ...shared.counted import counted
from ...shared.errors import NoTarget, UsageError, from_wire
from .. import acting, log
from ..output import JSON, Result, command, table
from .events import scope

app = typer.Typer(help="List, explain, try and remove subscriptions.", no_args_is_help=True, rich_markup_mode=None)

WANTED = typer.Argument(None, metavar="ID", help="Ids or names.")


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
        found = _of(client.subscriptions(), owner, tag)
    columns: dict[str, Callable[[dict[str, Any]], Any]] = {
        "ID": itemgetter("id"), "KIND": itemgetter("kind"), "NAME": itemgetter("name"), "OWNER": itemgetter("owner"),
        "TAGS": lambda s: ",".join(s["tags"]), "SCOPE": _place, "SECONDS": itemgetter("seconds"), "ENDS": _bounds,
        "POLICIES": _policies, "LOOKS FOR": _looks_for,
    }  # fmt: skip
    shown = {head: [tell(s) for s in found] for head, tell in columns.items()}
    for rare in ("OWNER", "TAGS", "POLICIES"):
        if not any(shown[rare]):
            del shown[rare]
    return Result(table([list(row) for row in zip(*shown.values(), strict=True)], list(shown)), found)


@app.command(epilog="Example: ctmux subscription show s3")
@command
def show(wanted: str = typer.Argument(..., metavar="ID", help="Its id or name."), as_json: bool = JSON) -> Result:
    """One subscription."""
    from ...client import Client

    with Client() as client:
        known = client.subscriptions()
    fitting = [s for s in known if s["id"] == wanted] or [s for s in known if s["name"] == wanted]
    if len(fitting) != 1:
        many = f"{len(fitting)} subscriptions are named {wanted!r}" if fitting else f"no subscription {wanted!r}"
        raise NoTarget(f"{many}; see: ctmux subscription list{'' if fitting else _ended(wanted)}")
    text = "\n".join(f"{key:9} {value}" for key, value in fitting[0].items() if value not in (None, [], False, 0))
    return Result(text, fitting[0], fitting[0]["session"], fitting[0]["pane"])


@app.command(epilog="Example: ctmux subscription remove --tag build --owner agent-7")
@command
def remove(
    wanted: list[str] | None = WANTED,
    owner: str | None = typer.Option(None, "--owner", metavar="NAME", help="All of this owner."),
    tag: str | None = typer.Option(None, "--tag", metavar="TAG", help="All with this tag."),
    as_json: bool = JSON,
) -> Result:
    """End subscriptions: by id or name, or all of an owner or tag."""
    from ...client import Client

    if bool(wanted) == (owner is not None or tag is not None):
        raise UsageError("name subscriptions by ID, or use --owner and --tag")
    ended = []
    with Client() as client:
        # Those first that look at others: these would end them.
        found = wanted or [one["id"] for one in reversed(_of(client.subscriptions(), owner, tag))]
        for one in found:
            try:
                ended.append(client.unsubscribe(one))
            except NoTarget as error:
                if wanted:  # else it has just ended by itself
                    raise NoTarget(f"{error}{'; removed: ' if ended else ''}{', '.join(s['id'] for s in ended)}") from None
    if not found:
        raise NoTarget("no subscription has this owner and tag; see: ctmux subscription list")
    only = ended[0] if len(ended) == 1 else {}
    return Result("\n".join(f"removed {one['id']}" for one in ended), ended, only.get("session"), only.get("pane"))


def _of(known: list[dict[str, Any]], owner: str | None, tag: str | None) -> list[dict[str, Any]]:
    return [one for one in known if owner in (None, one["owner"]) and (tag is None or tag in one["tags"])]


def _ended(wanted: str) -> str:
    """Where to look for one that has ended; nothing for one that never was."""
    try:
        id = log.subscription_id(wanted)
        log.check_subscription(id)
    except NoTarget:
        return ""
    return f"; it has ended: ctmux events --subscription {id}"


@app.command("explain", epilog="Example: ctmux subscription explain s3")
@command
def explain(wanted: str = typer.Argument(..., metavar="ID", help="Its id or name."), as_json: bool = JSON) -> Result:
    """Where it looks, what it saw and sets off, and why it fired or not."""
    from ...client import Client

    with Client() as client:
        try:
            found = client.explain(wanted)
        except NoTarget as error:
            raise NoTarget(f"{error}{_ended(wanted)}") from None
    armed = found["subscription"]
    found["actions"] = acting.told(armed["actions"])
    lines = [f"{armed['id']} waits for {armed['kind']}: {_looks_for(armed) or 'anything'} in {_place(armed)}"]
    for stream in found["streams"]:
        more = f", {stream['unfinished']} more in an unfinished line" if stream["unfinished"] else ""
        lines.append(
            f"  {stream['pane']}: from byte {stream['since']} on; "
            f"{counted(stream['looked_through'], 'byte')} looked through{more}"
        )
    if found.get("deadline"):
        lines.append(f"  next time that counts: {timestamp(found['deadline'])}")
    if found["last"]:
        lines.append(f"  last: {timestamp(found['last']['at'])} {found['last'].get('line') or found['last'].get('is', '')}")
    lines += [f"  sets off {one['do']}: {one['what']} ({one['terms']})" for one in found["actions"]]
    lines += [f"  {sentence}" for sentence in found["why"]]
    return Result("\n".join(lines), found, armed["session"], armed["pane"])


@app.command(epilog="Example: ctmux subscription test 'error: (.*)' --pane build")
@command
def test(
    regex: str = typer.Argument(..., metavar="REGEX", help="What a subscription would look for."),
    file: str | None = typer.Argument(None, metavar="FILE", help="Look through a file; - is stdin."),
    pane: str | None = typer.Option(None, "--pane", help="Look through what is kept of this pane's output."),
    check: bool = typer.Option(False, "--check", help="Only say what the pattern costs."),
    as_json: bool = JSON,
) -> Result:
    """What a pattern would find in a pane's past or a file; its cost."""
    if (pane is not None) + (file is not None) + check != 1:
        raise UsageError("use one of FILE, --pane and --check")
    if file is not None and file != "-" and not os.path.isfile(file):
        raise NoTarget(f"no file {file}")
    with tempfile.NamedTemporaryFile() as piped:
        if file == "-":
            shutil.copyfileobj(sys.stdin.buffer, piped)
            piped.flush()
        answers = _try([regex], _spool(pane) if pane else piped.name if file == "-" else file)
        costs = next(answers)["costs"]
        found = list(answers)
    text = [f"{cost['class']}: {cost['pattern']}: {cost['why']}" for cost in costs]
    if check:
        return Result("\n".join(text), {"costs": costs})
    text += [f"byte {one['offset']}: {one['line']}" for one in found]
    return Result("\n".join([*text, f"{counted(len(found), 'line')} would fire"]), {"costs": costs, "lines": found})


def _try(patterns: list[str], path: str | None) -> Iterator[dict[str, Any]]:
    """Have the matcher's own code look, in a process of its own. Raises CtmuxError."""
    argv = [sys.executable, "-P", "-m", "ctmux.services.matcher.trial"]
    trial = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
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


def _policies(subscription: dict[str, Any]) -> str:
    """What it holds back, and what it adds."""
    limit, before, after = (subscription[name] for name in ("limit", "before", "after"))
    policies = [
        "limit {:g}/{:g} s".format(*limit) if limit else "",
        *(f"{name} {subscription[name]:g} s" for name in ("cooldown", "dedupe") if subscription[name]),
        f"context -{before} +{after}" if before or after else "",
        "across" if subscription["across"] else "",
        "echo" if subscription["include_echo"] else "",
        f"from {subscription['start']}" if subscription["start"] != "now" else "",
    ]
    return ", ".join(filter(None, policies))


def _place(subscription: dict[str, Any]) -> str:
    return subscription["pane"] or subscription["session"] or "all"

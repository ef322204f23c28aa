"""`ctmux daemon ...`, `ctmux status`, `ctmux endpoints`: the daemon itself."""

import os
from collections import deque
from typing import Any

import typer

from ...shared import paths as where
from ...shared.errors import CtmuxError, NoDaemon, UsageError
from .. import supervisor
from ..output import JSON, Result, command, table

app = typer.Typer(help="Start, stop and look after the daemon.", no_args_is_help=True, rich_markup_mode=None)


def register(root: typer.Typer) -> None:
    """Add this file's commands to the tree."""
    root.add_typer(app, name="daemon")
    root.command("status", epilog="Example: ctmux status --json | jq .data.roles.keeper")(status)
    root.command("endpoints", epilog="Example: ctmux endpoints --json | jq -r .data.subscribers")(endpoints)


@app.command(epilog="Example: ctmux daemon start && ctmux status")
@command
def start(as_json: bool = JSON) -> Result:
    """Start the daemon of this instance, and wait until it serves."""
    paths = where.resolve()
    record = supervisor.start(paths)
    return Result(f"started: instance {paths.instance}, supervisord {record.pid}", record._asdict())


@app.command(epilog="Example: ctmux daemon stop")
@command
def stop(as_json: bool = JSON) -> Result:
    """Stop the daemon. tmux is as it was before: no hook, pipe or client of ctmux stays."""
    paths = where.resolve()
    record = supervisor.stop(paths)
    return Result(f"stopped: instance {paths.instance}", record._asdict())


@app.command(epilog="Example: ctmux daemon restart")
@command
def restart(as_json: bool = JSON) -> Result:
    """Stop the daemon if it runs, and start it. Subscriptions and the log stay."""
    paths = where.resolve()
    try:
        supervisor.stop(paths)
    except NoDaemon:
        pass
    record = supervisor.start(paths)
    return Result(f"restarted: instance {paths.instance}, supervisord {record.pid}", record._asdict())


@app.command("status", epilog="Example: ctmux daemon status")
@command
def status_(as_json: bool = JSON) -> Result:
    """The same as `ctmux status`."""
    return _status()


@app.command(epilog="Example: ctmux daemon logs keeper -n 20")
@command
def logs(
    service: str | None = typer.Argument(
        None, help="One service: supervisord, broker, logger, keeper, matcher, watcher-..."
    ),
    lines: int = typer.Option(50, "-n", "--lines", min=1, help="How many lines of each."),
    as_json: bool = JSON,
) -> Result:
    """What supervisord and the services say of their own troubles (events are in `ctmux events`)."""
    paths = where.resolve()
    record = supervisor.supervised.running(paths)
    folder = record.logs if record else paths.logs
    found = {
        name.removesuffix(".log"): f"{folder}/{name}"
        for name in (sorted(os.listdir(folder)) if os.path.isdir(folder) else ())
        if name.endswith(".log")
    }
    if not found:
        raise CtmuxError(f"no logs in {folder}; the daemon has not run yet")
    if service and service not in found:
        raise UsageError(f"no log of {service!r}; there are: {', '.join(found)}")
    texts = {name: _tail(path, lines) for name, path in found.items() if service in (None, name)}
    output = "\n".join(f"{name}: {text}" if len(texts) > 1 else text for name, log in texts.items() for text in log)
    return Result(output, {"directory": folder, "logs": texts})


def _tail(path: str, lines: int) -> list[str]:
    with open(path, errors="replace") as file:
        return [text.rstrip("\n") for text in deque(file, lines)]


@command
def status(as_json: bool = JSON) -> Result:
    """What runs, since when, and what it watches. Exit code 3 if no daemon runs."""
    return _status()


def _status() -> Result:
    paths = where.resolve()
    record = supervisor.require(paths)
    programs = supervisor.programs(record)
    watchers = sorted(str(item["name"]) for item in programs if str(item["name"]).startswith("watcher-"))
    roles = supervisor.roles(paths, [*supervisor.ROLES, *watchers])
    data: dict[str, Any] = {
        "instance": paths.instance,
        "supervisord": record._asdict(),
        "programs": programs,
        "roles": roles,
    }
    return Result(_describe(paths, data), data)


def _describe(paths: where.Paths, data: dict[str, Any]) -> str:
    rows = []
    for item in data["programs"]:
        role = data["roles"].get(item["name"])
        answers = "-" if item["name"] == "broker" else "yes" if role else "no"
        rows.append([item["name"], item["state"].lower(), item["pid"], _ago(item["uptime"]), answers])
    keeper = data["roles"].get("keeper") or {"servers": []}
    logger = data["roles"].get("logger") or {}
    matcher = data["roles"].get("matcher") or {}
    servers = [[s["socket"], s["version"], s["sessions"], s["panes"], s["unobserved"]] for s in keeper["servers"]]
    return "\n".join(
        [
            f"instance {paths.instance}: supervisord {data['supervisord']['pid']}, {data['supervisord']['config']}",
            f"runtime {paths.runtime}, journal {paths.journal}",
            f"events {logger.get('head', '?')}, subscriptions {matcher.get('subscriptions', '?')}",
            "",
            table(rows, ["PROGRAM", "STATE", "PID", "UP", "ANSWERS"]),
            "",
            table(servers, ["TMUX SERVER", "VERSION", "SESSIONS", "PANES", "UNOBSERVED"]),
        ]
    )


def _ago(seconds: int | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


@command
def endpoints(as_json: bool = JSON) -> Result:
    """The ZeroMQ addresses of this instance; docs/wire.md says what is spoken there."""
    paths = where.resolve()
    supervisor.require(paths)
    data = {
        "subscribers": f"ipc://{paths.subscribers}",
        "publishers": f"ipc://{paths.publishers}",
        "logger": f"ipc://{paths.control('logger')}",
        "keeper": f"ipc://{paths.control('keeper')}",
        "matcher": f"ipc://{paths.control('matcher')}",
        "watchers": f"ipc://{paths.runtime}/watcher-<server>-<session number>.sock",
        "spool": paths.spool,
        "journal": paths.journal,
    }
    return Result("\n".join(f"{name:12} {value}" for name, value in data.items()), data)

"""`ctmux status`: what runs, and what it watches."""

from typing import Any

import typer

from ...shared import paths as where
from ...shared.counted import counted
from .. import supervisor, troubles
from ..output import JSON, Result, command, table


def register(root: typer.Typer) -> None:
    root.command("status", epilog="Example: ctmux status --json | jq .data.roles.keeper")(status)


@command
def status(as_json: bool = JSON) -> Result:
    """What runs, since when, and what it watches. Exit code 3 if no daemon runs."""
    return report()


def report() -> Result:
    """What runs, as text and as data. Raises NoDaemon."""
    paths = where.resolve()
    data = supervisor.gather(paths)
    return Result(_describe(paths, data), data)


def _describe(paths: where.Paths, data: dict[str, Any]) -> str:
    rows = []
    for item in data["programs"]:
        role = data["roles"].get(item["name"])
        answers = "yes" if role else "no" if item["name"] in data["roles"] else "-"
        rows.append([item["name"], item["state"].lower(), item["pid"], _ago(item["uptime"]), answers])
    keeper = data["roles"].get("keeper") or {"servers": []}
    logger = data["roles"].get("logger") or {}
    matcher = data["roles"].get("matcher") or {}
    runner = data["roles"].get("runner") or {}
    servers = [[s["socket"], s["version"], s["sessions"], s["panes"], s["unobserved"]] for s in keeper["servers"]]
    return "\n".join(
        [
            *(f"TROUBLE: {trouble}" for trouble in troubles.find(data["programs"], data["roles"])),
            f"instance {paths.instance}: supervisord {data['supervisord']['pid']}, {data['supervisord']['config']}",
            f"runtime {paths.runtime}, journal {paths.journal}",
            f"events {logger.get('head', '?')}, subscriptions {matcher.get('subscriptions', '?')}, {_actions(runner)}",
            "",
            table(rows, ["PROGRAM", "STATE", "PID", "UP", "ANSWERS"]),
            "",
            table(servers, ["TMUX SERVER", "VERSION", "SESSIONS", "PANES", "UNOBSERVED"]),
        ]
    )


def _actions(runner: dict[str, Any]) -> str:
    if not runner:
        return "actions ?"
    armed = counted(runner["armed"], "subscription sets", "subscriptions set")
    return f"actions {len(runner['running'])} running, {runner['waiting']} waiting ({armed} off actions)"


def _ago(seconds: int | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

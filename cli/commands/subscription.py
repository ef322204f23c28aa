"""`ctmux subscription ...`: what the matcher waits for."""

from typing import Any

import typer

from ...shared.errors import NoTarget
from ..output import JSON, Result, command, table

app = typer.Typer(help="List, show and remove subscriptions.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list", epilog="Example: ctmux subscription list --json | jq '.data[].id'")
@command
def list_(as_json: bool = JSON) -> Result:
    """Every subscription that is armed."""
    from ...client import Client

    with Client() as client:
        found = client.subscriptions()
    rows = [
        [s["id"], s["kind"], s["name"], _place(s), s["seconds"], "once" if s["once"] else "", s["pattern"]] for s in found
    ]
    return Result(table(rows, ["ID", "KIND", "NAME", "SCOPE", "SECONDS", "ENDS", "PATTERN"]), found)


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
    text = "\n".join(f"{key:9} {value}" for key, value in fitting[0].items() if value is not None)
    return Result(text, fitting[0], fitting[0]["session"], fitting[0]["pane"])


@app.command(epilog="Example: ctmux subscription remove s3")
@command
def remove(wanted: str = typer.Argument(..., metavar="ID", help="Its id or name."), as_json: bool = JSON) -> Result:
    """End a subscription."""
    from ...client import Client

    with Client() as client:
        ended = client.unsubscribe(wanted)
    return Result(f"removed {ended['id']}", ended, ended["session"], ended["pane"])


def _place(subscription: dict[str, Any]) -> str:
    return subscription["pane"] or subscription["session"] or "all"

"""`ctmux subscribe ...`: have the matcher wait for something."""

from typing import TYPE_CHECKING, Any

import typer

from ...shared.errors import UsageError
from ..output import JSON, Result, command, say
from .events import scope

if TYPE_CHECKING:
    from ...client import Client

app = typer.Typer(help="Arm a subscription.", no_args_is_help=True, rich_markup_mode=None)

SESSION = typer.Option(None, "--session", help="Only this session, with the panes it will have.")
PANE = typer.Option(None, "--pane", help="Only this pane: %12, session:window.pane, or a label.")
ALL = typer.Option(False, "--all", help="Every pane of every session, also those to come (the default).")
NAME = typer.Option(None, "--name", help="A name for people.")


def _scope(session: str | None, pane: str | None, everywhere: bool) -> dict[str, Any]:
    if sum(map(bool, (session, pane, everywhere))) > 1:
        raise UsageError("use one of --session, --pane and --all")
    server, session_id, pane_id = scope(session, pane, past=False)
    return {"server": server, "session": session_id, "pane": pane_id}


def _warn_blind(client: "Client", where: dict[str, str | None]) -> None:
    """Say that the one pane that is meant is not observed."""
    for pane in client.panes() if where["pane"] else ():
        if (pane["server"], pane["pane"]) == (where["server"], where["pane"]) and pane["unobserved"]:
            say(f"ctmux: {pane['pane']} is not observed, nothing of it will match: {pane['unobserved']}")


@app.command(epilog="Example: ctmux subscribe pattern 'FAILED (.*)' --session build --once")
@command
def pattern(
    regex: str = typer.Argument(..., metavar="REGEX", help="RE2 syntax; matched in each line without its escapes."),
    session: str | None = SESSION,
    pane: str | None = PANE,
    everywhere: bool = ALL,
    once: bool = typer.Option(False, "--once", help="End after the first match."),
    name: str | None = NAME,
    as_json: bool = JSON,
) -> Result:
    """Every line printed from now on that matches becomes an event `pattern.matched`."""
    from ...client import Client

    where = _scope(session, pane, everywhere)
    with Client() as client:
        _warn_blind(client, where)
        made = client.subscribe_pattern(regex, **where, once=once, name=name)
    return Result(made["id"], made, made["session"], made["pane"])


@app.command(epilog="Example: ctmux subscribe timeout 30 --pattern ready --pane server")
@command
def timeout(
    seconds: float = typer.Argument(..., help="How long to wait."),
    regex: str | None = typer.Option(
        None, "--pattern", metavar="REGEX", help="What must come; without it any output does."
    ),
    session: str | None = SESSION,
    pane: str | None = PANE,
    everywhere: bool = ALL,
    name: str | None = NAME,
    as_json: bool = JSON,
) -> Result:
    """An event `timeout.expired` when the pattern (or any output) has not come within SECONDS."""
    from ...client import Client

    where = _scope(session, pane, everywhere)
    with Client() as client:
        _warn_blind(client, where)
        made = client.subscribe_timeout(seconds, regex, **where, name=name)
    return Result(made["id"], made, made["session"], made["pane"])

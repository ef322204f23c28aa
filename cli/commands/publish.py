"""`ctmux publish NAME`: an event of one's own."""

import typer

from ..given import from_json
from ..output import JSON, Result, command


def register(root: typer.Typer) -> None:
    root.command("publish", epilog="""Example: ctmux publish deploy.done --data '{"version": "1.2"}'""")(publish)


@command
def publish(
    name: str = typer.Argument(..., metavar="NAME", help="The event is called user.NAME."),
    data: str = typer.Option("null", "--data", metavar="JSON", help="What it carries."),
    as_json: bool = JSON,
) -> Result:
    """Put an event of your own into the log.

    `ctmux events --kind user` shows them."""
    from ...client import Client

    value = from_json("--data", data)
    with Client() as client:
        client.publish(name, value)
    return Result(f"published user.{name}", {"kind": f"user.{name}", "value": value})

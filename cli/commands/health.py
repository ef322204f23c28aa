"""`ctmux health`: is anything wrong? For monitors: exit code 0 or 1, and a line for each trouble."""

import typer

from ...shared import paths as where
from ...shared.counted import counted
from ...shared.errors import CtmuxError
from .. import supervisor, troubles
from ..output import JSON, Result, command


def register(root: typer.Typer) -> None:
    root.command("health", epilog="Example: ctmux health || ctmux status")(health)


@command
def health(as_json: bool = JSON) -> Result:
    """Whether everything works. Exit code 0 if it does, 1 with a line for each trouble, 3 if no daemon runs."""
    data = supervisor.gather(where.resolve())
    found = troubles.find(data["programs"], data["roles"])
    if found:
        raise CtmuxError("\n".join(found))
    keeper = data["roles"]["keeper"] or {"servers": []}
    blind = sum(server["unobserved"] for server in keeper["servers"])
    panes = counted(blind, "pane is", "panes are")
    note = f"; {panes} not observed, another program has the pipe: ctmux events --kind pane.unobserved" if blind else ""
    return Result(f"healthy{note}", {"troubles": [], "unobserved": blind})

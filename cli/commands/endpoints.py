"""`ctmux endpoints`: where external subscribers connect."""

import typer

from ...shared import paths as where
from .. import supervisor
from ..output import JSON, Result, command


def register(root: typer.Typer) -> None:
    root.command("endpoints", epilog="Example: ctmux endpoints --json | jq -r .data.subscribers")(endpoints)


@command
def endpoints(as_json: bool = JSON) -> Result:
    """The ZeroMQ addresses of this instance. docs/wire.md says what is spoken there."""
    paths = where.resolve()
    supervisor.require(paths)
    data = {
        "subscribers": f"ipc://{paths.subscribers}",
        "publishers": f"ipc://{paths.publishers}",
        "logger": f"ipc://{paths.control('logger')}",
        "keeper": f"ipc://{paths.control('keeper')}",
        "matcher": f"ipc://{paths.control('matcher')}",
        "runner": f"ipc://{paths.control('runner')}",
        "watchers": f"ipc://{paths.runtime}/watcher-<server>-<session number>.sock",
        "spool": paths.spool,
        "journal": paths.journal,
    }
    return Result("\n".join(f"{name:12} {value}" for name, value in data.items()), data)

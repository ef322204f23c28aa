"""`ctmux session ...`: tmux sessions, with or without a daemon."""

from typing import Any

import typer

from ...shared.errors import CtmuxError
from ...shared.tmux import literal
from .. import server
from ..output import JSON, Result, command, say, table
from ..server import SessionRecord
from ..target import resolve_session

app = typer.Typer(help="tmux sessions: create, list, look, kill.", no_args_is_help=True, rich_markup_mode=None)

TARGET = typer.Argument(..., metavar="TARGET", help="The session's exact name, or its id as $3.")


@app.command(epilog="Example: ctmux session create build --directory ~/src --command 'make watch'")
@command
def create(
    name: str = typer.Argument(..., metavar="NAME", help="Name of the new session."),
    shell: str | None = typer.Option(None, "--command", metavar="CMD", help="Run by the shell in the first pane."),
    directory: str | None = typer.Option(None, "--directory", metavar="DIR", help="Where it starts; default: here."),
    width: int | None = typer.Option(None, "--width", min=1, max=10000, help="Columns while no terminal is attached."),
    height: int | None = typer.Option(None, "--height", min=1, max=10000, help="Rows while no terminal is attached."),
    as_json: bool = JSON,
) -> Result:
    """Create a detached session. Starts the tmux server, with your tmux.conf, if none runs."""
    words = ["-d", "-P", "-F", server.FORMAT, "-s", literal(name), *server.directory(directory)]
    for flag, cells in (("-x", width), ("-y", height)):
        words += [flag, str(cells)] if cells else []
    made = server.parse(server.connect(start=True).cmd("new-session", *words, *(["--", shell] if shell else [])).stdout)
    if not made:  # some versions say no word when they cannot make the socket
        raise CtmuxError(f"tmux made no session {name!r} on {server.socket()}")
    first = made[0].panes[0].pane
    if made[0].session_name != name:
        say(f"ctmux: tmux calls it {made[0].session_name!r}")
    return Result(
        f"created: session {made[0].session_name}, pane {first}", _data(made[0]), made[0].session_name, pane_id=first
    )


@app.command("list", epilog="Example: ctmux session list --json | jq -r '.data[].session_name'")
@command
def list_(as_json: bool = JSON) -> Result:
    """All sessions of the tmux server."""
    records = server.sessions()
    rows = [[r.session, r.session_name, r.windows, len({p.pane for p in r.panes}), r.attached, r.created] for r in records]
    return Result(
        table(rows, ["SESSION", "NAME", "WINDOWS", "PANES", "ATTACHED", "CREATED"]), [_data(record) for record in records]
    )


@app.command(epilog="Example: ctmux session info build")
@command
def info(target: str = TARGET, as_json: bool = JSON) -> Result:
    """One session with its panes."""
    record = resolve_session(target, server.sessions())
    rows = [[p.pane, f"{p.window_index}:{p.window_name}", p.pane_index, p.label, p.pid, p.command] for p in record.panes]
    output = (
        f"{record.session} {record.session_name}: created {record.created}, attached {record.attached}\n"
        + table(rows, ["PANE", "WINDOW", "INDEX", "LABEL", "PID", "COMMAND"])
    )  # fmt: skip
    return Result(output, _data(record), record.session_name)


@app.command(epilog="Example: ctmux session kill build")
@command
def kill(
    target: str = TARGET,
    force: bool = typer.Option(False, "--force", help="Even the session that this command runs in."),
    as_json: bool = JSON,
) -> Result:
    """Kill a session and all that runs in it."""
    tmux = server.connect()
    record = resolve_session(target, server.sessions(tmux))
    server.spare_own(record.panes, force, f"killing session {record.session_name}")
    server.session(tmux, record.session).kill()
    return Result(f"killed: session {record.session_name}", _data(record), record.session_name)


def _data(record: SessionRecord) -> dict[str, Any]:
    return {**record._asdict(), "panes": [pane._asdict() for pane in record.panes]}

"""`ctmux daemon ...`: the daemon itself."""

import contextlib
import os
from collections import deque

import typer

from ...shared import paths as where
from ...shared import supervised
from ...shared.config import load
from ...shared.errors import CtmuxError, NoDaemon, UsageError
from .. import environment, supervisor
from ..output import JSON, Result, command, say
from .status import report

app = typer.Typer(help="Start, stop and look after the daemon.", no_args_is_help=True, rich_markup_mode=None)


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
    """Stop the daemon. tmux is as it was before: no hook, pipe or client of ctmux stays.

    The log and the subscriptions stay; what was kept of the panes' output (for tail -n, --from start) does not."""
    paths = where.resolve()
    try:
        record = supervisor.stop(paths)
    except NoDaemon as error:
        if not supervisor.hooked(paths):
            raise NoDaemon(f"{error}: nothing is to be stopped") from None
        raise NoDaemon(f"{error}, but it left hooks in tmux: `ctmux daemon start`, then `stop`, removes them") from None
    return Result(f"stopped: instance {paths.instance}", record._asdict())


@app.command(epilog="Example: ctmux daemon restart")
@command
def restart(as_json: bool = JSON) -> Result:
    """Stop the daemon if it runs, and start it. Subscriptions and the log stay.

    What was kept of the panes' output (for tail -n, --from start) does not: a pane begins anew with the text that it shows.
    $CTMUX_CONFIG and $CTMUX_POLICY stay what they were where this shell has none; without them: stop, then start."""
    paths = where.resolve()
    for name, file in environment.kept(supervised.running(paths)).items():
        say(f"ctmux: {name} stays {file}, as the daemon was started with it")
        os.environ[name] = file
    load()  # a mistake in the settings is told before anything is stopped
    with contextlib.suppress(NoDaemon):
        supervisor.stop(paths)
    record = supervisor.start(paths)
    return Result(f"restarted: instance {paths.instance}, supervisord {record.pid}", record._asdict())


@app.command("status", epilog="Example: ctmux daemon status")
@command
def status_(as_json: bool = JSON) -> Result:
    """The same as `ctmux status`."""
    return report()


@app.command(epilog="Example: ctmux daemon logs keeper -n 20")
@command
def logs(
    service: str | None = typer.Argument(
        None, help="One service: supervisord, broker, logger, keeper, matcher, runner, watcher-..."
    ),
    lines: int = typer.Option(50, "-n", "--lines", min=1, help="How many lines of each."),
    as_json: bool = JSON,
) -> Result:
    """What the services say of their own troubles. Events are in `ctmux events`."""
    paths = where.resolve()
    record = supervised.running(paths)
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

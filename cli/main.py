"""The `ctmux` command: its tree of nouns and verbs, and the options that hold for all of them."""

import os
import sys

import typer

from . import server
from .commands import (
    action,
    daemon,
    endpoints,
    events,
    health,
    pane,
    publish,
    record,
    session,
    shell_init,
    status,
    stream,
    subscribe,
    subscription,
)
from .output import say
from .root import Root

app = typer.Typer(
    name="ctmux",
    cls=Root,
    help="The event system that tmux lacks: every pane watched, its output and life as numbered events.",
    epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 no daemon, 4 no target, 5 refused, 124 deadline, 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"ctmux {version('ctmux')}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    instance: str | None = typer.Option(None, "--instance", "-i", help="Name of the instance.", envvar="CTMUX_INSTANCE"),
    socket_name: str | None = typer.Option(None, "-L", metavar="NAME", help="tmux server by socket name, as in tmux -L."),
    socket_path: str | None = typer.Option(None, "-S", metavar="PATH", help="tmux server by socket path, as in tmux -S."),
    _show: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Options that hold for every command go into the environment, where everything else looks."""
    source = context.get_parameter_source("instance")
    if source and source.name == "COMMANDLINE" and os.environ.get("CTMUX_RUNTIME_DIR"):
        say("ctmux: -i names an instance, but CTMUX_RUNTIME_DIR is set, which is the directory of one: unset it")
        raise typer.Exit(2)
    if instance:
        os.environ["CTMUX_INSTANCE"] = instance
        if source and source.name == "COMMANDLINE":
            server.OURS.add("CTMUX_INSTANCE")
    if socket_path or socket_name:
        from ..shared.tmux import socket_directory

        os.environ["CTMUX_TMUX_SOCKET"] = os.path.abspath(socket_path or f"{socket_directory()}/{socket_name}")


app.add_typer(daemon.app, name="daemon")
status.register(app)
health.register(app)
app.add_typer(session.app, name="session")
app.add_typer(pane.app, name="pane")
stream.register(pane.app)
record.register(pane.app)
app.add_typer(subscribe.app, name="subscribe")
app.add_typer(subscription.app, name="subscription")
app.add_typer(action.app, name="action")
app.add_typer(events.app, name="events")
publish.register(app)
endpoints.register(app)
shell_init.register(app)


def run() -> None:
    """The entry point."""
    try:
        app()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        say(f"ctmux: {error.filename or 'the output cannot be written'}: {error.strerror or error}")
        sys.exit(1)


if __name__ == "__main__":
    run()

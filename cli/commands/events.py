"""`ctmux events`: the log, what it has and what comes."""

import time
from collections import deque
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from ...shared import paths as where
from ...shared.counted import counted
from ...shared.errors import CtmuxError, NoTarget, UsageError
from .. import log
from ..output import JSON, Result, command, line

if TYPE_CHECKING:
    from ...shared.messages import Event


app = typer.Typer(invoke_without_command=True)


@app.callback(epilog="Example: ctmux events --follow --kind pane.exited --json | jq .data.exit_status")
@command
def events(
    context: typer.Context,
    follow: bool = typer.Option(False, "--follow", "-f", help="Go on with events as they come."),
    since: str | None = typer.Option(
        None, "--since", help="A number N, or a time: 2026-11-22T10:00:00Z, 10:00, or 5m ago as 5m."
    ),
    kind: str | None = typer.Option(
        None, "--kind", "-k", help="A kind, its first part, or several: pane.exited, pane, pane,gap."
    ),
    session: str | None = typer.Option(
        None,
        "--session",
        help="A session: its name, also of one that is gone, or $3. A subscription of one pane is of no session.",
    ),
    pane: str | None = typer.Option(
        None, "--pane", help="A pane: %12, session:window.pane, or a label; %12 also if it has ended."
    ),
    subscription: str | None = typer.Option(
        None, "--subscription", help="A subscription: its id, or its name, also if it has ended."
    ),
    count: int | None = typer.Option(None, "-n", min=1, help="The last N; with --follow end after N events."),
    timeout: float | None = typer.Option(
        None, "--timeout", min=0, help="With --follow: end after S seconds, exit code 124."
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON event a line, as in the log."),
) -> Result | None:
    """Show events of the log, oldest first. With --follow those that come, with --since also those from then on."""
    from ...client.requests import check_filter
    from ...shared.messages import Filter

    if context.invoked_subcommand:
        return None
    if timeout is not None and not follow:
        raise UsageError("--timeout needs --follow: without it the command ends by itself")
    try:
        check_filter(Filter(kind), None)
    except UsageError as error:
        raise UsageError(f"{error}, user.* (your own)") from None
    server, session_id, pane_id = scope(session, pane, past=True)
    subscription = None if subscription is None else log.subscription_id(subscription)
    wanted = Filter(kind, server, session_id, pane_id, subscription)

    def show(event: "Event") -> None:
        print(line(event._asdict()) if as_json else describe(event), flush=True)

    number, moment = _since(since)
    if not follow:
        log.say_missing(number)
        found = (event for event in log.stored(wanted, number) if event.time >= moment)
        shown = False
        for event in found if count is None else deque(found, count):
            shown = True
            show(event)
        if subscription and not shown:
            log.check_subscription(subscription)
        return None
    start = None if since is None else number
    seen = 0
    for event in log.following(start, wanted, timeout):
        if event.time < moment:
            continue
        show(event)
        seen += 1
        if count is not None and seen >= count:
            return None
    return None


@app.command(epilog="Example: ctmux events verify && echo whole")
@command
def verify(as_json: bool = JSON) -> Result:
    """Check the whole log. Exit code 1 if a number, the order, or the position of a producer is wrong."""
    from ..audit import audit

    directory = where.resolve().journal
    report = audit(directory)
    if report.faults:
        raise CtmuxError("\n".join(report.faults))
    torn = f"; {counted(report.torn, 'byte')} of a line being written" if report.torn else ""
    span = f"{report.first}-{report.last}" if report.events else "none"
    events, segments = counted(report.events, "event"), counted(report.segments, "segment")
    return Result(f"{directory}: {events} ({span}) in {segments}, all whole{torn}", asdict(report))


def scope(session: str | None, pane: str | None, past: bool) -> tuple[str | None, str | None, str | None]:
    """(server key, session id, pane id) that `--session` and `--pane` mean. In the `past`, ids may be of what is gone, and
    names of sessions."""
    if not session and not pane:
        return None, None, None
    if session and pane:
        raise UsageError("use --session or --pane, not both")
    from ...shared.tmux import TmuxError, identify
    from ..server import panes, socket
    from ..target import resolve_pane, resolve_session

    gone = (session or pane or "")[:1] in "$%" and (session or pane or "")[1:].isdigit()
    try:
        server = identify(socket()).key
        if pane:
            found = resolve_pane(pane, panes())
            return server, None, found.pane
        return server, resolve_session(session or "", panes()).session, None
    except (NoTarget, TmuxError) as error:
        if not past:
            raise
        if gone:
            return None, session, pane
        if pane and isinstance(error, NoTarget):
            raise NoTarget(f"{error}; of one that has ended, its id: ctmux events --kind pane.exited") from None
        was = log.former_session(session, socket()) if session else None
        if was is None:
            raise
        return *was, None


def _since(text: str | None) -> tuple[int, str]:
    """(first number, earliest time as in the log)."""
    if text is None:
        return 1, ""
    if text.isdigit():
        return max(1, int(text)), ""
    from ...shared.codec import timestamp

    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    if text[:-1].isdigit() and text[-1] in units:
        return 1, timestamp(time.time() - int(text[:-1]) * units[text[-1]])
    try:
        if len(text) <= 12 and ":" in text:
            text = f"{datetime.now().astimezone().date()}T{text}"
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--since {text!r}: use a number, a time such as 2026-11-22T10:00:00Z or 10:00, or 30s, 5m, 2h, 1d"
        ) from None
    return 1, timestamp(moment.astimezone(UTC).timestamp())


def describe(event: "Event") -> str:
    """An event in one line for people; control bytes of a pane's text cannot reach the terminal."""
    place = " ".join(filter(None, [event.session, event.pane, event.subscription]))
    told = " ".join(f"{key}={_shown(value)}" for key, value in event.data.items() if value is not None)
    return f"{event.n:>6}  {_local(event.time)}  {event.kind:20}  {place:12}  {told}".rstrip()


def _local(moment: str) -> str:
    """A time of the log for people: theirs, with the date unless it is today. `--since` reads it the same way."""
    local = datetime.fromisoformat(moment).astimezone()
    today = local.date() == datetime.now().astimezone().date()
    return local.strftime("%H:%M:%S.%f" if today else "%Y-%m-%dT%H:%M:%S.%f")[:-3]


def _shown(value: Any) -> str:
    return line(value).encode("unicode_escape").decode() if not isinstance(value, str) else repr(value)

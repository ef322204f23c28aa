"""`ctmux events`: the log, what it has and what comes."""

import contextlib
import re
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from ...shared import paths as where
from ...shared.counted import counted
from ...shared.errors import CtmuxError, NoDaemon, NoTarget, UsageError
from ..output import JSON, Result, command, end_with_reader, line, say

if TYPE_CHECKING:
    from ...shared.messages import Event, Filter


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
        None, "--session", help="A session: its name, or $3. A subscription of one pane is of no session."
    ),
    pane: str | None = typer.Option(None, "--pane", help="A pane: %12, session:window.pane, or a label."),
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
    check_filter(Filter(kind), None)
    server, session_id, pane_id = scope(session, pane, past=True)
    subscription = None if subscription is None else _subscription(subscription)
    wanted = Filter(kind, server, session_id, pane_id, subscription)

    def show(event: "Event") -> None:
        print(line(event._asdict()) if as_json else describe(event), flush=True)

    number, moment = _since(since)
    if not follow:
        _say_missing(number)
        found = (event for event in _stored(wanted, number) if event.time >= moment)
        shown = False
        for event in found if count is None else deque(found, count):
            shown = True
            show(event)
        if subscription and not shown:
            _check_subscription(subscription)
        return None
    start = None if since is None else number
    seen = 0
    for event in _following(start, wanted, timeout):
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
    """(server key, session id, pane id) that `--session` and `--pane` mean. In the `past`, ids may be of what is gone."""
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
    except (NoTarget, TmuxError):
        if not (gone and past):
            raise
        return None, session, pane


def _say_missing(number: int) -> None:
    """Events that were asked for by number and are no longer kept."""
    from ...shared import journal

    kept = journal.segments(where.resolve().journal)
    if number > 1 and kept and kept[0].first > number:
        say(f"ctmux: events {number}-{kept[0].first - 1} are missing: older than the journal keeps")


def _subscription(wanted: str) -> str:
    """The id of the subscription that an id or a name means: of those that are armed, else of the last that had the name.
    Raises NoTarget."""
    if re.fullmatch(r"s\d+", wanted):
        return wanted
    from ...client import Client
    from ...shared.messages import Filter

    with contextlib.suppress(NoDaemon), Client() as client:
        armed = [known["id"] for known in client.subscriptions() if known["name"] == wanted]
        if len(armed) > 1:
            raise NoTarget(f"{len(armed)} subscriptions are named {wanted!r}; use an id: {', '.join(armed)}")
        if armed:
            return str(armed[0])
    ended = {
        event.subscription: event.n
        for event in _stored(Filter(kind="subscription"), 1)
        if event.subscription and wanted == event.data.get("subscription", event.data).get("name")
    }
    if not ended:
        raise NoTarget(f"no subscription is named {wanted!r}, and the log has none that was; see: ctmux subscription list")
    last = max(ended, key=lambda id: ended[id])
    if len(ended) > 1:
        say(f"ctmux: {len(ended)} subscriptions were named {wanted!r}; this is the last, {last}")
    return last


def _check_subscription(wanted: str) -> None:
    """Raise NoTarget if there is no such subscription, and was none as far back as the log goes."""
    from ...client import Client
    from ...shared.messages import Filter

    if next(_stored(Filter(subscription=wanted), 1), None):
        return
    with contextlib.suppress(NoDaemon), Client() as client:
        if any(known["id"] == wanted for known in client.subscriptions()):
            return
    raise NoTarget(f"no subscription has the id {wanted!r}, and the log has no event of one; see: ctmux subscription list")


def _stored(wanted: "Filter", number: int) -> Iterator["Event"]:
    """What the files have; the daemon need not run."""
    from ...shared import journal
    from ...shared.codec import parse_event

    directory = where.resolve().journal
    while True:
        page = journal.read(directory, number, 1000, wanted)
        yield from map(parse_event, page.lines)
        if page.next <= number:
            return
        number = page.next


def _following(since: int | None, wanted: "Filter", timeout: float | None) -> Iterator["Event"]:
    from ...client import Client, Gap
    from ...shared.messages import Tip

    end_with_reader()
    with Client() as client:
        head = client.status("logger")["head"]
        if since is not None and since > head + 1:  # waiting for it could mean to pass over all events of a newer log
            raise UsageError(f"--since {since}: the log ends with event {head}; without --since you see what comes")
        if wanted.subscription and not client.ask("logger", Tip(wanted.subscription))["n"]:
            _check_subscription(wanted.subscription)
        for item in client.events(since, **wanted._asdict(), timeout=timeout):
            if isinstance(item, Gap):
                say(f"ctmux: events {item.start}-{item.end} are missing: {item.reason}")
            else:
                yield item


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

"""What a user asks of an instance, one script each; their results are what `Client` and `AsyncClient` return."""

import time
import uuid
from typing import Any

from ..shared.errors import NoTarget, UsageError
from ..shared.messages import (
    KINDS,
    USER,
    Cancel,
    Draft,
    Explain,
    Filter,
    Panes,
    Put,
    Request,
    Status,
    Subscribe,
    Subscriptions,
    Unsubscribe,
    unknown_kind,
)
from ..shared.specs import check_name
from . import armed
from .script import Ask, Script


def one(role: str, request: Request, seconds: float = 5.0) -> Script[dict[str, Any]]:
    """The answer of a role."""
    answer: dict[str, Any] = yield Ask(role, request, seconds)
    return answer


def watched() -> Script[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """The panes and the sessions that are watched."""
    panes: list[dict[str, Any]] = []
    sessions: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        answer = yield Ask("keeper", Panes(after))
        panes += answer["panes"]
        sessions += answer["sessions"]
        after = answer["next"]
    return panes, sessions


def panes() -> Script[list[dict[str, Any]]]:
    return (yield from watched())[0]


def check_ids(session: str | None, *panes: str | None) -> None:
    """Raises UsageError for what is no id of tmux."""
    for sign, name, values in (("$", "session", (session,)), ("%", "pane", panes)):
        for value in values:
            if value is not None and not (isinstance(value, str) and value[:1] == sign and value[1:].isdigit()):
                raise UsageError(f"{name} {value!r}: tmux's own id is expected, such as {sign}3")


def check_filter(wanted: Filter, since: object) -> None:
    """Raises UsageError for what no event can be."""
    check_ids(wanted.session, wanted.pane)
    unknown = unknown_kind(wanted.kind) if wanted.kind is not None else None
    if unknown is not None:
        raise UsageError(f"no kind {unknown!r}; there are: {', '.join(sorted(KINDS))}")
    if since is not None and (not isinstance(since, int) or since < 0):
        raise UsageError(f"since {since!r}: the number of an event is expected, or None for those that come")


def check_server(server: str) -> Script[None]:
    """Raises NoTarget if the daemon does not watch this tmux server."""
    answer = yield Ask("keeper", Status())
    if all(known["server"] != server for known in answer["servers"]):
        raise NoTarget("the daemon does not watch this tmux server; see: ctmux status")


def subscribe(
    kind: str, patterns: tuple[str, ...], server: str | None, session: str | None, pane: str | None,
    options: dict[str, Any],
) -> Script[dict[str, Any]]:  # fmt: skip
    check_ids(session, pane)
    if server:
        yield from check_server(server)
    if options.get("actions"):
        options = {**options, "actions": armed.complete(options["actions"]), "armed_by": armed.by()}
    request = Subscribe(uuid.uuid4().hex, kind, list(patterns), server, session, pane, options)
    made: dict[str, Any] = (yield Ask("matcher", request))["subscription"]
    return made


def publish(name: str, value: Any) -> Script[None]:
    """A user's own event: `user.<name>`."""
    check_name(name)
    producer = f"user/{uuid.uuid4().hex}"
    data = {"value": value, "by": armed.by()}
    yield Ask("logger", Put([list(Draft(producer, 0, "", f"{USER}{name}", time.time(), data=data, ends=[producer]))]))


def cancel(action: str) -> Script[dict[str, Any]]:
    return (yield from one("runner", Cancel(action), 5.0))


def subscriptions() -> Script[list[dict[str, Any]]]:
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        answer = yield Ask("matcher", Subscriptions(after))
        found += answer["subscriptions"]
        after = answer["next"]
    return found


def explain(wanted: str) -> Script[dict[str, Any]]:
    return (yield from one("matcher", Explain(wanted)))


def unsubscribe(wanted: str) -> Script[dict[str, Any]]:
    ended: dict[str, Any] = (yield Ask("matcher", Unsubscribe(wanted)))["subscription"]
    return ended

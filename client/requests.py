"""What a user asks of an instance, one script each; their results are what `Client` and `AsyncClient` return."""

import uuid
from typing import Any

from ..shared.errors import NoTarget
from ..shared.messages import Panes, Request, Status, Subscribe, Subscriptions, Unsubscribe
from .script import Ask, Script


def one(role: str, request: Request, seconds: float = 5.0) -> Script[dict[str, Any]]:
    """The answer of a role."""
    answer: dict[str, Any] = yield Ask(role, request, seconds)
    return answer


def panes() -> Script[list[dict[str, Any]]]:
    found: list[dict[str, Any]] = (yield Ask("keeper", Panes()))["panes"]
    return found


def check_server(server: str) -> Script[None]:
    """Raises NoTarget if the daemon does not watch this tmux server."""
    answer = yield Ask("keeper", Status())
    if all(known["server"] != server for known in answer["servers"]):
        raise NoTarget("the daemon does not watch this tmux server; see: ctmux status")


def subscribe(
    kind: str, pattern: str | None, seconds: float | None, server: str | None, session: str | None, pane: str | None,
    once: bool, name: str | None,
) -> Script[dict[str, Any]]:  # fmt: skip
    if server:
        yield from check_server(server)
    request = Subscribe(uuid.uuid4().hex, kind, pattern, seconds, server, session, pane, once, name)
    made: dict[str, Any] = (yield Ask("matcher", request))["subscription"]
    return made


def subscriptions() -> Script[list[dict[str, Any]]]:
    found: list[dict[str, Any]] = (yield Ask("matcher", Subscriptions()))["subscriptions"]
    return found


def unsubscribe(wanted: str) -> Script[dict[str, Any]]:
    ended: dict[str, Any] = (yield Ask("matcher", Unsubscribe(wanted)))["subscription"]
    return ended

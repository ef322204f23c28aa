"""An action that is to be: what set it off, and what it is. Pure."""

from typing import Any, NamedTuple

from ...shared.actions import Action
from ...shared.messages import Event
from ...shared.specs import read

_ATTEMPTS_MOST = 20


class Intent(NamedTuple):
    """`n`: the number of its cause; `at`: which of its subscription's actions; `depth`: how many actions led to it."""

    id: str
    n: int
    subscription: str
    name: str | None
    at: int
    spec: dict[str, Any]
    attempt: int
    depth: int
    event: Event | None

    @property
    def action(self) -> Action:
        return read(self.spec)

    @property
    def is_last(self) -> bool:
        """Whether none follows this attempt, also if it is interrupted."""
        return self.attempt >= _ATTEMPTS_MOST

    @property
    def where(self) -> tuple[str, str] | None:
        """The pane that it acts on, with its server."""
        action, event = self.action, self.event
        pane, server = action.to or (event and event.pane), action.server or (event and event.server)
        return (server, pane) if server and pane else None


def action_id(n: int, subscription: str, index: int) -> str:
    return f"{n}.{subscription}.{index}"

"""What is armed, and where the tmux servers are, as the log says it. Pure."""

from typing import Any, NamedTuple

from ...shared.actions import Action
from ...shared.errors import CtmuxError
from ...shared.messages import Event
from ...shared.specs import read


class Armed(NamedTuple):
    """The actions of a subscription as they were armed, and as they are understood (or why not). `depth`: of the action
    that armed it; `history`: it began with what had been printed before."""

    id: str
    name: str | None
    specs: list[dict[str, Any]]
    depth: int
    history: bool
    actions: list[Action | str]


class Registry:
    """`armed`: by subscription; `sockets`: by server."""

    def __init__(self) -> None:
        self.armed: dict[str, Armed] = {}
        self.sockets: dict[str, str] = {}

    def learn(self, event: Event) -> None:
        if event.kind == "subscription.created":
            self.arm(event.data["subscription"])
        elif event.kind == "subscription.ended":
            self.armed.pop(str(event.subscription), None)
        elif event.kind == "server.found" and event.server:
            self.sockets[event.server] = event.data["socket"]
        elif event.kind == "server.lost" and event.server:
            self.sockets.pop(event.server, None)

    def arm(self, subscription: dict[str, Any]) -> None:
        """A subscription as the matcher shows it."""
        if subscription.get("actions"):
            depth = (subscription.get("armed_by") or {}).get("depth")  # as any client says
            depth = depth if type(depth) is int else 0
            history = subscription.get("start", "now") != "now"
            self._arm(subscription["id"], subscription["name"], subscription["actions"], depth, history)

    def _arm(self, id: str, name: str | None, specs: list[dict[str, Any]], depth: int, history: bool = False) -> None:
        self.armed[id] = Armed(id, name, specs, depth, history, [understood(spec) for spec in specs])

    def dump(self) -> dict[str, Any]:
        return {"armed": {id: list(armed[:5]) for id, armed in self.armed.items()}, "sockets": dict(self.sockets)}

    def load(self, kept: dict[str, Any]) -> None:
        for fields in kept["armed"].values():
            self._arm(*fields)
        self.sockets = dict(kept["sockets"])


def understood(spec: dict[str, Any]) -> Action | str:
    """The action, or why it is none today."""
    try:
        return read(spec)
    except CtmuxError as error:  # armed by a ctmux that knew more
        return str(error)

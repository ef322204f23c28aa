"""What is known of actions when they are armed: of panes that are fixed, and of subscriptions that are to be removed."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..shared import paths, policy, supervised
from ..shared.actions import ON_PANE
from ..shared.errors import NoTarget
from .environment import policy_in_force

if TYPE_CHECKING:
    from ..client import Client


def check_panes(actions: list[dict[str, Any]], where: dict[str, str | None]) -> None:
    """Raises Refused for a pane that the policy does not allow to act on. `where`: of the subscription. What is not known
    here the runner checks, each time."""
    acting = [action for action in actions if action.get("do") in ON_PANE]
    wanted = {(one.get("server") or where["server"], one.get("to") or where["pane"]) for one in acting}
    if not any(server and pane for server, pane in wanted):
        return
    allowed, _file = policy_in_force(supervised.running(paths.resolve()))
    if allowed.type_into == ["*"]:
        return
    from ..shared.tmux import TmuxError, identify
    from .server import panes, socket

    names: dict[str, list[str]] = {}  # of a pane in several sessions, those of all
    with contextlib.suppress(NoTarget, TmuxError):  # it has ended
        here = identify(socket()).key
        for one in panes():
            if (here, one.pane) in wanted:
                names.setdefault(one.pane, []).extend(filter(None, (one.session, one.session_name, one.label)))
    for pane, known in names.items():
        policy.check_pane(allowed, pane, known)


def unknown_targets(actions: list[dict[str, Any]], client: "Client") -> Iterator[str]:
    """What is to be removed, and is not armed now."""
    targets = [action["target"] for action in actions if action.get("do") == "remove"]
    if targets:
        known = {name for one in client.subscriptions() for name in (one["id"], one["name"])}
        yield from (target for target in targets if target not in known)

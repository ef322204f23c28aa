"""Which panes the targets of a follower are, those too that have ended, and whether they are observed."""

import sys
from typing import TYPE_CHECKING

from ..shared import paths as where
from ..shared import spool
from ..shared.errors import CtmuxError, NoTarget, Refused
from .output import say

if TYPE_CHECKING:
    from ..client import Client


def resolve(client: "Client", targets: list[str]) -> tuple[str, list[str] | None, str | None]:
    """(server key, panes, None), or (server key, None, session) for one session as a whole."""
    from ..shared.tmux import identify
    from .server import panes as listed
    from .server import socket
    from .target import resolve_panes, resolve_session

    server = None
    try:
        records = listed()
        server = identify(socket()).key
        client.check_server(server)
        if len(targets) == 1 and not targets[0].startswith("%"):
            try:
                session = resolve_session(targets[0], records)
            except NoTarget:
                pass
            else:
                if all(record.label != targets[0] for record in records):
                    members = {record.pane for record in records if record.session == session.session}
                    _check_observed(client, server, members)
                    if _shares(client, server, members, session.session):
                        return server, sorted(members), None
                    return server, None, session.session
        panes = list(dict.fromkeys(record.pane for target in targets for record in resolve_panes(target, records)))
    except NoTarget:
        gone = [_gone(server, target) for target in targets]
        if not all(gone):
            raise
        return gone[0][0], [pane for _server, pane in filter(None, gone)], None  # type: ignore[index]
    _check_observed(client, server, set(panes))
    return server, panes, None


def _shares(client: "Client", server: str, panes: set[str], session: str) -> bool:
    """Whether the session shows panes of another one (grouped sessions, linked windows): its topic has their output."""
    return any(
        known["session"] != session for known in client.panes() if known["server"] == server and known["pane"] in panes
    )


def _check_observed(client: "Client", server: str, panes: set[str]) -> None:
    """Raise CtmuxError if nothing can be seen of any of the panes; say so if it is so for some."""
    watched = [pane for pane in client.panes() if pane["server"] == server and pane["pane"] in panes]
    blind = [f"{pane['pane']} is not observed: {pane['unobserved']}" for pane in watched if pane["unobserved"]]
    if blind and len(blind) == len(watched):
        raise CtmuxError("; ".join(blind))
    for text in blind:
        say(f"ctmux: {text}")


def _gone(server: str | None, target: str) -> tuple[str, str] | None:
    """(server, pane) of a pane that has exited, while its spool is kept: of this server; if none runs, of the only one."""
    kept = [each for each in spool.walk(where.resolve().spool) if each.stream.pane == target]
    found = [each for each in kept if server in (None, each.server)]
    return (found[-1].server, target) if found and len({each.server for each in found}) == 1 else None


def spare_own(client: "Client", server: str, panes: list[str] | None, session: str | None) -> None:
    """Raise Refused if this command would print, into a pane, what that pane prints: without end."""
    from .server import own_pane

    own = own_pane() if sys.stdout.isatty() else None
    places = {known["pane"]: known["session"] for known in client.panes() if known["server"] == server} if own else {}
    if own and (own in panes if panes is not None else places.get(own) == session):
        raise Refused(f"it would follow itself: this command runs in {own}; name other panes, or print to a pipe")

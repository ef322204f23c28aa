"""The sessions and panes that are watched, in pages: those of a large machine would not fit one answer. Pure."""

from collections.abc import Iterable
from typing import Any

from ...shared.page import page
from ...shared.tmux import ServerInfo
from .reported import Reported


def watched(servers: Iterable[tuple[ServerInfo, Reported]], after: str) -> dict[str, Any]:
    """What is behind that place, as many as fit. `next`: the place to go on from, None behind the last."""
    known = (
        (_place(topology.server, id), (info, topology, id))
        for info, topology in servers
        for id in (*topology.sessions, *topology.panes)
    )
    shown, following = page(known, after, lambda one: _public(*one))
    return {
        "panes": [one for one in shown if "pane" in one],
        "sessions": [one for one in shown if "pane" not in one],
        "next": following,
    }


def _place(server: str, id: str) -> str:
    """Of each server first the sessions ($), then the panes (%), by age: what comes between two pages is behind both."""
    return f"{server}/{id[0]}{id[1:]:0>12}"


def _public(info: ServerInfo, topology: Reported, id: str) -> dict[str, Any]:
    server, pane = topology.server, topology.panes.get(id)
    if pane is None:
        return {"server": server, "session": id, "name": topology.sessions[id]}
    return {
        "server": server,
        "socket": info.socket,
        "session": pane.session,
        "session_name": topology.sessions.get(pane.session),
        "window": pane.window,
        "window_name": topology.windows.get(pane.window),
        "pane": id,
        "pid": pane.pid,
        "stream": pane.stream,
        "unobserved": pane.unobserved,
        "exited": pane.exited,
    }

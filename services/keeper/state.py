"""What was reported of a tmux server, as a file: it is saved together with the drafts that lead to it, before they are sent
(a transactional outbox). A keeper that is killed in between sends them again; the logger knows which it has."""

import json
import os

from ...shared.messages import Draft
from ...shared.tmux import ServerInfo
from .topology import Topology


def save(path: str, info: ServerInfo, topology: Topology, pending: list[Draft]) -> None:
    """Replace the file as a whole."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    state = {"info": list(info), "topology": topology.dump(), "pending": [list(draft) for draft in pending]}
    with open(f"{path}.new", "w") as file:
        json.dump(state, file)
    os.rename(f"{path}.new", path)


def load(path: str, server: str) -> tuple[Topology, list[Draft]]:
    """What was reported, and the drafts that may not have been sent; nothing of both if there is no file."""
    try:
        with open(path) as file:
            state = json.load(file)
    except (FileNotFoundError, ValueError):
        return Topology(server), []
    return Topology.restore(state["topology"]), [Draft(*fields) for fields in state["pending"]]


def known(path: str) -> ServerInfo | None:
    """The server that a file is of; None if it is damaged."""
    try:
        with open(path) as file:
            return ServerInfo(*json.load(file)["info"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def base36(number: int) -> str:
    """A number as it stands in the names of streams."""
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits or "0"

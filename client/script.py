"""The client's protocol as scripts: generators that yield what they need or what they give, and know no socket.

A script yields an `Ask` and is sent the answer, a `Receive` and is sent the next message of the bus (None if that is
silent), or an item for the user. `Client` runs scripts with blocking sockets, `AsyncClient` under asyncio: nothing else
differs between the two.
"""

from collections.abc import Generator
from typing import Any, NamedTuple, Protocol, TypeVar

from ..shared.messages import Chunk, Event, Request
from .gap import Gap

R = TypeVar("R")
SILENCE = 3.0  # seconds without a heartbeat (one comes each second) until a script is told that the bus is silent


class Ask(NamedTuple):
    """Wanted: the answer of a role. An error of the answer ends the script. If nobody answers, NoDaemon does; or None comes
    in its place, where it is not `needed`."""

    role: str
    request: Request
    seconds: float = 5.0
    needed: bool = True


class Receive(NamedTuple):
    """Needed: the frames of the next message that comes by the bus, or None if nothing comes for SILENCE seconds."""


Item = Chunk | Event | Gap
Script = Generator[Ask | Receive | Item, Any, R]


class Follower(Protocol):
    """What is known of a stream while its script runs."""

    live: bool

    @property
    def position(self) -> Any: ...

    def follow(self) -> Script[None]: ...

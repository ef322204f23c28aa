"""The client library: events and output of an instance as iterators that fill their own holes.

from ctmux import Client

with Client() as client:
    for event in client.events(kind="pane"):
        print(event.n, event.kind, event.pane, event.data)
"""

from typing import TYPE_CHECKING, Any

from ..shared.errors import CtmuxError, DeadlinePassed, NoDaemon
from ..shared.messages import Chunk, Event
from .client import Client
from .gap import Gap

if TYPE_CHECKING:
    from .aio import AsyncClient

__all__ = ["AsyncClient", "Chunk", "Client", "CtmuxError", "DeadlinePassed", "Event", "Gap", "NoDaemon"]


def __getattr__(name: str) -> Any:
    """asyncio is imported by whoever uses it: it would cost each command 40 ms."""
    if name == "AsyncClient":
        from .aio import AsyncClient

        return AsyncClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""The client library: events and output of an instance as iterators that fill their own holes.

from ctmux import Client

with Client() as client:
    for event in client.events(kind="pane"):
        print(event.n, event.kind, event.pane, event.data)
"""

from ..shared.errors import CtmuxError, DeadlinePassed, NoDaemon
from ..shared.messages import Chunk, Event
from .client import Client
from .gap import Gap

__all__ = ["Chunk", "Client", "CtmuxError", "DeadlinePassed", "Event", "Gap", "NoDaemon"]

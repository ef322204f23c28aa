"""ctmux: the event system that tmux lacks. The client library's public names."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import AsyncClient, Chunk, Client, CtmuxError, DeadlinePassed, Event, Gap, NoDaemon

__all__ = ["AsyncClient", "Chunk", "Client", "CtmuxError", "DeadlinePassed", "Event", "Gap", "NoDaemon"]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    """The client library is imported when it is asked for: services that import `ctmux` stay small."""
    if name in __all__:
        from . import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""A subscription: what is waited for, where, and since when. Pure."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Subscription:
    """A rule. `server`, `session`, `pane`: its scope, None for all. `armed`: for each stream that was there when it was
    armed, the offset before which nothing counts; a stream that came later counts from its first byte.
    `include_echo`: prompts, and what is typed at them, count as well."""

    id: str
    number: int
    kind: str  # "pattern" or "timeout"
    pattern: str | None
    seconds: float | None
    server: str | None
    session: str | None
    pane: str | None
    once: bool
    name: str | None
    token: str
    created: float
    armed: dict[str, int] = field(default_factory=dict)
    include_echo: bool = False

    def covers(self, server: str, session: str, pane: str) -> bool:
        """Whether a pane is in scope."""
        return (
            (self.server is None or self.server == server)
            and (self.session is None or self.session == session)
            and (self.pane is None or self.pane == pane)
        )

    def since(self, server: str, stream: str) -> int:
        """The offset in a stream from which on it counts."""
        return self.armed.get(f"{server}/{stream}", 0)

    def public(self) -> dict[str, Any]:
        """What a user sees of it."""
        shown = asdict(self)
        for hidden in ("armed", "token", "number"):
            del shown[hidden]
        return shown

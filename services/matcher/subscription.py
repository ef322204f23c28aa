"""Subscriptions: what is waited for, where, since when; as they are kept in a file over restarts. Pure but for the file."""

import json
import os
from dataclasses import asdict, dataclass, field
from typing import Any

from ...shared.errors import NoTarget
from ...shared.paths import ensure_private


@dataclass
class Subscription:
    """A rule. `server`, `session`, `pane`: its scope, None for all. `armed`: for each stream that was there when it was
    armed, the offset before which nothing counts; a stream that came later counts from its first byte."""

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


class Store:
    """All subscriptions, in a file that is replaced as a whole. Raises OSError when it cannot be written.

    `ending` have ended, but their end is not in the journal yet: to the file they are like the `active` ones.
    """

    def __init__(self, path: str):
        self._path = path
        self._next = 1
        self.active: dict[str, Subscription] = {}
        self.ending: dict[str, Subscription] = {}
        try:
            with open(path) as file:
                content = json.load(file)
        except FileNotFoundError:
            return
        self._next = content["next"]
        for fields in content["subscriptions"]:
            subscription = Subscription(**fields)
            self.active[subscription.id] = subscription

    def next_number(self) -> int:
        """A number that no subscription of this instance ever had."""
        self._next += 1
        return self._next - 1

    def by_token(self, token: str) -> Subscription | None:
        return next((found for found in self.active.values() if found.token == token), None)

    def find(self, wanted: str) -> Subscription:
        """By id, or by name if only one has it. Raises NoTarget."""
        known = {**self.ending, **self.active}  # who asks again for an end that is under way is answered, too
        if wanted in known:
            return known[wanted]
        named = [found for found in self.active.values() if found.name == wanted]
        if len(named) == 1:
            return named[0]
        if named:
            ids = ", ".join(found.id for found in named)
            raise NoTarget(f"{len(named)} subscriptions are named {wanted!r}; use an id: {ids}")
        raise NoTarget(f"no subscription {wanted!r}; see: ctmux subscription list")

    def save(self) -> None:
        ensure_private(os.path.dirname(self._path))
        kept = {**self.ending, **self.active}.values()
        content = {"next": self._next, "subscriptions": [asdict(found) for found in kept]}
        with open(f"{self._path}.new", "w") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.rename(f"{self._path}.new", self._path)

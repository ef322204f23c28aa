"""How many actions in a row led to an event: what an action types, or starts in a pane, is taken for its doing. Pure."""

from collections.abc import Callable
from typing import Any

from ...shared.actions import TYPING
from ...shared.messages import Event
from .intent import Intent

_PANES_MOST = 1000  # panes that actions have touched, the latest


class Chains:
    """`seconds`: for so long what a pane prints may be the doing of who touched it; `born`: how many actions led to the
    program in an event's pane."""

    def __init__(self, seconds: float, born: Callable[[Event], int]):
        self._seconds, self._born = seconds, born
        self._panes: dict[tuple[str, str], tuple[int, float]] = {}  # depth, until when
        self._acting: dict[str, tuple[tuple[str, str | None], int]] = {}  # what types now, or opens a pane: where, depth

    def depth(self, event: Event, now: float) -> int:
        """How many actions led to an event."""
        key = (event.server or "", event.pane or "")
        depth, until = self._panes.get(key, (0, 0.0))
        depth = depth if until > now else 0
        acting = (depth for where, depth in self._acting.values() if where in (key, (key[0], None)))
        return max(depth, self._born(event) if event.pane else 0, *acting)

    def touched(self, server: str, pane: str, depth: int, now: float) -> None:
        """An action of this depth typed into a pane, or started it: what comes from there in a while may be its doing."""
        key = (server, pane)
        before, until = self._panes.pop(key, (0, 0.0))
        self._panes[key] = (max(depth, before if until > now else 0), now + self._seconds)
        if len(self._panes) > _PANES_MOST:
            del self._panes[next(iter(self._panes))]

    def begins(self, intent: Intent) -> None:
        """What a pane prints may be an action's doing before that has ended; a new one's, before its id is known."""
        where, do = intent.where, intent.action.do
        if where and (do in TYPING or do == "pane"):
            self._acting[intent.id] = (where if do in TYPING else (where[0], None)), intent.depth + 1

    def ended(self, intent: Intent, succeeded: bool, new_pane: str, now: float) -> None:
        """An action has ended. Only what has typed, or started a program in `new_pane`, can be the cause of output."""
        if intent.id in self._acting:
            (server, pane), depth = self._acting.pop(intent.id)
            if succeeded:
                self.touched(server, pane or new_pane, depth, now)

    def dump(self) -> list[Any]:
        return [[*key, *state] for key, state in self._panes.items()]

    def load(self, kept: list[Any]) -> None:
        self._panes = {(server, pane): (depth, until) for server, pane, depth, until in kept}

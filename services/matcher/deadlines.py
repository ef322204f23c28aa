"""Times that somebody waits for: a timer for each, which counts the seconds whatever is done to the clock meanwhile."""

import time
from collections.abc import Callable
from typing import NamedTuple

from ...shared.service import Service, Timer


class _Count(NamedTuple):
    deadline: float
    timer: Timer


class Deadlines:
    """`due` is called with whose it is, and with the time of the clock that was waited for."""

    def __init__(self, service: Service, due: Callable[[str, float], None]):
        self._service, self._call = service, due
        self._counts: dict[str, _Count] = {}

    def __contains__(self, id: str) -> bool:
        return id in self._counts

    def __len__(self) -> int:
        return len(self._counts)

    def arm(self, id: str, deadline: float, seconds: float | None = None) -> None:
        """Wait for a time of the clock, or so many seconds. A timer for a sooner time stays: who is called looks again."""
        known = self._counts.get(id)
        if seconds is None and known and known.deadline <= deadline:
            return
        self.cancel(id)
        left = deadline - time.time() if seconds is None else seconds
        self._counts[id] = _Count(deadline, self._service.after(max(0.0, left), lambda: self._due(id)))

    def cancel(self, id: str) -> None:
        count = self._counts.pop(id, None)
        if count:
            count.timer.cancel()

    def _due(self, id: str) -> None:
        self._call(id, self._counts.pop(id).deadline)
